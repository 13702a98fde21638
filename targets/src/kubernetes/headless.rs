//! Headless Services: DNS answers for each with the addresses of the pods behind it, which is how a raw proxy finds them.

use super::api::{Metadata, Resource, ServicePort, ServiceSpec, Spec};
use super::{append, name};
use crate::artifact::{Artifact, HEADER};
use crate::provenance::Provenance;
use crate::target::Options;
use crate::yaml::Sourced;
use meshc_compiler::model::{Headless, Model};
use meshc_compiler::routing::{Proxy, Upstream};
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
    let mut services: BTreeMap<(SmolStr, SmolStr), (Option<SmolStr>, ServiceSpec)> = BTreeMap::new();
    for upstream in proxies.iter().flat_map(|proxy| proxy.upstreams.as_slice()) {
        let Some((headless, port)) = service(model, upstream) else { continue };
        let Headless { namespace, name, selector, is_guessed: _ } = headless;
        // Two of one name select the same pods: the registry of names has seen to it.
        let (_, known) = services.entry((namespace, name)).or_insert_with(|| {
            let selector = selector.into_iter().map(|(key, value)| (key, value.to_string())).collect();
            let spec = ServiceSpec { cluster_ip: Some("None"), selector, ports: Vec::new() };
            (provenance.upstream(model, upstream), spec)
        });
        if !known.ports.contains(&port) {
            known.ports.push(port);
        }
    }
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    for ((namespace, name), (comment, mut spec)) in services {
        spec.ports.sort_by_key(|port| port.port);
        let text = files.entry(name::of_services(&namespace)).or_insert_with(|| HEADER.to_owned());
        let metadata = Metadata { name, namespace: Some(namespace), ..Metadata::default() };
        let service = Resource { api_version: "v1", kind: "Service", metadata, content: Spec { spec } };
        append(text, &Sourced { comment, value: service });
    }
    files.into_iter().map(|(path, text)| Artifact::new(path, text)).collect()
}

/// What stands behind an upstream, if Kubernetes finds it.
fn service(model: &Model, upstream: &Upstream) -> Option<(Headless, ServicePort)> {
    let number = upstream.port.number.value.get();
    let headless = model.headless(upstream.target, number, upstream.subset.as_deref())?;
    let target_port = upstream.port.target.map_or(number, |target| target.value.get());
    Some((headless, ServicePort { name: upstream.port.port_name(), port: number, target_port }))
}
