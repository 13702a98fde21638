//! The pages of `meshc explain` tell the truth: each failing example reports its code and nothing else, each fixed one
//! nothing at all. They are run as the program would run them: all environments, all checks, the target's fit.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

mod page;

use meshc_compiler::model::Controller;
use meshc_compiler::values::{Date, Literal};
use meshc_compiler::{Input, Options, Project, check};
use meshc_language::code::{Entry, Kind, REGISTRY};
use meshc_language::{Code, Diagnostic, FileId, Severity, SourceFile, decode, format, parse};
use meshc_targets::Gateways;
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
        gateways: gateways(example),
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

/// Which gateways the targets of an example build, as `mesh.toml` says it.
fn gateways(example: &Example) -> Gateways {
    let is_istios = example.targets.len() == 1 || example.targets.iter().any(|name| name == "istio");
    if is_istios { Gateways::Own } else { Gateways::OwnWithoutIstio }
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

/// A target runs what is called not meant: with the exemption that a page speaks of, its failing example is emitted, and Istio's
/// admission takes it.
#[test]
fn what_is_not_meant_can_be_accepted() {
    let mut faults = Vec::new();
    let accepted = |entry: &&Entry| entry.kind == Kind::NotMeant && entry.severity == Severity::Error;
    for entry in REGISTRY.iter().filter(accepted) {
        let text = std::fs::read_to_string(folder().join(format!("{}.md", entry.code))).unwrap();
        let [mut failing, ..] = Page::read(&text).examples();
        let mut ignored = Vec::new();
        let reported = located(&failing, &mut ignored);
        for (file, line) in reported
            .into_iter()
            .filter(|(code, ..)| *code == entry.code)
            .map(|(_, file, line)| (file, line))
            .collect::<BTreeSet<_>>()
            .into_iter()
            .rev()
        {
            let text = String::from_utf8(failing.files[file].bytes.clone()).unwrap();
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            let starts = |text: &String| text.starts_with(|first: char| first.is_ascii_alphabetic());
            let at = (0..line).rev().find(|at| starts(&lines[*at])).unwrap();
            lines.insert(at, format!("@allow({}, because: \"it is known\")", entry.code));
            failing.files[file].bytes = (lines.join("\n") + "\n").into_bytes();
        }
        let left: Vec<_> = reports(&failing, &mut ignored)
            .into_iter()
            .filter(|(report, _)| !failing.with.contains(&report.code.to_string()))
            .collect();
        if !left.is_empty() {
            faults.push(format!("{}{}", entry.code, listed(&left)));
            continue;
        }
        faults.extend(refused(&failing).into_iter().map(|fault| format!("{}: {fault}", entry.code)));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// What Istio's admission says of what an example makes.
fn refused(example: &Example) -> Vec<String> {
    let mut resources = String::new();
    let files = example.files.iter().map(|file| Input {
        module: file.module(),
        file: SourceFile { name: file.path.clone(), text: String::from_utf8(file.bytes.clone()).unwrap() },
    });
    let project = Project::read(files.collect());
    let compilation = check(&project, None, &Options { today: today(), ..Options::default() });
    let options = meshc_targets::Options { files: &project.files, ..meshc_targets::Options::default() };
    for checked in compilation.environments.iter().filter_map(|(_, checked)| checked.as_ref()) {
        let fitted = meshc_targets::fit(meshc_targets::target("istio").unwrap(), checked, &options).0;
        let Some(fitted) = fitted else { return vec!["it does not fit".to_owned()] };
        fitted.emit(&options).into_iter().for_each(|file| resources.push_str(&format!("---\n{}", file.text)));
    }
    let job = crate::oracle::istio::Job { resources, judge: true, ..crate::oracle::istio::Job::default() };
    let answer = crate::oracle::istio::ask(&job);
    answer.map_or(Vec::new(), |answer| answer.refusals.into_iter().map(|one| one.message).collect())
}

/// What is reported, with the position of the file and of the line that it points at.
fn located(example: &Example, faults: &mut Vec<String>) -> Vec<(Code, usize, usize)> {
    let at = |(report, _): (Diagnostic, String)| {
        let mut files: Vec<usize> = (0..example.files.len()).collect();
        files.sort_by_key(|file| example.files[*file].module());
        let file = files[report.span.file.0 as usize];
        let before = &example.files[file].bytes[..report.span.start as usize];
        (report.code, file, before.iter().filter(|byte| **byte == b'\n').count() + 1)
    };
    reports(example, faults).into_iter().map(at).collect()
}

/// What a target refuses, or what says nothing that could be written for one, stays an error, and the exemption says why.
#[test]
fn what_is_hard_cannot_be_accepted() {
    for entry in REGISTRY.iter().filter(|entry| !entry.code.can_be_accepted()) {
        let text =
            format!("@allow({}, because: \"it is known\")\nservice a {{ port http 80 }}\n", entry.code);
        let file = page::File { path: "main.mesh".to_owned(), bytes: text.into_bytes() };
        let mut example = Example::default();
        example.files.push(file);
        example.targets.push("istio".to_owned());
        let reported = reports(&example, &mut Vec::new());
        let [(report, _)] = reported.as_slice() else { panic!("{}{}", entry.code, listed(&reported)) };
        assert_eq!(report.code, Code::BAD_ATTRIBUTE, "{}", entry.code);
        assert!(report.message.contains(entry.kind.meaning()), "{}: {}", entry.code, report.message);
    }
}
