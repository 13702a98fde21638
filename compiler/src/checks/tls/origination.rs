//! TLS that begins on the way to a destination, where what is sent and what the server expects have to fit: plaintext for a port
//! that begins no TLS, requests for one that does, and the name that the server has.

use crate::checks::Context;
use crate::checks::externals::sent_on::is_sent_on;
use crate::checks::externals::steps::{Step, Way, steps, unknown_host};
use crate::checks::services::{Called, called};
use crate::model::{
    Destination, DestinationId, External, HostNameKind, Location, Model, Port, Resource, RouteKind,
};
use crate::policy::{ClientTls, ClientTlsMode, TrafficPolicy};
use crate::routing::effective_policy;
use meshc_language::{Code, Diagnostic, Severity, Span};
use rustc_hash::{FxHashMap, FxHashSet};

/// The port of HTTPS.
const HTTPS: u16 = 443;

/// All checks of TLS that begins here.
pub(super) fn check(context: &Context<'_>, reports: &mut Vec<Diagnostic>) {
    let requests = Requests::of(context);
    tls_is_not_wrapped_in_tls(context, &requests, reports);
    requests_for_tls_are_encrypted(context, reports);
    ports_of_https_have_tls(context, reports);
    servers_are_asked_for_by_their_own_name(context, reports);
}

/// The TLS that holds on a port: its own, else that of the destination.
fn on_port<'m>(traffic: &'m TrafficPolicy, port: Option<&'m TrafficPolicy>) -> Option<&'m ClientTls> {
    let own = port.filter(|port| !port.is_empty());
    own.unwrap_or(traffic).tls.as_deref().filter(|tls| tls.mode.value.begins_tls())
}

/// Every destination of a step, those of copies too.
fn destinations<'m>(step: Step<'m>) -> impl Iterator<Item = &'m Destination> {
    step.ways().into_iter().map(|way| way.destination)
}

/// Which ports of destinations requests are routed to, and to which TLS is passed on as it is.
struct Requests {
    http: FxHashSet<(DestinationId, u16)>,
    /// The name of the first route.
    tls: FxHashMap<(DestinationId, u16), Span>,
}

impl Requests {
    fn of(context: &Context<'_>) -> Self {
        let mut found = Self { http: FxHashSet::default(), tls: FxHashMap::default() };
        for step in steps(context) {
            for destination in destinations(step) {
                let Some(port) = context.model.mesh.port_of(destination) else { continue };
                let key = (destination.target, port.number.value.get());
                match step.route.kind {
                    RouteKind::Http => _ = found.http.insert(key),
                    RouteKind::Tls => _ = found.tls.entry(key).or_insert(step.route.name.span),
                    RouteKind::Tcp => {}
                }
            }
        }
        found
    }
}

/// Connections that are passed on as they are carry TLS already: a second one around it means nothing to the server. Requests that
/// a route sends to such a port are plaintext before.
fn tls_is_not_wrapped_in_tls(context: &Context<'_>, requests: &Requests, reports: &mut Vec<Diagnostic>) {
    let mut known = FxHashSet::default();
    for called in called(context).filter(|called| !called.faulty) {
        for port in called.ports.iter().filter(|port| port.protocol.value.is_tls_family()) {
            let Some(tls) = on_port(called.traffic, Some(&port.traffic)) else { continue };
            let key = (called.target, port.number.value.get());
            let passed_on = requests.tls.get(&key).copied();
            let leaves = leaves_through_a_gateway(context.model, called.target);
            if requests.http.contains(&key) && passed_on.is_none() && !leaves {
                continue;
            }
            if known.insert(tls.mode.span) {
                reports.push(wrapped(&called, port, tls, passed_on, leaves));
            }
        }
    }
}

fn leaves_through_a_gateway(model: &Model, target: DestinationId) -> bool {
    match target {
        DestinationId::External(id) => {
            model.mesh.externals.get(id).is_some_and(|external| external.egress().is_some())
        }
        DestinationId::Service(_) => false,
    }
}

fn wrapped(
    called: &Called<'_>,
    port: &Port,
    tls: &ClientTls,
    passed_on: Option<Span>,
    leaves: bool,
) -> Diagnostic {
    let message = format!("`tls {}` would wrap connections that already use TLS", tls.mode.value);
    let report = Diagnostic::new(Code::CLIENT_TLS_IGNORED, tls.mode.span, message)
        .consequence("the server would get TLS inside TLS, and close the connection or hang");
    let report = match passed_on {
        Some(route) => report.related(route, "this route has TLS passthrough"),
        None if leaves => report.related(port.protocol.span, "the gateway has TLS passthrough for this port"),
        None => report.related(port.protocol.span, "clients use TLS themselves on this port"),
    };
    let number = port.number.value;
    match called.target {
        DestinationId::External(_) => report.help(format!(
            "remove `tls`, or let clients send plain HTTP and originate TLS here: `port http 80 target {number}`"
        )),
        DestinationId::Service(_) => {
            // A route of somebody else may send requests to it.
            let mut report = report.help("remove `tls`, or write `http` if clients send plain HTTP to this port");
            if passed_on.is_none() {
                report.severity = Severity::Warning;
            }
            report
        }
    }
}

/// A server for TLS cannot read plaintext requests.
fn requests_for_tls_are_encrypted(context: &Context<'_>, reports: &mut Vec<Diagnostic>) {
    let mut known = FxHashSet::default();
    for step in steps(context).into_iter().filter(|step| step.route.kind == RouteKind::Http) {
        for destination in destinations(step).filter(|one| !is_never_looked_at(context.model, step, one)) {
            let Some(port) = context.model.mesh.port_of(destination) else { continue };
            let is_fine = !port.protocol.value.is_tls_family()
                || is_secured(&effective_policy(&context.model.mesh, destination))
                || Called::of(context.model, destination.target).is_none_or(|called| called.faulty);
            if !is_fine && known.insert(destination.span) {
                reports.push(unencrypted(context.model, destination, port));
            }
        }
    }
}

/// Whether it is a destination without a port for HTTP, in its own host block inside the mesh: routes for HTTP are not looked at
/// there, which is reported.
fn is_never_looked_at(model: &Model, step: Step<'_>, destination: &Destination) -> bool {
    let is_own = |kind: &HostNameKind| *kind == HostNameKind::Destination(destination.target);
    let mut ports = model.mesh.ports(destination.target).iter();
    step.host.gateways().next().is_none()
        && step.host.names.iter().any(|name| is_own(&name.kind))
        && !ports.any(|port| port.protocol.value.is_http_family())
}

/// With the certificates of the mesh it is a proxy that ends TLS.
fn is_secured(policy: &TrafficPolicy) -> bool {
    let mode = policy.tls.as_deref().map(|tls| tls.mode.value);
    mode.is_some_and(|mode| mode.begins_tls() || mode == ClientTlsMode::IstioMutual)
}

fn unencrypted(model: &Model, destination: &Destination, port: &Port) -> Diagnostic {
    let (number, protocol) = (port.number.value, port.protocol.value);
    let name = model.mesh.destination_name(destination.target);
    let message = format!("requests are sent in plaintext to port {number} of `{name}`, which expects TLS");
    Diagnostic::new(Code::PLAINTEXT_TO_TLS, destination.span, message)
        .related(port.protocol.span, format!("this port has protocol `{protocol}`"))
        .consequence("the server would answer 400, or close the connection: 400, 502 or 503 for every request")
        .help(format!(
            "originate TLS here: `port {protocol} {number} {{ tls simple {{ ca file \"/etc/certs/ca.pem\" }} }}`; or send to a port for `http`"
        ))
}

/// Servers outside of the mesh speak TLS on 443: `http` there is mostly `https`, or lacks its `tls`.
fn ports_of_https_have_tls(context: &Context<'_>, reports: &mut Vec<Diagnostic>) {
    for called in called(context).filter(|called| !called.faulty) {
        let DestinationId::External(id) = called.target else { continue };
        let inside = context.model.mesh.externals.get(id).is_none_or(|external| {
            external.body.location.is_some_and(|location| location.value == Location::Internal)
        });
        let is_plain = |port: &&Port| {
            let number = port.target.map_or(port.number.value, |target| target.value);
            port.protocol.value.is_http_family()
                && number.get() == HTTPS
                && on_port(called.traffic, Some(&port.traffic)).is_none()
        };
        let plain = called.ports.iter().filter(|_| !inside).filter(is_plain);
        reports.extend(plain.map(plain_https));
    }
}

fn plain_https(port: &Port) -> Diagnostic {
    let protocol = port.protocol.value;
    Diagnostic::new(Code::PLAIN_HTTPS_PORT, port.protocol.span, format!("port {HTTPS} is declared as `{protocol}`, without `tls`"))
        .consequence("requests would be sent in plaintext to the port of HTTPS: servers answer 400, or close the connection")
        .help(format!(
            "if clients use HTTPS themselves, write `port https {HTTPS}`; for TLS origination, `port {protocol} 80 target {HTTPS} {{ tls simple }}`"
        ))
}

/// Without `sni`, a server is asked for by the host of each request, and its certificate is checked for that.
fn servers_are_asked_for_by_their_own_name(context: &Context<'_>, reports: &mut Vec<Diagnostic>) {
    let mut known = FxHashSet::default();
    for step in steps(context) {
        for way in step.ways() {
            let DestinationId::External(id) = way.destination.target else { continue };
            let Some(external) = context.model.mesh.externals.get(id) else { continue };
            // The gateway would not know the host either, which is reported.
            if is_sent_on(context, step, way) || !goes_by_the_host(context.model, external, way.destination) {
                continue;
            }
            if let Some(host) = unknown_host(step, way, external)
                && known.insert(way.destination.span)
            {
                reports.push(asked_for_as(way, external, host));
            }
        }
    }
}

/// Whether the host of a request is the name that the server is asked for and checked by.
fn goes_by_the_host(model: &Model, external: &External, destination: &Destination) -> bool {
    let policy = effective_policy(&model.mesh, destination);
    policy.tls.as_deref().is_some_and(|tls| {
        let body = &tls.body;
        let unnamed = body.sni.is_none() && body.names.is_none() && external.body.names.is_none();
        tls.mode.value.begins_tls() && unnamed && !body.takes_unseen()
    })
}

fn asked_for_as(way: Way<'_>, external: &Resource<External>, host: &str) -> Diagnostic {
    let name = &external.name.value;
    let own = way.destination.host.as_deref().or_else(|| {
        let hosts = external.body.hosts.as_ref();
        hosts.and_then(|hosts| hosts.first()).map(|host| host.value.as_str())
    });
    let (message, lost) = if way.is_copy {
        (format!("copies for `{name}` have the host `{host}`"), "every copy is lost")
    } else {
        (format!("`{name}` is requested as `{host}`"), "502 or 503 for every request")
    };
    let report = Diagnostic::new(Code::WRONG_SERVER_NAME, way.destination.span, message)
        .related(external.name.span, "its own names")
        .consequence(format!(
            "server name (SNI) and `Host` would be `{host}`, and the server's certificate is verified for it: {lost}, unless the server has such a certificate"
        ));
    match own.filter(|own| !own.starts_with('*')) {
        Some(own) if way.is_copy => report.help(format!(
            "a copy has the host of its request: set the server name in the `tls` of `{name}`, `sni {own}`, if it takes other hosts"
        )),
        Some(own) => report.help(format!(
            "add `rewrite host {own}` to the route; or set the server name in its `tls`: `sni {own}`"
        )),
        None => report.help("add `rewrite host` with the server's own name to the route"),
    }
}
