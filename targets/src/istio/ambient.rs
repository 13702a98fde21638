//! What waypoints do otherwise than sidecars.
//!
//! In ambient namespaces the requests for a service are routed by the waypoint in front of it, which does not know whom a request
//! comes from in the way that a sidecar does (istio `pilot/pkg/networking/core/listener_waypoint.go`).

use super::plan::is_carried;
use super::release::Ambient;
use meshc_compiler::model::{
    DestinationId, Host, HostNameKind, Match, Model, Resource, Route, RouteKind, Service, Visible,
};
use meshc_language::{Code, Diagnostic, Span};
use std::collections::BTreeSet;

/// Reports what does not hold at waypoints.
pub(super) fn at_waypoints(model: &Model, ambient: &Ambient) -> Vec<Diagnostic> {
    if *ambient == Ambient::Nowhere {
        return Vec::new();
    }
    let mut reports = Vec::new();
    let mut told: BTreeSet<Option<&str>> = BTreeSet::new();
    for host in model.hosts.as_slice().iter().filter(|host| is_carried(model, host) && host.in_mesh()) {
        let Some((service, name)) = service_behind_waypoint(model, ambient, host) else { continue };
        if told.insert(service.namespace_name()) {
            reports.push(needs_waypoint(service, name));
        }
        reports.extend(elsewhere(host, service, name));
        for route in &host.routes {
            reports.extend(of_route(route, &model.mesh.service_host(service)));
        }
    }
    reports.extend(visibilities(model, ambient));
    reports
}

/// The first service behind a waypoint that a host block names, and where.
fn service_behind_waypoint<'m>(
    model: &'m Model,
    ambient: &Ambient,
    host: &Host,
) -> Option<(&'m Resource<Service>, Span)> {
    host.names.iter().find_map(|name| {
        let HostNameKind::Destination(DestinationId::Service(id)) = name.kind else { return None };
        let service = model.mesh.services.get(id)?;
        ambient.has(service.namespace_name()).then_some((service, name.span))
    })
}

fn needs_waypoint(service: &Resource<Service>, name: Span) -> Diagnostic {
    let service_name = service.name.value.as_str();
    let message = format!("routes for `{service_name}` apply only where a waypoint serves it");
    let namespace = service.namespace_name().unwrap_or("NAMESPACE");
    Diagnostic::new(Code::NEEDS_WAYPOINT, name, message)
        .consequence(
            "without one, ztunnel balances connections and never reads requests: no routes, retries, timeouts or subsets",
        )
        .help(format!("deploy one: `istioctl waypoint apply --namespace {namespace} --enroll-namespace`"))
}

fn elsewhere(host: &Resource<Host>, service: &Resource<Service>, name: Span) -> Option<Diagnostic> {
    let (own, home) = (host.namespace_name()?, service.namespace_name()?);
    (own != home).then(|| {
        let message = format!("a waypoint of `{home}` ignores host blocks of namespace `{own}`");
        Diagnostic::new(Code::IGNORED_AT_WAYPOINT, name, message)
            .related(service.name.span, "the service")
            .consequence(
                "a waypoint uses the routes of its own namespace and of the service's; these are ignored",
            )
            .help(format!("move the host block into a file of namespace `{home}`"))
    })
}

fn of_route(route: &Route, service_host: &str) -> Option<Diagnostic> {
    let place = route.condition.unwrap_or(route.name.span);
    let has = |test: fn(&Match) -> bool| route.matches.iter().any(test);
    if has(|one| !one.source_labels.is_empty()) {
        let report = Diagnostic::new(
            Code::LOST_AT_WAYPOINT,
            place,
            "a waypoint does not know the labels of clients",
        )
        .consequence(
            "it drops this alternative of the condition: the requests go to a later route, or get 404",
        );
        return Some(report.help(BY_HEADER));
    }
    if has(|one| one.source_namespace.is_some()) {
        let message = "a waypoint compares `source ns` with its own namespace";
        let report = Diagnostic::new(Code::LOST_AT_WAYPOINT, place, message)
            .consequence("the condition is true for every client, or for none");
        return Some(report.help(BY_HEADER));
    }
    let other_name =
        |one: &Match| one.sni.len() != 1 || one.sni.iter().any(|name| name.to_string() != service_host);
    if route.kind == RouteKind::Tls && route.matches.iter().any(other_name) {
        let message = "a waypoint uses a `tls route` only for the full name of its service";
        let report = Diagnostic::new(Code::IGNORED_AT_WAYPOINT, place, message)
            .consequence("the rule is ignored, and connections go to the service itself");
        return Some(report.help(format!("write `when sni {service_host}`")));
    }
    None
}

const BY_HEADER: &str =
    "match what clients send, such as a header, or restrict them with an AuthorizationPolicy of the service";

/// Waypoints and ztunnel see every service entry, whatever it exports.
fn visibilities(model: &Model, ambient: &Ambient) -> Vec<Diagnostic> {
    let externals =
        model.mesh.externals.iter().filter(|(_, external)| ambient.has(external.namespace_name()));
    let narrow = externals.filter_map(|(_, external)| {
        let visibility = external.body.visibility.as_ref()?;
        (!visibility.to.contains(&Visible::Everywhere)).then_some((external, visibility.span))
    });
    let report = |(external, span): (&Resource<meshc_compiler::model::External>, Span)| {
        let message = format!("the visibility of `{}` is ignored in ambient namespaces", external.name.value);
        Diagnostic::new(Code::IGNORED_AT_WAYPOINT, span, message)
            .consequence("ztunnel and waypoints of every namespace see it")
            .help("restrict its clients with an AuthorizationPolicy")
    };
    narrow.map(report).collect()
}
