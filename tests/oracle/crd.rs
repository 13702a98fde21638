//! Validates a resource as an API server would with Istio's custom resource definitions: structural schema, list-map
//! keys, CEL rules and object metadata. Stricter than a server in one way: an unknown field is an error here, where a
//! server drops it with a warning at most.
//!
//! Every rule that the four definitions carry is covered, and so is every schema keyword that they use: a definition
//! with a new keyword fails to load, and one with a new CEL rule fails `every_cel_rule_is_covered`.
//! Not covered: rules that compare with an old object (transition rules; Istio has none), and server-side costs.

mod cel;
mod metadata;
mod schema;

#[cfg(test)]
mod proof;

use self::schema::Schema;
use serde::Deserialize;
use serde_yaml::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The kinds that the compiler emits.
const KINDS: [&str; 4] = ["Gateway", "VirtualService", "DestinationRule", "ServiceEntry"];

/// The schemas of the emitted kinds, by kind and `apiVersion`.
pub(crate) struct Schemas {
    by_kind_and_version: BTreeMap<(String, String), Schema>,
}

impl Schemas {
    /// Reads the definitions from the shared data; `None`, with the reason printed, where that folder is absent.
    pub(crate) fn load() -> Option<Self> {
        let folder = data().join("crd");
        if !folder.is_dir() {
            super::note(&format!("skipped: CRD schemas: {} is absent", folder.display()));
            return None;
        }
        let mut by_kind_and_version = BTreeMap::new();
        for kind in KINDS {
            let text = std::fs::read_to_string(folder.join(format!("{kind}.crd.yaml"))).unwrap();
            let definition: Definition =
                serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("CRD of {kind}: {error}"));
            for version in definition.spec.versions {
                let api_version = format!("{}/{}", definition.spec.group, version.name);
                by_kind_and_version.insert((kind.to_owned(), api_version), version.schema.root);
            }
        }
        Some(Self { by_kind_and_version })
    }

    /// What an API server would say against `resource`, one message per fault, each starting with the field's path;
    /// empty when it would be accepted. Messages follow the server's wording (`Required value`, `Invalid value`).
    pub(crate) fn check(&self, resource: &Value) -> Vec<String> {
        let text = |key: &str| resource.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (kind, api_version) = (text("kind"), text("apiVersion"));
        let Some(schema) = self.by_kind_and_version.get(&(kind.clone(), api_version.clone())) else {
            return vec![format!("kind: no schema for {kind:?} of {api_version:?}")];
        };
        let mut faults = metadata::check(&kind, resource.get("metadata"));
        schema.check_resource(resource, &mut faults);
        faults
    }
}

/// Folder with the facts about Istio that the judges read.
fn data() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data/istio")
}

#[derive(Deserialize)]
struct Definition {
    spec: DefinitionSpec,
}

#[derive(Deserialize)]
struct DefinitionSpec {
    group: String,
    versions: Vec<Version>,
}

#[derive(Deserialize)]
struct Version {
    name: String,
    schema: VersionSchema,
}

#[derive(Deserialize)]
struct VersionSchema {
    #[serde(rename = "openAPIV3Schema")]
    root: Schema,
}
