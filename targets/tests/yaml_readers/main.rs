//! Do the YAML readers of the Kubernetes world read our writer's text as the text that was meant? The programs in
//! `tests/yaml-readers` ask PyYAML, go-yaml 2 and 3 and sigs.k8s.io/yaml; `serde_yaml` is asked here.
//!
//! Without python3 and PyYAML, or go and its modules, a reader is skipped with a note; with `MESHC_TEST_ALL=1` that is a failure.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod texts;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use meshc_targets::yaml::write_document;
use serde::{Serialize, Serializer};
use serde_json::json;

/// How many texts stand as values, and how many as keys.
const COUNT: usize = 20_000;

/// The document that the readers get.
#[derive(Serialize)]
struct Document<'a> {
    values: &'a [String],
    keys: Numbered<'a>,
}

/// Texts as the keys of a mapping to their numbers.
struct Numbered<'a>(&'a [String]);

impl Serialize for Numbered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().zip(0_usize..))
    }
}

fn document() -> (Vec<String>, String) {
    let texts = texts::generate(COUNT);
    let mut text = String::new();
    write_document(&mut text, &Document { values: &texts, keys: Numbered(&texts) }).unwrap();
    (texts, text)
}

#[test]
fn serde_yaml_reads_what_was_meant() {
    let (texts, text) = document();
    let read: serde_yaml::Value = serde_yaml::from_str(&text).unwrap();
    let values = read["values"].as_sequence().unwrap();
    let keys = read["keys"].as_mapping().unwrap();
    assert_eq!((values.len(), keys.len()), (texts.len(), texts.len()));
    for ((text, value), key) in texts.iter().zip(values).zip(keys.keys()) {
        assert_eq!((value.as_str(), key.as_str()), (Some(text.as_str()), Some(text.as_str())));
    }
}

#[test]
fn pyyaml_reads_what_was_meant() {
    if !runs(Command::new("python3").args(["-c", "import yaml"])) {
        return skip("python3 with PyYAML is not there");
    }
    let (yaml, json) = write_files("python");
    succeed(Command::new("python3").arg(folder().join("check.py")).args([yaml, json]));
}

#[test]
fn the_go_readers_read_what_was_meant() {
    if !runs(Command::new("go").arg("version")) {
        return skip("go is not there");
    }
    if !runs(Command::new("go").args(["mod", "download"]).current_dir(folder())) {
        return skip("the modules of tests/yaml-readers/go.mod cannot be had");
    }
    let (yaml, json) = write_files("go");
    succeed(Command::new("go").args(["run", "."]).args([yaml, json]).current_dir(folder()));
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/yaml-readers")
}

/// The document and the expected texts as files of their own for each test, since tests run at the same time.
fn write_files(reader: &str) -> (PathBuf, PathBuf) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("yaml-readers-{reader}"));
    fs::create_dir_all(&folder).unwrap();
    let (texts, text) = document();
    let (yaml, expected) = (folder.join("texts.yaml"), folder.join("texts.json"));
    fs::write(&yaml, text).unwrap();
    fs::write(&expected, json!({"values": texts, "keys": texts}).to_string()).unwrap();
    (yaml, expected)
}

fn runs(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

fn succeed(command: &mut Command) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{command:?}: {status}\n{said}");
    eprintln!("{said}");
}

fn skip(reason: &str) {
    if std::env::var_os("MESHC_TEST_ALL").is_some_and(|value| value == "1") {
        panic!("{reason}, and MESHC_TEST_ALL=1 asks for every test");
    }
    eprintln!("skipped: {reason}");
}
