//! Delegation: routes that are left to another host block.

use super::Context;
use crate::graph::Node;
use crate::model::{Action, Host, Resource, Route, RouteKind, cannot_be_joined};
use crate::routing::both_hold;
use meshc_language::{Code, Diagnostic};
use std::collections::BTreeMap;

/// All checks of delegation.
pub(super) fn check(context: &Context<'_>, reports: &mut Vec<Diagnostic>) {
    for (_, host) in context.model.hosts.iter() {
        if host.is_delegate() {
            delegates_do_not_delegate(host, reports);
            delegates_route_http(host, reports);
        }
    }
    for (child, roots) in delegated(context).values() {
        child_takes_something(child, roots, reports);
    }
}

/// V11: delegation goes one level deep.
fn delegates_do_not_delegate(host: &Host, reports: &mut Vec<Diagnostic>) {
    for route in &host.routes {
        if let Action::Delegate(delegate) = &route.action {
            reports.push(
                Diagnostic::new(Code::BAD_DELEGATION, delegate.span, "a delegate cannot delegate further")
                    .consequence("Istio would refuse the virtual service")
                    .help("use a destination here"),
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
                .help("move it into the delegating host"),
        );
    }
}

/// A host block that is reached by delegation, and the routes that delegate to it.
type Delegated<'m> = BTreeMap<usize, (&'m Resource<Host>, Vec<&'m Route>)>;

fn delegated<'m>(context: &Context<'m>) -> Delegated<'m> {
    let mut all = Delegated::new();
    for (id, host) in context.model.hosts.iter() {
        for (at, route) in host.declared.routes.iter().enumerate() {
            if !matches!(route.action, Action::Delegate(_)) {
                continue;
            }
            let Some(child) = context.graph().delegate(id, at) else { continue };
            let Some(block) = context.model.hosts.get(child) else { continue };
            all.entry(child.index()).or_insert_with(|| (block, Vec::new())).1.push(route);
        }
    }
    all
}

/// H8: a route of a delegate that cannot hold under any of the conditions that delegate gets no requests, and one whose
/// condition cannot be said together with them would lose some.
fn child_takes_something(child: &Resource<Host>, roots: &[&Route], reports: &mut Vec<Diagnostic>) {
    for inner in child.routes.iter().filter(|inner| !inner.incomplete && inner.kind == RouteKind::Http) {
        if let Some(root) = roots.iter().find(|root| is_inexpressible(root, inner)) {
            let message = format!(
                "the condition of route `{}` cannot be merged with the delegating condition",
                inner.name.value
            );
            reports.push(
                report(Code::DELEGATION_INEXPRESSIBLE, inner, root, message)
                    .consequence(
                        "both use a regular expression on the same part of the request, and an Istio match compares it once",
                    )
                    .help("write one regular expression for both, and delegate without it"),
            );
            continue;
        }
        let outside = || roots.iter().filter(|root| excludes(root, inner));
        let Some(root) = outside().next() else { continue };
        if outside().count() == roots.len() {
            let message =
                format!("route `{}` of the delegate is outside the delegating condition", inner.name.value);
            reports.push(
                report(Code::DELEGATION_LOST, inner, root, message)
                    .consequence("Istio would drop the route silently")
                    .help("start its path with the delegated path"),
            );
        }
    }
}

fn report(code: Code, inner: &Route, root: &Route, message: String) -> Diagnostic {
    Diagnostic::new(code, inner.condition.unwrap_or(inner.name.span), message)
        .related(root.condition.unwrap_or(root.name.span), "only these requests are delegated to it")
}

fn is_inexpressible(root: &Route, inner: &Route) -> bool {
    root.matches.iter().any(|outer| inner.matches.iter().any(|inner| cannot_be_joined(outer, inner)))
}

fn excludes(root: &Route, inner: &Route) -> bool {
    both_hold(&root.matches, &inner.matches).is_none()
}

/// Delegations that lead nowhere, and delegates that nobody uses.
pub(super) fn unused(context: &Context<'_>, reports: &mut Vec<Diagnostic>) {
    for (id, host) in context.model.hosts.iter() {
        for (at, route) in host.routes.iter().enumerate() {
            let Action::Delegate(delegate) = &route.action else { continue };
            if context.graph().delegate(id, at).is_none() {
                let message = format!("there is no host `{} via delegate`", delegate.name);
                reports.push(
                    Diagnostic::new(Code::DELEGATION_LOST, delegate.span, message)
                        .consequence(
                            "Istio would drop the route: its requests go to a later route, or get 404",
                        )
                        .help(format!("declare it: `host {} via delegate {{ ... }}`", delegate.name)),
                );
            }
        }
        if host.is_delegate() && !context.graph().is_reached(&Node::Host(id)) {
            reports.push(
                Diagnostic::new(Code::UNUSED_DEFINITION, host.span, "no route delegates to this host")
                    .consequence("its routes get no requests")
                    .help("add `-> delegate NAME` to a route, or remove it"),
            );
        }
    }
}
