//! Redirects.

use super::builder::Builder;
use super::conditions::AUTHORITY;
use super::directive::{Directive, line, when};
use super::dispatch::ServerBlock;
use super::text;
use meshc_compiler::model::{PathMatch, PathTest, Redirect, RedirectPort};
use meshc_compiler::values::{Scheme, escape_literal};

/// The path that a caller asked for, as it was written.
const RAW_PATH: &str = "$mesh_raw_path";

/// Sends the caller elsewhere. `path` is what the rule asked of the path.
pub(super) fn lines(
    redirect: &Redirect,
    path: Option<&PathMatch>,
    server: ServerBlock<'_>,
    builder: &mut Builder<'_>,
) -> Vec<Directive> {
    let Redirect { code, scheme, host, path: new_path, prefix, port, span } = redirect;
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
            let rest = rest_of_path(path, prefix.value.as_str(), builder);
            // A path that is written with dots has no prefix to replace.
            lines.push(when(&rest, "", vec![line!["return", "400"]]));
            rest
        }
        (None, None) => RAW_PATH.to_owned(),
    };
    let port = new_port.map(|port| format!(":{port}")).unwrap_or_default();
    let address = format!("{new_scheme}://{host}{port}{path}$is_args$args");
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

/// A variable with the path that was asked for, its beginning replaced. Letters may have been written as escapes.
fn rest_of_path(path: Option<&PathMatch>, new: &str, builder: &mut Builder<'_>) -> String {
    let (old, under, ignore_case) = match path {
        Some(PathMatch { test: PathTest::Under(text), ignore_case }) => (text.as_str(), true, *ignore_case),
        Some(PathMatch { test: PathTest::Exact(text) | PathTest::Prefix(text), ignore_case }) => {
            (text.as_str(), false, *ignore_case)
        }
        // The checks ask for a prefix.
        Some(PathMatch { test: PathTest::Pattern(_), ignore_case: _ }) | None => ("", false, false),
    };
    let new_text = text::literal(new);
    let old = as_it_may_be_written(&text::decoded(old).unwrap_or_default());
    let sign = if ignore_case { "~*" } else { "~" };
    let base = new_text.strip_suffix('/').unwrap_or(&new_text).to_owned();
    let (key, value) = match (under, base.is_empty()) {
        (false, _) => (format!("{sign}^{old}([^\\r\\n]*)\\z"), format!("{new_text}$1")),
        (true, true) => (format!("{sign}^{old}/?([^\\r\\n]*)\\z"), "/$1".to_owned()),
        (true, false) => (format!("{sign}^{old}(/[^\\r\\n]*)?\\z"), format!("{base}$1")),
    };
    builder.http.map(RAW_PATH, vec![line!["default", ""], line![key, value]])
}

/// A regular expression for a decoded text as it may stand in a URL: slashes doubled, characters as escapes.
fn as_it_may_be_written(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'/' => out.push_str("/+"),
            byte => {
                let high = format!("{byte:02x}");
                let escaped: String = high
                    .chars()
                    .map(|digit| {
                        if digit.is_ascii_alphabetic() {
                            format!("[{digit}{}]", digit.to_ascii_uppercase())
                        } else {
                            digit.to_string()
                        }
                    })
                    .collect();
                let plain = if byte.is_ascii_graphic() {
                    format!("{}|", escape_literal(char::from(byte).encode_utf8(&mut [0; 4])))
                } else {
                    String::new()
                };
                out.push_str(&format!("(?:{plain}%{escaped})"));
            }
        }
    }
    out
}
