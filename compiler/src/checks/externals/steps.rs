//! Routes as callers meet them: those of host blocks, and those of delegates under the route that leaves requests to them.

use crate::checks::Context;
use crate::graph::Node;
use crate::model::{
    Action, Destination, External, Gateway, Host, Id, Match, MatchBinding, Mirror, Resource, Route,
    RouteKind, WeightedDestination,
};
use crate::policy::{HeaderOperations, RewriteKind, SharedRouteOptions};
use crate::routing::both_hold;
use crate::routing::matcher::authority_set;
use meshc_language::Diagnostic;
use rustc_hash::FxHashSet;
use std::borrow::Cow;

/// A route that a host block has itself, or that another route leaves to a delegate.
#[derive(Clone, Copy)]
pub(in crate::checks) struct Step<'m> {
    /// The block that callers name.
    pub(in crate::checks) host: &'m Host,
    /// Its namespace.
    pub(in crate::checks) home: Option<&'m str>,
    /// The block that has the route.
    pub(in crate::checks) owner: &'m Host,
    pub(in crate::checks) route: &'m Route,
    pub(in crate::checks) parent: Option<&'m Route>,
}

/// A way that requests of a step go, or copies of them.
#[derive(Clone, Copy)]
pub(in crate::checks) struct Way<'m> {
    pub(in crate::checks) destination: &'m Destination,
    /// What is done to the headers of requests that go to one destination of the route.
    request_headers: Option<&'m HeaderOperations>,
    /// Whether these are copies (`mirror`), whose answers nobody sees.
    pub(in crate::checks) is_copy: bool,
}

/// Every route that somebody can take, in the order of the sources.
pub(in crate::checks) fn steps<'m>(context: &Context<'m>) -> Vec<Step<'m>> {
    let mut steps = Vec::new();
    for (id, host) in context.model.hosts.iter().filter(|(_, host)| !host.is_delegate()) {
        let (home, host): (_, &Host) = (host.namespace_name(), host);
        for (at, route) in host.routes.iter().enumerate() {
            let Action::Delegate(_) = route.action else {
                steps.push(Step { host, home, owner: host, route, parent: None });
                continue;
            };
            let child = context.graph().delegate(id, at).and_then(|child| context.model.hosts.get(child));
            let Some(owner) = child else { continue };
            steps.extend(owner.routes.iter().map(|child| Step {
                host,
                home,
                owner,
                route: child,
                parent: Some(route),
            }));
        }
    }
    steps
}

impl<'m> Step<'m> {
    /// The ways of its requests, then those of the copies of each. A route also has the copies of the one that delegates to it.
    pub(in crate::checks) fn ways(self) -> Vec<Way<'m>> {
        let forwarded = match &self.route.action {
            Action::Forward(destinations) => destinations.as_slice(),
            Action::Redirect(_) | Action::Respond(_) | Action::Delegate(_) => &[],
        };
        let way = |one: &'m WeightedDestination| Way {
            destination: &one.destination,
            request_headers: one.headers.request.as_deref(),
            is_copy: false,
        };
        let outer = self.parent.map_or(&[][..], |parent| parent.options.mirrors.as_slice());
        let mirrors = Mirror::joined(outer, &self.route.options.mirrors);
        let copies = mirrors.into_iter().flat_map(|mirror| {
            let copy = move |way| Way { destination: &mirror.destination, is_copy: true, ..way };
            forwarded.iter().map(way).map(copy)
        });
        forwarded.iter().map(way).chain(copies).collect()
    }
}

/// A route as requests meet it: with what it takes over from the one that delegates to it.
pub(in crate::checks) struct Whole<'m> {
    pub(in crate::checks) step: Step<'m>,
    pub(in crate::checks) options: Cow<'m, SharedRouteOptions>,
    pub(in crate::checks) matches: Cow<'m, [Match]>,
    /// Whether some of it could not be read.
    pub(in crate::checks) incomplete: bool,
}

/// Every route with what it takes over: those of delegates under each route that delegates, or by themselves if none does. Routes
/// that delegate have none of their own.
pub(in crate::checks) fn whole_routes<'m>(context: &Context<'m>) -> Vec<Whole<'m>> {
    let mut all: Vec<Whole<'m>> = steps(context).into_iter().filter_map(Step::whole).collect();
    let hosts = context.model.hosts.iter().filter(|(_, host)| host.is_delegate());
    let alone = hosts.filter(|(id, _)| context.graph().delegators(&Node::Host(*id)).next().is_none());
    for (_, host) in alone {
        let (home, owner): (_, &Host) = (host.namespace_name(), host);
        let step = |route| Step { host: owner, home, owner, route, parent: None };
        all.extend(owner.routes.iter().map(step).filter_map(Step::whole));
    }
    all
}

impl<'m> Step<'m> {
    /// With what it takes over; `None` if no request meets both conditions.
    fn whole(self) -> Option<Whole<'m>> {
        let own = &self.route.options.shared;
        let Some(parent) = self.parent else {
            let (options, matches) = (Cow::Borrowed(own), Cow::Borrowed(self.route.matches.as_slice()));
            return Some(Whole { step: self, options, matches, incomplete: self.route.incomplete });
        };
        let mut options = own.clone();
        options.inherit(&parent.options.shared);
        let matches = both_hold(&parent.matches, &self.route.matches)?;
        Some(Whole {
            step: self,
            options: Cow::Owned(options),
            matches: Cow::Owned(matches),
            incomplete: self.route.incomplete || parent.incomplete,
        })
    }
}

/// Adds reports of routes with what they take over: one for each place, however many routes delegate to it.
pub(in crate::checks) fn once_for_each_place(found: Vec<Diagnostic>, reports: &mut Vec<Diagnostic>) {
    let mut known = FxHashSet::default();
    reports.extend(found.into_iter().filter(|report| known.insert((report.code, report.span))));
}

impl Step<'_> {
    /// Whether callers in the mesh can take it.
    pub(in crate::checks) fn is_of_the_mesh(&self) -> bool {
        self.host.in_mesh() && holds_in_mesh(self.route) && self.parent.is_none_or(holds_in_mesh)
    }
}

impl Step<'_> {
    /// Whether callers at a gateway that the block is bound to can take it.
    pub(in crate::checks) fn is_taken_at(&self, gateway: Id<Resource<Gateway>>) -> bool {
        let here =
            |one: &Match| one.bindings.is_empty() || one.bindings.contains(&MatchBinding::Gateway(gateway));
        let holds = |route: &Route| route.matches.is_empty() || route.matches.iter().any(here);
        holds(self.route) && self.parent.is_none_or(holds)
    }
}

fn holds_in_mesh(route: &Route) -> bool {
    let in_mesh = |one: &Match| one.bindings.is_empty() || one.bindings.contains(&MatchBinding::Mesh);
    route.matches.is_empty() || route.matches.iter().any(in_mesh)
}

/// The host with which requests arrive at an external or its gateway, if it is none of the external's. Copies have that of their requests.
pub(in crate::checks) fn unknown_host<'m>(
    step: Step<'m>,
    way: Way<'m>,
    external: &Resource<External>,
) -> Option<&'m str> {
    let Step { host, home: _, owner: _, route, parent } = step;
    let known = |name: &str| {
        external.body.hosts.iter().flat_map(|hosts| hosts.iter()).any(|host| host.value.takes(name))
    };
    // What a condition asks of the host is not looked into.
    let asks = |route: &Route| route.matches.iter().any(|one| one.authority.is_some());
    let unclear = external.faulty || route.incomplete || asks(route) || parent.is_some_and(asks);
    if unclear || route.kind != RouteKind::Http {
        return None;
    }
    match given(step, way) {
        Some(given) => (!known(given)).then_some(given),
        None => host.patterns().map(|(pattern, _)| pattern.as_str()).find(|name| !known(name)),
    }
}

/// The host that is given to requests on the way, if there is one. What a delegate says holds over what its parent says.
fn given<'m>(step: Step<'m>, way: Way<'m>) -> Option<&'m str> {
    let routes = || std::iter::once(step.route).chain(step.parent);
    let mut rewrites = routes().flat_map(|route| &route.options.shared.rewrite);
    let rewritten = rewrites.find_map(|rewrite| match &rewrite.kind {
        RewriteKind::Host(host) => Some(host.value.as_str()),
        RewriteKind::Path(_) | RewriteKind::Prefix(_) | RewriteKind::Matches { .. } => None,
    });
    let of_routes = routes().map(|route| route.options.shared.request_headers.as_deref());
    let operations: Vec<_> = of_routes.chain([way.request_headers]).collect();
    rewritten.or_else(|| authority_set(&operations))
}
