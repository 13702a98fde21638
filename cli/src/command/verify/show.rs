//! `--show`: single requests, and where they land.

use super::outcome::Tried;
use crate::exit::Failure;
use crate::report::Sources;
use crate::rig::Rigged;
use crate::rig::trial::{Delivered, Findings, Landing, Trial, parts};
use crate::sanitise::message;
use meshc_compiler::routing::matcher::{Entrance, Request, Security, Source};
use meshc_compiler::routing::{Listener, Plain};
use meshc_compiler::values::{Literal, Scheme};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv6Addr};

/// Headers that frame a message or belong to one hop: a request without a body on a connection of the rig has none to choose.
const OF_CONNECTIONS: &[&str] = &[
    "connection",
    "content-length",
    "expect",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// A request as it was asked for.
pub(super) struct Wanted {
    written: String,
    method: String,
    is_tls: bool,
    /// Host and port as in the URL.
    authority: String,
    port: u16,
    target: String,
    headers: Vec<(String, String)>,
}

/// A request and where it has landed at one proxy.
pub(super) struct Shown {
    /// Its position among those that were asked for.
    number: usize,
    landing: Landing,
    agrees: bool,
}

impl Wanted {
    /// Reads `GET https://host[:port]/path`, and headers behind it as curl takes them: `-H 'name: value'`, without quotes.
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        Self::read(text.trim()).map_err(|why| {
            // The end of a line would end the message.
            let text = text.replace(char::is_control, "\u{fffd}");
            Failure::new(format!("`--show {text}` {why}")).help(
                "write it as `GET https://shop.com/cart`, or `GET https://shop.com/cart -H end-user: jason`",
            )
        })
    }

    fn read(text: &str) -> Result<Self, &'static str> {
        if text.chars().any(char::is_control) {
            return Err("has a control character, such as the end of a line");
        }
        let mut parts = text.split(" -H ");
        let request = parts.next().unwrap_or_default().trim();
        let headers = parts.map(header).collect::<Result<_, _>>()?;
        if request.split(' ').count() > 2 {
            return Err("has no single URL after its method");
        }
        let (method, url) = request.split_once(' ').ok_or("has no URL after a method")?;
        check_method(method)?;
        let Url { is_tls, authority, port, target } = Url::read(url)?;
        let (written, method) = (text.to_owned(), method.to_owned());
        Ok(Self { written, method, is_tls, authority, port, target, headers })
    }

    /// The request for a proxy that listens on this port.
    fn for_listener(&self, listener: &Listener) -> Option<Request> {
        let served = match &listener.plain {
            _ if self.is_tls => !listener.tls.is_empty(),
            Some(Plain::Http(_)) => true,
            Some(Plain::Tcp(_)) | None => false,
        };
        let security = if self.is_tls { self.tls() } else { Security::Plain };
        served.then(|| Request {
            entrance: Entrance { port: listener.port, address: listener.bind, security },
            method: self.method.clone(),
            authority: self.authority.clone(),
            target: self.target.clone(),
            headers: self.headers.clone(),
            source: Source::default(),
        })
    }

    /// TLS asks for the host, but never for an address (RFC 6066, 3).
    fn tls(&self) -> Security {
        let (host, _) = parts(&self.authority);
        let is_address = host.parse::<IpAddr>().is_ok();
        Security::Tls { server_name: (!is_address).then(|| host.to_owned()) }
    }
}

/// What a URL says.
struct Url {
    is_tls: bool,
    authority: String,
    port: u16,
    target: String,
}

impl Url {
    fn read(url: &str) -> Result<Self, &'static str> {
        const NO_SCHEME: &str = "has no `http://` or `https://`";
        let (scheme, rest) = url.split_once("://").ok_or(NO_SCHEME)?;
        let scheme = Scheme::parse(scheme).map_err(|_| NO_SCHEME)?;
        if rest.contains('#') {
            return Err("has a fragment in its URL, which clients never send: remove `#` and the rest");
        }
        let at = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at_checked(at).unwrap_or((rest, ""));
        let (host, port) = parts(authority);
        check_host(authority, host)?;
        let port = port.map(str::parse).transpose().map_err(|_| "has no port that is a number")?;
        let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
        Ok(Self {
            is_tls: scheme == Scheme::Https,
            authority: authority.to_owned(),
            port: port.unwrap_or(scheme.usual_port()),
            target,
        })
    }
}

fn check_host(authority: &str, host: &str) -> Result<(), &'static str> {
    if host.is_empty() {
        return Err("has no host");
    }
    if authority.contains('@') {
        return Err("has a user in its URL, which clients never send: remove everything up to `@`");
    }
    // Behind an address stands nothing, or a port.
    let strange =
        authority.rsplit_once(']').is_some_and(|(_, rest)| !rest.is_empty() && !rest.starts_with(':'));
    let bracketed = authority.contains(['[', ']']);
    if bracketed && (strange || !authority.starts_with('[') || host.parse::<Ipv6Addr>().is_err()) {
        return Err("has no address of IPv6 between `[` and `]`");
    }
    Ok(())
}

/// Methods have a letter case of their own, and all that are known are in capital letters.
fn check_method(method: &str) -> Result<(), &'static str> {
    if !is_token(method) || method.bytes().any(|byte| byte.is_ascii_lowercase()) {
        return Err("has no method in capital letters");
    }
    if matches!(method, "CONNECT" | "TRACE") {
        return Err("cannot be shown: CONNECT and TRACE are answered before routes are matched");
    }
    Ok(())
}

/// Reads a header behind `-H`.
fn header(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text
        .split_once(':')
        .map(|(name, value)| (name.trim(), value.trim()))
        .filter(|(name, _)| is_token(name))
        .ok_or("has no name and value after `-H`")?;
    if name.eq_ignore_ascii_case("host") {
        return Err("has `host` after `-H`: the host is in the URL");
    }
    if OF_CONNECTIONS.iter().any(|own| name.eq_ignore_ascii_case(own)) {
        return Err("has a connection header, which a request cannot set");
    }
    Ok((name.to_owned(), value.to_owned()))
}

/// RFC 9110, 5.6.2.
fn is_token(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// Sends to a proxy what it serves of these requests.
pub(super) fn show(wanted: &[Wanted], rigged: &Rigged, trial: &Trial<'_>) -> (Findings, Vec<Shown>) {
    let mut all = Findings::default();
    let mut shown = Vec::new();
    for (number, one) in wanted.iter().enumerate() {
        let listeners = rigged.proxy.listeners.iter().zip(&rigged.ports);
        let here = listeners.filter(|(_, port)| **port == one.port).map(|(listener, _)| listener);
        for request in here.filter_map(|listener| one.for_listener(listener)) {
            let (findings, landing) = trial.show(&request);
            let agrees = findings.differences.is_empty();
            shown.extend(landing.map(|landing| Shown { number, landing, agrees }));
            all.requests += findings.requests;
            all.differences.extend(findings.differences);
            all.known.extend(findings.known);
        }
    }
    (all, shown)
}

/// The lines for people: each request with where it lands, and which line of the source says so.
pub(super) fn text(wanted: &[Wanted], tried: &[Tried], sources: &Sources<'_>) -> String {
    let mut text = String::new();
    for (number, one) in wanted.iter().enumerate() {
        let mut nowhere = true;
        for tried in tried {
            for shown in tried.shown.iter().filter(|shown| shown.number == number) {
                nowhere = false;
                text.push_str(&lines(one, &tried.name, shown, sources));
            }
        }
        if nowhere {
            let why = unserved(one, tried);
            text.push_str(&format!("{}\n", message(&format!("{} -> no proxy serves it{why}", one.written))));
        }
    }
    text
}

/// Which ports are served, where that of a request is not.
fn unserved(wanted: &Wanted, tried: &[Tried]) -> String {
    let ports: BTreeSet<u16> = tried.iter().flat_map(|tried| &tried.ports).copied().collect();
    if ports.contains(&wanted.port) {
        return format!(", though port {} is served", wanted.port);
    }
    let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
    match ports.split_last() {
        None => String::new(),
        Some((port, [])) => format!(": port {port} is served"),
        Some((last, others)) => format!(": ports {} and {last} are served", others.join(", ")),
    }
}

/// Whether each request is served somewhere.
pub(super) fn all_served(wanted: &[Wanted], tried: &[Tried]) -> bool {
    let served =
        |number: usize| tried.iter().flat_map(|tried| &tried.shown).any(|shown| shown.number == number);
    (0..wanted.len()).all(served)
}

fn lines(wanted: &Wanted, proxy: &str, shown: &Shown, sources: &Sources<'_>) -> String {
    let Shown { number: _, landing: Landing { span, rule, got, delivered }, agrees } = shown;
    let comes = match (got, rule.is_empty(), agrees) {
        (Ok(got), false, true) => format!("{got}, as route `{rule}` says"),
        (Ok(got), false, false) => format!("{got}, unlike what route `{rule}` says"),
        (Ok(got), true, true) => format!("{got}, as no route says otherwise"),
        (Ok(got), true, false) => format!("{got}, though no route says so"),
        (Err(why), false, _) => format!("not tested, though route `{rule}` matches it: {why}"),
        (Err(why), true, _) => format!("not tested, and no route matches it: {why}"),
    };
    let place = span.map(|span| {
        let line = sources.position(span.file, span.range().start).line;
        format!(" ({}:{line})", sources.name(span.file))
    });
    let line = format!("{} at {proxy} -> {comes}{}", wanted.written, place.unwrap_or_default());
    let mut text = format!("{}\n", message(&line));
    for line in delivered.iter().flat_map(Delivered::lines) {
        text.push_str(&format!("  {}\n", message(&line)));
    }
    text
}
