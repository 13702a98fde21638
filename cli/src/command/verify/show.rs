//! `--show`: single requests, and where they land.

use super::outcome::Tried;
use crate::exit::Failure;
use crate::report::Sources;
use crate::rig::Rigged;
use crate::rig::trial::{Findings, Landing, Trial};
use crate::sanitise::message;
use meshc_compiler::routing::matcher::{Entrance, Request, Security, Source};
use meshc_compiler::routing::{Listener, Plain};
use meshc_compiler::values::{Literal, Scheme};

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
        let refused = |what: &str| {
            Failure::new(format!("`--show {text}` has no {what}")).help(
                "write it as `GET https://shop.com/cart`, or `GET https://shop.com/cart -H end-user: jason`",
            )
        };
        let mut parts = text.trim().split(" -H ");
        let request = parts.next().unwrap_or_default();
        let headers = parts
            .map(|header| header.split_once(':').filter(|(name, _)| is_header_name(name.trim())))
            .map(|header| header.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())))
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| refused("name and value behind `-H`"))?;
        if request.trim().split(' ').count() > 2 {
            return Err(refused("single URL behind its method"));
        }
        let (method, url) = request.trim().split_once(' ').ok_or_else(|| refused("URL behind a method"))?;
        let (scheme, rest) =
            url.trim().split_once("://").ok_or_else(|| refused("`http://` or `https://`"))?;
        let scheme = Scheme::parse(scheme).map_err(|_| refused("`http://` or `https://`"))?;
        let at = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at_checked(at).unwrap_or((rest, ""));
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().map_err(|_| refused("port that is a number"))?),
            None => (authority, scheme.usual_port()),
        };
        if host.is_empty() || method.is_empty() {
            return Err(refused("host"));
        }
        let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
        let (written, authority) = (text.trim().to_owned(), authority.to_owned());
        Ok(Self {
            written,
            method: method.to_owned(),
            is_tls: scheme == Scheme::Https,
            authority,
            port,
            target,
            headers,
        })
    }

    /// The request for a proxy that listens on this port.
    fn for_listener(&self, listener: &Listener<'_>) -> Option<Request> {
        let served = match &listener.plain {
            _ if self.is_tls => !listener.tls.is_empty(),
            Some(Plain::Http(_)) => true,
            Some(Plain::Tcp(_)) | None => false,
        };
        let host = self.authority.split(':').next().unwrap_or_default().to_owned();
        let security = if self.is_tls { Security::Tls { server_name: Some(host) } } else { Security::Plain };
        served.then(|| Request {
            entrance: Entrance { port: listener.port, address: listener.bind, security },
            method: self.method.clone(),
            authority: self.authority.clone(),
            target: self.target.clone(),
            headers: self.headers.clone(),
            source: Source::default(),
        })
    }
}

/// RFC 9110, 5.6.2.
fn is_header_name(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// Sends to a proxy what it serves of these requests.
pub(super) fn show(wanted: &[Wanted], rigged: &Rigged<'_>, trial: &Trial<'_, '_>) -> (Findings, Vec<Shown>) {
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
                text.push_str(&line(one, &tried.name, shown, sources));
            }
        }
        if nowhere {
            text.push_str(&format!("{}\n", message(&format!("{} -> no proxy serves it", one.written))));
        }
    }
    text
}

/// Whether each request is served somewhere.
pub(super) fn all_served(wanted: &[Wanted], tried: &[Tried]) -> bool {
    let served =
        |number: usize| tried.iter().flat_map(|tried| &tried.shown).any(|shown| shown.number == number);
    (0..wanted.len()).all(served)
}

fn line(wanted: &Wanted, proxy: &str, shown: &Shown, sources: &Sources<'_>) -> String {
    let Shown { number: _, landing: Landing { span, rule, got }, agrees } = shown;
    let comes = match (got, rule.is_empty(), agrees) {
        (Ok(got), false, true) => format!("{got}, as route `{rule}` says"),
        (Ok(got), false, false) => format!("{got}, unlike what route `{rule}` says"),
        (Ok(got), true, true) => format!("{got}, as no route says otherwise"),
        (Ok(got), true, false) => format!("{got}, though no route says so"),
        (Err(why), false, _) => format!("not tried, though route `{rule}` takes it: {why}"),
        (Err(why), true, _) => format!("not tried, and no route takes it: {why}"),
    };
    let place = span.map(|span| {
        let line = sources.position(span.file, span.range().start).line;
        format!(" ({}:{line})", sources.name(span.file))
    });
    let line = format!("{} at {proxy} -> {comes}{}", wanted.written, place.unwrap_or_default());
    format!("{}\n", message(&line))
}
