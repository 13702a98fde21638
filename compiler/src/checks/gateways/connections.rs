//! Rules for connections at gateways: which of several blocks takes them, and whether they pass through or end there.

use super::servers::{Family, Server};
use crate::checks::Context;
use crate::model::{
    Gateway, Host, Id, Match, MatchBinding, Model, Port as ServicePort, Resource, Route, RouteKind,
    ServerTlsMode, Visibility,
};
use crate::routing::{is_seen, specificity};
use crate::values::{HostMap, HostPattern, Literal, Port, Protocol};
use meshc_language::{Code, Diagnostic};
use rustc_hash::FxHashMap;

type GatewayId = Id<Resource<Gateway>>;

/// Host blocks with rules for connections, by the gateway that they are bound to.
pub(super) type Bound<'m> = FxHashMap<GatewayId, Vec<&'m Resource<Host>>>;

pub(super) fn bound(model: &Model) -> Bound<'_> {
    let mut bound = Bound::default();
    for host in model.hosts.as_slice() {
        if host.routes.iter().all(|route| route.kind == RouteKind::Http) {
            continue;
        }
        for (id, _) in host.gateways() {
            let pods = model.mesh.gateways.get(id).and_then(Resource::<Gateway>::pods_namespace);
            let visibility: Option<&Visibility> = host.declared.body.visibility.as_ref();
            if is_seen(pods, visibility, host.namespace_name()) {
                bound.entry(id).or_default().push(host);
            }
        }
    }
    bound
}

/// Routes with the alternatives of them that can hold somewhere.
type Holding<'m> = Vec<(&'m Route, Vec<&'m Match>)>;

/// Whether an alternative can hold at a port of a gateway.
fn holds_at(one: &Match, gateway: GatewayId, port: u16) -> bool {
    (one.ports.is_empty() || one.ports.iter().any(|own: &Port| own.get() == port))
        && (one.bindings.is_empty() || one.bindings.contains(&MatchBinding::Gateway(gateway)))
}

fn routes_at(
    host: &Host,
    kind: RouteKind,
    gateway: GatewayId,
    port: u16,
) -> impl Iterator<Item = (&Route, Vec<&Match>)> {
    host.routes.iter().filter(move |route| route.kind == kind).filter_map(move |route| {
        let here: Vec<&Match> = route.matches.iter().filter(|one| holds_at(one, gateway, port)).collect();
        (route.matches.is_empty() || !here.is_empty()).then_some((route, here))
    })
}

fn shares_a_name(server: &Server<'_>, host: &Resource<Host>) -> bool {
    let own = host.namespace_name().unwrap_or(".");
    server.hosts.iter().any(|served| {
        served.namespace.is_none_or(|namespace| namespace == own)
            && host.patterns().any(|(pattern, _)| pattern.overlaps(served.host))
    })
}

/// A port that is told apart by nothing has one block that takes its connections.
pub(super) fn tcp_is_claimed_once(
    context: &Context<'_>,
    servers: &[Server<'_>],
    bound: &Bound<'_>,
    reports: &mut Vec<Diagnostic>,
) {
    let mut reported: Vec<(*const Route, *const Route)> = Vec::new();
    for (id, server) in with_ids(context, servers) {
        let ends_tls_with_tcp = server.ends_tls && server.protocol != Protocol::Https;
        if server.family != Family::Tcp && !(server.family == Family::Tls && ends_tls_with_tcp) {
            continue;
        }
        let mut first: Option<(&Resource<Host>, &Route)> = None;
        for host in bound.get(&id).into_iter().flatten().filter(|host| shares_a_name(server, host)) {
            let Some((route, _)) = routes_at(&host.declared, RouteKind::Tcp, id, server.slot.0).next() else {
                continue;
            };
            let Some((_, earlier)) = first else {
                first = Some((host, route));
                continue;
            };
            let key = (std::ptr::from_ref(earlier), std::ptr::from_ref(route));
            if !reported.contains(&key) {
                reported.push(key);
                reports.push(taken_twice(server, earlier, route));
            }
        }
    }
}

fn taken_twice(server: &Server<'_>, earlier: &Route, route: &Route) -> Diagnostic {
    let message = format!(
        "two host blocks claim all connections of port {} at gateway `{}`",
        server.slot.0, server.gateway.name.value
    );
    Diagnostic::new(Code::CONNECTIONS_TAKEN_TWICE, route.name.span, message)
        .related(earlier.name.span, "the other block claims them here")
        .related(server.span, "the listener")
        .consequence("a TCP connection carries no host name: Istio gives all of them to the older block, and the other gets none")
        .help("give each block its own port, as in `when port 5433`, and a listener for it")
}

fn with_ids<'s, 'm>(context: &Context<'m>, servers: &'s [Server<'m>]) -> Vec<(GatewayId, &'s Server<'m>)> {
    let gateways: FxHashMap<*const Resource<Gateway>, GatewayId> =
        context.model.mesh.gateways.iter().map(|(id, gateway)| (std::ptr::from_ref(gateway), id)).collect();
    let id =
        |server: &'s Server<'m>| gateways.get(&std::ptr::from_ref(server.gateway)).map(|id| (*id, server));
    servers.iter().filter_map(id).collect()
}

fn passes_through(server: &Server<'_>) -> bool {
    let mode = server.listener.and_then(|listener| listener.body.tls.as_deref()).map(|tls| tls.mode.value);
    mode == Some(ServerTlsMode::Passthrough)
}

/// A server name that passes through, on a port and for some workloads.
struct Passing<'m> {
    name: &'m HostPattern,
    host: &'m Resource<Host>,
    route: &'m Route,
    /// How specific the name of the block is.
    rank: usize,
}

/// The server names that pass through a server.
fn passing<'m>(id: GatewayId, server: &Server<'m>, bound: &Bound<'m>) -> Vec<Passing<'m>> {
    let mut all = Vec::new();
    for host in bound.get(&id).into_iter().flatten().copied().filter(|host| shares_a_name(server, host)) {
        for (route, matches) in routes_at(&host.declared, RouteKind::Tls, id, server.slot.0) {
            for name in matches.into_iter().flat_map(|one| &one.sni).map(crate::values::SniHost::as_host) {
                let own = host.declared.patterns().map(|(pattern, _)| pattern);
                let rank = own.filter(|pattern| pattern.covers(name)).map(specificity).max().unwrap_or(0);
                all.push(Passing { name, host, route, rank });
            }
        }
    }
    all
}

/// A server name is claimed by one block: the one with the most specific name, as for requests.
pub(super) fn server_names_are_claimed_once(
    context: &Context<'_>,
    servers: &[Server<'_>],
    bound: &Bound<'_>,
    reports: &mut Vec<Diagnostic>,
) {
    let mut reported: Vec<*const Route> = Vec::new();
    for (id, server) in with_ids(context, servers).into_iter().filter(|(_, server)| passes_through(server)) {
        let all = passing(id, server, bound);
        let mut by_name: FxHashMap<&str, Vec<&Passing<'_>>> = FxHashMap::default();
        for one in &all {
            by_name.entry(one.name.as_str()).or_default().push(one);
        }
        for one in &all {
            let elsewhere = |other: &&&Passing<'_>| !std::ptr::eq(other.host, one.host);
            // Of two blocks with one name, the wider is wrong; of two equal ones, the second.
            let same =
                by_name.get(one.name.as_str()).into_iter().flatten().filter(elsewhere).find(|other| {
                    other.rank > one.rank || (other.rank == one.rank && before(&all, other, one))
                });
            let around = wildcards_around(one.name.as_str());
            let wider = || around.iter().filter_map(|name| by_name.get(name.as_str())).flatten();
            let other = same.or_else(|| wider().filter(elsewhere).find(|other| other.rank > one.rank));
            let Some(other) = other.filter(|_| !reported.contains(&std::ptr::from_ref(one.route))) else {
                continue;
            };
            reported.push(std::ptr::from_ref(one.route));
            reports.push(named_twice(one, other));
        }
    }
}

fn before(all: &[Passing<'_>], first: &Passing<'_>, second: &Passing<'_>) -> bool {
    let place = |wanted: &Passing<'_>| all.iter().position(|one| std::ptr::eq(one, wanted));
    place(first) < place(second)
}

/// The wildcards that take in a name.
fn wildcards_around(name: &str) -> Vec<String> {
    let own = name.strip_prefix("*.").unwrap_or(name);
    let mut around: Vec<String> =
        own.match_indices('.').filter_map(|(at, _)| own.get(at..)).map(|end| format!("*{end}")).collect();
    around.push("*".to_owned());
    around
}

fn named_twice(one: &Passing<'_>, other: &Passing<'_>) -> Diagnostic {
    let message = format!("`{}` is claimed by two host blocks at the same gateway", one.name);
    Diagnostic::new(Code::HOST_CLAIMED_TWICE, one.route.condition.unwrap_or(one.route.name.span), message)
        .related(other.route.condition.unwrap_or(other.route.name.span), "the other block claims it here")
        .consequence("Istio would use the more specific of the two, or of equal ones the older")
        .help("move all rules for a server name into the block with the most specific name")
}

/// Envoy refuses a listener with two filter chains for one server name.
pub(super) fn names_end_or_pass_through(
    context: &Context<'_>,
    servers: &[Server<'_>],
    bound: &Bound<'_>,
    reports: &mut Vec<Diagnostic>,
) {
    let mut ending: FxHashMap<(u16, &str), Vec<(&Server<'_>, meshc_language::Span)>> = FxHashMap::default();
    for server in servers.iter().filter(|server| server.ends_tls && server.family == Family::Tls) {
        for host in &server.hosts {
            ending.entry((server.slot.0, host.host.as_str())).or_default().push((server, host.span));
        }
    }
    let mut reported: Vec<*const Route> = Vec::new();
    for (id, server) in with_ids(context, servers).into_iter().filter(|(_, server)| passes_through(server)) {
        for one in passing(id, server, bound) {
            let here = ending.get(&(server.slot.0, one.name.as_str())).into_iter().flatten();
            let meets = |(other, _): &&(&Server<'_>, _)| {
                other.slot == server.slot && other.workloads.nest(&server.workloads)
            };
            let Some((_, ends)) = here.clone().find(meets) else { continue };
            if reported.contains(&std::ptr::from_ref(one.route)) {
                continue;
            }
            reported.push(std::ptr::from_ref(one.route));
            let message = format!(
                "`{}` has both TLS termination and TLS passthrough on port {}",
                one.name, server.slot.0
            );
            let span = one.route.condition.unwrap_or(one.route.name.span);
            reports.push(
                Diagnostic::new(Code::ENDS_AND_PASSES, span, message)
                    .related(*ends, "TLS termination for this name")
                    .related(server.span, "TLS passthrough")
                    .consequence(format!(
                        "Istio would write two filter chains for the name; Envoy refuses such a listener: port {} stays closed for \
                         every host",
                        server.slot.0
                    ))
                    .help("remove the name from one of the two, or move one of them to another port"),
            );
        }
    }
}

/// A tls rule for names that no listener of its gateways passes through gets no connections.
pub(super) fn server_names_are_served(
    context: &Context<'_>,
    servers: &[Server<'_>],
    reports: &mut Vec<Diagnostic>,
) {
    let mut passing: FxHashMap<GatewayId, Vec<&Server<'_>>> = FxHashMap::default();
    for (id, server) in with_ids(context, servers).into_iter().filter(|(_, server)| passes_through(server)) {
        passing.entry(id).or_default().push(server);
    }
    for host in context.model.hosts.as_slice().iter().filter(|host| !host.in_mesh()) {
        let gateways =
            || host.gateways().filter_map(|(id, _)| Some((id, context.model.mesh.gateways.get(id)?)));
        if gateways().any(|(_, gateway)| gateway.incomplete) {
            continue;
        }
        let served: Vec<&HostPattern> = gateways()
            .flat_map(|(id, _)| passing.get(&id))
            .flatten()
            .flat_map(|server| &server.hosts)
            .map(|one| one.host)
            .collect();
        for route in host.routes.iter().filter(|route| route.kind == RouteKind::Tls && !served.is_empty()) {
            let names = route.matches.iter().flat_map(|one| &one.sni).map(crate::values::SniHost::as_host);
            let mut lost = names.filter(|name| !served.iter().any(|served| served.overlaps(name)));
            if let Some(name) = lost.next() {
                let message = format!("no listener of this host's gateways passes `{name}` through");
                let span = route.condition.unwrap_or(route.name.span);
                reports.push(
                    Diagnostic::new(Code::HOST_NOT_SERVED, span, message)
                        .consequence("the gateway would close these connections")
                        .help(format!("add `{name}` to the `hosts` of a listener with `tls passthrough`")),
                );
            }
        }
    }
}

/// Inside the mesh, Istio gives a service the rules for connections of every block that names it, wildcards too, the oldest
/// first; routes for requests are those of the most specific block alone.
pub(super) fn one_block_in_the_mesh(context: &Context<'_>, reports: &mut Vec<Diagnostic>) {
    let model = context.model;
    let mut blocks: HostMap<&Resource<Host>> = HostMap::default();
    for host in model.hosts.as_slice() {
        let for_connections = host.routes.iter().any(|route| route.kind != RouteKind::Http);
        // Of blocks that are not visible to all, no namespace may see two.
        if for_connections && host.in_mesh() && !host.is_delegate() && host.declared.body.visibility.is_none()
        {
            host.patterns().for_each(|(pattern, _)| blocks.add(pattern.clone(), host));
        }
    }
    let mut reported: Vec<*const Route> = Vec::new();
    for (host, ports) in called(model) {
        for port in ports {
            let protocol = port.protocol.value;
            let kind = match Family::of(protocol) {
                Family::Http => continue,
                Family::Tls => RouteKind::Tls,
                Family::Tcp => RouteKind::Tcp,
            };
            let number = port.number.value.get();
            let mut first: Option<(&Resource<Host>, Holding<'_>)> = None;
            for block in blocks.covering(&host).map(|(_, block)| *block) {
                let own: Holding<'_> = in_mesh_at(block, kind, number).collect();
                let Some((known, routes)) = &first else {
                    first = (!own.is_empty()).then_some((block, own));
                    continue;
                };
                if std::ptr::eq(*known, block) {
                    continue;
                }
                let clash = own.iter().find_map(|(route, matches)| {
                    let meets = |(_, others): &&(&Route, Vec<&Match>)| {
                        kind == RouteKind::Tcp
                            || matches
                                .iter()
                                .flat_map(|one| &one.sni)
                                .any(|name| others.iter().flat_map(|one| &one.sni).any(|other| other == name))
                    };
                    routes.iter().find(meets).map(|(other, _)| (*route, *other))
                });
                let Some((route, other)) =
                    clash.filter(|(route, _)| !reported.contains(&std::ptr::from_ref(*route)))
                else {
                    continue;
                };
                reported.push(std::ptr::from_ref(route));
                let message = format!("two host blocks claim connections to `{host}` inside the mesh");
                reports.push(
                    Diagnostic::new(Code::CONNECTIONS_TAKEN_TWICE, route.name.span, message)
                        .related(other.name.span, "the block with the more specific name claims them here")
                        .consequence("Istio gives them to the older block, and the other gets none")
                        .help("put the rules for these connections into one block"),
                );
            }
        }
    }
}

/// Hosts that can be called, with their ports.
fn called(model: &Model) -> Vec<(HostPattern, &[ServicePort])> {
    let mesh = &model.mesh;
    let services = mesh.services.as_slice().iter().filter_map(|service| {
        Some((HostPattern::parse(&mesh.service_host(service)).ok()?, service.declared.body.ports.as_slice()))
    });
    let externals = mesh.externals.as_slice().iter().flat_map(|external| {
        let hosts = external.declared.body.hosts.iter().flat_map(|hosts| hosts.iter());
        hosts.map(|host| (host.value.clone(), external.declared.body.ports.as_slice()))
    });
    services.chain(externals).collect()
}

fn in_mesh_at(host: &Host, kind: RouteKind, port: u16) -> impl Iterator<Item = (&Route, Vec<&Match>)> {
    host.routes.iter().filter(move |route| route.kind == kind).filter_map(move |route| {
        let holds = |one: &&Match| {
            (one.ports.is_empty() || one.ports.iter().any(|own: &Port| own.get() == port))
                && (one.bindings.is_empty() || one.bindings.contains(&MatchBinding::Mesh))
        };
        let here: Vec<&Match> = route.matches.iter().filter(holds).collect();
        (route.matches.is_empty() || !here.is_empty()).then_some((route, here))
    })
}
