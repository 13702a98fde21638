//! Short names of services that one proxy for the calls of all namespaces cannot answer.

use meshc_compiler::model::{Model, Resource, Service};
use meshc_compiler::routing::{HttpServer, Listener, Proxy, Role};
use meshc_compiler::values::HostPattern;
use meshc_language::{Code, Diagnostic};
use rustc_hash::FxHashSet;
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Other services that one report names.
const SHOWN: usize = 3;

/// A report for each name that services of several namespaces have, where one proxy serves them all.
pub(super) fn shared(model: &Model, proxies: &[Arc<Proxy>]) -> Vec<Diagnostic> {
    // A proxy for the callers of one namespace has its short names.
    let one_for_all = |proxy: &&Arc<Proxy>| proxy.role == Role::Outbound && proxy.namespace.is_none();
    let Some(proxy) = proxies.iter().find(one_for_all) else { return Vec::new() };
    let served: FxHashSet<&str> = proxy.listeners.iter().flat_map(names).collect();
    let mut by_name: BTreeMap<&str, Vec<&Resource<Service>>> = BTreeMap::new();
    for service in model.mesh.services.as_slice() {
        let is_served = || served.contains(model.mesh.service_host(service).as_str());
        if service.body.host.is_none() && service.namespace_name().is_some() && is_served() {
            by_name.entry(service.name.value.as_str()).or_default().push(service);
        }
    }
    by_name.values().filter_map(|services| report(services)).collect()
}

fn report(services: &[&Resource<Service>]) -> Option<Diagnostic> {
    let (first, others) = services.split_first()?;
    let second = others.first()?;
    let name = &first.name.value;
    let message =
        format!("the outbound proxy does not answer to `{name}`: several namespaces have a service `{name}`");
    let mut report = Diagnostic::new(Code::SHORT_NAME_SHARED, first.name.span, message)
        .consequence(format!(
            "clients that call `http://{name}` get 404, or are closed; with Istio each gets the service of its own namespace"
        ))
        .help(format!(
            "let clients call `{name}.{}` and `{name}.{}`; or put `visible` on a service or host of the mesh, which makes a proxy for \
             each namespace",
            namespace(first),
            namespace(second),
        ));
    for other in others.iter().take(SHOWN) {
        report = report.related(other.name.span, "also here");
    }
    Some(report)
}

fn namespace(service: &Resource<Service>) -> SmolStr {
    service.namespace_name().map(SmolStr::new).unwrap_or_default()
}

/// The names that a listener answers to.
fn names(listener: &Listener) -> Vec<&str> {
    let hosts = listener.http_servers().flat_map(|HttpServer { virtual_hosts }| virtual_hosts);
    let of_tls = listener.tls.iter().flat_map(|server| &server.names);
    hosts.flat_map(|host| &host.domains).chain(of_tls).map(HostPattern::as_str).collect()
}
