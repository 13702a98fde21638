//! Pods of gateways that a headless Service would choose as endpoints of another service.
//!
//! A Service takes every pod of its namespace that has the labels of its selector; a gateway's pods have those that `workload` names.

use meshc_compiler::model::{
    Controller, DEFAULT_NAMESPACE, DestinationId, FrontService, Gateway, Headless, Model, Resource, Workload,
};
use meshc_compiler::routing::{Proxy, Role};
use meshc_language::{Code, Diagnostic};
use rustc_hash::FxHashSet;
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Reports gateways whose pods would get the requests for a service that is not in front of them.
pub(crate) fn chosen_gateways(model: &Model, proxies: &[Arc<Proxy>]) -> Vec<Diagnostic> {
    let gateways = model.mesh.gateways.iter();
    let pods: Vec<_> = gateways.map(|(id, gateway)| (id, gateway, pods(model, gateway))).collect();
    let mut known: FxHashSet<(DestinationId, &str, &str)> = FxHashSet::default();
    let mut reports = Vec::new();
    let called =
        proxies.iter().flat_map(|proxy| proxy.upstreams.as_slice().iter().map(|one| (proxy.role, one)));
    for (role, upstream) in called {
        let port = upstream.port.number.value.get();
        let Some(headless) = model.headless(upstream.target, port, upstream.subset.as_deref()) else {
            continue;
        };
        for (id, gateway, (namespace, labels)) in &pods {
            let in_front = match (gateway.front(), upstream.target) {
                // It is called by others.
                (Some(FrontService::Declared(front)), DestinationId::Service(called)) => {
                    *front == called && role != Role::Gateway(*id)
                }
                (Some(FrontService::Outside(_)) | None, _) | (_, DestinationId::External(_)) => false,
            };
            let key = (upstream.target, *namespace, gateway.name.value.as_str());
            if !in_front
                && headless.namespace == *namespace
                && chooses(&headless, labels)
                && known.insert(key)
            {
                reports.push(chosen(model, gateway, upstream.target, &headless));
            }
        }
    }
    reports
}

/// The namespace and the labels of a gateway's pods. A deployed proxy has a label with its name too.
fn pods<'m>(model: &Model, gateway: &'m Resource<Gateway>) -> (&'m str, BTreeMap<SmolStr, SmolStr>) {
    let workload = gateway.body.workload.as_ref();
    let written = workload.map_or(&[][..], |Workload { labels, namespace: _, span: _ }| labels);
    let label = |label: &meshc_compiler::values::Label| {
        (SmolStr::new(label.key().as_str()), SmolStr::new(label.value().as_str()))
    };
    let mut labels: BTreeMap<SmolStr, SmolStr> = written.iter().map(|one| label(&one.value)).collect();
    if model.deploy().is_some() && gateway.controller() != Controller::Istio {
        let name = || SmolStr::new(gateway.name.value.as_str());
        labels.entry(SmolStr::new_static("app")).or_insert_with(name);
    }
    (gateway.pods_namespace().unwrap_or(DEFAULT_NAMESPACE), labels)
}

fn chooses(headless: &Headless, labels: &BTreeMap<SmolStr, SmolStr>) -> bool {
    let mut selector = headless.selector.iter();
    !headless.selector.is_empty() && selector.all(|(key, value)| labels.get(key) == Some(value))
}

fn chosen(
    model: &Model,
    gateway: &Resource<Gateway>,
    target: DestinationId,
    headless: &Headless,
) -> Diagnostic {
    let (name, service) = (&gateway.name.value, model.mesh.destination_name(target));
    let labels: Vec<String> = headless.selector.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let labels = labels.join(", ");
    let place = gateway.body.workload.as_ref().map_or(gateway.name.span, |workload| workload.span);
    let message = format!("the pods of gateway `{name}` would be endpoints of `{service}`");
    let report = Diagnostic::new(Code::GATEWAY_AS_ENDPOINT, place, message)
        .label(format!("these pods have the labels `{labels}`"));
    let report = match model.mesh.name_span(target) {
        Some(span) => report.related(span, format!("its Service chooses pods by `{labels}`")),
        None => report,
    };
    report
        .consequence(format!(
            "some requests for `{service}` would reach the gateway: they go round in a loop, or get 404 or 503"
        ))
        .help(format!(
            "give the gateway another label, such as `workload app={name}-gateway`; or name labels that only the pods of `{service}` \
             have: `address {service} kubernetes labels app=...`"
        ))
}
