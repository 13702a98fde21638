//! What the paths that a pattern takes begin with: a location for each keeps the pattern from being asked of all other paths.

use super::text;
use meshc_compiler::values::Pattern;
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
