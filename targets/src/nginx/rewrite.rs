//! Rewrites: the path and the host that a destination sees.

use super::builder::Builder;
use super::conditions::{AUTHORITY, PATH};
use super::directive::{Directive, line};
use super::module::Module;
use super::path_pattern::is_escaped;
use super::regex;
use super::text;
use meshc_compiler::model::{PathMatch, PathTest};
use meshc_compiler::policy::{Rewrite, RewriteKind};
use meshc_compiler::values::{Fqdn, PathPrefix, Pattern, Text, escape_literal};
use meshc_language::{Span, Spanned};

/// Variables for groups of a regular expression that nginx has.
const GROUPS_MAX: usize = 9;

/// Any number of characters of a path: one with the end of a line has been refused.
const REST: &str = "[^\\r\\n]*";

/// The host that a destination sees.
pub(super) fn host(rewrites: &[Rewrite]) -> Option<&Fqdn> {
    rewrites.iter().rev().find_map(|rewrite| match &rewrite.kind {
        RewriteKind::Host(host) => Some(&host.value),
        RewriteKind::Path(_) | RewriteKind::Prefix(_) | RewriteKind::Matches { .. } => None,
    })
}

/// The host that a destination sees, in a place where nginx reads variables.
pub(super) fn host_value(rewrites: &[Rewrite]) -> String {
    host(rewrites).map_or_else(|| AUTHORITY.to_owned(), |host| host.as_str().to_owned())
}

/// How a request is given the path that its destination sees.
#[derive(Clone, Debug, Default)]
pub(super) struct NewPath {
    /// What changes the path.
    pub(super) lines: Vec<Directive>,
    /// What `proxy_pass` has behind its host, in a place where nginx reads variables.
    pub(super) passed: String,
}

impl From<Vec<Directive>> for NewPath {
    fn from(lines: Vec<Directive>) -> Self {
        Self { lines, passed: String::new() }
    }
}

/// The path that a destination sees. `path` is what the rule asked of the path; `module` sends the request.
pub(super) fn path(
    rewrites: &[Rewrite],
    path: Option<&PathMatch>,
    module: Module,
    builder: &mut Builder<'_>,
) -> NewPath {
    for Rewrite { kind, span } in rewrites {
        match kind {
            RewriteKind::Host(_) => {}
            // nginx encodes what it rewrites; what stands in `proxy_pass`, which has no such place for HTTP/2, it sends as it is.
            RewriteKind::Path(new) if module == Module::Proxy && !new.value.as_str().bytes().all(is_kept) => {
                let passed = format!("{}$is_args$args", text::literal(new.value.as_str()));
                return NewPath { lines: Vec::new(), passed };
            }
            RewriteKind::Path(new) => {
                let new = replacement(new, *span, builder);
                return vec![line!["rewrite", "^", new, "break"].at(*span)].into();
            }
            RewriteKind::Prefix(new) => return replaced(path, new, *span, builder).into(),
            RewriteKind::Matches { pattern, with } => return matched(pattern, with, *span, builder).into(),
        }
    }
    vec![line!["rewrite", "^", PATH, "break"]].into()
}

/// Whether nginx writes a byte of a new path as it is.
const fn is_kept(byte: u8) -> bool {
    !is_escaped(byte) || matches!(byte, b'?' | b'#')
}

/// A path as `rewrite` writes it: nginx encodes it when it sends it.
fn replacement(path: &Spanned<PathPrefix>, span: Span, builder: &mut Builder<'_>) -> String {
    let decoded = text::decoded(path.value.as_str()).filter(|text| !text.contains('?'));
    let Some(decoded) = decoded else {
        builder.refuse(
            span,
            "a new path with such percent escapes",
            "nginx decodes them before it encodes the path again",
            "use another path",
        );
        return "/".to_owned();
    };
    text::literal(&decoded)
}

/// Replaces what the rule asked of the beginning of the path.
fn replaced(
    path: Option<&PathMatch>,
    new: &Spanned<PathPrefix>,
    span: Span,
    builder: &mut Builder<'_>,
) -> Vec<Directive> {
    let new = replacement(new, span, builder);
    let base = new.strip_suffix('/').unwrap_or(&new).to_owned();
    // The checks ask for a literal path; `conditions` has reported one that cannot be decoded.
    let Some(PathMatch { test, ignore_case }) = path else { return Vec::new() };
    let flags = if *ignore_case { "(?i)" } else { "" };
    let old = |old: &str| escape_literal(&text::decoded(old).unwrap_or_default());
    let (key, value) = match test {
        PathTest::Under(prefix) if base.is_empty() => {
            (format!("{}/?({REST})\\z", old(prefix)), "/$1".to_owned())
        }
        PathTest::Under(prefix) => (format!("{}(/{REST})?\\z", old(prefix)), format!("{base}$1")),
        PathTest::Exact(prefix) | PathTest::Prefix(prefix) => {
            (format!("{}({REST})\\z", old(prefix)), format!("{new}$1"))
        }
        PathTest::Pattern(_) => return Vec::new(),
    };
    changed(format!("^{flags}{key}"), value, span)
}

/// Replaces the first match of a pattern.
fn matched(
    pattern: &Spanned<Pattern>,
    with: &Spanned<Text>,
    span: Span,
    builder: &mut Builder<'_>,
) -> Vec<Directive> {
    let groups = regex::groups(&pattern.value);
    if groups + 3 > GROUPS_MAX {
        builder.refuse(
            pattern.span,
            &format!("a rewrite by a pattern with {groups} groups"),
            "nginx remembers six of them",
            "use `(?:...)` for groups that the new text does not name",
        );
        return Vec::new();
    }
    let mut new = "$1".to_owned();
    let mut chars = with.value.as_str().chars();
    while let Some(char) = chars.next() {
        match (char, if char == '\\' { chars.next() } else { None }) {
            ('\\', Some(digit)) if digit.is_ascii_digit() => {
                let group = digit.to_digit(10).unwrap_or_default() as usize;
                if group <= groups {
                    new.push_str(&format!("${}", group + 2));
                }
            }
            ('\\', Some(other)) => new.push_str(&text::literal(&other.to_string())),
            (other, _) => new.push_str(&text::literal(&other.to_string())),
        }
    }
    let new = format!("{new}${}", groups + 3);
    changed(format!("^({REST}?)({})({REST})\\z", regex::source(&pattern.value)), new, span)
}

fn changed(pattern: String, value: String, span: Span) -> Vec<Directive> {
    vec![line!["rewrite", "^", PATH], line!["rewrite", pattern, value].at(span), line!["break"]]
}
