//! Headless Services: DNS answers for each with the addresses of the pods behind it, which is how a raw proxy finds them.

use super::api::{Map, Metadata, Resource, ServicePort, ServiceSpec, Spec};
use super::append;
use super::name::{self, DEFAULT_NAMESPACE};
use crate::artifact::{Artifact, HEADER};
use crate::provenance::Provenance;
use crate::target::Options;
use crate::yaml::Sourced;
use meshc_compiler::model::{AddressKind, DestinationId, Labels, Model};
use meshc_compiler::routing::{Proxy, Upstream};
use meshc_compiler::values::Label;
use meshc_language::Spanned;
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The headless Services of all upstreams that `bindings` leave to Kubernetes, each once, a file for each namespace.
///
/// A headless Service translates no ports: connections go to the port of the pods, `target` where it is said.
pub(crate) fn headless_services(
    model: &Model,
    proxies: &[Arc<Proxy>],
    options: &Options<'_>,
) -> Vec<Artifact> {
    let provenance = Provenance::new(options.files);
    let mut services: BTreeMap<(String, SmolStr), (Option<SmolStr>, ServiceSpec)> = BTreeMap::new();
    for upstream in proxies.iter().flat_map(|proxy| proxy.upstreams.as_slice()) {
        let Some((key, spec)) = service(model, upstream) else { continue };
        let comment = || provenance.upstream(model, upstream);
        let (_, known) = services.entry(key).or_insert_with(|| (comment(), ServiceSpec::default()));
        let ServiceSpec { cluster_ip, selector, ports } = spec;
        known.cluster_ip = cluster_ip;
        known.selector = selector;
        known.ports.extend(ports.into_iter().filter(|port| !known.ports.contains(port)).collect::<Vec<_>>());
    }
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    for ((namespace, name), (comment, mut spec)) in services {
        spec.ports.sort_by_key(|port| port.port);
        let text = files.entry(name::of_services(&namespace)).or_insert_with(|| HEADER.to_owned());
        let metadata = Metadata { name, namespace: Some(SmolStr::new(namespace)), ..Metadata::default() };
        let service = Resource { api_version: "v1", kind: "Service", metadata, content: Spec { spec } };
        append(text, &Sourced { comment, value: service });
    }
    files.into_iter().map(|(path, text)| Artifact::new(path, text)).collect()
}

/// What stands behind an upstream, if Kubernetes finds it: its namespace and name, and what it selects.
fn service(model: &Model, upstream: &Upstream) -> Option<((String, SmolStr), ServiceSpec)> {
    let number = upstream.port.number.value.get();
    let subset = upstream.subset.as_deref();
    let AddressKind::Kubernetes { labels } = model.bound_address(upstream.target, number, subset)? else {
        return None;
    };
    let own = model.mesh.destination_name(upstream.target);
    let namespace = declared_namespace(model, upstream.target);
    let mut selector = Map::new();
    if labels.is_empty() {
        selector.insert(SmolStr::new_static("app"), own.to_owned());
    }
    for label in labels.iter().chain(subset_labels(model, upstream)) {
        selector.insert(SmolStr::new(label.value.key().as_str()), label.value.value().as_str().to_owned());
    }
    let port = ServicePort {
        name: upstream.port.port_name(),
        port: number,
        target_port: upstream.port.target.map_or(number, |target| target.value.get()),
    };
    let key =
        (namespace.unwrap_or(DEFAULT_NAMESPACE).to_owned(), model.headless_name(upstream.target, subset));
    Some((key, ServiceSpec { cluster_ip: Some("None"), selector, ports: vec![port] }))
}

/// The namespace of a destination.
fn declared_namespace(model: &Model, target: DestinationId) -> Option<&str> {
    let mesh = &model.mesh;
    match target {
        DestinationId::Service(id) => mesh.services.get(id)?.namespace_name(),
        DestinationId::External(id) => mesh.externals.get(id)?.namespace_name(),
    }
}

fn subset_labels<'m>(model: &'m Model, upstream: &Upstream) -> impl Iterator<Item = &'m Spanned<Label>> {
    let name = upstream.subset.as_deref();
    let mesh = &model.mesh;
    let labels = name.and_then(|name| match upstream.target {
        DestinationId::Service(id) => mesh.services.get(id)?.subset(name)?.body.labels.as_ref(),
        DestinationId::External(id) => mesh.externals.get(id)?.subset(name)?.body.labels.as_ref(),
    });
    labels.into_iter().flat_map(|labels: &Labels| labels.iter())
}
