//! Other YAML readers must see in the emitted texts what the emitter meant: PyYAML, and in Go the reader of kubectl
//! and istioctl and the YAML 1.1 one below many operators. Each text is compared whole, document by document.

use super::{ask, folder, skip, works};
use serde::Deserialize;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// What one reader made of one text.
#[derive(Deserialize)]
struct Reading {
    reader: String,
    documents: Vec<Value>,
    #[serde(default)]
    error: Option<String>,
}

/// Where another reader sees something else in `texts` than `serde_yaml` does: the index of the text and one
/// difference per entry; empty when all agree. `None`, with the reasons printed, when no other reader is there.
pub(crate) fn check(texts: &[&str]) -> Option<Vec<(usize, String)>> {
    let mut differences = Vec::new();
    let mut somebody_read = false;
    for readings in [pyyaml(texts), go(texts)].into_iter().flatten() {
        somebody_read = true;
        assert_eq!(readings.len(), texts.len(), "a reader left out a text");
        for (index, (text, readings)) in texts.iter().zip(readings).enumerate() {
            let meant = documents(text);
            let told = readings.iter().filter_map(|reading| difference(reading, &meant));
            differences.extend(told.map(|difference| (index, difference)));
        }
    }
    somebody_read.then_some(differences)
}

/// Empty documents are left out, as Kubernetes' tools do.
fn documents(text: &str) -> Vec<Value> {
    let read = serde_yaml::Deserializer::from_str(text).map(|part| Value::deserialize(part).unwrap());
    read.filter(|document| !document.is_null()).collect()
}

fn difference(reading: &Reading, meant: &[Value]) -> Option<String> {
    let reader = &reading.reader;
    if let Some(error) = &reading.error {
        return Some(format!("{reader} refuses it: {error}"));
    }
    if reading.documents.len() != meant.len() {
        return Some(format!("{reader} sees {} documents, not {}", reading.documents.len(), meant.len()));
    }
    let mut pairs = reading.documents.iter().zip(meant).enumerate();
    pairs.find_map(|(index, (seen, meant))| {
        first_difference(&format!("[{index}]"), seen, meant).map(|place| format!("{reader}: {place}"))
    })
}

fn first_difference(path: &str, seen: &Value, meant: &Value) -> Option<String> {
    match (seen, meant) {
        (Value::Object(seen), Value::Object(meant)) if seen.len() == meant.len() => {
            meant.iter().find_map(|(name, meant)| match seen.get(name) {
                Some(seen) => first_difference(&format!("{path}.{name}"), seen, meant),
                None => Some(format!("{path} has no key {name:?}")),
            })
        }
        (Value::Array(seen), Value::Array(meant)) if seen.len() == meant.len() => {
            let mut pairs = seen.iter().zip(meant).enumerate();
            pairs
                .find_map(|(index, (seen, meant))| first_difference(&format!("{path}[{index}]"), seen, meant))
        }
        (Value::Number(seen), Value::Number(meant)) if seen.as_f64() == meant.as_f64() => None,
        _ if seen == meant => None,
        _ => Some(format!("{path} is {seen}, not {meant}")),
    }
}

fn pyyaml(texts: &[&str]) -> Option<Vec<Vec<Reading>>> {
    static PYTHON: OnceLock<Option<PathBuf>> = OnceLock::new();
    let reads = |python: &PathBuf| works(Command::new(python).args(["-c", "import yaml"]));
    let Some(python) = PYTHON.get_or_init(|| pythons().into_iter().find(reads)) else {
        return skip("PyYAML", "no python3 that can import `yaml`: run `tests/run`");
    };
    let readings = ask(Command::new(python).arg(folder().join("readers.py")), &texts.into());
    Some(serde_json::from_value(readings).unwrap())
}

fn pythons() -> [PathBuf; 2] {
    [Path::new(env!("CARGO_MANIFEST_DIR")).join(".venv/bin/python"), PathBuf::from("python3")]
}

fn go(texts: &[&str]) -> Option<Vec<Vec<Reading>>> {
    // Built once for all tests of a run.
    static PROGRAM: OnceLock<Result<PathBuf, &str>> = OnceLock::new();
    let program = match PROGRAM.get_or_init(build) {
        Ok(program) => program,
        Err(reason) => return skip("Go's YAML readers", reason),
    };
    let readings = ask(&mut Command::new(program), &texts.into());
    Some(serde_json::from_value(readings).unwrap())
}

fn build() -> Result<PathBuf, &'static str> {
    if !works(Command::new("go").arg("version")) {
        return Err("go is absent");
    }
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("goreader");
    let mut build = Command::new("go");
    build.current_dir(folder().join("goreader")).args(["build", "-o"]).arg(&program).arg(".");
    if works(&mut build) { Ok(program) } else { Err("`go build` failed in tests/oracle/goreader") }
}

#[test]
fn readers_agree_on_plain_resources() {
    let text = "---\na: 'yes'\nb: [1, -2.5, true, ~, \"0x1F\"]\nc: {}\n---\n---\nd: |\n  one\n  two\n";
    let Some(differences) = check(&[text, ""]) else { return };
    assert_eq!(differences, Vec::<(usize, String)>::new());
}

/// Texts that YAML 1.2 and 1.1 read differently: each must be noticed by at least one reader, whichever is there.
#[test]
fn readers_notice_what_is_ambiguous() {
    let ambiguous = ["a: yes\n", "a: 1_000\n", "a: 012\n", "y: 1\non: 2\n"];
    let Some(differences) = check(&ambiguous) else { return };
    for (index, text) in ambiguous.iter().enumerate() {
        assert!(differences.iter().any(|(place, _)| *place == index), "nobody noticed {text:?}");
    }
}
