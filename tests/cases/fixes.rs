//! Every fix that a report of a case offers, safe or not, is made by itself: the source can be read afterwards, the report is gone, and
//! the lines that were changed get no error that was not there before.

use super::case::Case;
use super::{all, run};
use meshc_language::{Code, Diagnostic, Severity};
use rayon::prelude::*;
use std::collections::BTreeSet;

const FEWEST: usize = 240;

/// Fixes that begin what the author has to go on with: the rest of the source decides it. The title of a case, and why.
const BEGUN: &[(&str, &str)] = &[
    ("empty, nameless, misspelt", "what stands after the misspelt word is read only then"),
    ("a closing bracket missing", "where the text of a comment was left behind"),
    ("a quote missing at the end", "the rest of the line may be text"),
    ("a quote missing at the start", "the quote at the end begins a string"),
];

#[test]
fn what_a_fix_leaves_can_be_read_and_has_no_further_error() {
    let judged: Vec<(usize, Vec<String>)> = all().par_iter().map(of_case).collect();
    let count: usize = judged.iter().map(|(count, _)| count).sum();
    let faults: Vec<String> = judged.into_iter().flat_map(|(_, faults)| faults).collect();
    assert!(count >= FEWEST, "only {count} fixes are offered");
    assert!(faults.is_empty(), "{} of {count}:\n{}", faults.len(), faults.join("\n"));
}

/// How many fixes are offered in a case, and what is wrong with them.
fn of_case(case: &Case) -> (usize, Vec<String>) {
    let case = &case.without_expectations();
    let before = run(case).reports;
    let known: BTreeSet<(Code, &str)> = before.iter().map(|(_, report)| key(report)).collect();
    let mut count = 0;
    let mut faults = Vec::new();
    for (_, report) in &before {
        let Some(fix) = &report.fix else { continue };
        count += 1;
        let (fixed, changed) = case.clone().edited(fix.edits.clone());
        let after = run(&fixed).reports;
        let is_new = |(line, other): &&(usize, Diagnostic)| {
            let is_syntax = other.code < Code::UNKNOWN_DESTINATION && other.code != Code::FOREIGN_SPELLING;
            other.severity == Severity::Error
                && !known.contains(&key(other))
                && (is_syntax || changed.contains(line))
        };
        let mut left: Vec<String> = after
            .iter()
            .filter(is_new)
            .map(|(line, other)| format!("  {line}: {} {}", other.code, other.message))
            .collect();
        if after.iter().any(|(_, other)| other.span == report.span && key(other) == key(report)) {
            left.push("  it is reported again".to_owned());
        }
        let is_begun = BEGUN.iter().any(|(title, _)| case.name == *title) || case.name.ends_with("[begun]");
        if !left.is_empty() && !is_begun {
            let lines: Vec<&str> = changed.iter().filter_map(|line| fixed.line(*line)).collect();
            let (code, message) = key(report);
            let title = case.title();
            faults.push(format!(
                "{title}\n  {code} {message}\n{}\n  > {}",
                left.join("\n"),
                lines.join("\n  > ")
            ));
        }
    }
    (count, faults)
}

fn key(report: &Diagnostic) -> (Code, &str) {
    (report.code, &report.message)
}
