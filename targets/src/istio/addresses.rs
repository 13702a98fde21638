//! Conditions on the original destination address, which sidecars compare where a service has one address only.
//!
//! istiod binds the listener of a TCP service to its cluster IP, and compares the ranges of a rule there
//! (`pilot/pkg/networking/core/networkfilter.go`, `buildSidecarOutboundTCPFilterChainOpts`).

use super::plan::is_carried;
use meshc_compiler::model::{
    DestinationId, Host, HostNameKind, Match, MatchBinding, Model, Route, RouteKind,
};
use meshc_language::{Code, Diagnostic, Span};

/// Reports `destination` in rules for the connections to a service.
pub(super) fn of_services(model: &Model) -> Vec<Diagnostic> {
    let mut reports = Vec::new();
    for host in model.hosts.as_slice().iter().filter(|host| is_carried(model, host) && host.in_mesh()) {
        let Some((service, name)) = service_of(model, host) else { continue };
        let routes = host.routes.iter().filter(|route| route.kind != RouteKind::Http);
        reports.extend(
            routes
                .filter(|route| route.matches.iter().any(compares))
                .map(|route| compared(route, service).related(name, "the service")),
        );
    }
    reports
}

/// The first service that a host block names, and where.
fn service_of<'m>(model: &'m Model, host: &Host) -> Option<(&'m str, Span)> {
    host.names.iter().find_map(|name| {
        let HostNameKind::Destination(DestinationId::Service(id)) = name.kind else { return None };
        Some((model.mesh.services.get(id)?.name.value.as_str(), name.span))
    })
}

/// Whether an address is compared in sidecars.
fn compares(one: &Match) -> bool {
    let in_mesh = one.bindings.is_empty() || one.bindings.contains(&MatchBinding::Mesh);
    in_mesh && !one.destinations.is_empty()
}

fn compared(route: &Route, service: &str) -> Diagnostic {
    let message = format!(
        "`destination` of route `{}` is compared with the cluster IP of `{service}`",
        route.name.value
    );
    Diagnostic::new(Code::SERVICE_ADDRESS, route.condition.unwrap_or(route.name.span), message)
        .consequence("Istio's sidecars serve the service at its cluster IP only: the condition is true for all of its connections, or for none")
        .help("remove this part, or declare the addresses: `external NAME { hosts db.example.com; addresses 10.1.0.0/16; port tcp 5432 }`")
}
