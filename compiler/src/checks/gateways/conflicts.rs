//! Servers that meet on the port of one workload: which can share it, and which names are served twice.

use super::as_warning;
use super::nesting::Nesting;
use super::servers::{Family, Served, Server};
use meshc_language::{Code, Diagnostic};
use rustc_hash::FxHashMap;
use smol_str::SmolStr;
use std::net::IpAddr;

/// G3: Istio tells the ports of one gateway apart by their names.
pub(super) fn port_names_are_unique(servers: &[Server<'_>], reports: &mut Vec<Diagnostic>) {
    for one_gateway in servers.chunk_by(|left, right| std::ptr::eq(left.gateway, right.gateway)) {
        let mut seen: FxHashMap<&str, &Server<'_>> = FxHashMap::default();
        for server in one_gateway {
            // What egress adds on one port with one protocol is one server.
            let both_added = |earlier: &&Server<'_>| server.listener.is_none() && earlier.listener.is_none();
            let earlier = seen.insert(server.name.as_str(), server).filter(|earlier| !both_added(earlier));
            reports.extend(earlier.map(|earlier| port_name_twice(server, earlier)));
        }
    }
}

fn port_name_twice(server: &Server<'_>, earlier: &Server<'_>) -> Diagnostic {
    let message = format!("two ports of this gateway are named `{}`", server.name);
    Diagnostic::new(Code::DUPLICATE_DECLARATION, server.name_span, message)
        .related(earlier.name_span, "the other one")
        .consequence("Istio would refuse the gateway")
        .help("give each a `port-name` of its own, or none")
}

/// The servers of a port and address, by family, each with its position among all.
type Families<'s, 'm> = [Nesting<'m, (usize, &'s Server<'m>)>; Family::ALL.len()];

/// H29: HTTP shares a port with HTTP, TLS with TLS, and nothing else with anything.
pub(super) fn ports_are_shared_by_one_family(servers: &[Server<'_>], reports: &mut Vec<Diagnostic>) {
    // Of servers that agree, on the same workloads, the first stands for all.
    let mut slots: FxHashMap<(u16, Option<IpAddr>), Families<'_, '_>> = FxHashMap::default();
    for (at, server) in servers.iter().enumerate() {
        let families = slots.entry(server.slot).or_default();
        let others =
            Family::ALL.iter().zip(families.iter()).filter(|(family, _)| !family.merges_with(server.family));
        let conflicts = others.filter_map(|(_, known)| known.find(&server.workloads, |_| true));
        if let Some((_, other)) = conflicts.min_by_key(|(at, _)| *at) {
            reports.push(port_taken(server, other));
            continue;
        }
        let own = Family::ALL.iter().zip(families).find(|(family, _)| **family == server.family);
        if let Some((_, known)) = own.filter(|(_, known)| !known.has(&server.workloads)) {
            known.add(&server.workloads, (at, server));
        }
    }
}

fn port_taken(server: &Server<'_>, other: &Server<'_>) -> Diagnostic {
    let same_gateway = std::ptr::eq(server.gateway, other.gateway);
    let whose = if same_gateway {
        String::new()
    } else {
        format!(" of gateway `{}`, on the same workloads", other.gateway.name.value)
    };
    let message = format!("port {} is used by a listener for `{}`{whose}", server.slot.0, other.protocol);
    let consequence = if same_gateway {
        "Istio would open the first of the two and drop this one"
    } else {
        "Istio would open the listener of the older gateway and drop the other"
    };
    Diagnostic::new(Code::LISTENER_CONFLICT, server.span, message)
        .related(other.span, "the other listener")
        .consequence(consequence)
        .help("use another port, or `bind` each to its own address")
}

/// Where a name is served: port, address, family, name.
type Place<'m> = (u16, Option<IpAddr>, Family, &'m str);

/// A server, and a name that it serves.
type Serving<'s, 'm> = (&'s Server<'m>, &'s Served<'m>);

/// The servers of a name at one place.
#[derive(Default)]
struct AtPlace<'s, 'm> {
    /// By the namespace for whose hosts they serve it.
    by_namespace: FxHashMap<Option<&'m str>, Nesting<'m, (usize, Serving<'s, 'm>)>>,
    /// Those where TLS ends: Envoy sees the name that is asked for, and not for whose hosts it is served.
    ending_tls: Nesting<'m, (usize, Serving<'s, 'm>)>,
}

/// H29: of two listeners that serve one name on one port, Istio takes one.
pub(super) fn hosts_are_served_once(servers: &[Server<'_>], reports: &mut Vec<Diagnostic>) {
    let mut places: FxHashMap<Place<'_>, AtPlace<'_, '_>> = FxHashMap::default();
    for (at, server) in servers.iter().enumerate().filter(|(_, server)| server.family != Family::Tcp) {
        for host in &server.hosts {
            let place =
                places.entry((server.slot.0, server.slot.1, server.family, host.host.as_str())).or_default();
            match place.first_clash(server, host) {
                Some((other, served)) => reports.push(served_twice((server, host), (other, served))),
                None => place.add(at, (server, host)),
            }
        }
    }
}

impl<'s, 'm> AtPlace<'s, 'm> {
    /// The first server that serves the name to the same callers, for the same hosts.
    fn first_clash(&self, server: &Server<'m>, host: &Served<'m>) -> Option<Serving<'s, 'm>> {
        let elsewhere = |(_, (other, _)): &(usize, Serving<'s, 'm>)| !std::ptr::eq(*other, server);
        let same = self.by_namespace.get(&host.namespace);
        let same = same.and_then(|servers| servers.find(&server.workloads, elsewhere));
        let by_name = server.ends_tls.then(|| self.ending_tls.find(&server.workloads, elsewhere)).flatten();
        same.into_iter().chain(by_name).min_by_key(|(at, _)| *at).map(|(_, serving)| *serving)
    }

    fn add(&mut self, at: usize, serving: Serving<'s, 'm>) {
        let (server, host) = serving;
        self.by_namespace.entry(host.namespace).or_default().add(&server.workloads, (at, serving));
        if server.ends_tls {
            self.ending_tls.add(&server.workloads, (at, serving));
        }
    }
}

fn served_twice(
    (server, host): (&Server<'_>, &Served<'_>),
    (other, served): (&Server<'_>, &Served<'_>),
) -> Diagnostic {
    let whose = if std::ptr::eq(server.gateway, other.gateway) {
        SmolStr::default()
    } else {
        SmolStr::new(format!(
            ", the other time by gateway `{}` on the same workloads",
            other.gateway.name.value
        ))
    };
    let message = format!("`{}` is served twice on port {}{whose}", host.host, server.slot.0);
    let report =
        Diagnostic::new(Code::GATEWAY_HOST_TWICE, host.span, message).related(served.span, "served here too");
    if server.family == Family::Tls {
        return report
            .consequence("Istio would drop one of the two listeners, with all of its names")
            .help("serve each name in one listener");
    }
    if server.redirects != other.redirects {
        return report
            .consequence("one of the two listeners redirects; Istio would merge them, and their age decides whether it redirects")
            .help("serve each name in one listener");
    }
    as_warning(
        report
            .consequence("Istio would merge the routes of both, oldest first")
            .help("serve each name in one listener"),
    )
}
