//! What the project says about data planes is shown: each claim of `tests/claims` is tried on Istio's own code and on Envoy, and
//! each page that speaks of a data plane names the test that shows it, or says that it is only thought so.
//!
//! `CLAIM=text` tries only the claims whose name contains it; `UPDATE=1` writes the answers that came into the files.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

mod case;
mod run;
mod shown;

use crate::oracle::istio::{Job, ask};
use crate::oracle::programs;
use case::Case;
use std::collections::BTreeSet;
use std::path::PathBuf;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/claims")
}

/// Every claim, in the order of its file.
fn cases() -> Vec<Case> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder()).unwrap().map(|file| file.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "yaml"));
    files.sort();
    let read = |file: &PathBuf| {
        let name = file.file_name().unwrap().to_str().unwrap();
        case::read(name, &std::fs::read_to_string(file).unwrap())
    };
    files.iter().flat_map(read).collect()
}

#[test]
fn what_is_claimed_of_istio_and_envoy_is_so() {
    let only = std::env::var("CLAIM").unwrap_or_default();
    let cases: Vec<Case> = cases().into_iter().filter(|case| case.name.contains(&only)).collect();
    let Some(envoy) = programs::envoy() else { return };
    let Some(answers) = run::answers(&cases, &envoy) else { return };
    let mut faults = Vec::new();
    for (case, answers) in cases.iter().zip(answers) {
        for (ask, answer) in case.asks.iter().zip(answers).filter(|(ask, answer)| !ask.is_met(answer)) {
            let place = format!("{}:{}", case.file, ask.line + 1);
            faults.push(format!("{place} {}: wanted `{}`, got `{answer}`", case.name, ask.expected));
            if std::env::var("UPDATE").is_ok() {
                update(case, ask.line, &answer);
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_body_of_more_than_a_megabyte_is_refused() {
    for (length, is_taken) in [(1 << 20, true), ((1 << 20) + 1, false)] {
        let body = "a".repeat(length);
        let resources = format!(
            "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: a, namespace: b}}\n\
             spec: {{hosts: [a.com], http: [{{directResponse: {{status: 200, body: {{string: {body}}}}}}}]}}\n"
        );
        let Some(answer) = ask(&Job { resources, judge: true, ..Job::default() }) else { return };
        assert_eq!(answer.refusals.is_empty(), is_taken, "{length}: {:?}", answer.refusals);
    }
}

fn update(case: &Case, line: usize, answer: &str) {
    let path = folder().join(&case.file);
    let text = std::fs::read_to_string(&path).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let (asked, _) = lines[line].rsplit_once(" ->").unwrap();
    lines[line] = format!("{asked} -> {answer}");
    std::fs::write(&path, lines.join("\n") + "\n").unwrap();
}

#[test]
fn claims_have_a_name_a_sentence_and_questions() {
    let mut names = BTreeSet::new();
    for case in cases() {
        let name = &case.name;
        assert!(names.insert(name.clone()), "{name} stands twice");
        assert!(
            name.chars().all(|char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '-'),
            "{name}"
        );
        assert!(case.sentence.trim().ends_with('.'), "{name}: `{}`", case.sentence);
        assert!(!case.asks.is_empty(), "{name}");
    }
}
