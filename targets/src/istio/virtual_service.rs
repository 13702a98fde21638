//! VirtualServices: the routes of a host block.

use super::api;
use super::egress;
use super::matches;
use super::name;
use super::policy::{duration, int32};
use super::rewrite;
use super::visibility::export_to;
use crate::provenance::Source;
use crate::yaml::Sourced;
use meshc_compiler::model::{
    Action, Delegate, Destination, DestinationHeaders, DestinationId, Host, HostBody, HostName, Mesh, Mirror,
    Redirect, RedirectPort, Respond, Route, RouteKind, RouteOptions, WeightedDestination,
};
use meshc_compiler::policy::{
    Abort, Cors, CorsBody, Fault, HeaderOperations, HeaderOperationsBody, HeaderSetting, Injection,
    Preflight, Retry, RetryChoice, RetryPolicy, SharedRouteOptions, Timeout,
};
use meshc_compiler::values::{Percent, RedirectCode};
use meshc_language::Spanned;
use smol_str::SmolStr;

pub(super) fn spec(mesh: &Mesh, host: &Host, from: &Source<'_>) -> api::VirtualService {
    let Host { names, via, body: HostBody { name: _, visibility }, routes, span: _, attributes: _ } = host;
    let mut spec = api::VirtualService {
        hosts: names
            .iter()
            .flat_map(|HostName { kind: _, patterns, span: _ }| patterns)
            .map(|pattern| SmolStr::new(pattern.as_str()))
            .collect(),
        gateways: name::bindings(mesh, via),
        http: Vec::new(),
        tls: Vec::new(),
        tcp: Vec::new(),
        export_to: export_to(visibility.as_ref()),
    };
    for route in routes {
        let comment = from.part(route.span, format_args!("{} {}", route.kind.word(), route.name.value));
        let callers = Callers { mesh, are_sidecars: host.only_sidecars_take(route) };
        match route.kind {
            RouteKind::Http => spec.http.push(Sourced::new(comment, http_route(callers, route))),
            RouteKind::Tls => spec.tls.push(Sourced::new(comment, tls_route(callers, route))),
            RouteKind::Tcp => spec.tcp.push(Sourced::new(comment, tcp_route(callers, route))),
        }
    }
    spec
}

/// Who uses a route.
#[derive(Clone, Copy)]
struct Callers<'m> {
    mesh: &'m Mesh,
    /// Nobody but sidecars, which send what leaves through a gateway to it. A route that gateways use too has one destination
    /// for all: a check warns.
    are_sidecars: bool,
}

fn http_route(callers: Callers<'_>, route: &Route) -> api::HttpRoute {
    let Route {
        kind: _,
        name,
        matches,
        condition: _,
        action,
        options,
        span: _,
        attributes: _,
        incomplete: _,
    } = route;
    let RouteOptions { mirrors, policies: _, shared } = options;
    let SharedRouteOptions { timeout, retry, rewrite, fault, cors, request_headers, response_headers } =
        shared;
    let mut out =
        api::HttpRoute { name: Some(SmolStr::new(name.value.as_str())), ..api::HttpRoute::default() };
    for one in matches {
        matches::http(callers.mesh, one, &mut out.matches);
    }
    match action {
        Action::Forward(destinations) => out.route = weighted(callers, destinations),
        Action::Redirect(redirect) => out.redirect = Some(Box::new(http_redirect(redirect))),
        Action::Respond(respond) => out.direct_response = Some(Box::new(direct_response(respond))),
        Action::Delegate(delegate) => out.delegate = Some(Box::new(delegation(delegate))),
    }
    out.rewrite = rewrite::http(rewrite, matches).map(Box::new);
    out.timeout = timeout.as_ref().and_then(|Timeout { limit, span: _ }| limit.map(duration));
    out.retries = retry.as_ref().map(|retry| Box::new(retries(retry)));
    out.fault = (!fault.is_empty()).then(|| Box::new(fault_injection(fault)));
    put_mirrors(callers, mirrors, &mut out);
    out.cors_policy = cors.as_ref().map(|cors| Box::new(cors_policy(cors)));
    out.headers = headers(request_headers.as_deref(), response_headers.as_deref()).map(Box::new);
    out
}

fn destination(callers: Callers<'_>, destination: &Destination) -> api::Destination {
    let Destination { target: _, host: _, port, subset, span: _ } = destination;
    if let Some(gateway) = egress_gateway(callers, destination) {
        return gateway;
    }
    api::Destination {
        host: callers.mesh.destination_host(destination),
        subset: subset.as_ref().map(|subset| subset.value.clone()),
        port: port.map(|port| api::PortSelector { number: u32::from(port.value.get()) }),
    }
}

/// The gateway's service, for what sidecars send to an external that leaves through a gateway.
fn egress_gateway(callers: Callers<'_>, destination: &Destination) -> Option<api::Destination> {
    let Callers { mesh, are_sidecars } = callers;
    let DestinationId::External(id) = destination.target else { return None };
    let port = mesh.port_of(destination)?.number.value.get();
    egress::to_gateway(mesh, mesh.externals.get(id).filter(|_| are_sidecars)?, port)
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

fn weighted(callers: Callers<'_>, destinations: &[WeightedDestination]) -> Vec<api::HttpRouteDestination> {
    let one = |(one, weight): (&WeightedDestination, Option<i32>)| {
        let WeightedDestination {
            weight: _,
            destination: target,
            headers: DestinationHeaders { request, response },
        } = one;
        api::HttpRouteDestination {
            destination: destination(callers, target),
            weight,
            headers: headers(request.as_deref(), response.as_deref()).map(Box::new),
        }
    };
    destinations.iter().zip(weights(destinations)).map(one).collect()
}

/// Destinations of a connection; `check` has refused header operations here.
fn connection_destinations(callers: Callers<'_>, action: &Action) -> Vec<api::RouteDestination> {
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

fn tls_route(callers: Callers<'_>, route: &Route) -> api::TlsRoute {
    let mut out =
        api::TlsRoute { matches: Vec::new(), route: connection_destinations(callers, &route.action) };
    for one in &route.matches {
        matches::tls(callers.mesh, one, &mut out.matches);
    }
    out
}

fn tcp_route(callers: Callers<'_>, route: &Route) -> api::TcpRoute {
    let mut out =
        api::TcpRoute { matches: Vec::new(), route: connection_destinations(callers, &route.action) };
    for one in &route.matches {
        matches::tcp(callers.mesh, one, &mut out.matches);
    }
    out
}

fn http_redirect(redirect: &Redirect) -> api::HttpRedirect {
    let Redirect { code, scheme, host, path, prefix, port, span: _ } = redirect;
    let (number, derive_port) = match port {
        None => (None, None),
        Some(RedirectPort::Number(port)) => (Some(u32::from(port.get())), None),
        Some(RedirectPort::FromRequest) => (None, Some(api::RedirectPortSelection::FromRequestPort)),
        Some(RedirectPort::FromProtocol) => (None, Some(api::RedirectPortSelection::FromProtocolDefault)),
    };
    api::HttpRedirect {
        uri: path.as_ref().map(|path| SmolStr::new(path.value.as_str())),
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
fn put_mirrors(callers: Callers<'_>, mirrors: &[Mirror], out: &mut api::HttpRoute) {
    if let [Mirror { share, destination: target, span: _ }] = mirrors {
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
        meshc_compiler::reading::List<Spanned<meshc_compiler::values::HeaderName>>,
    >| { list.iter().flatten().map(|name| SmolStr::new(name.value.as_written())).collect() };
    api::CorsPolicy {
        allow_origin: Vec::new(),
        allow_origins: origins.iter().map(|origin| matches::text_match(&origin.test)).collect(),
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

fn headers(request: Option<&HeaderOperations>, response: Option<&HeaderOperations>) -> Option<api::Headers> {
    if request.is_none() && response.is_none() {
        return None;
    }
    Some(api::Headers { request: request.map(operations), response: response.map(operations) })
}

fn operations(operations: &HeaderOperations) -> api::HeaderOperations {
    let HeaderOperations { body: HeaderOperationsBody { set, add, remove }, span: _, attributes: _ } =
        operations;
    let pair = |HeaderSetting { name, value, span: _, attributes: _ }: &HeaderSetting| {
        (SmolStr::new(name.value.as_written()), SmolStr::new(value.value.as_str()))
    };
    api::HeaderOperations {
        set: set.iter().map(pair).collect(),
        add: add.iter().map(pair).collect(),
        remove: remove.iter().map(|name| SmolStr::new(name.value.as_written())).collect(),
    }
}
