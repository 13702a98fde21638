//! Protocol typing: a route must be of a kind that its listeners and its services carry.

use super::Context;
use crate::model::{
    BindingKind, Destination, DestinationId, Gateway, Host, HostNameKind, Id, Listener, Model, Resource,
    Route, RouteKind, ServerTlsMode,
};
use crate::values::{HostMap, HostPattern, Protocol};
use meshc_language::{Code, Diagnostic, Span};
use rustc_hash::FxHashMap;

/// The listeners of gateways by the names that they serve, by their positions.
type Serving = FxHashMap<Id<Resource<Gateway>>, HostMap<usize>>;

/// All checks of protocols.
pub(super) fn check(context: &Context<'_>, reports: &mut Vec<Diagnostic>) {
    let mut serving = Serving::default();
    for (_, host) in context.model.hosts.iter() {
        let gateways = listeners_of_gateways(context, host, &mut serving);
        for route in host.routes.iter().filter(|route| !route.incomplete) {
            let mut datagrams = route
                .destinations()
                .filter(|destination| is_datagram_only(context.model, destination))
                .peekable();
            if datagrams.peek().is_some() {
                reports.extend(datagrams.map(|destination| no_connections(context.model, destination)));
                continue;
            }
            let before = reports.len();
            carried_by_gateways(context, host, &gateways, route, reports);
            carried_by_services(context, host, route, reports);
            if reports.len() == before && route.kind == RouteKind::Http {
                let destinations = route.destinations();
                reports.extend(destinations.filter_map(|one| speaks_another_protocol(context.model, one)));
            }
        }
    }
}

/// Whether the port of a destination is for UDP alone; one number may be that of a port for TCP as well.
fn is_datagram_only(model: &Model, destination: &Destination) -> bool {
    let Some(port) = model.mesh.port_of(destination) else { return false };
    let ports = model.mesh.ports(destination.target);
    if destination.port.is_none() && ports.len() > 1 {
        // The caller's own port is meant, or one that has to be chosen, which is reported.
        return ports.iter().all(|port| port.protocol.value == Protocol::Udp);
    }
    let mut same = ports.iter().filter(|one| one.number.value == port.number.value);
    same.all(|one| one.protocol.value == Protocol::Udp)
}

/// Routes are for requests and connections.
fn no_connections(model: &Model, destination: &Destination) -> Diagnostic {
    let name = model.mesh.destination_name(destination.target);
    let port = model.mesh.port_of(destination);
    let number = port.map(|port| format!("port {} of ", port.number.value)).unwrap_or_default();
    let message = format!("{number}`{name}` is for UDP, which no proxy forwards");
    let report = Diagnostic::new(Code::UDP_DESTINATION, destination.span, message)
        .consequence(
            "Istio has no cluster for it: 503 for every request, and every connection would be closed",
        )
        .help(
            "use a port for TCP, such as `port tcp 53`, or remove the route: UDP reaches the pods directly",
        );
    match port {
        Some(port) => report.related(port.protocol.span, "this port has protocol `udp`"),
        None => report,
    }
}

/// Requests for a database, or for what is only known to be bytes.
fn speaks_another_protocol(model: &Model, destination: &Destination) -> Option<Diagnostic> {
    // In the block of a service with several ports, the caller chooses one.
    if destination.port.is_none() && model.mesh.ports(destination.target).len() > 1 {
        return None;
    }
    let port = model.mesh.port_of(destination)?;
    let protocol = port.protocol.value;
    if !matches!(protocol, Protocol::Tcp | Protocol::Mongo | Protocol::Redis | Protocol::Mysql) {
        return None;
    }
    let name = model.mesh.destination_name(destination.target);
    let number = port.number.value;
    let message =
        format!("a `route` sends HTTP requests to port {number} of `{name}`, which is for `{protocol}`");
    let report = Diagnostic::new(Code::HTTP_TO_OTHER_PROTOCOL, destination.span, message)
        .related(port.protocol.span, "the protocol of the port")
        .consequence("the destination gets HTTP requests on connections of its own protocol");
    Some(if protocol == Protocol::Tcp {
        report.help(format!("declare it as `port http {number}` if it speaks HTTP; else write a `tcp route`"))
    } else {
        report.help("write a `tcp route`, with a listener for TCP")
    })
}

/// The gateways of a host, each with the listeners that serve one of its names, in order.
fn listeners_of_gateways<'m>(
    context: &Context<'m>,
    host: &Host,
    serving: &mut Serving,
) -> Vec<(Id<Resource<Gateway>>, Vec<&'m Listener>)> {
    let gateways = host.gateways().filter_map(|(id, _)| {
        let gateway = context.model.mesh.gateways.get(id).filter(|gateway| !gateway.incomplete)?;
        let listeners = &gateway.declared.body.listeners;
        let served = serving.entry(id).or_insert_with(|| {
            let hosts = |listener: &'m Listener| listener.body.hosts.iter().flat_map(|hosts| hosts.iter());
            let all = listeners.iter().enumerate();
            all.flat_map(|(at, listener)| hosts(listener).map(move |host| (host.value.host.clone(), at)))
                .collect()
        });
        let mut found: Vec<usize> =
            host.patterns().flat_map(|(name, _)| served.overlapping(name).map(|(_, at)| *at)).collect();
        found.sort_unstable();
        found.dedup();
        Some((id, found.into_iter().filter_map(|at| listeners.get(at)).collect()))
    });
    gateways.collect()
}

/// The kinds of route that a listener carries.
pub(super) fn carries(listener: &Listener) -> RouteKind {
    let protocol = listener.protocol.value;
    let mode = listener.body.tls.as_ref().map(|tls| tls.mode.value);
    match mode {
        Some(ServerTlsMode::Passthrough | ServerTlsMode::AutoPassthrough) => RouteKind::Tls,
        _ if protocol.is_http_family() || protocol == Protocol::Https => RouteKind::Http,
        // TLS that ends here leaves a connection of which nothing is known.
        _ => RouteKind::Tcp,
    }
}

/// H11: on each gateway some listener for the host must carry the kind of the route.
fn carried_by_gateways(
    context: &Context<'_>,
    host: &Host,
    gateways: &[(Id<Resource<Gateway>>, Vec<&Listener>)],
    route: &Route,
    reports: &mut Vec<Diagnostic>,
) {
    for (id, listeners) in gateways {
        let asked = route.matches.iter().any(|one| {
            one.bindings.is_empty() || one.bindings.contains(&crate::model::MatchBinding::Gateway(*id))
        });
        if !asked && !route.matches.is_empty() {
            continue;
        }
        let any_port = route.matches.is_empty() || route.matches.iter().any(|one| one.ports.is_empty());
        let mut asked_for = listeners.iter().filter(|listener| {
            any_port || route.matches.iter().any(|one| one.ports.contains(&listener.port.value))
        });
        let Some(first) = asked_for.clone().next() else { continue };
        if asked_for.all(|listener| carries(listener) != route.kind) {
            let gateway = context.model.mesh.gateways.get(*id);
            let missed = gateway.and_then(|gateway| not_named(host, gateway, listeners, route.kind));
            match missed {
                // Of all its routes one report.
                Some(report) if reports.iter().any(|other| other.span == report.span) => {}
                Some(report) => reports.push(report),
                None => reports.push(wrong_kind(route, first)),
            }
        }
    }
}

/// Where a listener of the route's kind does not name the host, and one of another kind takes every host, the name is what is wrong.
fn not_named(
    host: &Host,
    gateway: &Resource<Gateway>,
    serving: &[&Listener],
    kind: RouteKind,
) -> Option<Diagnostic> {
    let hosts = |listener: &Listener| -> Vec<HostPattern> {
        listener
            .body
            .hosts
            .iter()
            .flat_map(|hosts| hosts.iter())
            .map(|host| host.value.host.clone())
            .collect()
    };
    if !serving.iter().all(|listener| hosts(listener).iter().any(HostPattern::is_any)) {
        return None;
    }
    let listeners = gateway.declared.body.listeners.iter();
    let (pattern, span) = host.patterns().next()?;
    let carrying = listeners.filter(|listener| carries(listener) == kind);
    let served: Vec<HostPattern> = carrying.flat_map(hosts).collect();
    if served.is_empty() || host.patterns().any(|(name, _)| served.iter().any(|one| one.overlaps(name))) {
        return None;
    }
    let name = &gateway.name.value;
    let message = format!("no listener of gateway `{name}` for a `{}` serves `{pattern}`", kind.word());
    let list: Vec<String> = served.iter().map(|one| format!("`{one}`")).collect();
    let report = Diagnostic::new(Code::HOST_NOT_SERVED, span, message)
        .related(gateway.name.span, "the gateway")
        .consequence("requests for it would get 404 there, or reach a listener for plain TCP");
    Some(report.help(format!(
        "its listeners for that serve {}: add `{pattern}` to their `hosts`, or correct the name",
        list.join(", ")
    )))
}

fn wrong_kind(route: &Route, listener: &Listener) -> Diagnostic {
    let right = carries(listener).word();
    let what = match carries(listener) {
        RouteKind::Http => "this listener reads HTTP",
        RouteKind::Tls => "this listener has TLS passthrough",
        RouteKind::Tcp => "this listener is for plain TCP",
    };
    let message = format!("no listener for this host supports a `{}`", route.kind.word());
    Diagnostic::new(Code::WRONG_ROUTE_KIND, route.name.span, message)
        .related(listener.span, what)
        .consequence("Istio would drop the route, and connections would be closed")
        .help(format!("write a `{right}`, or change the listener"))
}

/// Inside the mesh the ports of a service decide which kinds of route are looked at.
fn carried_by_services(
    context: &Context<'_>,
    host: &Resource<Host>,
    route: &Route,
    reports: &mut Vec<Diagnostic>,
) {
    if !host.in_mesh() || host.via.iter().any(|binding| !matches!(binding.kind, BindingKind::Mesh)) {
        return;
    }
    for name in &host.names {
        let HostNameKind::Destination(target) = name.kind else { continue };
        let ports = context.model.mesh.ports(target);
        let fits = |protocol: Protocol| match route.kind {
            RouteKind::Http => protocol.is_http_family(),
            RouteKind::Tls => protocol.is_tls_family(),
            RouteKind::Tcp => !protocol.is_http_family(),
        };
        if ports.is_empty()
            || ports.iter().any(|port| fits(port.protocol.value))
            || is_incomplete(context, target)
        {
            continue;
        }
        let Some(first) = ports.first() else { continue };
        reports.push(never_looked_at(route, first.span, first.protocol.value));
    }
}

fn is_incomplete(context: &Context<'_>, target: DestinationId) -> bool {
    match target {
        DestinationId::Service(id) => {
            context.model.mesh.services.get(id).is_none_or(|service| service.incomplete)
        }
        DestinationId::External(id) => {
            context.model.mesh.externals.get(id).is_none_or(|external| external.incomplete)
        }
    }
}

fn never_looked_at(route: &Route, port: Span, protocol: Protocol) -> Diagnostic {
    let message = format!("no port of this host supports a `{}`", route.kind.word());
    Diagnostic::new(Code::WRONG_ROUTE_KIND, route.name.span, message)
        .related(port, format!("this port has protocol `{protocol}`"))
        .consequence("Istio would ignore this route")
        .help("use a route that fits the protocol, or correct the protocol of the port")
}
