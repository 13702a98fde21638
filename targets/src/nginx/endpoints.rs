//! Endpoints: the `server` lines of upstream blocks.

use super::builder::Builder;
use super::directive::{Directive, line};
use super::text;
use super::variables::Subsystem;
use meshc_compiler::policy::{Ejection, Method};
use meshc_compiler::routing::{Upstream, WeightedAddress};
use meshc_compiler::values::EndpointAddress;

/// Most lines for the tries of a request.
const TRIES_MAX: u32 = 16;
/// Failures after which an endpoint is left out where `after` is not said (Envoy: `OutlierDetection.consecutive_5xx`).
const EJECTED_AFTER: u32 = 5;
/// How long it is left out where `for` is not said (Envoy: `OutlierDetection.base_ejection_time`).
const EJECTED_FOR: &str = "30s";

/// How often an upstream is called.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Most connections at once to all endpoints.
    pub(super) connections: Option<u32>,
    /// Most tries of one request.
    tries: u32,
}

impl Limits {
    pub(super) fn of(upstream: &Upstream, subsystem: Subsystem, tries: u32) -> Self {
        let pool = upstream.policy.pool.as_deref().map(|pool| &pool.body);
        // A request that is under way has a connection for itself.
        let requests = |requests| if subsystem == Subsystem::Http { requests } else { None };
        let limits = pool.iter().flat_map(|pool| [pool.connections, requests(pool.requests)]);
        Self { connections: limits.flatten().map(|most| most.value.get()).min(), tries }
    }
}

/// The lines for the endpoints of an upstream.
pub(super) fn servers(
    upstream: &Upstream,
    addresses: &[WeightedAddress],
    limits: Limits,
    builder: &mut Builder<'_>,
) -> Vec<Directive> {
    let Limits { connections, tries } = limits;
    let count = u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
    let mut lines = Vec::new();
    for one in addresses {
        let WeightedAddress { address: place, port: _, weight } = one;
        refuse_unreadable(place, upstream, builder);
        let mut line = line!["server", address(one)];
        if *weight != 1 {
            line.words.push(format!("weight={weight}"));
        }
        match upstream.policy.ejection.as_deref() {
            Some(ejection) => line.words.extend(ejected(ejection)),
            None => line.words.push("max_fails=0".to_owned()),
        }
        if let Some(connections) = connections {
            line.words.push(format!("max_conns={}", (connections / count).max(1)));
        }
        lines.push(line);
    }
    let balancing = upstream.policy.balancing.as_ref();
    let hashes = balancing.is_some_and(|balancing| matches!(balancing.method, Method::Hash { .. }));
    // nginx tries each line once. One endpoint that may be tried more often stands there more often; of several, one that is away
    // would be tried twice before another is tried at all, and each line of it would count its failures by itself.
    match lines.as_slice() {
        [only] if connections.is_none() && !hashes => vec![only.clone(); tries.clamp(1, TRIES_MAX) as usize],
        _ => lines,
    }
}

fn refuse_unreadable(address: &EndpointAddress, upstream: &Upstream, builder: &mut Builder<'_>) {
    let EndpointAddress::Unix(path) = address else { return };
    if path.is_abstract() {
        builder.refuse(
            upstream.span,
            "an abstract Unix socket",
            "nginx supports only sockets with a path",
            "use another path or a port",
        );
    }
}

fn ejected(ejection: &Ejection) -> [String; 2] {
    let Ejection { after, within: _, duration, max: _, min_healthy: _, span: _, attributes: _ } = ejection;
    let count = after.as_ref().map_or(EJECTED_AFTER, |after| after.count.value.get());
    let time =
        duration.map_or_else(|| EJECTED_FOR.to_owned(), |duration| text::whole_seconds(duration.value));
    [format!("max_fails={count}"), format!("fail_timeout={time}")]
}

/// An address as nginx takes it.
pub(super) fn address(one: &WeightedAddress) -> String {
    let WeightedAddress { address, port, weight: _ } = one;
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    match address {
        EndpointAddress::Ip(ip) if ip.get().is_ipv6() => format!("[{ip}]{port}"),
        EndpointAddress::Ip(ip) => format!("{ip}{port}"),
        EndpointAddress::Host(name) => format!("{name}{port}"),
        EndpointAddress::Unix(path) => format!("unix:{}", path.as_str()),
    }
}
