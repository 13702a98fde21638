//! What a destination saw of a request, against what the caller sent: the request line, the host, and the header fields that
//! came and went on the way.

use crate::rig::echo::Seen;
use crate::rig::wire::Headers;

/// Fields that this program adds to what it sends: they tell a stand-in how to answer.
const OF_STAND_INS: &str = "x-echo-";

/// A request as its destination saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// The method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// The host: of HTTP/2, the authority.
    pub host: String,
    /// `HTTP/1.1` or `HTTP/2`.
    pub protocol: String,
    /// Whether the proxy called by TLS.
    pub is_tls: bool,
    /// The server name that the proxy asked for by TLS.
    pub server_name: Option<String>,
    /// Header fields that the caller did not send, or not with this value.
    pub added: Headers,
    /// Header fields of the caller that did not arrive, or not with this value.
    pub removed: Headers,
}

impl Delivered {
    /// Compares the header fields that were sent with those that arrived.
    pub(super) fn new(sent: &Headers, seen: &Seen) -> Self {
        Self {
            method: seen.method.clone(),
            target: seen.target.clone(),
            host: seen.header("host").unwrap_or_default().to_owned(),
            protocol: seen.protocol.clone(),
            is_tls: seen.tls,
            server_name: seen.server_name.clone(),
            added: without(&seen.headers, sent),
            removed: without(sent, &seen.headers),
        }
    }

    /// The lines for people: what was asked for, then each field that came (`+`) or went (`-`).
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let Self { method, target, host, protocol, is_tls, server_name, added, removed } = self;
        let tls = match server_name {
            Some(name) => format!(", TLS for `{name}`"),
            None if *is_tls => ", TLS without a server name".to_owned(),
            None => String::new(),
        };
        let field = |sign: char, (name, value): &(String, String)| format!("{sign} {name}: {value}");
        let mut lines = vec![format!("destination saw {method} {target}, host {host}, {protocol}{tls}")];
        lines.extend(added.iter().map(|one| field('+', one)));
        lines.extend(removed.iter().map(|one| field('-', one)));
        lines
    }
}

/// The fields of one list that another lacks, each counted as often as it stands; the host is told apart from them.
fn without(all: &Headers, others: &Headers) -> Headers {
    let mut others: Vec<&(String, String)> = others.iter().collect();
    let mut left = Headers::new();
    for one in all {
        let (name, value) = one;
        if name.eq_ignore_ascii_case("host") || name.to_ascii_lowercase().starts_with(OF_STAND_INS) {
            continue;
        }
        match others.iter().position(|(other, same)| other.eq_ignore_ascii_case(name) && same == value) {
            Some(at) => drop(others.swap_remove(at)),
            None => left.push(one.clone()),
        }
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(all: &[(&str, &str)]) -> Headers {
        all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn fields_that_came_and_went_are_named_once_each() {
        let sent =
            headers(&[("Host", "a.com"), ("x-a", "1"), ("x-a", "1"), ("X-B", "2"), ("x-echo-headers", "x")]);
        let seen = Seen {
            method: "GET".to_owned(),
            target: "/y".to_owned(),
            protocol: "HTTP/1.1".to_owned(),
            headers: headers(&[("host", "b.com"), ("x-a", "1"), ("x-b", "3"), ("x-echo-headers", "x")]),
            ..Seen::default()
        };
        let lines = Delivered::new(&sent, &seen).lines();
        assert_eq!(
            lines,
            ["destination saw GET /y, host b.com, HTTP/1.1", "+ x-b: 3", "- x-a: 1", "- X-B: 2"]
        );
    }
}
