//! Names that nothing has. Envoy looks at those within one bootstrap; what stands in watched files it takes as it
//! comes, and answers requests with 503 or never listens.

use super::tree::{each_object, items, text, type_of, walk};
use super::{Document, Fault, Kind};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// The fields that refer to a watched file, and the type of what has to stand in it.
const WATCHED: [(&str, &str); 4] = [
    ("lds_config", "Listener"),
    ("cds_config", "Cluster"),
    ("eds_config", "ClusterLoadAssignment"),
    ("sds_config", "Secret"),
];

/// Everything with a name in the documents of one Envoy: its type and its name.
type Names<'a> = BTreeSet<(&'a str, &'a str)>;

/// What the documents of any number of Envoys refer to and do not have; each bootstrap is judged with the files that it
/// leads to.
pub(super) fn check(documents: &[Document]) -> Vec<Fault> {
    let mut faults = BTreeSet::new();
    let mut reached = BTreeSet::new();
    for bootstrap in documents.iter().filter(|document| document.kind == Kind::Bootstrap) {
        let envoy = files_of(bootstrap, documents);
        reached.extend(envoy.iter().map(|document| &document.name));
        faults.extend(check_envoy(&envoy));
    }
    for document in documents.iter().filter(|document| !reached.contains(&document.name)) {
        let message = "no bootstrap leads to this file".to_owned();
        faults.insert(Fault { document: document.name.clone(), path: String::new(), message });
    }
    faults.into_iter().collect()
}

/// The bootstrap, and what it watches, directly or by way of other files.
fn files_of<'a>(bootstrap: &'a Document, documents: &'a [Document]) -> Vec<&'a Document> {
    let mut files = vec![bootstrap];
    let mut at = 0;
    while let Some(&file) = files.get(at) {
        for (_, _, path) in watched(file) {
            let found = documents.iter().find(|document| is_at(document, path));
            files.extend(found.filter(|found| !files.iter().any(|known| known.name == found.name)));
        }
        at += 1;
    }
    files
}

/// The files that a document tells Envoy to watch: where it says so, the type of what must be in it, its path.
fn watched(document: &Document) -> Vec<(String, &'static str, &str)> {
    let mut found = Vec::new();
    each_object(&document.value, &mut |path, object| {
        for (field, kind) in WATCHED {
            let file = object.get(field).and_then(|source| source.pointer("/path_config_source/path"));
            found.extend(file.and_then(Value::as_str).map(|file| (format!("{path}.{field}"), kind, file)));
        }
    });
    found
}

/// The folders in front are those of the machine where Envoy runs.
fn is_at(document: &Document, path: &str) -> bool {
    path.strip_suffix(&document.name).is_some_and(|folder| folder.is_empty() || folder.ends_with('/'))
}

fn check_envoy(documents: &[&Document]) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut report = |document: &Document, path: &str, message: String| {
        faults.push(Fault { document: document.name.clone(), path: path.to_owned(), message });
    };
    let mut names = Names::new();
    for document in documents {
        for (path, kind, resource) in resources(document) {
            let name = name_of(resource);
            if !WATCHED.iter().any(|(_, known)| *known == kind) {
                report(document, &path, format!("a watched file holds no {kind}"));
            } else if name.is_empty() {
                report(document, &path, format!("a {kind} without a name"));
            } else if !names.insert((kind, name)) {
                report(document, &path, format!("a second {kind} {name:?}"));
            }
        }
    }
    for document in documents {
        let report = &mut |path: &str, message| report(document, path, message);
        refers_to_what_is_there(document, &names, report);
        watches_files_that_are_there(document, documents, report);
        has_addresses_where_nobody_resolves(document, report);
    }
    faults
}

/// The listeners, clusters, endpoints and secrets of a document: path, type, value.
fn resources<'a>(document: &'a Document) -> Vec<(String, &'a str, &'a Map<String, Value>)> {
    let mut found = Vec::new();
    let mut add = |path: &str, kind: Option<&'static str>, values: Option<&'a Value>| {
        let values = values.and_then(Value::as_array).into_iter().flatten();
        for (at, object) in values.filter_map(Value::as_object).enumerate() {
            found.push((format!("{path}[{at}]"), kind.unwrap_or_else(|| type_of(object)), object));
        }
    };
    match document.kind {
        Kind::Discovery => add("resources", None, document.value.get("resources")),
        Kind::Bootstrap => {
            for (field, kind) in [("listeners", "Listener"), ("clusters", "Cluster"), ("secrets", "Secret")] {
                let values = document.value.pointer(&format!("/static_resources/{field}"));
                add(&format!("static_resources.{field}"), Some(kind), values);
            }
        }
    }
    found
}

fn name_of(resource: &Map<String, Value>) -> &str {
    let name = text(resource, "name");
    if name.is_empty() { text(resource, "cluster_name") } else { name }
}

fn refers_to_what_is_there(document: &Document, names: &Names<'_>, report: &mut dyn FnMut(&str, String)) {
    each_object(&document.value, &mut |path, object| {
        let mut refers = |kind: &str, name: &str| {
            if !names.contains(&(kind, name)) {
                report(path, format!("there is no {kind} {name:?}"));
            }
        };
        // The node says of itself to which cluster of machines it belongs.
        if let Some(cluster) = object.get("cluster").and_then(Value::as_str).filter(|_| path != "node") {
            refers("Cluster", cluster);
        }
        if path.ends_with("weighted_clusters") {
            for cluster in items(object, "clusters").iter().filter_map(Value::as_object) {
                refers("Cluster", text(cluster, "name"));
            }
        }
        if let Some(eds) = object.get("eds_cluster_config").and_then(Value::as_object) {
            let service = text(eds, "service_name");
            refers("ClusterLoadAssignment", if service.is_empty() { name_of(object) } else { service });
        }
        if object.contains_key("sds_config") {
            refers("Secret", name_of(object));
        }
    });
}

fn watches_files_that_are_there(
    document: &Document,
    documents: &[&Document],
    report: &mut dyn FnMut(&str, String),
) {
    for (path, kind, file) in watched(document) {
        match documents.iter().find(|document| is_at(document, file)) {
            None => report(&path, format!("there is no document {file:?}")),
            Some(watched) => {
                let other = resources(watched).iter().any(|(_, there, _)| *there != kind);
                if watched.kind != Kind::Discovery || other {
                    report(&path, format!("{:?} holds something else than a {kind}", watched.name));
                }
            }
        }
    }
}

/// Endpoints that are not looked up by DNS are addresses; a name is refused by the running Envoy.
fn has_addresses_where_nobody_resolves(document: &Document, report: &mut dyn FnMut(&str, String)) {
    for (path, kind, resource) in resources(document) {
        if kind != "ClusterLoadAssignment" && text(resource, "type") != "STATIC" {
            continue;
        }
        for field in ["endpoints", "load_assignment"] {
            let Some(endpoints) = resource.get(field) else { continue };
            walk(&format!("{path}.{field}"), endpoints, &mut |path, object| {
                let address = object.get("socket_address").and_then(Value::as_object);
                let Some(address) = address.map(|address| text(address, "address")) else { return };
                if address.parse::<IpAddr>().is_err() {
                    report(path, format!("{address:?} is no address, and nobody looks it up"));
                }
            });
        }
    }
}
