//! The document that v1alpha3 was introduced with: `examples/seed` says the same, and compiles to the same resources.
//!
//! The document shortens what it shows with `...`, which stands for anything here.

#![expect(clippy::panic, reason = "a test fails by panicking")]

use super::example::{Example, documents, root};
use meshc_targets::Split;
use meshc_targets::istio::ApiVersion;
use serde_yaml::{Mapping, Value};
use std::fs;
use std::io::Write;
use std::path::PathBuf;

/// The resources of the document in its order: kind, name, and the project that says the same. There are two projects
/// because the document has two resources of one kind and name.
const RESOURCES: [(&str, &str, &str); 7] = [
    ("Gateway", "bookinfo-gateway", "seed/gateway"),
    ("VirtualService", "bookinfo", "seed/gateway"),
    ("VirtualService", "reviews", "seed/mesh"),
    ("VirtualService", "bookinfo", "seed/mesh"),
    ("DestinationRule", "reviews", "seed/mesh"),
    ("ServiceEntry", "foo-ext", "seed/mesh"),
    ("DestinationRule", "foo-ext", "seed/mesh"),
];

const VERSION: &str = "networking.istio.io/v1alpha3";

/// What `...` becomes before the text is read as YAML.
const ELISION: &str = "left out";

#[test]
fn the_document_is_said_again() {
    let Some(text) = document() else { return };
    let shown: Vec<Value> =
        yaml_blocks(&text).iter().flat_map(|block| documents(&with_elisions(block))).collect();
    let shown: Vec<&Value> =
        shown.iter().filter(|resource| text_of(resource, "apiVersion") == VERSION).collect();
    let named: Vec<(String, String)> = shown.iter().map(|resource| kind_and_name(resource)).collect();
    let expected: Vec<(String, String)> =
        RESOURCES.iter().map(|(kind, name, _)| ((*kind).to_owned(), (*name).to_owned())).collect();
    assert_eq!(named, expected, "the resources of the document are not those that are compared");
    let mut made: Vec<(String, Value)> = resources();
    for (shown, (kind, name, project)) in shown.into_iter().zip(RESOURCES) {
        let wanted = (kind.to_owned(), name.to_owned());
        let at =
            made.iter().position(|(home, resource)| home == project && kind_and_name(resource) == wanted);
        let Some(at) = at else { panic!("{project} makes no {kind} {name}") };
        let (_, resource) = made.swap_remove(at);
        if let Some(difference) = difference("", shown, &resource) {
            panic!("{project}: {kind} {name}: {difference}");
        }
    }
    let surplus: Vec<_> = made.iter().map(|(project, resource)| (project, kind_and_name(resource))).collect();
    assert!(surplus.is_empty(), "the document has no {surplus:?}");
}

/// The document; `None`, with the reason printed, where it is absent.
fn document() -> Option<String> {
    let folder = root().join("../shared/seed");
    let files = fs::read_dir(&folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    let texts: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|end| end == "txt")).collect();
    let [text] = texts.as_slice() else {
        let _ =
            writeln!(std::io::stderr(), "skipped: the seed document: there is none in {}", folder.display());
        return None;
    };
    Some(fs::read_to_string(text).unwrap())
}

/// The texts between `{{< text yaml >}}` and `{{< /text >}}`.
fn yaml_blocks(text: &str) -> Vec<&str> {
    let blocks = text.split("{{< text yaml >}}").skip(1);
    blocks.map(|block| block.split("{{< /text >}}").next().unwrap()).collect()
}

/// The block with each `...` as an element of the list that it shortens.
fn with_elisions(block: &str) -> String {
    let line = |line: &str| match line.trim() {
        "..." => line.replace("...", &format!("- {ELISION}")),
        _ => line.to_owned(),
    };
    block.lines().map(|one| line(one) + "\n").collect()
}

/// What the two projects make: project and resource.
fn resources() -> Vec<(String, Value)> {
    let mut resources = Vec::new();
    for example in Example::all().into_iter().filter(|example| example.name.starts_with("seed/")) {
        for file in example
            .build(Split::default(), ApiVersion::V1Alpha3)
            .0
            .into_iter()
            .flat_map(|build| build.artifacts)
        {
            resources
                .extend(documents(&file.text).into_iter().map(|resource| (example.name.clone(), resource)));
        }
    }
    resources
}

fn text_of<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn kind_and_name(resource: &Value) -> (String, String) {
    let metadata = resource.get("metadata").unwrap();
    (text_of(resource, "kind").to_owned(), text_of(metadata, "name").to_owned())
}

/// Where `made` is not what is `shown`; what is left out there may be anything.
fn difference(path: &str, shown: &Value, made: &Value) -> Option<String> {
    match (shown, made) {
        (Value::Mapping(shown), Value::Mapping(made)) => mapping_difference(path, shown, made),
        (Value::Sequence(shown), Value::Sequence(made)) => {
            let open = shown.last().and_then(Value::as_str) == Some(ELISION);
            let fixed = shown.len() - usize::from(open);
            if made.len() < fixed || (!open && made.len() > fixed) {
                return Some(format!("{path} has {} elements, not {fixed}", made.len()));
            }
            let mut pairs = shown.iter().take(fixed).zip(made).enumerate();
            pairs.find_map(|(at, (shown, made))| difference(&format!("{path}[{at}]"), shown, made))
        }
        _ if shown == made => None,
        _ => Some(format!("{path} is {made:?}, not {shown:?}")),
    }
}

fn mapping_difference(path: &str, shown: &Mapping, made: &Mapping) -> Option<String> {
    let surplus = made.keys().find(|key| !shown.contains_key(*key));
    let surplus = surplus.map(|key| format!("{path} has {key:?}, which the document has not"));
    surplus.or_else(|| {
        shown.iter().find_map(|(key, shown)| {
            let path = format!("{path}.{}", key.as_str().unwrap_or("?"));
            match made.get(key) {
                Some(made) => difference(&path, shown, made),
                None => Some(format!("{path} is missing")),
            }
        })
    })
}

#[test]
fn the_comparison_notices_what_differs() {
    let read = |text: &str| documents(&with_elisions(text)).remove(0);
    let shown = read("a: [1, 2]\nb:\n- x\n...\nc: {d: e}\n");
    let differs = |made: &str| difference("", &shown, &read(made)).is_some();
    assert!(!differs("a: [1, 2]\nb: [x]\nc: {d: e}"));
    assert!(!differs("a: [1, 2]\nb: [x, y, z]\nc: {d: e}"));
    for made in [
        "a: [1]\nb: [x]\nc: {d: e}",
        "a: [1, 2, 3]\nb: [x]\nc: {d: e}",
        "a: [1, '2']\nb: [x]\nc: {d: e}",
        "a: [1, 2]\nb: []\nc: {d: e}",
        "a: [1, 2]\nb: [y]\nc: {d: e}",
        "a: [1, 2]\nb: [x]\nc: {d: e, f: g}",
        "a: [1, 2]\nb: [x]",
    ] {
        assert!(differs(made), "{made}");
    }
}
