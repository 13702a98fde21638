//! Connections under trial: those that are passed on, those that are refused, and who may come in by TLS.

use super::judge::{answers_refused, is_private, one_of, upstream_tls, was_closed};
use super::shares::{is_plausible, percent, range};
use super::{Aspect, CERTIFICATE, CIPHERS, Mismatch, Run, VERSION};
use crate::rig::client::{self, Tls};
use crate::rig::echo::Seen;
use crate::rig::rigged::called;
use meshc_compiler::model::ServerTlsMode;
use meshc_compiler::reading::Comma;
use meshc_compiler::routing::matcher::{Connection, Entrance, Passage, Security, Source, server};
use meshc_compiler::routing::witness::ConnectionWitness;
use meshc_compiler::routing::{ConnectionRule, Listener, Plain, TlsKind, TlsServer, WeightedUpstream};
use meshc_compiler::values::{CipherSuite, HostPattern, TlsVersion};
use meshc_language::{Span, Spanned};
use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(10);
/// A connection costs about as much as this many requests on one that is open.
const COST: u64 = 4;
/// A name that nobody serves.
const STRANGER: &str = "nobody.meshc.invalid";
/// What stands for `*` in a name.
const ANY: &str = "meshc-verify";

/// The rules for connections of a listener.
pub(super) fn rules(listener: &Listener) -> impl Iterator<Item = &ConnectionRule> {
    let plain = listener.plain.iter().flat_map(|plain| match plain {
        Plain::Tcp(rules) => rules.as_slice(),
        Plain::Http(_) => &[],
    });
    plain.chain(listener.tls.iter().flat_map(|server| match &server.kind {
        TlsKind::Tcp(_, rules) | TlsKind::Passthrough(rules) => rules.as_slice(),
        TlsKind::Http(..) => &[],
    }))
}

impl Run<'_> {
    /// Connects to each listener without TLS, and with a name for each of its servers, with what shows its rules, and with a name
    /// that it does not know.
    pub(super) fn connections(&mut self, witnesses: &[ConnectionWitness<'_>]) {
        for listener in &self.trial.rigged.proxy.listeners {
            let named = |name: String| Security::Tls { server_name: Some(name) };
            let of_servers = listener.tls.iter().flat_map(|server| &server.names).map(sample);
            let mut ways: Vec<Security> = of_servers.chain([STRANGER.to_owned()]).map(named).collect();
            ways.push(Security::Plain);
            let here = witnesses.iter().map(|witness| &witness.connection.entrance);
            ways.extend(here.filter(|one| one.port == listener.port).map(|one| one.security.clone()));
            let mut done: Vec<Security> = Vec::new();
            for way in ways {
                if !done.contains(&way) {
                    self.connect(listener, way.clone());
                    done.push(way);
                }
            }
            for server in &listener.tls {
                self.callers(listener, server);
            }
        }
    }

    fn connect(&mut self, listener: &'_ Listener, security: Security) {
        let entrance = Entrance { port: listener.port, address: listener.bind, security };
        if self.why_shut_out(&entrance).is_some() {
            return;
        }
        let security = &entrance.security;
        if self.stopped() || (listener.tls.is_empty() && *security != Security::Plain) {
            // TLS to a listener that knows none is a connection like another.
            return;
        }
        let connection = Connection {
            entrance,
            destination: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            source: Source::default(),
        };
        let sent = shown(&connection);
        match self.matcher.connect(&connection) {
            Passage::Http => {}
            Passage::Refused(_) | Passage::NoRule => {
                if let Some(got) = self.let_in(&connection) {
                    let mismatch = Mismatch::new(Aspect::Admission, "no connection", got);
                    self.note((place_of(listener), ""), &sent, mismatch);
                }
            }
            Passage::Taken(rule) => self.passed_on(rule, &connection, &sent),
        }
    }

    /// What comes of a connection that should end, if it does not: it is answered, or nothing happens. An error of HTTP may say
    /// that it is of the wrong kind.
    fn let_in(&mut self, connection: &Connection) -> Option<String> {
        self.findings.requests += 1;
        let line = self.open(connection).and_then(|mut open| {
            open.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
            open.read_line()
        });
        match line {
            Err(error) if was_closed(&error) => None,
            Err(error) => Some(format!("no response: {error}")),
            Ok(line) if answers_refused(self.trial.kind) && line.starts_with(b"HTTP/1.1 400") => None,
            Ok(line) => Some(format!("`{}`", String::from_utf8_lossy(&line).trim_end())),
        }
    }

    fn passed_on(&mut self, rule: &ConnectionRule, connection: &Connection, sent: &str) {
        let is_first = self.connection_rules.insert(std::ptr::from_ref(rule));
        let upstreams = &self.trial.rigged.proxy.upstreams;
        let mut expected: BTreeMap<String, (u32, &WeightedUpstream)> = BTreeMap::new();
        for to in &rule.to {
            if let Some(upstream) = upstreams.get(to.upstream) {
                expected.entry(called(upstream)).or_insert((0, to)).0 += to.weight;
            }
        }
        let names = one_of(expected.keys().cloned());
        let times = if is_first && expected.len() > 1 { self.trial.samples / COST } else { 1 };
        let speaks_http = self.speaks_http(rule);
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        let mut found = Vec::new();
        for _ in 0..times {
            if self.stopped() || !found.is_empty() {
                break;
            }
            match self.who(connection, speaks_http) {
                Err(error) => {
                    found.push(Mismatch::new(Aspect::Destination, &names, format!("no response: {error}")));
                }
                Ok(seen) => {
                    found.extend(self.passed(connection, &seen, expected.get(&seen.upstream), &names));
                    *counts.entry(seen.upstream).or_default() += 1;
                }
            }
        }
        if is_first && found.is_empty() && !speaks_http && connection.entrance.security == Security::Plain {
            found.extend(self.half_closed(connection));
        }
        let total: u64 = counts.values().sum();
        for (name, (ppm, _)) in expected.iter().filter(|_| found.is_empty() && times > 1) {
            let count = counts.get(name).copied().unwrap_or_default();
            if !is_plausible(count, total, *ppm) {
                let wanted = format!("{} of `{name}` in {total} connections", range(total, *ppm));
                found.push(Mismatch::new(Aspect::Share, wanted, percent(count, total)));
                break;
            }
        }
        for mismatch in found {
            self.note((Some(rule.span), &rule.name), sent, mismatch);
        }
    }

    /// Whether the upstream took the connection as it should have come.
    fn passed(
        &self,
        connection: &Connection,
        seen: &Seen,
        expected: Option<&(u32, &WeightedUpstream)>,
        names: &str,
    ) -> Option<Mismatch> {
        let Some((_, to)) = expected else {
            return Some(Mismatch::new(Aspect::Destination, names, format!("`{}`", seen.upstream)));
        };
        let upstream = self.trial.rigged.proxy.upstreams.get(to.upstream)?;
        let own = upstream_tls(upstream, seen);
        if !self.is_passed_through(&connection.entrance) {
            return own;
        }
        // TLS of the proxy, if there is some, goes around that of the caller.
        let asked = server_name(connection);
        let (arrived, own) = match is_private(upstream) {
            true => (seen.inner_server_name.as_deref(), own),
            false => (seen.server_name.as_deref(), None),
        };
        if own.is_some() {
            return own;
        }
        let same = seen.tls && arrived == asked;
        let text = |name: Option<&str>| match name {
            Some(name) => format!("client TLS for `{name}`"),
            None => "client TLS without a server name".to_owned(),
        };
        (!same).then(|| Mismatch::new(Aspect::UpstreamTls, text(asked), text(arrived)))
    }

    /// Without a certificate nobody comes in where one is asked for.
    fn callers(&mut self, listener: &Listener, server: &TlsServer) {
        let mode = match &server.kind {
            TlsKind::Http(tls, _) | TlsKind::Tcp(tls, _) => tls.mode.value,
            TlsKind::Passthrough(_) => return,
        };
        let Some(name) = server.names.first().map(sample) else { return };
        // A handshake that fails for another reason shows nothing.
        let closed = why_closed(server).is_some_and(|why| why != CERTIFICATE);
        if mode != ServerTlsMode::Mutual || closed || self.stopped() {
            return;
        }
        self.findings.requests += 1;
        let is_http = matches!(server.kind, TlsKind::Http(..));
        let tls = Tls { server_name: Some(&name), identity: None, protocols: &["http/1.1"] };
        let came_in =
            client::Connection::open(listener.port, Some(&tls), LIMIT).and_then(|mut connection| {
                if is_http {
                    let answer = connection.exchange(&client::Request::get(&name, "/"))?;
                    return Ok(answer.status != 400 || !answers_refused(self.trial.kind));
                }
                connection.read_line().map(|line| !line.is_empty())
            });
        if came_in.unwrap_or_else(|error| !was_closed(&error)) {
            let sent = format!("TLS for `{name}` without a client certificate");
            let mismatch = Mismatch::new(Aspect::Admission, "no connection", "another end");
            self.note((Some(server.span), ""), &sent, mismatch);
        }
    }

    /// Connects and asks who is there.
    fn who(&mut self, connection: &Connection, speaks_http: bool) -> io::Result<Seen> {
        self.findings.requests += 1;
        let mut connection = self.open(connection)?;
        let line = if speaks_http {
            connection.exchange(&client::Request::get("localhost", "/"))?.body
        } else {
            connection.read_line()?
        };
        serde_json::from_slice(&line).map_err(io::Error::other)
    }

    /// What is sent before a caller closes its half of the connection still comes back (RFC 9293, 3.6).
    fn half_closed(&mut self, connection: &Connection) -> Option<Mismatch> {
        const SENT: &[u8] = b"still here\n";
        self.findings.requests += 1;
        let answer = self.open(connection).and_then(|mut open| {
            open.read_line()?;
            open.send(SENT)?;
            open.finish()?;
            open.read(SENT.len())
        });
        let got = match answer {
            Ok(bytes) if bytes == SENT => return None,
            Ok(bytes) => format!("{} of {} bytes", bytes.len(), SENT.len()),
            Err(error) => format!("no response: {error}"),
        };
        Some(Mismatch::new(Aspect::HalfClose, "the response to the previous data", got))
    }

    fn open(&self, connection: &Connection) -> io::Result<client::Connection> {
        let port = connection.entrance.port;
        let Some(name) = server_name(connection) else { return client::Connection::open(port, None, LIMIT) };
        let identity = Some(&self.trial.world.client);
        client::Connection::open(
            port,
            Some(&Tls { server_name: Some(name), identity, protocols: &[] }),
            LIMIT,
        )
    }

    /// Whether the upstreams of a rule wait for a request: those that HTTP reaches too.
    fn speaks_http(&self, rule: &ConnectionRule) -> bool {
        let mut echoes = rule.to.iter().filter_map(|to| self.trial.rigged.upstreams.get(to.upstream.index()));
        echoes.any(|echo| echo.speaks() == crate::rig::echo::Speaks::Http)
    }

    fn is_passed_through(&self, entrance: &Entrance) -> bool {
        self.tls_server(entrance).is_some_and(|server| matches!(server.kind, TlsKind::Passthrough(_)))
    }

    /// The server of TLS behind an entrance.
    fn tls_server(&self, entrance: &Entrance) -> Option<&TlsServer> {
        let Security::Tls { server_name } = &entrance.security else { return None };
        let listeners = &self.trial.rigged.proxy.listeners;
        let listener = listeners.iter().find(|one| one.port == entrance.port)?;
        server(listener, server_name.as_deref())
    }

    /// Why the rig is not let in there; `None` if it is.
    pub(super) fn why_shut_out(&self, entrance: &Entrance) -> Option<&'static str> {
        self.tls_server(entrance).and_then(why_closed)
    }
}

/// Why the rig cannot come in at a server: names can be put into a certificate, but what it or its key will look like is not for
/// anybody to say, and what the rig does not speak nobody can make it speak.
pub(super) fn why_closed(server: &TlsServer) -> Option<&'static str> {
    let body = match &server.kind {
        TlsKind::Http(tls, _) | TlsKind::Tcp(tls, _) => &tls.body,
        TlsKind::Passthrough(_) => return None,
    };
    let newest = body.max_version.map_or(TlsVersion::V1_3, |version| version.value);
    if newest < TlsVersion::V1_2 {
        return Some(VERSION);
    }
    let chosen = |suites: &Comma<Spanned<CipherSuite>>| !suites.iter().any(|suite| is_spoken(suite.value));
    if newest == TlsVersion::V1_2 && body.ciphers.as_ref().is_some_and(chosen) {
        return Some(CIPHERS);
    }
    (body.spki.is_some() || body.hash.is_some()).then_some(CERTIFICATE)
}

/// Whether the rig has a cipher suite of TLS 1.2 that goes with its certificate.
fn is_spoken(suite: CipherSuite) -> bool {
    matches!(
        suite,
        CipherSuite::EcdheEcdsaAes128GcmSha256
            | CipherSuite::EcdheEcdsaAes256GcmSha384
            | CipherSuite::EcdheEcdsaChacha20Poly1305
            | CipherSuite::All
    )
}

/// A host that a pattern takes.
fn sample(pattern: &HostPattern) -> String {
    match pattern.as_str() {
        "*" => format!("{ANY}.invalid"),
        name => name.strip_prefix('*').map_or(name.to_owned(), |suffix| format!("{ANY}{suffix}")),
    }
}

fn server_name(connection: &Connection) -> Option<&str> {
    match &connection.entrance.security {
        Security::Plain => None,
        Security::Tls { server_name } => server_name.as_deref(),
    }
}

fn shown(connection: &Connection) -> String {
    match &connection.entrance.security {
        Security::Plain => "a connection without TLS".to_owned(),
        Security::Tls { server_name: None } => "TLS without a server name".to_owned(),
        Security::Tls { server_name: Some(name) } => format!("TLS for `{name}`"),
    }
}

fn place_of(listener: &Listener) -> Option<Span> {
    let hosts = listener.http_servers().flat_map(|server| &server.virtual_hosts).map(|host| host.span);
    let rules = rules(listener).map(|rule| rule.span);
    listener.tls.iter().map(|server| server.span).chain(hosts).chain(rules).next()
}
