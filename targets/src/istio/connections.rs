//! Rules for connections, as Istio needs them to take the one that the sources take.

use meshc_compiler::model::{
    Gateway, Host, Id, Match, MatchBinding, Model, Resource, Route, RouteKind, ServerTlsMode,
};
use meshc_compiler::routing::{ConnectionOrder, connection_alternatives, connection_order};
use meshc_compiler::values::{HostPattern, Literal, Port, SniHost};

/// The rules for connections of one kind, each with its alternatives, so that the most specific one is the first that holds.
/// Those for some addresses stand last: istiod gives a rule without addresses those of the rule before it
/// (`buildSidecarOutboundTLSFilterChainOpts`).
pub(super) fn rules<'h>(model: &Model, host: &'h Host, kind: RouteKind) -> Vec<(&'h Route, Vec<Match>)> {
    let order = ordered(model, host, kind);
    let rules = |is_wanted: &dyn Fn(&Match) -> bool| -> Vec<(&'h Route, Vec<Match>)> {
        let own = |(at, route): (usize, &'h Route)| {
            let of_route =
                order.alternatives.iter().filter(|(position, one)| *position == at && is_wanted(one));
            let own: Vec<Match> = of_route.map(|(_, one)| one.clone()).collect();
            (!own.is_empty()).then_some((route, own))
        };
        host.routes.iter().enumerate().filter_map(own).collect()
    };
    if kind != RouteKind::Tls {
        return rules(&|_| true);
    }
    let mut all = rules(&|one| one.destinations.is_empty());
    all.extend(rules(&|one| !one.destinations.is_empty()));
    all
}

/// The alternatives of the rules of one kind in the order in which they hold.
pub(super) fn ordered(model: &Model, host: &Host, kind: RouteKind) -> ConnectionOrder {
    if host.routes.iter().all(|route| route.kind != kind) {
        return ConnectionOrder::default();
    }
    let mut alternatives = connection_alternatives(host, kind);
    if kind == RouteKind::Tls && !host.in_mesh() {
        let passing = passing(model, host);
        let within =
            |(at, one): (usize, Match)| within_listeners(&passing, one).into_iter().map(move |one| (at, one));
        alternatives = alternatives.into_iter().flat_map(within).collect();
    }
    connection_order(&alternatives, kind)
}

/// A port of a gateway on which TLS passes through, and for which names.
struct Passing<'m> {
    gateway: Id<Resource<Gateway>>,
    port: Port,
    names: Vec<&'m HostPattern>,
}

fn passing<'m>(model: &'m Model, host: &Host) -> Vec<Passing<'m>> {
    let mut all: Vec<Passing<'m>> = Vec::new();
    for (id, _) in host.gateways() {
        let Some(gateway) = model.mesh.gateways.get(id) else { continue };
        for listener in &gateway.declared.body.listeners {
            let mode = listener.body.tls.as_deref().map(|tls| tls.mode.value);
            let served =
                || listener.body.hosts.iter().flat_map(|hosts| hosts.iter()).map(|host| &host.value.host);
            // Istio looks at listeners only that share a name with the block.
            let shares = served().any(|served| host.patterns().any(|(own, _)| own.overlaps(served)));
            if mode != Some(ServerTlsMode::Passthrough) || !shares {
                continue;
            }
            let port = listener.port.value;
            let names =
                listener.body.hosts.iter().flat_map(|hosts| hosts.iter()).map(|host| &host.value.host);
            match all.iter_mut().find(|one| one.gateway == id && one.port == port) {
                Some(known) => known.names.extend(names),
                None => all.push(Passing { gateway: id, port, names: names.collect() }),
            }
        }
    }
    all
}

/// An alternative of a tls rule for the names that the listeners of each port serve: Istio would take connections for all names
/// of the rule on all of its ports, whatever the listeners say.
fn within_listeners(passing: &[Passing<'_>], one: Match) -> Vec<Match> {
    let here: Vec<&Passing<'_>> = passing
        .iter()
        .filter(|at| one.ports.is_empty() || one.ports.contains(&at.port))
        .filter(|at| one.bindings.is_empty() || one.bindings.contains(&MatchBinding::Gateway(at.gateway)))
        .collect();
    let narrowed = |at: &Passing<'_>| -> Vec<SniHost> {
        let narrower = |name: &SniHost| -> Vec<SniHost> {
            if at.names.iter().any(|served| served.covers(name.as_host())) {
                return vec![name.clone()];
            }
            let within = at.names.iter().filter(|served| name.as_host().covers(served));
            within.filter_map(|served| SniHost::parse(served.as_str()).ok()).collect()
        };
        one.sni.iter().flat_map(narrower).collect()
    };
    let by_port: Vec<(&Passing<'_>, Vec<SniHost>)> = here.into_iter().map(|at| (at, narrowed(at))).collect();
    if by_port.iter().all(|(_, sni)| *sni == one.sni) {
        return vec![one];
    }
    if let [(_, sni)] = by_port.as_slice() {
        let only = Match { sni: sni.clone(), ..one.clone() };
        return if sni.is_empty() { Vec::new() } else { vec![only] };
    }
    let at_port = |(at, sni): (&Passing<'_>, Vec<SniHost>)| {
        let bindings = vec![MatchBinding::Gateway(at.gateway)];
        (!sni.is_empty()).then(|| Match { sni, ports: vec![at.port], bindings, ..one.clone() })
    };
    by_port.into_iter().filter_map(at_port).collect()
}
