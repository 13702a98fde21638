//! The proxy of a gateway: its listeners, and what externals send through it.

use super::index::Claimant;
use super::parts::{self, ListenerParts};
use super::rule::{Entrance, Rule, connection_rules, default_rule, http_rules, whole};
use super::upstream::Upstreams;
use super::{
    ConnectionRule, HttpServer, Listeners, Origin, Plan, Proxy, Role, TlsKind, TlsServer, VirtualHost,
    specificity,
};
use crate::model::{
    Destination, DestinationId, External, Gateway, Host, HttpsRedirect, Id, Listener as Declared,
    MatchBinding, RedirectTarget, Resource, RouteKind, ServerHost, ServerTlsMode, Visibility, Visible,
};
use crate::values::{HostMap, HostPattern, Literal, Protocol, RedirectCode, SniHost};
use indexmap::IndexMap;
use rustc_hash::{FxHashMap, FxHashSet};
use smol_str::SmolStr;
use std::net::IpAddr;
use std::sync::Arc;

pub(super) fn proxy<'m>(
    plan: &Plan<'m, '_>,
    id: Id<Resource<Gateway>>,
    gateway: &'m Resource<Gateway>,
) -> Proxy {
    let role = Role::Gateway(id);
    let mut maker = Maker {
        plan,
        id,
        gateway,
        upstreams: Upstreams::new(plan, role, None),
        listeners: Listeners::default(),
    };
    let listeners = parts::listeners(&gateway.declared);
    maker.plain_http(listeners);
    for declared in listeners.iter().filter(|declared| !is_plain_http(declared)) {
        maker.declared(declared);
    }
    for external in &plan.index.bound(id).externals {
        if let Some(resource) = plan.model.mesh.externals.get(*external) {
            maker.egress(DestinationId::External(*external), &resource.declared);
        }
    }
    let Maker { plan: _, id: _, gateway: _, upstreams, listeners } = maker;
    Proxy {
        role,
        name: SmolStr::new(gateway.name.value.as_str()),
        namespace: gateway.namespace_name().map(SmolStr::new),
        listeners: listeners.sorted(),
        upstreams: upstreams.all,
        span: Some(gateway.span),
    }
}

struct Maker<'m, 'd> {
    plan: &'d Plan<'m, 'd>,
    id: Id<Resource<Gateway>>,
    gateway: &'m Resource<Gateway>,
    upstreams: Upstreams<'m, 'd>,
    listeners: Listeners,
}

/// An address, or all of them, and a port.
type Place = (Option<IpAddr>, u16);

/// A block, others that claim the same as it does, and the status with which the listener that it claims for sends callers to HTTPS.
type ClaimedBy = (Id<Resource<Host>>, Vec<Id<Resource<Host>>>, Option<RedirectCode>);

impl<'m> Maker<'m, '_> {
    /// The listeners for HTTP without TLS: those of one port and address share their virtual hosts.
    fn plain_http(&mut self, all: &'m [Declared]) {
        let mut groups: IndexMap<Place, Vec<&'m Declared>> = IndexMap::new();
        for declared in all.iter().filter(|declared| is_plain_http(declared)) {
            let parts = parts::listener(declared);
            let listener = self.listeners.at(parts.bind, parts.port);
            groups.entry((listener.bind, listener.port)).or_default().push(declared);
        }
        for ((bind, port), group) in groups {
            let hosts = self.virtual_hosts(&group);
            if let Some(server) = self.listeners.place(bind, port).plain_http() {
                server.virtual_hosts.extend(hosts);
            }
        }
    }

    /// A listener of the source for anything else.
    fn declared(&mut self, declared: &'m Declared) {
        let ListenerParts { protocol, port, tls, bind, span, hosts: _, redirect: _ } =
            parts::listener(declared);
        let passes = tls.is_some_and(|tls| {
            matches!(tls.mode.value, ServerTlsMode::Passthrough | ServerTlsMode::AutoPassthrough)
        });
        match tls {
            None => {
                let rules = self.connection_rules(declared, RouteKind::Tcp);
                let listener = self.listeners.at(bind, port);
                if let Some(known) = listener.plain_tcp() {
                    known.extend(rules);
                }
            }
            Some(tls) => {
                let kind = if passes {
                    TlsKind::Passthrough(self.connection_rules(declared, RouteKind::Tls))
                } else if carries_http(protocol) {
                    TlsKind::Http(
                        Arc::new(tls.clone()),
                        HttpServer { virtual_hosts: self.virtual_hosts(&[declared]).into() },
                    )
                } else {
                    TlsKind::Tcp(Arc::new(tls.clone()), self.connection_rules(declared, RouteKind::Tcp))
                };
                let names = hosts_of(declared).map(|host| host.host.clone()).collect();
                let origin = Origin::Gateway(self.id);
                let server = TlsServer { names, kind, origin, span };
                self.listeners.at(bind, port).tls.push(server);
            }
        }
    }

    fn entrance(&self, port: u16) -> Entrance {
        Entrance { binding: MatchBinding::Gateway(self.id), port }
    }

    /// The names of the host blocks that are bound to the gateway, visible to it and let in where it serves a name.
    fn blocks(&self, served: &ServerHost) -> Option<&HostMap<Claimant>> {
        self.plan.index.bound(self.id).blocks(served.admitted(self.gateway.namespace_name()))
    }

    /// The hosts of listeners that share a port and are told apart by host alone. Each host has the rules of the block that
    /// claims it most specifically; of several that do, the rules of all, what takes every request last.
    fn virtual_hosts(&mut self, declared: &[&'m Declared]) -> Vec<VirtualHost> {
        let mut claims = self.claims(declared);
        // The most specific claim of a domain holds, in whatever order blocks and listeners stand.
        claims.sort_by_key(|claim| std::cmp::Reverse(claim.specificity));
        let mut taken: FxHashSet<HostPattern> = FxHashSet::default();
        let others = equal_claims(&claims);
        claims.retain(|claim| taken.insert(claim.domain.clone()));
        claims.sort_by_key(|claim| claim.order);
        let mut hosts: Vec<VirtualHost> = Vec::new();
        let mut known: FxHashMap<ClaimedBy, usize> = FxHashMap::default();
        for claim in claims {
            let others = others.get(&claim.domain).cloned().unwrap_or_default();
            let key = (claim.block, others.clone(), claim.redirect.map(|redirect| redirect.code));
            if let Some(host) = known.get(&key).and_then(|at| hosts.get_mut(*at)) {
                host.domains.push(claim.domain);
                continue;
            }
            let Some(block) = self.plan.model.hosts.get(claim.block) else { continue };
            let entrance = self.entrance(claim.port);
            let mut rules = http_rules(self.plan, claim.block, entrance, &mut self.upstreams);
            for other in &others {
                rules.extend(http_rules(self.plan, *other, entrance, &mut self.upstreams));
            }
            if !others.is_empty() {
                rules.sort_by_key(Rule::takes_every_request);
            }
            let (https_only, rules) = redirected(claim.redirect, rules);
            known.insert(key, hosts.len());
            hosts.push(VirtualHost {
                domains: vec![claim.domain],
                https_only,
                rules,
                origin: Origin::Host(claim.block),
                span: block.span,
            });
        }
        let origin = Origin::Gateway(self.id);
        hosts.extend(declared.iter().filter_map(|declared| only_redirected(declared, origin, &mut taken)));
        hosts.retain(|host| host.https_only || !host.rules.is_empty());
        hosts
    }

    /// What bound host blocks claim of the hosts of listeners: the narrower of both names. In order of the blocks.
    fn claims(&self, declared: &[&'m Declared]) -> Vec<Claim> {
        let mut claims = Vec::new();
        for (at, listener) in declared.iter().enumerate() {
            for (position, served) in hosts_of(listener).enumerate() {
                let claimed =
                    self.blocks(served).into_iter().flat_map(|blocks| blocks.overlapping(&served.host));
                claims.extend(claimed.map(|(pattern, (block, name))| Claim {
                    domain: if pattern.covers(&served.host) { &served.host } else { pattern }.clone(),
                    block: *block,
                    port: listener.port.value.get(),
                    redirect: parts::listener(listener).redirect,
                    specificity: (specificity(pattern), specificity(&served.host)),
                    order: (block.index(), at, position, *name),
                }));
            }
        }
        claims.sort_unstable_by_key(|claim| claim.order);
        claims
    }

    /// The rules for connections of the host blocks that share a name with a listener: those for the most specific name of a
    /// block first, as for requests, and in the order of the block.
    fn connection_rules(&mut self, declared: &'m Declared, kind: RouteKind) -> Vec<ConnectionRule> {
        let entrance = self.entrance(declared.port.value.get());
        let shared =
            hosts_of(declared).filter_map(|served| Some(self.blocks(served)?.overlapping(&served.host)));
        let shared =
            shared.flatten().map(|(pattern, (block, name))| (block.index(), *name, *block, pattern.clone()));
        let mut shared: Vec<_> = shared.collect();
        shared.sort_unstable_by_key(|(block, name, ..)| (*block, *name));
        shared.dedup_by_key(|(block, name, ..)| (*block, *name));
        let mut ranked: Vec<(usize, ConnectionRule)> = Vec::new();
        for names in shared.chunk_by(|left, right| left.0 == right.0) {
            let Some((_, _, block, _)) = names.first() else { continue };
            let names: Vec<&HostPattern> = names.iter().map(|(.., pattern)| pattern).collect();
            for rule in connection_rules(self.plan, *block, kind, entrance, &mut self.upstreams) {
                ranked.extend(by_name(rule, &names));
            }
        }
        ranked.sort_by_key(|(specificity, _)| std::cmp::Reverse(*specificity));
        ranked.into_iter().map(|(_, rule)| rule).collect()
    }

    /// What an external needs that is sent through this gateway: a listener for each of its ports.
    fn egress(&mut self, target: DestinationId, external: &'m External) {
        let parts = parts::external(external);
        for host in parts.hosts {
            for port in parts.ports {
                let name = Some(SmolStr::new(host.value.as_str()));
                let to = Destination {
                    target,
                    host: name,
                    port: Some(port.number),
                    subset: None,
                    span: external.span,
                };
                if port.protocol.value.is_tls_family() {
                    let Some(to) = whole(&to, &mut self.upstreams) else { continue };
                    let listener = self.listeners.at(None, port.number.value.get());
                    let sni = SniHost::parse(host.value.as_str()).into_iter().collect();
                    let rule = ConnectionRule {
                        name: SmolStr::new_static("default"),
                        sni,
                        matches: Vec::new(),
                        to: vec![to],
                        origin: Origin::Destination(target),
                        span: external.span,
                    };
                    listener.tls.push(TlsServer {
                        names: vec![host.value.clone()],
                        kind: TlsKind::Passthrough(vec![rule]),
                        origin: Origin::Destination(target),
                        span: external.span,
                    });
                } else {
                    let Some(rule) = default_rule(&to, &mut self.upstreams) else { continue };
                    let listener = self.listeners.at(None, port.number.value.get());
                    let Some(server) = listener.plain_http() else { continue };
                    server.virtual_hosts.push(VirtualHost {
                        domains: vec![host.value.clone()],
                        https_only: false,
                        rules: vec![rule],
                        origin: Origin::Destination(target),
                        span: external.span,
                    });
                }
            }
        }
    }
}

/// A rule for each name of its block that it asks for names of, with how specific that is.
fn by_name(rule: ConnectionRule, names: &[&HostPattern]) -> Vec<(usize, ConnectionRule)> {
    if rule.sni.is_empty() {
        let widest = names.iter().map(|name| specificity(name)).min().unwrap_or(0);
        return vec![(widest, rule)];
    }
    let mut ranked: Vec<(usize, ConnectionRule)> = Vec::new();
    for sni in &rule.sni {
        let own =
            names.iter().filter(|name| name.overlaps(sni.as_host())).map(|name| specificity(name)).max();
        let Some(own) = own else { continue };
        match ranked.iter_mut().find(|(known, _)| *known == own) {
            Some((_, known)) => known.sni.push(sni.clone()),
            None => ranked.push((own, ConnectionRule { sni: vec![sni.clone()], ..rule.clone() })),
        }
    }
    ranked
}

/// A host that a block claims.
struct Claim {
    domain: HostPattern,
    block: Id<Resource<Host>>,
    port: u16,
    /// Where the listener sends every request.
    redirect: Option<HttpsRedirect>,
    /// How specific the names are by which the block claims it and the listener serves it.
    specificity: (usize, usize),
    /// The positions of block, listener, name of the listener, and name of the block.
    order: (usize, usize, usize, usize),
}

/// For each domain the blocks that claim it as specifically as the first does, without that one; of claims in order of how specific
/// they are.
fn equal_claims(claims: &[Claim]) -> FxHashMap<HostPattern, Vec<Id<Resource<Host>>>> {
    let mut first: FxHashMap<&HostPattern, &Claim> = FxHashMap::default();
    let mut others: FxHashMap<HostPattern, Vec<Id<Resource<Host>>>> = FxHashMap::default();
    for claim in claims {
        let best = *first.entry(&claim.domain).or_insert(claim);
        if claim.block == best.block || claim.specificity != best.specificity {
            continue;
        }
        let known = others.entry(claim.domain.clone()).or_default();
        if !known.contains(&claim.block) {
            known.push(claim.block);
        }
    }
    others
}

/// Whether a virtual host answers every request with 301, as data planes do it by themselves, and its rules: with another status,
/// the redirect is a rule.
fn redirected(redirect: Option<HttpsRedirect>, rules: Vec<Rule>) -> (bool, Vec<Rule>) {
    match redirect {
        None => (false, rules),
        Some(HttpsRedirect {
            target: RedirectTarget::Https,
            code: RedirectCode::MOVED_PERMANENTLY,
            span: _,
        }) => (true, rules),
        Some(HttpsRedirect { target: RedirectTarget::Https, code, span }) => {
            (false, vec![Rule::to_https(code, span)])
        }
    }
}

/// The hosts of a listener that redirects which no block claims; they are entered into `taken`.
fn only_redirected(
    declared: &Declared,
    origin: Origin,
    taken: &mut FxHashSet<HostPattern>,
) -> Option<VirtualHost> {
    let redirect = parts::listener(declared).redirect?;
    let unclaimed = hosts_of(declared).map(|host| &host.host).filter(|host| !taken.contains(host));
    let domains: Vec<HostPattern> = unclaimed.cloned().collect();
    taken.extend(domains.iter().cloned());
    let (https_only, rules) = redirected(Some(redirect), Vec::new());
    let host = VirtualHost { domains, https_only, rules, origin, span: declared.span };
    (!host.domains.is_empty()).then_some(host)
}

fn carries_http(protocol: Protocol) -> bool {
    protocol.is_http_family() || protocol == Protocol::Https
}

fn is_plain_http(declared: &Declared) -> bool {
    let parts = parts::listener(declared);
    parts.tls.is_none() && carries_http(parts.protocol)
}

fn hosts_of(declared: &Declared) -> impl Iterator<Item = &ServerHost> {
    parts::listener(declared).hosts.iter().map(|host| &host.value)
}

/// Whether what is declared in the namespace `home` with this visibility is seen from the namespace `viewer`.
#[must_use]
pub fn is_seen(viewer: Option<&str>, visibility: Option<&Visibility>, home: Option<&str>) -> bool {
    let Some(visibility) = visibility else { return true };
    visibility.to.iter().any(|visible| match visible {
        Visible::Everywhere => true,
        Visible::Nowhere => false,
        Visible::Here => viewer == home,
        Visible::In(namespace) => viewer == Some(namespace.as_str()),
    })
}
