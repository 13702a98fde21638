//! Requests under trial: one each, and many where chance decides.

use super::copies::{MARK, copies_all, copies_by_chance};
use super::judge::{Got, abort, by_proxy, name_of, utf8};
use super::shares::{is_plausible, percent, range};
use super::{Aspect, Delivered, Landing, Mismatch, Run, sent};
use crate::rig::certificates::Identity;
use crate::rig::client::{self, Connection, Tls};
use crate::rig::http2;
use crate::rig::rigged::called;
use crate::rig::server::Kind;
use crate::rig::wire::{Headers, latin1};
use meshc_compiler::policy::{Abort, Injection};
use meshc_compiler::routing::matcher::{Answer, Outcome, Request, Security, Taken};
use meshc_compiler::routing::{Proxy, Rule, TlsKind, TlsServer, specificity};
use meshc_language::Span;
use meshc_targets::Feature;
use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::time::Duration;

/// How long an answer may take, beside a delay that is injected.
const LIMIT: Duration = Duration::from_secs(10);
/// Longest injected delay that is waited for.
const LONGEST_DELAY: Duration = Duration::from_secs(15);
/// Headers that an upstream answers with anyway, in lower case as all names are.
const OF_UPSTREAMS: &[&str] = &["server", "date", "content-length", "content-type"];

/// Connections that can be used again, by port and server name.
struct Connections<'i> {
    open: BTreeMap<(u16, Option<String>), Connection>,
    /// Ports where nothing but HTTP/2 is understood.
    of_http2: BTreeSet<u16>,
    /// What callers show when they are asked.
    identity: &'i Identity,
}

impl Run<'_> {
    /// Asks each question once, and those whose answer depends on chance many times.
    pub(super) fn requests<'q>(&mut self, questions: impl Iterator<Item = &'q Request>) {
        let identity = &self.trial.world.client;
        let mut connections = Connections::new(identity);
        for question in questions {
            if self.stopped() {
                return;
            }
            if self.why_shut_out(&question.entrance).is_some() {
                continue;
            }
            let outcome = self.matcher.answer(question);
            match &outcome {
                Outcome::NotHttp | Outcome::Undecided(..) => {}
                Outcome::Taken(taken) if why_not(taken.rule).is_some() => {}
                Outcome::Taken(_)
                | Outcome::Refused(_)
                | Outcome::Rejected(_)
                | Outcome::NoHost
                | Outcome::NoRule(_)
                | Outcome::WantsTls { .. } => self.request(question, &outcome, &mut connections),
            }
        }
    }

    /// Asks one question, and compares what comes of it.
    fn request(&mut self, question: &Request, outcome: &Outcome<'_>, connections: &mut Connections<'_>) {
        let taken = outcome.taken();
        let mut request = written(question, taken);
        let is_copied = |taken: &&Taken<'_>| {
            copies_all(taken.rule) && !self.uncopied.contains(&std::ptr::from_ref(taken.rule))
        };
        let copied = taken.filter(is_copied);
        let mark = format!("one-{}", self.findings.requests);
        if copied.is_some() {
            request = request.with(MARK, &mark);
        }
        let limit = LIMIT + taken.map(|taken| delay(taken.rule)).unwrap_or_default();
        let got = Got::of(&request, connections.exchange(question, &request, limit));
        self.findings.requests += 1;
        let (span, rule) = self.place(outcome, question);
        let mut mismatches = self.judge_of(question, outcome, &request.headers, &got);
        let feature =
            (!mismatches.is_empty()).then(|| self.caveat(question, &request.headers, &got)).flatten();
        for mismatch in &mut mismatches {
            mismatch.feature = feature;
        }
        if let Some(taken) = taken {
            self.rules.insert(std::ptr::from_ref(taken.rule));
        }
        if let (Some(taken), Some(own), true) = (copied, &got.seen, mismatches.is_empty()) {
            mismatches = self.copied(taken, own, &mark);
            if !mismatches.is_empty() {
                self.uncopied.insert(std::ptr::from_ref(taken.rule));
            }
        }
        // What a proxy may take for another request says nothing of shares.
        let is_plain = with_single_values(question).is_none();
        let is_first = |taken: &&Taken<'_>| self.counted.insert(std::ptr::from_ref(taken.rule));
        if let Some(taken) = taken.filter(|_| is_plain && mismatches.is_empty()).filter(is_first) {
            mismatches = self.many(taken, question, &request, connections);
        }
        let is_untimed = |taken: &&Taken<'_>| self.timed.insert(std::ptr::from_ref(taken.rule));
        if let Some(taken) = taken.filter(|_| is_plain && mismatches.is_empty()).filter(is_untimed) {
            let send = |call: &client::Request, limit| connections.exchange(question, call, limit);
            mismatches.extend(self.late_calls(taken, &request, send));
        }
        let sent = sent::shown(question, self.trial.rigged);
        for mismatch in mismatches {
            self.note((span, &rule), &sent, mismatch);
        }
    }

    /// Compares, where nginx may also say that a request came in TLS for another name.
    fn judge_of(
        &self,
        question: &Request,
        outcome: &Outcome<'_>,
        sent: &Headers,
        got: &Got,
    ) -> Vec<Mismatch> {
        let is_rejected = matches!(outcome, Outcome::Rejected(_));
        // nginx says of a host that it does not have that it does not have it, whatever the path.
        if self.trial.kind == Kind::Nginx && is_rejected && self.is_nobodys(question) {
            return by_proxy(got, 404);
        }
        if self.trial.kind == Kind::Nginx
            && !is_rejected
            && is_misdirected(&self.trial.rigged.proxy, question)
        {
            return by_proxy(got, 421);
        }
        self.judge(outcome, sent, got)
    }

    /// Whether no virtual host has the host of a request.
    fn is_nobodys(&self, question: &Request) -> bool {
        let simple = Request { target: "/".to_owned(), ..question.clone() };
        matches!(self.matcher.answer(&simple), Outcome::NoHost)
    }

    /// The feature whose caveat explains all that is different: headers that are empty count as absent, and of one that stands
    /// several times the first counts. What came must be just what is due then.
    fn caveat(&self, question: &Request, sent: &Headers, got: &Got) -> Option<Feature> {
        let single = with_single_values(question)?;
        let outcome = self.matcher.answer(&single);
        // These are not compared with anything.
        let is_open = matches!(outcome, Outcome::NotHttp | Outcome::Undecided(..));
        let explains = !is_open && self.judge(&outcome, sent, got).is_empty();
        explains.then_some(Feature::HeaderMatch)
    }

    /// Asks one request.
    pub(super) fn show(&mut self, question: &Request) -> Option<Landing> {
        let outcome = self.matcher.answer(question);
        let taken = match &outcome {
            Outcome::Refused(_) | Outcome::NotHttp | Outcome::NoHost | Outcome::Undecided(..) => return None,
            Outcome::Rejected(_) | Outcome::NoRule(_) | Outcome::WantsTls { .. } => None,
            Outcome::Taken(taken) => Some(&**taken),
        };
        if let Some(why) = self.why_shut_out(&question.entrance) {
            let (span, rule) = self.place(&outcome, question);
            return Some(Landing { span, rule, got: Err(why), delivered: None });
        }
        let request = written(question, taken);
        let limit = LIMIT + taken.map(|taken| delay(taken.rule)).unwrap_or_default();
        let answer = Connections::new(&self.trial.world.client).exchange(question, &request, limit);
        let got = Got::of(&request, answer);
        self.findings.requests += 1;
        let (span, rule) = self.place(&outcome, question);
        for mismatch in self.judge_of(question, &outcome, &request.headers, &got) {
            self.note((span, &rule), &sent::shown(question, self.trial.rigged), mismatch);
        }
        let delivered = got.seen.as_ref().map(|seen| Delivered::new(&request.headers, seen));
        Some(Landing { span, rule, got: Ok(got.text()), delivered })
    }

    /// What an outcome is about: a rule, a virtual host, or the proxy.
    fn place(&self, outcome: &Outcome<'_>, question: &Request) -> (Option<Span>, String) {
        let proxy = &self.trial.rigged.proxy;
        match outcome {
            Outcome::Taken(taken) => (Some(taken.rule.span), taken.rule.name.to_string()),
            Outcome::Undecided(rule, _) => (Some(rule.span), rule.name.to_string()),
            Outcome::NoRule(host) | Outcome::WantsTls { host, location: _ } => {
                (Some(host.span), String::new())
            }
            Outcome::Refused(_) | Outcome::NotHttp | Outcome::Rejected(_) | Outcome::NoHost => {
                let listener = proxy.listeners.iter().find(|one| one.port == question.entrance.port);
                let hosts = listener.into_iter().flat_map(|one| one.http_servers());
                let first = hosts.flat_map(|server| &server.virtual_hosts).map(|host| host.span).next();
                let tls = listener.and_then(|one| one.tls.first()).map(|server| server.span);
                (first.or(tls).or(proxy.span), String::new())
            }
        }
    }

    /// Asks the same many times, and compares what came of it with the shares of the rule.
    fn many(
        &mut self,
        taken: &Taken<'_>,
        question: &Request,
        request: &client::Request,
        connections: &mut Connections<'_>,
    ) -> Vec<Mismatch> {
        let Answer::Forwarded { deliveries, .. } = &taken.answer else { return Vec::new() };
        let aborts = abort(taken.rule);
        if aborts.is_some_and(|(_, ppm)| ppm == 1_000_000) {
            return Vec::new();
        }
        // What is copied for certain is looked at one by one.
        let by_chance = deliveries.len() > 1 || aborts.is_some() || copies_by_chance(taken.rule);
        if !by_chance || delays(taken.rule) {
            return Vec::new();
        }
        for echo in &self.trial.rigged.upstreams {
            drop(echo.take_seen());
        }
        let mark = self.findings.requests.to_string();
        let mut request = request.clone();
        request.headers.retain(|(name, _)| name != MARK);
        let request = request.with(MARK, &mark);
        let respelt =
            self.respelt(taken, question).map(|target| client::Request { target, ..request.clone() });
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        let mut total = 0;
        while total < self.trial.samples && !self.stopped() {
            let request = respelt.as_ref().filter(|_| total % 2 == 1).unwrap_or(&request);
            let got = Got::of(request, connections.exchange(question, request, LIMIT));
            total += 1;
            let what = match (&got.seen, &got.answer) {
                (Some(seen), _) => seen.upstream.clone(),
                (None, Ok(answer)) => answer.status.to_string(),
                (None, Err(_)) => got.text(),
            };
            *counts.entry(what).or_default() += 1;
        }
        self.findings.requests += total;
        let mut found = self.compare(taken, aborts, &counts, &mark);
        if let Some(respelt) = respelt {
            for one in &mut found {
                one.wanted.push_str(&format!(", of which half ask for `{}`", respelt.target));
            }
        }
        found
    }

    /// The same target written otherwise, for a rule that copies: what is copied must not depend on it.
    fn respelt(&self, taken: &Taken<'_>, question: &Request) -> Option<String> {
        let target = format!("/.{}", question.target);
        let other = self.matcher.answer(&Request { target: target.clone(), ..question.clone() });
        let same = other
            .taken()
            .filter(|other| std::ptr::eq(other.rule, taken.rule) && other.alternative == taken.alternative);
        same.filter(|_| !taken.rule.mirrors.is_empty()).map(|_| target)
    }

    fn compare(
        &self,
        taken: &Taken<'_>,
        aborts: Option<(u16, u32)>,
        counts: &BTreeMap<String, u64>,
        mark: &str,
    ) -> Vec<Mismatch> {
        let Answer::Forwarded { deliveries, .. } = &taken.answer else { return Vec::new() };
        let total: u64 = counts.values().sum();
        let count = |what: &str| counts.get(what).copied().unwrap_or_default();
        let failed = aborts.map_or(0, |(status, _)| count(&status.to_string()));
        let delivered = total - failed;
        let upstreams = &self.trial.rigged.proxy.upstreams;
        let mut expected: BTreeMap<String, u32> = BTreeMap::new();
        for one in deliveries {
            let Some(upstream) = upstreams.get(one.to.upstream) else { continue };
            *expected.entry(called(upstream)).or_default() += one.to.weight;
        }
        let strange = counts.iter().find(|(what, _)| {
            !expected.contains_key(what.as_str())
                && aborts.is_none_or(|(status, _)| **what != status.to_string())
        });
        if let Some((what, count)) = strange {
            // The shares are off too then, of the same cause.
            let is_upstream = upstreams.as_slice().iter().any(|upstream| called(upstream) == *what);
            let aspect = if is_upstream { Aspect::Destination } else { Aspect::Status };
            let wanted = format!("nothing else for {total} requests");
            return vec![Mismatch::new(aspect, wanted, format!("`{what}` for {count} of them"))];
        }
        let mut found = Vec::new();
        if let Some((status, ppm)) = aborts {
            found.extend(share(&format!("status {status}"), failed, total, ppm));
        }
        for (name, ppm) in &expected {
            found.extend(share(name, count(name), delivered, *ppm));
        }
        found.extend(self.copies_counted(taken, &count, delivered, mark));
        found
    }
}

pub(super) fn share(what: &str, count: u64, total: u64, ppm: u32) -> Option<Mismatch> {
    (!is_plausible(count, total, ppm)).then(|| {
        let wanted = format!("{} of `{what}` in {total} requests", range(total, ppm));
        Mismatch::new(Aspect::Share, wanted, percent(count, total))
    })
}

/// Whether the host of a request belongs to another server of the port than the one whose certificate was shown (RFC 9110, 15.5.20).
fn is_misdirected(proxy: &Proxy, question: &Request) -> bool {
    let Security::Tls { server_name: Some(asked) } = &question.entrance.security else { return false };
    let Some(listener) = proxy.listeners.iter().find(|one| one.port == question.entrance.port) else {
        return false;
    };
    let owner = |host: &str| {
        let ends = |(_, server): &(usize, &TlsServer)| matches!(server.kind, TlsKind::Http(..));
        let names = listener
            .tls
            .iter()
            .enumerate()
            .filter(ends)
            .flat_map(|(at, server)| server.names.iter().map(move |name| (at, name)));
        let taking = names.filter(|(_, name)| name.takes(host));
        taking.max_by_key(|(_, name)| specificity(name)).map(|(at, _)| at)
    };
    let host = question.authority.split(':').next().unwrap_or_default().trim_end_matches('.');
    match (owner(asked), owner(&host.to_ascii_lowercase())) {
        (Some(asked), Some(meant)) => asked != meant,
        _ => false,
    }
}

/// Why a rule is not tried, if it is not.
pub(super) fn why_not(rule: &Rule) -> Option<&'static str> {
    let grpc = |kind: &Injection| matches!(kind, Injection::Abort(Abort::Grpc(_)));
    if rule.options.fault.iter().any(|fault| grpc(&fault.kind)) {
        return Some("it aborts with a gRPC status, which HTTP/1.1 does not show");
    }
    (delay(rule) > LONGEST_DELAY).then_some("it delays requests for longer than the test waits")
}

/// The delay that is injected, to some of the requests or to all of them.
fn delay(rule: &Rule) -> Duration {
    let delays = rule.options.fault.iter().map(|fault| match &fault.kind {
        Injection::Delay(delay) => Duration::from_millis(delay.value.as_millis()),
        Injection::Abort(_) => Duration::ZERO,
    });
    delays.sum()
}

fn delays(rule: &Rule) -> bool {
    !delay(rule).is_zero()
}

/// What stands on the wire for a text, which is UTF-8 there.
fn on_the_wire(request: &client::Request) -> client::Request {
    let client::Request { method, target, headers, body } = request;
    client::Request {
        method: method.clone(),
        target: latin1(target.as_bytes()),
        headers: utf8(headers),
        body: body.clone(),
    }
}

/// The request as the client sends it, asking the upstream for the headers that the rule changes on the way back.
fn written(question: &Request, taken: Option<&Taken<'_>>) -> client::Request {
    let mut headers: Headers = vec![("Host".to_owned(), question.authority.clone())];
    headers.extend(question.headers.iter().cloned());
    let mut names: Vec<&str> = Vec::new();
    if let Some(Answer::Forwarded { deliveries, .. }) = taken.map(|taken| &taken.answer) {
        let changes = deliveries.iter().flat_map(|one| &one.response_headers).map(name_of);
        names.extend(changes.filter(|name| !OF_UPSTREAMS.contains(name)));
    }
    names.sort_unstable();
    names.dedup();
    if !names.is_empty() {
        headers.push(("x-echo-headers".to_owned(), names.join(", ")));
    }
    client::Request {
        method: question.method.clone(),
        target: question.target.clone(),
        headers,
        body: Vec::new(),
    }
}

/// The request as a proxy takes it that has one value for each header, and none for an empty one; `None` if that changes nothing.
fn with_single_values(question: &Request) -> Option<Request> {
    let mut headers: Headers = Vec::with_capacity(question.headers.len());
    for (name, value) in &question.headers {
        if !headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
            headers.push((name.clone(), value.clone()));
        }
    }
    headers.retain(|(_, value)| !value.trim().is_empty());
    (headers != question.headers).then(|| Request { headers, ..question.clone() })
}

impl<'i> Connections<'i> {
    fn new(identity: &'i Identity) -> Self {
        Self { open: BTreeMap::new(), of_http2: BTreeSet::new(), identity }
    }

    /// Sends a request on a connection for its entrance, a new one if there is none that is still good.
    fn exchange(
        &mut self,
        question: &Request,
        request: &client::Request,
        limit: Duration,
    ) -> std::io::Result<client::Response> {
        let request = &on_the_wire(request);
        let port = question.entrance.port;
        let name = match &question.entrance.security {
            Security::Plain => None,
            Security::Tls { server_name } => Some(server_name.clone().unwrap_or_default()),
        };
        if name.is_none() && self.of_http2.contains(&port) {
            return http2::exchange(port, request, limit);
        }
        let key = (port, name.clone());
        if let Some(mut connection) = self.open.remove(&key).filter(Connection::is_open) {
            connection.set_limit(limit);
            // It may have been closed since: then a new one decides.
            if let Ok(response) = connection.exchange(request) {
                self.open.insert(key, connection);
                return Ok(response);
            }
        }
        let mut connection = match &name {
            None => Connection::open(port, None, limit)?,
            Some(name) => {
                let server_name = Some(name.as_str()).filter(|name| !name.is_empty());
                let tls = Tls { server_name, identity: Some(self.identity), protocols: &["http/1.1"] };
                Connection::open(port, Some(&tls), limit)?
            }
        };
        match connection.exchange(request) {
            // What is no HTTP/1.1 may be what HTTP/2 starts with.
            Err(error) if name.is_none() && error.kind() == ErrorKind::InvalidData => {
                let response = http2::exchange(port, request, limit)?;
                self.of_http2.insert(port);
                Ok(response)
            }
            Err(error) => Err(error),
            Ok(response) => {
                self.open.insert(key, connection);
                Ok(response)
            }
        }
    }
}
