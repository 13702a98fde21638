//! The table against the releases' own CRDs, and the search against the table.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

use super::super::api::tests::shared_file;
use super::*;
use serde_json::{Map, json};
use std::collections::BTreeMap;

/// The path of a field as the table has it.
fn in_table(kind: &str, path: &str) -> String {
    let parts = path.split('.').filter(|part| {
        kind != RULE || !matches!(*part, "trafficPolicy" | "portLevelSettings[]" | "subsets[]")
    });
    parts.collect::<Vec<_>>().join(".")
}

/// Whether a field lies below one that came with the same release, or is one of what a new field is made of.
fn follows(kind: &str, path: &str, since: &str) -> bool {
    FIELDS.iter().any(|field| {
        let below = path.strip_prefix(field.path).is_some_and(|rest| rest.starts_with(['.', '[']));
        field.kind == kind && field.value.is_none() && below && field.since.to_string() == since
    })
}

#[test]
fn the_table_has_what_the_releases_brought() {
    let Some(file) = shared_file("istio/api/since.json") else { return };
    let known: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let mut expected: BTreeMap<(String, String, Option<String>), String> = BTreeMap::new();
    for kind in [GATEWAY, ROUTES, RULE, ENTRY] {
        let since = |entry: &Value| entry["since"].as_str().unwrap().to_owned();
        let fields = known["kinds"][kind]["fields"].as_object().unwrap();
        for (path, entry) in fields {
            let path = in_table(kind, path);
            if !follows(kind, &path, &since(entry)) {
                expected.insert((kind.to_owned(), path, None), since(entry));
            }
        }
        for (written, entry) in known["kinds"][kind]["values"].as_object().unwrap() {
            let (path, value) = written.split_once(" = ").unwrap();
            let path = in_table(kind, path);
            let is_new_field = fields.keys().any(|field| in_table(kind, field) == path);
            // What is unspecified is left out.
            if value != "UNSPECIFIED" && !is_new_field {
                expected.insert((kind.to_owned(), path, Some(value.to_owned())), since(entry));
            }
        }
    }
    let table: BTreeMap<_, _> = FIELDS
        .iter()
        .map(|field| {
            let key = (field.kind.to_owned(), field.path.to_owned(), field.value.map(ToOwned::to_owned));
            (key, field.since.to_string())
        })
        .collect();
    assert_eq!(table, expected);
    assert_eq!(known["releases"].as_array().unwrap().last().unwrap(), &json!(Release::NEWEST.to_string()));
    assert_eq!(known["releases"][0], json!(Release::OLDEST.to_string()));
}

/// A specification that holds one field.
fn holding(path: &str, value: Value) -> Value {
    path.rsplit('.').fold(value, |inner, part| {
        let (name, inner) = match part.strip_suffix("[]") {
            Some(name) => (name, json!([inner])),
            None => (part, inner),
        };
        Value::Object(Map::from_iter([(name.to_owned(), inner)]))
    })
}

#[test]
fn every_field_of_the_table_is_found_wherever_it_may_stand() {
    for field in FIELDS {
        let value = field.value.map_or(json!({}), |value| json!(value));
        let prefixes: &[&str] = match field.kind {
            RULE if field.path == "workloadSelector" => &[""],
            RULE => &[
                "trafficPolicy.",
                "trafficPolicy.portLevelSettings[].",
                "subsets[].trafficPolicy.",
                "subsets[].trafficPolicy.portLevelSettings[].",
            ],
            _ => &[""],
        };
        for prefix in prefixes {
            let spec = holding(&format!("{prefix}{}", field.path), value.clone());
            let found = written(field.kind, &spec);
            assert!(found.iter().any(|found| std::ptr::eq(*found, field)), "{spec}");
            // A field inside of another new one brings that with it.
            assert!(found.iter().all(|found| field.path.starts_with(found.path)), "{spec}");
            assert!(
                field.value.is_none() || written(field.kind, &holding(field.path, json!("OTHER"))).is_empty()
            );
        }
    }
}
