//! Paths of URLs, as a condition compares them.

use smol_str::SmolStr;

use super::error::Shown;
use super::newtype::text_value;
use super::{Form, Literal, ValueError};

/// The path of a URL: begins with `/`, without query and fragment, at most 4096 bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path {
    text: SmolStr,
}

/// The beginning of a path. Istio compares bytes: the prefix `/a` also takes `/abc`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PathPrefix {
    text: SmolStr,
}

text_value!(Path, PathPrefix);

/// Longest path in bytes: nginx reads no longer token.
const MOST: usize = 4096;

impl PathPrefix {
    /// Whether it is `/`, which every path begins with.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.as_str() == "/"
    }

    /// Whether `path` begins with it, byte by byte (Istio's `prefix`).
    #[must_use]
    pub fn begins(&self, path: &str) -> bool {
        path.starts_with(self.as_str())
    }

    /// Whether `path` is it, or lies under it at the end of a segment: `/a` takes `/a` and `/a/b`, not `/ab`.
    #[must_use]
    pub fn is_above(&self, path: &str) -> bool {
        match path.strip_prefix(self.as_str()) {
            Some(rest) => rest.is_empty() || rest.starts_with('/') || self.as_str().ends_with('/'),
            None => false,
        }
    }
}

impl Literal for Path {
    const NAME: &'static str = "path";
    const DOC: &'static str = "the path of a URL, without query, starting with `/`, such as `\"/reviews/1\"`";
    const FORM: Form = Form::Quoted;

    fn parse(text: &str) -> Result<Self, ValueError> {
        if is_path(text) { Ok(Self { text: text.into() }) } else { Err(refuse(text, Self::NAME)) }
    }
}

impl Literal for PathPrefix {
    const NAME: &'static str = "path prefix";
    const DOC: &'static str = "the beginning of a path, such as `\"/reviews\"`; `\"/\"` is every path";
    const FORM: Form = Form::Quoted;

    fn parse(text: &str) -> Result<Self, ValueError> {
        if is_path(text) { Ok(Self { text: text.into() }) } else { Err(refuse(text, Self::NAME)) }
    }
}

impl From<Path> for PathPrefix {
    fn from(path: Path) -> Self {
        Self { text: path.text }
    }
}

/// Bytes that no path of a URL has as they stand: those that no URL has (RFC 3986, 2), and those that Envoy writes percent-encoded
/// before it compares.
pub(super) const fn is_foreign(byte: u8) -> bool {
    !byte.is_ascii_graphic()
        || matches!(byte, b'?' | b'#' | b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}')
}

fn is_path(text: &str) -> bool {
    text.as_bytes().first() == Some(&b'/')
        && text.len() <= MOST
        && !text.bytes().any(is_foreign)
        && broken_escape(text).is_none()
}

/// Where a `%` is that begins no escape.
fn broken_escape(text: &str) -> Option<usize> {
    let is_digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_hexdigit);
    let bytes = text.as_bytes();
    text.match_indices('%')
        .map(|(at, _)| at)
        .find(|at| !is_digit(bytes.get(at + 1)) || !is_digit(bytes.get(at + 2)))
}

/// The text with each byte that no path has written as its percent-encoding.
pub(super) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for byte in text.bytes() {
        if is_foreign(byte) {
            out.push_str(&format!("%{byte:02X}"));
        } else {
            out.push(char::from(byte));
        }
    }
    out
}

#[cold]
fn refuse(text: &str, kind: &str) -> ValueError {
    let shown = Shown(text);
    if text.is_empty() {
        return ValueError::new(format!("empty {kind}")).help("write a path that starts with `/`");
    }
    if text.len() > MOST {
        return ValueError::new(format!("the {kind} has {} bytes; the limit is {MOST}", text.len()))
            .help("shorten it");
    }
    if let Some(at) = text.find(['?', '#']) {
        let before = text.get(..at).unwrap_or_default();
        let error = ValueError::new(format!("{kind} {shown} has a query or a fragment"))
            .help("a path is compared without its query; use a `query` condition for that part")
            .at(at);
        return if is_path(before) { error.guess(before) } else { error };
    }
    let bad = |(_, c): &(usize, char)| u8::try_from(*c).map_or(true, is_foreign);
    if let Some((at, c)) = text.char_indices().find(bad) {
        let named = Shown(c.encode_utf8(&mut [0; 4])).to_string();
        let error =
            ValueError::new(format!("{kind} {shown} has the character {named}, which no request's path has"))
                .at(at);
        if c == '\\' {
            let respelt = text.replace('\\', "/");
            let error = error.help("write `/`: proxies read a backslash as one");
            return if is_path(&respelt) { error.guess(respelt) } else { error };
        }
        let respelt = encoded(text);
        let error = error.help(format!(
            "write it percent-encoded, as it is compared: `{}`",
            encoded(c.encode_utf8(&mut [0; 4]))
        ));
        return if is_path(&respelt) && !c.is_control() { error.guess(respelt) } else { error };
    }
    if let Some(at) = broken_escape(text) {
        let error = ValueError::new(format!("{kind} {shown} has a `%` without two hexadecimal digits"))
            .help("write `%25` for a percent sign: nginx refuses requests with any other")
            .at(at);
        let mut respelt = text.to_owned();
        while let Some(at) = broken_escape(&respelt) {
            respelt.insert_str(at + 1, "25");
        }
        return if is_path(&respelt) { error.guess(respelt) } else { error };
    }
    let error = ValueError::new(format!("{kind} {shown} does not start with `/`, so no request would match"));
    let respelt = format!("/{text}");
    if text.contains("://") || !is_path(&respelt) {
        return error.help("write only the path, starting with `/`");
    }
    error.guess(respelt)
}
