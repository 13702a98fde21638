//! Istio's own code: what it refuses, what its analyzers say, and what istiod sends to each proxy of a mesh. The program stands in
//! `tests/istio-oracle`; `tests/run` builds it.

use super::skip;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock};

/// One question.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Job {
    /// How it is called in reports.
    pub(crate) name: String,
    /// Resources of Istio: a stream of YAML.
    pub(crate) resources: String,
    /// What else is in the cluster: a stream of YAML.
    pub(crate) cluster: String,
    /// Whether the resources are judged by themselves.
    pub(crate) judge: bool,
    /// The proxies that istiod is asked for.
    pub(crate) workloads: Vec<Workload>,
}

/// A proxy that istiod configures.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Workload {
    /// How it is called in reports.
    pub(crate) name: String,
    /// Whether it is a gateway; else it is a sidecar, or a waypoint.
    pub(crate) gateway: bool,
    /// Whether it is the waypoint of its namespace, which is ambient.
    pub(crate) waypoint: bool,
    /// The namespace of its pods.
    pub(crate) namespace: String,
    /// The labels of its pods.
    pub(crate) labels: BTreeMap<String, String>,
    /// What is tried there, in Istio's simulation.
    pub(crate) connections: Vec<Connection>,
    /// Clusters that are shown as istiod makes them.
    pub(crate) clusters: Vec<String>,
    /// How its configuration is put on the loopback.
    pub(crate) stage: Option<Stage>,
}

/// A connection for Istio's simulation.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Connection {
    /// The address that is called; empty for any of the proxy's own.
    pub(crate) address: String,
    /// The port.
    pub(crate) port: u16,
    /// The name that TLS asks for; `None` without TLS.
    pub(crate) server_name: Option<String>,
    /// The host of a request; `None` for what is not HTTP.
    pub(crate) host: Option<String>,
}

/// Where the surroundings of a proxy are on the loopback.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Stage {
    /// Stands before the names of clusters and listeners.
    pub(crate) prefix: String,
    /// The ports of listeners, by `address:port` as istiod says it.
    pub(crate) listeners: BTreeMap<String, u16>,
    /// The ports of endpoints, by the name of their cluster.
    pub(crate) endpoints: BTreeMap<String, u16>,
    /// What callers are shown.
    pub(crate) server: KeyPair,
    /// What destinations are shown.
    pub(crate) client: KeyPair,
    /// Who signs everybody's certificates.
    pub(crate) authority: PathBuf,
}

/// A certificate and its key.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct KeyPair {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// What there is to say.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Answer {
    failure: String,
    /// What a cluster would not take.
    #[serde(default, deserialize_with = "or_empty")]
    pub(crate) refusals: Vec<Finding>,
    /// What the analyzers say.
    #[serde(default, deserialize_with = "or_empty")]
    pub(crate) findings: Vec<Finding>,
    /// Analyzers that did not run.
    #[serde(default, deserialize_with = "or_empty")]
    pub(crate) skipped: Vec<String>,
    /// The proxies, in the order of the question.
    #[serde(default, deserialize_with = "or_empty")]
    pub(crate) workloads: Vec<Configured>,
}

/// A remark about a resource.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Finding {
    /// `CRD`, `webhook`, or the code of a message.
    pub(crate) judge: String,
    pub(crate) level: String,
    pub(crate) resource: String,
    pub(crate) message: String,
}

/// A proxy as istiod configures it.
#[derive(Debug, Deserialize)]
pub(crate) struct Configured {
    pub(crate) name: String,
    /// Clusters that rules lead to and that are not there.
    #[serde(default, deserialize_with = "or_empty")]
    pub(crate) dangling: Vec<String>,
    /// What became of each connection.
    #[serde(default, deserialize_with = "or_empty")]
    pub(crate) connections: Vec<Passage>,
    /// The clusters that were asked for, by name, each with the addresses of its `endpoints`.
    #[serde(default)]
    pub(crate) clusters: BTreeMap<String, serde_json::Value>,
    pub(crate) staged: Option<Staged>,
}

/// What became of a connection.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Passage {
    /// Why it comes to nothing; empty if it does not.
    pub(crate) refused: String,
    /// Who answers it, if it is read as HTTP; else empty.
    pub(crate) virtual_host: String,
    /// Where it is passed on.
    #[serde(default, deserialize_with = "or_empty")]
    pub(crate) clusters: Vec<Share>,
}

/// A cluster and its weight, relative to the others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(crate) struct Share {
    pub(crate) cluster: String,
    pub(crate) weight: u32,
}

/// Parts of a bootstrap of Envoy.
#[derive(Debug, Deserialize)]
pub(crate) struct Staged {
    pub(crate) listeners: Vec<serde_json::Value>,
    pub(crate) clusters: Vec<serde_json::Value>,
}

/// Go writes a list that is empty as `null`.
fn or_empty<'de, D: serde::Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Vec<T>, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// A process that answers.
struct Process {
    _child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Process {
    /// The next line that is an answer: some of Istio's packages log to standard output while they are loaded.
    fn answer(&mut self) -> Option<String> {
        let mut line = String::new();
        while self.stdout.read_line(&mut line).unwrap() > 0 {
            if line.starts_with('{') {
                return Some(line);
            }
            line.clear();
        }
        None
    }
}

/// Starts of istiod take all of a core: as many run as a small machine has.
const PROCESSES: usize = 2;

/// Asks; `None`, with the reason printed, where the program is not.
pub(crate) fn ask(job: &Job) -> Option<Answer> {
    let mut process = process()?;
    let mut line = serde_json::to_vec(job).unwrap();
    line.push(b'\n');
    process.stdin.write_all(&line).unwrap();
    process.stdin.flush().unwrap();
    let answer = process.answer().unwrap_or_else(|| panic!("{}: the program has ended", job.name));
    let answer: Answer =
        serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{}: no response: {error}", job.name));
    assert!(answer.failure.is_empty(), "{}: {}", job.name, answer.failure);
    Some(answer)
}

/// One that is free, or the first that becomes so. They end with the test program, which closes their input.
fn process() -> Option<MutexGuard<'static, Process>> {
    static ALL: OnceLock<Option<Vec<Mutex<Process>>>> = OnceLock::new();
    static TURN: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let all = ALL.get_or_init(|| {
        let program = program()?;
        Some((0..PROCESSES).map(|_| Mutex::new(start(&program))).collect())
    });
    let all = all.as_ref().or_else(|| program().and(None))?;
    if let Some(free) = all.iter().find_map(|one| one.try_lock().ok()) {
        return Some(free);
    }
    let turn = TURN.fetch_add(1, std::sync::atomic::Ordering::Relaxed) % PROCESSES;
    Some(all.get(turn)?.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
}

fn program() -> Option<PathBuf> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/bin/istio-oracle");
    if program.is_file() {
        return Some(program);
    }
    skip("Istio's own code", "it is not built: run `tests/run`, which needs Go for it")
}

fn start(program: &Path) -> Process {
    let mut child = Command::new(program)
        .env("GOMAXPROCS", "2")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let stdin = child.stdin.take().unwrap();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    Process { _child: child, stdin, stdout }
}

/// What is wrong must be noticed by the one whose business it is.
#[test]
fn istio_refuses_what_is_wrong() {
    let resource = |kind: &str, spec: &str| {
        format!(
            "apiVersion: networking.istio.io/v1\nkind: {kind}\nmetadata: {{name: a, namespace: b}}\nspec: {spec}\n"
        )
    };
    let cases = [
        ("VirtualService", "{hosts: [a.com], http: [{route: [{destination: {host: b}}]}]}", None),
        ("VirtualService", "{hosts: [a.com], http: [{}]}", Some("webhook")),
        (
            "VirtualService",
            "{hosts: [a.com], unheard: 1, http: [{route: [{destination: {host: b}}]}]}",
            Some("CRD"),
        ),
        ("DestinationRule", "{host: a, trafficPolicy: {retryBudget: {percent: 101}}}", Some("CRD")),
        (
            "ServiceEntry",
            "{hosts: [a.com], resolution: DNS, ports: [{number: 80, name: http}, {number: 80, name: b}]}",
            Some("CRD"),
        ),
    ];
    for (kind, spec, expected) in cases {
        let job = Job { resources: resource(kind, spec), judge: true, ..Job::default() };
        let Some(answer) = ask(&job) else { return };
        let judges: Vec<&str> = answer.refusals.iter().map(|finding| finding.judge.as_str()).collect();
        match expected {
            None => assert!(judges.is_empty(), "{kind} {spec}: {:?}", answer.refusals),
            Some(judge) => assert!(judges.contains(&judge), "{kind} {spec}: {:?}", answer.refusals),
        }
    }
}
