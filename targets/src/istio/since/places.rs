//! Which statements ask for a field.

use crate::istio::plan::Planned;
use crate::istio::rewrite;
use meshc_compiler::model::{
    Action, External, Gateway, Host, Model, RedirectPort, Resource, Route, ServerTls, ServerTlsMode, Service,
    Subset,
};
use meshc_compiler::policy::{
    FailureKind, HashAlgorithm, Method, Retry, RetryChoice, RetryPolicy, Rewrite, TrafficPolicy,
};
use meshc_language::Span;

/// Where the item of a resource asks for a field; nothing where that is not known.
pub(super) fn places(model: &Model, planned: Planned, path: &str) -> Vec<Span> {
    let mesh = &model.mesh;
    match planned {
        Planned::VirtualService(id) => {
            model.hosts.get(id).map(|host| of_host(host, path)).unwrap_or_default()
        }
        Planned::Gateway(id, _) => {
            mesh.gateways.get(id).map(|gateway| of_gateway(gateway, path)).unwrap_or_default()
        }
        Planned::ServiceRule(id) => {
            mesh.services.get(id).map(|service| of_service(service, path)).unwrap_or_default()
        }
        Planned::ExternalRule(id, _) => {
            mesh.externals.get(id).map(|external| of_external(external, path)).unwrap_or_default()
        }
        Planned::ServiceEntry(id) => {
            let resolution = mesh.externals.get(id).and_then(|external| external.body.resolution);
            resolution.map(|resolution| resolution.span).into_iter().collect()
        }
        Planned::EgressRule(_) | Planned::EgressService(_) => Vec::new(),
    }
}

/// The innermost place that stands in the file of the item: a policy may come from another one.
fn in_file(item: Span, places: &[Option<Span>]) -> Option<Span> {
    places.iter().flatten().find(|place| place.file == item.file).copied()
}

fn of_host(host: &Resource<Host>, path: &str) -> Vec<Span> {
    let of_route = |route: &Route| in_file(host.span, &of_route(route, path)?);
    host.routes.iter().filter_map(of_route).collect()
}

/// Where a route asks for a field, the innermost place first; `None` if it does not.
fn of_route(route: &Route, path: &str) -> Option<[Option<Span>; 3]> {
    let shared = &route.options.shared;
    let whole = Some(route.span);
    let redirect = match &route.action {
        Action::Redirect(redirect) => Some(redirect),
        Action::Forward(_) | Action::Respond(_) | Action::Delegate(_) => None,
    };
    let (inner, outer) = match path {
        "http[].redirect.prefixRewrite" => (redirect?.prefix.as_ref()?.span, None),
        "http[].redirect.scheme" => (redirect?.scheme?.span, None),
        "http[].redirect.port" => match redirect?.port? {
            RedirectPort::Number(_) => (redirect?.span, None),
            RedirectPort::FromRequest | RedirectPort::FromProtocol => return None,
        },
        // The usual port of the scheme holds where nothing is said, too.
        "http[].redirect.derivePort" => match redirect?.port? {
            RedirectPort::Number(_) | RedirectPort::FromProtocol => return None,
            RedirectPort::FromRequest => (redirect?.span, None),
        },
        "http[].directResponse" => match &route.action {
            Action::Respond(respond) => (respond.status.span, None),
            Action::Forward(_) | Action::Redirect(_) | Action::Delegate(_) => return None,
        },
        // One alone is written in the older field.
        "http[].mirrors" => (route.options.mirrors.get(1)?.span, None),
        "http[].retries.backoff" => {
            (retry_policy(shared.retry.as_ref()?)?.backoff?.span, Some(shared.retry.as_ref()?.span))
        }
        "http[].retries.retryIgnorePreviousHosts" => {
            (retry_policy(shared.retry.as_ref()?)?.previous_hosts?.span, Some(shared.retry.as_ref()?.span))
        }
        "http[].rewrite.uriRegexRewrite" => {
            let by_regex = |one: &&Rewrite| {
                let written = rewrite::http(std::slice::from_ref(*one), &route.matches);
                written.is_some_and(|written| written.uri_regex_rewrite.is_some())
            };
            (shared.rewrite.iter().find(by_regex)?.span, None)
        }
        "http[].corsPolicy.unmatchedPreflights" => {
            (shared.cors.as_ref()?.body.preflights?.span, Some(shared.cors.as_ref()?.span))
        }
        _ => return None,
    };
    Some([Some(inner), outer, whole])
}

fn retry_policy(retry: &Retry) -> Option<&RetryPolicy> {
    match &retry.choice {
        RetryChoice::Off => None,
        RetryChoice::Policy(policy) => Some(policy),
    }
}

fn of_gateway(gateway: &Resource<Gateway>, path: &str) -> Vec<Span> {
    let tls = gateway.body.listeners.iter().filter_map(|listener| listener.body.tls.as_deref());
    tls.filter_map(|tls| of_listener_tls(tls, path)).collect()
}

fn of_listener_tls(tls: &ServerTls, path: &str) -> Option<Span> {
    let body = &tls.body;
    match path {
        "servers[].tls.mode" => (tls.mode.value == ServerTlsMode::OptionalMutual).then_some(tls.mode.span),
        "servers[].tls.caCertCredentialName" => body.ca_credential.as_ref().map(|name| name.span),
        "servers[].tls.caCrl" => body.crl.as_ref().map(|file| file.0.span),
        // One alone is written in the older field, also of certificates.
        "servers[].tls.credentialNames" => {
            let names = body.credentials.as_ref()?;
            names.first().filter(|_| names.len() > 1).map(|name| name.span)
        }
        "servers[].tls.insecureSkipVerify" => body.skip_verify.map(|switch| switch.span),
        "servers[].tls.tlsCertificates" => body.certificates.get(1).map(|certificate| certificate.span),
        _ => None,
    }
}

fn of_service(service: &Resource<Service>, path: &str) -> Vec<Span> {
    let body = &service.body;
    let ports = body.ports.iter().map(|port| &port.traffic);
    of_policies(service.span, ports.chain(subset_policies(&body.subsets)), &body.traffic, path)
}

fn of_external(external: &Resource<External>, path: &str) -> Vec<Span> {
    let body = &external.body;
    let ports = body.ports.iter().map(|port| &port.traffic);
    of_policies(external.span, ports.chain(subset_policies(&body.subsets)), &body.traffic, path)
}

fn subset_policies(subsets: &[Subset]) -> impl Iterator<Item = &TrafficPolicy> {
    subsets.iter().map(|subset| &subset.body.traffic)
}

fn of_policies<'m>(
    item: Span,
    inner: impl Iterator<Item = &'m TrafficPolicy>,
    whole: &'m TrafficPolicy,
    path: &str,
) -> Vec<Span> {
    let all = std::iter::once(whole).chain(inner);
    let mut spans: Vec<Span> = all.filter_map(|policy| in_file(item, &of_policy(policy, path)?)).collect();
    spans.dedup();
    spans
}

/// Where a policy asks for a field, the innermost place first.
fn of_policy(policy: &TrafficPolicy, path: &str) -> Option<[Option<Span>; 2]> {
    let TrafficPolicy { balancing, pool, ejection, tls } = policy;
    let algorithm = || match &balancing.as_ref()?.method {
        Method::Hash { key: _, algorithm } => algorithm.as_ref(),
        Method::Simple(_) => None,
    };
    let pool = pool.as_deref();
    let (inner, outer) = match path {
        "loadBalancer.simple" => (balancing.as_ref()?.span, None),
        "loadBalancer.consistentHash.maglev" => match algorithm()? {
            HashAlgorithm::Maglev(size) => (size.span, None),
            HashAlgorithm::Ring(_) => return None,
        },
        "loadBalancer.consistentHash.ringHash" => match algorithm()? {
            HashAlgorithm::Ring(size) => (size.span, None),
            HashAlgorithm::Maglev(_) => return None,
        },
        "connectionPool.tcp.idleTimeout" => (pool?.body.tcp_idle?.span, Some(pool?.span)),
        "connectionPool.tcp.maxConnectionDuration" => (pool?.body.lifetime?.span, Some(pool?.span)),
        "connectionPool.http.maxConcurrentStreams" => (pool?.body.streams?.span, Some(pool?.span)),
        "outlierDetection.consecutiveLocalOriginFailures"
        | "outlierDetection.splitExternalLocalOriginErrors" => {
            let after = ejection.as_ref()?.after.as_ref()?;
            let local = after.kind.value == FailureKind::LocalErrors;
            (local.then_some(after.kind.span)?, None)
        }
        "tls.caCrl" => (tls.as_ref()?.body.crl.as_ref()?.0.span, Some(tls.as_ref()?.span)),
        "tls.insecureSkipVerify" => (tls.as_ref()?.body.skip_verify?.span, Some(tls.as_ref()?.span)),
        _ => return None,
    };
    Some([Some(inner), outer])
}
