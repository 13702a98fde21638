//! Witnesses as tables show them, and what holds for all of them.

use crate::routing::matcher::{Connection, Matcher, Outcome, Passage, Request, Security};
use crate::routing::witness::{Confusion, Shows, witnesses};
use crate::routing::{ConnectionRule, Plain, Proxy, TlsKind};

/// What shows the plan, a line each.
pub(super) fn lines(proxy: &Proxy) -> Vec<String> {
    let found = witnesses(proxy);
    let requests = found.requests.iter().map(|one| {
        let what = match &one.shows {
            Shows::Hit { rule, .. } => format!("{} takes", rule.name),
            Shows::Miss { rule, because, .. } => format!("{} for its {because} not", rule.name),
            Shows::Confusable { rule, by: Confusion::FinalSlash, .. } => {
                format!("{} by its slash", rule.name)
            }
            Shows::Confusable { rule, by: Confusion::Spelling, .. } => format!("{} respelt", rule.name),
            Shows::WantsTls(_) => "to https".to_owned(),
            Shows::NoHost => "nobody".to_owned(),
        };
        format!("{what}: {}", request(&one.request))
    });
    let connections = found.connections.iter().map(|one| {
        let not = if one.hit { "takes" } else { "not" };
        format!("{} {not}: {}", one.rule.name, connection(&one.connection))
    });
    let gaps = found.gaps.iter().map(|gap| format!("{} {}: {}", gap.rule, gap.wanted, gap.reason));
    requests.chain(connections).chain(gaps).collect()
}

fn request(request: &Request) -> String {
    let Request { entrance, method, authority, target, headers, source } = request;
    let scheme = entrance.scheme();
    let port =
        if matches!(entrance.port, 80 | 443) { String::new() } else { format!(" port {}", entrance.port) };
    let sni = match &entrance.security {
        Security::Tls { server_name } if server_name.as_ref() != Some(authority) => {
            format!(" sni {}", server_name.as_deref().unwrap_or("-"))
        }
        Security::Tls { .. } | Security::Plain => String::new(),
    };
    let from = source.namespace.as_ref().map(|from| format!(" from {from}")).unwrap_or_default();
    let labels: String = source.labels.iter().map(|(key, value)| format!(" label {key}={value}")).collect();
    let headers: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let headers = if headers.is_empty() { String::new() } else { format!(" {{ {} }}", headers.join("; ")) };
    format!("{method} {scheme}://{authority}{target}{port}{sni}{from}{labels}{headers}")
}

fn connection(connection: &Connection) -> String {
    let Connection { entrance, destination, source } = connection;
    let kind = match &entrance.security {
        Security::Plain => format!("TCP {}", entrance.port),
        Security::Tls { server_name } => {
            format!("TLS {} sni {}", entrance.port, server_name.as_deref().unwrap_or("-"))
        }
    };
    let to = destination.map(|address| format!(" to {address}")).unwrap_or_default();
    let from = source.namespace.as_ref().map(|from| format!(" from {from}")).unwrap_or_default();
    let labels: String = source.labels.iter().map(|(key, value)| format!(" label {key}={value}")).collect();
    format!("{kind}{to}{from}{labels}")
}

/// Every witness shows what it says, is a request that is valid on the wire, and nothing is left out without a word.
pub(super) fn confirm(proxy: &Proxy) {
    let found = witnesses(proxy);
    let matcher = Matcher::new(proxy);
    for one in &found.requests {
        let outcome = matcher.answer(&one.request);
        let taken = outcome.taken().map(|taken| (std::ptr::from_ref(taken.rule), taken.alternative));
        let shown = request(&one.request);
        match &one.shows {
            Shows::Hit { rule, alternative, .. } => {
                assert_eq!(taken, Some((std::ptr::from_ref(*rule), *alternative)), "{shown}");
            }
            Shows::Miss { rule, .. } => {
                assert_ne!(taken.map(|taken| taken.0), Some(std::ptr::from_ref(*rule)), "{shown}");
                assert!(!matches!(outcome, Outcome::Undecided(..) | Outcome::Rejected(_)), "{shown}");
            }
            Shows::Confusable { rule, by, .. } => {
                assert!(!matches!(outcome, Outcome::Undecided(..) | Outcome::Rejected(_)), "{shown}");
                let is_same = taken.map(|taken| taken.0) == Some(std::ptr::from_ref(*rule));
                assert!(is_same || *by == Confusion::FinalSlash, "{shown}");
            }
            Shows::WantsTls(_) => assert!(matches!(outcome, Outcome::WantsTls { .. }), "{shown}"),
            Shows::NoHost => assert!(matches!(outcome, Outcome::NoHost), "{shown}"),
        }
        is_valid(&one.request);
    }
    for one in &found.connections {
        let passage = matcher.connect(&one.connection);
        let taken = matches!(passage, Passage::Taken(rule) if std::ptr::eq(rule, one.rule));
        assert_eq!(taken, one.hit, "{}", connection(&one.connection));
    }
    for rule in proxy.listeners.iter().flat_map(|listener| listener.http_servers()) {
        for rule in rule.virtual_hosts.iter().filter(|host| !host.https_only).flat_map(|host| &host.rules) {
            let is_hit = |shows: &Shows<'_>| matches!(shows, Shows::Hit { rule: other, .. } if std::ptr::eq(*other, rule));
            let hits = found.requests.iter().filter(|one| is_hit(&one.shows)).count();
            let gaps = found.gaps.iter().filter(|gap| gap.span == rule.span && gap.wanted == "taken").count();
            assert!(hits + gaps >= rule.matches.len().max(1), "nothing is said of `{}`", rule.name);
        }
    }
    for rule in connection_rules(proxy) {
        let is_hit = found.connections.iter().any(|one| one.hit && std::ptr::eq(one.rule, rule));
        let is_gap = found.gaps.iter().any(|gap| gap.span == rule.span);
        assert!(is_hit || is_gap, "nothing is said of `{}`", rule.name);
    }
}

fn connection_rules(proxy: &Proxy) -> Vec<&ConnectionRule> {
    let mut all = Vec::new();
    for listener in &proxy.listeners {
        if let Some(Plain::Tcp(rules)) = &listener.plain {
            all.extend(rules);
        }
        for server in &listener.tls {
            if let TlsKind::Tcp(_, rules) | TlsKind::Passthrough(rules) = &server.kind {
                all.extend(rules);
            }
        }
    }
    all
}

fn is_valid(request: &Request) {
    let is_token = |text: &str| {
        let special = |byte: u8| b"!#$%&'*+-.^_`|~".contains(&byte);
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || special(byte))
    };
    assert!(is_token(&request.method), "{request:?}");
    assert!(request.target.starts_with('/'), "{request:?}");
    assert!(request.target.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#'), "{request:?}");
    assert!(!request.authority.is_empty() && request.authority.is_ascii(), "{request:?}");
    for (name, value) in &request.headers {
        assert!(is_token(name), "{request:?}");
        assert!(!matches!(name.as_str(), "host" | "content-length" | "transfer-encoding" | "connection"));
        assert!(
            value.bytes().all(|byte| (b' '..=b'~').contains(&byte)) && value.trim() == value,
            "{request:?}"
        );
    }
}
