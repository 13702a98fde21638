//! VirtualServices: the routes of a host block.

pub(super) mod redirect;

use super::api;
use super::asked::{AskedOn, Delegators};
use super::connections;
use super::delegation::Folded;
use super::egress;
use super::headers::Placed;
use super::layout::Layout;
use super::matches;
use super::name::GatewayNames;
use super::policy::{duration, int32};
use super::rewrite;
use super::visibility::export_to;
use crate::origins;
use crate::provenance::Source;
use crate::yaml::Sourced;
use meshc_compiler::model::{
    Action, Delegate, Destination, DestinationId, Host, HostBody, Id, Match, Mesh, Mirror, Model, Redirect,
    RedirectPort, RedirectQuery, Resource, Respond, Route, RouteKind, RouteOptions, WeightedDestination,
};
use meshc_compiler::policy::{
    Abort, Cors, CorsBody, Fault, HeaderOperations, Injection, Matching, Preflight, Retry, RetryChoice,
    RetryPolicy, SharedRouteOptions, TextMatch, Timeout,
};
use meshc_compiler::values::{Percent, RedirectCode};
use meshc_language::Spanned;
use smol_str::SmolStr;

/// What a host block is written with.
pub(super) struct Writing<'m> {
    pub(super) model: &'m Model,
    pub(super) delegators: &'m Delegators<'m>,
    pub(super) layout: &'m Layout,
    pub(super) folded: &'m Folded,
}

/// The VirtualService of a host block; `None` if nothing is left for it at any gateway.
pub(super) fn spec(
    writing: &Writing<'_>,
    (id, host): (Id<Resource<Host>>, &Host),
    from: &Source<'_>,
) -> Option<api::VirtualService> {
    let Writing { model, delegators, layout, folded } = writing;
    let Host { names: _, via, body: HostBody { name: _, visibility }, routes, span: _, attributes: _ } = host;
    let mesh = &model.mesh;
    let gateways = GatewayNames { mesh, layout, host: (!host.is_delegate()).then_some(id) };
    let mut spec = api::VirtualService {
        hosts: layout.hosts(id, host).into_iter().map(|pattern| SmolStr::new(pattern.as_str())).collect(),
        gateways: gateways.bindings(via),
        http: Vec::new(),
        tls: Vec::new(),
        tcp: Vec::new(),
        export_to: export_to(visibility.as_ref()),
    };
    // Without gateways it would hold in the mesh.
    (!spec.gateways.is_empty() || host.gateways().next().is_none()).then_some(())?;
    let callers = |route| Callers {
        mesh,
        may_inherit: host.is_delegate(),
        host,
        route,
        asked_on: AskedOn::of(model, delegators, id, host, route),
    };
    let comment =
        |route: &Route| from.part(route.span, format_args!("{} {}", route.kind.word(), route.name.value));
    for (at, route) in routes.iter().enumerate() {
        let comment = comment(route);
        let callers = callers(route);
        let shared = &route.options.shared;
        match route.kind {
            RouteKind::Http => {
                for matches in folded.conditions_of((id, at), route) {
                    let headers = folded.headers_of((id, at), route);
                    let mirrors = (folded.mirrors_of((id, at), route), folded.lists_mirrors((id, at)));
                    let inherited = folded.inherited((id, at));
                    let rewrites = inherited.map_or(&shared.rewrite, |inherited| &inherited.rewrite);
                    let fault = inherited.map_or(&shared.fault, |inherited| &inherited.fault);
                    let parts = redirect::parts(&route.action, matches).into_iter();
                    for redirect::Part { matches, to } in parts.flat_map(|part| part.split(rewrites)) {
                        let mut written = http_route(&callers, route, headers, mirrors);
                        for one in &matches {
                            matches::http(&gateways, one, &mut written.matches);
                        }
                        let held = inherited.map_or_else(|| matches.clone(), |one| one.conditions(&matches));
                        written.rewrite = rewrite::http(rewrites, &held).map(Box::new);
                        written.fault = (!fault.is_empty()).then(|| Box::new(fault_injection(fault)));
                        if let (Some(redirect), Some(to)) = (written.redirect.as_deref_mut(), to) {
                            redirect::lead(redirect, to);
                        }
                        spec.http.push(Sourced::new(comment.clone(), written));
                    }
                }
            }
            RouteKind::Tls | RouteKind::Tcp => {}
        }
    }
    for (route, alternatives) in connections::rules(model, host, RouteKind::Tls) {
        let mut written = api::TlsRoute {
            matches: Vec::new(),
            route: connection_destinations(&callers(route), &route.action),
        };
        for one in &alternatives {
            matches::tls(&gateways, one, &mut written.matches);
        }
        spec.tls.push(Sourced::new(comment(route), written));
    }
    for (route, alternatives) in connections::rules(model, host, RouteKind::Tcp) {
        let mut written = api::TcpRoute {
            matches: Vec::new(),
            route: connection_destinations(&callers(route), &route.action),
        };
        for one in alternatives.iter().filter(|one| **one != Match::default()) {
            matches::tcp(&gateways, one, &mut written.matches);
        }
        spec.tcp.push(Sourced::new(comment(route), written));
    }
    Some(spec)
}

/// Who uses a route.
struct Callers<'m> {
    mesh: &'m Mesh,
    /// Whether the route takes over from one that delegates what it does not say.
    may_inherit: bool,
    /// The block, and the route: what leaves through a gateway is sent to it, unless callers at that gateway take the route as well.
    host: &'m Host,
    route: &'m Route,
    /// On which ports sidecars do.
    asked_on: AskedOn,
}

fn http_route(
    callers: &Callers<'_>,
    route: &Route,
    (request_headers, response_headers): (Option<&HeaderOperations>, Option<&HeaderOperations>),
    (mirrors, list_mirrors): (&[Mirror], bool),
) -> api::HttpRoute {
    let Route {
        kind: _,
        name,
        // Written by the caller, as delegation has them.
        matches: _,
        condition: _,
        action,
        options,
        span: _,
        attributes: _,
        incomplete: _,
    } = route;
    // Mirrors are written as delegation has them.
    let RouteOptions { mirrors: _, shared } = options;
    let SharedRouteOptions {
        timeout,
        retry,
        // Written by the caller, with the condition, and as delegation has them.
        rewrite: _,
        fault: _,
        cors,
        // As delegation has them.
        request_headers: _,
        response_headers: _,
    } = shared;
    let mut out =
        api::HttpRoute { name: Some(SmolStr::new(name.value.as_str())), ..api::HttpRoute::default() };
    let placed = Placed::new((request_headers, response_headers), action);
    match action {
        Action::Forward(destinations) => out.route = weighted(callers, destinations, &placed),
        Action::Redirect(redirect) => out.redirect = Some(Box::new(http_redirect(redirect))),
        Action::Respond(respond) => out.direct_response = Some(Box::new(direct_response(respond))),
        Action::Delegate(delegate) => out.delegate = Some(Box::new(delegation(delegate))),
    }
    out.timeout = timeout.as_ref().and_then(|Timeout { limit, span: _ }| limit.map(duration));
    out.retries = retry.as_ref().map(|retry| Box::new(retries(retry)));
    put_mirrors(callers, mirrors, list_mirrors, &mut out);
    out.cors_policy = cors.as_ref().map(|cors| Box::new(cors_policy(cors)));
    out.headers = placed.of_route(callers.may_inherit).map(Box::new);
    out
}

fn destination(callers: &Callers<'_>, destination: &Destination) -> api::Destination {
    let Destination { target: _, host: _, port, subset, span: _ } = destination;
    if let Some(gateway) = egress_gateway(callers, destination) {
        return gateway;
    }
    api::Destination {
        host: callers.mesh.destination_host(destination),
        subset: subset.as_ref().map(|subset| subset.value.clone()),
        port: port
            .map(|port| port.value.get())
            .or_else(|| callers.asked_on.port_to_say(callers.mesh, destination))
            .map(|port| api::PortSelector { number: u32::from(port) }),
    }
}

/// The gateway's service, for what is sent to an external that leaves through a gateway.
fn egress_gateway(callers: &Callers<'_>, destination: &Destination) -> Option<api::Destination> {
    let Callers { mesh, may_inherit: _, host, route, asked_on: _ } = callers;
    let DestinationId::External(id) = destination.target else { return None };
    let external = mesh.externals.get(id)?;
    if !mesh.is_on_the_way(host, route, external.egress()?) {
        return None;
    }
    egress::to_gateway(mesh, external, mesh.port_of(destination)?.number.value.get())
}

/// Weights are relative whole numbers: percent where that is enough, else the coarsest fraction that is.
fn weights(destinations: &[WeightedDestination]) -> Vec<Option<i32>> {
    if let [_] = destinations {
        return vec![None];
    }
    let parts = |weight: &Option<Spanned<Percent>>| weight.map_or(0, |weight| weight.value.ppm());
    let fits = |unit: &u32| destinations.iter().all(|one| parts(&one.weight) % unit == 0);
    let unit = [10_000, 1_000, 100, 10].into_iter().find(fits).unwrap_or(1);
    destinations.iter().map(|one| Some(int32(parts(&one.weight) / unit))).collect()
}

fn weighted(
    callers: &Callers<'_>,
    destinations: &[WeightedDestination],
    placed: &Placed<'_>,
) -> Vec<api::HttpRouteDestination> {
    let one = |(one, weight): (&WeightedDestination, Option<i32>)| {
        let WeightedDestination { weight: _, destination: target, headers: own } = one;
        api::HttpRouteDestination {
            destination: destination(callers, target),
            weight,
            headers: placed.of_destination(own).map(Box::new),
        }
    };
    destinations.iter().zip(weights(destinations)).map(one).collect()
}

/// Destinations of a connection; `check` has refused header operations here.
fn connection_destinations(callers: &Callers<'_>, action: &Action) -> Vec<api::RouteDestination> {
    let destinations = match action {
        Action::Forward(destinations) => destinations.as_slice(),
        Action::Redirect(_) | Action::Respond(_) | Action::Delegate(_) => &[],
    };
    let one = |(one, weight): (&WeightedDestination, Option<i32>)| {
        let WeightedDestination { weight: _, destination: target, headers: _ } = one;
        api::RouteDestination { destination: destination(callers, target), weight }
    };
    destinations.iter().zip(weights(destinations)).map(one).collect()
}

fn http_redirect(redirect: &Redirect) -> api::HttpRedirect {
    let Redirect { code, scheme, host, path, prefix, port, query, span: _ } = redirect;
    let (number, derive_port) = match port {
        None => (None, None),
        Some(RedirectPort::Number(port)) => (Some(u32::from(port.get())), None),
        Some(RedirectPort::FromRequest) => (None, Some(api::RedirectPortSelection::FromRequestPort)),
        Some(RedirectPort::FromProtocol) => (None, Some(api::RedirectPortSelection::FromProtocolDefault)),
    };
    api::HttpRedirect {
        uri: path.as_ref().map(|path| match query.as_ref().map(|query| &query.value) {
            // Envoy takes the end of a new path for the new query.
            Some(RedirectQuery::New(query)) => SmolStr::new(format!("{}?{query}", path.value)),
            // That it is dropped has been refused.
            None | Some(RedirectQuery::Keep | RedirectQuery::Drop) => SmolStr::new(path.value.as_str()),
        }),
        authority: host.as_ref().map(|host| SmolStr::new(host.value.as_str())),
        port: number,
        derive_port,
        scheme: scheme.map(|scheme| SmolStr::new_static(scheme.value.word())),
        // Istio's default is written only where it was not what was asked for.
        redirect_code: (code.value != RedirectCode::MOVED_PERMANENTLY).then(|| u32::from(code.value.get())),
        prefix_rewrite: prefix.as_ref().map(|prefix| SmolStr::new(prefix.value.as_str())),
    }
}

fn direct_response(respond: &Respond) -> api::HttpDirectResponse {
    let Respond { status, body } = respond;
    let text = |body: &Spanned<_>| api::HttpBody {
        string: Some(SmolStr::new(AsRef::<str>::as_ref(&body.value))),
        bytes: None,
    };
    api::HttpDirectResponse {
        status: u32::from(status.value.get()),
        body: body.as_ref().map(|body: &Spanned<meshc_compiler::values::Text>| text(body)),
    }
}

fn delegation(delegate: &Delegate) -> api::Delegate {
    let Delegate { namespace, name, span: _ } = delegate;
    api::Delegate {
        name: Some(SmolStr::new(name.as_str())),
        namespace: namespace.as_ref().map(|namespace| SmolStr::new(namespace.as_str())),
    }
}

fn retries(retry: &Retry) -> api::HttpRetry {
    let Retry { choice, span: _ } = retry;
    let policy = match choice {
        RetryChoice::Off => return api::HttpRetry { attempts: Some(0), ..api::HttpRetry::default() },
        RetryChoice::Policy(policy) => policy,
    };
    let RetryPolicy { attempts, per_try, on, backoff, remote_localities, previous_hosts } = &**policy;
    let conditions: Vec<String> = on.iter().flatten().map(|condition| condition.value.to_string()).collect();
    api::HttpRetry {
        attempts: attempts.map(|attempts| int32(attempts.value.get())),
        per_try_timeout: per_try.map(|time| duration(time.value)),
        retry_on: (!conditions.is_empty()).then(|| SmolStr::new(conditions.join(","))),
        retry_remote_localities: remote_localities.map(|switch| switch.value.is_on()),
        retry_ignore_previous_hosts: previous_hosts.map(|switch| !switch.value.is_on()),
        backoff: backoff.map(|time| duration(time.value)),
    }
}

pub(super) fn percentage(share: Percent) -> api::Percent {
    api::Percent { value: share.as_f64_percent() }
}

fn fault_injection(faults: &[Fault]) -> api::HttpFaultInjection {
    let mut injection = api::HttpFaultInjection::default();
    for Fault { kind, share, span: _ } in faults {
        let percentage = Some(percentage(share.value));
        match kind {
            Injection::Delay(time) => {
                injection.delay = Some(api::FaultDelay {
                    fixed_delay: Some(duration(time.value)),
                    percentage,
                    ..api::FaultDelay::default()
                });
            }
            Injection::Abort(Abort::Http(status)) => {
                injection.abort = Some(api::FaultAbort {
                    http_status: Some(i32::from(status.value.get())),
                    percentage,
                    ..api::FaultAbort::default()
                });
            }
            Injection::Abort(Abort::Grpc(status)) => {
                injection.abort = Some(api::FaultAbort {
                    grpc_status: Some(SmolStr::new_static(status.value.word())),
                    percentage,
                    ..api::FaultAbort::default()
                });
            }
        }
    }
    injection
}

/// One mirror in the fields that every version of Istio knows; several in the newer list.
fn put_mirrors(callers: &Callers<'_>, mirrors: &[Mirror], list: bool, out: &mut api::HttpRoute) {
    if let ([Mirror { share, destination: target, span: _ }], false) = (mirrors, list) {
        out.mirror = Some(Box::new(destination(callers, target)));
        out.mirror_percentage = share.map(|share| percentage(share.value));
        return;
    }
    out.mirrors = mirrors
        .iter()
        .map(|Mirror { share, destination: target, span: _ }| api::HttpMirrorPolicy {
            destination: destination(callers, target),
            percentage: share.map(|share| percentage(share.value)),
        })
        .collect();
}

fn cors_policy(cors: &Cors) -> api::CorsPolicy {
    let Cors { body, span: _, attributes: _ } = cors;
    let CorsBody { origins, methods, headers, expose, max_age, credentials, preflights } = body;
    let names = |list: &Option<
        meshc_compiler::reading::Comma<Spanned<meshc_compiler::values::HeaderName>>,
    >| { list.iter().flatten().map(|name| SmolStr::new(name.value.as_written())).collect() };
    api::CorsPolicy {
        allow_origin: Vec::new(),
        allow_origins: origins.iter().map(origin).collect(),
        allow_methods: methods
            .iter()
            .flatten()
            .map(|method| SmolStr::new(method.value.to_string()))
            .collect(),
        allow_headers: names(headers),
        expose_headers: names(expose),
        max_age: max_age.map(|age| SmolStr::new(format!("{}s", age.value.as_secs()))),
        allow_credentials: credentials.map(|switch| switch.value.is_on()),
        unmatched_preflights: preflights.map(|preflight| match preflight.value {
            Preflight::Forward => api::UnmatchedPreflights::Forward,
            Preflight::Ignore => api::UnmatchedPreflights::Ignore,
        }),
    }
}

fn origin(origin: &Matching) -> api::StringMatch {
    match &origin.test {
        TextMatch::Pattern(pattern) => {
            api::StringMatch { exact: None, prefix: None, regex: Some(origins::pattern(pattern)) }
        }
        TextMatch::Exact(_) | TextMatch::Prefix(_) => matches::text_match(&origin.test),
    }
}
