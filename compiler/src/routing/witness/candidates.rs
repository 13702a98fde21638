//! Values for the parts of a request, for which a comparison is likely to hold or just not to.

use super::members::{flip, members, neighbours};
use crate::model::{HeaderTest, PathMatch, PathTest};
use crate::policy::TextMatch;
use crate::routing::matcher::{Patterns, is_normal};
use crate::values::HostPattern;

/// Paths for a rule that asks for none.
const FREE_PATHS: [&str; 4] = ["/", "/witness", "/a/b", "/witness/of/nothing"];
/// What a rule that asks for no method is tried with. Not with `HEAD`: an answer to it does not show its body.
pub(super) const METHODS: [&str; 5] = ["GET", "POST", "PUT", "DELETE", "PATCH"];
/// What stands in for a wildcard.
const LABELS: [&str; 3] = ["a", "witness", "x1"];

/// Normalised paths that a comparison takes.
pub(super) fn paths<'p>(patterns: &Patterns<'p>, test: Option<&'p PathMatch>) -> Vec<String> {
    let Some(path) = test else { return FREE_PATHS.map(str::to_owned).to_vec() };
    let mut all = match &path.test {
        PathTest::Exact(whole) => vec![whole.to_string()],
        PathTest::Prefix(prefix) => {
            vec![
                prefix.to_string(),
                format!("{prefix}x"),
                format!("{prefix}/x"),
                format!("{prefix}witness/y"),
            ]
        }
        PathTest::Under(prefix) => {
            vec![
                prefix.to_string(),
                format!("{prefix}/x"),
                format!("{prefix}/"),
                format!("{prefix}/witness/y"),
            ]
        }
        PathTest::Pattern(pattern) => {
            let members = members(pattern);
            let rooted: Vec<String> = members.iter().map(|member| format!("/{member}")).collect();
            members.into_iter().chain(rooted).collect()
        }
    };
    if path.ignore_case {
        let flipped: Vec<String> = all.iter().map(|path| path.chars().map(flip).collect()).collect();
        all = flipped.into_iter().chain(all).collect();
    }
    all.retain(|one| is_normal(one) && patterns.takes(path, one) == Ok(true));
    dedup(all)
}

/// Normalised paths close to `taken` that a comparison does not take.
pub(super) fn paths_beside<'p>(patterns: &Patterns<'p>, path: &'p PathMatch, taken: &str) -> Vec<String> {
    let mut all = match &path.test {
        PathTest::Exact(text) => neighbours(text),
        PathTest::Under(text) => [vec![format!("{text}x")], neighbours(text)].concat(),
        PathTest::Prefix(text) => {
            let shorter = text.char_indices().next_back().and_then(|(at, _)| text.get(..at));
            [shorter.map(str::to_owned).into_iter().collect(), neighbours(text)].concat()
        }
        PathTest::Pattern(_) => neighbours(taken),
    };
    all.extend(["/", "/witness"].map(str::to_owned));
    all.retain(|one| is_normal(one) && patterns.takes(path, one) == Ok(false));
    dedup(all)
}

/// Texts that a comparison takes, that are not empty before one that is.
pub(super) fn texts<'p>(patterns: &Patterns<'p>, test: &'p TextMatch) -> Vec<String> {
    let mut all = match test {
        TextMatch::Exact(text) => vec![text.to_string()],
        TextMatch::Prefix(text) => vec![format!("{text}x"), text.to_string(), format!("{text}-1")],
        TextMatch::Pattern(pattern) => members(pattern),
    };
    all.retain(|one| patterns.says(test, one) == Ok(true));
    all.sort_by_key(String::is_empty);
    dedup(all)
}

/// Texts close to one that a comparison takes, which it does not.
pub(super) fn texts_beside<'p>(patterns: &Patterns<'p>, test: &'p TextMatch) -> Vec<String> {
    let taken = texts(patterns, test);
    let shorter = match test {
        TextMatch::Prefix(text) => text.char_indices().next_back().and_then(|(at, _)| text.get(..at)),
        TextMatch::Exact(_) | TextMatch::Pattern(_) => None,
    };
    let close = taken.first().map(|text| neighbours(text)).unwrap_or_default();
    let mut all: Vec<String> = shorter.map(str::to_owned).into_iter().chain(close).collect();
    all.retain(|one| patterns.says(test, one) == Ok(false));
    all.sort_by_key(String::is_empty);
    dedup(all)
}

/// Values for which a header or parameter says what a test asks.
pub(super) fn values<'p>(patterns: &Patterns<'p>, test: &'p HeaderTest) -> Vec<String> {
    match test {
        HeaderTest::Present => vec!["1".to_owned(), "witness".to_owned()],
        HeaderTest::Text(text) => texts(patterns, text),
    }
}

/// Hosts that a pattern takes, as they stand in `Host`.
pub(super) fn hosts(pattern: &HostPattern) -> Vec<String> {
    let text = pattern.as_str();
    match (pattern.ip(), text.strip_prefix('*')) {
        (Some(ip), _) if ip.is_ipv6() => vec![format!("[{ip}]")],
        (_, Some("")) => LABELS.map(|label| format!("{label}.witness.test")).to_vec(),
        (_, Some(suffix)) => LABELS.map(|label| format!("{label}{suffix}")).to_vec(),
        (_, None) => vec![text.to_owned()],
    }
}

/// Whether a text may be the value of a header (RFC 9110, 5.5), in which UTF-8 is `obs-text`.
pub(super) fn is_header_value(text: &str) -> bool {
    !text.chars().any(char::is_control) && text.trim() == text
}

/// Whether a text may be a part of a query as it stands: it ends neither the parameter nor the query.
pub(super) fn is_query_part(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'&' | b'#'))
}

/// Whether a text may be the value of `Host`: a host, and perhaps a port.
pub(super) fn is_authority(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !text.ends_with(']') => (host, port),
        _ => (text, "0"),
    };
    let may_stand = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    !host.is_empty()
        && host.bytes().all(may_stand)
        && !port.is_empty()
        && port.bytes().all(|byte| byte.is_ascii_digit())
}

fn dedup(all: Vec<String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::with_capacity(all.len());
    for one in all {
        if !kept.contains(&one) {
            kept.push(one);
        }
    }
    kept
}
