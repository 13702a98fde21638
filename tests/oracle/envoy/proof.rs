//! Proof that the judge judges: the good documents pass, and each fault of `faults.yaml` is found for its reason. Where
//! Envoy is installed, it is asked as well whether it says what the table claims.

use super::check;
use crate::oracle::{folder, programs};
use serde::Deserialize;
use std::fs;
use std::path::Path;
use std::process::Command;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Faulty {
    r#in: String,
    replace: String,
    by: String,
    says: String,
    envoy: Verdict,
}

#[derive(Deserialize, PartialEq, Eq, Debug, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Accepts,
    Refuses,
}

impl Faulty {
    fn all() -> Vec<Self> {
        let table = fs::read_to_string(folder().join("envoy/faults.yaml")).unwrap();
        serde_yaml::from_str(&table).unwrap()
    }

    /// The documents of the Envoy with the fault in one of them.
    fn documents(&self) -> Vec<(String, String)> {
        let (group, file) = self.r#in.split_once('/').unwrap();
        let mut documents = good(group);
        let (_, text) = documents.iter_mut().find(|(name, _)| name == file).unwrap();
        assert_eq!(
            text.matches(&self.replace).count(),
            1,
            "{:?} does not stand once in {}",
            self.replace,
            self.r#in
        );
        *text = text.replace(&self.replace, &self.by);
        documents
    }
}

/// The documents of one Envoy, by name; the bootstrap comes first.
fn good(group: &str) -> Vec<(String, String)> {
    let files =
        fs::read_dir(folder().join("envoy/good").join(group)).unwrap().map(|file| file.unwrap().path());
    let name = |file: &Path| file.file_name().unwrap().to_str().unwrap().to_owned();
    let mut documents: Vec<_> = files.map(|file| (name(&file), fs::read_to_string(file).unwrap())).collect();
    documents.sort();
    documents
}

fn borrowed(documents: &[(String, String)]) -> Vec<(&str, &str)> {
    documents.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect()
}

#[test]
fn good_documents_are_accepted() {
    for group in ["static", "watched"] {
        let Some(faults) = check(&borrowed(&good(group))) else { return };
        assert!(faults.is_empty(), "{group}: {faults:#?}");
    }
}

#[test]
fn every_fault_is_found_for_its_reason() {
    let mut wrong = Vec::new();
    for faulty in Faulty::all() {
        let Some(faults) = check(&borrowed(&faulty.documents())) else { return };
        let said: Vec<String> = faults.iter().map(ToString::to_string).collect();
        if !said.iter().any(|fault| fault.contains(&faulty.says)) {
            wrong
                .push(format!("{} with {:?}: said {said:#?}, not {:?}", faulty.r#in, faulty.by, faulty.says));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_is_right_about_envoy() {
    let Some(envoy) = programs::envoy() else { return };
    let mut wrong = Vec::new();
    for faulty in Faulty::all().iter().filter(|faulty| faulty.r#in.starts_with("static/")) {
        let (verdict, words) = validate(&envoy, &faulty.documents().first().unwrap().1);
        if verdict != faulty.envoy {
            wrong.push(format!("{:?}: Envoy {verdict:?} it: {words}", faulty.by));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_layout_of_several_files_is_one_bootstrap_when_inlined() {
    let Some(envoy) = programs::envoy() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut documents = good("watched");
    for (name, text) in &mut documents {
        *text = text.replace("/etc/envoy", folder.path().to_str().unwrap());
        fs::write(folder.path().join(name), text).unwrap();
    }
    let inlined = super::inlined(&borrowed(&documents));
    let (verdict, words) = validate(&envoy, &inlined);
    assert_eq!(verdict, Verdict::Accepts, "{words}");
    let unknown = inlined.replace("\"cluster\":\"one\"", "\"cluster\":\"two\"");
    assert_eq!(validate(&envoy, &unknown).0, Verdict::Refuses);
}

/// What `envoy --mode validate` says of a bootstrap; it opens no port.
fn validate(envoy: &Path, bootstrap: &str) -> (Verdict, String) {
    let mut command = Command::new(envoy);
    command.args(["--mode", "validate", "--log-level", "error", "--config-yaml", bootstrap]);
    let output = command.output().unwrap();
    let verdict = if output.status.success() { Verdict::Accepts } else { Verdict::Refuses };
    (verdict, String::from_utf8_lossy(&output.stderr).into_owned())
}
