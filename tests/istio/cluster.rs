//! What a cluster holds beside resources of Istio: the services and pods that a mesh speaks of, gateways among them, and secrets.

use meshc_cli::rig::Authority;
use meshc_compiler::Model;
use meshc_compiler::model::{FrontService, Gateway, Resource, Service};
use meshc_compiler::values::{Protocol, SecretName};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::OnceLock;

/// The namespace of what names none.
pub(crate) const DEFAULT_NAMESPACE: &str = "default";

/// A cluster, document by document.
#[derive(Default)]
pub(crate) struct Cluster {
    documents: Vec<Value>,
    namespaces: BTreeSet<String>,
    services: BTreeMap<(String, String), Ipv4Addr>,
    pods: u32,
}

pub(crate) type Labels = BTreeMap<String, String>;

/// A service of Kubernetes.
#[derive(Clone)]
pub(crate) struct Wanted {
    pub(crate) name: String,
    pub(crate) namespace: String,
    /// Its own labels.
    pub(crate) labels: Labels,
    pub(crate) selector: Labels,
    /// Name, number, and whether it is UDP.
    pub(crate) ports: Vec<(String, u16, bool)>,
    /// What each pod has beside the labels that are selected.
    pub(crate) pods: Vec<Labels>,
}

impl Cluster {
    /// The cluster in which a mesh would run.
    pub(crate) fn of(model: &Model) -> Self {
        let mut cluster = Self::default();
        for (_, gateway) in model.mesh.gateways.iter() {
            cluster.gateway(model, gateway);
        }
        for service in model.mesh.services.as_slice() {
            cluster.service(model, service);
        }
        for external in model.mesh.externals.as_slice() {
            let namespace = external.namespace_name().unwrap_or(DEFAULT_NAMESPACE);
            let labels: Labels =
                external.body.workload.iter().flat_map(|labels| &labels.0).map(pair).collect();
            if !labels.is_empty() {
                cluster.pod(namespace, &labels);
            }
        }
        for host in model.hosts.as_slice() {
            cluster.namespace(host.namespace_name().unwrap_or(DEFAULT_NAMESPACE));
        }
        cluster
    }

    /// The address of a service, by name and namespace.
    pub(crate) fn address(&self, name: &str, namespace: &str) -> Option<Ipv4Addr> {
        self.services.get(&(name.to_owned(), namespace.to_owned())).copied()
    }

    /// Adds anything.
    pub(crate) fn document(&mut self, document: Value) {
        self.documents.push(document);
    }

    /// All of it, as a stream of YAML.
    pub(crate) fn text(&self) -> String {
        self.documents.iter().map(|document| format!("---\n{document}\n")).collect()
    }

    /// Adds a namespace.
    pub(crate) fn namespace(&mut self, name: &str) {
        if self.namespaces.insert(name.to_owned()) {
            let metadata = json!({"name": name, "labels": {"istio-injection": "enabled"}});
            self.documents.push(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}));
        }
    }

    /// The pods of a gateway, a service before them, and its secrets.
    fn gateway(&mut self, model: &Model, gateway: &Resource<Gateway>) {
        let own = gateway.namespace_name().unwrap_or(DEFAULT_NAMESPACE);
        let labels = labels_of(gateway);
        let mut numbers: BTreeSet<u16> =
            gateway.body.listeners.iter().map(|listener| listener.port.value.get()).collect();
        for external in model.mesh.externals.as_slice() {
            let through = external.egress().and_then(|id| model.mesh.gateways.get(id));
            if through.is_some_and(|through| through.span == gateway.span) {
                numbers.extend(external.body.ports.iter().map(|port| port.number.value.get()));
            }
        }
        let declared = match gateway.front() {
            Some(FrontService::Declared(id)) => model.mesh.services.get(*id),
            Some(FrontService::Outside(_)) | None => None,
        };
        // A port without a protocol in its name would be one of TCP.
        let name = |number: u16| {
            let mut ports = declared.iter().flat_map(|service| &service.declared.body.ports);
            let own = ports.find(|port| port.number.value.get() == number);
            own.map_or(format!("tcp-{number}"), |port| port.port_name().to_string())
        };
        let ports: Vec<_> = numbers.into_iter().map(|number| (name(number), number, false)).collect();
        let host = match gateway.front() {
            Some(FrontService::Outside(host)) => Some(host.to_string()),
            Some(FrontService::Declared(id)) => {
                model.mesh.services.get(*id).map(|one| model.mesh.service_host(one).to_string())
            }
            None => None,
        };
        let (name, namespace) = host
            .and_then(|host| in_kubernetes(&host))
            .unwrap_or_else(|| (format!("gateway-{}", gateway.name.value), own.to_owned()));
        self.add(Wanted {
            name,
            namespace,
            labels: Labels::new(),
            selector: labels,
            ports,
            pods: vec![Labels::new()],
        });
        self.secrets(gateway, own);
    }

    fn secrets(&mut self, gateway: &Gateway, namespace: &str) {
        for tls in gateway.body.listeners.iter().filter_map(|listener| listener.body.tls.as_deref()) {
            let several = tls.body.credentials.iter().flat_map(|names| names.iter());
            let names = tls.body.credential.iter().chain(&tls.body.ca_credential).chain(several);
            for name in names {
                self.secret(&name.value, namespace);
            }
        }
    }

    fn secret(&mut self, name: &SecretName, namespace: &str) {
        let text = name.to_string();
        let bare = text.rsplit("://").next().unwrap_or_default();
        let (namespace, name) = bare.split_once('/').unwrap_or((namespace, bare));
        let (certificate, key) = key_pair();
        let data = json!({"tls.crt": certificate, "tls.key": key, "ca.crt": certificate});
        let metadata = json!({"name": name, "namespace": namespace});
        let document = json!({
            "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "metadata": metadata, "data": data,
        });
        if !self.documents.contains(&document) {
            self.documents.push(document);
        }
    }

    fn service(&mut self, model: &Model, service: &Resource<Service>) {
        let Some((name, namespace)) = in_kubernetes(&model.mesh.service_host(service)).or_else(|| {
            service
                .namespace
                .is_none()
                .then(|| (service.name.value.to_string(), DEFAULT_NAMESPACE.to_owned()))
        }) else {
            return;
        };
        let body = &service.declared.body;
        let port = |port: &meshc_compiler::model::Port| {
            (port.port_name().to_string(), port.number.value.get(), port.protocol.value == Protocol::Udp)
        };
        let of_subset = |subset: &meshc_compiler::model::Subset| {
            subset.body.labels.iter().flat_map(|labels| &labels.0).map(pair).collect()
        };
        let mut pods: Vec<Labels> = body.subsets.iter().map(of_subset).collect();
        if pods.is_empty() {
            pods.push(Labels::new());
        }
        let selector = [("app".to_owned(), name.clone())].into();
        let ports = body.ports.iter().map(port).collect();
        self.add(Wanted { name, namespace, labels: Labels::new(), selector, ports, pods });
    }

    /// Adds a service and its pods.
    pub(crate) fn add(&mut self, wanted: Wanted) {
        let Wanted { name, namespace, labels, selector, ports, pods } = wanted;
        self.namespace(&namespace);
        let key = (name.clone(), namespace.clone());
        if self.services.contains_key(&key) {
            return;
        }
        let number = u16::try_from(self.services.len() + 1).unwrap();
        let [high, low] = number.to_be_bytes();
        let address = Ipv4Addr::new(10, 96, high, low);
        self.services.insert(key, address);
        let protocol = |udp: bool| if udp { "UDP" } else { "TCP" };
        let of_service: Vec<Value> = ports
            .iter()
            .map(|(name, port, udp)| json!({"name": name, "port": port, "targetPort": port, "protocol": protocol(*udp)}))
            .collect();
        let of_slice: Vec<Value> = ports
            .iter()
            .map(|(name, port, udp)| json!({"name": name, "port": port, "protocol": protocol(*udp)}))
            .collect();
        self.documents.push(json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": namespace, "labels": labels},
            "spec": {"clusterIP": address, "ports": of_service, "selector": selector},
        }));
        let endpoints: Vec<Value> = pods
            .into_iter()
            .map(|labels| {
                let (pod, address) =
                    self.pod(&namespace, &selector.clone().into_iter().chain(labels).collect());
                let target = json!({"kind": "Pod", "name": pod, "namespace": namespace});
                json!({"addresses": [address], "conditions": {"ready": true}, "targetRef": target})
            })
            .collect();
        self.documents.push(json!({
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {"name": format!("{name}-1"), "namespace": namespace, "labels": {"kubernetes.io/service-name": name}},
            "endpoints": endpoints, "ports": of_slice,
        }));
    }

    /// A pod with a sidecar; its name and address.
    fn pod(&mut self, namespace: &str, labels: &Labels) -> (String, Ipv4Addr) {
        self.namespace(namespace);
        self.pods += 1;
        let address = Ipv4Addr::from_bits(Ipv4Addr::new(10, 244, 0, 0).to_bits() + self.pods);
        let name = format!("pod-{}", self.pods);
        let annotations = json!({"sidecar.istio.io/status": "{}"});
        self.documents.push(json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, "namespace": namespace, "labels": labels, "annotations": annotations},
            "spec": {"containers": [{"name": "app", "image": "app"}, {"name": "istio-proxy", "image": "docker.io/istio/proxyv2:1.99.0"}]},
            "status": {"podIP": address, "phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
        }));
        (name, address)
    }
}

/// The labels of the pods that carry a gateway; one that takes any has some of its own.
pub(crate) fn labels_of(gateway: &Gateway) -> Labels {
    let labels: Labels =
        gateway.body.workload.iter().flat_map(|workload| &workload.labels).map(pair).collect();
    if labels.is_empty() { [("gateway".to_owned(), gateway.name.value.to_string())].into() } else { labels }
}

fn pair(label: &meshc_language::Spanned<meshc_compiler::values::Label>) -> (String, String) {
    (label.value.key().as_str().to_owned(), label.value.value().as_str().to_owned())
}

/// Name and namespace of a service of Kubernetes, from its full name.
pub(crate) fn in_kubernetes(host: &str) -> Option<(String, String)> {
    let (name, rest) = host.split_once('.')?;
    let (namespace, domain) = rest.split_once('.')?;
    domain.starts_with("svc.").then(|| (name.to_owned(), namespace.to_owned()))
}

/// A certificate and its key, in the encoding of secrets.
fn key_pair() -> &'static (String, String) {
    static PAIR: OnceLock<(String, String)> = OnceLock::new();
    PAIR.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new(folder.path(), "ca").unwrap();
        let identity = authority.issue("server", &["example.com".to_owned()]).unwrap();
        let text = |path| base64(&std::fs::read(path).unwrap());
        (text(&identity.cert), text(&identity.key))
    })
}

/// RFC 4648, 4.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = (0..3)
            .fold(0_usize, |bits, at| bits << 8 | usize::from(chunk.get(at).copied().unwrap_or_default()));
        for digit in 0..4 {
            let filled = digit <= chunk.len();
            text.push(if filled { char::from(ALPHABET[bits >> (18 - 6 * digit) & 63]) } else { '=' });
        }
    }
    text
}

#[test]
fn base64_is_padded() {
    let texts: Vec<String> =
        ["", "f", "fo", "foo", "foob"].iter().map(|text| base64(text.as_bytes())).collect();
    assert_eq!(texts, ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg=="]);
}
