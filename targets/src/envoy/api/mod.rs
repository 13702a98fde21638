//! Envoy's API, version 3, as far as it is written here: plain structs with the field names of the protobuf messages.
//!
//! A field is left out where it has the default of protobuf; where Envoy's own default differs from that, it is an `Option`.

mod address;
mod bootstrap;
mod cluster;
mod http;
mod listener;
mod route;
mod route_action;
mod tls;

pub(crate) use address::*;
pub(crate) use bootstrap::*;
pub(crate) use cluster::*;
pub(crate) use http::*;
pub(crate) use listener::*;
pub(crate) use route::*;
pub(crate) use route_action::*;
pub(crate) use tls::*;

use serde::Serialize;
use smol_str::SmolStr;

/// Declares message structs: each field is left out where it has its default.
macro_rules! messages {
    ($($(#[$meta:meta])* struct $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* })*) => {
        $(
            $(#[$meta])*
            #[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
            pub(crate) struct $name {
                $(
                    $(#[$field_meta])*
                    #[serde(skip_serializing_if = "crate::envoy::api::is_default")]
                    pub(crate) $field: $type,
                )*
            }
        )*
    };
}
use messages;

/// Whether a value is what protobuf reads where nothing is written.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A length of time as protobuf's JSON writes it: seconds with a unit, `0.25s`.
pub(crate) type Duration = SmolStr;

/// A part of Envoy that is chosen by name (`TypedExtensionConfig` and the messages of that shape).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Extension {
    /// Its well-known name.
    pub(crate) name: &'static str,
    /// Its configuration, whose type chooses it.
    pub(crate) typed_config: TypedConfig,
}

/// Declares the messages that stand in a `google.protobuf.Any`, each with its type.
macro_rules! typed_configs {
    ($($name:ident $url:literal,)*) => {
        /// A message that says its type (`google.protobuf.Any`).
        #[derive(Clone, Debug, PartialEq, Serialize)]
        #[serde(tag = "@type")]
        pub(crate) enum TypedConfig {
            $(
                #[serde(rename = $url)]
                $name(Box<$name>),
            )*
        }

        $(
            impl From<$name> for TypedConfig {
                fn from(message: $name) -> Self {
                    Self::$name(Box::new(message))
                }
            }
        )*
    };
}

typed_configs! {
    Cluster "type.googleapis.com/envoy.config.cluster.v3.Cluster",
    ClusterLoadAssignment "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
    Cors "type.googleapis.com/envoy.extensions.filters.http.cors.v3.Cors",
    CorsPolicy "type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy",
    DnsCluster "type.googleapis.com/envoy.extensions.clusters.dns.v3.DnsCluster",
    DownstreamConnections "type.googleapis.com/envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
    DownstreamTlsContext "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
    DynamicForwardProxyCluster "type.googleapis.com/envoy.extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig",
    DynamicForwardProxyFilter "type.googleapis.com/envoy.extensions.filters.http.dynamic_forward_proxy.v3.FilterConfig",
    FixedHeap "type.googleapis.com/envoy.extensions.resource_monitors.fixed_heap.v3.FixedHeapConfig",
    GrpcWeb "type.googleapis.com/envoy.extensions.filters.http.grpc_web.v3.GrpcWeb",
    HttpConnectionManager "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
    HttpFault "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault",
    HttpProtocolOptions "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
    Listener "type.googleapis.com/envoy.config.listener.v3.Listener",
    OriginalDst "type.googleapis.com/envoy.extensions.filters.listener.original_dst.v3.OriginalDst",
    PreviousHostsPredicate "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate",
    Router "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
    Secret "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret",
    SniDynamicForwardProxy "type.googleapis.com/envoy.extensions.filters.network.sni_dynamic_forward_proxy.v3.FilterConfig",
    StdoutAccessLog "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog",
    TcpProxy "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
    TlsInspector "type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector",
    UpstreamTlsContext "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
}

messages! {
    /// A message without fields that are set.
    struct Empty {}

    /// `envoy.type.matcher.v3.RegexMatcher`: RE2, a full match.
    struct RegexMatcher {
        regex: SmolStr,
    }

    /// `envoy.type.matcher.v3.StringMatcher`; one of the fields.
    struct StringMatcher {
        exact: Option<SmolStr>,
        prefix: Option<SmolStr>,
        suffix: Option<SmolStr>,
        safe_regex: Option<RegexMatcher>,
    }

    /// `envoy.type.matcher.v3.RegexMatchAndSubstitute`.
    struct RegexMatchAndSubstitute {
        pattern: Option<RegexMatcher>,
        substitution: SmolStr,
    }

    /// `envoy.type.v3.FractionalPercent`.
    struct FractionalPercent {
        numerator: u32,
        denominator: Option<&'static str>,
    }

    /// `envoy.config.core.v3.RuntimeFractionalPercent`.
    struct RuntimeFractionalPercent {
        default_value: Option<FractionalPercent>,
    }

    /// `envoy.type.v3.Percent`.
    struct Percent {
        value: f64,
    }

    /// `envoy.config.core.v3.DataSource`; one of the fields.
    struct DataSource {
        filename: Option<SmolStr>,
        inline_string: Option<SmolStr>,
    }
}

impl StringMatcher {
    /// Exactly this text.
    pub(crate) fn exact(text: impl Into<SmolStr>) -> Self {
        Self { exact: Some(text.into()), ..Self::default() }
    }

    /// A full match of this expression.
    pub(crate) fn regex(text: impl Into<SmolStr>) -> Self {
        Self { safe_regex: Some(RegexMatcher { regex: text.into() }), ..Self::default() }
    }
}

impl FractionalPercent {
    /// Parts per million.
    pub(crate) fn of_ppm(numerator: u32) -> Self {
        Self { numerator, denominator: Some("MILLION") }
    }
}

impl DataSource {
    /// A file where Envoy runs.
    pub(crate) fn file(path: impl Into<SmolStr>) -> Self {
        Self { filename: Some(path.into()), inline_string: None }
    }
}
