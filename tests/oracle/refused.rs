//! What the registry calls refused is refused: for each code of that kind a configuration in `tests/refused`, written by hand as its
//! failing example would come out, and the judge that refuses it.
//!
//! The first line of a file is `# JUDGE: PART OF ITS WORDS`. The judge is `istio` (admission: the definitions and istiod's webhook),
//! `envoy` (`--mode validate`), or `none`, with the reason.

use super::istio::{Job, ask};
use super::programs;
use meshc_language::Severity;
use meshc_language::code::{Kind, REGISTRY};
use std::path::{Path, PathBuf};
use std::process::Command;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/refused")
}

#[test]
fn what_is_called_refused_is_refused() {
    let refused = |kind: Kind, severity: Severity| kind == Kind::Refused && severity == Severity::Error;
    let mut faults = Vec::new();
    for entry in REGISTRY.iter().filter(|entry| refused(entry.kind, entry.severity)) {
        let path = folder().join(format!("{}.yaml", entry.code));
        match std::fs::read_to_string(&path) {
            Ok(text) => faults.extend(fault(&path, &text).map(|fault| format!("{}: {fault}", entry.code))),
            Err(_) => faults.push(format!("{}: no judge refuses it", entry.code)),
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_refused_configuration_has_a_code_of_that_kind() {
    for file in std::fs::read_dir(folder()).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let of = REGISTRY.iter().find(|entry| format!("{}.yaml", entry.code) == name);
        assert!(of.is_some_and(|entry| entry.kind == Kind::Refused), "{name}");
    }
}

/// What is wrong with one file; `None` too where its judge is missing.
fn fault(path: &Path, text: &str) -> Option<String> {
    let first = text.lines().next().unwrap_or_default();
    let Some((judge, words)) = first.strip_prefix("# ").and_then(|first| first.split_once(": ")) else {
        return Some("its first line names no judge".to_owned());
    };
    let said = match judge {
        "none" => return None,
        "istio" => by_istio(text)?,
        "envoy" => by_envoy(path)?,
        other => return Some(format!("`{other}` is no judge")),
    };
    let refused = !words.is_empty() && said.contains(words);
    (!refused).then(|| format!("{judge} says `{said}`, not `{words}`"))
}

fn by_istio(text: &str) -> Option<String> {
    let job = Job { resources: text.to_owned(), judge: true, ..Job::default() };
    let said: Vec<String> = ask(&job)?.refusals.into_iter().map(|refusal| refusal.message).collect();
    Some(said.join("; "))
}

fn by_envoy(path: &Path) -> Option<String> {
    let mut command = Command::new(programs::envoy()?);
    command.args(["--mode", "validate", "--log-level", "error", "-c"]).arg(path);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Some(if output.status.success() { String::new() } else { said })
}
