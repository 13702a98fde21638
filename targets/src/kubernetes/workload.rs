//! All that one proxy needs to run in a cluster.

use super::api::{Map, Metadata, Resource, ServicePort, ServiceSpec, Spec};
use super::{append, deployment, files, name};
use crate::artifact::{Artifact, HEADER};
use meshc_compiler::Model;
use meshc_compiler::model::{Deploy, RawProxy};
use meshc_compiler::routing::{Listener, Plain, Proxy, Role};
use smol_str::SmolStr;
use std::net::IpAddr;

/// What the program of a data plane needs to run one proxy.
pub(crate) struct Workload<'a> {
    /// The data plane.
    pub(crate) program: RawProxy,
    /// The image, unless `bindings` name another.
    pub(crate) image: &'static str,
    /// The program in the image, and its arguments.
    pub(crate) command: Vec<String>,
    /// What lets requests that are under way end before the program is told to, and takes at most [`Self::grace`] seconds.
    pub(crate) before_the_end: Vec<String>,
    /// Seconds from the begin of its end to the moment when it is killed.
    pub(crate) grace: u32,
    /// The user and group that it runs as; not 0.
    pub(crate) user: u32,
    /// The folder that the output folder becomes.
    pub(crate) mount: &'a str,
    /// The proxy's files, by their paths below the output folder.
    pub(crate) files: &'a [Artifact],
    /// How many of these files, from the first, the program reads only when it starts: a change of them starts new pods.
    pub(crate) read_once: usize,
    /// Folders that it writes to; everything else can only be read.
    pub(crate) writes: &'a [&'a str],
}

/// The manifests of one proxy: ConfigMaps with its files, a Deployment and a Service. Secrets that it names are mounted from the
/// proxy's own namespace, at [`crate::raw_proxy::mounted_folder`].
pub(crate) fn workload(model: &Model, deploy: &Deploy, proxy: &Proxy, workload: &Workload<'_>) -> Artifact {
    let named = Named {
        name: name::of_proxy(model, proxy),
        namespace: proxy.namespace.clone(),
        labels: pod_labels(model, proxy),
    };
    let mut text = String::from(HEADER);
    let maps = files::config_maps(&named.name, workload.files);
    for map in &maps {
        let metadata = Metadata { name: map.name.clone(), ..named.metadata() };
        map.append(metadata, &mut text);
    }
    let spec = deployment::deployment(model, deploy, proxy, workload, &named, &maps);
    let content = Spec { spec };
    append(
        &mut text,
        &Resource { api_version: "apps/v1", kind: "Deployment", metadata: named.metadata(), content },
    );
    let ports = ports(proxy);
    if !ports.is_empty() {
        let spec = ServiceSpec { cluster_ip: None, selector: named.selector(), ports };
        let content = Spec { spec };
        append(
            &mut text,
            &Resource { api_version: "v1", kind: "Service", metadata: named.metadata(), content },
        );
    }
    Artifact::new(name::of_workload(named.namespace.as_deref(), &named.name), text)
}

/// The names and labels of a proxy's resources.
pub(super) struct Named {
    pub(super) name: SmolStr,
    pub(super) namespace: Option<SmolStr>,
    /// The labels that its pods have beside those that choose them.
    labels: Map,
}

impl Named {
    fn metadata(&self) -> Metadata {
        let mut labels = self.selector();
        labels.insert(SmolStr::new_static("app.kubernetes.io/managed-by"), "meshc".to_owned());
        Metadata {
            name: self.name.clone(),
            namespace: self.namespace.clone(),
            labels,
            annotations: Map::new(),
        }
    }

    /// What chooses the pods.
    pub(super) fn selector(&self) -> Map {
        Map::from([(SmolStr::new_static("app.kubernetes.io/name"), self.name.to_string())])
    }

    /// All labels of the pods.
    pub(super) fn pod_labels(&self) -> Map {
        let mut labels = self.labels.clone();
        labels.entry(SmolStr::new_static("app")).or_insert_with(|| self.name.to_string());
        labels.extend(self.selector());
        labels
    }
}

/// The labels by which a gateway says that workloads carry it.
fn pod_labels(model: &Model, proxy: &Proxy) -> Map {
    let Role::Gateway(id) = proxy.role else { return Map::new() };
    let workload = model.mesh.gateways.get(id).and_then(|gateway| gateway.body.workload.as_ref());
    let labels = workload.into_iter().flat_map(|workload| &workload.labels).map(|label| &label.value);
    labels.map(|label| (SmolStr::new(label.key().as_str()), label.value().as_str().to_owned())).collect()
}

/// The ports that others can reach, each once.
pub(super) fn ports(proxy: &Proxy) -> Vec<ServicePort> {
    let mut ports: Vec<ServicePort> = Vec::new();
    let reachable =
        |listener: &&Listener| !listener.bind.is_some_and(|address: IpAddr| address.is_loopback());
    for listener in proxy.listeners.iter().filter(reachable) {
        if ports.iter().any(|known| known.port == listener.port) {
            continue;
        }
        let spoken = match (&listener.plain, listener.tls.is_empty()) {
            (Some(Plain::Http(_)), _) => "http",
            (_, false) => "tls",
            (Some(Plain::Tcp(_)) | None, true) => "tcp",
        };
        ports.push(ServicePort {
            name: SmolStr::new(format!("{spoken}-{}", listener.port)),
            port: listener.port,
            target_port: listener.port,
        });
    }
    ports
}
