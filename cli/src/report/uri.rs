//! Paths as URIs.

/// A path as a URI: relative, or `file:` with an absolute one (RFC 3986).
pub(super) fn of(path: &str) -> String {
    let mut uri = String::new();
    if path.starts_with('/') {
        uri.push_str("file://");
    }
    for byte in path.bytes() {
        match byte {
            b'\\' if cfg!(windows) => uri.push('/'),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte))
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_uris() {
        assert_eq!(of("a b/ü.mesh"), "a%20b/%C3%BC.mesh");
        assert_eq!(of("/x/<std>"), "file:///x/%3Cstd%3E");
    }
}
