//! Clusters: upstreams in Envoy's words, by istiod's names and defaults.
//!
//! Every upstream is a cluster of its own, and Envoy shares no connection between clusters: a connection that one identity of TLS
//! has opened is never used for another.

use super::api::{self, Cluster, Extension};
use super::context::{Context, goes_to_the_original};
use super::endpoints::{self, Found};
use super::{protocol, tls};
use crate::envoy::api::Duration;
use meshc_compiler::model::Id;
use meshc_compiler::policy::{
    Balancing, Ejection, FailureCount, FailureKind, HashAlgorithm, Keepalive, Method, Pool, PoolBody,
    SimpleBalancing, TrafficPolicy,
};
use meshc_compiler::routing::Upstream;
use meshc_compiler::values::WholeSeconds;
use smol_str::SmolStr;

/// No limit: the largest number that there is.
const UNLIMITED: u32 = u32::MAX;

/// The size of a ring if none is given (Istio: `ConsistentHashLB.minimumRingSize`).
const SMALLEST_RING: u32 = 1024;

/// The cache of names that requests ask for; one for the proxy.
pub(super) fn dns_cache() -> api::DnsCacheConfig {
    api::DnsCacheConfig { name: "hosts-of-requests", dns_lookup_family: Some(endpoints::FAMILY) }
}

/// The cluster of an upstream; its endpoints stand in it, unless they come from a file.
pub(super) fn cluster<'a>(context: &Context<'a>, id: Id<Upstream>, upstream: &Upstream) -> Cluster {
    let Upstream {
        name,
        target: _,
        host: _,
        port: _,
        subset: _,
        policy,
        identities: _,
        addresses: _,
        sent_on: _,
        span: _,
    } = upstream;
    let TrafficPolicy { balancing, pool, ejection, tls: _ } = policy;
    let secured = tls::upstream(context, id, upstream);
    let mut cluster = Cluster {
        name: name.clone(),
        connect_timeout: Some(SmolStr::new(policy.connect_timeout().to_proto())),
        per_connection_buffer_limit_bytes: context.edge.map(|edge| edge.envoy.buffer),
        circuit_breakers: Some(circuit_breakers(pool.as_deref())),
        ..Cluster::default()
    };
    if let Some(pool) = pool {
        connections(pool, &mut cluster);
    }
    if let Some(ejection) = ejection {
        outlier_detection(ejection, &mut cluster);
    }
    if context.is_called_by_http(id) {
        let options = protocol::options(upstream, secured.as_ref(), context.edge.is_some());
        cluster.typed_extension_protocol_options.http = options.map(Into::into);
    }
    cluster.transport_socket = secured.map(|secured| secured.socket);
    put_endpoints(context, upstream, balancing.as_ref(), &mut cluster);
    cluster
}

fn put_endpoints(
    context: &Context<'_>,
    upstream: &Upstream,
    balancing: Option<&Balancing>,
    cluster: &mut Cluster,
) {
    if goes_to_the_original(upstream) {
        cluster.r#type = Some("ORIGINAL_DST");
        cluster.lb_policy = Some("CLUSTER_PROVIDED");
        return;
    }
    match endpoints::of(upstream) {
        Found::Fixed(endpoints) => {
            balance(balancing, endpoints::have_weights(&endpoints), cluster);
            endpoints::put_fixed(context, endpoints, cluster);
        }
        Found::Names { endpoints, first_only } => {
            balance(balancing, endpoints::have_weights(&endpoints), cluster);
            let dns = api::DnsCluster {
                dns_lookup_family: Some(endpoints::FAMILY),
                all_addresses_in_single_endpoint: first_only,
            };
            cluster.cluster_type = Some(Extension { name: "envoy.clusters.dns", typed_config: dns.into() });
            cluster.load_assignment = Some(endpoints);
        }
        Found::PerRequest => {
            let proxy = api::DynamicForwardProxyCluster {
                dns_cache_config: Some(dns_cache()),
                // A certificate is checked against the names that the sources give, which need not be the request's host.
                allow_insecure_cluster_options: cluster.transport_socket.is_some(),
            };
            cluster.cluster_type =
                Some(Extension { name: "envoy.clusters.dynamic_forward_proxy", typed_config: proxy.into() });
            cluster.lb_policy = Some("CLUSTER_PROVIDED");
        }
    }
}

/// `weighted` if the endpoints have different shares.
fn balance(balancing: Option<&Balancing>, weighted: bool, cluster: &mut Cluster) {
    let simple = |simple| match simple {
        // The last has been dealt with: the endpoint is not chosen.
        SimpleBalancing::LeastRequest | SimpleBalancing::Passthrough => "LEAST_REQUEST",
        SimpleBalancing::RoundRobin => "ROUND_ROBIN",
        // `RANDOM` looks at no weights; by turns, each endpoint gets its share.
        SimpleBalancing::Random if weighted => "ROUND_ROBIN",
        SimpleBalancing::Random => "RANDOM",
    };
    let Some(Balancing { method, span: _ }) = balancing else {
        cluster.lb_policy = Some(simple(SimpleBalancing::DEFAULT));
        return;
    };
    match method {
        Method::Simple(method) => cluster.lb_policy = Some(simple(*method)),
        Method::Hash { key: _, algorithm: Some(HashAlgorithm::Maglev(size)) } => {
            cluster.lb_policy = Some("MAGLEV");
            cluster.maglev_lb_config = Some(api::MaglevLbConfig { table_size: Some(size.value.get()) });
        }
        Method::Hash { key: _, algorithm: Some(HashAlgorithm::Ring(size)) } => {
            // Istio reads 0 as not said.
            ring(Some(size.value.get()).filter(|size| *size > 0).unwrap_or(SMALLEST_RING), cluster);
        }
        Method::Hash { key: _, algorithm: None } => ring(SMALLEST_RING, cluster),
    }
}

fn ring(size: u32, cluster: &mut Cluster) {
    cluster.lb_policy = Some("RING_HASH");
    cluster.ring_hash_lb_config = Some(api::RingHashLbConfig { minimum_ring_size: Some(size) });
}

fn circuit_breakers(pool: Option<&Pool>) -> api::CircuitBreakers {
    let body = pool.map(|pool| &pool.body);
    let limits = api::Thresholds {
        max_connections: Some(
            body.and_then(|body| body.connections).map_or(UNLIMITED, |count| count.value.get()),
        ),
        max_pending_requests: Some(
            body.and_then(|body| body.pending).map_or(UNLIMITED, |count| count.value.get()),
        ),
        max_requests: Some(body.and_then(|body| body.requests).map_or(UNLIMITED, |count| count.value.get())),
        max_retries: Some(body.and_then(|body| body.retries).map_or(UNLIMITED, |count| count.value.get())),
    };
    api::CircuitBreakers { thresholds: vec![limits] }
}

fn connections(pool: &Pool, cluster: &mut Cluster) {
    let Pool { body, span: _, attributes: _ } = pool;
    let PoolBody {
        keepalive,
        // Of the cluster.
        connect_timeout: _,
        // Of the circuit breakers.
        connections: _,
        pending: _,
        requests: _,
        retries: _,
        // Of the protocol.
        lifetime: _,
        tcp_idle: _,
        requests_per_connection: _,
        idle: _,
        upgrade: _,
        client_protocol: _,
        streams: _,
    } = body;
    if let Some(Keepalive { probes, time, interval, span: _, attributes: _ }) = keepalive {
        let keepalive = api::TcpKeepalive {
            keepalive_probes: probes.map(|probes| probes.value.get()),
            keepalive_time: time.map(|time| whole_seconds(time.value)),
            keepalive_interval: interval.map(|time| whole_seconds(time.value)),
        };
        cluster.upstream_connection_options =
            Some(api::UpstreamConnectionOptions { tcp_keepalive: Some(keepalive) });
    }
}

/// Ten years in seconds fit; more is none that a source can say.
fn whole_seconds(time: WholeSeconds) -> u32 {
    u32::try_from(time.as_secs()).unwrap_or(u32::MAX)
}

fn outlier_detection(ejection: &Ejection, cluster: &mut Cluster) {
    let Ejection { after, within, duration, max, min_healthy, span: _, attributes: _ } = ejection;
    let time = |millis: &meshc_language::Spanned<meshc_compiler::values::Duration>| -> Duration {
        SmolStr::new(millis.value.to_proto())
    };
    let mut detection = api::OutlierDetection {
        interval: within.as_ref().map(time),
        base_ejection_time: duration.as_ref().map(time),
        max_ejection_percent: max.map(|share| share.value.ppm() / 10_000),
        enforcing_success_rate: Some(0),
        ..api::OutlierDetection::default()
    };
    if let Some(FailureCount { count, kind }) = after {
        let (count, all) = (Some(count.value.get()), Some(100));
        match kind.value {
            FailureKind::Errors => {
                detection.consecutive_5xx = count;
                detection.enforcing_consecutive_5xx = all;
            }
            FailureKind::GatewayErrors => {
                detection.enforcing_consecutive_5xx = Some(0);
                detection.consecutive_gateway_failure = count;
                detection.enforcing_consecutive_gateway_failure = all;
            }
            FailureKind::LocalErrors => {
                detection.enforcing_consecutive_5xx = Some(0);
                detection.split_external_local_origin_errors = true;
                detection.consecutive_local_origin_failure = count;
                detection.enforcing_consecutive_local_origin_failure = all;
                detection.enforcing_local_origin_success_rate = Some(0);
            }
        }
    }
    cluster.outlier_detection = Some(detection);
    let threshold = min_healthy.map_or(0.0, |share| share.value.as_f64_percent());
    cluster.common_lb_config =
        Some(api::CommonLbConfig { healthy_panic_threshold: Some(api::Percent { value: threshold }) });
}
