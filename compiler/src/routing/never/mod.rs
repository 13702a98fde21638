//! Conditions that no request can meet, because of what proxies do to requests before they compare, and of what a request can be.
//! Sound, not complete: what is said here never holds; of what is not said nothing is known.

mod path;
mod space;

#[cfg(test)]
mod tests;

use crate::model::{HeaderTest, Match, PathMatch, PathTest};
use crate::policy::TextMatch;
use crate::values::{HostPattern, MatchHeaderName, OfConnection, is_read_by_envoy};
use path::{End, Paths};
use space::{HeaderValues, Parameters, Space, Upgrading, Word, may_take};

/// How a data plane reads requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Istio, as it is installed: dots in paths are resolved and escapes brought into one form (`pathNormalization` BASE), and no more.
    Istio,
    /// The parity profile of the raw proxies: slashes are merged too, and escaped slashes refused.
    Raw,
}

/// A comparison that never holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Never {
    /// What no request has, such as ``no request has the path `//` ``.
    pub message: String,
    /// Why.
    pub why: String,
    /// What to do.
    pub help: String,
}

/// The first comparison of an alternative that never holds, wherever the request comes in.
#[must_use]
pub fn never(one: &Match, reading: Reading) -> Option<Never> {
    let of_path = one.path.as_ref().and_then(|path| of_path(path, reading));
    of_path
        .or_else(|| one.headers.iter().find_map(|(name, test)| of_header(name, test, reading)))
        .or_else(|| one.without.iter().find_map(|(name, test)| of_absence(name, test)))
        .or_else(|| one.query.iter().find_map(|(name, test)| of_query(name, test)))
        .or_else(|| of_methods(one))
}

/// Why no request for one of these hosts has the authority that an alternative asks for.
pub fn foreign_authority<'d>(
    one: &Match,
    mut domains: impl Iterator<Item = &'d HostPattern>,
) -> Option<Never> {
    let Some(TextMatch::Exact(text)) = &one.authority else { return None };
    let host = match text.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => text,
    };
    let host = host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(host);
    let host = host.strip_suffix('.').unwrap_or(host);
    if domains.any(|domain| domain.takes(host)) {
        return None;
    }
    Some(Never {
        message: format!("no request for this host has the authority `{text}`"),
        why: "it is the host of another block, or of none".to_owned(),
        help: "remove the condition, or move the route into the block of that host".to_owned(),
    })
}

/// Why no request of a scheme meets an alternative.
#[must_use]
pub fn other_scheme(one: &Match, scheme: &str) -> Option<Never> {
    let wanted = match &one.scheme {
        Some(TextMatch::Exact(wanted)) if wanted != scheme => wanted,
        Some(TextMatch::Exact(_) | TextMatch::Prefix(_) | TextMatch::Pattern(_)) | None => return None,
    };
    Some(Never {
        message: format!("no request for this host comes in by {wanted}"),
        why: format!("the listeners that serve it speak {scheme}"),
        help: "remove the condition, or serve the host with a listener of that scheme too".to_owned(),
    })
}

fn of_path(PathMatch { test, ignore_case: _ }: &PathMatch, reading: Reading) -> Option<Never> {
    let paths = Paths { reading, with_query: false };
    match test {
        PathTest::Exact(text) => {
            paths.refuses(text, false).map(|end| literal(end, format!("no request has the path `{text}`")))
        }
        PathTest::Prefix(text) => paths
            .refuses(text, true)
            .map(|end| literal(end, format!("no request has a path that starts with `{text}`"))),
        PathTest::Under(text) => {
            let whole = paths.refuses(text, false)?;
            paths.refuses(&format!("{text}/"), true)?;
            Some(literal(whole, format!("no request has a path under `{text}`")))
        }
        PathTest::Pattern(pattern) if !may_take(pattern, &paths) => Some(Never {
            message: format!("no request has a path that `{pattern}` matches"),
            why: "the whole path must match; it starts with `/`, has no query, and is normalised first"
                .to_owned(),
            help: "start the expression with `/`, match the query with `query`, and remove `//`, `.` and \
                   `..` segments and escapes of letters"
                .to_owned(),
        }),
        PathTest::Pattern(_) => None,
    }
}

fn literal(end: End, message: String) -> Never {
    let (why, help) = match end {
        End::NoSlash => ("every path starts with `/`", "start it with `/`".to_owned()),
        End::Query => ("the path is compared without the query", "match the query with `query`".to_owned()),
        End::Foreign => {
            ("such a character is percent-encoded before paths are compared", "percent-encode it".to_owned())
        }
        End::EmptySegment => {
            ("double slashes are merged before paths are compared", "write one slash".to_owned())
        }
        End::Dots => {
            ("`.` and `..` are resolved before paths are compared", "write the resolved path".to_owned())
        }
        End::EscapedSlash => (
            "requests with a percent-encoded slash or backslash get 400",
            "use a `/`, or remove the route".to_owned(),
        ),
        End::Null => ("requests with `%00` get 400", "remove it".to_owned()),
        End::Decoded(byte) => (
            "unnecessary percent-encoding is decoded before paths are compared",
            format!("write `{}` in place of `%{byte:02X}`", char::from(byte)),
        ),
    };
    Never { message, why: why.to_owned(), help }
}

fn of_header(name: &MatchHeaderName, test: &HeaderTest, reading: Reading) -> Option<Never> {
    let MatchHeaderName::Header(header) = name else { return None };
    if header.as_str() == ":status" {
        return Some(Never {
            message: "no request has a status".to_owned(),
            why: "a route looks at requests".to_owned(),
            help: "remove the condition".to_owned(),
        });
    }
    if let Some(left) = header.of_connection() {
        return of_connection(name, left, test);
    }
    let HeaderTest::Text(text) = test else { return None };
    if header.as_str() == ":path" {
        return (!fits(text, &Paths { reading, with_query: true })).then(|| Never {
            message: format!("no request has such a `{name}`"),
            why: "it starts with `/`, and is normalised before it is compared".to_owned(),
            help: "match `path`, and the query with `query`".to_owned(),
        });
    }
    let is_plain = !header.is_pseudo() && !header.is_host();
    (is_plain && !fits(text, &HeaderValues)).then(|| Never {
        message: format!("no request has such a value in the header `{name}`"),
        why: "values have no control characters, and surrounding white space is trimmed".to_owned(),
        help: "remove what no value has".to_owned(),
    })
}

/// Headers about the connection are taken away before a route is chosen, whatever data plane it is.
fn of_connection(name: &MatchHeaderName, left: OfConnection, test: &HeaderTest) -> Option<Never> {
    let (may_be, rest) = match left {
        OfConnection::Nothing => (false, ""),
        OfConnection::Upgrading => {
            (text_fits(test, &Upgrading), ", unless it asks for an upgrade to WebSocket")
        }
        OfConnection::WebSocket => {
            let word = Word { text: "websocket", ignore_case: true };
            (text_fits(test, &word), ", unless its value is `websocket`")
        }
        OfConnection::Trailers => {
            let word = Word { text: "trailers", ignore_case: false };
            (text_fits(test, &word), ", all but `trailers`")
        }
    };
    (!may_be).then(|| Never {
        message: format!("no request has this header `{name}` when its route is chosen"),
        why: format!("it is about the connection, and removed first{rest}"),
        help: "remove the condition, or let clients send another header".to_owned(),
    })
}

/// Whether some text of a set passes this test.
fn text_fits<S: Space>(test: &HeaderTest, space: &S) -> bool {
    match test {
        HeaderTest::Present => true,
        HeaderTest::Text(text) => fits(text, space),
    }
}

fn of_absence(name: &MatchHeaderName, test: &HeaderTest) -> Option<Never> {
    let HeaderTest::Text(TextMatch::Pattern(pattern)) = test else { return None };
    (pattern.as_str() == ".*").then(|| Never {
        message: format!("every header `{name}` matches `.*`, and so does an absent one"),
        why: "an absent header is compared as an empty one".to_owned(),
        help: format!("write `header {name} absent`"),
    })
}

fn of_query(name: &str, test: &HeaderTest) -> Option<Never> {
    if !(Parameters { of_name: true }).has(name) {
        return Some(Never {
            message: format!("no query has a parameter `{name}`"),
            why: "names are compared as they are written in the URL".to_owned(),
            help: "percent-encode it, as clients do".to_owned(),
        });
    }
    let HeaderTest::Text(text) = test else { return None };
    (!fits(text, &Parameters { of_name: false })).then(|| Never {
        message: format!("no query has such a value of the parameter `{name}`"),
        why: "values are compared as they are written in the URL".to_owned(),
        help: "percent-encode it, as clients do, such as `%20` or `+` for a space".to_owned(),
    })
}

/// Whether some text of a set is like this.
fn fits<S: Space>(text: &TextMatch, space: &S) -> bool {
    match text {
        TextMatch::Exact(text) => space.has(text),
        TextMatch::Prefix(text) => space.walk(text).is_some(),
        TextMatch::Pattern(pattern) => may_take(pattern, space),
    }
}

/// Why Envoy, and with it Istio, has no request of HTTP/1.1 with one of the methods that an alternative asks for.
#[must_use]
pub fn method_refused_by_envoy(one: &Match) -> Option<Never> {
    let method = one.methods.iter().find(|method| !is_read_by_envoy(method))?;
    Some(Never {
        message: format!("HTTP/1.1 requests with the method `{method}` get 400 before a route is chosen"),
        why: "Envoy has a fixed list of the methods of HTTP/1.1".to_owned(),
        help: "use a method of the list, such as POST with a header, or let clients speak HTTP/2".to_owned(),
    })
}

fn of_methods(one: &Match) -> Option<Never> {
    let all_connect = !one.methods.is_empty() && one.methods.iter().all(|method| method == "CONNECT");
    all_connect.then(|| Never {
        message: "no request with the method CONNECT is routed by its path".to_owned(),
        why: "its target is a host and a port".to_owned(),
        help: "use a `tcp route`".to_owned(),
    })
}
