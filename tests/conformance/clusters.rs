//! How destinations are called: what istiod makes of a mesh for Istio, against what is made of it for Envoy, field by field.

use crate::istio::cluster::Cluster;
use crate::istio::stage::{Planned, planned};
use crate::istio::{Mesh, meshes};
use crate::oracle::istio::{Job, Workload, ask};
use meshc_compiler::Model;
use meshc_compiler::routing::Proxy;
use meshc_targets::{Gateways, Options, envoy, fit, target};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What is compared, as Envoy calls it. How endpoints are found is another matter, and what makes connections inside of the mesh
/// private is Istio's alone.
const FIELDS: [&str; 9] = [
    "connectTimeout",
    "lbPolicy",
    "ringHashLbConfig",
    "maglevLbConfig",
    "circuitBreakers",
    "outlierDetection",
    "upstreamConnectionOptions",
    "typedExtensionProtocolOptions",
    "transportSocket",
];

/// Differences that mean nothing else, or that are meant: where they are, a test of both sides, and why.
type Known = (&'static str, fn(&Value, &Value) -> bool, &'static str);

const KNOWN: &[Known] = &[
    (
        "transportSocket.typedConfig.commonTlsContext.alpnProtocols",
        |theirs, ours| theirs.is_null() && *ours == json!(["http/1.1"]),
        "a server of HTTP/1.1 is told so by Envoy; Istio says nothing",
    ),
    ("transportSocket.typedConfig.sni", |theirs, ours| theirs.is_null() && ours.is_string(), AUTOMATIC),
    (
        "transportSocket.typedConfig.commonTlsContext.validationContext",
        |theirs, ours| {
            theirs.is_null() && ours["matchSubjectAltNames"].as_array().is_some_and(|all| all.len() == 1)
        },
        AUTOMATIC,
    ),
    (
        PROTOCOL,
        |theirs, ours| {
            ours.is_null()
                && *theirs
                    == json!({HTTP: {"upstreamHttpProtocolOptions": {"autoSanValidation": true, "autoSni": true}}})
        },
        AUTOMATIC,
    ),
    (
        PROTOCOL,
        |theirs, ours| ours.is_null() && theirs[HTTP]["commonHttpProtocolOptions"]["idleTimeout"].is_number(),
        "where no HTTP is spoken the idle time stands in the listener; Istio writes it for HTTP too",
    ),
    (
        "transportSocket",
        |theirs, ours| ours.is_null() && theirs.to_string().contains("istio-peer-exchange"),
        "connections inside of the mesh are private by Istio's own certificates",
    ),
    (
        "lbPolicy",
        |theirs, _| *theirs == json!("CLUSTER_PROVIDED"),
        "an external at the address that was asked for is bound to addresses for Envoy",
    ),
];

const PROTOCOL: &str = "typedExtensionProtocolOptions";
const HTTP: &str = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
const AUTOMATIC: &str =
    "where no name is said, Istio asks for the host of the request, and Envoy for that of the destination";

#[test]
fn istio_and_envoy_call_destinations_alike() {
    let mut faults = Vec::new();
    let (mut compared, mut known) = (0, BTreeMap::<&str, u64>::new());
    for mesh in meshes() {
        let model = mesh.checked.model();
        let options = Options { gateways: Gateways::All, ..Options::default() };
        if fit(target("envoy").unwrap(), &mesh.checked, &options).0.is_none() {
            continue;
        }
        let cluster = Cluster::of(model);
        let planned = planned(model, &cluster);
        let workload = |one: &Planned| Workload { clusters: names(&one.proxy), ..one.workload.clone() };
        let job = Job {
            name: mesh.name.clone(),
            resources: mesh.resources.clone(),
            cluster: cluster.text(),
            judge: false,
            workloads: planned.iter().map(workload).collect(),
        };
        let Some(answer) = ask(&job) else { return };
        for (one, configured) in planned.iter().zip(answer.workloads) {
            for (name, ours) in clusters_for_envoy(model, &one.proxy, &options) {
                let Some(theirs) = configured.clusters.get(&name) else { continue };
                compared += 1;
                for (field, theirs, ours) in differences(theirs, &ours) {
                    match KNOWN.iter().find(|(place, holds, _)| *place == field && holds(&theirs, &ours)) {
                        Some((.., reason)) => *known.entry(reason).or_default() += 1,
                        None => faults.push(told(&mesh, &name, &field, &theirs, &ours)),
                    }
                }
            }
        }
    }
    faults.sort();
    faults.dedup();
    assert!(compared > 100, "only {compared} clusters were compared");
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}

fn told(mesh: &Mesh, name: &str, field: &str, theirs: &Value, ours: &Value) -> String {
    format!("{}: {name}: {field}: istiod {theirs}, envoy {ours}", mesh.name)
}

fn names(proxy: &Proxy) -> Vec<String> {
    proxy.upstreams.as_slice().iter().map(|upstream| upstream.name.to_string()).collect()
}

/// The clusters of a proxy as they are written for Envoy, by name, with names of fields as in JSON.
fn clusters_for_envoy(model: &Model, proxy: &Proxy, options: &Options<'_>) -> Vec<(String, Value)> {
    let files = envoy::configuration(model, proxy, options);
    let text = files.first().map_or("", |file| file.text.as_str());
    let read = serde_yaml::Deserializer::from_str(text).next().map(|part| Value::deserialize(part).unwrap());
    let clusters =
        read.and_then(|one| one.pointer("/static_resources/clusters").cloned()).unwrap_or_default();
    let clusters = clusters.as_array().cloned().unwrap_or_default();
    let name = |cluster: &Value| cluster["name"].as_str().unwrap_or_default().to_owned();
    clusters.iter().map(|cluster| (name(cluster), renamed(cluster))).collect()
}

/// `connect_timeout` as `connectTimeout`; keys that are no names of fields stay.
fn renamed(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let field = |(key, value): (&String, &Value)| {
                let is_field = key
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte.is_ascii_digit());
                (if is_field { camel(key) } else { key.clone() }, renamed(value))
            };
            Value::Object(fields.iter().map(field).collect())
        }
        Value::Array(all) => all.iter().map(renamed).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let mut out = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        out.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        out.push_str(letters.as_str());
    }
    out
}

/// The places at which two clusters differ, with what both have there.
fn differences(theirs: &Value, ours: &Value) -> Vec<(String, Value, Value)> {
    let mut found = Vec::new();
    for field in FIELDS {
        let of = |cluster: &Value| plain(cluster.get(field).unwrap_or(&Value::Null));
        compare(field, &of(theirs), &of(ours), &mut found);
    }
    found
}

fn compare(path: &str, theirs: &Value, ours: &Value, found: &mut Vec<(String, Value, Value)>) {
    match (theirs, ours) {
        (Value::Object(left), Value::Object(right)) => {
            let keys: std::collections::BTreeSet<&String> = left.keys().chain(right.keys()).collect();
            for key in keys {
                let of = |fields: &Map<String, Value>| fields.get(key).cloned().unwrap_or(Value::Null);
                compare(&format!("{path}.{key}"), &of(left), &of(right), found);
            }
        }
        _ if theirs == ours => {}
        _ => found.push((path.to_owned(), theirs.clone(), ours.clone())),
    }
}

/// Without what says nothing: empty texts, `false`, 0, lists and messages without content, and where secrets come from.
fn plain(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            // How much of a stream waits in Envoy: Istio leaves Envoy's own sizes, those of an edge are smaller.
            let window = |key: &str| matches!(key, "initialConnectionWindowSize" | "initialStreamWindowSize");
            let secret = |key: &str| {
                matches!(
                    key,
                    "tlsCertificateSdsSecretConfigs"
                        | "tlsCertificates"
                        | "validationContextSdsSecretConfig"
                        | "trustedCa"
                        | "@type"
                )
            };
            let kept = fields.iter().filter(|(key, _)| !secret(key) && !window(key)).map(|(key, value)| {
                match (key.as_str(), plain(value)) {
                    // That HTTP/2 is spoken is said by its options, whether any is set or not.
                    ("http2ProtocolOptions", Value::Null) => (key.clone(), json!(true)),
                    (_, value) => (key.clone(), value),
                }
            });
            let whole = |(key, value): (String, Value)| match (key.as_str(), value) {
                ("combinedValidationContext", Value::Object(mut parts)) => {
                    let context = parts.remove("defaultValidationContext").unwrap_or_default();
                    ("validationContext".to_owned(), context)
                }
                // Istio does not say of what kind a name is.
                ("matchTypedSubjectAltNames", Value::Array(all)) => {
                    let names = all.into_iter().map(|mut one| one["matcher"].take()).collect();
                    ("matchSubjectAltNames".to_owned(), names)
                }
                (_, value) => (key, value),
            };
            let kept: Map<String, Value> = kept.map(whole).filter(|(_, value)| !value.is_null()).collect();
            if kept.is_empty() { Value::Null } else { Value::Object(kept) }
        }
        Value::Array(all) if all.is_empty() => Value::Null,
        Value::Array(all) => all.iter().map(plain).collect(),
        // The first of `lb_policy` says nothing, as no policy does.
        Value::String(text) if text.is_empty() || text == "ROUND_ROBIN" => Value::Null,
        Value::Bool(false) => Value::Null,
        Value::Number(number) if number.as_f64() == Some(0.0) => Value::Null,
        // Numbers beyond 32 bits are texts in the JSON of messages, and times have as many decimals as somebody likes.
        Value::String(text) => {
            let seconds = text.strip_suffix('s').and_then(|number| number.parse::<f64>().ok());
            let number = text.parse::<u64>().ok();
            number.map(|number| json!(number)).or(seconds.map(|time| json!(time))).unwrap_or(json!(text))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}
