//! Servers for HTTP, with TLS or without.

use super::builder::Builder;
use super::directive::{Directive, line, when_set};
use super::dispatch::{self, ServerBlock};
use super::hosts::{self, Among};
use super::listener_tls;
use super::listeners::Heard;
use super::text::EMPTY;
use meshc_compiler::routing::{HttpServer, Role, RuleAction, TlsKind, TlsServer, VirtualHost};
use meshc_compiler::values::{HostMap, HostPattern, Protocol, Scheme};
use meshc_language::{Code, Diagnostic};
use rustc_hash::FxHashSet;

/// Where a request goes whose path is not sent on as the client wrote it: its path as nginx has read it, or an inner location.
const TURN: &str = "$mesh_turn";
/// What a server without a name is called: no name that is asked for.
const NOBODY: &str = "-";

/// The servers of a port for HTTP without TLS.
pub(super) fn plain(server: &HttpServer, heard: &Heard, builder: &mut Builder<'_>) -> Vec<Directive> {
    let HttpServer { virtual_hosts } = server;
    let mut flags = flags(heard);
    if expects_http2(server, heard.port, builder) {
        flags.push("http2".to_owned());
    } else {
        report_grpc(server, builder);
    }
    let all: Among = virtual_hosts.iter().flat_map(|host| &host.domains).collect();
    let mut servers = Vec::new();
    for host in virtual_hosts {
        let mut inside = opening(heard, &flags, &host.domains, &all);
        inside.extend(virtual_host(host, &host.domains, Scheme::Http, heard, builder));
        servers.push(commented(line!["server"].block(inside), host, builder));
    }
    if !all.has_any {
        servers.push(nowhere(heard, &flags, Vec::new()));
    }
    servers
}

/// The servers of a port for HTTP in TLS, whose versions are the same. `elsewhere` are names that others of the port have.
pub(super) fn secured(
    group: &[&TlsServer],
    elsewhere: &[&HostPattern],
    heard: &Heard,
    builder: &mut Builder<'_>,
) -> Vec<Directive> {
    let mut flags = flags(heard);
    flags.extend(["ssl".to_owned(), "http2".to_owned()]);
    let called: Vec<&str> = group.iter().map(|server| name_of(server)).collect();
    let names: Vec<(&HostPattern, usize)> = group
        .iter()
        .enumerate()
        .flat_map(|(at, server)| server.names.iter().map(move |name| (name, at)))
        .collect();
    // A request must not reach the hosts of another server than that whose certificate was asked for: it may not have shown
    // what that one wants to see.
    let asked = (group.len() > 1).then(|| {
        let called = |at: usize| called.get(at).copied().unwrap_or(NOBODY).to_owned();
        let servers: Vec<(HostPattern, String)> =
            names.iter().map(|(name, at)| ((*name).clone(), called(*at))).collect();
        hosts::map("$ssl_server_name", &servers, "", &mut builder.http)
    });
    let mut owners: HostMap<Option<usize>> =
        names.iter().map(|(name, at)| ((*name).clone(), Some(*at))).collect();
    let within = |name: &&HostPattern| owners.most_specific(name).is_some();
    let elsewhere: Vec<&HostPattern> = elsewhere.iter().copied().filter(within).collect();
    for name in &elsewhere {
        owners.add((*name).clone(), None);
    }
    let claims = claims(group, &owners);
    let own = claims.iter().flatten().flatten().chain(names.iter().map(|(name, _)| *name));
    let every: Among = own.chain(elsewhere.iter().copied()).collect();
    let port = TlsPort { heard, flags: &flags, every: &every };
    let resumes = !group.iter().any(|server| asks_callers(server));
    let mut servers = Vec::new();
    for (server, claims) in group.iter().zip(&claims) {
        let TlsKind::Http(tls, http) = &server.kind else { continue };
        let mut own = listener_tls::lines(tls, true, builder);
        if !resumes {
            own.push(line!["ssl_session_tickets", "off"]);
        }
        own.extend(asked.iter().map(|asked| misdirected(asked, name_of(server))));
        servers.extend(port.virtual_hosts(http, claims, &own, builder));
        servers.extend(port.unclaimed(server, claims, own));
    }
    let refused = refused_handshake(group);
    servers.extend(port.elsewhere(&elsewhere, &refused));
    if !names.iter().any(|(name, _)| name.is_any()) {
        servers.push(nowhere(heard, &flags, refused));
    }
    servers
}

/// What a server of TLS says that has no certificate. nginx wants all servers of a port to have the same versions.
fn refused_handshake(group: &[&TlsServer]) -> Vec<Directive> {
    let mut lines = vec![line!["ssl_reject_handshake", "on"]];
    if let Some(TlsKind::Http(tls, _)) = group.first().map(|server| &server.kind) {
        let versions = listener_tls::versions(tls).into_iter().map(listener_tls::version);
        lines.push(line!["ssl_protocols"].and(versions));
    }
    lines
}

/// A port for HTTP in TLS.
struct TlsPort<'p> {
    heard: &'p Heard,
    flags: &'p [String],
    /// All names on the port.
    every: &'p Among,
}

impl TlsPort<'_> {
    /// The servers of virtual hosts, each for the domains that it claims; `own` is what their TLS says.
    fn virtual_hosts(
        &self,
        http: &HttpServer,
        claims: &[Vec<HostPattern>],
        own: &[Directive],
        builder: &mut Builder<'_>,
    ) -> Vec<Directive> {
        let HttpServer { virtual_hosts } = http;
        let claiming = virtual_hosts.iter().zip(claims).filter(|(_, domains)| !domains.is_empty());
        let server = |(host, domains): (&VirtualHost, &Vec<HostPattern>)| {
            let mut inside = opening(self.heard, self.flags, domains, self.every);
            inside.extend(own.iter().cloned());
            inside.extend(virtual_host(host, domains, Scheme::Https, self.heard, builder));
            commented(line!["server"].block(inside), host, builder)
        };
        claiming.map(server).collect()
    }

    /// The server for the names that no virtual host claims.
    fn unclaimed(
        &self,
        server: &TlsServer,
        claims: &[Vec<HostPattern>],
        own: Vec<Directive>,
    ) -> Option<Directive> {
        let claimed: FxHashSet<&HostPattern> = claims.iter().flatten().collect();
        let is_left = |name: &&HostPattern| !claimed.contains(name);
        let left: Vec<HostPattern> = server.names.iter().filter(is_left).cloned().collect();
        if left.is_empty() {
            return None;
        }
        let mut inside = opening(self.heard, self.flags, &left, self.every);
        inside.extend(own);
        inside.push(line!["return", "404", EMPTY]);
        Some(line!["server"].block(inside).at(server.span))
    }

    /// The server for names for which TLS ends elsewhere: no handshake for them comes here, only requests in the TLS of another
    /// name.
    fn elsewhere(&self, names: &[&HostPattern], refused: &[Directive]) -> Option<Directive> {
        if names.is_empty() {
            return None;
        }
        let names: Vec<HostPattern> = names.iter().map(|name| (*name).clone()).collect();
        let mut inside = listen(self.heard, self.flags, false);
        inside.push(server_name(&names, self.every));
        inside.extend(refused.iter().cloned());
        inside.push(line!["return", "421"]);
        Some(line!["server"].block(inside))
    }
}

fn asks_callers(server: &TlsServer) -> bool {
    match &server.kind {
        TlsKind::Http(tls, _) | TlsKind::Tcp(tls, _) => tls.mode.value.asks_callers(),
        TlsKind::Passthrough(_) => false,
    }
}

/// What a server of a port is called where servers are told apart: by its first name, which no other has.
fn name_of(server: &TlsServer) -> &str {
    server.names.first().map_or(NOBODY, HostPattern::as_str)
}

fn misdirected(asked: &str, name: &str) -> Directive {
    line!["if", format!("({asked}"), "!=", name, ")"].block(vec![line!["return", "421"]])
}

/// The domains of each virtual host of each server that are reached by the server's own names. A domain that another server has
/// a more specific name for is that one's.
fn claims(group: &[&TlsServer], owners: &HostMap<Option<usize>>) -> Vec<Vec<Vec<HostPattern>>> {
    let owner = |domain: &HostPattern| owners.most_specific(domain).copied().flatten();
    let of_server = |(at, server): (usize, &&TlsServer)| {
        let TlsKind::Http(_, http) = &server.kind else { return Vec::new() };
        let own = |host: &VirtualHost| {
            let domains = host.domains.iter().filter(|domain| owner(domain) == Some(at));
            domains.cloned().collect()
        };
        http.virtual_hosts.iter().map(own).collect()
    };
    group.iter().enumerate().map(of_server).collect()
}

fn flags(heard: &Heard) -> Vec<String> {
    if heard.is_hop { vec!["proxy_protocol".to_owned()] } else { Vec::new() }
}

fn listen(heard: &Heard, flags: &[String], is_default: bool) -> Vec<Directive> {
    let listen = |address: &String| {
        let default = is_default.then(|| "default_server".to_owned());
        line!["listen", address.clone()].and(default).and(flags.iter().cloned())
    };
    let mut lines: Vec<Directive> = heard.addresses.iter().map(listen).collect();
    if heard.is_hop {
        lines.push(line!["set_real_ip_from", "127.0.0.0/8"]);
        lines.push(line!["real_ip_header", "proxy_protocol"]);
    }
    lines
}

/// What a server for some domains begins with, `among` all names on its port.
fn opening(heard: &Heard, flags: &[String], domains: &[HostPattern], among: &Among) -> Vec<Directive> {
    let mut inside = listen(heard, flags, domains.iter().any(HostPattern::is_any));
    inside.push(server_name(domains, among));
    inside
}

fn server_name(domains: &[HostPattern], among: &Among) -> Directive {
    let names: Vec<String> = domains
        .iter()
        .map(|domain| if domain.is_any() { "_".to_owned() } else { hosts::name(domain, among) })
        .collect();
    line!["server_name"].and(names)
}

/// What answers hosts that nobody serves.
fn nowhere(heard: &Heard, flags: &[String], tls: Vec<Directive>) -> Directive {
    let mut inside = listen(heard, flags, true);
    inside.push(line!["server_name", "_"]);
    inside.extend(tls);
    inside.push(when_set("$mesh_is_old", vec![line!["return", "426"]]));
    inside.push(line!["return", "404", EMPTY]);
    line!["server"].block(inside)
}

fn commented(server: Directive, host: &VirtualHost, builder: &Builder<'_>) -> Directive {
    let comment = builder.provenance.virtual_host(builder.model, host);
    server.at(host.span).maybe_comment(comment)
}

fn virtual_host(
    host: &VirtualHost,
    domains: &[HostPattern],
    scheme: Scheme,
    heard: &Heard,
    builder: &mut Builder<'_>,
) -> Vec<Directive> {
    let mut lines = vec![when_set("$mesh_is_old", vec![line!["return", "426"]])];
    if host.https_only {
        lines.push(when_set("$mesh_is_bad", vec![line!["return", "400"]]));
        lines.push(line!["return", "301", "https://$mesh_authority$request_uri"]);
        return lines;
    }
    // A copy of a request comes by here too, with the name of its location for a path.
    lines.push(when_set(TURN, vec![line!["rewrite", "^/", TURN, "last"]]));
    let server = ServerBlock { scheme, port: heard.port, domains };
    lines.extend(dispatch::locations(host, server, builder));
    lines
}

/// Reports routes to gRPC on a port where nginx hears HTTP/1.1.
fn report_grpc(server: &HttpServer, builder: &mut Builder<'_>) {
    for rule in server.virtual_hosts.iter().filter(|host| !host.https_only).flat_map(|host| &host.rules) {
        let RuleAction::Forward(to) = &rule.action else { continue };
        if to.iter().filter_map(|one| builder.upstream(one.upstream)).any(dispatch::speaks_grpc) {
            builder.reports.push(
                Diagnostic::new(
                    Code::GRPC_WITHOUT_HTTP2,
                    rule.span,
                    "gRPC clients cannot reach this route through nginx",
                )
                .label("on `listen http`, nginx accepts HTTP/1.1 only")
                .consequence("every gRPC call gets 400")
                .help("use `listen grpc` on a port of its own, or `listen https`"),
            );
        }
    }
}

/// Whether callers of a port speak HTTP/2 from the start. nginx cannot tell it from HTTP/1.1.
fn expects_http2(server: &HttpServer, port: u16, builder: &mut Builder<'_>) -> bool {
    if let Role::Gateway(id) = builder.proxy.role {
        let gateway = builder.model.mesh.gateways.get(id);
        let listeners = gateway.iter().flat_map(|gateway| &gateway.declared.body.listeners);
        let mut of_port = listeners.filter(|one| one.port.value.get() == port && one.body.tls.is_none());
        return of_port.any(|one| matches!(one.protocol.value, Protocol::Http2 | Protocol::Grpc));
    }
    let wants = |host: &VirtualHost, builder: &Builder<'_>| {
        let mut upstreams = host.rules.iter().flat_map(|rule| match &rule.action {
            RuleAction::Forward(to) => to.as_slice(),
            RuleAction::Redirect(_) | RuleAction::Respond(_) => &[],
        });
        upstreams.any(|one| {
            builder
                .proxy
                .upstreams
                .get(one.upstream)
                .is_some_and(|upstream| upstream.protocol().is_http2_family())
        })
    };
    let first = server.virtual_hosts.iter().find(|host| wants(host, builder)).map(|host| host.span);
    let other = server.virtual_hosts.iter().any(|host| !wants(host, builder));
    if let (Some(first), true) = (first, other) {
        builder.refuse(
            first,
            &format!("HTTP/2 beside HTTP/1.1 on port {port}"),
            "without TLS, nginx accepts only one of them on a port",
            "give one of the services another port",
        );
    }
    first.is_some()
}
