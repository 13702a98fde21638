//! The layout of several files as one bootstrap: `envoy --mode validate` does not read the files that it would watch.

use super::tree::type_of;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The documents of one Envoy (as for [`super::check`]) as one bootstrap with everything in it, in JSON. Secrets stay in
/// their files: Envoy wants these to exist, and does not look for the certificates that they name.
pub(crate) fn inlined(documents: &[(&str, &str)]) -> String {
    let mut bootstrap = Map::new();
    let mut resources: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for (name, text) in documents {
        let mut document: Map<String, Value> =
            serde_yaml::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let Some(found) = document.remove("resources") else {
            bootstrap.extend(document);
            continue;
        };
        for mut resource in list(Some(found)) {
            let kind = resource.as_object().map(type_of).unwrap_or_default().to_owned();
            resource.as_object_mut().map(|resource| resource.remove("@type"));
            resources.entry(kind).or_default().push(resource);
        }
    }
    bootstrap.remove("dynamic_resources");
    let endpoints = resources.remove("ClusterLoadAssignment").unwrap_or_default();
    let fixed = bootstrap.entry("static_resources").or_insert_with(|| json!({}));
    for (field, kind) in [("listeners", "Listener"), ("clusters", "Cluster")] {
        let mut all = list(fixed.get(field).cloned());
        all.extend(resources.remove(kind).unwrap_or_default());
        all.iter_mut().for_each(|resource| give_endpoints(resource, &endpoints));
        fixed[field] = Value::Array(all);
    }
    Value::Object(bootstrap).to_string()
}

fn list(value: Option<Value>) -> Vec<Value> {
    value.map(|value| serde_json::from_value(value).unwrap()).unwrap_or_default()
}

/// Replaces the file of endpoints that a cluster watches by the endpoints.
fn give_endpoints(cluster: &mut Value, endpoints: &[Value]) {
    let Some(eds) = cluster.as_object_mut().and_then(|cluster| cluster.remove("eds_cluster_config")) else {
        return;
    };
    let service = eds.get("service_name").unwrap_or(&cluster["name"]);
    let found = endpoints.iter().find(|it| it.get("cluster_name") == Some(service));
    cluster["load_assignment"] = found.unwrap_or_else(|| panic!("no endpoints of {service}")).clone();
    cluster["type"] = json!("STATIC");
}
