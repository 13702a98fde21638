//! Servers for connections that are passed on: TCP, and TLS by the name that it asks for.

use super::builder::Builder;
use super::directive::{Directive, line};
use super::dispatch::row;
use super::hosts;
use super::listener_tls;
use super::listeners::Heard;
use super::module::Module;
use super::regex;
use super::text::{FOR_EVER, millis};
use super::upstream_blocks::{self, Call, ProxyPass};
use super::upstream_tls::{self, ServerName, UpstreamTls};
use super::variables::Subsystem;
use super::variables::hundredths;
use meshc_compiler::model::{Id, ServerTls};
use meshc_compiler::routing::{Addresses, ConnectionRule, TlsKind, TlsServer, Upstream, WeightedUpstream};
use meshc_compiler::values::{HostPattern, SniHost, escape_literal};
use meshc_language::Span;

/// The name that TLS asks for.
pub(super) const SNI: &str = "$ssl_preread_server_name";

/// Whether connections are TLS that ends here.
pub(super) enum Secured<'t> {
    Not,
    Ends(&'t ServerTls),
}

/// A server whose connections are TCP once TLS has ended.
pub(super) fn server(
    rules: &[ConnectionRule],
    secured: Secured<'_>,
    heard: &Heard,
    builder: &mut Builder<'_>,
) -> Directive {
    let mut inside = match secured {
        Secured::Not => listen(heard, None),
        Secured::Ends(_) => listen(heard, Some("ssl")),
    };
    if let Secured::Ends(tls) = secured {
        inside.extend(listener_tls::lines(tls, false, builder));
    }
    inside.extend(passed_on(rules, builder));
    for one in rules.iter().flat_map(|rule| &rule.to) {
        refuse_nameless(one.upstream, one.span, builder);
    }
    let mut target = chosen(rules, builder);
    if let Secured::Ends(tls) = secured
        && listener_tls::wants_any_certificate(tls)
    {
        // Who leads nowhere is hung up on.
        let entries = vec![line!["default", target], line![regex::exactly("NONE"), ""]];
        target = builder.stream.map("$ssl_client_verify", entries);
    }
    inside.push(line!["proxy_pass", target]);
    line!["server"].block(inside)
}

/// A server whose connections are TLS passthrough: the most specific name picks the rules, and of those the first that
/// holds is taken.
pub(super) fn passing(group: &[&TlsServer], heard: &Heard, builder: &mut Builder<'_>) -> Directive {
    let mut names: Vec<(HostPattern, String)> = Vec::new();
    let mut all: Vec<&ConnectionRule> = Vec::new();
    for server in group {
        let TlsKind::Passthrough(rules) = &server.kind else { continue };
        let target = chosen(rules, builder);
        names.extend(server.names.iter().map(|name| (name.clone(), target.clone())));
        all.extend(rules);
    }
    let target = hosts::map(SNI, &names, "", &mut builder.stream);
    let mut inside = listen(heard, None);
    inside.push(line!["ssl_preread", "on"]);
    inside.extend(passed_on(all, builder));
    inside.push(line!["proxy_pass", target]);
    line!["server"].block(inside)
}

fn listen(heard: &Heard, flag: Option<&str>) -> Vec<Directive> {
    let hop = heard.is_hop.then_some("proxy_protocol");
    heard.addresses.iter().map(|address| line!["listen", address.clone()].and(hop).and(flag)).collect()
}

/// Time limits: nginx has one for all destinations of a server, so the longest holds.
fn passed_on<'r>(
    rules: impl IntoIterator<Item = &'r ConnectionRule>,
    builder: &Builder<'_>,
) -> Vec<Directive> {
    let to = rules.into_iter().flat_map(|rule| &rule.to);
    limits(to.filter_map(|one| builder.upstream(one.upstream)))
}

/// The time limits of a server that connects to these destinations.
fn limits<'u>(upstreams: impl Iterator<Item = &'u Upstream>) -> Vec<Directive> {
    let (mut connect, mut silence, mut probes) = (0, 0, false);
    for upstream in upstreams {
        let pool = upstream.policy.pool.as_deref().map(|pool| &pool.body);
        connect = connect.max(upstream.policy.connect_timeout().as_millis());
        silence = silence.max(match upstream.policy.tcp_idle().as_millis() {
            0 => FOR_EVER,
            time => time,
        });
        probes |= pool.is_some_and(|pool| pool.keepalive.is_some());
    }
    let mut lines = Vec::new();
    if connect > 0 {
        lines.push(line!["proxy_connect_timeout", millis(connect)]);
        lines.push(line!["proxy_timeout", millis(silence)]);
    }
    if probes {
        lines.push(line!["proxy_socket_keepalive", "on"]);
    }
    lines
}

/// What `proxy_pass` takes: the target of the first rule that holds; nothing if there is none, which closes the connection.
fn chosen(rules: &[ConnectionRule], builder: &mut Builder<'_>) -> String {
    let mut conditional: Vec<(String, Vec<String>)> = Vec::new();
    let mut next = String::new();
    for rule in rules {
        let target = target(&rule.to, builder);
        let Some(bits) = bits(rule, builder) else { continue };
        if bits.is_empty() {
            next = target;
            break;
        }
        conditional.push((target, bits));
    }
    // One `map` for each rule: connections have few rules, and each asks for one or two bits.
    for (target, bits) in conditional.into_iter().rev() {
        let order: Vec<&String> = bits.iter().collect();
        let source: String = bits.concat();
        let entries = vec![line!["default", next], line![row(&order, &bits), target]];
        next = builder.stream.map(&source, entries);
    }
    next
}

/// The bits that a rule asks for; `None` if it never holds.
fn bits(rule: &ConnectionRule, builder: &mut Builder<'_>) -> Option<Vec<String>> {
    let mut bits = Vec::new();
    if !rule.sni.is_empty() && !rule.sni.iter().any(|name| name.as_host().is_any()) {
        let keys = rule.sni.iter().map(|name| (sni_key(name), true)).collect();
        bits.push(builder.stream.bit(SNI, keys, false));
    }
    if rule.matches.is_empty() {
        return Some(bits);
    }
    let seen =
        rule.matches.iter().filter(|one| one.source_namespace.is_none() && one.source_labels.is_empty());
    let mut ranges = Vec::new();
    for one in seen {
        if one.destinations.is_empty() {
            return Some(bits);
        }
        ranges.extend(one.destinations.iter().map(ToString::to_string));
    }
    if ranges.is_empty() {
        return None;
    }
    ranges.sort();
    ranges.dedup();
    bits.push(builder.stream.is_in("$server_addr", ranges.into_iter()));
    Some(bits)
}

/// A name that TLS asks for. Letter case does not count, nor does a final dot.
fn sni_key(name: &SniHost) -> String {
    match name.as_str().strip_prefix('*') {
        Some(suffix) => format!("~*^.+{}\\.?\\z", escape_literal(suffix)),
        None => format!("~*^{}\\.?\\z", escape_literal(name.as_str())),
    }
}

fn target(to: &[WeightedUpstream], builder: &mut Builder<'_>) -> String {
    let passes: Vec<String> = to.iter().map(|one| proxy_pass(one.upstream, builder)).collect();
    match passes.as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        _ => {
            let shares = hundredths(&to.iter().map(|one| one.weight).collect::<Vec<_>>());
            let parts: Vec<(String, u32)> = passes.into_iter().zip(shares).collect();
            // The values of `split_clients` are taken as they stand, so variables are put in by a `map`.
            let numbered: Vec<(String, u32)> =
                parts.iter().enumerate().map(|(at, (_, share))| (at.to_string(), *share)).collect();
            let purpose: Vec<&str> = parts.iter().map(|(pass, _)| pass.as_str()).collect();
            let drawn = builder.stream.split(&purpose.join(" "), &numbered);
            let mut entries = vec![line!["default", ""]];
            let numbered = parts.into_iter().enumerate();
            entries.extend(numbered.map(|(at, (pass, _))| line![regex::exactly(&at.to_string()), pass]));
            builder.stream.map(&drawn, entries)
        }
    }
}

/// Where connections to an upstream go. Where TLS begins here it does so in a server of its own: nginx has one such setting for
/// all destinations of a server.
fn proxy_pass(id: Id<Upstream>, builder: &mut Builder<'_>) -> String {
    let Some(upstream) = builder.upstream(id) else { return String::new() };
    let name = ServerName::Fixed(upstream.host.to_string());
    let tls = upstream_tls::of(upstream, name, builder);
    let identity = tls.as_ref().map(|tls| tls.identity()).unwrap_or_default();
    let call =
        Call { subsystem: Subsystem::Stream, module: Module::Proxy, identity: &identity, keeps: false };
    let Some(pass) = upstream_blocks::proxy_pass(id, call, builder) else {
        return String::new();
    };
    match tls {
        None => pass.as_str().to_owned(),
        Some(tls) => {
            // Another server connects, which has not read a name.
            refuse_nameless(id, upstream.span, builder);
            builder.originated(upstream, &identity, &pass, &tls)
        }
    }
}

/// Refuses a destination that is found by the name that TLS asks for, where no such name is read.
fn refuse_nameless(id: Id<Upstream>, span: Span, builder: &mut Builder<'_>) {
    match builder.upstream(id).map(|upstream| &upstream.addresses) {
        Some(Addresses::Original | Addresses::PerRequest) => builder.refuse(
            span,
            "connections to an external with `resolve none`",
            "nginx resolves such an external by its server name (SNI), and these connections have none",
            "give the external `endpoints` or `resolve dns`, or use TLS passthrough",
        ),
        Some(Addresses::Fixed(_) | Addresses::Dns { names: _, first_only: _ } | Addresses::Unknown)
        | None => {}
    }
}

/// A server that begins TLS for connections that others pass to it. It is the one that connects to the destination, so its time
/// limits are those of the destination.
pub(super) fn originating(hop: &str, pass: &ProxyPass, tls: &UpstreamTls, upstream: &Upstream) -> Directive {
    let mut inside = vec![line!["listen", hop]];
    inside.extend(limits([upstream].into_iter()));
    inside.push(line!["proxy_ssl", "on"]);
    inside.extend(tls.lines(Module::Proxy));
    inside.push(line!["proxy_pass", pass.as_str()]);
    line!["server"].block(inside)
}
