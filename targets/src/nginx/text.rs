//! Texts in the places where nginx reads a `$` as a variable, paths as nginx compares them, and names in file names.

use meshc_compiler::values::{Duration, HeaderValue};

/// A variable whose value is a dollar sign: nginx has no escape for it.
pub(super) const DOLLAR: &str = "mesh_dollar";
/// A variable without any value.
pub(super) const EMPTY: &str = "$mesh_empty";

/// A year in milliseconds: nginx has no word for no limit.
pub(super) const FOR_EVER: u64 = 365 * 24 * 3_600_000;

/// A text as it stands in a place where nginx reads a `$` as a variable.
pub(super) fn literal(text: &str) -> String {
    text.replace('$', &format!("${{{DOLLAR}}}"))
}

/// The value of a header in such a place. `%%` is a percent sign; of other uses of `%`, `fit` has refused what they mean.
pub(super) fn header_value(value: &HeaderValue) -> String {
    literal(&value.as_str().replace("%%", "%"))
}

/// A length of time.
pub(super) fn time(duration: Duration) -> String {
    millis(duration.as_millis())
}

/// A length of time where nginx knows whole seconds only, rounded up.
pub(super) fn whole_seconds(duration: Duration) -> String {
    format!("{}s", duration.as_millis().div_ceil(1000))
}

/// A length of time in milliseconds.
pub(super) fn millis(millis: u64) -> String {
    if millis.is_multiple_of(1000) { format!("{}s", millis / 1000) } else { format!("{millis}ms") }
}

/// A path with its percent escapes decoded, as nginx compares it; `None` if it is no text then.
pub(super) fn decoded(path: &str) -> Option<String> {
    let bytes = path.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let code = (*byte == b'%').then(|| path.get(at + 1..at + 3)).flatten();
        let code = code.filter(|code| code.bytes().all(|digit| digit.is_ascii_hexdigit()));
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(code) => {
                out.push(code);
                at += 3;
            }
            None => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8(out).ok().filter(|text| !text.contains('\0'))
}

/// Whether no request has such a path: nginx and Envoy merge slashes, follow `.` and `..`, and refuse slashes and
/// backslashes that are written as escapes.
pub(super) fn is_never_asked_for(path: &str, whole: bool) -> bool {
    let lower = path.to_ascii_lowercase();
    let dots = |end: &str| lower.ends_with(end) && whole;
    ["//", "/./", "/../", "%2f", "%5c", "\\"].iter().any(|part| lower.contains(part))
        || dots("/.")
        || dots("/..")
}

/// A name of letters, digits, dots, dashes and underscores, for files and upstreams.
pub(super) fn file_name(name: &str) -> String {
    let plain = |char: char| char.is_ascii_alphanumeric() || matches!(char, '.' | '-' | '_');
    let name = name.replace('*', "any");
    name.chars().map(|char| if plain(char) { char } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::{decoded, is_never_asked_for, literal};

    #[test]
    fn a_dollar_sign_is_a_variable() {
        assert_eq!(literal("a$uri$"), "a${mesh_dollar}uri${mesh_dollar}");
    }

    #[test]
    fn paths_are_compared_without_their_escapes() {
        for (path, expected) in [
            ("/a", Some("/a")),
            ("/a%20b", Some("/a b")),
            ("/%c3%A9", Some("/é")),
            ("/%", Some("/%")),
            ("/%2", Some("/%2")),
            ("/%zz", Some("/%zz")),
            ("/%25", Some("/%")),
            ("/%ff", None),
            ("/%00", None),
        ] {
            assert_eq!(decoded(path).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn some_paths_are_never_asked_for() {
        for (path, whole, expected) in [
            ("/a", true, false),
            ("/a//b", true, true),
            ("/a/", true, false),
            ("/a/../b", true, true),
            ("/a/..", true, true),
            ("/a/..", false, false),
            ("/a/..b", true, false),
            ("/a%2Fb", true, true),
        ] {
            assert_eq!(is_never_asked_for(path, whole), expected, "{path}");
        }
    }
}
