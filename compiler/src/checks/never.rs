//! Conditions that can never hold, and conditions on what a gateway writes itself.

use super::Context;
use crate::model::{Controller, Gateway, Host, Match, Resource, Route, RouteKind};
use crate::routing::never::{Never, Reading, foreign_authority, never, other_scheme};
use crate::values::{HeaderName, HostPattern, MatchHeaderName};
use meshc_language::{Code, Diagnostic, Span};

/// All checks of conditions that never hold.
pub(super) fn check(context: &Context<'_>, reports: &mut Vec<Diagnostic>) {
    for (_, host) in context.model.hosts.iter() {
        for route in host.routes.iter().filter(|route| route.kind == RouteKind::Http) {
            let Some(condition) = route.condition else { continue };
            let mut found: Vec<Diagnostic> = Vec::new();
            for one in &route.matches {
                let never = never(one, Reading::Istio).or_else(|| at_gateways(context, host, one));
                found.extend(never.map(|never| report(never, route, condition)));
            }
            found.extend(written_by_gateways(context, host, route, condition));
            // Alternatives may share a comparison.
            found.dedup_by(|later, earlier| later.message == earlier.message);
            reports.extend(found);
        }
    }
}

fn report(never: Never, route: &Route, condition: Span) -> Diagnostic {
    let Never { message, why, help } = never;
    let only = route.matches.len() == 1;
    let consequence =
        if only { "this route would get no requests" } else { "one alternative would get no requests" };
    Diagnostic::new(Code::NEVER_TRUE, condition, message).label(why).consequence(consequence).help(help)
}

fn gateways<'m>(context: &'m Context<'_>, host: &'m Host) -> impl Iterator<Item = &'m Resource<Gateway>> {
    host.gateways().filter_map(|(id, _)| context.model.mesh.gateways.get(id))
}

/// What never comes in at the gateways of a host that is bound to nothing else.
fn at_gateways(context: &Context<'_>, host: &Host, one: &Match) -> Option<Never> {
    let complete = gateways(context, host).all(|gateway| !gateway.incomplete);
    if host.in_mesh() || host.is_delegate() || !complete {
        return None;
    }
    let names: Vec<&HostPattern> = host.patterns().map(|(name, _)| name).collect();
    if let Some(never) = foreign_authority(one, names.iter().copied()) {
        return Some(never);
    }
    let listeners = gateways(context, host).flat_map(|gateway| &gateway.body.listeners);
    let mut schemes = listeners.map(|listener| if listener.body.tls.is_some() { "https" } else { "http" });
    let first = schemes.next()?;
    if schemes.all(|scheme| scheme == first) { other_scheme(one, first) } else { None }
}

/// Headers that a gateway of Istio overwrites or removes, unless it is told to trust proxies in front of it.
fn written_by_gateways(
    context: &Context<'_>,
    host: &Host,
    route: &Route,
    condition: Span,
) -> Option<Diagnostic> {
    gateways(context, host).find(|gateway| gateway.controller() == Controller::Istio)?;
    let mut names =
        route.matches.iter().flat_map(|one| one.headers.iter().chain(&one.without)).map(|(name, _)| name);
    let name = names.find_map(|name| match name {
        MatchHeaderName::Header(name) => name.is_of_proxies().then_some(name),
        MatchHeaderName::Claim(_) => None,
    })?;
    let message = format!("a gateway overwrites or removes the header `{name}` before it chooses the route");
    let (consequence, help) = instead(name);
    Some(Diagnostic::new(Code::WRITTEN_BY_PROXIES, condition, message).consequence(consequence).help(help))
}

/// What becomes of a condition on a header that a gateway writes itself, and what to ask instead.
fn instead(name: &HeaderName) -> (&'static str, &'static str) {
    match name.as_str() {
        "x-forwarded-proto" => (
            "values from clients, or from a load balancer in front of it, are ignored: a redirect to HTTPS that depends on it would loop",
            "match `scheme`, or let the gateway trust the proxies in front of it (`numTrustedProxies`) and allow this report",
        ),
        "x-forwarded-client-cert" => (
            "values from clients, or from a load balancer in front of it, are ignored: it speaks of the certificate that the client \
             shows to the gateway, or is removed",
            "verify the certificate at the listener: `tls mutual { credential ...; names ... }`; or let the gateway forward the header \
             (`forwardClientCertDetails`) and allow this report",
        ),
        "x-forwarded-for" => (
            "the gateway appends the address of its own client, which may be a load balancer",
            "let the gateway trust the proxies in front of it (`numTrustedProxies`) and allow this report",
        ),
        "x-request-id" => (
            "the gateway gives every request an ID of its own: the condition would not hold for what clients send",
            "match another header",
        ),
        _ => (
            "the gateway removes it from what clients send: the condition would not hold",
            "match another header, one that does not begin with `x-envoy-`",
        ),
    }
}
