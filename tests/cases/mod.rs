//! Cases as data: sources with the reports that they must get, and nothing else.
//!
//! Each `.mesh` file below this folder holds one case or several, parted by `# === NAME`. A report is expected by a
//! comment behind the line that it points at, or below it with a `^` for each line that lies between:
//!
//! ```text
//! listen tcp 80 { hosts * } # ~ MESH0602 port 80 is taken
//! # ~^ MESH0611
//! ```
//!
//! The text behind the code, which may be left out, is part of the message. A case without such comments must be clean.
//! `# --- NAME.mesh` begins another file of the same case; `# environment: prod`, `# today: 2027-04-01`, `# targets: istio, envoy`
//! `# set: $canary=20%`, `# istio: 1.24..1.28` and `# ambient: all` or `# ambient: shop, edge` set options. Istio judges what has no
//! errors; with `# judges: istio, envoy` these targets do, each building the gateways that are its own.
//! `UPDATE=1` writes the expectations anew.
//!
//! What a case without errors makes is judged as Istio's admission would judge it ([`crate::oracle`]).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

mod case;
mod fixes;
mod mistakes;
mod rules;
mod spellings;

use crate::oracle;
use case::{Case, Place};
use meshc_compiler::model::Controller;
use meshc_compiler::{Options, Project, check};
use meshc_language::{Diagnostic, Severity};
use meshc_targets::{fit, target};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

/// Every file of cases: its path from this folder, and its text.
fn files() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![folder()];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "mesh") {
                found.push(path);
            }
        }
    }
    found.sort();
    let name = |path: &Path| path.strip_prefix(self::folder()).unwrap().to_str().unwrap().to_owned();
    found.into_iter().map(|path| (name(&path), fs::read_to_string(&path).unwrap())).collect()
}

/// All cases of all files.
fn all() -> Vec<Case> {
    let cases: Vec<Case> = files().iter().flat_map(|(name, text)| case::read(name, text)).collect();
    assert!(!cases.is_empty(), "there are no cases in {}", folder().display());
    cases
}

/// The cases without a report in the environment that they name, or in all: their names, their modules and texts.
pub(crate) fn clean() -> Vec<(String, Vec<(String, String)>)> {
    let clean = all().into_iter().filter(|case| case.expected.is_empty());
    clean
        .map(|case| {
            let texts = case.inputs().into_iter().map(|input| (input.module, input.file.text)).collect();
            (case.title(), texts)
        })
        .collect()
}

/// What came of one case.
struct Outcome {
    /// Reports with the line that each points at; line 0 for a file that is not of the case.
    reports: Vec<(usize, Diagnostic)>,
    /// The emitted texts, if there were no errors.
    texts: Vec<String>,
}

fn run(case: &Case) -> Outcome {
    let mut project = Project::read(case.inputs());
    if !case.set.is_empty() {
        project.set(&case.set);
    }
    let options = Options { today: case.today, targets: case.targets.clone(), ..Options::default() };
    let compilation = check(&project, case.environment.as_deref(), &options);
    let mut reports = compilation.reports;
    let mut texts = Vec::new();
    let options = meshc_targets::Options {
        files: &project.files,
        releases: case.releases,
        ambient: case.ambient.clone(),
        ..meshc_targets::Options::default()
    };
    for checked in compilation.environments.iter().filter_map(|(_, checked)| checked.as_ref()) {
        for judge in &case.judges {
            let (fitted, unfit) = fit(target(judge.word()).unwrap(), checked, &options);
            reports.extend(checked.settle(unfit));
            let files = fitted.iter().flat_map(|fitted| fitted.emit(&options));
            texts.extend(files.filter(|_| *judge == Controller::Istio).map(|file| file.text));
        }
    }
    let line = |report: &Diagnostic| {
        let file = &project.files[report.span.file.0 as usize];
        let before = file.text.get(..report.span.start as usize).unwrap();
        let own = case.files.iter().any(|(name, _)| *name == file.name);
        if own { before.matches('\n').count() + 1 } else { 0 }
    };
    Outcome { reports: reports.into_iter().map(|report| (line(&report), report)).collect(), texts }
}

#[test]
fn cases_get_the_expected_reports() {
    if std::env::var_os("UPDATE").is_some_and(|value| value == "1") {
        return update();
    }
    let mut faults = Vec::new();
    for case in all() {
        let differences = differences(&case, &run(&case).reports);
        if !differences.is_empty() {
            faults.push(format!("{}\n{}", case.title(), differences.join("\n")));
        }
    }
    assert!(faults.is_empty(), "\n{}\n\n`UPDATE=1` writes the expectations anew", faults.join("\n\n"));
}

/// Lines that say what was expected and not reported (`-`), and what was reported and not expected (`+`).
fn differences(case: &Case, reports: &[(usize, Diagnostic)]) -> Vec<String> {
    let mut left: Vec<&(usize, Diagnostic)> = reports.iter().collect();
    let mut differences = Vec::new();
    for expected in &case.expected {
        let met = left.iter().position(|(line, report)| {
            *line == expected.line
                && report.code.to_string() == expected.code
                && report.message.contains(&expected.text)
        });
        match met {
            Some(at) => _ = left.remove(at),
            None => differences
                .push(format!("  - {}:{} {} {}", case.file, expected.line, expected.code, expected.text)),
        }
    }
    differences.extend(left.into_iter().map(|(line, report)| {
        let level = report.severity.name();
        format!("  + {}:{line} {} {} ({level})", case.file, report.code, report.message)
    }));
    differences
}

/// Writes what is reported behind the lines that it points at.
fn update() {
    for (name, text) in files() {
        let mut reported: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        for case in case::read(&name, &text) {
            for (line, report) in run(&case).reports {
                assert!(
                    line > 0,
                    "{}: {} {} is reported elsewhere",
                    case.title(),
                    report.code,
                    report.message
                );
                reported.entry(line).or_default().push(format!("{} {}", report.code, report.message));
            }
        }
        fs::write(folder().join(&name), case::rewritten(&text, &reported)).unwrap();
    }
}

/// The documents of a YAML text.
fn documents(text: &str) -> impl Iterator<Item = serde_yaml::Value> {
    let parts = serde_yaml::Deserializer::from_str(text);
    parts.map(|part| serde_yaml::Value::deserialize(part).unwrap()).filter(|document| !document.is_null())
}

/// Nothing that the checks let through is refused by Istio's admission.
#[test]
fn what_clean_cases_make_is_admitted() {
    let mut made: Vec<(Place, serde_yaml::Value)> = Vec::new();
    for case in all() {
        let Outcome { reports, texts } = run(&case);
        if reports.iter().all(|(_, report)| report.severity != Severity::Error) {
            let read = texts.iter().flat_map(|text| documents(text));
            made.extend(read.map(|document| (case.place(), document)));
        }
    }
    assert!(made.len() > 50, "only {} documents were made", made.len());
    let mut faults = Vec::new();
    if let Some(schemas) = oracle::crd::Schemas::load() {
        for (place, document) in &made {
            faults.extend(schemas.check(document).into_iter().map(|fault| format!("{place}: CRD: {fault}")));
        }
    }
    let json: Vec<serde_json::Value> =
        made.iter().map(|(_, document)| serde_json::to_value(document).unwrap()).collect();
    for (at, fault) in oracle::models::check(&json).unwrap_or_default() {
        faults.push(format!("{}: models: {fault}", made[at].0));
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn an_expectation_can_fail() {
    let text = "# === one\nservice a { port http 80 } # ~ MESH0717\nservice b {} # ~ MESH0717 no ports\n# ~^ MESH0701 other\n";
    let [case] = case::read("self", text).try_into().ok().unwrap();
    let found = differences(&case, &run(&case).reports);
    assert_eq!(found, ["  - self:2 MESH0717 ", "  - self:3 MESH0701 other"]);
    let reported = BTreeMap::from([(2, vec!["X 1".to_owned(), "X 2".to_owned()])]);
    let rewritten = "# === one\nservice a { port http 80 } # ~ X 1\n# ~^ X 2\nservice b {}\n";
    assert_eq!(case::rewritten(text, &reported), rewritten);
}
