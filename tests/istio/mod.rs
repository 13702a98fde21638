//! Istio's own code over everything that is made for Istio in these tests: examples, the use of the standard library, and the case
//! of every feature. All of it is accepted, analyzed and configured.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

pub(crate) mod cluster;
mod simulated;
pub(crate) mod stage;

use crate::oracle::istio::{Finding, Job, Workload, ask};
use crate::{capabilities, golden};
use cluster::{Cluster, DEFAULT_NAMESPACE, labels_of};
use meshc_compiler::model::Controller;
use meshc_compiler::{Checked, Model};
use std::collections::BTreeSet;

/// A mesh and what is made of it for Istio.
pub(crate) struct Mesh {
    /// Where it comes from, and the environment.
    pub(crate) name: String,
    /// What chance made it from; 0 for one that stands in a file.
    pub(crate) seed: u64,
    pub(crate) checked: Checked,
    /// The resources, a stream of YAML.
    pub(crate) resources: String,
}

/// All meshes that stand in files.
pub(crate) fn meshes() -> Vec<Mesh> {
    let mut all = golden::meshes_for_istio();
    all.extend(capabilities::meshes_for_istio());
    all
}

/// A source as it is in a cluster, where everything has a namespace.
pub(crate) fn in_a_namespace(source: &str) -> String {
    let is_said = source.lines().any(|line| line.starts_with("namespace "));
    if is_said { source.to_owned() } else { format!("namespace {DEFAULT_NAMESPACE}\n\n{source}") }
}

/// What analyzers say of meshes that are right: the code of the message, a word of it, and why it is so.
const REMARKS: &[(&str, &str, &str)] = &[
    (
        "IST0112",
        "exposes multiple ports",
        "a service is called in its own host's routes on the port that the caller chose",
    ),
    (
        "IST0140",
        "has no effect on ingress gateway",
        "what callers in the mesh get of a host is nothing to a gateway",
    ),
    (
        "IST0149",
        "found no request authentication",
        "who issues tokens is said by resources that others write",
    ),
    (
        "IST0128",
        "no caCertificates are set",
        "the server's certificate is one of those that the system trusts",
    ),
];

#[test]
fn istio_takes_everything_that_is_made_for_it() {
    let mut faults = Vec::new();
    let mut judged = 0;
    for mesh in meshes() {
        let model = mesh.checked.model();
        let job = Job {
            name: mesh.name.clone(),
            resources: mesh.resources.clone(),
            cluster: Cluster::of(model).text(),
            judge: true,
            workloads: workloads(model),
        };
        let Some(answer) = ask(&job) else { return };
        judged += 1;
        let about = |finding: &Finding| {
            let Finding { judge, level, resource, message } = finding;
            format!("{}: {judge} {level}: {resource}: {message}", mesh.name)
        };
        faults.extend(answer.refusals.iter().map(about));
        faults.extend(answer.findings.iter().filter(|finding| !is_known(finding, model)).map(about));
        faults
            .extend(answer.skipped.iter().map(|name| format!("{}: analyzer {name} did not run", mesh.name)));
        for workload in &answer.workloads {
            for cluster in &workload.dangling {
                faults.push(format!("{}: {}: nothing makes cluster {cluster}", mesh.name, workload.name));
            }
        }
    }
    assert!(judged > 60, "only {judged} meshes were judged");
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}

fn is_known(finding: &Finding, model: &Model) -> bool {
    let Finding { judge, level: _, resource, message } = finding;
    let is_external = || {
        let mut names = model.mesh.externals.as_slice().iter().map(|external| external.name.value.as_str());
        names.any(|name| resource.ends_with(&format!("/{name}")))
    };
    // The endpoints of an external are no pods.
    (judge == "IST0173" && is_external())
        || REMARKS.iter().any(|(code, word, _)| judge == code && message.contains(word))
}

/// The proxies of a mesh: those of its gateways, and a sidecar in each namespace.
fn workloads(model: &Model) -> Vec<Workload> {
    let mut all = Vec::new();
    for (_, gateway) in model.mesh.gateways.iter().filter(|(_, one)| one.controller() == Controller::Istio) {
        all.push(Workload {
            name: format!("gateway {}", gateway.name.value),
            gateway: true,
            namespace: gateway.namespace_name().unwrap_or(DEFAULT_NAMESPACE).to_owned(),
            labels: labels_of(gateway),
            ..Workload::default()
        });
    }
    for namespace in namespaces(model) {
        all.push(Workload { name: format!("sidecar in {namespace}"), namespace, ..Workload::default() });
    }
    all
}

/// The namespaces that a mesh speaks of.
pub(crate) fn namespaces(model: &Model) -> BTreeSet<String> {
    let mesh = &model.mesh;
    let services = mesh.services.as_slice().iter().map(|one| one.namespace_name());
    let externals = mesh.externals.as_slice().iter().map(|one| one.namespace_name());
    let hosts = model.hosts.as_slice().iter().map(|one| one.namespace_name());
    let named = services.chain(externals).chain(hosts);
    named.map(|namespace| namespace.unwrap_or(DEFAULT_NAMESPACE).to_owned()).collect()
}
