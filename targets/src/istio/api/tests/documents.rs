//! The structs against documents that people wrote and that Istio's own tests validate.

use std::fs;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_yaml::Value;

use super::super::*;
use super::shared_file;
use crate::yaml::write_document;

const KINDS: [&str; 4] = ["Gateway", "VirtualService", "DestinationRule", "ServiceEntry"];

/// Reads `document` as the struct of its kind, writes that with our writer and reads the text.
fn through_structs(kind: &str, document: &Value) -> Result<Value, String> {
    match kind {
        "Gateway" => through::<Gateway>(document),
        "VirtualService" => through::<VirtualService>(document),
        "DestinationRule" => through::<DestinationRule>(document),
        "ServiceEntry" => through::<ServiceEntry>(document),
        _ => Err(format!("no struct for {kind}")),
    }
}

fn through<S: Spec + Serialize + DeserializeOwned + PartialEq>(document: &Value) -> Result<Value, String> {
    let resource: Resource<S> =
        serde_yaml::from_value(document.clone()).map_err(|error| error.to_string())?;
    if resource.kind != S::KIND {
        return Err(format!("kind {} is read as {}", resource.kind, S::KIND));
    }
    let mut text = String::new();
    write_document(&mut text, &resource).map_err(|error| error.to_string())?;
    let again: Resource<S> = serde_yaml::from_str(&text).map_err(|error| format!("{error} in:\n{text}"))?;
    if again != resource {
        return Err(format!("another resource comes back from:\n{text}"));
    }
    serde_yaml::from_str(&text).map_err(|error| format!("{error} in:\n{text}"))
}

/// `document` without what may differ: what only servers and test tools write, what means the same as nothing, `50.0` for `50`.
fn normalise(document: &Value) -> Value {
    let mut document = without_nothing(document);
    if let Some(top) = document.as_mapping_mut() {
        top.retain(|key, _| !matches!(key.as_str(), Some("status" | "_err")));
        if let Some(metadata) = top.get_mut("metadata").and_then(Value::as_mapping_mut) {
            metadata.retain(|key, _| !matches!(key.as_str(), Some("creationTimestamp" | "resourceVersion")));
        }
    }
    document
}

fn without_nothing(value: &Value) -> Value {
    match value {
        Value::Mapping(mapping) => {
            let entries = mapping.iter().map(|(key, value)| (renamed(key), without_nothing(value)));
            Value::Mapping(entries.filter(|(key, value)| !is_nothing(key, value)).collect())
        }
        Value::Sequence(elements) => Value::Sequence(elements.iter().map(element_without_nothing).collect()),
        Value::Number(number) => match number.as_f64() {
            Some(float) if float.fract() == 0.0 => Value::from(float as i64),
            _ => value.clone(),
        },
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Tagged(_) => value.clone(),
    }
}

/// The one field that the CRD has under two names.
fn renamed(key: &Value) -> Value {
    if key.as_str() == Some("mirror_percent") { Value::from("mirrorPercent") } else { key.clone() }
}

/// A null element of a list is read as an empty message: it must keep its place.
fn element_without_nothing(element: &Value) -> Value {
    if element.is_null() { Value::Mapping(serde_yaml::Mapping::new()) } else { without_nothing(element) }
}

/// Required messages and maps: written empty or not at all, they mean the same.
const SAME_WHEN_EMPTY: [&str; 6] = ["destination", "port", "add", "set", "labels", "matchLabels"];

/// Empty text and lists and null are nothing; so is a required number of 0.
fn is_nothing(key: &Value, value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Sequence(elements) => elements.is_empty(),
        Value::Mapping(entries) => {
            entries.is_empty() && key.as_str().is_some_and(|key| SAME_WHEN_EMPTY.contains(&key))
        }
        Value::Number(number) => number.as_i64() == Some(0) && key.as_str() == Some("number"),
        Value::Bool(_) | Value::Tagged(_) => false,
    }
}

/// Fails with the first differences of all `documents` (name, kind, value).
fn assert_all_survive(documents: impl Iterator<Item = (String, String, Value)>) -> usize {
    let mut count = 0;
    let mut failures = Vec::new();
    for (name, kind, document) in documents {
        count += 1;
        let document = normalise(&document);
        match through_structs(&kind, &document) {
            Ok(again) if normalise(&again) == document => {}
            Ok(again) => failures.push(format!("{name}: {document:?}\nbecame {again:?}")),
            Err(error) => failures.push(format!("{name}: {error}")),
        }
    }
    assert!(failures.is_empty(), "{} of {count}:\n{}", failures.len(), failures.join("\n"));
    count
}

#[test]
fn real_documents_survive() {
    let Some(manifest) = shared_file("corpus/manifest.jsonl") else { return };
    let folder = manifest.with_file_name("docs");
    let text = fs::read_to_string(&manifest).unwrap();
    let rows = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let clean = rows.filter(|row| row["issues"] == serde_json::json!([]));
    let documents = clean.filter_map(|row| {
        let kind = KINDS.into_iter().find(|kind| row["kind"] == **kind)?;
        let id = row["id"].as_str().unwrap().to_owned();
        let text = fs::read_to_string(folder.join(format!("{id}.yaml"))).unwrap();
        match serde_yaml::from_str(&text) {
            Ok(document) => Some((id, kind.to_owned(), document)),
            Err(error) => {
                assert!(error.to_string().contains("duplicate entry"), "{id}: {error}");
                eprintln!("skipped: {id} is no YAML: {error}");
                None
            }
        }
    });
    let count = assert_all_survive(documents);
    assert!(count > 1_000, "the manifest lists only {count} documents of the four kinds");
}

#[test]
fn validation_cases_survive() {
    let Some(path) = shared_file("istio/validation-cases.json") else { return };
    let cases: Vec<serde_json::Value> = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let documents = cases.iter().filter_map(|case| {
        let kind = KINDS.into_iter().find(|kind| case["kind"] == **kind)?;
        Some((case["id"].to_string(), kind.to_owned(), serde_yaml::to_value(&case["doc"]).unwrap()))
    });
    let count = assert_all_survive(documents);
    assert!(count > 200, "only {count} cases are of the four kinds");
}
