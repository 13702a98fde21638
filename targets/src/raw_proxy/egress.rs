//! What bare proxies send to a gateway that Istio runs, and what that gateway takes.
//!
//! In: the proxies of a target. Out: an error for each external whose traffic does not pass its gateway. Requests travel to an egress
//! gateway of Istio in mutual TLS of the mesh ([`EgressHop::MeshTls`]), unless it has a listener for HTTP without TLS on their port;
//! TLS of the callers passes through. A bare proxy finds the gateway by its declared service.

use super::fit::also_here;
use crate::target::Gateways;
use indexmap::IndexMap;
use meshc_compiler::model::{
    Controller, DestinationId, EgressHop, External, Gateway, Id, Model, Resource, share_workloads,
};
use meshc_compiler::policy::ClientTlsMode;
use meshc_compiler::routing::{Proxy, Role, Upstream};
use meshc_compiler::values::Port;
use meshc_language::{Code, Diagnostic, Span, Spanned};
use std::sync::Arc;

type ExternalId = Id<Resource<External>>;

/// What becomes of traffic that has to leave through a gateway.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Fate {
    /// The gateway refuses what comes to this port.
    Refused(Port),
    /// It does not come to the gateway.
    PassesBy,
}

/// Externals whose traffic does not pass the gateway that they leave through: one report for each.
pub(super) fn lost(
    model: &Model,
    proxies: &[Arc<Proxy>],
    controller: Controller,
    built: Gateways,
) -> Vec<Diagnostic> {
    let mut lost: IndexMap<(ExternalId, Fate), Vec<Span>> = IndexMap::new();
    // Gateways first: their routes are what people look at.
    let (gateways, outbound): (Vec<_>, Vec<_>) = proxies.iter().partition(|proxy| proxy.is_gateway());
    for proxy in gateways.into_iter().chain(outbound) {
        for upstream in proxy.upstreams.as_slice() {
            for (external, fate, place) in fates(model, proxy, upstream, built) {
                let places = lost.entry((external, fate)).or_default();
                if !places.contains(&place) {
                    places.push(place);
                }
            }
        }
    }
    let report = |((external, fate), places): ((ExternalId, Fate), Vec<Span>)| {
        let external = model.mesh.externals.get(external)?;
        let through = (external, model.mesh.gateways.get(external.egress()?)?);
        let (first, others) = places.split_first()?;
        let report = match fate {
            Fate::Refused(port) => without_certificates(through, *first, port, controller),
            Fate::PassesBy => passes_by(through, *first, controller),
        };
        Some(also_here(report, others))
    };
    lost.into_iter().filter_map(report).collect()
}

/// What becomes of the traffic of an upstream, by the external that it is for and the place that sends it.
fn fates(
    model: &Model,
    proxy: &Proxy,
    upstream: &Upstream,
    built: Gateways,
) -> Vec<(ExternalId, Fate, Span)> {
    if let DestinationId::External(id) = upstream.target {
        let passes = passes_its_gateway(model, proxy.role, id).unwrap_or(true);
        return if passes { Vec::new() } else { vec![(id, Fate::PassesBy, upstream.span)] };
    }
    // Gateways that are tried out as bare proxies take plaintext.
    if built == Gateways::All {
        return Vec::new();
    }
    let refused =
        upstream.sent_on.iter().filter(|sent| is_refused(model, upstream, sent.value) == Some(true));
    let port = upstream.port.number.value;
    refused.map(|Spanned { value, span }| (*value, Fate::Refused(port), *span)).collect()
}

/// Whether what a proxy sends to an external comes from the gateway that it leaves through; `None` for one that leaves through none.
fn passes_its_gateway(model: &Model, role: Role, external: ExternalId) -> Option<bool> {
    let gateway = model.mesh.gateways.get(model.mesh.externals.get(external)?.egress()?)?;
    Some(match role {
        Role::Gateway(id) => model.mesh.gateways.get(id).is_none_or(|here| share_workloads(gateway, here)),
        Role::Outbound => false,
    })
}

/// Whether the gateway takes mutual TLS of the mesh only, and gets something else.
fn is_refused(model: &Model, upstream: &Upstream, external: ExternalId) -> Option<bool> {
    let external = model.mesh.externals.get(external)?;
    let number = upstream.port.number.value;
    let port = external.body.ports.iter().find(|port| port.number.value == number)?;
    Some(match model.mesh.egress_hop(external, port)? {
        EgressHop::MeshTls { port, declared: _ } => port != number.get() || !shows(upstream, external),
        EgressHop::Passthrough | EgressHop::Plaintext { declared: _ } => false,
    })
}

/// Whether a certificate is shown to the service of a gateway, and a host of an external is asked for. Where the files of that
/// certificate are those of a workload of the mesh, the gateway takes it.
fn shows(upstream: &Upstream, external: &External) -> bool {
    let Some(tls) = upstream.policy.tls.as_deref().filter(|tls| tls.mode.value == ClientTlsMode::Mutual)
    else {
        return false;
    };
    let asked = tls.body.sni.as_ref().map(|sni| sni.value.as_str());
    let mut hosts = external.body.hosts.iter().flat_map(|hosts| hosts.iter());
    hosts.any(|host| Some(host.value.as_str()) == asked)
}

/// The place of `via`, and what is written there.
fn via(external: &Resource<External>, gateway: &Resource<Gateway>) -> (Span, String) {
    let name = &gateway.name.value;
    let elsewhere = gateway.namespace_name().filter(|home| external.namespace_name() != Some(home));
    let written = elsewhere.map_or_else(|| name.to_string(), |namespace| format!("{namespace}/{name}"));
    (external.via.map_or(external.name.span, |via| via.span), written)
}

fn without_certificates(
    (external, gateway): (&Resource<External>, &Resource<Gateway>),
    place: Span,
    port: Port,
    controller: Controller,
) -> Diagnostic {
    let name = &external.name.value;
    let (via, through) = via(external, gateway);
    let message =
        format!("{controller} cannot send requests for `{name}` to gateway `{}`", gateway.name.value);
    let host = external.body.hosts.as_ref().and_then(|hosts| hosts.first());
    let host = host.map_or(name.as_str(), |host| host.value.as_str());
    Diagnostic::new(Code::UNSUPPORTED, place, message)
        .label("they arrive in plaintext: a bare proxy has no mesh certificates")
        .related(via, "this gateway of Istio takes mutual TLS of the mesh only")
        .consequence("the gateway would close every connection: 502 or 503 for every request")
        .help(format!(
            "let bare proxies call it directly, `in istio {{ via {through} }}`; or accept plaintext on the way to the gateway: add \
             `listen http {port} {{ hosts {host} }}` to it"
        ))
}

fn passes_by(
    (external, gateway): (&Resource<External>, &Resource<Gateway>),
    place: Span,
    controller: Controller,
) -> Diagnostic {
    let name = &external.name.value;
    let (via, through) = via(external, gateway);
    let gateway = &gateway.name.value;
    let message = format!("{controller} would call `{name}` directly, bypassing gateway `{gateway}`");
    Diagnostic::new(Code::UNSUPPORTED, place, message)
        .label("a bare proxy finds a gateway by its declared service")
        .related(via, "traffic of the mesh to the external must leave through this gateway")
        .consequence(
            "these requests would bypass the gateway: its access log has no entry, and a firewall that allows only the gateway \
             blocks them",
        )
        .help(format!(
            "declare the service of the gateway, and give it an `address` in `bindings`; or let bare proxies call it directly: \
             `in istio {{ via {through} }}`"
        ))
}
