//! Proves the judge itself on Istio's own cases.

use super::super::{models, note};
use super::{KINDS, Schemas, data};
use serde_json::Value;

fn cases(file: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(data().join(file)).unwrap();
    let cases: Vec<Value> = serde_json::from_str(&text).unwrap();
    let ours =
        |case: &Value| case.get("kind").and_then(Value::as_str).is_some_and(|kind| KINDS.contains(&kind));
    cases.into_iter().filter(ours).collect()
}

fn verdict(schemas: &Schemas, case: &Value) -> Vec<String> {
    let resource = expand(case.get("doc").unwrap());
    schemas.check(&serde_yaml::to_value(resource).unwrap())
}

fn is_valid(case: &Value) -> bool {
    case.pointer("/expect/valid") == Some(&Value::Bool(true))
}

/// Writes out `$repeat:TEXT:TIMES`, the data's short form of long strings.
fn expand(value: &Value) -> Value {
    match value {
        Value::String(text) => {
            let repeat = text.strip_prefix("$repeat:").and_then(|rest| rest.rsplit_once(':'));
            repeat.map_or_else(|| value.clone(), |(part, times)| part.repeat(times.parse().unwrap()).into())
        }
        Value::Array(items) => items.iter().map(expand).collect(),
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), expand(value))).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// Istio tests its definitions with these; verdict and wording must both agree, without exception.
#[test]
fn agrees_with_istios_cases_for_its_definitions() {
    let Some(schemas) = Schemas::load() else { return };
    let (mut right, mut wrong) = (0, Vec::new());
    for case in cases("crd/crd_test_cases.json") {
        let faults = verdict(&schemas, &case);
        let agrees = match case.get("expect_error").and_then(Value::as_str) {
            Some(expected) => faults.iter().any(|fault| fault.contains(expected)),
            None => faults.is_empty(),
        };
        if agrees { right += 1 } else { wrong.push(format!("{case}\n  judged: {faults:?}")) }
    }
    note(&format!("CRD judge: agrees with {right} of Istio's CRD cases, not with {}", wrong.len()));
    assert!(right > 0 && wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Why a resource that Istio's own validation takes may break its definitions: what the judge says, and why.
const DEFINITIONS_ARE_STRICTER: &[(&str, &str)] = &[
    (
        "Invalid value: Null: must be of type object",
        "a nil entry of a list exists in Go only, not on the wire",
    ),
    ("tlsCertificates: Too many", "Istio's validation only warns about a third certificate"),
];

/// What Istio's validation takes is taken here too, except where its definitions are stricter for a known reason.
#[test]
fn takes_what_istios_validation_takes() {
    let Some(schemas) = Schemas::load() else { return };
    let known = |fault: &String| DEFINITIONS_ARE_STRICTER.iter().any(|(said, _)| fault.contains(said));
    let (mut taken, mut stricter, mut wrong) = (0, 0, Vec::new());
    for case in cases("validation-cases.json").iter().filter(|case| is_valid(case)) {
        let faults = verdict(&schemas, case);
        if faults.is_empty() {
            taken += 1;
        } else if faults.iter().all(known) {
            stricter += 1;
        } else {
            wrong.push(format!("{}: {faults:?}", case.get("id").unwrap()));
        }
    }
    note(&format!(
        "CRD judge: takes {taken} cases that Istio's validation takes, refuses {stricter} for a known reason"
    ));
    assert!(taken > 0 && wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The models are of a release that may lag behind the definitions, but never refuse what those take.
#[test]
fn the_models_take_what_istios_validation_takes() {
    let Some(schemas) = Schemas::load() else { return };
    let cases = cases("validation-cases.json");
    let is_clean = |case: &&Value| is_valid(case) && verdict(&schemas, case).is_empty();
    let docs: Vec<Value> =
        cases.iter().filter(is_clean).map(|case| expand(case.get("doc").unwrap())).collect();
    let Some(faults) = models::check(&docs) else { return };
    note(&format!("models: take {} of {} cases that Istio takes", docs.len() - faults.len(), docs.len()));
    let faults: Vec<_> = faults.iter().map(|(index, fault)| (docs.get(*index), fault)).collect();
    assert!(!docs.is_empty() && faults.is_empty(), "{faults:#?}");
}

#[test]
fn every_cel_rule_is_covered() {
    let Some(schemas) = Schemas::load() else { return };
    for ((kind, version), schema) in &schemas.by_kind_and_version {
        let rules = schema.rules();
        let uncovered: Vec<_> =
            rules.iter().filter(|rule| !rule.is_covered()).map(|rule| &rule.rule).collect();
        assert!(!rules.is_empty() && uncovered.is_empty(), "{kind} {version}: {uncovered:?}");
    }
}

/// Each case breaks one thing in an accepted resource; the judge must name it.
#[test]
fn names_the_field_that_is_wrong() {
    let Some(schemas) = Schemas::load() else { return };
    let judge = |text: &str| schemas.check(&serde_yaml::from_str(text).unwrap());
    let service = |spec: &str| {
        format!(
            "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: a}}\nspec: {spec}"
        )
    };
    assert_eq!(judge(&service("{http: [{route: [{destination: {host: a}}]}]}")), Vec::<String>::new());
    for (spec, expected) in [
        ("{htttp: []}", "spec.htttp: unknown field"),
        ("{http: [{route: [{destination: {}}]}]}", "spec.http[0].route[0].destination.host: Required value"),
        ("{http: [{timeout: 5}]}", "spec.http[0].timeout: Invalid value"),
        ("{http: [{timeout: 999us}]}", "must be a valid duration greater than 1ms"),
        ("{http: [{match: [{uri: {exact: a, prefix: b}}]}]}", "oneOf exact, prefix, regex"),
        ("{tls: [{match: [{port: 1}]}]}", "spec.tls[0].match[0].sniHosts: Required value"),
        ("{http: [{retries: {attempts: 3000000000}}]}", "spec.http[0].retries.attempts: Invalid value"),
        ("{http: [{directResponse: {status: 200, body: {bytes: '*'}}}]}", "directResponse.body.bytes"),
        ("{hosts: [null]}", "spec.hosts[0]: Invalid value"),
    ] {
        let faults = judge(&service(spec));
        assert!(faults.iter().any(|fault| fault.contains(expected)), "{spec}: {faults:?}");
    }
    let gateway = "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: a.b}\nspec: {}";
    assert_eq!(judge(gateway), ["metadata.name: Invalid value: \"a.b\": not a DNS label"]);
    assert_eq!(judge("kind: Gateway"), ["kind: no schema for \"Gateway\" of \"\""]);
}
