//! Connections for Istio's simulation, and what the reference matcher says of them: which address was called matters here, and no
//! proxy on the loopback can be told.

use crate::oracle::istio::{Connection as Asked, Passage as Got};
use meshc_compiler::routing::matcher::{Connection, Entrance, Matcher, Passage, Security, Source};
use meshc_compiler::routing::{ConnectionRule, Listener, Plain, Proxy, TlsKind};
use meshc_compiler::values::HostPattern;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

/// An address that no mesh speaks of.
const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7));
/// A name that no mesh speaks of.
const STRANGER: &str = "nobody.meshc.invalid";

/// The connections that show the rules of a proxy for what is not HTTP.
pub(crate) fn connections(proxy: &Proxy) -> Vec<Connection> {
    let mut all = Vec::new();
    for listener in &proxy.listeners {
        let rules = rules(listener);
        if rules.is_empty() {
            continue;
        }
        let ranges = rules.iter().flat_map(|rule| &rule.matches).flat_map(|one| &one.destinations);
        let addresses: BTreeSet<Option<IpAddr>> = match listener.bind {
            Some(address) => [Some(address)].into(),
            None => {
                ranges.map(|range| Some(first(&range.to_string()))).chain([None, Some(ELSEWHERE)]).collect()
            }
        };
        let mut ways: BTreeSet<Option<String>> = rules
            .iter()
            .flat_map(|rule| rule.sni.iter().map(|name| sample(name.as_host())))
            .chain(listener.tls.iter().flat_map(|server| server.names.iter().map(sample)))
            .map(Some)
            .collect();
        if !listener.tls.is_empty() {
            ways.insert(Some(STRANGER.to_owned()));
        }
        if listener.plain.is_some() {
            ways.insert(None);
        }
        for destination in addresses {
            for way in &ways {
                let security = match way {
                    None => Security::Plain,
                    Some(name) => Security::Tls { server_name: Some(name.clone()) },
                };
                let entrance = Entrance { port: listener.port, address: listener.bind, security };
                all.push(Connection { entrance, destination, source: Source::default() });
            }
        }
    }
    all
}

/// The same for the simulation.
pub(crate) fn asked(connection: &Connection) -> Asked {
    let Connection { entrance: Entrance { port, address: _, security }, destination, source: _ } = connection;
    let server_name = match security {
        Security::Plain => None,
        Security::Tls { server_name } => server_name.clone(),
    };
    let address = destination.map(|address| address.to_string()).unwrap_or_default();
    Asked { address, port: *port, server_name, host: None }
}

/// What differs; `None` if nothing does, or if the connection is read as HTTP, which Envoy shows.
pub(crate) fn difference(proxy: &Proxy, connection: &Connection, got: &Got) -> Option<String> {
    let wanted = match Matcher::new(proxy).connect(connection) {
        Passage::Http => return None,
        Passage::Refused(_) | Passage::NoRule => Vec::new(),
        Passage::Taken(rule) => shares(proxy, rule),
    };
    let passes_on = |name: &str| name == "PassthroughCluster" || name == "BlackHoleCluster";
    let total: f64 = got.clusters.iter().map(|share| f64::from(share.weight)).sum();
    let mut seen: Vec<(String, u32)> = got
        .clusters
        .iter()
        .filter(|share| !passes_on(&share.cluster))
        .map(|share| (share.cluster.clone(), ppm(f64::from(share.weight) / total)))
        .collect();
    seen.sort();
    (seen != wanted).then(|| format!("{connection:?}: wanted {wanted:?}, got {seen:?} {}", got.refused))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share is between 0 and 1")]
fn ppm(share: f64) -> u32 {
    (share * 1_000_000.0).round() as u32
}

fn shares(proxy: &Proxy, rule: &ConnectionRule) -> Vec<(String, u32)> {
    let named = rule.to.iter().filter_map(|to| Some((proxy.upstreams.get(to.upstream)?, to.weight)));
    let mut all: Vec<(String, u32)> =
        named.map(|(upstream, weight)| (upstream.name.to_string(), weight)).collect();
    all.sort();
    all
}

fn rules(listener: &Listener) -> Vec<&ConnectionRule> {
    let plain = listener.plain.iter().flat_map(|plain| match plain {
        Plain::Tcp(rules) => rules.as_slice(),
        Plain::Http(_) => &[],
    });
    let tls = listener.tls.iter().flat_map(|server| match &server.kind {
        TlsKind::Tcp(_, rules) | TlsKind::Passthrough(rules) => rules.as_slice(),
        TlsKind::Http(..) => &[],
    });
    plain.chain(tls).collect()
}

/// The first address of a range.
fn first(range: &str) -> IpAddr {
    range.split('/').next().unwrap().parse().unwrap()
}

/// A host that a pattern takes.
fn sample(pattern: &HostPattern) -> String {
    match pattern.as_str() {
        "*" => "any.invalid".to_owned(),
        name => name.strip_prefix('*').map_or(name.to_owned(), |suffix| format!("any{suffix}")),
    }
}
