//! What the matcher says of a request, against what came of it.

use super::{Aspect, Mismatch, Run};
use crate::rig::client::{Request, Response};
use crate::rig::echo::Seen;
use crate::rig::rigged::called;
use crate::rig::server::Kind;
use crate::rig::wire::{Headers, latin1};
use meshc_compiler::policy::{Abort, ClientTlsMode, Injection};
use meshc_compiler::routing::matcher::{
    Answer, Delivery, HeaderChange, Outcome, Taken, apply, literal, same_location,
};
use meshc_compiler::routing::{Rule, Upstream};
use std::collections::BTreeSet;
use std::io;

/// Headers that belong to one hop, and those that proxies write themselves.
const OF_PROXIES: &[&str] = &[
    "host",
    "connection",
    "keep-alive",
    "transfer-encoding",
    "content-length",
    "te",
    "upgrade",
    "expect",
    "date",
    "server",
    "x-request-id",
];
/// `access-control-` is the answer to a caller's CORS, and has nothing to do with the rule of another.
const PREFIXES_OF_PROXIES: &[&str] = &["x-forwarded-", "x-envoy-", "proxy-", "access-control-"];
/// Headers that come with the answer itself, whoever gives it.
const OF_ANSWERS: &[&str] = &["content-type", "location"];

/// What a proxy answered, and what the upstream saw if it was asked.
pub(super) struct Got {
    pub(super) answer: io::Result<Response>,
    pub(super) seen: Option<Seen>,
    /// Whether answers to such a request have no body.
    is_bodiless: bool,
}

impl Got {
    pub(super) fn of(request: &Request, answer: io::Result<Response>) -> Self {
        let seen = answer.as_ref().ok().and_then(Seen::told);
        Self { answer, seen, is_bodiless: request.method == "HEAD" }
    }

    /// In a few words.
    pub(super) fn text(&self) -> String {
        match (&self.answer, &self.seen) {
            (Err(error), _) => format!("no response: {error}"),
            (Ok(_), Some(seen)) => format!("a response from `{}`", seen.upstream),
            (Ok(answer), None) => format!("status {} from the proxy", answer.status),
        }
    }

    /// Whether nobody was let in: the connection ended without an answer, or with one that says that it is of the wrong kind.
    fn is_refused(&self, kind: Kind) -> bool {
        self.seen.is_none()
            && match &self.answer {
                Err(error) => was_closed(error),
                Ok(answer) => answers_refused(kind) && answer.status == 400,
            }
    }
}

impl Run<'_> {
    /// Compares.
    pub(super) fn judge(&self, outcome: &Outcome<'_>, sent: &Headers, got: &Got) -> Vec<Mismatch> {
        match outcome {
            Outcome::Refused(_) if got.is_refused(self.trial.kind) => Vec::new(),
            Outcome::Refused(_) => vec![Mismatch::new(Aspect::Admission, "no connection", got.text())],
            Outcome::Rejected(_) => by_proxy(got, 400),
            Outcome::NoHost | Outcome::NoRule(_) => by_proxy(got, 404),
            Outcome::WantsTls { host: _, location } => redirected(got, 301, location),
            // What is passed on without being read is asked as a connection; what nobody can say is not asked.
            Outcome::NotHttp | Outcome::Undecided(..) => Vec::new(),
            Outcome::Taken(taken) => self.taken(taken, sent, got),
        }
    }

    fn taken(&self, taken: &Taken<'_>, sent: &Headers, got: &Got) -> Vec<Mismatch> {
        if let Some((status, ppm)) = abort(taken.rule) {
            // One that fails now and then is only told from others by who answers.
            if ppm == 1_000_000 || got.seen.is_none() {
                return by_proxy(got, status);
            }
        }
        let changed = |headers: &[HeaderChange<'_>]| self.headers_of_answer(headers, &Headers::new(), got);
        match &taken.answer {
            Answer::Redirected { status, location, headers } => {
                [redirected(got, *status, location), changed(headers)].concat()
            }
            Answer::Responded { status, body, headers } => {
                [by_proxy(got, *status), responded(got, body.unwrap_or_default()), changed(headers)].concat()
            }
            Answer::Forwarded { target, deliveries } => self.forwarded(target, deliveries, sent, got),
        }
    }

    fn forwarded(
        &self,
        target: &str,
        deliveries: &[Delivery<'_>],
        sent: &Headers,
        got: &Got,
    ) -> Vec<Mismatch> {
        let upstreams = &self.trial.rigged.proxy.upstreams;
        let named = || deliveries.iter().filter_map(|one| Some((one, upstreams.get(one.to.upstream)?)));
        let wanted = || one_of(named().map(|(_, upstream)| called(upstream)));
        let Some(seen) = &got.seen else {
            return vec![Mismatch::new(Aspect::Destination, wanted(), got.text())];
        };
        let Some((delivery, upstream)) = named().find(|(_, upstream)| called(upstream) == seen.upstream)
        else {
            return vec![Mismatch::new(Aspect::Destination, wanted(), format!("`{}`", seen.upstream))];
        };
        let mut found = Vec::new();
        found.extend(differs(Aspect::Path, target, &seen.target));
        found.extend(differs(Aspect::Host, &delivery.authority, seen.header("host").unwrap_or_default()));
        found.extend(self.headers_seen(&delivery.request_headers, sent, &seen.headers));
        let of_upstream = answered_by_upstream(sent, seen);
        found.extend(self.headers_of_answer(&delivery.response_headers, &of_upstream, got));
        found.extend(upstream_tls(upstream, seen));
        found
    }

    fn headers_seen(&self, changes: &[HeaderChange<'_>], sent: &Headers, seen: &Headers) -> Vec<Mismatch> {
        let sent: Headers = sent.iter().filter(|(name, _)| !is_dropped(name)).cloned().collect();
        let names = names(changes, &self.named_headers.of_requests)
            .chain(sent.iter().map(|(name, _)| name.to_ascii_lowercase()));
        compared(Aspect::RequestHeaders, changes, names, &apply(changes, &sent), seen)
    }

    fn headers_of_answer(&self, changes: &[HeaderChange<'_>], before: &Headers, got: &Got) -> Vec<Mismatch> {
        let Ok(answer) = &got.answer else { return Vec::new() };
        let names = names(changes, &self.named_headers.of_answers);
        compared(Aspect::ResponseHeaders, changes, names, &apply(changes, before), &answer.headers)
    }
}

/// Whether the other side ended a connection. What only took too long, or reached nobody, says nothing of who is let in.
pub(super) fn was_closed(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let alert = matches!(inner, Some(rustls::Error::AlertReceived(_)));
    let ended = matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
    );
    alert || ended
}

/// Whether a proxy answers a connection of the wrong kind with 400: one without TLS, or without a certificate, where those are
/// asked for. The other closes it.
pub(super) fn answers_refused(kind: Kind) -> bool {
    match kind {
        Kind::Nginx => true,
        Kind::Envoy => false,
    }
}

/// `a` or `b`.
pub(super) fn one_of(names: impl Iterator<Item = String>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or ")
}

/// The status of an injected failure and its share; `None` if there is none, or one that has no status of HTTP.
pub(super) fn abort(rule: &Rule) -> Option<(u16, u32)> {
    rule.options.fault.iter().find_map(|fault| match &fault.kind {
        Injection::Abort(Abort::Http(status)) => Some((status.value.get(), fault.share.value.ppm())),
        Injection::Abort(Abort::Grpc(_)) | Injection::Delay(_) => None,
    })
}

fn differs(aspect: Aspect, wanted: &str, got: &str) -> Option<Mismatch> {
    (wanted != got).then(|| Mismatch::new(aspect, format!("`{wanted}`"), format!("`{got}`")))
}

/// The proxy answers by itself, with this status.
pub(super) fn by_proxy(got: &Got, status: u16) -> Vec<Mismatch> {
    let fits = got.seen.is_none() && got.answer.as_ref().is_ok_and(|answer| answer.status == status);
    let wanted = format!("status {status} from the proxy");
    if fits { Vec::new() } else { vec![Mismatch::new(Aspect::Status, wanted, got.text())] }
}

fn redirected(got: &Got, status: u16, location: &str) -> Vec<Mismatch> {
    let mut found = by_proxy(got, status);
    if let Ok(answer) = &got.answer
        && found.is_empty()
    {
        let said = answer.header("location").unwrap_or_default();
        if !same_location(said, location) {
            found.push(Mismatch::new(Aspect::Location, format!("`{location}`"), format!("`{said}`")));
        }
    }
    found
}

fn responded(got: &Got, body: &str) -> Vec<Mismatch> {
    let Some(answer) = got.answer.as_ref().ok().filter(|_| !got.is_bodiless) else { return Vec::new() };
    differs(Aspect::Body, body, &String::from_utf8_lossy(&answer.body)).into_iter().collect()
}

/// The headers of an upstream's answer: what it says of its body, and what it was asked for.
fn answered_by_upstream(sent: &Headers, seen: &Seen) -> Headers {
    let own = ("content-type".to_owned(), seen.content_type().to_owned());
    let asked = sent.iter().filter(|(name, _)| name == "x-echo-headers");
    let names = asked.flat_map(|(_, names)| names.split(", ")).filter(|name| !name.is_empty());
    names.map(|name| (name.to_owned(), "from-upstream".to_owned())).chain([own]).collect()
}

/// The texts of header fields as they stand on the wire, where they are UTF-8.
pub(super) fn utf8(headers: &Headers) -> Headers {
    headers.iter().map(|(name, value)| (name.clone(), latin1(value.as_bytes()))).collect()
}

/// Compares the values of these headers, but of those that proxies write, only what the rule changes. Several values may be written as one, with commas (RFC 9110, 5.3).
fn compared(
    aspect: Aspect,
    changes: &[HeaderChange<'_>],
    names: impl Iterator<Item = String>,
    wanted: &Headers,
    got: &Headers,
) -> Vec<Mismatch> {
    let wanted = &utf8(wanted);
    let names: BTreeSet<String> =
        names.filter(|name| is_changed(changes, name) || !comes_anyway(aspect, name)).collect();
    let mut found = Vec::new();
    for name in names {
        let (wanted, got) = (values(wanted, &name), values(got, &name));
        let same =
            if has_variable(changes, &name) { wanted.is_empty() == got.is_empty() } else { wanted == got };
        if !same {
            let shown = |values: &[String]| match values {
                [] => format!("no `{name}`"),
                values => format!("`{name}: {}`", values.join(", ")),
            };
            found.push(Mismatch::new(aspect, shown(&wanted), shown(&got)));
        }
    }
    found
}

fn values(headers: &Headers, name: &str) -> Vec<String> {
    let own = headers.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name));
    // Cookies are a list by semicolons, and no other (RFC 6265, 4.2.1).
    let separator = if name.eq_ignore_ascii_case("cookie") { ';' } else { ',' };
    own.flat_map(|(_, value)| value.split(separator)).map(|value| value.trim().to_owned()).collect()
}

/// The headers that the rule changes, and those that others do.
fn names(changes: &[HeaderChange<'_>], of_others: &BTreeSet<String>) -> impl Iterator<Item = String> {
    changes.iter().map(|change| name_of(change).to_ascii_lowercase()).chain(of_others.iter().cloned())
}

/// The headers that changes speak of.
pub(super) fn name_of<'p>(change: &HeaderChange<'p>) -> &'p str {
    match change {
        HeaderChange::Remove(name) | HeaderChange::Set(name, _) | HeaderChange::Add(name, _) => name.as_str(),
    }
}

fn is_changed(changes: &[HeaderChange<'_>], name: &str) -> bool {
    changes.iter().any(|change| name_of(change).eq_ignore_ascii_case(name))
}

/// Whether a value is made by the proxy from what it knows.
fn has_variable(changes: &[HeaderChange<'_>], name: &str) -> bool {
    changes.iter().any(|change| match change {
        HeaderChange::Remove(_) => false,
        HeaderChange::Set(own, value) | HeaderChange::Add(own, value) => {
            own.as_str().eq_ignore_ascii_case(name) && literal(value).is_none()
        }
    })
}

/// Whether a header is there, or not, whatever the rules say.
fn comes_anyway(aspect: Aspect, name: &str) -> bool {
    OF_PROXIES.contains(&name)
        || PREFIXES_OF_PROXIES.iter().any(|prefix| name.starts_with(prefix))
        || (aspect == Aspect::ResponseHeaders && OF_ANSWERS.contains(&name))
}

/// The parity profile drops headers with underscores.
fn is_dropped(name: &str) -> bool {
    name.contains('_')
}

/// Whether the proxy is to make connections to it private.
pub(super) fn is_private(upstream: &Upstream) -> bool {
    upstream.policy.tls.as_ref().is_some_and(|tls| tls.mode.value != ClientTlsMode::Disable)
}

/// How the upstream was called, against how its policy says.
pub(super) fn upstream_tls(upstream: &Upstream, seen: &Seen) -> Option<Mismatch> {
    let tls = upstream.policy.tls.as_ref().filter(|_| is_private(upstream));
    let shows = tls.is_some_and(|tls| tls.mode.value == ClientTlsMode::Mutual);
    let name = tls.and_then(|tls| tls.body.sni.as_ref()).map(|name| name.value.to_string());
    let right = seen.tls == tls.is_some()
        && seen.client.is_some() == shows
        && name.as_ref().is_none_or(|name| seen.server_name.as_ref() == Some(name));
    let text = |tls: bool, client: bool, name: Option<&str>| {
        let with = if client { ", with a certificate of the proxy" } else { "" };
        let named = name.map(|name| format!(", for `{name}`")).unwrap_or_default();
        if tls { format!("TLS{named}{with}") } else { "no TLS".to_owned() }
    };
    (!right).then(|| {
        Mismatch::new(
            Aspect::UpstreamTls,
            text(tls.is_some(), shows, name.as_deref()),
            text(seen.tls, seen.client.is_some(), seen.server_name.as_deref()),
        )
    })
}
