//! `spellings/`: what people write first, from Istio, Envoy, nginx, YAML and other languages.
//!
//! The name of a case says what is written and what is right: `retries 3 => retry 3`. It gets one report, in whose text the right
//! spelling stands. Behind `[fixed]`, the safe fix leaves no error; behind `[guessed]`, the fix that is asked for does; behind `[begun]`, that
//! fix is a beginning.

use super::case::Case;
use super::{all, run};
use meshc_language::{Applicability, Diagnostic, Severity};

const FEWEST: usize = 60;

#[test]
fn what_people_write_first_leads_to_what_is_right() {
    let cases: Vec<Case> = all().into_iter().filter(|case| case.file.starts_with("spellings")).collect();
    assert!(cases.len() >= FEWEST, "only {} spellings", cases.len());
    let faults: Vec<String> = cases.into_iter().filter_map(fault).collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

fn fault(case: Case) -> Option<String> {
    let title = case.title();
    let (_, right) = case.name.rsplit_once(" => ")?;
    let (right, fix) = match right.rsplit_once(" [") {
        Some((right, fix)) => (right, Some(fix.trim_end_matches(']'))),
        None => (right, None),
    };
    let reports: Vec<Diagnostic> = run(&case).reports.into_iter().map(|(_, report)| report).collect();
    let [report] = reports.as_slice() else {
        let each: Vec<String> = reports
            .iter()
            .map(|report| {
                format!(
                    "  {} {} / {}",
                    report.code,
                    report.message,
                    report.help.as_deref().unwrap_or_default()
                )
            })
            .collect();
        return Some(format!("{title}: {} reports\n{}", reports.len(), each.join("\n")));
    };
    let said = format!("{} {}", report.message, report.help.as_deref().unwrap_or_default());
    if !said.contains(right) {
        return Some(format!("{title}: `{right}` is not in `{said}`"));
    }
    let safe = report.fix.as_ref().map(|fix| fix.applicability == Applicability::Safe);
    let expected = match fix {
        Some("fixed") => Some(true),
        Some("guessed" | "begun") => Some(false),
        Some(other) => return Some(format!("{title}: `[{other}]` means nothing")),
        None => None,
    };
    if safe != expected {
        return Some(format!("{title}: safe: {safe:?}, expected: {expected:?}"));
    }
    if fix == Some("begun") {
        return None;
    }
    let (fixed, _) = case.edited(report.fix.as_ref()?.edits.clone());
    let left: Vec<String> = run(&fixed)
        .reports
        .into_iter()
        .filter(|(_, report)| report.severity == Severity::Error)
        .map(|(_, report)| format!("{} {}", report.code, report.message))
        .collect();
    (!left.is_empty()).then(|| format!("{title}: fixed, it has {left:?}\n{}", fixed.files[0].1.trim()))
}
