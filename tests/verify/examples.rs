//! What the examples say is what Envoy and nginx do.

use super::{SHOP, verify};
use crate::cli::Folder;
use crate::oracle::programs;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Projects below `examples/`, with the environment in which they are run.
const EXAMPLES: &[(&str, Option<&str>)] = &[
    ("bookinfo", Some("staging")),
    ("canary", None),
    ("egress", None),
    ("environments", Some("prod")),
    ("multi-namespace", None),
    ("seed/gateway", None),
    ("seed/mesh", None),
    ("tcp", None),
    ("templates", None),
    ("tls-passthrough", None),
];

fn run(folder: &Folder, target: &str, program: &Path, (name, environment): (&str, Option<&str>)) -> Value {
    let example = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples").join(name);
    let mut arguments = vec!["--target", target, "--program", program.to_str().unwrap(), "--format", "json"];
    arguments.extend(environment.iter().flat_map(|name| ["--env", name]));
    arguments.push(example.to_str().unwrap());
    let run = verify(folder, 0, &arguments);
    serde_json::from_str(&run.out).unwrap()
}

#[test]
fn envoy_does_as_the_examples_say() {
    let Some(program) = programs::envoy() else { return };
    let folder = Folder::new(&[]);
    for example in EXAMPLES {
        let outcome = run(&folder, "envoy", &program, *example);
        assert!(outcome["rules"].as_u64().unwrap() > 0, "{example:?}: {outcome}");
    }
}

#[test]
fn an_outcome_has_the_fields_that_are_documented() {
    let Some(program) = programs::envoy() else { return };
    let folder = Folder::new(&[("shop.mesh", SHOP)]);
    let program = program.to_str().unwrap();
    let human = verify(&folder, 0, &["--target", "envoy", "--program", program]);
    assert!(human.err.starts_with("envoy does as the sources say: 1 proxy, 5 rules, "), "{}", human.err);
    assert!(human.out.is_empty());
    let json = verify(&folder, 0, &["--target", "envoy", "--program", program, "--format", "json"]);
    let outcome: Value = serde_json::from_str(&json.out).unwrap();
    let page =
        std::fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/json.md")).unwrap();
    let section = page.split("## `meshc verify`").nth(1).unwrap();
    for field in outcome.as_object().unwrap().keys() {
        assert!(section.contains(&format!("`{field}`")), "{field} is not in docs/json.md");
    }
    assert_eq!((&outcome["target"], &outcome["environment"]), (&Value::from("envoy"), &Value::Null));
    assert_eq!(outcome["rules"], Value::from(5));
}
