//! Routes as callers meet them: those of host blocks, and those of delegates under the route that leaves requests to them.

use crate::checks::Context;
use crate::model::{
    Action, External, Host, Match, MatchBinding, Resource, Route, RouteKind, WeightedDestination,
};
use crate::policy::RewriteKind;
use crate::routing::matcher::authority_set;

/// A route that a host block has itself, or that another route leaves to a delegate.
#[derive(Clone, Copy)]
pub(in crate::checks) struct Step<'m> {
    /// The block that callers name.
    pub(in crate::checks) host: &'m Host,
    /// The block that has the route.
    pub(in crate::checks) owner: &'m Host,
    pub(in crate::checks) route: &'m Route,
    pub(in crate::checks) parent: Option<&'m Route>,
}

/// Every route that somebody can take, in the order of the sources.
pub(in crate::checks) fn steps<'m>(context: &Context<'m>) -> Vec<Step<'m>> {
    let mut steps = Vec::new();
    for (id, host) in context.model.hosts.iter().filter(|(_, host)| !host.is_delegate()) {
        let host: &Host = host;
        for (at, route) in host.routes.iter().enumerate() {
            let Action::Delegate(_) = route.action else {
                steps.push(Step { host, owner: host, route, parent: None });
                continue;
            };
            let child = context.graph().delegate(id, at).and_then(|child| context.model.hosts.get(child));
            let Some(owner) = child else { continue };
            steps.extend(owner.routes.iter().map(|child| Step {
                host,
                owner,
                route: child,
                parent: Some(route),
            }));
        }
    }
    steps
}

impl Step<'_> {
    /// Whether callers in the mesh can take it.
    pub(in crate::checks) fn is_of_the_mesh(&self) -> bool {
        self.host.in_mesh() && holds_in_mesh(self.route) && self.parent.is_none_or(holds_in_mesh)
    }
}

fn holds_in_mesh(route: &Route) -> bool {
    let in_mesh = |one: &Match| one.bindings.is_empty() || one.bindings.contains(&MatchBinding::Mesh);
    route.matches.is_empty() || route.matches.iter().any(in_mesh)
}

/// The host with which requests arrive at an external or its gateway, if it is none of the external's.
pub(in crate::checks) fn unknown_host<'m>(
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
