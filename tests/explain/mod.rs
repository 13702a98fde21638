//! The pages of `meshc explain` tell the truth: each failing example reports its code and nothing else, each fixed one
//! nothing at all. They are run as the program would run them: all environments, all checks, the target's fit.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

mod page;

use meshc_compiler::model::Controller;
use meshc_compiler::values::{Date, Literal};
use meshc_compiler::{Input, Options, Project, check};
use meshc_language::code::{Entry, REGISTRY};
use meshc_language::{Code, Diagnostic, FileId, SourceFile, decode, format, parse};
use page::{Example, Page, SECTIONS};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;

/// Where the pages stand; the program holds the same files.
fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("language/explain")
}

/// The day on which exemptions of examples are judged.
fn today() -> Option<Date> {
    Date::new(2026, 7, 1)
}

/// `EXPLAIN=MESH02` runs only the pages whose code contains that.
#[test]
fn pages_tell_the_truth() {
    let only = std::env::var("EXPLAIN").unwrap_or_default();
    let mut faults = Vec::new();
    let mut run = 0;
    for entry in REGISTRY.iter().filter(|entry| entry.code.to_string().contains(&only)) {
        let found = faults_of(entry);
        run += usize::from(found.is_empty());
        faults.extend(found.into_iter().map(|fault| format!("{}: {fault}", entry.code)));
    }
    let _ = writeln!(std::io::stderr(), "explain: {run} of {} pages ran and hold", REGISTRY.len());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_page_has_a_code() {
    for file in std::fs::read_dir(folder()).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let code = name.strip_suffix(".md").and_then(Code::find);
        assert!(code.is_some_and(|code| name == format!("{code}.md")), "{name} is the page of no code");
    }
}

/// What is wrong with the page of one code.
fn faults_of(entry: &Entry) -> Vec<String> {
    let code = entry.code.to_string();
    let Ok(text) = std::fs::read_to_string(folder().join(format!("{code}.md"))) else {
        return vec!["there is no page".to_owned()];
    };
    let mut page = Page::read(&text);
    let title = format!("# {code}: {}", entry.title);
    if text.lines().next() != Some(&title) {
        page.faults.push(format!("its first line is not `{title}`"));
    }
    let [failing, fixed, ways_out] = page.examples();
    let mut faults = page.faults;
    if !faults.is_empty() {
        return faults;
    }
    for (example, section) in [(&failing, SECTIONS[0]), (&fixed, SECTIONS[1])] {
        if example.files.is_empty() {
            faults.push(format!("`{section}` has no example"));
        }
    }
    let reported = reports(&failing, &mut faults);
    let codes: BTreeSet<String> = reported.iter().map(|(report, _)| report.code.to_string()).collect();
    let expected: BTreeSet<String> = std::iter::once(&code).chain(&failing.with).cloned().collect();
    if codes != expected {
        faults.push(format!("the failing example reports {codes:?}, not {expected:?}{}", listed(&reported)));
    }
    for (example, section) in [(&fixed, SECTIONS[1]), (&ways_out, SECTIONS[2])] {
        let reported = reports(example, &mut faults);
        if !reported.is_empty() {
            faults.push(format!("the example of `{section}` reports something{}", listed(&reported)));
        }
    }
    faults
}

fn listed(reports: &[(Diagnostic, String)]) -> String {
    let line = |(report, place): &(Diagnostic, String)| {
        format!("\n    {} `{place}`: {}", report.code, report.message)
    };
    reports.iter().map(line).collect()
}

/// Everything that the program would report of an example, each with the text at its place.
fn reports(example: &Example, faults: &mut Vec<String>) -> Vec<(Diagnostic, String)> {
    let mut undecoded = Vec::new();
    let mut inputs = Vec::new();
    for (index, file) in example.files.iter().enumerate() {
        match decode(FileId(index as u32), file.bytes.clone()) {
            Ok(text) => {
                let file = SourceFile { name: file.path.clone(), text };
                faults.extend(unformatted(&file));
                inputs.push(Input { module: example.files[index].module(), file });
            }
            Err(refused) => undecoded.push((refused.1, String::new())),
        }
    }
    inputs.sort_by(|left, right| left.module.cmp(&right.module));
    let project = Project::read(inputs);
    let mut options = Options { today: today(), ..Options::default() };
    if example.says_targets {
        options.targets = example.targets.iter().map(|name| Controller::parse(name).unwrap()).collect();
    }
    let compilation = check(&project, None, &options);
    let options = meshc_targets::Options {
        files: &project.files,
        releases: example.releases,
        ambient: example.ambient.clone(),
        ..meshc_targets::Options::default()
    };
    let mut reports = compilation.reports;
    for name in &example.targets {
        let target = meshc_targets::target(name).unwrap();
        for checked in compilation.environments.iter().filter_map(|(_, checked)| checked.as_ref()) {
            reports.extend(meshc_targets::fit(target, checked, &options).1);
        }
    }
    let place = |report: &Diagnostic| {
        let file = project.files.get(report.span.file.0 as usize);
        file.map(|file| file.slice(report.span).to_owned()).unwrap_or_default()
    };
    undecoded.extend(reports.into_iter().map(|report| (report.clone(), place(&report))));
    undecoded
}

/// Examples stand in canonical form, except where their syntax is at fault.
fn unformatted(file: &SourceFile) -> Option<String> {
    let id = FileId(0);
    if !parse(id, &file.text).diagnostics.is_empty() {
        return None;
    }
    let formatted = format(id, &file.text).text;
    (formatted != file.text).then(|| format!("`{}` is not formatted; it should be\n{formatted}", file.name))
}
