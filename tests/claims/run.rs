//! Claims are tried: Istio's own code judges the resources and makes the configuration, one Envoy runs all of it.
//!
//! ```text
//! Case -istiod-> listeners, clusters \
//! Case -istiod-> ...                  } one Envoy, one upstream behind every cluster -> answers, as text
//! ```

use super::case::{Ask, Asked, Case, Kind, Place, Question, What};
use crate::istio::cluster::{Cluster, Labels, Wanted};
use crate::oracle::istio::{self, Answer, Configured, Job, KeyPair, Passage, Share, Stage, Workload, ask};
use meshc_cli::rig::{
    Authority, Connection, Echo, EchoOptions, Echoes, Identity, Launch, Process, Request, Response, Security,
    Seen, Speaks, Tls, ports,
};
use rayon::prelude::*;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// How long Envoy may take until it serves, and an answer to come.
const PATIENCE: Duration = Duration::from_secs(60);

/// The header in which the cluster is told that answered, and Envoy's flags if none did.
const CLUSTER: &str = "x-claims-cluster";
const FLAGS: &str = "x-claims-flags";

/// The listeners that are loaded where all of a proxy is.
const LOADED: [u16; 2] = [80, 443];

/// What all claims share.
struct World {
    server: Identity,
    client: Identity,
    authority: Authority,
    upstream: Echo,
    _echoes: Echoes,
}

/// A claim whose proxies are configured.
struct Staged<'c> {
    case: &'c Case,
    /// The proxies that are asked, and on which port of the loopback each of their ports is.
    places: Vec<(Place, BTreeMap<String, u16>)>,
    answer: Answer,
    /// The listeners of each proxy.
    listeners: Vec<Value>,
    /// What Envoy said to the whole configuration of a proxy, by the position of its place.
    loaded: BTreeMap<usize, String>,
}

/// The answers of each claim, in the order of its questions; `None` where a program is absent.
pub(super) fn answers(cases: &[Case], envoy: &Path) -> Option<Vec<Vec<String>>> {
    let folder = tempfile::tempdir().unwrap();
    let world = World::new(folder.path());
    let staged: Option<Vec<Staged<'_>>> =
        cases.par_iter().enumerate().map(|(number, case)| staged(case, &world, number)).collect();
    let mut staged = staged?;
    let mut resources = json!({"listeners": [], "clusters": []});
    let mut listening = Vec::new();
    for (number, one) in staged.iter_mut().enumerate() {
        for (at, (configured, (place, ports))) in
            one.answer.workloads.iter_mut().zip(&mut one.places).enumerate()
        {
            one.listeners
                .push(configured.staged.iter().flat_map(|staged| staged.listeners.clone()).collect());
            if is_loaded(one.case, place) {
                let mut own = json!({"listeners": [], "clusters": []});
                collected(configured, &world, &mut own);
                one.loaded.insert(at, loaded(envoy, folder.path(), &own, &format!("{number}-{at}")));
                continue;
            }
            let made = collected(configured, &world, &mut resources);
            ports.retain(|_, port| made.contains(&u64::from(*port)));
            listening.extend(ports.values().copied());
        }
    }
    let mut process = started(envoy, folder.path(), &resources, &listening);
    let answers = staged.par_iter().enumerate().map(|(number, one)| one.answers(number)).collect();
    process.stop().unwrap();
    Some(answers)
}

impl World {
    fn new(folder: &Path) -> Self {
        let authority = Authority::new(folder, "ca").unwrap();
        let echoes = Echoes::new().unwrap();
        let server = authority.issue("server", &["*.shop.com".to_owned()]).unwrap();
        let client = authority.issue("client", &[]).unwrap();
        let options = EchoOptions {
            name: "upstream".to_owned(),
            speaks: Speaks::Http,
            security: Security::Either(&authority, &server),
        };
        let upstream = echoes.start(options).unwrap();
        Self { server, client, authority, upstream, _echoes: echoes }
    }
}

/// Asks Istio's code.
fn staged<'c>(case: &'c Case, world: &World, number: usize) -> Option<Staged<'c>> {
    let mut places: Vec<(Place, BTreeMap<String, u16>)> = Vec::new();
    for Ask { what, .. } in &case.asks {
        let What::Of(place, question) = what else { continue };
        let at = places.iter().position(|(known, _)| known == place).unwrap_or_else(|| {
            places.push((place.clone(), BTreeMap::new()));
            places.len() - 1
        });
        match question {
            Question::Request(asked) => {
                places[at].1.entry(listener(place, asked)).or_insert_with(|| ports::free().unwrap());
            }
            Question::Route { port, .. } => {
                places[at].1.entry(format!("0.0.0.0:{port}")).or_insert_with(|| ports::free().unwrap());
            }
            Question::Load => {
                places[at].1.extend(LOADED.map(|port| (format!("0.0.0.0:{port}"), ports::free().unwrap())))
            }
            Question::Connect { .. } | Question::Cluster { .. } => {}
        }
    }
    let workloads = places
        .iter()
        .enumerate()
        .map(|(at, (place, ports))| workload(case, world, place, ports, &prefix(number, at)));
    let job = Job {
        name: case.name.clone(),
        resources: case.resources.clone(),
        cluster: cluster(case).text(),
        judge: case.asks.iter().any(|ask| matches!(ask.what, What::Admission | What::Analysis)),
        workloads: workloads.collect(),
    };
    let answer = ask(&job)?;
    Some(Staged { case, places, answer, listeners: Vec::new(), loaded: BTreeMap::new() })
}

/// Stands before the names of a proxy's clusters.
fn prefix(case: usize, place: usize) -> String {
    format!("{case}/{place}/")
}

/// How istiod calls the listener on which a request comes in; of a waypoint, its chain for the service.
fn listener(place: &Place, asked: &Asked) -> String {
    let Asked { authority, port, .. } = asked;
    match place.kind {
        Kind::Sidecar | Kind::Gateway => format!("0.0.0.0:{port}"),
        Kind::Waypoint => {
            let host = authority.split(':').next().unwrap();
            format!("inbound-vip|{port}|http|{host}")
        }
    }
}

fn workload(
    case: &Case,
    world: &World,
    place: &Place,
    ports: &BTreeMap<String, u16>,
    prefix: &str,
) -> Workload {
    let questions = || {
        case.asks.iter().filter_map(|ask| match &ask.what {
            What::Of(of, question) => (of == place).then_some(question),
            What::Admission | What::Analysis => None,
        })
    };
    let connections = questions().filter_map(|question| match question {
        Question::Connect { address, port, server_name } => Some(istio::Connection {
            address: address.clone(),
            port: *port,
            server_name: server_name.clone(),
            host: None,
        }),
        Question::Request(_) | Question::Cluster { .. } | Question::Route { .. } | Question::Load => None,
    });
    let clusters = questions().filter_map(|question| match question {
        Question::Cluster { name, .. } => Some(name.clone()),
        Question::Request(_) | Question::Connect { .. } | Question::Route { .. } | Question::Load => None,
    });
    let pair = |one: &Identity| KeyPair { certificate: one.cert.clone(), key: one.key.clone() };
    Workload {
        name: format!("{:?}", place.kind),
        gateway: place.kind == Kind::Gateway,
        waypoint: place.kind == Kind::Waypoint,
        namespace: place.namespace.clone(),
        labels: place.labels.clone(),
        connections: connections.collect(),
        clusters: clusters.collect(),
        stage: Some(Stage {
            prefix: prefix.to_owned(),
            listeners: ports.clone(),
            endpoints: BTreeMap::new(),
            server: pair(&world.server),
            client: pair(&world.client),
            authority: world.authority.ca.clone(),
        }),
    }
}

/// The services of a claim, and a waypoint in each namespace that has one.
fn cluster(case: &Case) -> Cluster {
    let mut cluster = Cluster::default();
    for service in &case.services {
        cluster.add(service.clone());
    }
    let places = || {
        case.asks.iter().filter_map(|ask| match &ask.what {
            What::Of(place, _) => Some(place),
            What::Admission | What::Analysis => None,
        })
    };
    // Analyzers miss the pods of a gateway, and the service in front of them.
    for (number, place) in places().filter(|place| place.kind == Kind::Gateway).enumerate() {
        cluster.add(Wanted {
            name: format!("gateway-{number}"),
            namespace: place.namespace.clone(),
            labels: Labels::new(),
            selector: place.labels.clone(),
            ports: LOADED.map(|port| (format!("tcp-{port}"), port, false)).to_vec(),
            pods: vec![Labels::new()],
        });
    }
    let waypoints = places().filter(|place| place.kind == Kind::Waypoint);
    let namespaces: BTreeSet<String> = waypoints.map(|place| place.namespace.clone()).collect();
    for namespace in namespaces {
        let labels: Labels =
            [("gateway.networking.k8s.io/gateway-name".to_owned(), "waypoint".to_owned())].into();
        cluster.add(Wanted {
            name: "waypoint".to_owned(),
            namespace: namespace.clone(),
            labels: labels.clone(),
            selector: labels,
            ports: vec![("mesh".to_owned(), 15008, false)],
            pods: vec![Labels::new()],
        });
        cluster.document(json!({
            "apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway",
            "metadata": {"name": "waypoint", "namespace": namespace},
            "spec": {
                "gatewayClassName": "istio-waypoint",
                "listeners": [{"name": "mesh", "port": 15008, "protocol": "HBONE"}],
            },
            "status": {"addresses": [{"type": "Hostname", "value": format!("waypoint.{namespace}.svc.cluster.local")}]},
        }));
    }
    cluster
}

/// Takes over what istiod made for a proxy, each cluster with the one upstream; the ports on which it listens.
fn collected(configured: &mut Configured, world: &World, resources: &mut Value) -> Vec<u64> {
    let Some(staged) = configured.staged.take() else { return Vec::new() };
    let port =
        |listener: &Value| listener.pointer("/address/socketAddress/portValue").and_then(Value::as_u64);
    let made = staged.listeners.iter().filter_map(port).collect();
    let address = json!({"socketAddress": {"address": "127.0.0.1", "portValue": world.upstream.port()}});
    for mut cluster in staged.clusters {
        cluster["loadAssignment"]["endpoints"] =
            json!([{"lbEndpoints": [{"endpoint": {"address": address}}]}]);
        resources["clusters"].as_array_mut().unwrap().push(cluster);
    }
    for mut listener in staged.listeners {
        tell(&mut listener);
        resources["listeners"].as_array_mut().unwrap().push(listener);
    }
    made
}

/// Lets answers tell where they come from.
fn tell(value: &mut Value) {
    let header = |name: &str, value: &str| json!([{"header": {"key": name, "value": value}, "appendAction": "OVERWRITE_IF_EXISTS_OR_ADD"}]);
    match value {
        Value::Object(fields) => {
            if fields.contains_key("httpFilters") {
                let every = json!({"statusCodeFilter": {"comparison": {
                    "op": "GE", "value": {"defaultValue": 0, "runtimeKey": "claims"},
                }}});
                let mapper = json!({"filter": every, "headersToAdd": header(FLAGS, "%RESPONSE_FLAGS%")});
                fields.insert("localReplyConfig".to_owned(), json!({"mappers": [mapper]}));
            }
            if let Some(table) = fields.get_mut("routeConfig") {
                table["responseHeadersToAdd"] = header(CLUSTER, "%UPSTREAM_CLUSTER_RAW%");
            }
            fields.values_mut().for_each(tell);
        }
        Value::Array(values) => values.iter_mut().for_each(tell),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Whether a proxy is one whose whole configuration is loaded by itself.
fn is_loaded(case: &Case, place: &Place) -> bool {
    case.asks.iter().any(|ask| matches!(&ask.what, What::Of(of, Question::Load) if of == place))
}

/// What Envoy says to a configuration.
fn loaded(envoy: &Path, folder: &Path, resources: &Value, name: &str) -> String {
    let path = folder.join(format!("{name}.json"));
    std::fs::write(&path, json!({"staticResources": resources}).to_string()).unwrap();
    let output = Command::new(envoy)
        .args(["--mode", "validate", "--log-level", "error", "-c"])
        .arg(&path)
        .output()
        .unwrap();
    match output.status.success() {
        true => "taken".to_owned(),
        false => format!("refused: {}", String::from_utf8_lossy(&output.stderr).replace('\n', " ").trim()),
    }
}

fn started(envoy: &Path, folder: &Path, resources: &Value, listening: &[u16]) -> Process {
    let admin = ports::free().unwrap();
    let address = json!({"socketAddress": {"address": "127.0.0.1", "portValue": admin}});
    let path = folder.join("claims.json");
    std::fs::write(&path, json!({"admin": {"address": address}, "staticResources": resources}).to_string())
        .unwrap();
    let words = ["--disable-hot-restart", "--concurrency", "1", "--log-level", "error", "-c"];
    let launch = Launch {
        program: envoy.to_owned(),
        arguments: words.iter().map(Into::into).chain([path.into_os_string()]).collect(),
        folder: folder.to_owned(),
        log: folder.join("claims.log"),
    };
    let mut process = launch.start().unwrap();
    if let Err(error) = process.wait_ready(listening, Some(admin), PATIENCE, || false) {
        panic!("Envoy does not serve what istiod makes: {error:?} {}", process.output());
    }
    process
}

impl Staged<'_> {
    fn answers(&self, number: usize) -> Vec<String> {
        let mut connections: Vec<usize> = vec![0; self.places.len()];
        let answer = |ask: &Ask| match &ask.what {
            What::Admission => self.admission(),
            What::Analysis => self.analysis(),
            What::Of(place, question) => {
                let at = self.places.iter().position(|(known, _)| known == place).unwrap();
                let configured = &self.answer.workloads[at];
                match question {
                    Question::Request(asked) => match self.places[at].1.get(&listener(place, asked)) {
                        None => "no listener".to_owned(),
                        Some(port) => requested(asked, *port, &prefix(number, at)),
                    },
                    Question::Load => self.loaded[&at].clone(),
                    Question::Route { host, pointer, .. } => match first_route(&self.listeners[at], host) {
                        None => "no route".to_owned(),
                        Some(route) => route.pointer(pointer).map_or("absent".to_owned(), Value::to_string),
                    },
                    Question::Connect { .. } => {
                        connections[at] += 1;
                        passed(&configured.connections[connections[at] - 1])
                    }
                    Question::Cluster { name, pointer } => match configured.clusters.get(name) {
                        None => "no cluster".to_owned(),
                        Some(cluster) => {
                            cluster.pointer(pointer).map_or("absent".to_owned(), Value::to_string)
                        }
                    },
                }
            }
        };
        self.case.asks.iter().map(answer).collect()
    }

    fn admission(&self) -> String {
        let refusals: Vec<String> =
            self.answer.refusals.iter().map(|one| one.message.replace('\n', " ")).collect();
        if refusals.is_empty() { "accepted".to_owned() } else { format!("refused: {}", refusals.join("; ")) }
    }

    fn analysis(&self) -> String {
        let mut codes: Vec<&str> = self.answer.findings.iter().map(|one| one.judge.as_str()).collect();
        codes.sort_unstable();
        codes.dedup();
        if codes.is_empty() { "nothing".to_owned() } else { codes.join(", ") }
    }
}

/// The first route of the virtual host that has this domain, wherever it stands.
fn first_route<'v>(value: &'v Value, host: &str) -> Option<&'v Value> {
    let within = |value: &'v Value| first_route(value, host);
    match value {
        Value::Object(fields) => {
            let has = |domain: &Value| domain.as_str() == Some(host);
            let is_meant =
                fields.get("domains").and_then(Value::as_array).is_some_and(|all| all.iter().any(has));
            if is_meant { fields.get("routes")?.get(0) } else { fields.values().find_map(within) }
        }
        Value::Array(values) => values.iter().find_map(within),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

/// What becomes of a request that is sent so many times: every answer that came, in order.
fn requested(asked: &Asked, port: u16, prefix: &str) -> String {
    let mut answers: Vec<String> = (0..asked.times).map(|_| once(asked, port, prefix)).collect();
    answers.sort_unstable();
    answers.dedup();
    answers.join(" or ")
}

fn once(asked: &Asked, port: u16, prefix: &str) -> String {
    let Asked { times: _, method, is_private, authority, port: _, target, headers, sees } = asked;
    let name = authority.split(':').next().unwrap();
    let tls = Tls { server_name: Some(name), ..Tls::default() };
    let mut request = Request::get(authority, target);
    request.method.clone_from(method);
    if headers.iter().any(|(name, _)| name == "host") {
        request.headers.clear();
    }
    request.headers.extend(headers.iter().cloned());
    let answer = Connection::open(port, is_private.then_some(&tls), PATIENCE)
        .and_then(|mut connection| connection.exchange(&request));
    match answer {
        Ok(answer) => told(&answer, target, sees, prefix),
        Err(_) => "no answer".to_owned(),
    }
}

fn told(answer: &Response, target: &str, sees: &[String], prefix: &str) -> String {
    let mut text = answer.status.to_string();
    if let Some(flags) = answer.header(FLAGS).filter(|flags| *flags != "-") {
        text.push_str(&format!(" {flags}"));
    }
    if let Some(seen) = Seen::told(answer) {
        let cluster = answer.header(CLUSTER).unwrap_or_default();
        text.push_str(&format!(" to {}", called(cluster.strip_prefix(prefix).unwrap_or(cluster))));
        if seen.target != target {
            text.push_str(&format!(" as {}", seen.target));
        }
        for name in sees {
            text.push_str(&format!(" {name}={}", seen.header(name).unwrap_or("-")));
        }
    }
    if let Some(location) = answer.header("location") {
        text.push_str(&format!(" to {location}"));
    }
    text
}

fn passed(passage: &Passage) -> String {
    if !passage.virtual_host.is_empty() {
        return format!("read as HTTP for {}", passage.virtual_host);
    }
    if !passage.refused.is_empty() {
        return passage.refused.clone();
    }
    let share = |share: &Share| match passage.clusters.len() {
        1 => called(&share.cluster),
        _ => format!("{} x {}", share.weight, called(&share.cluster)),
    };
    let shares: Vec<String> = passage.clusters.iter().map(share).collect();
    format!("to {}", shares.join(", "))
}

/// `outbound|9080|v2|reviews.shop.svc.cluster.local` in short: `reviews.shop:9080@v2`.
fn called(cluster: &str) -> String {
    let parts: Vec<&str> = cluster.split('|').collect();
    let [_, port, subset, host] = parts.as_slice() else { return cluster.to_owned() };
    let host = host.strip_suffix(".svc.cluster.local").unwrap_or(host);
    let subset = if subset.is_empty() { String::new() } else { format!("@{subset}") };
    format!("{host}:{port}{subset}")
}
