//! Redirects.

use super::api::RedirectAction;
use super::http::HttpPort;
use super::rewrites::{self, Change};
use meshc_compiler::model::{Match, Redirect, RedirectPort, RedirectQuery};
use meshc_compiler::values::Scheme;
use smol_str::SmolStr;

/// The redirect of one alternative of a condition, for requests that came in there.
pub(super) fn redirect(redirect: &Redirect, one: &Match, http_port: HttpPort) -> RedirectAction {
    let Redirect { code, scheme, host, path, prefix, port, query, span: _ } = redirect;
    let scheme = scheme.map(|scheme| scheme.value);
    let query = query.as_ref().map(|query| &query.value);
    let mut action = RedirectAction {
        scheme_redirect: scheme.map(Scheme::word),
        host_redirect: host.as_ref().map(|host| SmolStr::new(host.value.as_str())).unwrap_or_default(),
        port_redirect: port.map_or(0, |port| {
            new_port(port, scheme.unwrap_or(http_port.scheme()), http_port, host.is_some())
        }),
        path_redirect: path.as_ref().map(|path| match &query {
            // The end of a new path takes the place of the query.
            Some(RedirectQuery::New(query)) => SmolStr::new(format!("{}?{query}", path.value)),
            None | Some(RedirectQuery::Keep | RedirectQuery::Drop) => SmolStr::new(path.value.as_str()),
        }),
        strip_query: matches!(query, Some(RedirectQuery::Drop)),
        response_code: match code.value.get() {
            302 => Some("FOUND"),
            303 => Some("SEE_OTHER"),
            307 => Some("TEMPORARY_REDIRECT"),
            308 => Some("PERMANENT_REDIRECT"),
            // 301 is the default; there are no others.
            _ => None,
        },
        ..RedirectAction::default()
    };
    match prefix.as_ref().map(|prefix| rewrites::prefix(prefix.value.as_str(), one)) {
        Some(Change::Taken(path)) => action.prefix_rewrite = Some(path),
        Some(Change::Matched(substitution)) => action.regex_rewrite = Some(substitution),
        None => {}
    }
    action
}

/// The port that a redirect names. Envoy would keep the port that the caller wrote, unless the host is a new one: then the usual
/// port of the scheme need not be written.
fn new_port(port: RedirectPort, scheme: Scheme, http_port: HttpPort, new_host: bool) -> u16 {
    let usual = scheme.usual_port();
    let port = match port {
        RedirectPort::Number(port) => port.get(),
        RedirectPort::FromRequest => http_port.number,
        RedirectPort::FromProtocol => usual,
    };
    if new_host && port == usual { 0 } else { port }
}
