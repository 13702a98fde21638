//! Regular expressions: what Istio and Envoy read, and what every target reads alike.

mod portable;
mod re2;

use regex_syntax::hir::literal::Extractor;
use regex_syntax::hir::{Hir, HirKind, Look};
use smol_str::SmolStr;

pub use portable::NotPortable;

use super::newtype::text_value;
use super::{Form, Literal, ValueError};

/// A regular expression in RE2 syntax, which a value must match as a whole: at most 1024 bytes, not empty
/// (rule C8).
///
/// Whether other engines read it alike is a second question: [`Pattern::portable`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pattern {
    text: SmolStr,
}

text_value!(Pattern);

/// Longest pattern in bytes that Istio's admission takes.
const MOST: usize = 1024;

impl Pattern {
    /// Whether RE2, PCRE2 (nginx) and Rust's `regex` read the pattern alike, matched as a whole on bytes
    /// without Unicode.
    ///
    /// `$` inside a pattern is taken for portable, although PCRE2 also lets it stand before a last newline: no
    /// part of a request that is matched has one.
    ///
    /// # Errors
    /// The first construct that they read differently.
    pub fn portable(&self) -> Result<(), NotPortable> {
        portable::check(self.as_str())
    }

    /// Whether a match at the beginning of a path takes the path's first slash, and each match is there or begins with a slash. False
    /// if that is not known.
    #[must_use]
    pub fn takes_first_slash(&self) -> bool {
        self.hir().is_some_and(|hir| begins_path(&hir) == Some(true))
    }

    /// Whether a group, or with 0 what follows the match, comes right after a slash of the match. A path has no two slashes in a row, so it does
    /// not begin with one. False if that is not known.
    #[must_use]
    pub fn puts_slash_before(&self, group: usize) -> bool {
        let Some(hir) = self.hir() else { return false };
        let alone = [hir.clone()];
        let parts = if let HirKind::Concat(parts) = hir.kind() { parts.as_slice() } else { &alone };
        let is_it = |part: &Hir| matches!(part.kind(), HirKind::Capture(one) if one.index as usize == group);
        let end = if group == 0 { Some(parts.len()) } else { parts.iter().position(is_it) };
        let before = end.and_then(|end| end.checked_sub(1)).and_then(|before| parts.get(before));
        before.is_some_and(|before| matches!(before.kind(), HirKind::Literal(text) if text.0.ends_with(b"/")))
    }

    /// Whether some text that it matches begins like this, or with `whole` is this, as far as its own beginning shows. True if that is
    /// not known.
    #[must_use]
    pub fn may_match(&self, text: &str, whole: bool, ignore_case: bool) -> bool {
        let Some(hir) = self.hir() else { return true };
        let beginnings = Extractor::new().extract(&hir);
        let Some(beginnings) = beginnings.literals() else { return true };
        let begins = |long: &[u8], short: &[u8]| match long.get(..short.len()) {
            Some(part) if ignore_case => part.eq_ignore_ascii_case(short),
            Some(part) => part == short,
            None => false,
        };
        beginnings.iter().any(|one| {
            let (one, is_all) = (one.as_bytes(), one.is_exact());
            let longer = !is_all && begins(text.as_bytes(), one);
            let same = one.len() == text.len() && begins(text.as_bytes(), one);
            longer || same || (!whole && begins(one, text.as_bytes()))
        })
    }

    /// Whether each match is at the beginning of a text.
    #[must_use]
    pub fn is_tied_to_beginning(&self) -> bool {
        self.hir().is_some_and(|hir| hir.properties().look_set_prefix().contains(Look::Start))
    }

    /// Whether it may match at the beginning of a text that begins like this, as far as its own beginning shows. True if that is not
    /// known.
    #[must_use]
    pub fn may_begin(&self, text: &str) -> bool {
        let Some(hir) = self.hir() else { return true };
        let beginnings = Extractor::new().extract(&hir);
        let Some(beginnings) = beginnings.literals() else { return true };
        let text = text.as_bytes();
        let meets = |one: &[u8]| one.starts_with(text) || text.starts_with(one);
        beginnings.iter().any(|one| meets(one.as_bytes()))
    }

    /// How many groups it captures, those with names among them.
    #[must_use]
    pub fn groups(&self) -> usize {
        re2::groups(self.as_str()).unwrap_or(0)
    }

    /// The pattern as `regex-syntax` reads it on bytes, without Unicode; none for one that is not portable,
    /// because there the reading would differ from RE2's.
    #[must_use]
    pub fn hir(&self) -> Option<Hir> {
        self.portable().ok()?;
        regex_syntax::ParserBuilder::new()
            .unicode(false)
            .utf8(false)
            .nest_limit(portable::NEST_MAX)
            .build()
            .parse(self.as_str())
            .ok()
    }
}

impl Literal for Pattern {
    const NAME: &'static str = "pattern";
    const DOC: &'static str = "a regular expression in RE2 syntax, at most 1024 bytes, that the whole value must match, such as \
         `r\"/v[0-9]+/.*\"`";
    const FORM: Form = Form::Quoted;

    fn parse(text: &str) -> Result<Self, ValueError> {
        if text.is_empty() {
            return Err(ValueError::new("empty pattern").help("write `.*` to match everything"));
        }
        if text.len() > MOST {
            return Err(ValueError::new(format!(
                "the pattern has {} bytes; the limit of Istio is {MOST}",
                text.len()
            ))
            .help("split it into several conditions"));
        }
        re2::check(text).map(|()| Self { text: text.into() })
    }
}

/// Whether all that is matched begins with a slash, or at the beginning; `None` for what matches no character.
fn begins_path(hir: &Hir) -> Option<bool> {
    match hir.kind() {
        HirKind::Look(Look::Start) => Some(true),
        HirKind::Empty | HirKind::Look(_) => None,
        HirKind::Literal(literal) => literal.0.first().map(|first| *first == b'/'),
        HirKind::Class(class) => Some(class.literal().is_some_and(|only| only == b"/")),
        HirKind::Repetition(repetition) if repetition.min == 0 => Some(false),
        HirKind::Repetition(repetition) => begins_path(&repetition.sub),
        HirKind::Capture(capture) => begins_path(&capture.sub),
        HirKind::Concat(parts) => parts.iter().find_map(begins_path),
        HirKind::Alternation(parts) => Some(parts.iter().all(|part| begins_path(part) == Some(true))),
    }
}

/// The pattern that matches exactly `text`.
#[must_use]
pub fn escape_literal(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if matches!(c, '\\' | '.' | '+' | '*' | '?' | '(' | ')' | '|' | '[' | ']' | '{' | '}' | '^' | '$') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}

#[cfg(test)]
mod tests;
