//! Blocks and lines as other languages lay them out: lists and maps of YAML, and blocks that are flat here. What such a statement means
//! is said once, where it begins.

use super::keyword::{Entry, listed};
use super::reader::Reader;
use meshc_language::{Applicability, Code, Diagnostic, Span, Statement};

impl Reader<'_, '_> {
    /// Reports a rule of a host that lacks its first word.
    pub(super) fn rule_without_route(&mut self, statement: Statement<'_>, keyword: Span) {
        self.lost = true;
        let word = self.written(keyword).unwrap_or_default();
        if crate::values::did_you_mean(word, ["route"].into_iter()).is_some() {
            let report =
                Diagnostic::new(Code::UNKNOWN_KEYWORD, keyword, format!("`host` has no statement `{word}`"));
            let report = report.help("did you mean `route`?");
            self.report(report.edit(Applicability::Unsafe, keyword, "route"));
            return;
        }
        let right = format!("route {}", self.written(statement.head()).unwrap_or_default());
        let report = Diagnostic::new(Code::UNKNOWN_KEYWORD, keyword, "a rule begins with `route`");
        let report = report.help(format!("write `{right}`"));
        self.report(report.edit(Applicability::Safe, keyword.before(), "route "));
    }

    /// Whether a statement is a line of a list or map of YAML that has been reported where it begins, `methods:`.
    pub(super) fn goes_on_as_yaml(&self, place: Span, word: &str) -> bool {
        let is_line = word == "-" || word.ends_with(':');
        let Some(earlier) = self.reports.last().filter(|_| is_line) else { return false };
        let between = Span { start: earlier.span.end, end: place.start, ..place };
        earlier.code == Code::FOREIGN_SPELLING
            && earlier.span.file == place.file
            && earlier.span.end < place.start
            && self.written(earlier.span).is_some_and(|written| written.ends_with(':'))
            && self.written(between).is_some_and(|between| {
                let code = between.lines().map(|line| line.split('#').next().unwrap_or_default());
                code.clone().next().is_some_and(|first| first.trim().is_empty())
                    && !code.clone().any(|line| line.contains(['{', '}', ';']))
            })
    }
}

/// A block whose statements stand directly in the block around it, as in `pool { http { max-requests 5 } }`.
pub(super) fn flat_here(
    owner: &str,
    word: &str,
    statement: Statement<'_>,
    entries: &[Entry],
) -> Option<Diagnostic> {
    if statement.arguments().next().is_some() {
        return None;
    }
    let known = |inner: Statement<'_>| {
        let word = inner.keyword().and_then(|keyword| keyword.word())?;
        entries.iter().find(|entry| super::is_called(word, entry.key, entry.synonyms)).map(|entry| entry.key)
    };
    let inner: Vec<Option<&str>> = statement.block()?.statements().map(known).collect();
    let known: Vec<&str> = inner.iter().copied().flatten().collect();
    if known.is_empty() || known.len() < inner.len() {
        return None;
    }
    let message = format!("`{owner}` has no block `{word}`");
    let report = Diagnostic::new(Code::UNKNOWN_KEYWORD, statement.head(), message);
    Some(report.help(format!("write its statements in `{owner}` itself: {}", listed(&known))))
}
