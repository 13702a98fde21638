//! Listeners: which of nginx's parts stands on a port.
//!
//! A port is one server's where its connections need no telling apart before TLS begins. Else a server of the part for
//! connections reads the name that TLS asks for and passes the connection on to a hop: an address of the loopback on which the
//! server that it is for is heard. The PROXY protocol carries the caller's address along.

use super::directive::{Directive, line};
use super::hosts;
use super::http;
use super::listener_tls;
use super::site::Site;
use super::stream::{self, Secured};
use meshc_compiler::routing::{Listener, Plain, TlsKind, TlsServer};
use meshc_compiler::values::{HostPattern, TlsVersion};
use std::net::{IpAddr, Ipv4Addr};

/// The servers of a proxy.
#[derive(Debug, Default)]
pub(super) struct Servers {
    pub(super) http: Vec<Directive>,
    pub(super) stream: Vec<Directive>,
}

/// Where a server is heard.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    /// The address and port.
    pub(super) address: String,
    /// The port of the listener.
    pub(super) port: u16,
    /// Whether it is behind another server, which speaks the PROXY protocol.
    pub(super) is_hop: bool,
}

/// What one server can do with connections of a port.
enum Part<'l, 'm> {
    PlainHttp(&'l meshc_compiler::routing::HttpServer<'m>),
    PlainTcp(&'l [meshc_compiler::routing::ConnectionRule<'m>]),
    /// HTTP in TLS of the same versions.
    TlsHttp(Vec<&'l TlsServer<'m>>),
    TlsTcp(&'l TlsServer<'m>),
    Passthrough(Vec<&'l TlsServer<'m>>),
}

/// Adds the servers of a listener.
pub(super) fn add<'m>(listener: &Listener<'m>, site: &mut Site<'_, 'm>, servers: &mut Servers) {
    let Listener { bind, port, plain, tls, conflicts: _ } = listener;
    let address = address(*bind, *port, site);
    let parts = parts(plain.as_ref(), tls);
    match parts.as_slice() {
        [] => {}
        [only] if stands_alone(only) => {
            let heard = Heard { address, port: *port, is_hop: false };
            serve(only, &[], &heard, site, servers);
        }
        several => front(several, &address, *port, site, servers),
    }
}

fn address(bind: Option<IpAddr>, port: u16, site: &Site<'_, '_>) -> String {
    let everywhere = site.is_gateway() || site.model.deploy().is_some();
    let usual = if everywhere { Ipv4Addr::UNSPECIFIED } else { Ipv4Addr::LOCALHOST };
    match bind.unwrap_or(IpAddr::V4(usual)) {
        IpAddr::V4(address) => format!("{address}:{port}"),
        IpAddr::V6(address) => format!("[{address}]:{port}"),
    }
}

fn parts<'l, 'm>(plain: Option<&'l Plain<'m>>, tls: &'l [TlsServer<'m>]) -> Vec<Part<'l, 'm>> {
    let mut parts = Vec::new();
    match plain {
        Some(Plain::Http(server)) => parts.push(Part::PlainHttp(server)),
        Some(Plain::Tcp(rules)) => parts.push(Part::PlainTcp(rules)),
        None => {}
    }
    let mut http: Vec<(Vec<TlsVersion>, Vec<&TlsServer<'m>>)> = Vec::new();
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
            TlsKind::Tcp(..) => parts.push(Part::TlsTcp(server)),
            TlsKind::Passthrough(_) => passing.push(server),
        }
    }
    parts.extend(http.into_iter().map(|(_, group)| Part::TlsHttp(group)));
    if !passing.is_empty() {
        parts.push(Part::Passthrough(passing));
    }
    parts
}

/// Whether a part that has a port for itself tells its connections apart by itself.
fn stands_alone(part: &Part<'_, '_>) -> bool {
    match part {
        Part::PlainHttp(_) | Part::PlainTcp(_) | Part::TlsHttp(_) | Part::Passthrough(_) => true,
        Part::TlsTcp(server) => server.names.iter().any(HostPattern::is_any),
    }
}

/// Adds the servers of one part. `elsewhere` are the names for which other parts of the port end TLS with HTTP in it.
fn serve<'m>(
    part: &Part<'_, 'm>,
    elsewhere: &[&HostPattern],
    heard: &Heard,
    site: &mut Site<'_, 'm>,
    servers: &mut Servers,
) {
    match part {
        Part::PlainHttp(server) => servers.http.extend(http::plain(server, heard, site)),
        Part::TlsHttp(group) => servers.http.extend(http::secured(group, elsewhere, heard, site)),
        Part::PlainTcp(rules) => servers.stream.push(stream::server(rules, Secured::Not, heard, site)),
        Part::Passthrough(group) => servers.stream.push(stream::passing(group, heard, site)),
        Part::TlsTcp(server) => {
            if let TlsKind::Tcp(tls, rules) = &server.kind {
                servers.stream.push(stream::server(rules, Secured::Ends(tls), heard, site));
            }
        }
    }
}

/// The names for which a part ends TLS with HTTP in it.
fn names_of_http<'l>(part: &'l Part<'_, '_>) -> impl Iterator<Item = &'l HostPattern> {
    let group: &[&TlsServer<'_>] = match part {
        Part::TlsHttp(group) => group,
        Part::PlainHttp(_) | Part::PlainTcp(_) | Part::TlsTcp(_) | Part::Passthrough(_) => &[],
    };
    group.iter().flat_map(|server| &server.names)
}

/// Several parts on one port, and the server that tells their connections apart.
fn front<'m>(
    parts: &[Part<'_, 'm>],
    address: &str,
    port: u16,
    site: &mut Site<'_, 'm>,
    servers: &mut Servers,
) {
    let mut plain = String::new();
    let mut names: Vec<(HostPattern, String)> = Vec::new();
    let mut hops = Vec::new();
    for part in parts {
        let hop = site.hop(port);
        let of = |server: &TlsServer<'m>| {
            server.names.iter().map(|name| (name.clone(), hop.clone())).collect::<Vec<_>>()
        };
        match part {
            Part::PlainHttp(_) | Part::PlainTcp(_) => plain.clone_from(&hop),
            Part::TlsHttp(group) | Part::Passthrough(group) => {
                names.extend(group.iter().flat_map(|one| of(one)))
            }
            Part::TlsTcp(server) => names.extend(of(server)),
        }
        hops.push(hop);
    }
    let by_name = hosts::map("$ssl_preread_server_name", &names, "", &mut site.stream);
    let target = site.stream.map("$ssl_preread_protocol", vec![line!["default", by_name], line!["", plain]]);
    servers.stream.push(line!["server"].block(vec![
        line!["listen", address],
        line!["ssl_preread", "on"],
        line!["proxy_protocol", "on"],
        line!["proxy_pass", target],
    ]));
    for (at, (part, hop)) in parts.iter().zip(hops).enumerate() {
        let others = parts.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, part)| part);
        let elsewhere: Vec<&HostPattern> = others.flat_map(names_of_http).collect();
        serve(part, &elsewhere, &Heard { address: hop, port, is_hop: true }, site, servers);
    }
}
