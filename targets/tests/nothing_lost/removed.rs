//! One statement less, or one value changed: it shows in the output or in the reports of every target.

use crate::language::{Case, Data};
use crate::project::Sources;
use meshc_language::Severity;
use meshc_targets::{Gateways, Options, fit, target};
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::io::Write;

const TARGETS: &[&str] = &["istio", "envoy", "nginx"];

/// What comes of a source on one target.
#[derive(PartialEq, Eq, PartialOrd, Ord, Clone)]
struct Outcome {
    /// Code and message of each report.
    reports: Vec<String>,
    /// Path and text of each file, for every environment.
    files: Vec<(String, String)>,
    /// Whether the target, or the language, refuses the source, or says something of the statement itself: that it is
    /// approximated, or has no effect.
    told: bool,
}

/// What comes of a source on each target, and the errors that the language itself reports.
fn outcomes(sources: &Sources) -> (Vec<Outcome>, Vec<String>) {
    let (project, compilation) = sources.check();
    let line = |report: &meshc_language::Diagnostic| format!("{} {}", report.code, report.message);
    let is_error = |report: &&meshc_language::Diagnostic| report.severity == Severity::Error;
    let errors: Vec<String> = compilation.reports.iter().filter(is_error).map(line).collect();
    let focus = sources.focus.clone().unwrap_or_default();
    let of_the_statement = |report: &meshc_language::Diagnostic| {
        let places = std::iter::once(report.span).chain(report.related.iter().map(|other| other.span));
        places.filter(|span| span.file.0 == 0).any(|span| focus.contains(&(span.start as usize)))
    };
    let options = Options { files: &project.files, gateways: Gateways::All, ..Options::default() };
    let outcome = |name: &&str| {
        let mut reports: Vec<String> = compilation.reports.iter().map(line).collect();
        let mut files = Vec::new();
        let mut told = !errors.is_empty() || compilation.reports.iter().any(of_the_statement);
        for (_, checked) in &compilation.environments {
            let Some(checked) = checked else { continue };
            let (fitted, unfit) = fit(target(name).unwrap(), checked, &options);
            let unfit = checked.settle(unfit);
            told |= unfit.iter().any(|report| report.severity == Severity::Error || of_the_statement(report));
            reports.extend(unfit.iter().map(line));
            files.extend(
                fitted.iter().flat_map(|fitted| fitted.emit(&options)).map(|file| (file.path, file.text)),
            );
        }
        Outcome { reports, files, told }
    };
    (TARGETS.iter().map(outcome).collect(), errors)
}

/// What is wrong with one statement.
struct Judged {
    path: String,
    variants: usize,
    faults: Vec<String>,
    /// Targets on which it does not show, with an example.
    silent: Vec<(&'static str, String)>,
}

fn judge(case: &Case) -> Judged {
    let mut judged = Judged {
        path: case.path.clone(),
        variants: case.variants.len(),
        faults: Vec::new(),
        silent: Vec::new(),
    };
    let (without, _) = outcomes(&case.with(""));
    let mut with = Vec::new();
    for variant in &case.variants {
        let (outcome, errors) = outcomes(&case.with(variant));
        if !errors.is_empty() {
            judged.faults.push(format!("`{variant}` is refused by the language: {}", errors.join("; ")));
        }
        with.push(outcome);
    }
    if !judged.faults.is_empty() {
        return judged;
    }
    for (at, name) in TARGETS.iter().enumerate() {
        if with.iter().all(|outcome| outcome[at] == without[at]) {
            judged.silent.push((name, format!("`{}` makes no difference", case.variants[0])));
            continue;
        }
        for (second, variant) in case.variants.iter().enumerate() {
            let twin =
                (0..second).find(|first| with[*first][at] == with[second][at] && !with[second][at].told);
            if let Some(first) = twin {
                judged.silent.push((name, format!("`{variant}` is the same as `{}`", case.variants[first])));
                break;
            }
        }
    }
    judged
}

#[test]
fn every_statement_and_every_value_shows_on_every_target() {
    let data = Data::load();
    let cases = data.cases();
    let only = std::env::var("STATEMENT").unwrap_or_default();
    let judged: Vec<Judged> = cases.par_iter().filter(|case| case.path.contains(&only)).map(judge).collect();
    let mut faults = Vec::new();
    let mut lost = BTreeSet::new();
    for one in &judged {
        faults.extend(one.faults.iter().map(|fault| format!("{}: {fault}", one.path)));
        if one.silent.len() == TARGETS.len()
            && one.silent.iter().all(|(_, what)| what.ends_with("no difference"))
        {
            faults.push(format!("{}: shows nowhere", one.path));
        }
        for (name, what) in &one.silent {
            let key = ((*name).to_owned(), one.path.clone());
            if data.silent.contains_key(&key) {
                lost.insert(key);
            } else {
                faults.push(format!("{name}: {}: {what}", one.path));
            }
        }
    }
    if only.is_empty() {
        let shown = data.silent.keys().filter(|key| !lost.contains(*key));
        faults.extend(shown.map(|(name, path)| {
            format!("{name}: {path}: shows, though language.toml says that it does not")
        }));
    }
    let variants: usize = judged.iter().map(|one| one.variants).sum();
    let _ = writeln!(
        std::io::stderr(),
        "remove one: {} statements, {variants} values, {} targets; {} do not show on a target, for a named reason",
        judged.len(),
        TARGETS.len(),
        lost.len()
    );
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}
