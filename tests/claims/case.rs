//! A claim as it stands in a file of `tests/claims`.
//!
//! ```text
//! # === NAME                                          how pages name it: `claims::NAME`
//! # A sentence or more: what is claimed.
//! #: service NAME.NAMESPACE [KEY=VALUE ...]: PROTOCOL PORT, ... [@SUBSET ...]    a service of Kubernetes, with a pod for each subset
//! #: admission -> RESULT
//! #: analysis -> RESULT
//! #: PROXY: QUESTION -> RESULT
//! KIND NAME.NAMESPACE: {...}                         the `spec` of a resource of Istio, as YAML; each is older than the next
//! ```
//!
//! A PROXY is `sidecar NAMESPACE [KEY=VALUE ...]`, `gateway NAMESPACE [KEY=VALUE ...]` (its pods; `istio=edge` if no label is given) or
//! `waypoint NAMESPACE`. A QUESTION is:
//!
//! - `[N x] METHOD URL [-H NAME:VALUE ...] [sees NAME ...]`: a request through it. The answer: its status with Envoy's flags if the
//!   proxy answers itself, or with the cluster that answers; the path, and the headers, that were seen there;
//! - `connect [ADDRESS]:PORT [sni NAME]`: a connection in Istio's simulation. The answer: the clusters that take it;
//! - `cluster NAME.NAMESPACE:PORT[@SUBSET] POINTER`: a part of a cluster that istiod makes, in JSON;
//! - `route HOST:PORT POINTER`: a part of the first route that istiod makes for a host, in JSON;
//! - `load`: all of its configuration, loaded by Envoy.
//!
//! Of a long answer, such as `refused: ...`, a part is enough.

use crate::istio::cluster::{Labels, Wanted};

/// A claim.
pub(super) struct Case {
    /// How pages name it.
    pub(super) name: String,
    /// What is claimed.
    pub(super) sentence: String,
    /// The file that it stands in.
    pub(super) file: String,
    /// Services of Kubernetes.
    pub(super) services: Vec<Wanted>,
    /// What is asked.
    pub(super) asks: Vec<Ask>,
    /// Resources of Istio, a stream of YAML.
    pub(super) resources: String,
}

impl Ask {
    /// Whether an answer is the one that is expected.
    pub(super) fn is_met(&self, answer: &str) -> bool {
        let part = self.expected.strip_prefix("refused: ").filter(|part| !part.is_empty());
        answer == self.expected
            || part.is_some_and(|part| answer.strip_prefix("refused: ").is_some_and(|all| all.contains(part)))
    }
}

/// A question and its answer.
pub(super) struct Ask {
    /// Its line in the file, from 0.
    pub(super) line: usize,
    pub(super) what: What,
    pub(super) expected: String,
}

/// What is asked.
pub(super) enum What {
    Admission,
    Analysis,
    Of(Place, Question),
}

/// What a proxy is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Sidecar,
    Gateway,
    Waypoint,
}

/// A proxy of the mesh.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Place {
    pub(super) kind: Kind,
    pub(super) namespace: String,
    pub(super) labels: Labels,
}

/// What a proxy is asked.
pub(super) enum Question {
    Request(Asked),
    Connect { address: String, port: u16, server_name: Option<String> },
    Cluster { name: String, pointer: String },
    Route { host: String, port: u16, pointer: String },
    Load,
}

/// A request.
pub(super) struct Asked {
    pub(super) times: usize,
    pub(super) method: String,
    pub(super) is_private: bool,
    pub(super) authority: String,
    pub(super) port: u16,
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
    /// Headers that are told of what the destination saw.
    pub(super) sees: Vec<String>,
}

/// The claims of one file.
pub(super) fn read(file: &str, text: &str) -> Vec<Case> {
    let lines: Vec<&str> = text.lines().collect();
    let starts: Vec<usize> = (0..lines.len()).filter(|at| lines[*at].starts_with("# === ")).collect();
    let ends = starts.iter().skip(1).copied().chain([lines.len()]);
    starts.iter().zip(ends).map(|(start, end)| one(file, &lines, *start, end)).collect()
}

fn one(file: &str, lines: &[&str], start: usize, end: usize) -> Case {
    let mut case = Case {
        name: lines[start].trim_start_matches("# === ").trim().to_owned(),
        sentence: String::new(),
        file: file.to_owned(),
        services: Vec::new(),
        asks: Vec::new(),
        resources: String::new(),
    };
    for (at, line) in lines.iter().enumerate().take(end).skip(start + 1) {
        let place = || format!("{file}:{}", at + 1);
        if let Some(said) = line.strip_prefix("#: ") {
            match said.strip_prefix("service ") {
                Some(service) => {
                    case.services.push(self::service(service).unwrap_or_else(|| panic!("{}", place())))
                }
                None => {
                    case.asks.push(ask(at, said).unwrap_or_else(|| panic!("{}: not understood", place())))
                }
            }
        } else if let Some(said) = line.strip_prefix('#') {
            case.sentence.push_str(said);
        } else if let Some((kind, name, spec)) = resource(line) {
            let age = created(case.resources.matches("\nkind: ").count());
            case.resources.push_str(&format!(
                "---\napiVersion: networking.istio.io/v1\nkind: {kind}\nmetadata: {{{name}, {age}}}\nspec:{spec}\n"
            ));
        } else {
            case.resources.push_str(line);
            case.resources.push('\n');
        }
    }
    case
}

/// When a resource was created, as YAML: one after another, in the order of the file. Istio takes the older of two that claim
/// one thing, and of two of one age any.
fn created(earlier: usize) -> String {
    format!("creationTimestamp: \"2026-01-01T00:{:02}:{:02}Z\"", earlier / 60, earlier % 60)
}

/// `VirtualService web.shop: {...}`: its kind, its names as YAML, and what follows.
fn resource(line: &str) -> Option<(&str, String, &str)> {
    let (kind, rest) =
        line.split_once(' ').filter(|_| line.starts_with(|first: char| first.is_ascii_uppercase()))?;
    let (name, spec) = rest.split_once(':')?;
    let (name, namespace) = name.split_once('.')?;
    Some((kind, format!("name: {name}, namespace: {namespace}"), spec))
}

/// `reviews.shop app=reviews: http 9080, grpc 9090 @v1 @v2`.
fn service(said: &str) -> Option<Wanted> {
    let (head, ports) = said.split_once(':')?;
    let mut words = head.split_whitespace();
    let (name, namespace) = words.next()?.split_once('.')?;
    let labels: Labels = words.filter_map(pair).collect();
    let (ports, subsets) = ports.split_once('@').unwrap_or((ports, ""));
    let ports = ports.split(',').map(|port| {
        let (protocol, number) = port.trim().split_once(' ')?;
        Some((format!("{protocol}-{number}"), number.parse().ok()?, protocol == "udp"))
    });
    let mut pods: Vec<Labels> = subsets
        .split('@')
        .map(str::trim)
        .filter(|subset| !subset.is_empty())
        .map(|subset| [("version".to_owned(), subset.to_owned())].into())
        .collect();
    if pods.is_empty() {
        pods.push(Labels::new());
    }
    Some(Wanted {
        name: name.to_owned(),
        namespace: namespace.to_owned(),
        selector: [("app".to_owned(), name.to_owned())].into(),
        labels,
        ports: ports.collect::<Option<_>>()?,
        pods,
    })
}

fn ask(line: usize, said: &str) -> Option<Ask> {
    let (said, expected) = said.rsplit_once(" ->")?;
    let what = match said {
        "admission" => What::Admission,
        "analysis" => What::Analysis,
        said => {
            let (place, question) = said.split_once(": ")?;
            What::Of(self::place(place)?, self::question(question)?)
        }
    };
    Some(Ask { line, what, expected: expected.trim().to_owned() })
}

fn place(said: &str) -> Option<Place> {
    let mut words = said.split_whitespace();
    let kind = match words.next()? {
        "sidecar" => Kind::Sidecar,
        "gateway" => Kind::Gateway,
        "waypoint" => Kind::Waypoint,
        _ => return None,
    };
    let namespace = words.next()?.to_owned();
    let mut labels: Labels = words.map(pair).collect::<Option<_>>()?;
    if kind == Kind::Gateway && labels.is_empty() {
        labels.insert("istio".to_owned(), "edge".to_owned());
    }
    Some(Place { kind, namespace, labels })
}

fn pair(said: &str) -> Option<(String, String)> {
    said.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()))
}

fn question(said: &str) -> Option<Question> {
    let words: Vec<&str> = said.split_whitespace().collect();
    match words.as_slice() {
        ["load"] => Some(Question::Load),
        ["connect", address, rest @ ..] => {
            let (address, port) = address.rsplit_once(':')?;
            let server_name = match rest {
                [] => None,
                ["sni", name] => Some((*name).to_owned()),
                _ => return None,
            };
            Some(Question::Connect { address: address.to_owned(), port: port.parse().ok()?, server_name })
        }
        ["cluster", name, pointer] => {
            Some(Question::Cluster { name: cluster(name)?, pointer: (*pointer).to_owned() })
        }
        ["route", host, pointer] => {
            let (host, port) = host.rsplit_once(':')?;
            Some(Question::Route {
                host: host.to_owned(),
                port: port.parse().ok()?,
                pointer: (*pointer).to_owned(),
            })
        }
        [times, "x", rest @ ..] => request(times.parse().ok()?, rest).map(Question::Request),
        rest => request(1, rest).map(Question::Request),
    }
}

/// `reviews.shop:9080@v2` as Istio calls it; a name with more dots is that of an external.
fn cluster(said: &str) -> Option<String> {
    let (host, port) = said.rsplit_once(':')?;
    let (port, subset) = port.split_once('@').unwrap_or((port, ""));
    let host = match host.matches('.').count() {
        1 => format!("{host}.svc.cluster.local"),
        _ => host.to_owned(),
    };
    Some(format!("outbound|{port}|{subset}|{host}"))
}

fn request(times: usize, words: &[&str]) -> Option<Asked> {
    let [method, url, rest @ ..] = words else { return None };
    let (scheme, url) = url.split_once("://")?;
    let (authority, target) = url.find('/').map(|at| url.split_at(at)).unwrap_or((url, "/"));
    let is_private = scheme == "https";
    let port = match authority.rsplit_once(':') {
        Some((_, port)) => port.parse().ok()?,
        None => {
            if is_private {
                443
            } else {
                80
            }
        }
    };
    let mut headers = Vec::new();
    let mut rest = rest.iter();
    let mut sees = Vec::new();
    while let Some(word) = rest.next() {
        match *word {
            "-H" => {
                let (name, value) = rest.next()?.split_once(':')?;
                headers.push((name.to_owned(), value.to_owned()));
            }
            "sees" => sees.extend(rest.by_ref().map(|name| (*name).to_owned())),
            _ => return None,
        }
    }
    let (method, authority, target) = ((*method).to_owned(), authority.to_owned(), target.to_owned());
    Some(Asked { times, method, is_private, authority, port, target, headers, sees })
}
