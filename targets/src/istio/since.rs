//! What the sources ask of Istio that its clusters are too old for.
//!
//! What is written is looked at, not what is declared: no field can be forgotten. The typed model only says where a field comes
//! from. A cluster that does not know a field drops it without a word (the structural schema of its CRD); a value that it does not
//! know, it refuses.

mod fields;
mod places;

use super::document::{Document, Writer};
use super::plan::plan;
use super::release::Release;
use crate::target::Options;
use fields::{ENTRY, FIELDS, Field, GATEWAY, ROUTES, RULE};
use meshc_compiler::Checked;
use meshc_language::{Code, Diagnostic, Span};
use places::places;
use serde::Serialize;
use serde_json::Value;

/// Reports what the oldest release of the project does not know.
pub(super) fn newer_than_oldest(checked: &Checked, options: &Options<'_>) -> Vec<Diagnostic> {
    let oldest = options.releases.oldest;
    if oldest >= Release::NEWEST {
        return Vec::new();
    }
    let model = checked.model();
    let writer = Writer::new(model, options);
    let mut reports: Vec<Diagnostic> = Vec::new();
    for planned in plan(model, writer.layout()) {
        let Some(typed) = writer.typed(planned) else { continue };
        let known = newer(&typed, oldest);
        for field in &known {
            let found = places(model, planned, field.path);
            let item = writer.span(planned);
            let places = if found.is_empty() { item.into_iter().collect() } else { found };
            reports.extend(places.into_iter().map(|span| report(field, oldest, span)));
        }
        let raw = writer.raw(planned).map(|raw| raw.span).next();
        let Some((raw, merged)) = raw.zip(writer.document(planned)) else { continue };
        let added = newer(&merged, oldest);
        let added = added.into_iter().filter(|field| !known.iter().any(|known| std::ptr::eq(*known, *field)));
        reports.extend(added.map(|field| report(field, oldest, raw)));
    }
    reports.sort_by(|left, right| left.order().cmp(&right.order()));
    reports.dedup_by(|left, right| left.order() == right.order());
    reports
}

fn report(field: &Field, oldest: Release, span: Span) -> Diagnostic {
    let Field { kind, path, value, since, statement, without, instead } = field;
    let message = format!("`{statement}` needs Istio {since}, and clusters of this project run {oldest}");
    let (label, consequence) = match value {
        Some(value) => (
            format!("`{value}` in the `{path}` of Istio's {kind}"),
            format!("Istio {oldest} refuses the whole {kind}"),
        ),
        None => (
            format!("the `{path}` of Istio's {kind}"),
            format!("Istio {oldest} has no such field and drops it: {without}"),
        ),
    };
    let wait = format!(
        "remove it until every cluster runs {since}, then set `version = \"{since}\"` below `[istio]` in mesh.toml"
    );
    let help = match instead {
        Some(instead) => format!("{instead}; or {wait}"),
        None => wait,
    };
    Diagnostic::new(Code::NEEDS_NEWER_ISTIO, span, message).label(label).consequence(consequence).help(help)
}

/// The fields of a resource that a release does not know.
fn newer(document: &Document, oldest: Release) -> Vec<&'static Field> {
    let fields = match document {
        Document::Gateway(resource) => written(GATEWAY, &resource.spec),
        Document::VirtualService(resource) => written(ROUTES, &resource.spec),
        Document::DestinationRule(resource) => written(RULE, &resource.spec),
        Document::ServiceEntry(resource) => written(ENTRY, &resource.spec),
    };
    fields.into_iter().filter(|field| field.since > oldest).collect()
}

/// The fields and values of the table that a specification has, each once.
fn written(kind: &str, spec: &impl Serialize) -> Vec<&'static Field> {
    let mut found: Vec<&'static Field> = Vec::new();
    // The types of the API can always be written.
    let spec = serde_json::to_value(spec).unwrap_or_default();
    walk(kind, "", &spec, &mut found);
    found
}

fn walk(kind: &str, path: &str, at: &Value, found: &mut Vec<&'static Field>) {
    for field in FIELDS.iter().filter(|field| field.kind == kind && field.path == path) {
        let has = field.value.is_none_or(|value| at.as_str() == Some(value));
        if has && !found.iter().any(|known| std::ptr::eq(*known, field)) {
            found.push(field);
        }
    }
    match at {
        Value::Object(entries) => {
            for (key, value) in entries {
                walk(kind, &below(kind, path, key), value, found);
            }
        }
        Value::Array(elements) => {
            // Those of a policy for ports and subsets begin anew.
            let path = if path.is_empty() { String::new() } else { format!("{path}[]") };
            elements.iter().for_each(|element| walk(kind, &path, element, found));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn below(kind: &str, path: &str, key: &str) -> String {
    match (path, key) {
        ("", "trafficPolicy" | "portLevelSettings" | "subsets") if kind == RULE => String::new(),
        ("", key) => key.to_owned(),
        (path, key) => format!("{path}.{key}"),
    }
}

#[cfg(test)]
mod tests;
