//! Listeners: which servers stand on a port.
//!
//! A port is one server's where its connections need no telling apart before TLS begins. Else a server of
//! `stream` reads the name that TLS asks for and passes the connection on to a hop: an address of the loopback on which the
//! server that it is for is heard. The PROXY protocol carries the caller's address along.

use super::builder::Builder;
use super::directive::{Directive, line};
use super::files::NO_LIMIT;
use super::hosts;
use super::http;
use super::listener_tls;
use super::stream::{self, SNI, Secured};
use super::variables::Subsystem;
use crate::raw_proxy::{Place, place};
use meshc_compiler::routing::{Listener, Plain, TlsKind, TlsServer};
use meshc_compiler::values::{HostPattern, TlsVersion};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

/// The servers of a proxy.
#[derive(Debug, Default)]
pub(super) struct Servers {
    pub(super) http: Vec<Directive>,
    pub(super) stream: Vec<Directive>,
}

/// Where a server is heard.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    /// The addresses with their ports: one, or that of IPv4 and that of IPv6.
    pub(super) addresses: Vec<String>,
    /// The port of the listener.
    pub(super) port: u16,
    /// Whether it is behind another server, which speaks the PROXY protocol.
    pub(super) is_hop: bool,
}

/// What one server does with connections of a port.
enum Handler<'l> {
    PlainHttp(&'l meshc_compiler::routing::HttpServer),
    PlainTcp(&'l [meshc_compiler::routing::ConnectionRule]),
    /// HTTP in TLS of the same versions.
    TlsHttp(Vec<&'l TlsServer>),
    TlsTcp(&'l TlsServer),
    Passthrough(Vec<&'l TlsServer>),
}

/// Adds the servers of a listener.
pub(super) fn add(listener: &Listener, builder: &mut Builder<'_>, servers: &mut Servers) {
    let Listener { bind: _, all: _, port, plain, tls, conflicts: _ } = listener;
    let addresses: Vec<String> = sockets(listener, builder).iter().map(SocketAddr::to_string).collect();
    let handlers = handlers(plain.as_ref(), tls);
    builder.heard = addresses.join(" ");
    match handlers.as_slice() {
        [] => {}
        [only] if stands_alone(only) => {
            let heard = Heard { addresses, port: *port, is_hop: false };
            serve(only, &[], &heard, builder, servers);
        }
        several => front(several, addresses, *port, builder, servers),
    }
}

/// The sockets on which a listener is heard.
pub(super) fn sockets(listener: &Listener, builder: &Builder<'_>) -> Vec<SocketAddr> {
    let addresses = match place(listener, builder.model, builder.proxy, builder.limits) {
        Place::At(address) => vec![address],
        // One socket for both would tell addresses of IPv4 in the form of IPv6.
        Place::Everywhere => vec![Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()],
    };
    addresses.into_iter().map(|address| SocketAddr::new(address, listener.port)).collect()
}

/// The module that opens the sockets of a listener; `None` for one that nothing is served on.
pub(super) fn subsystem(listener: &Listener) -> Option<Subsystem> {
    match handlers(listener.plain.as_ref(), &listener.tls).as_slice() {
        [] => None,
        [Handler::PlainHttp(_) | Handler::TlsHttp(_)] => Some(Subsystem::Http),
        _ => Some(Subsystem::Stream),
    }
}

fn handlers<'l>(plain: Option<&'l Plain>, tls: &'l [TlsServer]) -> Vec<Handler<'l>> {
    let mut handlers = Vec::new();
    match plain {
        Some(Plain::Http(server)) => handlers.push(Handler::PlainHttp(server)),
        Some(Plain::Tcp(rules)) => handlers.push(Handler::PlainTcp(rules)),
        None => {}
    }
    let mut http: Vec<(Vec<TlsVersion>, Vec<&TlsServer>)> = Vec::new();
    let mut passing = Vec::new();
    for server in tls {
        match &server.kind {
            TlsKind::Http(settings, _) => {
                let versions = listener_tls::versions(settings);
                match http.iter_mut().find(|(known, _)| *known == versions) {
                    Some((_, group)) => group.push(server),
                    None => http.push((versions, vec![server])),
                }
            }
            TlsKind::Tcp(..) => handlers.push(Handler::TlsTcp(server)),
            TlsKind::Passthrough(_) => passing.push(server),
        }
    }
    handlers.extend(http.into_iter().map(|(_, group)| Handler::TlsHttp(group)));
    if !passing.is_empty() {
        handlers.push(Handler::Passthrough(passing));
    }
    handlers
}

/// Whether a handler that has a port for itself can tell its connections apart.
fn stands_alone(handler: &Handler<'_>) -> bool {
    match handler {
        Handler::PlainHttp(_) | Handler::PlainTcp(_) | Handler::TlsHttp(_) | Handler::Passthrough(_) => true,
        Handler::TlsTcp(server) => server.names.iter().any(HostPattern::is_any),
    }
}

/// Adds the servers of one handler. `elsewhere` are the names for which other handlers of the port end TLS with HTTP in it.
fn serve(
    handler: &Handler<'_>,
    elsewhere: &[&HostPattern],
    heard: &Heard,
    builder: &mut Builder<'_>,
    servers: &mut Servers,
) {
    match handler {
        Handler::PlainHttp(server) => servers.http.extend(http::plain(server, heard, builder)),
        Handler::TlsHttp(group) => servers.http.extend(http::secured(group, elsewhere, heard, builder)),
        Handler::PlainTcp(rules) => servers.stream.push(stream::server(rules, Secured::Not, heard, builder)),
        Handler::Passthrough(group) => servers.stream.push(stream::passing(group, heard, builder)),
        Handler::TlsTcp(server) => {
            if let TlsKind::Tcp(tls, rules) = &server.kind {
                servers.stream.push(stream::server(rules, Secured::Ends(tls), heard, builder));
            }
        }
    }
}

/// The names for which a handler ends TLS with HTTP in it.
fn names_of_http<'l>(handler: &'l Handler<'_>) -> impl Iterator<Item = &'l HostPattern> {
    let group: &[&TlsServer] = match handler {
        Handler::TlsHttp(group) => group,
        Handler::PlainHttp(_) | Handler::PlainTcp(_) | Handler::TlsTcp(_) | Handler::Passthrough(_) => &[],
    };
    group.iter().flat_map(|server| &server.names)
}

/// What a handler is, whatever else stands on its port: its connections mean the same in every configuration that has it. One
/// that looks at names again needs none in it.
fn identity(handler: &Handler<'_>) -> String {
    match handler {
        Handler::PlainHttp(_) => "http".to_owned(),
        Handler::PlainTcp(_) => "tcp".to_owned(),
        Handler::Passthrough(_) => "passthrough".to_owned(),
        Handler::TlsHttp(group) => match group.first().map(|server| &server.kind) {
            Some(TlsKind::Http(tls, _)) => format!("https {:?}", listener_tls::versions(tls)),
            Some(TlsKind::Tcp(..) | TlsKind::Passthrough(_)) | None => "https".to_owned(),
        },
        Handler::TlsTcp(server) => {
            let mut names: Vec<&str> = server.names.iter().map(HostPattern::as_str).collect();
            names.sort_unstable();
            format!("tls {}", names.join(" "))
        }
    }
}

/// Several handlers behind one port, and the server that tells their connections apart.
fn front(
    handlers: &[Handler<'_>],
    addresses: Vec<String>,
    port: u16,
    builder: &mut Builder<'_>,
    servers: &mut Servers,
) {
    let mut plain = String::new();
    let mut names: Vec<(HostPattern, String)> = Vec::new();
    let mut hops = Vec::new();
    for handler in handlers {
        let hop = builder.hop(&identity(handler));
        let of = |server: &TlsServer| {
            server.names.iter().map(|name| (name.clone(), hop.clone())).collect::<Vec<_>>()
        };
        match handler {
            Handler::PlainHttp(_) | Handler::PlainTcp(_) => plain.clone_from(&hop),
            Handler::TlsHttp(group) | Handler::Passthrough(group) => {
                names.extend(group.iter().flat_map(|one| of(one)))
            }
            Handler::TlsTcp(server) => names.extend(of(server)),
        }
        hops.push(hop);
    }
    let by_name = hosts::map(SNI, &names, "", &mut builder.stream);
    let target =
        builder.stream.map("$ssl_preread_protocol", vec![line!["default", by_name], line!["", plain]]);
    let mut inside: Vec<Directive> = addresses.into_iter().map(|address| line!["listen", address]).collect();
    inside.extend([
        line!["ssl_preread", "on"],
        line!["proxy_protocol", "on"],
        // How long silence may last is said by the server behind it, which knows for whom a connection is.
        line!["proxy_timeout", NO_LIMIT],
        line!["proxy_pass", target],
    ]);
    servers.stream.push(line!["server"].block(inside));
    for (at, (handler, hop)) in handlers.iter().zip(hops).enumerate() {
        let others = handlers.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, one)| one);
        let elsewhere: Vec<&HostPattern> = others.flat_map(names_of_http).collect();
        serve(handler, &elsewhere, &Heard { addresses: vec![hop], port, is_hop: true }, builder, servers);
    }
}
