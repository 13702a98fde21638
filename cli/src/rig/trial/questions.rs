//! Requests that are asked of every proxy: for each rule one that it takes, and others that just miss it.

use meshc_compiler::model::{HeaderTest, Match, PathTest};
use meshc_compiler::policy::TextMatch;
use meshc_compiler::routing::matcher::{Entrance, Request, Security, Source};
use meshc_compiler::routing::{HttpServer, Listener, Plain, Proxy, TlsKind, VirtualHost};
use meshc_compiler::values::HostPattern;

const ANY: &str = "meshc-verify";

/// The questions for a proxy.
#[must_use]
pub fn questions(proxy: &Proxy<'_>) -> Vec<Request> {
    let mut all = Vec::new();
    for listener in &proxy.listeners {
        if let Some(Plain::Http(server)) = &listener.plain {
            of_server(listener, server, &|_| Security::Plain, &mut all);
        }
        for tls in &listener.tls {
            let TlsKind::Http(_, server) = &tls.kind else { continue };
            let security = |host: &str| {
                // A caller asks for the host it means, if the server has that name.
                let named = tls.names.iter().any(|name| name.takes(host));
                let name =
                    if named { host.to_owned() } else { tls.names.first().map(sample).unwrap_or_default() };
                Security::Tls { server_name: Some(name) }
            };
            of_server(listener, server, &security, &mut all);
        }
    }
    all
}

fn of_server(
    listener: &Listener<'_>,
    server: &HttpServer<'_>,
    security: &dyn Fn(&str) -> Security,
    all: &mut Vec<Request>,
) {
    let request = |host: &str| Request {
        entrance: Entrance { port: listener.port, address: listener.bind, security: security(host) },
        method: "GET".to_owned(),
        authority: host.to_owned(),
        target: "/".to_owned(),
        headers: Vec::new(),
        source: Source::default(),
    };
    all.push(request("nobody.meshc.invalid"));
    for host in &server.virtual_hosts {
        all.extend(host.domains.iter().map(|domain| request(&sample(domain))));
        if let Some(first) = host.domains.first() {
            of_host(&request(&sample(first)), host, all);
        }
    }
}

fn of_host(base: &Request, host: &VirtualHost<'_>, all: &mut Vec<Request>) {
    for one in host.rules.iter().flat_map(|rule| &rule.matches) {
        let hit = taken_by(one, base.clone());
        let mut misses = vec![hit.clone(), hit.clone(), hit.clone()];
        if let [longer, other, bare] = misses.as_mut_slice() {
            longer.target = match hit.target.split_once('?') {
                Some((path, query)) => format!("{path}x?{query}"),
                None => format!("{}x", hit.target),
            };
            other.method = if hit.method == "POST" { "PUT" } else { "POST" }.to_owned();
            bare.headers.clear();
        }
        all.push(hit);
        all.extend(misses);
    }
}

/// A request for which the comparisons hold that ask for a text.
fn taken_by(one: &Match, mut request: Request) -> Request {
    let path = one.path.as_ref().map(|path| match &path.test {
        PathTest::Exact(path) | PathTest::Prefix(path) | PathTest::Under(path) => path.to_string(),
        PathTest::Pattern(_) => "/".to_owned(),
    });
    request.target = path.unwrap_or_else(|| "/".to_owned());
    if let Some(method) = one.methods.first() {
        request.method = method.to_string();
    }
    for (name, test) in &one.headers {
        request.headers.push((name.to_string(), text_of(test)));
    }
    let query: Vec<String> =
        one.query.iter().map(|(name, test)| format!("{name}={}", text_of(test))).collect();
    if !query.is_empty() {
        request.target = format!("{}?{}", request.target, query.join("&"));
    }
    request
}

fn text_of(test: &HeaderTest) -> String {
    match test {
        HeaderTest::Text(TextMatch::Exact(text) | TextMatch::Prefix(text)) => text.to_string(),
        HeaderTest::Text(TextMatch::Pattern(_)) | HeaderTest::Present => "1".to_owned(),
    }
}

/// A host that a pattern takes.
pub(super) fn sample(pattern: &HostPattern) -> String {
    match pattern.as_str() {
        "*" => format!("{ANY}.invalid"),
        name => name.strip_prefix('*').map_or(name.to_owned(), |suffix| format!("{ANY}{suffix}")),
    }
}
