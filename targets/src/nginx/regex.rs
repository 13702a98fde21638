//! Regular expressions of the language as PCRE reads them.

use meshc_compiler::values::{Pattern, escape_literal};
use regex_syntax::hir::{Hir, HirKind, Look};

/// A key of `map` that takes exactly this text. A plain key would ignore letter case.
pub(super) fn exactly(text: &str) -> String {
    format!("~^(?:{})\\z", escape_literal(text))
}

/// A key of `map` that takes what starts with this text.
pub(super) fn starting(text: &str) -> String {
    format!("~^{}", escape_literal(text))
}

/// A key of `map` that takes what the pattern matches as a whole.
pub(super) fn matching(pattern: &Pattern) -> String {
    format!("~^(?:{})\\z", source(pattern))
}

/// The pattern itself, its named groups without names: nginx would make variables of them, for all of its configuration.
pub(super) fn source(pattern: &Pattern) -> String {
    let text = pattern.as_str();
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    // Where what stands in a class begins.
    let mut class: Option<usize> = None;
    while let Some(char) = rest.chars().next() {
        if let Some(named) = rest.strip_prefix("(?P<").filter(|_| class.is_none())
            && let Some((_, after)) = named.split_once('>')
        {
            out.push('(');
            rest = after;
            continue;
        }
        let taken =
            if char == '\\' { 1 + rest.chars().nth(1).map_or(0, char::len_utf8) } else { char.len_utf8() };
        let inside = class.and_then(|start| out.get(start..));
        match (char, inside) {
            ('[', None) => class = Some(out.len() + 1),
            (']', Some(inside)) if closes_class(inside) => class = None,
            _ => {}
        }
        let (part, after) = rest.split_at_checked(taken).unwrap_or((rest, ""));
        out.push_str(part);
        rest = after;
    }
    out
}

/// Whether a `]` behind what stands in a class closes it: the first character is itself, and `[:alpha:]` is a class inside.
fn closes_class(inside: &str) -> bool {
    let is_first = matches!(inside, "" | "^");
    let named = inside
        .rsplit_once("[:")
        .map(|(_, name)| name)
        .filter(|name| name.split_once(':').is_some_and(|(_, rest)| rest.is_empty()));
    !is_first && named.is_none()
}

/// Whether a pattern matches a text without characters. nginx never asks it of one.
pub(super) fn takes_nothing(pattern: &Pattern) -> bool {
    pattern.hir().is_some_and(|hir| is_nullable(&hir))
}

fn is_nullable(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Empty => true,
        HirKind::Literal(literal) => literal.0.is_empty(),
        HirKind::Class(_) => false,
        HirKind::Look(look) => !matches!(look, Look::WordAscii | Look::WordUnicode),
        HirKind::Repetition(repetition) => repetition.min == 0 || is_nullable(&repetition.sub),
        HirKind::Capture(capture) => is_nullable(&capture.sub),
        HirKind::Concat(parts) => parts.iter().all(is_nullable),
        HirKind::Alternation(parts) => parts.iter().any(is_nullable),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::{source, takes_nothing};
    use meshc_compiler::values::{Literal, Pattern};

    #[test]
    fn named_groups_lose_their_names() {
        for (pattern, expected) in [
            ("(?P<uri>a)b", "(a)b"),
            (r"\(?P<x>a", r"\(?P<x>a"),
            ("[(?P<x>]", "[(?P<x>]"),
            ("[](?P<x>]", "[](?P<x>]"),
            (r"\\[](?P<x>]", r"\\[](?P<x>]"),
            ("[^](?P<x>]", "[^](?P<x>]"),
            (r"[\](?P<x>]", r"[\](?P<x>]"),
            ("[[:alpha:](?P<x>](?P<y>a)", "[[:alpha:](?P<x>](a)"),
            ("[a](?P<x>b)[c]", "[a](b)[c]"),
            ("((?P<a>b)|(?P<c>d))", "((b)|(d))"),
        ] {
            assert_eq!(source(&Pattern::parse(pattern).unwrap()), expected, "{pattern}");
        }
    }

    #[test]
    fn what_matches_nothing_is_known() {
        for (pattern, expected) in [
            (".*", true),
            ("a?", true),
            ("a", false),
            ("(a|)", true),
            ("^$", true),
            (r"\b", false),
            ("(a*)+", true),
        ] {
            assert_eq!(takes_nothing(&Pattern::parse(pattern).unwrap()), expected, "{pattern}");
        }
    }
}
