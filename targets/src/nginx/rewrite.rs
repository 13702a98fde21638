//! Rewrites: the path and the host that a destination sees.

use super::builder::Builder;
use super::conditions::{AUTHORITY, PATH};
use super::directive::{Directive, line};
use super::module::Module;
use super::path_pattern::is_escaped;
use super::path_prefix;
use super::regex;
use super::text;
use meshc_compiler::model::{PathMatch, PathTest};
use meshc_compiler::policy::{Rewrite, RewriteKind};
use meshc_compiler::values::{Fqdn, Pattern, Replacement, ReplacementPart, escape_literal};
use meshc_language::{Span, Spanned};

/// Variables for groups of a regular expression that nginx has.
const GROUPS_MAX: usize = 9;

/// Any number of characters of a path: one with the end of a line has been refused.
const REST: &str = "[^\\r\\n]*";

/// The path of a request as it was written, without double slashes and dots.
pub(super) const WRITTEN_PATH: &str = "$mesh_written_path";
/// That path and the query, where nginx would write the path otherwise.
const KEPT: &str = "$mesh_kept";
/// The path without double slashes and dots, and the query, where nginx would write both otherwise than the client has.
pub(super) const ANEW: &str = "$mesh_anew";
/// What no address has after its host: nginx answers with 500. A `map` takes its default also where an expression takes its engine
/// too many steps; the path must not go on unchanged then.
const NO_PATH: &str = ":";

/// Gives a copy, whose path is the name of its location, the path of the request.
fn of_the_request() -> Directive {
    line!["rewrite", "^", PATH, "break"]
}

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

/// A request, or a copy of it, that is given a path.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent<'p> {
    /// What the rule asked of the path.
    pub(super) path: Option<&'p PathMatch>,
    /// What sends it.
    pub(super) module: Module,
    pub(super) is_copy: bool,
}

/// The path that a destination sees.
///
/// nginx sends the path of a request as the client wrote it, as long as nothing has touched it; `$mesh_turn` has touched what must not
/// go on so. A path that was touched or is rewritten, and that of a copy, nginx has decoded and encodes again, `%2B` as `+`, unless
/// `proxy_pass` has it after its host. There is no such place for HTTP/2: a path that nginx would change is refused there.
///
/// What stands after the host has a variable in it, for which nginx 1.22 makes a TLS context for each location and goes through all
/// upstream blocks for each request. So it is there only where it has to be: in a location of its own for [`ANEW`].
pub(super) fn path(rewrites: &[Rewrite], sent: Sent<'_>, builder: &mut Builder<'_>) -> NewPath {
    let Sent { path, module, is_copy } = sent;
    let rewrite = rewrites.iter().find(|rewrite| !matches!(rewrite.kind, RewriteKind::Host(_)));
    if rewrite.is_none() && !is_copy {
        return NewPath::default();
    }
    match module {
        Module::Proxy => passed(rewrite, path, builder),
        Module::Grpc => {
            let mut lines = vec![line!["if", format!("({KEPT})")].block(vec![line!["return", "400"]])];
            lines.extend(rewritten(rewrite, path, builder));
            NewPath { lines, passed: String::new() }
        }
    }
}

/// By what `proxy_pass` has after its host.
fn passed(rewrite: Option<&Rewrite>, path: Option<&PathMatch>, builder: &mut Builder<'_>) -> NewPath {
    let Some(Rewrite { kind, span }) = rewrite else {
        return NewPath { lines: vec![of_the_request()], passed: KEPT.to_owned() };
    };
    let path = match kind {
        RewriteKind::Host(_) => WRITTEN_PATH.to_owned(),
        RewriteKind::Path(new) => builder.http.fixed(new.value.as_str()),
        RewriteKind::Prefix(new) => {
            let mut entries = vec![line!["default", NO_PATH]];
            entries.extend(path_prefix::replaced(path, new.value.as_str(), *span));
            builder.http.map(WRITTEN_PATH, entries)
        }
        RewriteKind::Matches { pattern, with } => {
            let Some((key, value)) = matched(pattern, &with.value, text::literal, builder) else {
                return NewPath::default();
            };
            let mut entries = vec![line!["default", NO_PATH], line![format!("~{key}"), value].at(*span)];
            entries.push(line!["~^", WRITTEN_PATH]);
            let new = builder.http.map(WRITTEN_PATH, entries);
            // What does not begin with a slash would be read as a part of the host.
            builder.http.map(&new, vec![line!["default", NO_PATH], line!["~^/", new.clone()]])
        }
    };
    NewPath { lines: Vec::new(), passed: format!("{path}$is_args$args") }
}

/// By `rewrite`, on the decoded path.
fn rewritten(
    rewrite: Option<&Rewrite>,
    path: Option<&PathMatch>,
    builder: &mut Builder<'_>,
) -> Vec<Directive> {
    let Some(Rewrite { kind, span }) = rewrite else { return vec![of_the_request()] };
    match kind {
        RewriteKind::Host(_) => Vec::new(),
        RewriteKind::Path(new) => {
            let new = replacement(new.value.as_str(), *span, builder);
            vec![line!["rewrite", "^", text::literal(&new), "break"].at(*span)]
        }
        RewriteKind::Prefix(new) => {
            let new = replacement(new.value.as_str(), *span, builder);
            replaced(path, &text::literal(&new), *span)
        }
        RewriteKind::Matches { pattern, with } => {
            // Refuses what cannot be decoded.
            drop(replacement(with.value.as_str(), *span, builder));
            let decoded = |part: &str| text::literal(&text::decoded(part).unwrap_or_default());
            matched(pattern, &with.value, decoded, builder)
                .map(|(key, value)| changed(key, value, *span))
                .unwrap_or_default()
        }
    }
}

/// A text as `rewrite` writes it: nginx encodes it when it sends it.
fn replacement(text: &str, span: Span, builder: &mut Builder<'_>) -> String {
    let decoded = text::decoded(text).filter(|decoded| !decoded.contains('?') && !has_kept_escape(text));
    decoded.unwrap_or_else(|| {
        builder.refuse(
            span,
            "a new path with these percent escapes",
            "for HTTP/2 destinations, nginx decodes and re-encodes the path",
            "use another path",
        );
        "/".to_owned()
    })
}

/// Whether nginx would write an escape otherwise than it stands here.
fn has_kept_escape(text: &str) -> bool {
    text.split('%').skip(1).any(|rest| {
        let digits = rest.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let Some(byte) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) else { return false };
        !is_escaped(byte) || digits != Some(format!("{byte:02X}").as_str())
    })
}

/// Replaces what the rule asked of the beginning of the path.
fn replaced(path: Option<&PathMatch>, new: &str, span: Span) -> Vec<Directive> {
    let base = new.strip_suffix('/').unwrap_or(new).to_owned();
    // The checks ask for a literal path, or for none; `conditions` has reported one that cannot be decoded.
    let every = PathMatch { test: PathTest::Prefix("/".into()), ignore_case: false };
    let PathMatch { test, ignore_case } = path.unwrap_or(&every);
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

/// A regular expression for the first match of a pattern in a path, and the path with that replaced.
fn matched(
    pattern: &Spanned<Pattern>,
    with: &Replacement,
    written: impl Fn(&str) -> String,
    builder: &mut Builder<'_>,
) -> Option<(String, String)> {
    let groups = pattern.value.groups();
    if groups + 3 > GROUPS_MAX {
        builder.refuse(
            pattern.span,
            &format!("a regular expression rewrite with {groups} groups"),
            "nginx supports six",
            "use `(?:...)` for groups that the replacement does not use",
        );
        return None;
    }
    let mut new = "$1".to_owned();
    for part in with.parts() {
        match part {
            ReplacementPart::Text(part) => new.push_str(&written(part)),
            ReplacementPart::Group(group) => new.push_str(&format!("${}", group + 2)),
        }
    }
    let key = format!("^({REST}?)({})({REST})\\z", regex::source(&pattern.value));
    Some((key, format!("{new}${}", groups + 3)))
}

fn changed(pattern: String, value: String, span: Span) -> Vec<Directive> {
    vec![line!["rewrite", "^", PATH], line!["rewrite", pattern, value].at(span), line!["break"]]
}
