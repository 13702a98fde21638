//! Rewrites in Istio's words.
//!
//! Istio replaces what the match of the path took: all of an exact path, the bytes of a prefix. Where the language means
//! something else, a regular expression says it.

use super::api;
use meshc_compiler::model::{Match, PathTest};
use meshc_compiler::policy::{Rewrite, RewriteKind};
use meshc_compiler::values::{Pattern, escape_literal};
use smol_str::SmolStr;

/// The rewrites of a route whose conditions are `matches`.
pub(super) fn http(rewrites: &[Rewrite], matches: &[Match]) -> Option<api::HttpRewrite> {
    if rewrites.is_empty() {
        return None;
    }
    let mut out = api::HttpRewrite::default();
    for Rewrite { kind, span: _ } in rewrites {
        match kind {
            RewriteKind::Host(host) => out.authority = Some(SmolStr::new(host.value.as_str())),
            RewriteKind::Matches { pattern, with } => {
                out.uri_regex_rewrite = Some(replaced(&pattern.value, with.value.as_str()));
            }
            RewriteKind::Path(path) => whole_path(path.value.as_str(), matches, &mut out),
            RewriteKind::Prefix(path) => prefix(path.value.as_str(), matches, &mut out),
        }
    }
    Some(out)
}

/// Istio refuses a replacement without text: in its place stands a group that matches nothing.
fn replaced(pattern: &Pattern, with: &str) -> api::RegexRewrite {
    match with {
        "" => regex(format!("(?:{pattern})()"), &format!("\\{}", pattern.groups() + 1)),
        text => regex(pattern.as_str().to_owned(), text),
    }
}

fn regex(pattern: String, with: &str) -> api::RegexRewrite {
    api::RegexRewrite { pattern: Some(pattern.into()), rewrite: Some(SmolStr::new(with)) }
}

fn tests(matches: &[Match]) -> impl Iterator<Item = Option<(&PathTest, bool)>> {
    matches.iter().map(|one| one.path.as_ref().map(|path| (&path.test, path.ignore_case)))
}

fn whole_path(path: &str, matches: &[Match], out: &mut api::HttpRewrite) {
    let all_exact =
        !matches.is_empty() && tests(matches).all(|test| matches!(test, Some((PathTest::Exact(_), _))));
    if all_exact {
        out.uri = Some(SmolStr::new(path));
    } else {
        out.uri_regex_rewrite = Some(regex("^.*$".to_owned(), &escape_replacement(path)));
    }
}

/// Whether one rewrite of Istio replaces in each alternative the prefix that this one asks for: the expression that says so tries
/// the segment prefixes of all, so that none may lie within another, and has one rule for letter case.
pub(super) fn does_for_all(rewrites: &[Rewrite], matches: &[Match]) -> bool {
    let replaces = rewrites.iter().any(|one| matches!(one.kind, RewriteKind::Prefix(_)));
    let prefixes: Vec<(&str, bool)> = tests(matches)
        .flatten()
        .filter_map(|(test, ignore_case)| match test {
            PathTest::Under(prefix) | PathTest::Prefix(prefix) | PathTest::Exact(prefix) => {
                Some((prefix.as_str(), ignore_case))
            }
            PathTest::Pattern(_) => None,
        })
        .collect();
    let has_segments = tests(matches).flatten().any(|(test, _)| matches!(test, PathTest::Under(_)));
    let alike = |(at, one): (usize, &(&str, bool))| {
        prefixes.iter().skip(at + 1).all(|other| {
            let (text, theirs) = (one.0.to_ascii_lowercase(), other.0.to_ascii_lowercase());
            one == other || one.1 == other.1 && !text.starts_with(&theirs) && !theirs.starts_with(&text)
        })
    };
    let only_segments = tests(matches).all(|test| matches!(test, Some((PathTest::Under(_), _))));
    !replaces || !has_segments || only_segments && prefixes.iter().enumerate().all(alike)
}

fn prefix(path: &str, matches: &[Match], out: &mut api::HttpRewrite) {
    let segments: Vec<(&str, bool)> = tests(matches)
        .filter_map(|test| match test {
            Some((PathTest::Under(prefix), ignore_case)) => Some((prefix.as_str(), ignore_case)),
            _ => None,
        })
        .collect();
    if segments.is_empty() {
        out.uri = Some(SmolStr::new(path));
        return;
    }
    let ignore_case = if segments.iter().any(|(_, ignore_case)| *ignore_case) { "(?i)" } else { "" };
    let any: Vec<String> = segments.iter().map(|(prefix, _)| escape_literal(prefix)).collect();
    let any = any.join("|");
    let base = path.strip_suffix('/').unwrap_or(path);
    let pattern = if base.is_empty() {
        // Into the root: the `/` behind the old prefix may be missing, the new one may not.
        format!("{ignore_case}^(?:{any})/?(.*)$")
    } else {
        format!("{ignore_case}^(?:{any})(/.*)?$")
    };
    let with = if base.is_empty() { "/\\1".to_owned() } else { format!("{}\\1", escape_replacement(base)) };
    out.uri_regex_rewrite = Some(regex(pattern, &with));
}

/// A literal as the replacement of a regular expression.
fn escape_replacement(text: &str) -> String {
    text.replace('\\', "\\\\")
}
