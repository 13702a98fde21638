//! What takes the place of a path, or of its beginning.

use super::api::{RegexMatchAndSubstitute, RegexMatcher};
use meshc_compiler::model::{Match, PathMatch, PathTest};
use meshc_compiler::values::escape_literal;
use smol_str::SmolStr;

/// How a path changes.
pub(super) enum Change {
    /// What the condition took of it becomes this text.
    Taken(SmolStr),
    /// What an expression matches becomes a text.
    Matched(RegexMatchAndSubstitute),
}

/// The whole path becomes `path`.
pub(super) fn whole(path: &str, one: &Match) -> Change {
    match one.path.as_ref().map(|path| &path.test) {
        Some(PathTest::Exact(_)) => Change::Taken(SmolStr::new(path)),
        Some(PathTest::Prefix(_) | PathTest::Under(_) | PathTest::Pattern(_)) | None => {
            Change::Matched(substitute("^.*$".to_owned(), &literal(path)))
        }
    }
}

/// The prefix that the condition asks for becomes `path`.
pub(super) fn prefix(path: &str, one: &Match) -> Change {
    match &one.path {
        Some(PathMatch { test: PathTest::Under(prefix), ignore_case }) => {
            Change::Matched(under(path, prefix, *ignore_case))
        }
        Some(PathMatch {
            test: PathTest::Exact(_) | PathTest::Prefix(_) | PathTest::Pattern(_),
            ignore_case: _,
        })
        | None => Change::Taken(SmolStr::new(path)),
    }
}

/// What a segment prefix becomes. Envoy's own replacement would leave two slashes, or none.
fn under(path: &str, prefix: &str, ignore_case: bool) -> RegexMatchAndSubstitute {
    let case = if ignore_case { "(?i)" } else { "" };
    let prefix = escape_literal(prefix);
    let base = path.strip_suffix('/').unwrap_or(path);
    if base.is_empty() {
        return substitute(format!("{case}^{prefix}/?(.*)$"), "/\\1");
    }
    substitute(format!("{case}^{prefix}(/.*)?$"), &format!("{}\\1", literal(base)))
}

/// What an expression matches becomes a text, in which `\1` stands for its first group.
pub(super) fn substitute(pattern: String, substitution: &str) -> RegexMatchAndSubstitute {
    RegexMatchAndSubstitute {
        pattern: Some(RegexMatcher { regex: pattern.into() }),
        substitution: SmolStr::new(substitution),
    }
}

/// A text that stands for itself in a substitution.
fn literal(text: &str) -> String {
    text.replace('\\', "\\\\")
}
