//! Connections for the rules of a port, or of a server of TLS.

use super::{ConnectionWitness, Gap, Way, Witnesses, caller, candidates};
use crate::model::Match;
use crate::routing::ConnectionRule;
use crate::routing::matcher::{Connection, Entrance, Passage, Security, Source, server};
use crate::values::{HostPattern, IpOrCidr};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address for documentation (RFC 5737), which no rule asks for.
const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

/// What shows the rules.
pub(super) fn of_rules<'p>(way: &Way<'_, 'p>, rules: &'p [ConnectionRule], found: &mut Witnesses<'p>) {
    for rule in rules {
        let takes = |connection: &&Connection| matches!(way.matcher.connect(connection), Passage::Taken(other) if std::ptr::eq(other, rule));
        let fitting = connections(way, rule);
        let Some(hit) = fitting.iter().find(takes) else {
            let reason = "every connection tried matches an earlier rule, or another server";
            let (span, rule) = (rule.span, rule.name.clone());
            found.gaps.push(Gap { span, rule, wanted: "taken".to_owned(), reason });
            continue;
        };
        found.connections.push(ConnectionWitness { connection: hit.clone(), rule, hit: true });
        let missing = |connection: &Connection| match way.matcher.connect(connection) {
            Passage::NoRule => true,
            Passage::Taken(other) => !std::ptr::eq(other, rule),
            Passage::Refused(_) | Passage::Http => false,
        };
        let near = nearby(way, rule, hit);
        let miss = near.into_iter().find(missing);
        found.connections.extend(miss.map(|connection| ConnectionWitness { connection, rule, hit: false }));
    }
}

/// Connections that a rule is likely to take.
fn connections(way: &Way<'_, '_>, rule: &ConnectionRule) -> Vec<Connection> {
    let everything = [Match::default()];
    let matches = if rule.matches.is_empty() { everything.as_slice() } else { rule.matches.as_slice() };
    let mut all = Vec::new();
    for security in securities(way, rule.sni.iter().map(|name| name.as_host())) {
        for one in matches {
            let addresses = one.destinations.iter().flat_map(addresses).map(Some);
            let addresses: Vec<Option<IpAddr>> =
                if one.destinations.is_empty() { vec![None, Some(ELSEWHERE)] } else { addresses.collect() };
            all.extend(addresses.into_iter().map(|destination| Connection {
                entrance: entrance(way, security.clone()),
                destination,
                source: caller(one),
            }));
        }
    }
    all
}

/// Connections to the same server that differ from `hit` in one way.
fn nearby(way: &Way<'_, '_>, rule: &ConnectionRule, hit: &Connection) -> Vec<Connection> {
    let mut all = Vec::new();
    if !rule.sni.is_empty() {
        let others = securities(way, std::iter::empty());
        all.extend(
            others
                .into_iter()
                .map(|security| Connection { entrance: entrance(way, security), ..hit.clone() }),
        );
    }
    if rule.matches.iter().any(|one| !one.destinations.is_empty()) {
        all.push(Connection { destination: Some(ELSEWHERE), ..hit.clone() });
    }
    if hit.source != Source::default() {
        all.push(Connection { source: Source::default(), ..hit.clone() });
    }
    all
}

fn entrance(way: &Way<'_, '_>, security: Security) -> Entrance {
    Entrance { port: way.listener.port, address: way.listener.bind, security }
}

/// What TLS may ask for so that it comes to the server: names that the rule and the server have, or any names of the server.
fn securities<'n>(way: &Way<'_, '_>, asked: impl Iterator<Item = &'n HostPattern>) -> Vec<Security> {
    let Some(own) = way.server else { return vec![Security::Plain] };
    let mut names: Vec<String> = asked.flat_map(candidates::hosts).collect();
    names.extend(own.names.iter().flat_map(candidates::hosts));
    let names = names.into_iter().map(Some).chain([None]);
    let leads_here = |name: &Option<String>| {
        server(way.listener, name.as_deref()).is_some_and(|found| std::ptr::eq(found, own))
    };
    names.filter(leads_here).map(|server_name| Security::Tls { server_name }).collect()
}

/// The first, the last and one more address of a range.
fn addresses(range: &IpOrCidr) -> Vec<IpAddr> {
    let range = range.as_cidr();
    let all = match range.network() {
        IpAddr::V4(first) => {
            let host = u32::MAX.checked_shr(u32::from(range.prefix_length())).unwrap_or(0);
            [0, host, host / 2 + 1]
                .map(|at| IpAddr::V4(Ipv4Addr::from(first.to_bits() | (at & host))))
                .to_vec()
        }
        IpAddr::V6(first) => {
            let host = u128::MAX.checked_shr(u32::from(range.prefix_length())).unwrap_or(0);
            [0, host, host / 2 + 1]
                .map(|at| IpAddr::V6(Ipv6Addr::from(first.to_bits() | (at & host))))
                .to_vec()
        }
    };
    all.into_iter().filter(|address| range.contains(*address)).collect()
}
