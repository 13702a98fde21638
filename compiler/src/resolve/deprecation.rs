//! Use of what is deprecated.

use crate::reading::Deprecation;
use meshc_language::{Code, Diagnostic, Span};

/// The report for a use of something deprecated.
pub(super) fn deprecated_use(what: &str, name: &str, deprecation: &Deprecation, span: Span) -> Diagnostic {
    let Deprecation { since, instead, until, span: declared } = deprecation;
    let mut message = format!("{what} `{name}` is deprecated");
    if let Some(since) = since {
        message.push_str(&format!(" since {}", since.value.as_str()));
    }
    if let Some(until) = until {
        message.push_str(&format!(" and gone after {}", until.value));
    }
    let report = Diagnostic::new(Code::DEPRECATED_USE, span, message).related(*declared, "deprecated here");
    match instead {
        Some(instead) => report.help(format!("use `{}`", instead.value.as_str())),
        None => report.help("use a replacement"),
    }
}
