//! Reports about what is written in one place and meant for another: statements of templates, and values of variables.

use meshc_language::{Applicability, Code, Diagnostic, Related, Span};

/// A report, with the places where the templates around it were applied, outermost first.
pub(crate) fn applied(applied: &[Span], mut report: Diagnostic) -> Diagnostic {
    // Where a template is applied elsewhere, the same name may be another thing.
    if let Some(fix) = report.fix.as_mut().filter(|_| report.code == Code::HALF_A_NAME)
        && !applied.is_empty()
    {
        fix.applicability = Applicability::Unsafe;
    }
    let own = report.span;
    applied
        .iter()
        .rev()
        .filter(|applied| **applied != own)
        .fold(report, |report, applied| report.related(*applied, "applied here"))
}

/// A report about a value that was written elsewhere: that is the place to mend.
pub(crate) fn of_value(origin: Span, mut report: Diagnostic) -> Diagnostic {
    report.related.insert(0, Related { span: report.span, text: "used here".to_owned() });
    report.span = origin;
    report.fix = None;
    report
}
