//! What a gateway serves and nobody uses.

use crate::checks::Context;
use crate::checks::names::Names;
use crate::model::{Gateway, HostNamespace, Id, Listener, Resource, ServerHost, ServerTlsMode};
use meshc_language::{Code, Diagnostic, Spanned};
use rustc_hash::{FxHashMap, FxHashSet};

/// Gateways without listeners, and names that a gateway serves and no host claims.
pub(in crate::checks) fn unused(context: &Context<'_>, reports: &mut Vec<Diagnostic>) {
    let claims = claims(context);
    let sent: FxHashSet<_> =
        context.model.mesh.externals.as_slice().iter().filter_map(|one| one.egress()).collect();
    for (id, gateway) in context.model.mesh.gateways.iter() {
        let claims = claims.get(&id);
        let is_whole = !context.is_read_apart(gateway.controller());
        has_a_listener(sent.contains(&id) || !is_whole, gateway, reports);
        // Without any host it is a gateway that other projects use.
        if let Some(claims) = claims {
            every_name_is_claimed(gateway, claims, reports);
        }
    }
}

/// G2: a gateway without listeners carries nothing, unless egress adds them, perhaps only where its own target reads the sources.
fn has_a_listener(may_have_egress: bool, gateway: &Gateway, reports: &mut Vec<Diagnostic>) {
    if gateway.body.listeners.is_empty() && !may_have_egress {
        let message = format!("gateway `{}` has no listeners", gateway.name.value);
        reports.push(
            Diagnostic::new(Code::MISSING_STATEMENT, gateway.name.span, message)
                .consequence("it would serve no traffic")
                .help("add `listen http 80 { hosts ... }`, or send an external through it with `via`"),
        );
    }
}

/// The names that host blocks, and externals behind gateways, claim, by gateway.
fn claims(context: &Context<'_>) -> FxHashMap<Id<Resource<Gateway>>, Names> {
    let mesh = &context.model.mesh;
    let mut claims: FxHashMap<_, Names> = FxHashMap::default();
    for (_, host) in context.model.hosts.iter() {
        let namespace = host.namespace_name();
        for (id, _) in host.gateways() {
            let claims = claims.entry(id).or_default();
            // One that is hidden from the gateway is reported where it hides.
            for (pattern, _) in host.patterns() {
                claims.add(None, pattern);
                claims.add(Some(namespace), pattern);
            }
        }
    }
    for (_, external) in mesh.externals.iter() {
        let Some(id) = external.egress() else { continue };
        let hosts = external.body.hosts.iter().flat_map(|hosts| hosts.iter());
        let claims = claims.entry(id).or_default();
        for host in hosts {
            claims.add(None, &host.value);
            claims.add(Some(external.namespace_name()), &host.value);
        }
    }
    claims
}

/// A name that no host answers to is forgotten, misspelt, or left behind.
fn every_name_is_claimed(gateway: &Resource<Gateway>, claims: &Names, reports: &mut Vec<Diagnostic>) {
    for listener in gateway.body.listeners.iter().filter(|listener| needs_hosts(listener)) {
        let hosts = listener.body.hosts.iter().flat_map(|hosts| hosts.iter());
        // One that says of which namespaces its hosts may be is open to hosts of other projects.
        let is_open = |host: &ServerHost| matches!(host.namespace, Some(HostNamespace::Any));
        for host in hosts.filter(|host| !host.value.host.is_any() && !is_open(&host.value)) {
            let admitted = host.value.admitted(gateway.namespace_name());
            if !claims.overlap(admitted, &host.value.host) {
                reports.push(unclaimed(host));
            }
        }
    }
}

/// Whether a listener answers with what hosts say: one that redirects answers by itself, one that passes everything
/// through by the names that Istio makes needs none, and what is not HTTP may belong to hosts of any name.
fn needs_hosts(listener: &Listener) -> bool {
    let protocol = listener.protocol.value;
    let auto = listener.body.tls.as_ref().is_some_and(|tls| tls.mode.value == ServerTlsMode::AutoPassthrough);
    let is_http = protocol.is_http_family() || protocol == crate::values::Protocol::Https;
    is_http && !auto && listener.body.redirect.is_none()
}

fn unclaimed(host: &Spanned<ServerHost>) -> Diagnostic {
    let message = format!("no host claims `{}`", host.value.host);
    Diagnostic::new(Code::UNUSED_LISTENER_HOST, host.span, message)
        .consequence("the gateway would answer 404 for it")
        .help(format!("write a `host {} via` this gateway, or remove the name", host.value.host))
}
