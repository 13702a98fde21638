//! The HTTP connection manager and its filters (`envoy.extensions.filters`).

use super::{
    Duration, Extension, FractionalPercent, Http2Options, RouteConfiguration, StringMatcher, messages,
};
use smol_str::SmolStr;

messages! {
    /// `network.http_connection_manager.v3.HttpConnectionManager`.
    struct HttpConnectionManager {
        stat_prefix: SmolStr,
        route_config: Option<RouteConfiguration>,
        http_filters: Vec<Extension>,
        common_http_protocol_options: Option<DownstreamProtocolOptions>,
        http2_protocol_options: Option<Http2Options>,
        stream_idle_timeout: Option<Duration>,
        request_timeout: Option<Duration>,
        request_headers_timeout: Option<Duration>,
        access_log: Vec<Extension>,
        use_remote_address: Option<bool>,
        upgrade_configs: Vec<UpgradeConfig>,
        normalize_path: Option<bool>,
        merge_slashes: bool,
        path_with_escaped_slashes_action: Option<&'static str>,
        strip_trailing_host_dot: bool,
        server_header_transformation: Option<&'static str>,
        forward_client_cert_details: Option<&'static str>,
        set_current_client_cert_details: Option<ClientCertDetails>,
    }

    /// `HttpConnectionManager.SetCurrentClientCertDetails`.
    struct ClientCertDetails {
        subject: Option<bool>,
        cert: bool,
        dns: bool,
        uri: bool,
    }

    /// `envoy.config.core.v3.HttpProtocolOptions`, for requests that come in.
    struct DownstreamProtocolOptions {
        idle_timeout: Option<Duration>,
        headers_with_underscores_action: Option<&'static str>,
    }

    /// `HttpConnectionManager.UpgradeConfig`.
    struct UpgradeConfig {
        upgrade_type: &'static str,
    }

    /// `http.router.v3.Router`.
    struct Router {}

    /// `http.cors.v3.Cors`.
    struct Cors {}

    /// `http.grpc_web.v3.GrpcWeb`.
    struct GrpcWeb {}

    /// `http.cors.v3.CorsPolicy`.
    struct CorsPolicy {
        allow_origin_string_match: Vec<StringMatcher>,
        allow_methods: SmolStr,
        allow_headers: SmolStr,
        expose_headers: SmolStr,
        max_age: SmolStr,
        allow_credentials: Option<bool>,
        forward_not_matching_preflights: Option<bool>,
    }

    /// `http.fault.v3.HTTPFault`.
    struct HttpFault {
        delay: Option<FaultDelay>,
        abort: Option<FaultAbort>,
    }

    /// `common.fault.v3.FaultDelay`.
    struct FaultDelay {
        fixed_delay: Option<Duration>,
        percentage: Option<FractionalPercent>,
    }

    /// `http.fault.v3.FaultAbort`; one status.
    struct FaultAbort {
        http_status: Option<u32>,
        grpc_status: Option<u32>,
        percentage: Option<FractionalPercent>,
    }

    /// `http.dynamic_forward_proxy.v3.FilterConfig`.
    struct DynamicForwardProxyFilter {
        dns_cache_config: Option<DnsCacheConfig>,
    }

    /// `common.dynamic_forward_proxy.v3.DnsCacheConfig`. Caches of one name have to be configured alike.
    struct DnsCacheConfig {
        name: &'static str,
        dns_lookup_family: Option<&'static str>,
    }
}
