//! Where callers are sent.

use super::condition::Asked;
use super::rewrite::replaced;
use super::target::with_query;
use crate::model::{Match, Redirect, RedirectPort, RedirectQuery};
use crate::values::{Literal, Scheme};

/// The `Location` of a redirect, of whose rule `held` is the alternative that holds.
///
/// What is not said stays as it was asked for, in its normalised form; the query stays unless another one is said, or none. As in Envoy, a host that is said
/// takes no port along, and the usual port of a scheme goes with its scheme (`http://a:80/` becomes `https://a/`). A port that is
/// said is left out where it is the usual one: `https://a:443/` and `https://a/` are one place (RFC 3986, 6.2.3).
pub(super) fn location(asked: &Asked<'_, '_>, redirect: &Redirect, held: Option<&Match>) -> String {
    let Redirect { code: _, scheme, host, path, prefix, port, query, span: _ } = redirect;
    let was = asked.request.entrance.scheme();
    let scheme = scheme.as_ref().map_or(was, |scheme| scheme.value.word());
    let said = |port: u16| if usual_port(scheme) == Some(port) { String::new() } else { format!(":{port}") };
    let asked_port = asked.authority.port();
    let left_behind = scheme != was && usual_port(was).is_some_and(|usual| asked_port == format!(":{usual}"));
    let port = match port {
        Some(RedirectPort::Number(port)) => said(port.get()),
        Some(RedirectPort::FromRequest) => said(asked.request.entrance.port),
        Some(RedirectPort::FromProtocol) => String::new(),
        None if host.is_some() || left_behind => String::new(),
        None => asked_port.to_owned(),
    };
    let host = host.as_ref().map_or(asked.authority.host(), |host| host.value.as_str());
    let query = match query.as_ref().map(|query| &query.value) {
        None | Some(RedirectQuery::Keep) => asked.target.query.as_deref(),
        Some(RedirectQuery::Drop) => None,
        Some(RedirectQuery::New(query)) => Some(query.as_str()),
    };
    let target = match (path, prefix) {
        (Some(path), _) => with_query(path.value.as_str(), query),
        (None, Some(prefix)) => with_query(&replaced(&asked.target.path, held, prefix.value.as_str()), query),
        (None, None) => with_query(&asked.target.path, query),
    };
    format!("{scheme}://{host}{port}{target}")
}

/// The `Location` of a virtual host that wants TLS: the rest of the URL as it was, the port too (Envoy `require_tls`).
pub(super) fn to_https(asked: &Asked<'_, '_>) -> String {
    format!("https://{}{}", asked.authority.text, asked.target.whole())
}

/// Whether two values of `Location` lead to the same place: the usual port of a scheme may be written or not.
#[must_use]
pub fn same_location(left: &str, right: &str) -> bool {
    without_usual_port(left) == without_usual_port(right)
}

fn without_usual_port(location: &str) -> String {
    let Some((scheme, rest)) = location.split_once("://") else { return location.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, target) = rest.split_at_checked(end).unwrap_or((rest, ""));
    let usual = usual_port(scheme).map(|port| format!(":{port}"));
    let authority = usual.and_then(|usual| authority.strip_suffix(usual.as_str())).unwrap_or(authority);
    format!("{scheme}://{authority}{target}")
}

fn usual_port(scheme: &str) -> Option<u16> {
    Scheme::parse(scheme).ok().map(Scheme::usual_port)
}
