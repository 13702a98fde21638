//! `raw istio`: YAML that is merged into the resource of an item.
//!
//! It may add what the language has no word for, never change what a typed statement says. Elements of a list are found
//! by their `name`.

use super::api;
use super::document::{Document, Writer};
use super::plan::Planned;
use crate::target::Options;
use meshc_compiler::Checked;
use meshc_compiler::model::{Raw, Resource};
use meshc_language::{Code, Diagnostic, Span};
use serde::Serialize;
use serde_yaml::Value;

/// Why raw configuration cannot be merged.
pub(super) enum Refusal {
    /// It says something else than a typed statement.
    Conflict(String),
    /// It does not fit.
    Misfit(String),
}

/// Reports raw configuration does not fit its item.
pub(super) fn check(checked: &Checked, options: &Options<'_>) -> Vec<Diagnostic> {
    let model = checked.model();
    if model.raw.is_empty() {
        return Vec::new();
    }
    let writer = Writer::new(model, options);
    let mut reports = Vec::new();
    for (raw, anchors) in model.raw.iter().zip(writer.anchors()) {
        if anchors.len() > 1 {
            reports.push(several(&writer, raw, anchors));
            continue;
        }
        let Some(document) = anchors.first().and_then(|planned| writer.typed(*planned)) else {
            let anchor = &raw.anchor;
            let message = format!(
                "no resource is made for a {} `{}` of this namespace",
                anchor.kind.value, anchor.name.value
            );
            let report = Diagnostic::new(Code::BAD_RAW, anchor.name.span, message);
            reports.push(report.help(
                "name an item of this namespace; a service has a resource if it has a policy or subsets",
            ));
            continue;
        };
        if let Err(refusal) = merged(document, &[&raw.declared]) {
            reports.push(report(refusal, raw.text.span));
        }
    }
    reports
}

fn several(writer: &Writer<'_>, raw: &Resource<Raw>, anchors: &[Planned]) -> Diagnostic {
    let anchor = &raw.anchor;
    let names: Vec<String> = anchors.iter().map(|planned| format!("`{}`", writer.name(*planned))).collect();
    let message = format!("several resources are made for {} `{}`", anchor.kind.value, anchor.name.value);
    let report = Diagnostic::new(Code::BAD_RAW, anchor.name.span, message);
    let report = anchors
        .iter()
        .filter_map(|planned| writer.span(*planned))
        .fold(report, |report, span| report.related(span, "one of them"));
    report
        .consequence("the configuration would be merged into all of them")
        .help(format!("name the resource: one of {}", names.join(", ")))
}

fn report(refusal: Refusal, span: Span) -> Diagnostic {
    match refusal {
        Refusal::Conflict(path) => {
            let message = format!("a typed statement already sets `{path}`");
            Diagnostic::new(Code::RAW_CONFLICT, span, message)
                .consequence("one of the two would be lost")
                .help("change the statement, or remove this part")
        }
        Refusal::Misfit(why) => Diagnostic::new(Code::BAD_RAW, span, why)
            .help("write a part of the resource, such as `spec:` and the fields below it"),
    }
}

/// A document with raw configuration put in.
pub(super) fn merged(document: Document, raw: &[&Raw]) -> Result<Document, Refusal> {
    match document {
        Document::Gateway(resource) => put(&resource, raw).map(Document::Gateway),
        Document::VirtualService(resource) => put(&resource, raw).map(Document::VirtualService),
        Document::DestinationRule(resource) => put(&resource, raw).map(Document::DestinationRule),
        Document::ServiceEntry(resource) => put(&resource, raw).map(Document::ServiceEntry),
    }
}

fn put<S>(resource: &api::Resource<S>, raw: &[&Raw]) -> Result<Box<api::Resource<S>>, Refusal>
where
    S: Serialize + for<'de> serde::Deserialize<'de>,
{
    let mut value = serde_yaml::to_value(resource).map_err(|error| Refusal::Misfit(error.to_string()))?;
    for one in raw {
        let addition: Value = serde_yaml::from_str(one.text.value.as_str())
            .map_err(|error| Refusal::Misfit(format!("this is not YAML: {error}")))?;
        if !matches!(addition, Value::Mapping(_)) {
            return Err(Refusal::Misfit("this is not a mapping".to_owned()));
        }
        merge(&mut value, addition, "")?;
    }
    serde_yaml::from_value(value)
        .map(Box::new)
        .map_err(|error| Refusal::Misfit(format!("Istio has no such field or value: {error}")))
}

fn merge(value: &mut Value, addition: Value, path: &str) -> Result<(), Refusal> {
    match (value, addition) {
        (Value::Mapping(fields), Value::Mapping(additions)) => {
            for (key, addition) in additions {
                let name = key.as_str().unwrap_or("?");
                let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
                match fields.get_mut(&key) {
                    Some(field) => merge(field, addition, &path)?,
                    None => _ = fields.insert(key, addition),
                }
            }
            Ok(())
        }
        (Value::Sequence(elements), Value::Sequence(additions)) => {
            for addition in additions {
                let name = addition.get("name").and_then(Value::as_str).map(str::to_owned);
                let Some(name) = name else {
                    return Err(Refusal::Misfit(format!(
                        "an element of `{path}` needs the `name` of the element it adds to"
                    )));
                };
                let same =
                    |element: &&mut Value| element.get("name").and_then(Value::as_str) == Some(name.as_str());
                let Some(element) = elements.iter_mut().find(same) else {
                    return Err(Refusal::Misfit(format!("`{path}` has no element `{name}`")));
                };
                merge(element, addition, &format!("{path}[{name}]"))?;
            }
            Ok(())
        }
        (field, addition) if *field == addition => Ok(()),
        _ => Err(Refusal::Conflict(path.to_owned())),
    }
}
