//! Routes of the mesh to externals that leave through a gateway: the gateway has to know the host that they arrive with.

use crate::checks::Context;
use crate::checks::gateways::as_warning;
use crate::model::{
    Action, Destination, DestinationId, External, Gateway, Host, Match, MatchBinding, Resource, Route,
    RouteKind, WeightedDestination,
};
use crate::policy::RewriteKind;
use crate::routing::matcher::authority_set;
use meshc_language::{Code, Diagnostic};

/// A route that a host block has itself, or that another route leaves to a delegate.
#[derive(Clone, Copy)]
struct Step<'m> {
    /// The block that callers name.
    host: &'m Host,
    /// The block that has the route.
    owner: &'m Host,
    route: &'m Route,
    parent: Option<&'m Route>,
}

/// What is sent on to a gateway arrives there with a host that it serves.
pub(super) fn hosts_are_known_to_the_gateway(context: &Context<'_>, reports: &mut Vec<Diagnostic>) {
    if !context.model.mesh.externals.iter().any(|(_, external)| external.egress.is_some()) {
        return;
    }
    for step in steps(context) {
        let Action::Forward(destinations) = &step.route.action else { continue };
        for one in destinations {
            let Some(through) = leaves_through(context, &one.destination) else { continue };
            let passes_by = passes_by(step);
            reports.extend(match unknown_host(step, one, through.0) {
                Some(host) => Some(arrives_unknown(one, through, host, passes_by)),
                None => passes_by.then(|| passed_by(one, through)),
            });
        }
    }
}

/// The routes that callers in the mesh can take.
fn steps<'m>(context: &Context<'m>) -> Vec<Step<'m>> {
    let mut steps = Vec::new();
    for (id, host) in context.model.hosts.iter().filter(|(_, host)| host.in_mesh() && !host.is_delegate()) {
        let host: &Host = host;
        for (at, route) in host.routes.iter().enumerate().filter(|(_, route)| holds_in_mesh(route)) {
            let Action::Delegate(_) = route.action else {
                steps.push(Step { host, owner: host, route, parent: None });
                continue;
            };
            let child = context.graph().delegate(id, at).and_then(|child| context.model.hosts.get(child));
            let Some(owner) = child else { continue };
            let routes = owner.routes.iter().filter(|route| holds_in_mesh(route));
            steps.extend(routes.map(|child| Step { host, owner, route: child, parent: Some(route) }));
        }
    }
    steps
}

fn holds_in_mesh(route: &Route) -> bool {
    let in_mesh = |one: &Match| one.bindings.is_empty() || one.bindings.contains(&MatchBinding::Mesh);
    route.matches.is_empty() || route.matches.iter().any(in_mesh)
}

/// Whether Istio's sidecars call the external themselves: its routes have the same destinations for all callers.
fn passes_by(step: Step<'_>) -> bool {
    !step.owner.only_sidecars_take(step.route)
}

fn leaves_through<'m>(
    context: &Context<'m>,
    destination: &Destination,
) -> Option<(&'m Resource<External>, &'m Resource<Gateway>)> {
    let DestinationId::External(id) = destination.target else { return None };
    let external = context.model.mesh.externals.get(id)?;
    Some((external, context.model.mesh.gateways.get(external.egress?)?))
}

/// The host with which requests arrive at the gateway, if it is none of the external's.
fn unknown_host<'m>(
    step: Step<'m>,
    one: &'m WeightedDestination,
    external: &Resource<External>,
) -> Option<&'m str> {
    let Step { host, owner: _, route, parent } = step;
    let known = |name: &str| {
        external.body.hosts.iter().flat_map(|hosts| hosts.iter()).any(|host| host.value.takes(name))
    };
    // What a condition asks of the host is not looked into.
    let asks = |route: &Route| route.matches.iter().any(|one| one.authority.is_some());
    let unclear = external.faulty || route.incomplete || asks(route) || parent.is_some_and(asks);
    if unclear || route.kind != RouteKind::Http {
        return None;
    }
    match given(step, one) {
        Some(given) => (!known(given)).then_some(given),
        None => host.patterns().map(|(pattern, _)| pattern.as_str()).find(|name| !known(name)),
    }
}

/// The host that is given to requests on the way, if there is one. What a delegate says holds over what its parent says.
fn given<'m>(step: Step<'m>, one: &'m WeightedDestination) -> Option<&'m str> {
    let routes = || std::iter::once(step.route).chain(step.parent);
    let rewrites = routes().map(|route| &route.options.shared.rewrite).find(|rewrites| !rewrites.is_empty());
    let rewritten = rewrites.into_iter().flatten().find_map(|rewrite| match &rewrite.kind {
        RewriteKind::Host(host) => Some(host.value.as_str()),
        RewriteKind::Path(_) | RewriteKind::Prefix(_) | RewriteKind::Matches { .. } => None,
    });
    let operations = routes().find_map(|route| route.options.shared.request_headers.as_deref());
    rewritten.or_else(|| authority_set(&[operations, one.headers.request.as_deref()]))
}

fn arrives_unknown(
    one: &WeightedDestination,
    (external, gateway): (&Resource<External>, &Resource<Gateway>),
    host: &str,
    passes_by: bool,
) -> Diagnostic {
    let name = &gateway.name.value;
    let message = format!("requests would arrive at gateway `{name}` for `{host}`, which it does not serve");
    let via = external.body.via.as_ref().map_or(external.name.span, |via| via.span);
    let report = Diagnostic::new(Code::BAD_EGRESS, one.destination.span, message)
        .related(via, "the external is called through the gateway, which knows it by its own hosts")
        .consequence(if passes_by {
            "the gateway would answer 404; Istio's sidecars would pass it by and leave the mesh themselves"
        } else {
            "the gateway would answer 404"
        });
    let own = one.destination.host.as_deref();
    let first = external.body.hosts.as_ref().and_then(|hosts| hosts.first()).map(|host| host.value.as_str());
    as_warning(match own.or(first) {
        Some(own) => report.help(format!(
            "let callers use `{own}` itself, for which `via` makes all routes, or add `rewrite host {own}` here"
        )),
        None => report.help("let callers use the external's own host, for which `via` makes all routes"),
    })
}

fn passed_by(
    one: &WeightedDestination,
    (external, gateway): (&Resource<External>, &Resource<Gateway>),
) -> Diagnostic {
    let name = &gateway.name.value;
    let message =
        format!("Istio's sidecars would call `{}` themselves, past gateway `{name}`", external.name.value);
    let via = external.body.via.as_ref().map_or(external.name.span, |via| via.span);
    as_warning(
        Diagnostic::new(Code::BAD_EGRESS, one.destination.span, message)
            .related(via, "what the mesh sends to the external is to leave through the gateway")
            .consequence("the gateway would not see these calls: neither its access log nor a firewall that lets out nobody else")
            .help("give callers in the mesh a route of their own, in a host block without gateways or with `when gateway mesh`"),
    )
}
