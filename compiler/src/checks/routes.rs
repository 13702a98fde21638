//! Routes: what admission refuses (rules V of the API), what Istio ignores, and what can never happen.

use super::Context;
use super::cover::{covers, takes_everything};
use super::earlier::Earlier;
use super::externals::steps::{Step, once_for_each_place, steps};
use super::services::is_visible;
use crate::model::{
    Action, DestinationId, Host, Id, Match, MatchBinding, Redirect, RedirectQuery, Resource, Route,
    RouteKind, WeightedDestination,
};
use crate::values::MatchHeaderName;
use meshc_language::{Code, Diagnostic, Span, Spanned};
use rayon::prelude::*;
use rustc_hash::FxHashMap;

/// One route with what stands around it.
struct Site<'m> {
    context: &'m Context<'m>,
    host: &'m Resource<Host>,
    route: &'m Route,
}

type RouteCheck = fn(&Site<'_>, &mut Vec<Diagnostic>);

/// Checks of one route.
const ROUTE_CHECKS: &[RouteCheck] = &[
    sides_fit_the_kind,
    names_asked_for_belong_to_the_host,
    no_ignored_condition,
    bindings_are_bound,
    ports_are_served,
    claims_are_checked,
    options_have_effect,
    one_fault_of_a_kind,
    redirect_changes_something,
    no_destination_twice,
    body_is_small,
    answer_fits_its_status,
];

/// All checks of routes.
pub(super) fn check(context: &Context<'_>, reports: &mut Vec<Diagnostic>) {
    let hosts = context.model.hosts.as_slice();
    let found: Vec<Diagnostic> =
        hosts.par_iter().with_min_len(32).flat_map_iter(|host| check_host(context, host)).collect();
    reports.extend(found);
    destinations_are_visible(context, reports);
}

fn check_host(context: &Context<'_>, host: &Resource<Host>) -> Vec<Diagnostic> {
    let mut reports = Vec::new();
    names_are_unique(host, &mut reports);
    every_route_is_reachable(host, &mut reports);
    for route in &host.routes {
        let site = Site { context, host, route };
        for check in ROUTE_CHECKS {
            check(&site, &mut reports);
        }
    }
    reports
}

/// Tests, statistics and diffs name routes.
fn names_are_unique(host: &Host, reports: &mut Vec<Diagnostic>) {
    let mut names: FxHashMap<&str, &Route> = FxHashMap::default();
    for route in &host.routes {
        let name = route.name.value.as_str();
        if let Some(earlier) = names.get(name) {
            let message = format!("route `{}` is declared twice in this host", route.name.value);
            reports.push(
                Diagnostic::new(Code::DUPLICATE_DECLARATION, route.name.span, message)
                    .related(earlier.name.span, "first declared here")
                    .consequence("statistics and logs could not distinguish the two")
                    .help("give it another name"),
            );
        } else {
            names.insert(name, route);
        }
    }
}

/// V35, V36: the first route that matches is taken, so one that is covered by earlier ones never is.
fn every_route_is_reachable(host: &Host, reports: &mut Vec<Diagnostic>) {
    let everything = Match::default();
    for kind in [RouteKind::Http, RouteKind::Tls, RouteKind::Tcp] {
        let routes =
            || host.routes.iter().enumerate().filter(|(_, route)| route.kind == kind && !route.incomplete);
        let alternatives =
            |(at, route)| all_alternatives(route, &everything).iter().map(move |one| (at, one));
        let earlier = Earlier::new(routes().flat_map(alternatives).collect());
        for (at, route) in routes() {
            let covering = covering(host, at, all_alternatives(route, &everything), &earlier);
            if let Some(first) = covering.first() {
                reports.push(unreachable(route, first, &covering));
            }
        }
    }
}

/// The alternatives of a route; `everything` for one without a condition, none for one whose condition could not be read.
fn all_alternatives<'r>(route: &'r Route, everything: &'r Match) -> &'r [Match] {
    let unconditional = route.matches.is_empty() && route.condition.is_none();
    if unconditional { std::slice::from_ref(everything) } else { &route.matches }
}

/// The earlier routes that together take all alternatives of one; none where they leave something.
fn covering<'m>(host: &'m Host, at: usize, mine: &[Match], earlier: &Earlier<'_>) -> Vec<&'m Route> {
    let mut covering: Vec<usize> = Vec::new();
    for one in mine {
        match earlier.first(one, at, |outer| covers(outer, one)) {
            Some(by) if covering.contains(&by) => {}
            Some(by) => covering.push(by),
            None => return Vec::new(),
        }
    }
    covering.into_iter().filter_map(|at| host.routes.get(at)).collect()
}

fn unreachable(route: &Route, first: &Route, covering: &[&Route]) -> Diagnostic {
    let names: Vec<String> = covering.iter().map(|route| format!("`{}`", route.name.value)).collect();
    let message = format!(
        "route `{}` is never reached: {} matches all of its requests",
        route.name.value,
        names.join(", ")
    );
    let span = route.condition.unwrap_or(route.name.span);
    let everything = first.matches.is_empty() || first.matches.iter().any(takes_everything);
    let mut report = Diagnostic::new(Code::UNREACHABLE_ROUTE, span, message);
    for one in covering {
        report = report.related(one.condition.unwrap_or(one.name.span), "this route comes first");
    }
    let mine_too = route.matches.is_empty() || route.matches.iter().any(takes_everything);
    report.consequence("the first matching route is used; this one would get no requests").help(
        if everything && mine_too {
            "remove one of the two, or add a condition to the first".to_owned()
        } else if everything {
            format!("move `{}` to the end", first.name.value)
        } else {
            format!("move it before `{}`, or remove it", first.name.value)
        },
    )
}

/// A route for requests looks at requests, one for connections at connections.
fn sides_fit_the_kind(site: &Site<'_>, reports: &mut Vec<Diagnostic>) {
    let route = site.route;
    let Some(condition) = route.condition else {
        if route.kind == RouteKind::Tls {
            let message = "a `tls route` needs a server name (`sni`)";
            let report = Diagnostic::new(Code::SERVER_NAME_NEEDED, route.span, message);
            reports.push(
                report.consequence("Istio would refuse the virtual service").help("add `when sni NAME`"),
            );
        }
        return;
    };
    for one in &route.matches {
        let request = asks_of_request(one);
        let refused = match route.kind {
            RouteKind::Http if !one.sni.is_empty() => Some("the server name (SNI)"),
            RouteKind::Http if !one.destinations.is_empty() => Some("the original destination address"),
            RouteKind::Tcp if !one.sni.is_empty() => Some("the server name (SNI)"),
            RouteKind::Tls | RouteKind::Tcp if request.is_some() => request,
            RouteKind::Tls if one.sni.is_empty() => {
                let message = "a `tls route` needs a server name (`sni`) in every alternative";
                reports.push(
                    Diagnostic::new(Code::SERVER_NAME_NEEDED, condition, message)
                        .consequence("Istio would refuse the virtual service")
                        .help("add `and sni NAME`"),
                );
                return;
            }
            RouteKind::Http | RouteKind::Tls | RouteKind::Tcp => None,
        };
        if let Some(refused) = refused {
            let message = format!("a `{}` has no conditions on {refused}", route.kind.word());
            reports.push(
                Diagnostic::new(Code::WRONG_CONDITION, condition, message)
                    .consequence("Istio has no such match here; the condition would be lost")
                    .help("use another kind of route, or remove this part"),
            );
            return;
        }
    }
}

fn asks_of_request(one: &Match) -> Option<&'static str> {
    if one.path.is_some() {
        Some("the path")
    } else if !one.methods.is_empty() {
        Some("the method")
    } else if !one.headers.is_empty() || !one.without.is_empty() {
        Some("headers")
    } else if !one.query.is_empty() {
        Some("query parameters")
    } else if one.authority.is_some() || one.scheme.is_some() {
        Some("the host or scheme of a request")
    } else {
        None
    }
}

/// V32: the names of a tls route lie inside the names of its host.
fn names_asked_for_belong_to_the_host(site: &Site<'_>, reports: &mut Vec<Diagnostic>) {
    let Some(condition) = site.route.condition.filter(|_| site.route.kind == RouteKind::Tls) else { return };
    for sni in site.route.matches.iter().flat_map(|one| &one.sni) {
        if !site.host.patterns().any(|(host, _)| host.covers(sni.as_host())) {
            let message = format!("`{}` is not among the names of this host", sni.as_str());
            let mut report = Diagnostic::new(Code::SNI_OUTSIDE_HOST, condition, message)
                .consequence("Istio would refuse the virtual service")
                .help("add it to the host block, or use one of its names");
            if let Some(name) = site.host.names.first() {
                report = report.related(name.span, "the names of the host");
            }
            reports.push(report);
            return;
        }
    }
}

/// Istio does not look at the caller where a condition names a gateway.
fn no_ignored_condition(site: &Site<'_>, reports: &mut Vec<Diagnostic>) {
    let Some(condition) = site.route.condition.filter(|_| site.route.kind == RouteKind::Http) else { return };
    let ignored = |one: &Match| {
        !one.bindings.is_empty() && (one.source_namespace.is_some() || !one.source_labels.is_empty())
    };
    if site.route.matches.iter().any(ignored) {
        reports.push(
            Diagnostic::new(Code::IGNORED_CONDITION, condition, "`source` has no effect beside `gateway`")
                .consequence("Istio would match requests of every client")
                .help("split it into two routes, or remove one of the two"),
        );
    }
}

/// H9: a condition can only name where the host is bound.
fn bindings_are_bound(site: &Site<'_>, reports: &mut Vec<Diagnostic>) {
    let Some(condition) = site.route.condition else { return };
    if site.host.is_delegate() {
        return;
    }
    for binding in site.route.matches.iter().flat_map(|one| &one.bindings) {
        let bound = match binding {
            MatchBinding::Mesh => site.host.in_mesh(),
            MatchBinding::Gateway(id) => site.host.gateways().any(|(bound, _)| bound == *id),
        };
        if !bound {
            let name = match binding {
                MatchBinding::Mesh => "mesh",
                MatchBinding::Gateway(id) => site
                    .context
                    .model
                    .mesh
                    .gateways
                    .get(*id)
                    .map_or("", |gateway| gateway.name.value.as_str()),
            };
            let message = format!("this host is not bound to `{name}`");
            reports.push(
                Diagnostic::new(Code::GATEWAY_NOT_BOUND, condition, message)
                    .related(site.host.span, "bound here")
                    .consequence("the condition could never be true")
                    .help(format!("add `{name}` to its `via`, or remove this part")),
            );
            return;
        }
    }
}

/// H10: a condition can only name a port that a bound gateway listens on. Inside the mesh, ports are those of services.
fn ports_are_served(site: &Site<'_>, reports: &mut Vec<Diagnostic>) {
    let Some(condition) = site.route.condition else { return };
    let host = site.host;
    let complete = |id: Id<Resource<crate::model::Gateway>>| {
        site.context.model.mesh.gateways.get(id).is_some_and(|gateway| !gateway.incomplete)
    };
    if host.in_mesh() || host.is_delegate() || !host.gateways().all(|(id, _)| complete(id)) {
        return;
    }
    let gateways = || host.gateways().filter_map(|(id, _)| site.context.model.mesh.gateways.get(id));
    let served: Vec<_> =
        gateways().flat_map(|gateway| &gateway.body.listeners).map(|listener| listener.port.value).collect();
    if let Some(port) =
        site.route.matches.iter().flat_map(|one| &one.ports).find(|port| !served.contains(port))
    {
        let ports: Vec<String> = served.iter().map(ToString::to_string).collect();
        let message = format!("no gateway of this host listens on port {port}");
        let mut report = Diagnostic::new(Code::PORT_NOT_SERVED, condition, message)
            .consequence("the condition could never be true")
            .help(format!("they listen on {}", crate::reading::listed(&ports)));
        if let Some(gateway) = gateways().next() {
            report = report.related(gateway.name.span, "bound here");
        }
        reports.push(report);
    }
}

/// V3: a token claim is known only where a gateway has checked the token.
fn claims_are_checked(site: &Site<'_>, reports: &mut Vec<Diagnostic>) {
    let Some(condition) = site.route.condition.filter(|_| site.host.in_mesh()) else { return };
    let names = |one: &Match| {
        one.headers.iter().chain(&one.without).any(|(name, _)| matches!(name, MatchHeaderName::Claim(_)))
    };
    if site.route.matches.iter().any(names) {
        reports.push(
            Diagnostic::new(
                Code::CLAIM_HEADER_IN_MESH,
                condition,
                "JWT claims can be matched at gateways only",
            )
            .consequence("Istio would refuse the virtual service")
            .help("bind this host to gateways only, or match a header"),
        );
    }
}

/// V10, V12, V13: what is not sent anywhere cannot be rewritten, timed or retried on the way. Istio refuses some of it, and runs the
/// rest without effect; routes for connections have no field for any of it.
fn options_have_effect(site: &Site<'_>, reports: &mut Vec<Diagnostic>) {
    let route = site.route;
    let what = match (route.kind, &route.action) {
        (RouteKind::Http, Action::Forward(_) | Action::Delegate(_)) => return,
        (RouteKind::Http, Action::Redirect(_)) => "a redirect",
        (RouteKind::Http, Action::Respond(_)) => "a direct response",
        (RouteKind::Tls, _) => "a tls route",
        (RouteKind::Tcp, _) => "a tcp route",
    };
    let shared = &route.options.shared;
    let answered = route.kind == RouteKind::Http;
    let mut refused: Vec<(&str, Span)> = Vec::new();
    refused.extend(shared.rewrite.iter().map(|rewrite| ("rewrite", rewrite.span)));
    refused.extend(shared.fault.iter().map(|fault| ("fault", fault.span)));
    let mut found: Vec<(&str, Span)> = Vec::new();
    found.extend(shared.timeout.as_ref().map(|timeout| ("timeout", timeout.span)));
    found.extend(shared.retry.as_ref().map(|retry| ("retry", retry.span)));
    found.extend(route.options.mirrors.iter().map(|mirror| ("mirror", mirror.span)));
    // The answer of a redirect or response still passes the proxy: response headers apply to it. The filter for CORS looks at
    // routes that lead somewhere only: preflights are not answered, and no origin is allowed (Envoy 1.40).
    found.extend(shared.request_headers.as_ref().map(|headers| ("request-headers", headers.span)));
    found.extend(shared.cors.as_ref().map(|cors| ("cors", cors.span)));
    if !answered {
        found.extend(shared.response_headers.as_ref().map(|headers| ("response-headers", headers.span)));
        found.extend(headers_of_destinations(route));
    }
    let report = |code, (option, span): (&str, Span), consequence| {
        Diagnostic::new(code, span, format!("`{option}` has no effect on {what}"))
            .consequence(consequence)
            .help("remove it")
    };
    if !answered {
        let all = refused.into_iter().chain(found);
        let consequence = "Istio has no such option for TCP and TLS routes; it would be lost";
        reports.extend(all.map(|option| report(Code::OPTION_OF_REQUESTS, option, consequence)));
        return;
    }
    let consequence = "Istio would refuse the virtual service";
    reports.extend(refused.into_iter().map(|option| report(Code::OPTION_WITHOUT_ROUTE, option, consequence)));
    reports.extend(found.into_iter().map(|option| {
        let consequence = if option.0 == "cors" {
            "preflights are not answered, and no origin is allowed"
        } else {
            "the proxy answers itself, and ignores it"
        };
        report(Code::OPTION_WITHOUT_EFFECT, option, consequence)
    }));
}

fn headers_of_destinations(route: &Route) -> impl Iterator<Item = (&'static str, Span)> {
    let destinations = match &route.action {
        Action::Forward(destinations) => destinations.as_slice(),
        Action::Redirect(_) | Action::Respond(_) | Action::Delegate(_) => &[],
    };
    destinations.iter().flat_map(|one| {
        let request = one.headers.request.as_ref().map(|headers| ("request-headers", headers.span));
        request
            .into_iter()
            .chain(one.headers.response.as_ref().map(|headers| ("response-headers", headers.span)))
    })
}

/// Istio has one delay and one abort for each route.
fn one_fault_of_a_kind(site: &Site<'_>, reports: &mut Vec<Diagnostic>) {
    let faults = &site.route.options.shared.fault;
    for (at, fault) in faults.iter().enumerate() {
        let same = |other: &&crate::policy::Fault| {
            std::mem::discriminant(&other.kind) == std::mem::discriminant(&fault.kind)
        };
        if let Some(earlier) = faults.iter().take(at).find(same) {
            reports.push(
                Diagnostic::new(Code::REPEATED_STATEMENT, fault.span, "a route has one delay and one abort")
                    .related(earlier.span, "first given here")
                    .help("keep one of them"),
            );
        }
    }
}

/// V25.
fn redirect_changes_something(site: &Site<'_>, reports: &mut Vec<Diagnostic>) {
    let Action::Redirect(redirect) = &site.route.action else { return };
    let Redirect { code: _, scheme, host, path, prefix, port, query, span } = &**redirect;
    // What could not be read may be what changes.
    let has_query = matches!(query, Some(Spanned { value: RedirectQuery::New(_), span: _ }));
    let is_whole = !site.route.incomplete && !has_query;
    if is_whole && scheme.is_none() && host.is_none() && path.is_none() && prefix.is_none() && port.is_none()
    {
        reports.push(
            Diagnostic::new(Code::EMPTY_REDIRECT, *span, "this redirect leads back to the same URL")
                .consequence("browsers would stop after too many redirects; Istio would refuse it")
                .help("add what changes: `scheme https`, `host a.com`, `path \"/x\"`, `prefix \"/x\"` or `port 443`"),
        );
    }
    if let Some(Spanned { value: RedirectQuery::New(_), span }) = query
        && path.is_none()
    {
        reports.push(
            Diagnostic::new(Code::REDIRECT_QUERY, *span, "`query` of a redirect needs a `path`")
                .consequence("Envoy and Istio set a query only together with a new path")
                .help("add `path \"/x\"`, or write `query drop`"),
        );
    }
    let Some(prefix) = prefix else { return };
    if let Some(path) = path {
        reports.push(
            Diagnostic::new(
                Code::OPTION_WITHOUT_ROUTE,
                prefix.span,
                "`prefix` and `path` exclude each other",
            )
            .related(path.span, "the whole path is replaced here")
            .consequence("Istio would refuse the virtual service")
            .help("keep one of them"),
        );
    }
}

/// H26: the second of two equal destinations adds nothing but confusion, unless it has header operations of its own.
fn no_destination_twice(site: &Site<'_>, reports: &mut Vec<Diagnostic>) {
    let Action::Forward(destinations) = &site.route.action else { return };
    let same = |left: &WeightedDestination, right: &WeightedDestination| {
        left.headers == right.headers && left.destination == right.destination
    };
    for (at, one) in destinations.iter().enumerate() {
        if let Some(earlier) = destinations.iter().take(at).find(|earlier| same(earlier, one)) {
            reports.push(
                Diagnostic::new(
                    Code::DUPLICATE_DESTINATION,
                    one.destination.span,
                    "this destination is given twice in the route",
                )
                .related(earlier.destination.span, "first given here")
                .help("add the shares in one of them"),
            );
        }
    }
}

/// Destinations, those of copies too, whose policy or entry is not exported to a namespace whose proxies run the route: those of the
/// gateways at which it is taken, and that of its block for the mesh. Routes of a delegate are run by the callers of its parents.
fn destinations_are_visible(context: &Context<'_>, reports: &mut Vec<Diagnostic>) {
    let mut found = Vec::new();
    for step in steps(context) {
        let mut callers: Option<Vec<Option<&str>>> = None;
        for destination in step.ways().into_iter().map(|way| way.destination) {
            let Some(exported) = context.visibility(destination.target) else { continue };
            let needs_policy = matches!(destination.target, DestinationId::External(_));
            if !needs_policy && destination.subset.is_none() {
                continue;
            }
            let home = context.namespace_of(destination.target);
            let callers = callers.get_or_insert_with(|| callers_of(context, step));
            let blind = callers.iter().find(|caller| !is_visible(Some(exported), home, **caller));
            let Some(caller) = blind else { continue };
            let name = context.model.mesh.destination_name(destination.target);
            let message = format!("`{name}` is not visible to namespace `{}`", caller.unwrap_or("default"));
            found.push(
                Diagnostic::new(Code::NOT_VISIBLE, destination.span, message)
                    .related(exported.span, "its visibility")
                    .consequence("proxies there would not know it: 503")
                    .help("add that namespace to its `visible`"),
            );
        }
    }
    once_for_each_place(found, reports);
}

/// The namespaces whose proxies run a route.
fn callers_of<'m>(context: &Context<'m>, step: Step<'m>) -> Vec<Option<&'m str>> {
    let taken = step.host.gateways().filter(|(id, _)| step.is_taken_at(*id));
    let gateways = taken.filter_map(|(id, _)| context.model.mesh.gateways.get(id));
    let own = step.is_of_the_mesh().then_some(step.home);
    own.into_iter().chain(gateways.map(|gateway| gateway.pods_namespace())).collect()
}

/// V26: Istio takes at most 1 MB, and copies the text into every proxy.
fn body_is_small(site: &Site<'_>, reports: &mut Vec<Diagnostic>) {
    let Action::Respond(respond) = &site.route.action else { return };
    let Some(body) = &respond.body else { return };
    let length = body.value.as_str().len();
    if length <= 100 * 1024 {
        return;
    }
    let mut report =
        Diagnostic::new(Code::LARGE_BODY, body.span, format!("this body has {} KiB", length / 1024))
            .consequence("every proxy would hold a copy of it; Istio refuses more than 1 MiB")
            .help("serve it from a service");
    if length > 1024 * 1024 {
        report.severity = meshc_language::Severity::Error;
    }
    reports.push(report);
}

/// RFC 9110: 204, 205 and 304 have no content (15.3.5, 15.3.6, 15.4.5); the others of 3xx say where to go (15.4).
fn answer_fits_its_status(site: &Site<'_>, reports: &mut Vec<Diagnostic>) {
    let Action::Respond(respond) = &site.route.action else { return };
    let status = respond.status.value.get();
    let body = respond.body.as_ref().filter(|body| !body.value.as_str().is_empty());
    match (status, body) {
        (204 | 205 | 304, Some(body)) => reports.push(
            Diagnostic::new(
                Code::BAD_ANSWER,
                body.span,
                format!("a response with status {status} has no body"),
            )
            .related(respond.status.span, "the status")
            .consequence("clients may read the body as the beginning of the next response")
            .help("remove the body, or respond with another status"),
        ),
        (300..=303 | 305..=308, _) => reports.push(
            Diagnostic::new(
                Code::BAD_ANSWER,
                respond.status.span,
                format!("status {status} is a redirect, but it has no target"),
            )
            .consequence("Envoy redirects clients to the URL that they requested, in a loop")
            .help("use `redirect`"),
        ),
        _ => {}
    }
}
