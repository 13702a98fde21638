//! One cause gives one report: a name that leads nowhere is reported where it is used first, with the other places.

use meshc_language::{Code, Diagnostic};
use rustc_hash::FxHashMap;

/// Other places that a report lists.
const MAX_PLACES: usize = 4;

/// Reports whose cause is what is not declared, wherever it is used.
const OF_A_MISSING_NAME: &[Code] = &[
    Code::UNKNOWN_DESTINATION,
    Code::UNKNOWN_SUBSET,
    Code::UNKNOWN_PORT,
    Code::UNKNOWN_GATEWAY,
    Code::UNKNOWN_VARIABLE,
    Code::UNKNOWN_DEFINITION,
    Code::UNKNOWN_ENVIRONMENT,
];

/// What reports with one cause share.
#[derive(PartialEq, Eq, Hash)]
struct Cause {
    code: Code,
    message: String,
    help: Option<String>,
    environments: Vec<String>,
    targets: Vec<String>,
}

/// Merges reports, sorted by place, that have one cause.
pub(crate) fn merge(reports: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut merged: Vec<(Diagnostic, usize)> = Vec::with_capacity(reports.len());
    let mut first: FxHashMap<Cause, usize> = FxHashMap::default();
    for report in reports {
        if !OF_A_MISSING_NAME.contains(&report.code) {
            merged.push((report, 0));
            continue;
        }
        let key = Cause {
            code: report.code,
            message: report.message.clone(),
            help: report.help.clone(),
            environments: report.environments.clone(),
            targets: report.targets.clone(),
        };
        let next = merged.len();
        match merged.get_mut(*first.entry(key).or_insert(next)) {
            Some((earlier, places)) => {
                *places += 1;
                add(earlier, report, *places);
            }
            None => merged.push((report, 0)),
        }
    }
    merged.into_iter().map(|(report, places)| with_rest(report, places)).collect()
}

/// Says how many places are not listed.
fn with_rest(mut report: Diagnostic, places: usize) -> Diagnostic {
    let rest = places.saturating_sub(MAX_PLACES);
    if let Some(last) = report.related.last_mut().filter(|_| rest > 0) {
        last.text = format!("also used here, and in {rest} more places");
    }
    report
}

/// Adds another place to the report of the first; one fix mends all of them.
fn add(earlier: &mut Diagnostic, report: Diagnostic, places: usize) {
    let Diagnostic {
        code: _,
        severity: _,
        message: _,
        span,
        label: _,
        related: _,
        consequence: _,
        help: _,
        fix,
        environments: _,
        targets: _,
    } = report;
    if places <= MAX_PLACES {
        earlier.related.push(meshc_language::Related { span, text: "also used here".to_owned() });
    }
    if let (Some(all), Some(fix)) = (&mut earlier.fix, fix) {
        all.edits.extend(fix.edits.into_iter().filter(|edit| !all.edits.contains(edit)).collect::<Vec<_>>());
    }
}
