//! Slips of the hand in right sources, made by chance that comes out the same every time: what a safe fix leaves builds to what
//! the source without the slip builds to, and one slip is one report, seldom more than three.
//!
//! `MESHC_FAULTS=20000` tries that many.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice, reason = "tests")]

mod slips;

use crate::generated::random::Random;
use meshc_compiler::{Compilation, Input, Options, Project, check};
use meshc_language::{Applicability, Diagnostic, Edit, Severity, SourceFile};
use meshc_targets::{fit, target};
use rayon::prelude::*;
use slips::Slip;

/// How often fixes are applied before the rest is left.
const ROUNDS: usize = 6;

/// Sources without a report: their modules with their texts.
struct Right {
    title: String,
    texts: Vec<(String, String)>,
}

/// The clean cases, and the examples.
fn right_sources() -> Vec<Right> {
    let cases = crate::cases::clean();
    let of_cases = cases.into_iter().map(|(title, texts)| Right { title, texts });
    let of_examples = crate::golden::sources().into_iter().map(|(title, texts)| Right { title, texts });
    let is_right = |right: &Right| {
        let compiled = compiled(&right.texts);
        compiled.compilation.reports.iter().all(|report| report.fix.is_none()) && built(&compiled).is_some()
    };
    of_cases.chain(of_examples).filter(is_right).collect()
}

fn count(usual: usize) -> usize {
    std::env::var("MESHC_FAULTS").ok().map_or(usual, |count| count.parse().unwrap())
}

struct Compiled {
    project: Project,
    compilation: Compilation,
}

fn compiled(texts: &[(String, String)]) -> Compiled {
    let input = |(module, text): &(String, String)| Input {
        module: module.clone(),
        file: SourceFile { name: format!("{}.mesh", module.replace('.', "/")), text: text.clone() },
    };
    let project = Project::read(texts.iter().map(input).collect());
    let compilation = check(&project, None, &Options::default());
    Compiled { project, compilation }
}

/// What is emitted in all environments, without comments, which name lines; `None` if there are errors.
fn built(compiled: &Compiled) -> Option<String> {
    if compiled.compilation.has_errors() {
        return None;
    }
    let options =
        meshc_targets::Options { files: &compiled.project.files, ..meshc_targets::Options::default() };
    let mut text = String::new();
    for (environment, checked) in &compiled.compilation.environments {
        let (fitted, unfit) = fit(target("istio").unwrap(), checked.as_ref()?, &options);
        if unfit.iter().any(|report| report.severity == Severity::Error) {
            return None;
        }
        text.push_str(&format!("{environment:?}\n"));
        for file in fitted.iter().flat_map(|fitted| fitted.emit(&options)) {
            text.extend(
                file.text
                    .lines()
                    .filter(|line| !line.trim_start().starts_with('#'))
                    .flat_map(|line| [line, "\n"]),
            );
        }
    }
    Some(text)
}

/// The texts after all that is safe has been done, round for round, as `meshc fix` does it; `None` if there was nothing to do.
fn safely_fixed(texts: &[(String, String)]) -> Option<Vec<(String, String)>> {
    let mut texts = texts.to_vec();
    let mut any = false;
    for _ in 0..ROUNDS {
        let edits = safe_edits(&compiled(&texts).compilation.reports, texts.len());
        if edits.is_empty() {
            break;
        }
        any = true;
        for edit in edits.iter().rev() {
            texts[edit.span.file.0 as usize].1.replace_range(edit.span.range(), &edit.replacement);
        }
    }
    any.then_some(texts)
}

/// The safe edits of one round, in their order; none overlaps another.
fn safe_edits(reports: &[Diagnostic], own: usize) -> Vec<Edit> {
    let mut chosen: Vec<Edit> = Vec::new();
    let overlap = |a: &Edit, b: &Edit| {
        a.span == b.span
            || (a.span.file == b.span.file && a.span.start < b.span.end && b.span.start < a.span.end)
    };
    for fix in reports.iter().filter_map(|report| report.fix.as_ref()) {
        let fits = |edit: &Edit| {
            (edit.span.file.0 as usize) < own && chosen.iter().all(|other| !overlap(edit, other))
        };
        if fix.applicability == Applicability::Safe && fix.edits.iter().all(fits) {
            chosen.extend(fix.edits.iter().cloned());
        }
    }
    chosen.sort_by_key(|edit| edit.span);
    chosen
}

/// The slips of a run: of each source some, by its own chance.
fn slips(rights: &[Right], total: usize, seed: u64) -> Vec<(usize, Slip)> {
    let mut random = Random::new(seed);
    let mut made = Vec::with_capacity(total);
    while made.len() < total {
        let at = random.below(rights.len());
        made.extend(slips::slip(&rights[at].texts, &mut random).map(|slip| (at, slip)));
    }
    made
}

#[test]
fn what_a_safe_fix_leaves_builds_to_what_was_meant() {
    let rights = right_sources();
    assert!(rights.len() > 50, "only {} sources are right", rights.len());
    let slips = slips(&rights, count(1_000), 1);
    let outcomes: Vec<(bool, Option<String>)> = slips
        .par_iter()
        .map(|(at, slip)| {
            let right = &rights[*at];
            let Some(fixed) = safely_fixed(&slip.texts) else { return (false, None) };
            let Some(made) = built(&compiled(&fixed)) else { return (true, None) };
            let wrong = Some(made) != built(&compiled(&right.texts));
            let shown = || format!("{}: {}\n{}", right.title, slip.what, changed(&right.texts, &fixed));
            (true, wrong.then(shown))
        })
        .collect();
    let fixed = outcomes.iter().filter(|(fixed, _)| *fixed).count();
    let wrong: Vec<String> = outcomes.into_iter().filter_map(|(_, wrong)| wrong).collect();
    assert!(fixed * 20 > slips.len(), "only {fixed} of {} slips had a safe fix", slips.len());
    assert!(wrong.is_empty(), "{} of {fixed}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn one_slip_is_seldom_more_than_three_reports() {
    // Where a bracket belongs is told by the indentation: of what has none, nothing can be told after a slip.
    let is_indented = |right: &Right| !right.title.contains("indented");
    let rights: Vec<Right> = right_sources().into_iter().filter(is_indented).collect();
    let slips = slips(&rights, count(1_500), 2);
    let many: Vec<String> = slips
        .par_iter()
        .filter(|(_, slip)| slip.is_single)
        .filter_map(|(at, slip)| {
            let reports = compiled(&slip.texts).compilation.reports;
            let errors: Vec<&Diagnostic> =
                reports.iter().filter(|report| report.severity == Severity::Error).collect();
            let shown = || {
                let each: Vec<String> =
                    errors.iter().map(|report| format!("  {} {}", report.code, report.message)).collect();
                format!("{}: {}\n{}", rights[*at].title, slip.what, each.join("\n"))
            };
            (errors.len() > 3).then(shown)
        })
        .collect();
    assert!(many.len() * 200 <= slips.len(), "{} of {}:\n{}", many.len(), slips.len(), many.join("\n"));
}

/// The lines that differ.
fn changed(right: &[(String, String)], fixed: &[(String, String)]) -> String {
    let mut shown = String::new();
    for ((_, right), (_, fixed)) in right.iter().zip(fixed) {
        let (old, new): (Vec<&str>, Vec<&str>) = (right.lines().collect(), fixed.lines().collect());
        let head = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
        let tail = old[head..].iter().rev().zip(new[head..].iter().rev()).take_while(|(a, b)| a == b).count();
        for (sign, lines) in [('-', &old[head..old.len() - tail]), ('+', &new[head..new.len() - tail])] {
            for line in lines.iter().take(6) {
                shown.push_str(&format!("  {sign}{line}\n"));
            }
        }
    }
    shown
}
