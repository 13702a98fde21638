//! Redirects.

use super::api::RedirectAction;
use super::rewrites::{self, Change};
use meshc_compiler::model::{Match, Redirect, RedirectPort};
use meshc_compiler::values::Scheme;
use smol_str::SmolStr;

/// The redirect of one alternative of a condition, on a listener with this port.
pub(super) fn redirect(redirect: &Redirect, one: &Match, listening: u16) -> RedirectAction {
    let Redirect { code, scheme, host, path, prefix, port, span: _ } = redirect;
    let scheme = scheme.map(|scheme| scheme.value);
    let mut action = RedirectAction {
        scheme_redirect: scheme.map(Scheme::word),
        host_redirect: host.as_ref().map(|host| SmolStr::new(host.value.as_str())).unwrap_or_default(),
        port_redirect: match port {
            Some(RedirectPort::Number(port)) => port.get(),
            Some(RedirectPort::FromRequest) if !is_usual(scheme, listening) => listening,
            Some(RedirectPort::FromRequest | RedirectPort::FromProtocol) | None => 0,
        },
        path_redirect: path.as_ref().map(|path| SmolStr::new(path.value.as_str())),
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

/// Whether a port is the one that a URL of this scheme need not say.
fn is_usual(scheme: Option<Scheme>, port: u16) -> bool {
    match scheme {
        Some(Scheme::Http) => port == 80,
        Some(Scheme::Https) => port == 443,
        None => false,
    }
}
