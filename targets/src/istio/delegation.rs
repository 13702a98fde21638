//! Delegation as Istio does it, and the sources written so that it comes out as they mean.
//!
//! Istio joins each match of a delegate's rule with each match of the rule that delegates, and drops a rule of which one match
//! fits none of them. Whether two fit is decided by a table, not by meaning: expressions and "is there" fit nothing, themselves
//! included; letter case must be ignored by both or by none; the namespace of the client must stand in both (istiod,
//! `mergeHTTPMatchRequests`). Where the table would drop what the sources mean, the whole condition is written into the delegate,
//! once for each condition that delegates; if that does not fit either, what stands in the way is taken out of the rule that
//! delegates, which can be done only where there is one such condition. What remains is reported.

use super::api::{HttpMatchRequest, StringMap, StringMatch};
use super::asked::Delegators;
use super::headers;
use super::inherited::Inherited;
use super::matches;
use super::name::GatewayNames;
use super::rewrite;
use super::virtual_service::redirect;
use meshc_compiler::model::{Host, Id, Match, Mirror, Model, Resource, Route, RouteKind};
use meshc_compiler::policy::{HeaderOperations, Timeout};
use meshc_compiler::routing::both_hold;
use meshc_language::{Code, Diagnostic, Span};
use rustc_hash::{FxHashMap, FxHashSet};

/// A route: its host block, and its position in it.
type Place = (Id<Resource<Host>>, usize);

/// What is written otherwise than the sources say it.
#[derive(Debug, Default)]
pub(super) struct Folded {
    /// The conditions of rules that delegate.
    roots: FxHashMap<Place, Vec<Match>>,
    /// The conditions under which a rule of a delegate is written, once for each.
    leaves: FxHashMap<Place, Vec<Vec<Match>>>,
    /// The operations on headers that a rule of a delegate gets in place of its own: of the request, and of the response.
    headers: FxHashMap<Place, Operations>,
    /// The rewrites and faults of rules that Istio would not take over as they are meant.
    inherited: FxHashMap<Place, Inherited>,
    /// Rules of which the mirrors are written as a list: Istio takes over the single mirror, its percentage and the list each
    /// for itself.
    lists: FxHashSet<Place>,
    /// The mirrors of rules that have their own beside those of the rule that delegates, of which Istio would take over none.
    mirrors: FxHashMap<Place, Vec<Mirror>>,
    /// What Istio would drop.
    pub(super) reports: Vec<Diagnostic>,
}

/// Operations on headers of the request, and of the response.
type Operations = (Option<HeaderOperations>, Option<HeaderOperations>);

/// A route that delegates.
struct Root<'m> {
    place: Place,
    route: &'m Route,
}

impl Folded {
    pub(super) fn of(model: &Model, delegators: &Delegators<'_>, names: &GatewayNames<'_>) -> Self {
        let mut folded = Self::default();
        for (id, child) in model.hosts.iter().filter(|(_, host)| host.is_delegate()) {
            let Some(parents) = delegators.get(&id) else { continue };
            let roots: Vec<Root<'_>> =
                parents.iter().map(|(parent, at, route)| Root { place: (*parent, *at), route }).collect();
            folded.conditions(id, child, &roots, names);
            folded.headers(id, child, &roots);
            folded.options(id, child, &roots);
            folded.inherit(id, child, &roots);
        }
        folded
    }

    /// Whether the mirrors of a rule are written as a list.
    pub(super) fn lists_mirrors(&self, place: Place) -> bool {
        self.lists.contains(&place)
    }

    /// The mirrors of a rule.
    pub(super) fn mirrors_of<'r>(&'r self, place: Place, route: &'r Route) -> &'r [Mirror] {
        self.mirrors.get(&place).map_or(&route.options.mirrors, Vec::as_slice)
    }

    /// The rewrites and faults that a rule is written with, if they are not its own.
    pub(super) fn inherited(&self, place: Place) -> Option<&Inherited> {
        self.inherited.get(&place)
    }

    /// The conditions under which a rule is written.
    pub(super) fn conditions_of<'r>(&'r self, place: Place, route: &'r Route) -> Vec<&'r [Match]> {
        match (self.roots.get(&place), self.leaves.get(&place)) {
            (Some(root), _) => vec![root],
            (None, Some(leaves)) => leaves.iter().map(Vec::as_slice).collect(),
            (None, None) => vec![&route.matches],
        }
    }

    /// The operations on headers of a rule.
    pub(super) fn headers_of<'r>(
        &'r self,
        place: Place,
        route: &'r Route,
    ) -> (Option<&'r HeaderOperations>, Option<&'r HeaderOperations>) {
        match self.headers.get(&place) {
            Some((request, response)) => (request.as_ref(), response.as_ref()),
            None => own_headers(route),
        }
    }

    fn conditions(
        &mut self,
        id: Id<Resource<Host>>,
        child: &Resource<Host>,
        roots: &[Root<'_>],
        names: &GatewayNames<'_>,
    ) {
        let mut distinct: Vec<&[Match]> = Vec::new();
        for root in roots {
            if !distinct.contains(&root.route.matches.as_slice()) {
                distinct.push(&root.route.matches);
            }
        }
        let rules: Vec<(usize, &Route)> = child.declared.routes.iter().enumerate().collect();
        let http = || rules.iter().filter(|(_, route)| route.kind == RouteKind::Http && !route.incomplete);
        let prefixes_of_own = |route: &Route| roots.iter().all(|root| replaces_own_prefix(root.route, route));
        let fits = |route: &Route| {
            prefixes_of_own(route)
                && distinct.iter().all(|root| survives(names, root, &[&route.matches], route))
        };
        let lost: Vec<&(usize, &Route)> = http().filter(|(_, route)| !fits(route)).collect();
        if lost.is_empty() {
            return;
        }
        // As it is meant under each condition, with a match for each method.
        let written = |route: &Route| -> Vec<Vec<Match>> {
            distinct.iter().filter_map(|root| both_hold(root, &route.matches)).map(by_method).collect()
        };
        let by_methods: Vec<Vec<Match>> = distinct.iter().map(|root| by_method(root.to_vec())).collect();
        let fits_folded = |route: &Route| {
            let written = written(route);
            let slices: Vec<&[Match]> = written.iter().map(Vec::as_slice).collect();
            by_methods.iter().all(|root| survives(names, root, &slices, route))
        };
        if http().all(|(_, route)| fits(route) || fits_folded(route)) {
            for root in roots {
                let methods = by_method(root.route.matches.clone());
                self.roots.extend((methods != root.route.matches).then_some((root.place, methods)));
            }
            self.leaves.extend(lost.iter().map(|(at, route)| ((id, *at), written(route))));
            return;
        }
        let ([only], [by_methods]) = (distinct.as_slice(), by_methods.as_slice()) else {
            self.reports.extend(
                lost.iter().filter(|(_, route)| !fits_folded(route)).map(|(_, route)| dropped(route, roots)),
            );
            return;
        };
        let all: Vec<((usize, &Route), Vec<Match>)> = http()
            .filter_map(|(at, route)| Some(((*at, *route), by_method(both_hold(only, &route.matches)?))))
            .collect();
        let wider = widened(
            names,
            by_methods,
            &all.iter().map(|(_, matches)| matches.as_slice()).collect::<Vec<_>>(),
        );
        for ((at, route), matches) in all {
            if survives_as(names, &wider, &[&matches], &matches) {
                self.leaves.insert((id, at), vec![matches]);
            } else {
                self.reports.push(dropped(route, roots));
            }
        }
        self.roots.extend(roots.iter().map(|root| (root.place, wider.clone())));
    }

    /// Options that a rule has in place of those of the rule that delegates.
    fn options(&mut self, id: Id<Resource<Host>>, child: &Resource<Host>, roots: &[Root<'_>]) {
        for (at, route) in child.declared.routes.iter().enumerate() {
            let mirroring = roots.iter().filter(|root| !root.route.options.mirrors.is_empty());
            if !route.options.mirrors.is_empty() {
                let places: Vec<Place> = mirroring.map(|root| root.place).collect();
                if !places.is_empty() {
                    self.mirrors(id, at, route, roots);
                    self.lists.insert((id, at));
                }
                self.lists.extend(places);
            }
            let Some(Timeout { limit: None, span }) = &route.options.shared.timeout else { continue };
            let limited = |root: &&Root<'_>| {
                root.route.options.shared.timeout.as_ref().is_some_and(|timeout| timeout.limit.is_some())
            };
            self.reports.extend(roots.iter().find(limited).map(|root| unlimited(*span, root.route)));
        }
    }

    /// Mirrors of a rule beside those of the rules that delegate.
    fn mirrors(&mut self, id: Id<Resource<Host>>, at: usize, route: &Route, roots: &[Root<'_>]) {
        let own = &route.options.mirrors;
        let mut all = roots.iter().map(|root| Mirror::joined(&root.route.options.mirrors, own));
        let Some(first) = all.next() else { return };
        let alike = |one: &Vec<&Mirror>| {
            one.len() == first.len() && one.iter().zip(&first).all(|(one, first)| one.says_the_same(first))
        };
        if all.all(|one| alike(&one)) {
            self.mirrors.insert((id, at), first.into_iter().cloned().collect());
        } else {
            self.reports.push(options_lost(route, roots));
        }
    }

    fn inherit(&mut self, id: Id<Resource<Host>>, child: &Resource<Host>, roots: &[Root<'_>]) {
        for (at, route) in child.declared.routes.iter().enumerate() {
            if route.kind != RouteKind::Http {
                continue;
            }
            let all: Vec<Option<Inherited>> =
                roots.iter().map(|root| Inherited::new(root.route, route)).collect();
            if all.iter().all(Option::is_none) {
                continue;
            }
            let own = vec![route.matches.clone()];
            let written = self.leaves.get(&(id, at)).unwrap_or(&own);
            let alike = |one: &Inherited| {
                all.iter().flatten().all(|other| one.is_written_alike(other, &route.matches))
            };
            let fits = |one: &Inherited| {
                all.iter().flatten().next().is_some_and(alike)
                    || written.iter().all(|matches| one.can_be_written(matches))
            };
            match Inherited::together(&all).filter(fits) {
                Some(together) => drop(self.inherited.insert((id, at), together)),
                None => self.reports.push(options_lost(route, roots)),
            }
        }
    }

    /// Istio takes over all operations on headers of the rule that delegates, or none: those of a rule that has its own are
    /// written into it, and so are those that its destinations say otherwise.
    fn headers(&mut self, id: Id<Resource<Host>>, child: &Resource<Host>, roots: &[Root<'_>]) {
        for (at, route) in child.declared.routes.iter().enumerate() {
            let (request, response) = own_headers(route);
            let says_nothing = request.is_none() && response.is_none();
            let meets = |root: &Root<'_>| headers::meet(own_headers(root.route), &route.action);
            if says_nothing && !roots.iter().any(meets) {
                continue;
            }
            let joined = |root: &Root<'_>| -> Operations {
                let (of_root, back_of_root) = own_headers(root.route);
                (HeaderOperations::joined(of_root, request), HeaderOperations::joined(back_of_root, response))
            };
            let mut variants: Vec<Operations> = Vec::new();
            for root in roots {
                let one = joined(root);
                if !variants.contains(&one) {
                    variants.push(one);
                }
            }
            match variants.pop() {
                Some(one)
                    if variants.is_empty()
                        && headers::can_be_written((one.0.as_ref(), one.1.as_ref()), &route.action) =>
                {
                    self.headers.insert((id, at), one);
                }
                Some(_) => self.reports.push(headers_lost(route, roots)),
                None => {}
            }
        }
    }
}

fn own_headers(route: &Route) -> (Option<&HeaderOperations>, Option<&HeaderOperations>) {
    let shared = &route.options.shared;
    (shared.request_headers.as_deref(), shared.response_headers.as_deref())
}

/// Whether a prefix that is replaced is one of the route's own conditions, or one for all alternatives: of a segment prefix of the
/// route that delegates, and of alternatives with different ones, Istio's joined rule would say only one thing.
fn replaces_own_prefix(root: &Route, leaf: &Route) -> bool {
    let Some(held) = both_hold(&root.matches, &leaf.matches) else { return true };
    if !redirect::is_one(&leaf.action, &held) {
        return redirect::asks_the_same(&held, &leaf.matches);
    }
    let mut all = leaf.options.shared.clone();
    all.inherit(&root.options.shared);
    rewrite::does_for_all(&all.rewrite, &held) || redirect::asks_the_same(&held, &leaf.matches)
}

/// Each alternative with several methods as one for each.
fn by_method(matches: Vec<Match>) -> Vec<Match> {
    let mut all = Vec::with_capacity(matches.len());
    for one in matches {
        if one.methods.len() < 2 {
            all.push(one);
            continue;
        }
        all.extend(one.methods.iter().map(|method| Match { methods: vec![method.clone()], ..one.clone() }));
    }
    all
}

/// Whether Istio makes of a rule that is written under `leaves` what is meant by it under `root`.
fn survives(names: &GatewayNames<'_>, root: &[Match], leaves: &[&[Match]], route: &Route) -> bool {
    match both_hold(root, &route.matches) {
        // What is meant for nobody may be dropped.
        None => true,
        Some(meant) => survives_as(names, root, leaves, &meant),
    }
}

fn survives_as(names: &GatewayNames<'_>, root: &[Match], leaves: &[&[Match]], meant: &[Match]) -> bool {
    let root = requests(names, root);
    let joined: Vec<HttpMatchRequest> =
        leaves.iter().filter_map(|leaf| joined(&root, &requests(names, leaf))).flatten().collect();
    let meant = requests(names, meant);
    if meant.is_empty() {
        // It takes everything: so must one of the rules.
        return leaves.iter().any(|leaf| leaf.is_empty()) && root.is_empty();
    }
    meant.iter().all(|one| joined.contains(one))
}

fn requests(names: &GatewayNames<'_>, matches: &[Match]) -> Vec<HttpMatchRequest> {
    let mut requests = Vec::new();
    for one in matches {
        matches::http(names, one, &mut requests);
    }
    requests
}

/// What Istio makes of a delegate's rule; `None` if it drops the rule.
fn joined(root: &[HttpMatchRequest], leaf: &[HttpMatchRequest]) -> Option<Vec<HttpMatchRequest>> {
    if root.is_empty() || leaf.is_empty() {
        return Some([root, leaf].concat());
    }
    let mut all = Vec::new();
    for inner in leaf {
        let before = all.len();
        all.extend(
            root.iter().filter(|outer| obstacles(outer, inner).is_empty()).map(|outer| join(outer, inner)),
        );
        if all.len() == before {
            return None;
        }
    }
    Some(all)
}

/// A part of a match that keeps a delegate's match from fitting.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Obstacle {
    Path,
    Scheme,
    Method,
    Authority,
    Header(smol_str::SmolStr),
    Without(smol_str::SmolStr),
    Query(smol_str::SmolStr),
    Port,
    Namespace,
    Labels,
    Gateways,
}

/// What keeps a match of a delegate from fitting one of the rule that delegates (istiod, `hasConflict`).
fn obstacles(root: &HttpMatchRequest, leaf: &HttpMatchRequest) -> Vec<Obstacle> {
    let mut found = Vec::new();
    let case_differs = root.ignore_uri_case.unwrap_or(false) != leaf.ignore_uri_case.unwrap_or(false);
    if case_differs || differs(root.uri.as_ref(), leaf.uri.as_ref()) {
        found.push(Obstacle::Path);
    }
    let texts = [
        (Obstacle::Scheme, &root.scheme, &leaf.scheme),
        (Obstacle::Method, &root.method, &leaf.method),
        (Obstacle::Authority, &root.authority, &leaf.authority),
    ];
    found.extend(
        texts
            .into_iter()
            .filter(|(_, root, leaf)| differs(root.as_deref(), leaf.as_deref()))
            .map(|(obstacle, _, _)| obstacle),
    );
    found.extend(named(&root.headers, &leaf.headers).map(Obstacle::Header));
    found.extend(named(&root.without_headers, &leaf.without_headers).map(Obstacle::Without));
    found.extend(named(&root.query_params, &leaf.query_params).map(Obstacle::Query));
    if root.port.zip(leaf.port).is_some_and(|(root, leaf)| root != leaf) {
        found.push(Obstacle::Port);
    }
    if root.source_namespace.is_some() && root.source_namespace != leaf.source_namespace {
        found.push(Obstacle::Namespace);
    }
    if leaf
        .source_labels
        .iter()
        .any(|(key, value)| root.source_labels.get(key).is_some_and(|own| own != value))
    {
        found.push(Obstacle::Labels);
    }
    let outside = |gateway| !root.gateways.contains(gateway);
    if !root.gateways.is_empty() && leaf.gateways.iter().any(outside) {
        found.push(Obstacle::Gateways);
    }
    found
}

fn named<'r>(
    root: &'r StringMap<StringMatch>,
    leaf: &'r StringMap<StringMatch>,
) -> impl Iterator<Item = smol_str::SmolStr> + 'r {
    leaf.iter().filter(|(name, test)| differs(root.get(name), Some(test))).map(|(name, _)| name.clone())
}

/// Whether Istio sees a conflict between two comparisons of one thing (istiod, `stringMatchConflict`).
fn differs(root: Option<&StringMatch>, leaf: Option<&StringMatch>) -> bool {
    let (Some(root), Some(leaf)) = (root, leaf) else { return false };
    match (root, leaf) {
        (StringMatch { regex: Some(_), exact: _, prefix: _ }, _)
        | (_, StringMatch { regex: Some(_), exact: _, prefix: _ }) => true,
        (StringMatch { exact: Some(root), prefix: _, regex: _ }, leaf) => leaf.exact.as_ref() != Some(root),
        (StringMatch { prefix: Some(root), exact: _, regex: _ }, leaf) => {
            let longer = leaf.exact.as_ref().or(leaf.prefix.as_ref());
            longer.is_none_or(|leaf| !leaf.starts_with(root.as_str()))
        }
        // "Is there" fits nothing.
        (StringMatch { exact: None, prefix: None, regex: None }, _) => true,
    }
}

/// The joined match (istiod, `mergeHTTPMatchRequest`).
fn join(root: &HttpMatchRequest, leaf: &HttpMatchRequest) -> HttpMatchRequest {
    let HttpMatchRequest {
        name,
        uri,
        scheme,
        method,
        authority,
        headers,
        port,
        source_labels,
        gateways,
        query_params,
        ignore_uri_case,
        without_headers,
        source_namespace,
        stat_prefix,
    } = leaf.clone();
    HttpMatchRequest {
        name: name.or_else(|| root.name.clone()),
        uri: uri.or_else(|| root.uri.clone()),
        scheme: scheme.or_else(|| root.scheme.clone()),
        method: method.or_else(|| root.method.clone()),
        authority: authority.or_else(|| root.authority.clone()),
        headers: united(&root.headers, headers),
        port: port.or(root.port),
        source_labels: united(&root.source_labels, source_labels),
        gateways: if gateways.is_empty() { root.gateways.clone() } else { gateways },
        query_params: united(&root.query_params, query_params),
        ignore_uri_case,
        without_headers: united(&root.without_headers, without_headers),
        source_namespace: source_namespace.or_else(|| root.source_namespace.clone()),
        stat_prefix: stat_prefix.or_else(|| root.stat_prefix.clone()),
    }
}

fn united<V: Clone>(root: &StringMap<V>, leaf: StringMap<V>) -> StringMap<V> {
    let mut all = root.clone();
    all.extend(leaf);
    all
}

/// The condition that delegates, without what keeps the whole conditions of the delegate from fitting it.
fn widened(names: &GatewayNames<'_>, root: &[Match], leaves: &[&[Match]]) -> Vec<Match> {
    let mut wider = root.to_vec();
    // Each round takes out at least one part of all alternatives.
    loop {
        let found = in_the_way(names, &wider, leaves);
        if found.is_empty() {
            return wider;
        }
        for one in &mut wider {
            found.iter().for_each(|obstacle| take_out(one, obstacle));
        }
        let mut distinct: Vec<Match> = Vec::new();
        for one in wider {
            if !distinct.contains(&one) {
                distinct.push(one);
            }
        }
        if distinct.contains(&Match::default()) {
            return Vec::new();
        }
        wider = distinct;
    }
}

/// What keeps some match of the delegate from fitting any of the rule that delegates: of the one that comes nearest.
fn in_the_way(names: &GatewayNames<'_>, root: &[Match], leaves: &[&[Match]]) -> Vec<Obstacle> {
    let root = requests(names, root);
    let mut found: Vec<Obstacle> = Vec::new();
    for inner in leaves.iter().flat_map(|leaf| requests(names, leaf)) {
        let nearest = root.iter().map(|outer| obstacles(outer, &inner)).min_by_key(Vec::len);
        for obstacle in nearest.into_iter().flatten() {
            if !found.contains(&obstacle) {
                found.push(obstacle);
            }
        }
    }
    found
}

fn take_out(one: &mut Match, obstacle: &Obstacle) {
    match obstacle {
        Obstacle::Path => one.path = None,
        Obstacle::Scheme => one.scheme = None,
        Obstacle::Method => one.methods.clear(),
        Obstacle::Authority => one.authority = None,
        Obstacle::Header(name) => one.headers.retain(|(own, _)| own.as_str() != name.as_str()),
        Obstacle::Without(name) => one.without.retain(|(own, _)| own.as_str() != name.as_str()),
        Obstacle::Query(name) => one.query.retain(|(own, _)| own != name),
        Obstacle::Port => one.ports.clear(),
        Obstacle::Namespace => one.source_namespace = None,
        Obstacle::Labels => one.source_labels.clear(),
        Obstacle::Gateways => one.bindings.clear(),
    }
}

fn dropped(route: &Route, roots: &[Root<'_>]) -> Diagnostic {
    let message = format!(
        "Istio cannot merge the condition of route `{}` with the delegating conditions",
        route.name.value
    );
    let mut report =
        Diagnostic::new(Code::DELEGATION_INEXPRESSIBLE, route.condition.unwrap_or(route.name.span), message);
    for root in roots {
        report = report.related(root.route.condition.unwrap_or(root.route.name.span), "delegated from here");
    }
    report
        .consequence("Istio would drop the route silently: its requests go to a later route, or get 404")
        .help("use `path is` or `path prefix` in the delegating routes, and move the rest of the condition into the delegate")
}

fn unlimited(span: Span, root: &Route) -> Diagnostic {
    let report = Diagnostic::new(
        Code::DELEGATION_INEXPRESSIBLE,
        span,
        "Istio cannot remove the timeout of the delegating route",
    );
    let report = match &root.options.shared.timeout {
        Some(timeout) => report.related(timeout.span, "the timeout that would apply"),
        None => report,
    };
    report
        .consequence("Istio copies the timeout wherever the delegate has none, and has no field for `off`")
        .help("move the timeout from the delegating route into the routes of the delegate")
}

fn options_lost(route: &Route, roots: &[Root<'_>]) -> Diagnostic {
    let message = format!(
        "route `{}` takes over different rewrites, faults or mirrors from the routes that delegate to it",
        route.name.value
    );
    let mut report = Diagnostic::new(Code::DELEGATION_INEXPRESSIBLE, route.name.span, message);
    for root in roots {
        report = report.related(root.route.name.span, "delegated from here");
    }
    report
        .consequence(
            "Istio writes a delegate's route once, with one rewrite, one fault and one list of mirrors",
        )
        .help("write these options into the route of the delegate, or use a delegate for each")
}

fn headers_lost(route: &Route, roots: &[Root<'_>]) -> Diagnostic {
    let shared = &route.options.shared;
    let own = shared.request_headers.as_ref().map(|one| one.span);
    let span = own.or(shared.response_headers.as_ref().map(|one| one.span)).unwrap_or(route.name.span);
    let message = "these header operations would replace those of the delegating routes";
    let mut report = Diagnostic::new(Code::DELEGATION_INEXPRESSIBLE, span, message);
    for root in roots {
        let shared = &root.route.options.shared;
        let theirs = [shared.request_headers.as_ref(), shared.response_headers.as_ref()];
        for one in theirs.into_iter().flatten() {
            report = report.related(one.span, "operations of a delegating route");
        }
    }
    report
        .consequence("Istio copies all header operations of the delegating route, or none")
        .help("write the same header operations in every delegating route, or move them into the delegate")
}
