//! What paths begin with.
//!
//! For a pattern: a location for each beginning keeps it from being asked of all other paths. For a rule that replaces the beginning of a
//! path: signs in it may have been written as escapes.

use super::directive::{Directive, line};
use super::text;
use meshc_compiler::model::{PathMatch, PathTest};
use meshc_compiler::values::{Pattern, escape_literal};
use meshc_language::Span;
use regex_syntax::hir::literal::Extractor;

/// Most beginnings of one pattern that get a location each.
const MOST: usize = 16;

/// Texts of which each path that the pattern takes begins with one; a single empty one if nothing is known.
pub(super) fn prefixes(pattern: &Pattern) -> Vec<String> {
    known(pattern).unwrap_or_else(|| vec![String::new()])
}

fn known(pattern: &Pattern) -> Option<Vec<String>> {
    let mut extractor = Extractor::new();
    extractor.limit_total(MOST).limit_class(1).limit_repeat(1);
    let found = extractor.extract(&pattern.hir()?);
    let texts = found.literals()?.iter().map(|literal| String::from_utf8(literal.as_bytes().to_vec()).ok());
    let mut texts = texts.collect::<Option<Vec<_>>>()?;
    // What begins with a longer one begins with the shorter one too.
    texts.sort_unstable();
    texts.dedup_by(|longer, shorter| longer.starts_with(shorter.as_str()));
    let is_begin = |text: &String| text.starts_with('/') && !text::is_never_asked_for(text, false);
    texts.iter().all(is_begin).then_some(texts)
}

/// The entries of a `map` over a path as it was written, whose value is the path with the beginning that a rule asked for replaced:
/// one for the path as it is usually written, and one for a beginning with letters that came as escapes (`/%61pi` for `/api`),
/// which nginx has decoded when it chose the rule.
pub(super) fn replaced(path: Option<&PathMatch>, new: &str, span: Span) -> Vec<Directive> {
    let (old, under, ignore_case) = match path {
        Some(PathMatch { test: PathTest::Under(text), ignore_case }) => (text.as_str(), true, *ignore_case),
        Some(PathMatch { test: PathTest::Exact(text) | PathTest::Prefix(text), ignore_case }) => {
            (text.as_str(), false, *ignore_case)
        }
        // The checks ask for a prefix, unless no path is asked for: then every path starts with `/`.
        Some(PathMatch { test: PathTest::Pattern(_), ignore_case: _ }) => ("", false, false),
        None => ("/", false, false),
    };
    let new = text::literal(new);
    let old = text::decoded(old).unwrap_or_default();
    let sign = if ignore_case { "~*" } else { "~" };
    let base = new.strip_suffix('/').unwrap_or(&new).to_owned();
    let entry = |old: &str| {
        let (key, value) = match (under, base.is_empty()) {
            (false, _) => (format!("{sign}^{old}([^\\r\\n]*)\\z"), format!("{new}$1")),
            (true, true) => (format!("{sign}^{old}/?([^\\r\\n]*)\\z"), "/$1".to_owned()),
            (true, false) => (format!("{sign}^{old}(/[^\\r\\n]*)?\\z"), format!("{base}$1")),
        };
        line![key, value].at(span)
    };
    let usual = as_it_may_be_written(&old, |_| None);
    let either_case = |byte: u8| match byte {
        letter if ignore_case && letter.is_ascii_alphabetic() => {
            let [lower, upper] = [letter.to_ascii_lowercase(), letter.to_ascii_uppercase()];
            Some(format!("{}|{}", escape(lower), escape(upper)))
        }
        letter => Some(escape(letter)),
    };
    let with_escapes = as_it_may_be_written(&old, either_case);
    let unusual = (with_escapes != usual).then(|| entry(&with_escapes));
    std::iter::once(entry(&usual)).chain(unusual).collect()
}

/// A regular expression for a decoded text as it may stand in a path that is written as destinations see it: signs may be
/// escapes. So may letters, digits and `-._~`, where `letters` has an expression for the escape of one.
fn as_it_may_be_written(text: &str, letters: impl Fn(u8) -> Option<String>) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        let plain = escape_literal(char::from(byte).encode_utf8(&mut [0; 4]));
        match byte {
            b'/' => out.push_str(&plain),
            byte if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => match letters(byte) {
                None => out.push_str(&plain),
                Some(escaped) => out.push_str(&format!("(?:{plain}|{escaped})")),
            },
            byte if byte.is_ascii_graphic() => out.push_str(&format!("(?:{plain}|{})", escape(byte))),
            byte => out.push_str(&escape(byte)),
        }
    }
    out
}

/// A regular expression for the escape of a byte.
fn escape(byte: u8) -> String {
    let digit = |digit: char| match digit.is_ascii_alphabetic() {
        true => format!("[{digit}{}]", digit.to_ascii_uppercase()),
        false => digit.to_string(),
    };
    format!("%{}", format!("{byte:02x}").chars().map(digit).collect::<String>())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::prefixes;
    use meshc_compiler::values::{Literal, Pattern};

    #[test]
    fn the_beginnings_of_paths_are_known() {
        for (pattern, expected) in [
            ("/api/v[0-9]+/.*", &["/api/v"][..]),
            ("/users(/.*)?", &["/users"]),
            ("^/a/(bb|cc)/d$", &["/a/bb/d", "/a/cc/d"]),
            ("/(en|de)/[^/]+", &["/de/", "/en/"]),
            ("/a|/b/.*", &["/a", "/b/"]),
            ("/", &["/"]),
            ("/.*", &["/"]),
            ("/[0-9]+", &["/"]),
            ("/a?b", &["/ab", "/b"]),
            // Letter case is a class of two, which is not followed.
            ("(?i)/ab", &["/"]),
            // Nothing is known.
            (".*", &[""]),
            (".*/b", &[""]),
            ("(/a)*", &[""]),
            ("a", &[""]),
            ("/a//b", &[""]),
        ] {
            assert_eq!(prefixes(&Pattern::parse(pattern).unwrap()), expected, "{pattern}");
        }
    }
}
