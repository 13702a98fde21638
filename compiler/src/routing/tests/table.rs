//! Tables of meshes, requests and outcomes.
//!
//! ```text
//! === what the case shows
//! the mesh
//! --- the proxy: `edge`, `outbound`, `outbound of NAMESPACE`, `workload a=b` (its gateways), `sidecar NAMESPACE a=b` (services have
//!     the addresses 10.96.0.1, 10.96.0.2 ... in order of declaration)
//! GET http://a.com/x?y [port 8080] [bind 10.0.0.1] [sni a.com | sni -] [from ns] [label a=b] [{ name: value; ... }] -> OUTCOME
//! TCP 3306 [to 10.0.0.1] [from ns] [label a=b] -> OUTCOME
//! TLS 443 [sni a.com] ... -> OUTCOME
//! plan                 the lines behind it are those of `shown::plan`
//! witnesses            the lines behind it are those of `witnessed::lines`
//! ```

use super::{compiled, proxy, shown, witnessed};
use crate::model::Model;
use crate::routing::matcher::{Connection, Entrance, Matcher, Request, Security, Source};
use crate::routing::{Proxy, Sidecar, WorkloadLabels, carried, gateway_workload, proxies, sidecar};
use std::net::IpAddr;

/// Runs every case of a table.
pub(super) fn run(name: &str, table: &str) {
    let mut failures = Vec::new();
    let mut count = 0;
    for case in table.split("=== ").skip(1) {
        let (title, body) = case.split_once('\n').unwrap();
        let mut parts = body.split("\n--- ");
        let checked = compiled(parts.next().unwrap());
        let all = proxies(checked.model(), &[]);
        all.iter().for_each(|proxy| witnessed::confirm(proxy));
        for part in parts {
            let (at, lines) = part.split_once('\n').unwrap();
            count += lines.lines().count();
            match of_istio(checked.model(), at.trim()) {
                Some(proxy) => expect(title, &proxy, lines, &mut failures),
                None => expect(title, proxy(&all, at.trim()), lines, &mut failures),
            }
        }
    }
    assert!(count > 0, "{name} asks for nothing");
    assert!(failures.is_empty(), "{name}:\n{}", failures.join("\n"));
}

/// A proxy that Istio alone has.
fn of_istio(model: &Model, words: &str) -> Option<Proxy> {
    let (kind, rest) = words.split_once(' ')?;
    let labels = rest.split_whitespace().filter_map(|word| word.split_once('='));
    let labels: WorkloadLabels = labels.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    match kind {
        "workload" => gateway_workload(model, &carried(model, &labels)),
        "sidecar" => {
            let namespace = rest.split_whitespace().next()?.to_owned();
            let hosts = model.mesh.services.as_slice().iter().map(|service| model.mesh.service_host(service));
            let addresses = (1..).map(|last| IpAddr::from([10, 96, 0, last]));
            let addresses = hosts.map(|host| host.to_string()).zip(addresses).collect();
            Some(sidecar(model, &Sidecar { namespace, labels, addresses }))
        }
        _ => None,
    }
}

fn expect(title: &str, proxy: &Proxy, lines: &str, failures: &mut Vec<String>) {
    let lines = lines.trim_end().lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    let lines: Vec<&str> = lines.collect();
    if let [first @ ("plan" | "policies" | "witnesses"), wanted @ ..] = lines.as_slice() {
        let found = match *first {
            "plan" => shown::plan(proxy),
            "policies" => shown::policies(proxy),
            _ => witnessed::lines(proxy),
        };
        if found != wanted {
            failures.push(format!("{title}: {first}\n{}", found.join("\n")));
        }
        return;
    }
    let matcher = Matcher::new(proxy);
    for line in lines {
        let (asked, wanted) = line.split_once(" -> ").unwrap_or_else(|| panic!("no arrow in `{line}`"));
        let found = ask(&matcher, proxy, asked.trim());
        if found != wanted.trim() {
            failures.push(format!("{title}: {asked}\n  wanted {}\n  found  {found}", wanted.trim()));
        }
    }
}

fn ask<'p>(matcher: &Matcher<'p>, proxy: &'p Proxy, asked: &str) -> String {
    let (asked, headers) = match asked.split_once(" {") {
        Some((asked, headers)) => (asked, read_headers(headers)),
        None => (asked, Vec::new()),
    };
    let mut words = asked.split_whitespace();
    let kind = words.next().unwrap();
    let what = words.next().unwrap();
    let words: Vec<&str> = words.collect();
    let options: Vec<(&str, &str)> = words
        .chunks(2)
        .map(|pair| match pair {
            [key, value] => (*key, *value),
            _ => panic!("an option without a value in `{asked}`"),
        })
        .collect();
    let option = |key: &str| options.iter().find(|(own, _)| *own == key).map(|(_, value)| *value);
    for (key, _) in &options {
        assert!(["port", "bind", "sni", "from", "label", "to"].contains(key), "unknown option `{key}`");
    }
    let labels = options.iter().filter(|(key, _)| *key == "label").map(|(_, label)| {
        let (key, value) = label.split_once('=').unwrap();
        (key.to_owned(), value.to_owned())
    });
    let source = Source { namespace: option("from").map(str::to_owned), labels: labels.collect() };
    let name = |otherwise: Option<&str>| match option("sni") {
        Some("-") => None,
        Some(name) => Some(name.to_owned()),
        None => otherwise.map(str::to_owned),
    };
    let address = option("bind").map(|address| address.parse().unwrap());
    if kind == "TCP" || kind == "TLS" {
        let security =
            if kind == "TLS" { Security::Tls { server_name: name(None) } } else { Security::Plain };
        let entrance = Entrance { port: what.parse().unwrap(), address, security };
        let destination = option("to").map(|address| address.parse().unwrap());
        return shown::passage(proxy, &matcher.connect(&Connection { entrance, destination, source }));
    }
    let (scheme, rest) = what.split_once("://").unwrap();
    let (authority, target) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.split(':').next().filter(|host| !host.is_empty());
    let (port, security) = match scheme {
        "http" => (80, Security::Plain),
        _ => (443, Security::Tls { server_name: name(host) }),
    };
    let port = option("port").map_or(port, |port| port.parse().unwrap());
    let request = Request {
        entrance: Entrance { port, address, security },
        method: kind.to_owned(),
        authority: authority.to_owned(),
        target: target.to_owned(),
        headers,
        source,
    };
    shown::outcome(proxy, &request, &matcher.answer(&request))
}

/// `name: value; name: value }`
fn read_headers(text: &str) -> Vec<(String, String)> {
    let inner = text.trim_end().strip_suffix('}').unwrap();
    let header = |header: &str| {
        let (name, value) = header.split_once(':').unwrap();
        (name.trim().to_owned(), value.trim_start_matches(' ').to_owned())
    };
    inner.split(';').map(|one| header(one.trim_end_matches(' '))).collect()
}
