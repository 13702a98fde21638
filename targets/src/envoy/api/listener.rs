//! Listeners (`envoy.config.listener.v3`), and the network filters that pass connections on.

use super::{Address, CidrRange, DnsCacheConfig, Duration, Extension, messages};
use crate::yaml::Sourced;
use smol_str::SmolStr;

messages! {
    /// `Listener`.
    struct Listener {
        name: SmolStr,
        address: Option<Address>,
        per_connection_buffer_limit_bytes: Option<u32>,
        listener_filters: Vec<Extension>,
        filter_chains: Vec<Sourced<FilterChain>>,
    }

    /// `FilterChain`.
    struct FilterChain {
        filter_chain_match: Option<FilterChainMatch>,
        filters: Vec<Extension>,
        transport_socket: Option<Extension>,
    }

    /// `FilterChainMatch`. Envoy takes the most specific one, by address first and then by server name, and does not look back.
    struct FilterChainMatch {
        prefix_ranges: Vec<CidrRange>,
        server_names: Vec<SmolStr>,
        transport_protocol: Option<&'static str>,
    }

    /// `envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector`.
    struct TlsInspector {}

    /// `envoy.extensions.filters.listener.original_dst.v3.OriginalDst`.
    struct OriginalDst {}

    /// `envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy`.
    struct TcpProxy {
        stat_prefix: SmolStr,
        cluster: Option<SmolStr>,
        weighted_clusters: Option<TcpWeightedClusters>,
        idle_timeout: Option<Duration>,
        max_downstream_connection_duration: Option<Duration>,
        hash_policy: Vec<TcpHashPolicy>,
        access_log: Vec<Extension>,
    }

    /// `TcpProxy.WeightedCluster`.
    struct TcpWeightedClusters {
        clusters: Vec<TcpClusterWeight>,
    }

    /// `TcpProxy.WeightedCluster.ClusterWeight`.
    struct TcpClusterWeight {
        name: SmolStr,
        weight: u32,
    }

    /// `envoy.type.v3.HashPolicy`.
    struct TcpHashPolicy {
        source_ip: Option<super::Empty>,
    }

    /// `envoy.extensions.filters.network.sni_dynamic_forward_proxy.v3.FilterConfig`.
    struct SniDynamicForwardProxy {
        dns_cache_config: Option<DnsCacheConfig>,
        port_value: u16,
    }

    /// `envoy.extensions.access_loggers.stream.v3.StdoutAccessLog`.
    struct StdoutAccessLog {
        log_format: Option<SubstitutionFormatString>,
    }

    /// `envoy.config.core.v3.SubstitutionFormatString`.
    struct SubstitutionFormatString {
        text_format_source: Option<super::DataSource>,
    }
}
