//! What istiod makes of meshes, run by Envoy on the loopback and held to the reference matcher, request by request.
//!
//! ```text
//! Mesh -plan--> reference proxies -rig--> ports, upstreams \
//!      -emit--> resources -istiod-> listeners, clusters     } one Envoy for many proxies -> requests, connections
//! ```

use super::cluster::{Cluster, DEFAULT_NAMESPACE, Labels, in_kubernetes, labels_of};
use super::{Mesh, namespaces, simulated};
use crate::oracle::istio::{Job, KeyPair, Stage, Staged, Workload, ask};
use meshc_cli::rig::{Launch, NotReady, Process, Rigged, World, ports};
use meshc_compiler::Model;
use meshc_compiler::model::{Controller, Resource, Service};
use meshc_compiler::routing::matcher::Connection;
use meshc_compiler::routing::{
    ConnectionRule, Listener, Plain, Proxy, Sidecar, TlsKind, carried, gateway_workload, sidecar,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// A proxy of a mesh: the workload, and what the reference says of it.
pub(crate) struct Planned {
    pub(crate) workload: Workload,
    pub(crate) proxy: Proxy,
}

/// A proxy that runs.
pub(crate) struct Actor<'m> {
    pub(crate) mesh: &'m Mesh,
    pub(crate) workload: Workload,
    /// The reference, before it was put on the loopback.
    plan: Proxy,
    /// What the simulation was asked.
    connections: Vec<Connection>,
    /// Where it runs, if it does.
    rigged: Option<Rigged>,
}

impl Actor<'_> {
    /// Where it runs.
    pub(crate) fn rigged(&self) -> &Rigged {
        self.rigged.as_ref().unwrap()
    }
}

/// Why meshes do not run.
pub(crate) enum NotRunning {
    /// A program is absent.
    Skipped,
    /// Envoy refuses, or istiod makes something else than was meant.
    Faults(Vec<String>),
}

/// How long Envoy may take until it serves.
const PATIENCE: Duration = Duration::from_secs(60);

/// The proxies that a mesh has in a cluster: one for each workload that carries gateways, and sidecars in every namespace.
pub(crate) fn planned(model: &Model, cluster: &Cluster) -> Vec<Planned> {
    let mut all = Vec::new();
    let mut done: Vec<(String, Labels)> = Vec::new();
    for (_, gateway) in model.mesh.gateways.iter().filter(|(_, one)| one.controller() == Controller::Istio) {
        let place = (gateway.namespace_name().unwrap_or(DEFAULT_NAMESPACE).to_owned(), labels_of(gateway));
        if done.contains(&place) {
            continue;
        }
        let (namespace, labels) = place.clone();
        done.push(place);
        if let Some(proxy) = gateway_workload(model, &carried(model, &labels)) {
            let name = format!("gateway {}", gateway.name.value);
            all.push(Planned {
                workload: Workload { name, gateway: true, namespace, labels, ..Workload::default() },
                proxy,
            });
        }
    }
    let addresses = addresses(model, cluster);
    for namespace in namespaces(model) {
        for labels in callers(model, &namespace) {
            let caller = Sidecar {
                namespace: namespace.clone(),
                labels: labels.clone(),
                addresses: addresses.clone(),
            };
            let name = format!("sidecar in {namespace} {labels:?}");
            all.push(Planned {
                workload: Workload { name, namespace: namespace.clone(), labels, ..Workload::default() },
                proxy: sidecar(model, &caller),
            });
        }
    }
    all
}

/// Labels of callers that some condition asks for, beside a caller without any.
fn callers(model: &Model, namespace: &str) -> Vec<Labels> {
    let mut all = vec![Labels::new()];
    let routes = model.hosts.as_slice().iter().flat_map(|host| &host.routes);
    for one in routes.flat_map(|route| &route.matches).filter(|one| !one.source_labels.is_empty()) {
        let here = one.source_namespace.as_ref().is_none_or(|asked| asked.as_str() == namespace);
        let labels: Labels = one
            .source_labels
            .iter()
            .map(|label| (label.key().as_str().to_owned(), label.value().as_str().to_owned()))
            .collect();
        if here && !all.contains(&labels) {
            all.push(labels);
        }
    }
    all
}

/// The addresses of the services of a mesh.
fn addresses(model: &Model, cluster: &Cluster) -> BTreeMap<String, IpAddr> {
    let of = |service: &Resource<Service>| {
        let host = model.mesh.service_host(service);
        let (name, namespace) = in_kubernetes(&host)
            .unwrap_or_else(|| (service.name.value.to_string(), DEFAULT_NAMESPACE.to_owned()));
        Some((host.to_string(), IpAddr::V4(cluster.address(&name, &namespace)?)))
    };
    model.mesh.services.as_slice().iter().filter_map(of).collect()
}

/// Runs every nth proxy of meshes in one Envoy, in a folder, and hands it to `act`; the others are only configured.
pub(crate) fn run(
    meshes: &[Mesh],
    envoy: &Path,
    folder: &Path,
    every: usize,
    mut act: impl FnMut(&Actor<'_>, &World),
) -> Result<(), NotRunning> {
    let clusters: Vec<Cluster> = meshes.iter().map(|mesh| Cluster::of(mesh.checked.model())).collect();
    let all: Vec<Vec<Planned>> =
        meshes.iter().zip(&clusters).map(|(mesh, cluster)| planned(mesh.checked.model(), cluster)).collect();
    let proxies: Vec<Arc<Proxy>> = all.iter().flatten().map(|one| Arc::new(one.proxy.clone())).collect();
    let world = World::new(folder, &proxies).unwrap();
    let mut actors: Vec<Actor<'_>> = Vec::new();
    let (mut listeners, mut destinations, mut faults) = (Vec::new(), Vec::new(), Vec::new());
    for ((mesh, cluster), planned) in meshes.iter().zip(&clusters).zip(all) {
        let own: Vec<Actor<'_>> = planned
            .into_iter()
            .enumerate()
            .map(|(number, one)| {
                let runs = (number + usize::try_from(mesh.seed).unwrap()) % every == 0;
                let prefix = format!("{}/{number}/", mesh.name);
                staged(mesh, one, runs.then_some((&world, prefix.as_str())))
            })
            .collect();
        let job = Job {
            name: mesh.name.clone(),
            resources: mesh.resources.clone(),
            cluster: cluster.text(),
            judge: false,
            workloads: own.iter().map(|actor| actor.workload.clone()).collect(),
        };
        let Some(answer) = ask(&job) else { return Err(NotRunning::Skipped) };
        for (actor, configured) in own.iter().zip(answer.workloads) {
            let place = format!("{}: {}", mesh.name, configured.name);
            faults.extend(
                configured.dangling.iter().map(|name| format!("{place}: nothing makes cluster {name}")),
            );
            for (connection, passage) in actor.connections.iter().zip(&configured.connections) {
                let differs = simulated::difference(&actor.plan, connection, passage);
                faults.extend(differs.map(|what| format!("{place}: simulation: {what}")));
            }
            let Some(Staged { listeners: own, clusters }) = configured.staged else { continue };
            faults.extend(missing(actor, &own).map(|what| format!("{place}: {what}")));
            listeners.extend(own);
            destinations.extend(clusters);
        }
        actors.extend(own.into_iter().filter(|actor| actor.rigged.is_some()));
    }
    if !faults.is_empty() {
        return Err(NotRunning::Faults(faults));
    }
    let mut process =
        start(envoy, folder, &actors, &json!({"listeners": listeners, "clusters": destinations}))
            .map_err(|said| NotRunning::Faults(vec![said]))?;
    for actor in &actors {
        act(actor, &world);
    }
    process.stop().unwrap();
    Ok(())
}

/// Puts the surroundings of a proxy on the loopback, if it is to run there.
fn staged<'m>(mesh: &'m Mesh, planned: Planned, stage: Option<(&World, &str)>) -> Actor<'m> {
    let Planned { mut workload, proxy: plan } = planned;
    let connections = simulated::connections(&plan);
    workload.connections = connections.iter().map(simulated::asked).collect();
    let rigged = stage.map(|(world, prefix)| {
        let (rigged, stage) = on_the_loopback(plan.clone(), world, prefix);
        workload.stage = Some(stage);
        rigged
    });
    Actor { mesh, workload, plan, connections, rigged }
}

fn on_the_loopback(mut proxy: Proxy, world: &World, prefix: &str) -> (Rigged, Stage) {
    proxy.listeners.retain(|listener| !depends_on_address(listener));
    let places: Vec<String> = proxy
        .listeners
        .iter()
        .map(|listener| match listener.bind {
            None => format!("0.0.0.0:{}", listener.port),
            Some(address) => format!("{address}:{}", listener.port),
        })
        .collect();
    let rigged = world.rig(proxy).unwrap();
    let names = rigged.proxy.upstreams.as_slice().iter().map(|upstream| upstream.name.to_string());
    let pair = |identity: &meshc_cli::rig::Identity| KeyPair {
        certificate: identity.cert.clone(),
        key: identity.key.clone(),
    };
    let stage = Stage {
        prefix: prefix.to_owned(),
        listeners: places.into_iter().zip(rigged.listening()).collect(),
        endpoints: names.zip(rigged.upstreams.iter().map(meshc_cli::rig::Echo::port)).collect(),
        server: pair(&world.server),
        client: pair(&world.client),
        authority: world.authority.ca.clone(),
    };
    (rigged, stage)
}

/// Whether nothing comes in without one of certain addresses, which nobody can call on the loopback.
fn depends_on_address(listener: &Listener) -> bool {
    let Listener { bind: _, all: _, port: _, plain, tls, conflicts: _ } = listener;
    let addressed = |rules: &[ConnectionRule]| {
        let somewhere = |rule: &ConnectionRule| {
            !rule.matches.is_empty() && rule.matches.iter().all(|one| !one.destinations.is_empty())
        };
        !rules.is_empty() && rules.iter().all(somewhere)
    };
    let plain = plain.as_ref().is_none_or(|plain| match plain {
        Plain::Tcp(rules) => addressed(rules),
        Plain::Http(_) => false,
    });
    plain
        && tls.iter().all(|server| match &server.kind {
            TlsKind::Tcp(_, rules) | TlsKind::Passthrough(rules) => addressed(rules),
            TlsKind::Http(..) => false,
        })
}

/// Listeners that the reference has and istiod does not make.
fn missing(actor: &Actor<'_>, made: &[Value]) -> impl Iterator<Item = String> {
    let ports: Vec<u64> = made
        .iter()
        .filter_map(|listener| listener.pointer("/address/socketAddress/portValue")?.as_u64())
        .collect();
    let wanted = actor.workload.stage.iter().flat_map(|stage| stage.listeners.clone());
    wanted
        .filter(move |(_, port)| !ports.contains(&u64::from(*port)))
        .map(|(place, _)| format!("istiod makes no listener for {place}"))
}

fn start(envoy: &Path, folder: &Path, actors: &[Actor<'_>], resources: &Value) -> Result<Process, String> {
    let admin = ports::free().unwrap();
    let address = json!({"socketAddress": {"address": "127.0.0.1", "portValue": admin}});
    let bootstrap = json!({"admin": {"address": address}, "staticResources": resources});
    let path = folder.join("istio.json");
    std::fs::write(&path, bootstrap.to_string()).unwrap();
    let words = ["--disable-hot-restart", "--concurrency", "1", "--log-level", "error", "-c"];
    let launch = Launch {
        program: envoy.to_owned(),
        arguments: words.iter().map(Into::into).chain([path.into_os_string()]).collect(),
        folder: folder.to_owned(),
        log: folder.join("istio.log"),
    };
    let mut process = launch.start().unwrap();
    let ports: Vec<u16> = actors.iter().flat_map(|actor| actor.rigged().listening()).collect();
    match process.wait_ready(&ports, Some(admin), PATIENCE, || false) {
        Ok(()) => Ok(process),
        Err(NotReady::Ended(_) | NotReady::TimedOut) => {
            Err(format!("Envoy does not serve what istiod makes: {}", process.output()))
        }
        Err(NotReady::Stopped | NotReady::Failed(_)) => Err("Envoy cannot be looked at".to_owned()),
    }
}
