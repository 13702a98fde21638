//! Rules: the routes of a host block as one listener of one proxy sees them.

use super::parts;
use super::upstream::Upstreams;
use super::{ConnectionRule, Origin, Plan, Upstream};
use crate::model::{
    Action, Destination, DestinationHeaders, Host, Id, Match, MatchBinding, Mirror, Redirect, Resource,
    Respond, Route, RouteKind, WeightedDestination, merge_matches,
};
use crate::policy::{HeaderOperations, HeaderOperationsBody, SharedRouteOptions};
use crate::reading::Boxed;
use crate::values::{HeaderName, Percent, RedirectCode, Scheme};
use meshc_language::{Span, Spanned};
use smol_str::SmolStr;
use std::sync::Arc;

/// A rule for HTTP requests.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The name of its route; `PARENT-CHILD` for one of a delegate, `default` for one that nobody wrote.
    pub name: SmolStr,
    /// The host block and the position of the route in it; of a delegate, those of the child. `None` for one that nobody wrote.
    pub declared: Option<(Id<Resource<Host>>, usize)>,
    /// The alternatives under which it is taken, any of them; none for every request. Conditions on ports and gateways have been
    /// decided: `ports` and `bindings` are empty.
    pub matches: Vec<Match>,
    /// What is done.
    pub action: RuleAction,
    /// What is done on the way.
    pub options: Arc<SharedRouteOptions>,
    /// Where copies go.
    pub mirrors: Vec<MirroredTo>,
    /// The statement.
    pub span: Span,
}

impl Rule {
    /// Whether it is taken for every request: data planes put it behind the others.
    pub(super) fn takes_every_request(&self) -> bool {
        self.matches.is_empty() || self.matches.iter().any(Match::is_catch_all)
    }

    /// The rule that sends every request to HTTPS.
    pub(super) fn to_https(code: RedirectCode, span: Span) -> Self {
        let redirect = Redirect {
            code: Spanned::new(code, span),
            scheme: Some(Spanned::new(Scheme::Https, span)),
            host: None,
            path: None,
            prefix: None,
            port: None,
            query: None,
            span,
        };
        Self {
            name: SmolStr::new_static("redirect-https"),
            declared: None,
            matches: Vec::new(),
            action: RuleAction::Redirect(Arc::new(redirect)),
            options: Arc::default(),
            mirrors: Vec::new(),
            span,
        }
    }
}

/// What is done with a request.
#[derive(Clone, Debug)]
pub enum RuleAction {
    /// It goes to one of these, by weight; one that has no weight is left out.
    Forward(Vec<WeightedUpstream>),
    /// The caller is sent elsewhere.
    Redirect(Arc<Redirect>),
    /// It is answered.
    Respond(Arc<Respond>),
}

/// An upstream and its share.
#[derive(Clone, Debug)]
pub struct WeightedUpstream {
    /// The upstream.
    pub upstream: Id<Upstream>,
    /// Its share in parts per million; all shares of a rule add up to 1,000,000.
    pub weight: u32,
    /// Header operations for this upstream only.
    pub headers: Option<Arc<DestinationHeaders>>,
    /// Where the destination was written.
    pub span: Span,
}

/// Where a copy of a request goes.
#[derive(Clone, Debug)]
pub struct MirroredTo {
    /// The upstream.
    pub upstream: Id<Upstream>,
    /// The share of requests that are copied.
    pub share: Percent,
    /// The statement.
    pub span: Span,
}

/// Where requests come in: what conditions on gateways and ports are decided by.
#[derive(Clone, Copy)]
pub(super) struct Entrance {
    pub(super) binding: MatchBinding,
    pub(super) port: u16,
}

/// All of the traffic, in parts per million.
const WHOLE: u32 = 1_000_000;

/// The rules for HTTP of a host block.
pub(super) fn http_rules<'m>(
    plan: &Plan<'m, '_>,
    host: Id<Resource<Host>>,
    entrance: Entrance,
    upstreams: &mut Upstreams<'m, '_>,
) -> Vec<Rule> {
    let mut rules = Vec::new();
    let Some(block) = plan.model.hosts.get(host) else { return rules };
    for (at, route) in block.routes.iter().enumerate().filter(|(_, route)| route.kind == RouteKind::Http) {
        let Some(matches) = applicable(plan, route, entrance) else { continue };
        if let Action::Delegate(_) = route.action {
            let Some(child) = plan.index.delegations.get(&(host, at)) else { continue };
            delegated(plan, route, &matches, *child, entrance, upstreams, &mut rules);
            continue;
        }
        rules.extend(rule(plan, route, None, matches, (host, at), entrance, upstreams));
    }
    rules
}

/// Whether some route of a kind in a host block can hold at an entrance.
pub(super) fn some_route_holds(
    plan: &Plan<'_, '_>,
    host: Id<Resource<Host>>,
    kind: RouteKind,
    entrance: Entrance,
) -> bool {
    let Some(block) = plan.model.hosts.get(host) else { return false };
    let mut routes = block.routes.iter().enumerate().filter(|(_, route)| route.kind == kind);
    routes.any(|(at, route)| {
        let Some(outer) = applicable(plan, route, entrance) else { return false };
        let Action::Delegate(_) = route.action else { return true };
        let child = plan.index.delegations.get(&(host, at)).and_then(|child| plan.model.hosts.get(*child));
        let mut inner = child.iter().flat_map(|child| &child.routes);
        inner.any(|route| {
            applicable(plan, route, entrance).is_some_and(|inner| both_hold(&outer, &inner).is_some())
        })
    })
}

/// The rules of a delegate under the condition that delegates to it.
fn delegated<'m>(
    plan: &Plan<'m, '_>,
    parent: &'m Route,
    outer: &[Match],
    child: Id<Resource<Host>>,
    entrance: Entrance,
    upstreams: &mut Upstreams<'m, '_>,
    rules: &mut Vec<Rule>,
) {
    let Some(block) = plan.model.hosts.get(child) else { return };
    for (at, route) in block.routes.iter().enumerate() {
        let Some(inner) = applicable(plan, route, entrance) else { continue };
        let Some(matches) = both_hold(outer, &inner) else { continue };
        rules.extend(rule(plan, route, Some(parent), matches, (child, at), entrance, upstreams));
    }
}

/// The alternatives in which both conditions hold, for a delegate's route and the one that delegates; `None` if there is none.
#[must_use]
pub fn both_hold(outer: &[Match], inner: &[Match]) -> Option<Vec<Match>> {
    if outer.is_empty() || inner.is_empty() {
        return Some([outer, inner].concat());
    }
    let pairs = inner.iter().flat_map(|inner| outer.iter().map(move |outer| (outer, inner)));
    let merged: Vec<Match> = pairs.filter_map(|(outer, inner)| merge_matches(outer, inner)).collect();
    (!merged.is_empty()).then_some(merged)
}

fn rule<'m>(
    plan: &Plan<'m, '_>,
    route: &'m Route,
    parent: Option<&'m Route>,
    matches: Vec<Match>,
    declared: (Id<Resource<Host>>, usize),
    entrance: Entrance,
    upstreams: &mut Upstreams<'m, '_>,
) -> Option<Rule> {
    let action = match &route.action {
        Action::Forward(destinations) => {
            RuleAction::Forward(forward(destinations, route.span, entrance, upstreams))
        }
        Action::Redirect(redirect) => RuleAction::Redirect(Arc::new(Redirect::clone(redirect))),
        Action::Respond(respond) => RuleAction::Respond(Arc::new(Respond::clone(respond))),
        Action::Delegate(_) => return None,
    };
    let name = match parent {
        Some(parent) => SmolStr::new(format!("{}-{}", parent.name.value, route.name.value)),
        None => SmolStr::new(route.name.value.as_str()),
    };
    let (_, own) = parts::options(route);
    let inherited = parent.map_or(&[][..], |parent| parts::options(parent).1);
    let mirrors: Vec<&'m Mirror> = Mirror::joined(inherited, own);
    let mirrors =
        mirrors.iter().filter(|mirror| !plan.is_dropped(mirror.span, route.span)).filter_map(|mirror| {
            let share = mirror.share.map_or(Percent::HUNDRED, |share| share.value);
            let upstream = upstreams.met(&mirror.destination, entrance.port)?;
            (share.ppm() > 0).then_some(MirroredTo { upstream, share, span: mirror.span })
        });
    Some(Rule {
        name,
        declared: Some(declared),
        matches,
        action,
        options: options(plan, route, parent),
        mirrors: mirrors.collect(),
        span: route.span,
    })
}

/// The options of a route, with what it takes over from the route that delegates to it, without what was dropped.
fn options(plan: &Plan<'_, '_>, route: &Route, parent: Option<&Route>) -> Arc<SharedRouteOptions> {
    let kept = |options: &SharedRouteOptions| {
        let options = options.clone();
        if plan.dropped.is_empty() { options } else { without_dropped(plan, options, route.span) }
    };
    let mut options = kept(parts::options(route).0);
    let from = parent.map(|parent| parts::options(parent).0).filter(|from| !from.is_empty());
    if let Some(from) = from {
        let from = kept(from);
        // Of the operations on headers both hold.
        options.inherit(&from);
    }
    Arc::new(options)
}

fn without_dropped(plan: &Plan<'_, '_>, options: SharedRouteOptions, owner: Span) -> SharedRouteOptions {
    let SharedRouteOptions {
        timeout,
        retry,
        mut rewrite,
        mut fault,
        cors,
        request_headers,
        response_headers,
    } = options;
    let keep = |span: Span| !plan.is_dropped(span, owner);
    rewrite.retain(|one| keep(one.span));
    fault.retain(|one| keep(one.span));
    SharedRouteOptions {
        timeout: timeout.filter(|one| keep(one.span)),
        retry: retry.filter(|one| keep(one.span)),
        rewrite,
        fault,
        cors: cors.filter(|one| keep(one.span)),
        request_headers: request_headers.and_then(|one| kept_operations(one, keep)),
        response_headers: response_headers.and_then(|one| kept_operations(one, keep)),
    }
}

/// Each operation stands for itself. A header that the proxy would set and does not is at least removed: whoever reads it takes it
/// for the proxy's word, and must not get that of the caller. `Host` is never without a value.
fn kept_operations(
    mut operations: Boxed<HeaderOperations>,
    keep: impl Fn(Span) -> bool,
) -> Option<Boxed<HeaderOperations>> {
    let HeaderOperations { body: HeaderOperationsBody { set, add, remove }, span, attributes: _ } =
        &mut *operations;
    let is_of_headers = |name: &HeaderName| !name.is_host() && !name.is_pseudo();
    let given_up = set.iter().filter(|one| !keep(one.span) && is_of_headers(&one.name.value));
    let given_up: Vec<Spanned<HeaderName>> = given_up.map(|one| one.name.clone()).collect();
    set.retain(|one| keep(one.span));
    add.retain(|one| keep(one.span));
    remove.retain(|one| keep(one.span));
    for name in given_up {
        if !remove.iter().any(|known| known.value == name.value) {
            remove.push(name);
        }
    }
    let something = keep(*span) && !(set.is_empty() && add.is_empty() && remove.is_empty());
    something.then_some(operations)
}

/// Header operations of one destination, without those that were dropped.
fn kept_headers(
    headers: &DestinationHeaders,
    keep: impl Fn(Span) -> bool,
) -> Option<Arc<DestinationHeaders>> {
    let DestinationHeaders { request, response } = headers;
    let request = request.clone().and_then(|one| kept_operations(one, &keep));
    let response = response.clone().and_then(|one| kept_operations(one, &keep));
    (request.is_some() || response.is_some()).then(|| Arc::new(DestinationHeaders { request, response }))
}

fn forward<'m>(
    destinations: &'m [WeightedDestination],
    owner: Span,
    entrance: Entrance,
    upstreams: &mut Upstreams<'m, '_>,
) -> Vec<WeightedUpstream> {
    let one = |one: &'m WeightedDestination| {
        let WeightedDestination { weight, destination, headers } = one;
        let weight = weight.map_or(WHOLE, |weight| weight.value.ppm());
        (weight > 0).then_some(())?;
        Some(WeightedUpstream {
            upstream: upstreams.met(destination, entrance.port)?,
            weight,
            headers: kept_headers(headers, |span| !upstreams.is_dropped(span, owner)),
            span: destination.span,
        })
    };
    destinations.iter().filter_map(one).collect()
}

/// The only destination of a rule that nobody wrote.
pub(super) fn whole<'m>(
    destination: &Destination,
    upstreams: &mut Upstreams<'m, '_>,
) -> Option<WeightedUpstream> {
    let upstream = upstreams.of(destination)?;
    Some(WeightedUpstream { upstream, weight: WHOLE, headers: None, span: destination.span })
}

/// The rule of a destination for which no host block is written: everything goes to it.
pub(super) fn default_rule<'m>(destination: &Destination, upstreams: &mut Upstreams<'m, '_>) -> Option<Rule> {
    Some(Rule {
        name: SmolStr::new_static("default"),
        declared: None,
        matches: Vec::new(),
        action: RuleAction::Forward(vec![whole(destination, upstreams)?]),
        options: Arc::default(),
        mirrors: Vec::new(),
        span: destination.span,
    })
}

/// The rules for connections of one kind in a host block.
pub(super) fn connection_rules<'m>(
    plan: &Plan<'m, '_>,
    host: Id<Resource<Host>>,
    kind: RouteKind,
    entrance: Entrance,
    upstreams: &mut Upstreams<'m, '_>,
) -> Vec<ConnectionRule> {
    let mut rules = Vec::new();
    let Some(block) = plan.model.hosts.get(host) else { return rules };
    let origin = Origin::Host(host);
    for route in block.routes.iter().filter(|route| route.kind == kind) {
        let Some(matches) = applicable(plan, route, entrance) else { continue };
        let Action::Forward(destinations) = &route.action else { continue };
        let to = forward(destinations, route.span, entrance, upstreams);
        for (sni, matches) in by_server_name(matches) {
            let name = SmolStr::new(route.name.value.as_str());
            rules.push(ConnectionRule { name, sni, matches, to: to.clone(), origin, span: route.span });
        }
    }
    rules
}

/// The alternatives of a condition, those with the same server names together.
fn by_server_name(matches: Vec<Match>) -> Vec<(Vec<crate::values::SniHost>, Vec<Match>)> {
    let mut groups: Vec<(Vec<crate::values::SniHost>, Vec<Match>)> = Vec::new();
    if matches.is_empty() {
        groups.push((Vec::new(), Vec::new()));
    }
    for mut one in matches {
        let sni = std::mem::take(&mut one.sni);
        match groups.iter_mut().find(|(known, _)| *known == sni) {
            Some((_, group)) => group.push(one),
            None => groups.push((sni, vec![one])),
        }
    }
    for (_, group) in &mut groups {
        // An alternative that asks for nothing else holds for every connection with these names.
        if group.contains(&Match::default()) {
            group.clear();
        }
    }
    groups
}

/// The alternatives of a route's condition that can hold at an entrance, with what the entrance decides taken out; `None` if
/// there is none, or if the route was dropped.
fn applicable(plan: &Plan<'_, '_>, route: &Route, entrance: Entrance) -> Option<Vec<Match>> {
    if plan.is_dropped(route.span, route.span) {
        return None;
    }
    if route.matches.is_empty() {
        return Some(Vec::new());
    }
    let here = |one: &&Match| {
        (one.ports.is_empty() || one.ports.iter().any(|port| port.get() == entrance.port))
            && (one.bindings.is_empty() || one.bindings.contains(&entrance.binding))
            && plan.sidecar.is_none_or(|sidecar| sidecar.is_meant(one))
    };
    let decided = |one: &Match| {
        let mut one = Match { ports: Vec::new(), bindings: Vec::new(), ..one.clone() };
        if plan.sidecar.is_some() {
            (one.source_namespace, one.source_labels) = (None, Vec::new());
        }
        one
    };
    let matches: Vec<Match> = route.matches.iter().filter(here).map(decided).collect();
    if matches.is_empty() {
        return None;
    }
    // One that is left without any comparison holds for every request.
    Some(if matches.contains(&Match::default()) { Vec::new() } else { matches })
}
