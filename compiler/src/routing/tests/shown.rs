//! Outcomes and plans as tables show them.

use crate::policy::TrafficPolicy;
use crate::routing::matcher::{Answer, Delivery, HeaderChange, Outcome, Passage, Refusal, Request, Taken};
use crate::routing::{
    Addresses, ConnectionRule, HttpServer, Listener, Plain, Proxy, TlsKind, Upstream, WeightedAddress,
    WeightedUpstream,
};

/// What becomes of a request, in one line. What stays as it was asked for is not shown.
pub(super) fn outcome(proxy: &Proxy, request: &Request, outcome: &Outcome<'_>) -> String {
    match outcome {
        Outcome::Refused(refusal) => refused(*refusal),
        Outcome::NotHttp => "not HTTP".to_owned(),
        Outcome::Rejected(fault) => format!("400 {fault:?}"),
        Outcome::NoHost => "404 no host".to_owned(),
        Outcome::NoRule(_) => "404 no rule".to_owned(),
        Outcome::WantsTls { host: _, location } => format!("301 {location}"),
        Outcome::Taken(taken) => format!("{}: {}", taken.rule.name, answer(proxy, request, taken)),
        Outcome::Undecided(rule, _) => format!("{}: undecided", rule.name),
    }
}

fn answer(proxy: &Proxy, request: &Request, taken: &Taken<'_>) -> String {
    match &taken.answer {
        Answer::Forwarded { target, deliveries } => {
            let each = deliveries.iter().map(|one| delivery(proxy, request, one));
            let mut shown = each.collect::<Vec<_>>().join(", ");
            if *target != request.target {
                shown.push_str(&format!(" as {target}"));
            }
            shown
        }
        Answer::Redirected { status, location, headers } => {
            format!("{status} {location}{}", changes(" back", headers))
        }
        Answer::Responded { status, body, headers } => {
            let body = body.map(|body| format!(" {body:?}")).unwrap_or_default();
            format!("{status}{body}{}", changes(" back", headers))
        }
    }
}

fn delivery(proxy: &Proxy, request: &Request, delivery: &Delivery<'_>) -> String {
    let mut shown = upstream(proxy, delivery.to);
    if delivery.authority != request.authority {
        shown.push_str(&format!(" host {}", delivery.authority));
    }
    shown.push_str(&changes("", &delivery.request_headers));
    shown.push_str(&changes(" back", &delivery.response_headers));
    shown
}

fn changes(side: &str, changes: &[HeaderChange<'_>]) -> String {
    if changes.is_empty() {
        return String::new();
    }
    let one = |change: &HeaderChange<'_>| match change {
        HeaderChange::Remove(name) => format!("-{name}"),
        HeaderChange::Set(name, value) => format!("{name}={value}"),
        HeaderChange::Add(name, value) => format!("{name}+={value}"),
    };
    format!("{side} [{}]", changes.iter().map(one).collect::<Vec<_>>().join(" "))
}

/// What becomes of a connection, in one line.
pub(super) fn passage(proxy: &Proxy, passage: &Passage<'_>) -> String {
    match passage {
        Passage::Refused(refusal) => refused(*refusal),
        Passage::Http => "HTTP".to_owned(),
        Passage::NoRule => "closed".to_owned(),
        Passage::Taken(rule) => connection_rule(proxy, rule),
    }
}

fn connection_rule(proxy: &Proxy, rule: &ConnectionRule) -> String {
    let to = rule.to.iter().map(|to| upstream(proxy, to)).collect::<Vec<_>>();
    format!("{}: {}", rule.name, to.join(", "))
}

fn refused(refusal: Refusal) -> String {
    match refusal {
        Refusal::NoListener => "refused: no listener".to_owned(),
        Refusal::Plain => "refused: not TLS".to_owned(),
        Refusal::ServerName => "refused: server name".to_owned(),
    }
}

/// `30% reviews.shop:9080@v2`.
fn upstream(proxy: &Proxy, to: &WeightedUpstream) -> String {
    let share =
        if to.weight == 1_000_000 { String::new() } else { format!("{}% ", f64::from(to.weight) / 10_000.0) };
    format!("{share}{}", upstream_name(proxy, to))
}

fn upstream_name(proxy: &Proxy, to: &WeightedUpstream) -> String {
    let upstream = proxy.upstreams.get(to.upstream).unwrap();
    let host = upstream.host.replace(".svc.cluster.local", "");
    let subset = upstream.subset.as_ref().map(|subset| format!("@{subset}")).unwrap_or_default();
    format!("{host}:{}{subset}", upstream.port.number.value)
}

/// Listeners, servers, domains, rules, conflicts and addresses, a line each.
pub(super) fn plan(proxy: &Proxy) -> Vec<String> {
    let mut lines = Vec::new();
    for one in &proxy.listeners {
        listener(proxy, one, &mut lines);
    }
    for one in proxy.upstreams.as_slice() {
        let subset = one.subset.as_ref().map(|subset| format!("@{subset}")).unwrap_or_default();
        let host = one.host.replace(".svc.cluster.local", "");
        lines.push(format!("{host}:{}{subset} is {}", one.port.number.value, addresses(&one.addresses)));
    }
    lines
}

/// How each upstream is called, as far as something is said: a line each.
pub(super) fn policies(proxy: &Proxy) -> Vec<String> {
    let line = |one: &Upstream| {
        let TrafficPolicy { balancing, pool, ejection, tls } = &one.policy;
        let names: Vec<&str> = one.identities.iter().map(|name| name.value.as_str()).collect();
        let said = [
            tls.as_ref().map(|tls| format!("tls {}", tls.mode.value.word())),
            (!names.is_empty()).then(|| format!("as {}", names.join(" "))),
            balancing.as_ref().map(|_| "lb".to_owned()),
            pool.as_ref().map(|_| "pool".to_owned()),
            ejection.as_ref().map(|_| "eject".to_owned()),
        ];
        let said: Vec<String> = said.into_iter().flatten().collect();
        format!("{}:{} {}", one.host, one.port.number.value, said.join(", ")).trim_end().to_owned()
    };
    proxy.upstreams.as_slice().iter().map(line).collect()
}

fn listener(proxy: &Proxy, listener: &Listener, lines: &mut Vec<String>) {
    let bind = listener.bind.map(|bind| format!(" on {bind}")).unwrap_or_default();
    lines.push(format!("listen {}{bind}", listener.port));
    match &listener.plain {
        Some(Plain::Http(server)) => http("  http", proxy, server, lines),
        Some(Plain::Tcp(rules)) => connections("  tcp", proxy, rules, lines),
        None => {}
    }
    for server in &listener.tls {
        let names: Vec<&str> = server.names.iter().map(|name| name.as_str()).collect();
        let names = names.join(" ");
        match &server.kind {
            TlsKind::Http(_, server) => http(&format!("  tls {names} http"), proxy, server, lines),
            TlsKind::Tcp(_, rules) => connections(&format!("  tls {names} tcp"), proxy, rules, lines),
            TlsKind::Passthrough(rules) => {
                connections(&format!("  tls {names} passed"), proxy, rules, lines);
            }
        }
    }
    for _ in &listener.conflicts {
        lines.push("  conflict".to_owned());
    }
}

fn http(what: &str, proxy: &Proxy, server: &HttpServer, lines: &mut Vec<String>) {
    for host in &server.virtual_hosts {
        let domains: Vec<&str> = host.domains.iter().map(|domain| domain.as_str()).collect();
        let https = if host.https_only { " to https" } else { "" };
        lines.push(format!("{what} {}{https}", domains.join(" ")));
        for rule in &host.rules {
            let count = rule.matches.len();
            let mirrors = rule.mirrors.iter().map(|mirror| {
                let upstream = proxy.upstreams.get(mirror.upstream).unwrap();
                format!(" mirror {} {}%", upstream.name, mirror.share.as_f64_percent())
            });
            let said = if count == 0 { "always".to_owned() } else { format!("{count} ways") };
            lines.push(format!("    {} {said}{}", rule.name, mirrors.collect::<String>()));
        }
    }
}

fn connections(what: &str, proxy: &Proxy, rules: &[ConnectionRule], lines: &mut Vec<String>) {
    lines.push(what.to_owned());
    for rule in rules {
        let sni: Vec<&str> = rule.sni.iter().map(|name| name.as_str()).collect();
        let sni = if sni.is_empty() { String::new() } else { format!(" for {}", sni.join(" ")) };
        let to: Vec<String> =
            rule.matches.iter().flat_map(|one| one.destinations.iter().map(ToString::to_string)).collect();
        let to = if to.is_empty() { String::new() } else { format!(" to {}", to.join(" ")) };
        lines.push(format!("    {}{sni}{to}", connection_rule(proxy, rule)));
    }
}

fn addresses(addresses: &Addresses) -> String {
    match addresses {
        Addresses::Fixed(all) => format!("at {}", weighted(all)),
        Addresses::Dns { names, first_only } => {
            format!("{} {}", if *first_only { "first of" } else { "all of" }, weighted(names))
        }
        Addresses::Original => "where it was asked for".to_owned(),
        Addresses::PerRequest => "by the host of each request".to_owned(),
        Addresses::Unknown => "unknown".to_owned(),
    }
}

fn weighted(all: &[WeightedAddress]) -> String {
    let one = |one: &WeightedAddress| {
        let port = one.port.map(|port| format!(":{port}")).unwrap_or_default();
        let weight = if one.weight == 1 { String::new() } else { format!("*{}", one.weight) };
        format!("{}{port}{weight}", one.address)
    };
    all.iter().map(one).collect::<Vec<_>>().join(" ")
}
