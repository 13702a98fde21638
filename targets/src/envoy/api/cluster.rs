//! Clusters (`envoy.config.cluster.v3`) and their endpoints (`envoy.config.endpoint.v3`).

use super::{
    Address, ConfigSource, DnsCacheConfig, Duration, Empty, Extension, Percent, TypedConfig, messages,
};
use smol_str::SmolStr;

messages! {
    /// `Cluster`.
    struct Cluster {
        name: SmolStr,
        r#type: Option<&'static str>,
        cluster_type: Option<Extension>,
        eds_cluster_config: Option<EdsClusterConfig>,
        connect_timeout: Option<Duration>,
        per_connection_buffer_limit_bytes: Option<u32>,
        load_assignment: Option<ClusterLoadAssignment>,
        lb_policy: Option<&'static str>,
        ring_hash_lb_config: Option<RingHashLbConfig>,
        maglev_lb_config: Option<MaglevLbConfig>,
        common_lb_config: Option<CommonLbConfig>,
        circuit_breakers: Option<CircuitBreakers>,
        outlier_detection: Option<OutlierDetection>,
        upstream_connection_options: Option<UpstreamConnectionOptions>,
        typed_extension_protocol_options: ProtocolOptions,
        transport_socket: Option<Extension>,
    }

    /// `Cluster.EdsClusterConfig`.
    struct EdsClusterConfig {
        eds_config: Option<ConfigSource>,
    }

    /// `ClusterLoadAssignment`.
    struct ClusterLoadAssignment {
        cluster_name: SmolStr,
        endpoints: Vec<LocalityLbEndpoints>,
    }

    /// `LocalityLbEndpoints`.
    struct LocalityLbEndpoints {
        lb_endpoints: Vec<LbEndpoint>,
    }

    /// `LbEndpoint`.
    struct LbEndpoint {
        endpoint: Endpoint,
        load_balancing_weight: Option<u32>,
    }

    /// `Endpoint`.
    struct Endpoint {
        address: Option<Address>,
    }

    /// `Cluster.RingHashLbConfig`.
    struct RingHashLbConfig {
        minimum_ring_size: Option<u32>,
    }

    /// `Cluster.MaglevLbConfig`.
    struct MaglevLbConfig {
        table_size: Option<u32>,
    }

    /// `Cluster.CommonLbConfig`.
    struct CommonLbConfig {
        healthy_panic_threshold: Option<Percent>,
    }

    /// `CircuitBreakers`.
    struct CircuitBreakers {
        thresholds: Vec<Thresholds>,
    }

    /// `CircuitBreakers.Thresholds`.
    struct Thresholds {
        max_connections: Option<u32>,
        max_pending_requests: Option<u32>,
        max_requests: Option<u32>,
        max_retries: Option<u32>,
    }

    /// `OutlierDetection`.
    struct OutlierDetection {
        consecutive_5xx: Option<u32>,
        interval: Option<Duration>,
        base_ejection_time: Option<Duration>,
        max_ejection_percent: Option<u32>,
        enforcing_consecutive_5xx: Option<u32>,
        enforcing_success_rate: Option<u32>,
        consecutive_gateway_failure: Option<u32>,
        enforcing_consecutive_gateway_failure: Option<u32>,
        split_external_local_origin_errors: bool,
        consecutive_local_origin_failure: Option<u32>,
        enforcing_consecutive_local_origin_failure: Option<u32>,
        enforcing_local_origin_success_rate: Option<u32>,
    }

    /// `UpstreamConnectionOptions`.
    struct UpstreamConnectionOptions {
        tcp_keepalive: Option<TcpKeepalive>,
    }

    /// `envoy.config.core.v3.TcpKeepalive`; times in seconds.
    struct TcpKeepalive {
        keepalive_probes: Option<u32>,
        keepalive_time: Option<u32>,
        keepalive_interval: Option<u32>,
    }

    /// `Cluster.typed_extension_protocol_options`, by the names of the protocols.
    struct ProtocolOptions {
        #[serde(rename = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions")]
        http: Option<TypedConfig>,
    }

    /// `envoy.extensions.upstreams.http.v3.HttpProtocolOptions`; one of the ways to choose a protocol.
    struct HttpProtocolOptions {
        common_http_protocol_options: Option<UpstreamCommonOptions>,
        upstream_http_protocol_options: Option<UpstreamHttpOptions>,
        explicit_http_config: Option<ChosenHttpProtocol>,
        use_downstream_protocol_config: Option<ChosenHttpProtocol>,
    }

    /// `envoy.config.core.v3.HttpProtocolOptions`, for connections to endpoints.
    struct UpstreamCommonOptions {
        idle_timeout: Option<Duration>,
        max_connection_duration: Option<Duration>,
        max_requests_per_connection: Option<u32>,
    }

    /// `envoy.config.core.v3.UpstreamHttpProtocolOptions`.
    struct UpstreamHttpOptions {
        auto_sni: bool,
        auto_san_validation: bool,
    }

    /// `HttpProtocolOptions.ExplicitHttpConfig` (one of the fields) and `UseDownstreamHttpConfig` (both).
    struct ChosenHttpProtocol {
        http_protocol_options: Option<Empty>,
        http2_protocol_options: Option<Http2Options>,
    }

    /// `envoy.config.core.v3.Http2ProtocolOptions`.
    struct Http2Options {
        max_concurrent_streams: Option<u32>,
        initial_stream_window_size: Option<u32>,
        initial_connection_window_size: Option<u32>,
    }

    /// `envoy.extensions.clusters.dns.v3.DnsCluster`.
    struct DnsCluster {
        dns_lookup_family: Option<&'static str>,
        all_addresses_in_single_endpoint: bool,
    }

    /// `envoy.extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig`.
    struct DynamicForwardProxyCluster {
        dns_cache_config: Option<DnsCacheConfig>,
        allow_insecure_cluster_options: bool,
    }
}
