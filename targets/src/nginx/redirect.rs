//! Redirects.

use super::builder::Builder;
use super::conditions::AUTHORITY;
use super::directive::{Directive, line, when};
use super::dispatch::ServerBlock;
use super::path_prefix;
use super::rewrite::WRITTEN_PATH;
use super::text;
use meshc_compiler::model::{PathMatch, Redirect, RedirectPort, RedirectQuery};
use meshc_compiler::values::Scheme;
use meshc_language::Span;

/// The path that a caller asked for, as it was written.
const RAW_PATH: &str = "$mesh_raw_path";

/// Sends the caller elsewhere. `path` is what the rule asked of the path.
pub(super) fn lines(
    redirect: &Redirect,
    path: Option<&PathMatch>,
    server: ServerBlock<'_>,
    builder: &mut Builder<'_>,
) -> Vec<Directive> {
    let Redirect { code, scheme, host, path: new_path, prefix, port, query, span } = redirect;
    let new_scheme = scheme.as_ref().map_or(server.scheme, |scheme| scheme.value);
    let new_port = match port {
        Some(RedirectPort::Number(port)) => Some(port.get()),
        Some(RedirectPort::FromRequest) => Some(server.port),
        Some(RedirectPort::FromProtocol) | None => None,
    };
    let new_port = new_port.filter(|port| *port != new_scheme.usual_port());
    let host = match host {
        Some(host) => host.value.as_str().to_owned(),
        None => same_host(server.scheme, new_scheme, port.is_some(), builder),
    };
    let mut lines = Vec::new();
    let path = match (new_path, prefix) {
        (Some(path), _) => text::literal(path.value.as_str()),
        (None, Some(prefix)) => {
            let rest = rest_of_path(path, prefix.value.as_str(), *span, builder);
            // Letters of the prefix may be written as escapes beside others that have to stay.
            lines.push(when(&rest, "", vec![line!["return", "400"]]));
            rest
        }
        (None, None) => RAW_PATH.to_owned(),
    };
    let port = new_port.map(|port| format!(":{port}")).unwrap_or_default();
    let query = match query.as_ref().map(|query| &query.value) {
        None | Some(RedirectQuery::Keep) => "$is_args$args".to_owned(),
        Some(RedirectQuery::Drop) => String::new(),
        Some(RedirectQuery::New(query)) => format!("?{}", text::literal(query.as_str())),
    };
    let address = format!("{new_scheme}://{host}{port}{path}{query}");
    lines.push(line!["return", code.value.get().to_string(), address].at(*span));
    lines
}

/// The host that the caller asked for. Its port stays, unless another is set, or it is the usual one of a scheme that changes.
fn same_host(scheme: Scheme, new_scheme: Scheme, new_port: bool, builder: &mut Builder<'_>) -> String {
    let port = if new_port {
        "[0-9]+".to_owned()
    } else if scheme != new_scheme {
        scheme.usual_port().to_string()
    } else {
        return AUTHORITY.to_owned();
    };
    let key = format!("~^([^\\r\\n]+):{port}\\z");
    builder.http.map(AUTHORITY, vec![line!["default", AUTHORITY], line![key, "$1"]])
}

/// A variable with the path that was asked for, its beginning replaced.
fn rest_of_path(path: Option<&PathMatch>, new: &str, span: Span, builder: &mut Builder<'_>) -> String {
    let mut entries = vec![line!["default", ""]];
    entries.extend(path_prefix::replaced(path, new, span));
    builder.http.map(WRITTEN_PATH, entries)
}
