//! Gateways and their listeners: what admission refuses (rules G of the API), and what conflicts at run time.

mod bypassed;
mod conflicts;
mod connections;
mod nesting;
mod servers;
mod unused;

use super::Context;
use super::services::labels_stand_once;
use crate::model::{Controller, Gateway, Listener, Resource};
use crate::values::Protocol;
use meshc_language::{Applicability, Code, Diagnostic, Span};
use rustc_hash::FxHashMap;

pub(super) use unused::unused;

/// One listener with its gateway.
struct Site<'m> {
    gateway: &'m Resource<Gateway>,
    listener: &'m Listener,
}

/// `via mesh` and `via delegate` name no gateway.
fn name_means_nothing_else(gateway: &Resource<Gateway>, reports: &mut Vec<Diagnostic>) {
    let meaning = match gateway.name.value.as_str() {
        "mesh" => "clients inside the mesh",
        "delegate" => "routes of other hosts",
        _ => return,
    };
    let name = &gateway.name.value;
    let message = format!("a gateway cannot be called `{name}`");
    let report = Diagnostic::new(Code::RESERVED_NAME, gateway.name.span, message);
    reports.push(
        report.consequence(format!("`via {name}` means {meaning}")).help("give the gateway another name"),
    );
}

type ListenerCheck = fn(&Site<'_>, &mut Vec<Diagnostic>);

/// Checks of one listener.
const LISTENER_CHECKS: &[ListenerCheck] = &[
    tls_ends_or_passes_through,
    plaintext_has_no_tls,
    only_plaintext_http_is_redirected,
    istio_carries_the_protocol,
    names_can_be_asked_for,
    names_are_not_made_by_istio,
    hosts_stand_once_in_a_list,
];

/// All checks of gateways but those of TLS settings.
pub(super) fn check(context: &Context<'_>, reports: &mut Vec<Diagnostic>) {
    for (_, gateway) in context.model.mesh.gateways.iter() {
        if let Some(workload) = &gateway.body.workload {
            labels_stand_once(&workload.labels, reports);
        }
        statistics_names_are_unique(gateway, reports);
        name_means_nothing_else(gateway, reports);
        for listener in &gateway.body.listeners {
            let site = Site { gateway, listener };
            for check in LISTENER_CHECKS {
                check(&site, reports);
            }
        }
    }
    let servers = servers::servers(context);
    conflicts::port_names_are_unique(&servers, reports);
    conflicts::ports_are_shared_by_one_family(&servers, reports);
    conflicts::hosts_are_served_once(&servers, reports);
    let bound = connections::bound(context.model);
    connections::tcp_is_claimed_once(context, &servers, &bound, reports);
    connections::server_names_are_claimed_once(context, &servers, &bound, reports);
    connections::names_end_or_pass_through(context, &servers, &bound, reports);
    connections::server_names_are_served(context, &servers, reports);
    connections::one_block_in_the_mesh(context, reports);
    bypassed::certificates_are_asked_for_everywhere(context, &servers, reports);
}

/// G8: a listener for TLS says what becomes of TLS.
fn tls_ends_or_passes_through(site: &Site<'_>, reports: &mut Vec<Diagnostic>) {
    let Site { gateway, listener } = site;
    let protocol = listener.protocol;
    if !protocol.value.is_tls_family() || listener.body.tls.is_some() || gateway.faulty {
        return;
    }
    reports.push(
        Diagnostic::new(
            Code::TLS_NEEDED,
            protocol.span,
            format!("a listener for `{}` needs `tls`", protocol.value),
        )
        .consequence("Istio would refuse the gateway")
        .help("add `tls simple { credential NAME }` to terminate TLS here, or `tls passthrough`"),
    );
}

/// G8: without TLS in the protocol there is nothing for the settings to apply to.
fn plaintext_has_no_tls(site: &Site<'_>, reports: &mut Vec<Diagnostic>) {
    let protocol = site.listener.protocol;
    let Some(tls) = &site.listener.body.tls else { return };
    if protocol.value.is_tls_family() {
        return;
    }
    let report = Diagnostic::new(
        Code::TLS_ON_PLAINTEXT,
        tls.span,
        format!("a listener for `{}` is plaintext", protocol.value),
    )
    .related(protocol.span, "the protocol of the listener")
    .consequence("Istio would refuse the gateway");
    reports.push(match encrypted(protocol.value) {
        Some(encrypted) => report.help(format!("listen for `{encrypted}`, or remove `tls`")).edit(
            Applicability::Unsafe,
            protocol.span,
            encrypted.word(),
        ),
        None => report.help("remove `tls`"),
    });
}

/// The protocol that says the same in TLS.
fn encrypted(protocol: Protocol) -> Option<Protocol> {
    if protocol.is_http_family() {
        return Some(Protocol::Https);
    }
    (protocol != Protocol::Udp).then_some(Protocol::Tls)
}

/// G4: Istio answers plaintext HTTP requests with a redirect; it cannot answer connections with one, and requests of HTTPS are there
/// already (IST0133).
fn only_plaintext_http_is_redirected(site: &Site<'_>, reports: &mut Vec<Diagnostic>) {
    let Some(redirect) = site.listener.body.redirect else { return };
    let protocol = site.listener.protocol;
    if protocol.value.is_http_family() {
        return;
    }
    let (code, why, consequence) = if protocol.value == Protocol::Https {
        let why = "requests of a listener for `https` are HTTPS already".to_owned();
        (Code::REDIRECT_OF_HTTPS, why, "nothing would be redirected")
    } else {
        let why = format!("connections of a listener for `{}` cannot be redirected", protocol.value);
        (Code::BAD_REDIRECT_LISTENER, why, "Istio would refuse the gateway")
    };
    reports.push(
        Diagnostic::new(code, redirect.span, why)
            .related(protocol.span, "the protocol of the listener")
            .consequence(consequence)
            .help("put `redirect https` into a listener for `http`, with the same hosts"),
    );
}

/// Istio opens a TCP listener for whatever protocol a gateway names.
fn istio_carries_the_protocol(site: &Site<'_>, reports: &mut Vec<Diagnostic>) {
    let protocol = site.listener.protocol;
    if protocol.value == Protocol::Udp && site.gateway.controller() == Controller::Istio {
        reports.push(
            Diagnostic::new(Code::UNSUPPORTED, protocol.span, "Istio's gateways do not support `udp`")
                .consequence("Istio would open a TCP port instead")
                .help("remove the listener, or give the gateway another controller"),
        );
    }
}

/// RFC 6066: a TLS client asks for names, never for addresses.
fn names_can_be_asked_for(site: &Site<'_>, reports: &mut Vec<Diagnostic>) {
    if !site.listener.protocol.value.is_tls_family() {
        return;
    }
    for host in
        site.listener.body.hosts.iter().flat_map(|hosts| hosts.iter()).filter(|host| host.value.host.is_ip())
    {
        let message = format!("no TLS client sends the address `{}` as server name (SNI)", host.value.host);
        reports.push(
            Diagnostic::new(Code::ADDRESS_AS_SERVER_NAME, host.span, message)
                .consequence("no connection would match it: clients send names only (RFC 6066)")
                .help("write a host name, or `*` for connections without a server name"),
        );
    }
}

/// G5: the names that sidecars present to gateways are not names that a gateway can list.
fn names_are_not_made_by_istio(site: &Site<'_>, reports: &mut Vec<Diagnostic>) {
    let hosts = site.listener.body.hosts.iter().flat_map(|hosts| hosts.iter());
    for host in hosts.filter(|host| host.value.host.is_generated()) {
        let message = format!("`{}` is a name that Istio makes itself", host.value.host);
        reports.push(
            Diagnostic::new(Code::GATEWAY_HOST, host.span, message)
                .consequence("Istio would refuse the gateway")
                .help("name the host, or serve `*.local` with `tls auto-passthrough`"),
        );
    }
}

/// A name that stands twice in one list, or beside a `*` that takes it in: harmless, but not what was meant.
fn hosts_stand_once_in_a_list(site: &Site<'_>, reports: &mut Vec<Diagnostic>) {
    let hosts = site.listener.body.hosts.as_ref().map_or(&[][..], |hosts| hosts);
    for (at, host) in hosts.iter().enumerate() {
        let takes_in = |other: &&meshc_language::Spanned<crate::model::ServerHost>| {
            other.value.host.is_any()
                && other.value.namespace == host.value.namespace
                && !host.value.host.is_any()
        };
        let twice = hosts.iter().take(at).find(|earlier| earlier.value == host.value);
        let Some(other) = twice.or_else(|| hosts.iter().find(takes_in)) else { continue };
        let message = if twice.is_some() {
            format!("`{}` is listed twice", host.value.host)
        } else {
            format!("`*` includes `{}`", host.value.host)
        };
        reports.push(as_warning(
            Diagnostic::new(Code::GATEWAY_HOST_TWICE, host.span, message)
                .related(other.span, "served here already")
                .consequence("it would change nothing")
                .help("remove it"),
        ));
    }
}

/// H29: statistics of two listeners of one name are added up.
fn statistics_names_are_unique(gateway: &Gateway, reports: &mut Vec<Diagnostic>) {
    let mut seen: FxHashMap<&str, Span> = FxHashMap::default();
    for name in gateway.body.listeners.iter().filter_map(|listener| listener.body.name.as_ref()) {
        match seen.get(name.value.as_str()) {
            Some(earlier) => reports.push(
                Diagnostic::new(
                    Code::DUPLICATE_DECLARATION,
                    name.span,
                    format!("two listeners are named `{}`", name.value),
                )
                .related(*earlier, "the other one")
                .consequence("their statistics could not be distinguished")
                .help("give each its own name"),
            ),
            None => _ = seen.insert(name.value.as_str(), name.span),
        }
    }
}

/// The same report as a warning: what is there has no effect, and does no harm.
pub(super) fn as_warning(mut report: Diagnostic) -> Diagnostic {
    report.severity = meshc_language::Severity::Warning;
    report
}
