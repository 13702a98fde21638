//! Listeners that nginx cannot open beside each other.
//!
//! Each of nginx's modules opens its own sockets. Within one of them, a socket for all addresses takes the connections of those for
//! some, and they are told apart afterwards; between the two, the kernel refuses the second socket. `nginx -t` does not see it.

use super::builder::Builder;
use super::listeners::{sockets, subsystem};
use super::variables::Subsystem;
use meshc_compiler::routing::{Listener, Role, own_address};
use meshc_language::{Code, Diagnostic, Span};
use std::net::SocketAddr;

/// Refuses each listener whose socket would meet one that the other module has opened.
pub(super) fn refuse(builder: &mut Builder<'_>) {
    let opened = |listener| subsystem(listener).map(|module| (module, sockets(listener, builder)));
    let all: Vec<_> = builder.proxy.listeners.iter().filter_map(|one| Some((one, opened(one)?))).collect();
    let mut reports = Vec::new();
    for (at, (listener, (module, own))) in all.iter().enumerate() {
        let meets = |(_, (other, sockets)): &&(&Listener, (Subsystem, Vec<SocketAddr>))| {
            other != module && own.iter().any(|left| sockets.iter().any(|right| meet(left, right)))
        };
        let earlier = all.iter().take(at).find(meets);
        reports.extend(earlier.and_then(|(other, _)| report(other, listener, builder)));
    }
    builder.reports.extend(reports);
}

/// Whether a connection could be for both.
fn meet(left: &SocketAddr, right: &SocketAddr) -> bool {
    let any = left.ip().is_unspecified() || right.ip().is_unspecified();
    left.port() == right.port() && left.is_ipv4() == right.is_ipv4() && (any || left.ip() == right.ip())
}

fn report(other: &Listener, listener: &Listener, builder: &Builder<'_>) -> Option<Diagnostic> {
    let places = [listener, other].map(|one| declared(one, builder));
    let [own, other] = places;
    let place = own.or(other).or(builder.proxy.span)?;
    let message = format!(
        "nginx does not support HTTP and passed-on connections on different addresses of port {}",
        listener.port
    );
    let report = Diagnostic::new(Code::UNSUPPORTED, place, message)
        .label(
            "`http` and `stream` of nginx each open their own sockets, and one of these takes all addresses",
        )
        .consequence("nginx would not start: `bind() failed (98: Address already in use)`")
        .help("use another port, or `bind` each listener of this port to its own address");
    Some(match other.filter(|other| *other != place) {
        Some(other) => report.related(other, "the other listener"),
        None => report,
    })
}

/// Where a gateway declares a listener; `None` for one that nobody has written.
fn declared(listener: &Listener, builder: &Builder<'_>) -> Option<Span> {
    let Role::Gateway(id) = builder.proxy.role else { return None };
    let written = &builder.model.mesh.gateways.get(id)?.body.listeners;
    let is_it = |one: &&meshc_compiler::model::Listener| {
        one.port.value.get() == listener.port
            && own_address(one.body.bind.map(|bind| bind.value.bound())) == listener.bind
    };
    written.iter().find(is_it).map(|one| one.span)
}
