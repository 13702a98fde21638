//! Delegation: routes that are left to another host block.

use super::Context;
use crate::graph::Node;
use crate::model::{Action, Host, Id, Match, PathTest, Resource, Route, RouteKind};
use meshc_language::{Code, Diagnostic};

/// All checks of delegation.
pub(super) fn check(context: &Context<'_>, reports: &mut Vec<Diagnostic>) {
    for (id, host) in context.model.hosts.iter() {
        if host.is_delegate() {
            delegates_do_not_delegate(host, reports);
            delegates_route_http(host, reports);
        }
        for (at, route) in host.routes.iter().enumerate() {
            child_takes_something(context, id, at, route, reports);
        }
    }
}

/// V11: delegation goes one level deep.
fn delegates_do_not_delegate(host: &Host, reports: &mut Vec<Diagnostic>) {
    for route in &host.routes {
        if let Action::Delegate(delegate) = &route.action {
            reports.push(
                Diagnostic::new(Code::BAD_DELEGATION, delegate.span, "a delegate cannot delegate further")
                    .consequence("Istio would refuse the virtual service")
                    .help("send the requests to a destination here"),
            );
        }
    }
}

/// V1: a delegate holds routes for HTTP only.
fn delegates_route_http(host: &Host, reports: &mut Vec<Diagnostic>) {
    for route in host.routes.iter().filter(|route| route.kind != RouteKind::Http) {
        let message = format!("a delegate cannot hold a `{}`", route.kind.word());
        reports.push(
            Diagnostic::new(Code::BAD_DELEGATION, route.name.span, message)
                .consequence("Istio would refuse the virtual service")
                .help("move it into the host that delegates"),
        );
    }
}

/// H8: Istio drops, with nothing but a line in its log, what cannot match both here and there.
fn child_takes_something(
    context: &Context<'_>,
    id: Id<Resource<Host>>,
    at: usize,
    route: &Route,
    reports: &mut Vec<Diagnostic>,
) {
    if !matches!(route.action, Action::Delegate(_)) {
        return;
    }
    let Some(child) = context.graph().delegate(id, at).and_then(|child| context.model.hosts.get(child))
    else {
        return;
    };
    for inner in child.routes.iter().filter(|inner| !inner.incomplete) {
        let fits = route.matches.is_empty()
            || inner.matches.is_empty()
            || inner.matches.iter().any(|inner| route.matches.iter().any(|outer| fits_within(inner, outer)));
        if !fits {
            let message = format!(
                "route `{}` of the delegate lies outside of the condition that delegates to it",
                inner.name.value
            );
            reports.push(
                Diagnostic::new(Code::BAD_DELEGATION, inner.condition.unwrap_or(inner.name.span), message)
                    .related(route.condition.unwrap_or(route.name.span), "only these requests are left to it")
                    .consequence("Istio would drop the route without a word")
                    .help("let its path go on from the path that delegates"),
            );
        }
    }
}

/// Whether Istio can merge the two conditions: the path of the delegate must go on from that of the root, and expressions
/// do not merge with anything.
fn fits_within(inner: &Match, outer: &Match) -> bool {
    let (Some(inner), Some(outer)) = (&inner.path, &outer.path) else { return true };
    let (PathTest::Exact(leaf) | PathTest::Prefix(leaf) | PathTest::Under(leaf)) = &inner.test else {
        return false;
    };
    match &outer.test {
        PathTest::Exact(root) => matches!(inner.test, PathTest::Exact(_)) && leaf == root,
        PathTest::Prefix(root) => leaf.starts_with(root.as_str()),
        PathTest::Under(root) => {
            leaf.strip_prefix(root.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        }
        PathTest::Pattern(_) => false,
    }
}

/// Delegations that lead nowhere, and delegates that nobody uses.
pub(super) fn unused(context: &Context<'_>, reports: &mut Vec<Diagnostic>) {
    for (id, host) in context.model.hosts.iter() {
        for (at, route) in host.routes.iter().enumerate() {
            let Action::Delegate(delegate) = &route.action else { continue };
            if context.graph().delegate(id, at).is_none() {
                let message = format!("there is no host `{} via delegate`", delegate.name);
                reports.push(
                    Diagnostic::new(Code::BAD_DELEGATION, delegate.span, message)
                        .consequence("Istio would drop the route: 404")
                        .help(format!("declare it: `host {} via delegate {{ ... }}`", delegate.name)),
                );
            }
        }
        if host.is_delegate() && !context.graph().is_reached(&Node::Host(id)) {
            reports.push(
                Diagnostic::new(Code::UNUSED_DEFINITION, host.span, "nothing delegates to this host")
                    .consequence("its routes get no requests")
                    .help("add `-> delegate NAME` to a route, or remove it"),
            );
        }
    }
}
