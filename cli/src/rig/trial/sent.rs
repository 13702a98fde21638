//! Requests as reports show them: as `--show` takes them.

use crate::rig::rigged::Rigged;
use meshc_compiler::routing::matcher::{Entrance, Request, Security};
use meshc_compiler::values::Scheme;
use std::net::IpAddr;

/// A request in a line, with the port that the sources give to its listener. Where TLS does not ask for the host of the URL, it
/// says so behind.
pub(super) fn shown(request: &Request, rigged: &Rigged) -> String {
    let Request { entrance, method, authority, target, headers, source: _ } = request;
    let headers: String = headers.iter().map(|(name, value)| format!(" -H {name}: {value}")).collect();
    let (name, port) = parts(authority);
    let declared = declared_port(entrance, rigged);
    let port = match port {
        None if declared != usual_port(&entrance.security) => format!(":{declared}"),
        Some(_) | None => String::new(),
    };
    let scheme = entrance.scheme();
    let asked = asked(&entrance.security, name);
    format!("{method} {scheme}://{authority}{port}{target}{headers}{asked}")
}

/// The port that a listener has in the sources; here it has another one.
fn declared_port(entrance: &Entrance, rigged: &Rigged) -> u16 {
    let listeners = rigged.proxy.listeners.iter().zip(&rigged.ports);
    let own = listeners.filter(|(listener, _)| listener.port == entrance.port).map(|(_, port)| *port).next();
    own.unwrap_or(entrance.port)
}

const fn usual_port(security: &Security) -> u16 {
    match security {
        Security::Plain => Scheme::Http.usual_port(),
        Security::Tls { .. } => Scheme::Https.usual_port(),
    }
}

/// What TLS asks for, if that is not the host.
fn asked(security: &Security, host: &str) -> String {
    match security {
        Security::Tls { server_name: Some(name) } if !name.eq_ignore_ascii_case(host) => {
            format!(", by TLS for `{name}`")
        }
        // Addresses are never asked for.
        Security::Tls { server_name: None } if host.parse::<IpAddr>().is_err() => {
            ", with TLS without a server name".to_owned()
        }
        Security::Plain | Security::Tls { .. } => String::new(),
    }
}

/// The host of an authority, without the brackets of an address, and its port.
pub fn parts(authority: &str) -> (&str, Option<&str>) {
    let bracketed = authority.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    match (bracketed, authority.split_once(':')) {
        (Some((host, rest)), _) => (host, rest.strip_prefix(':')),
        (None, Some((host, port))) => (host, Some(port)),
        (None, None) => (authority, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_has_a_host_and_a_port() {
        for (authority, host, port) in [
            ("a.com", "a.com", None),
            ("a.com:80", "a.com", Some("80")),
            ("[::1]", "::1", None),
            ("[::1]:80", "::1", Some("80")),
        ] {
            assert_eq!(parts(authority), (host, port));
        }
    }

    #[test]
    fn a_name_that_is_not_the_host_is_shown() {
        let tls = |name: Option<&str>| Security::Tls { server_name: name.map(ToOwned::to_owned) };
        assert_eq!(asked(&Security::Plain, "a.com"), "");
        assert_eq!(asked(&tls(Some("A.com")), "a.com"), "");
        assert_eq!(asked(&tls(Some("b.com")), "a.com"), ", by TLS for `b.com`");
        assert_eq!(asked(&tls(None), "a.com"), ", with TLS without a server name");
        assert_eq!(asked(&tls(None), "::1"), "");
    }
}
