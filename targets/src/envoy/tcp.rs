//! Connections that are passed on.

use super::api::{self, Extension, TcpClusterWeight, TcpProxy};
use super::context::{Context, hash_key};
use super::{access_log, cluster, protocol};
use meshc_compiler::policy::HashKey;
use meshc_compiler::routing::{Addresses, ConnectionRule, WeightedUpstream};

/// The filters for connections of a rule; `None` if it leads nowhere. `named` if TLS tells who is asked for.
pub(super) fn filters<'a>(
    context: &Context<'a>,
    rule: &'a ConnectionRule,
    named: bool,
) -> Option<Vec<Extension>> {
    let ConnectionRule { name, sni: _, matches: _, to, origin: _, span: _ } = rule;
    let first = context.upstream(to.first()?.upstream)?;
    let mut filters = Vec::new();
    if named && context.upstreams(to).any(|upstream| upstream.addresses == Addresses::PerRequest) {
        let by_name = api::SniDynamicForwardProxy {
            dns_cache_config: Some(cluster::dns_cache()),
            port_value: first.port.number.value.get(),
        };
        filters.push(Extension {
            name: "envoy.filters.network.sni_dynamic_forward_proxy",
            typed_config: by_name.into(),
        });
    }
    let (idle_timeout, max_downstream_connection_duration) = protocol::of_connection(first);
    let by_source = hash_key(first) == Some(&HashKey::SourceIp);
    let mut proxy = TcpProxy {
        stat_prefix: name.clone(),
        idle_timeout,
        max_downstream_connection_duration,
        access_log: vec![access_log::standard_output()],
        ..TcpProxy::default()
    };
    if by_source {
        proxy.hash_policy.push(api::TcpHashPolicy { source_ip: Some(api::Empty {}) });
    }
    put_clusters(context, to, &mut proxy);
    filters.push(Extension { name: "envoy.filters.network.tcp_proxy", typed_config: proxy.into() });
    Some(filters)
}

fn put_clusters<'a>(context: &Context<'a>, to: &[WeightedUpstream], proxy: &mut TcpProxy) {
    if let [WeightedUpstream { upstream, weight: _, headers: _, span: _ }] = to {
        proxy.cluster = Some(context.cluster(*upstream));
        return;
    }
    let one = |one: &WeightedUpstream| {
        // Connections have no headers: `check` refuses operations on them.
        let WeightedUpstream { upstream, weight, headers: _, span: _ } = one;
        TcpClusterWeight { name: context.cluster(*upstream), weight: *weight }
    };
    proxy.weighted_clusters = Some(api::TcpWeightedClusters { clusters: to.iter().map(one).collect() });
}
