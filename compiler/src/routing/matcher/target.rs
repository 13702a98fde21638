//! The target of a request: its path in the one form that conditions compare, and its query.
//!
//! What a path means must not depend on who reads it, so a path that proxies and servers read differently is rejected, and what
//! is left is brought into one form. The steps are those of Envoy's `path_with_escaped_slashes_action: REJECT_REQUEST`,
//! `normalize_path` and `merge_slashes`, in that order; each also stands in RFC 3986, 6.2.2.

use super::outcome::Fault;

/// A target in its one form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// The path: begins with `/`, without `.` and `..` segments, without empty segments but for a last one.
    pub(super) path: String,
    /// What stands behind the first `?`, as it was written.
    pub(super) query: Option<String>,
}

impl Target {
    /// Reads a target in origin form.
    pub(super) fn read(target: &str) -> Result<Self, Fault> {
        // Neither may stand in a URI as it is (RFC 3986, 2), and a fragment is never sent (RFC 9110, 7.1).
        if target.bytes().any(|byte| !byte.is_ascii_graphic() || byte == b'#') {
            return Err(Fault::Character);
        }
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (target, None),
        };
        if !path.starts_with('/') {
            return Err(Fault::NotOriginForm);
        }
        Ok(Self { path: normalise(path)?, query })
    }

    /// The path with the query.
    pub(super) fn whole(&self) -> String {
        with_query(&self.path, self.query.as_deref())
    }

    /// The value of the first parameter of this name, compared as it was written; empty for one without `=`.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let parameters = self.query.as_deref()?.split('&');
        let mut pairs = parameters.map(|one| one.split_once('=').unwrap_or((one, "")));
        pairs.find(|(own, _)| *own == name).map(|(_, value)| value)
    }
}

/// A path and the query that was asked for.
pub(super) fn with_query(path: &str, query: Option<&str>) -> String {
    match query {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    }
}

fn normalise(path: &str) -> Result<String, Fault> {
    let lower = path.to_ascii_lowercase();
    if lower.contains("%2f") || lower.contains("%5c") || lower.contains('\\') {
        return Err(Fault::EscapedSlash);
    }
    if lower.contains("%00") {
        return Err(Fault::EscapedNull);
    }
    let segments = path.split('/').skip(1).map(|segment| unescape(without_parameters(segment)));
    let mut kept: Vec<String> = Vec::new();
    let mut open = false;
    for segment in segments {
        // Behind a `.` or `..` at the end, the slash in front of it stays: it was a folder.
        open = matches!(segment.as_str(), "" | "." | "..");
        match segment.as_str() {
            "." => {}
            ".." => drop(kept.pop()),
            _ => kept.push(segment),
        }
    }
    // Empty segments count for `..`, and go afterwards.
    let mut out = String::with_capacity(path.len());
    for segment in kept.iter().filter(|segment| !segment.is_empty()) {
        out.push('/');
        out.push_str(segment);
    }
    if open {
        out.push('/');
    }
    Ok(out)
}

/// `.` and `..` with parameters (`..;x=1`), which servers for Java take for `.` and `..`.
fn without_parameters(segment: &str) -> &str {
    match segment.split_once(';') {
        Some((dots @ ("." | ".."), _)) => dots,
        _ => segment,
    }
}

/// Takes the percent-encoding from what needs none, and gives it to what no path may have; all else stays, the letter case of
/// hexadecimal digits too (RFC 3986, 2.3 and 2.4).
fn unescape(segment: &str) -> String {
    let mut out = String::with_capacity(segment.len());
    let mut strays = Vec::new();
    let mut rest = segment;
    while let Some(char) = rest.chars().next() {
        let encoded = rest.get(..3).and_then(escaped);
        let length = match encoded {
            Some(byte) if is_unreserved(byte) => {
                out.push(char::from(byte));
                3
            }
            None if matches!(char, '"' | '<' | '>' | '^' | '`' | '{' | '|' | '}') => {
                out.push_str(&format!("%{:02X}", u32::from(char)));
                1
            }
            _ => {
                strays.extend((char == '%' && encoded.is_none()).then_some(out.len()));
                out.push(char);
                char.len_utf8()
            }
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    // A percent sign that encoded nothing must not begin to, now that what follows is decoded.
    for stray in strays.into_iter().rev() {
        if out.get(stray..stray + 3).and_then(escaped).is_some() {
            out.insert_str(stray + 1, "25");
        }
    }
    out
}

/// The byte that `%41` stands for.
fn escaped(text: &str) -> Option<u8> {
    let digits =
        text.strip_prefix('%').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    u8::from_str_radix(digits, 16).ok()
}

/// RFC 3986, 2.3.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}
