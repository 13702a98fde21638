//! The proxy of a gateway: its listeners, and what externals send through it.

use super::rule::{Entrance, connection_rules, default_rule, http_rules, whole};
use super::upstream::Upstreams;
use super::{
    ConnectionRule, HttpServer, Listener, Origin, Plan, Proxy, Role, TlsKind, TlsServer, VirtualHost,
    bind_address, listener, specificity,
};
use crate::model::{
    Destination, DestinationId, External, Gateway, Host, HostNamespace, Id, Listener as Declared,
    MatchBinding, Resource, RouteKind, ServerHost, ServerTlsMode, Visibility, Visible,
};
use crate::values::{HostPattern, Literal, Protocol, SniHost};
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
    let mut maker =
        Maker { plan, id, gateway, upstreams: Upstreams::new(plan, role, None), listeners: Vec::new() };
    maker.plain_http(&gateway.declared.body.listeners);
    for declared in gateway.declared.body.listeners.iter().filter(|declared| !is_plain_http(declared)) {
        maker.declared(declared);
    }
    for (external, resource) in plan.model.mesh.externals.iter().filter(|(_, one)| one.egress == Some(id)) {
        maker.egress(DestinationId::External(external), &resource.declared);
    }
    let Maker { upstreams, mut listeners, .. } = maker;
    listeners.sort_by_key(|listener| (listener.port, listener.bind));
    Proxy {
        role,
        name: SmolStr::new(gateway.name.value.as_str()),
        namespace: gateway.namespace_name().map(SmolStr::new),
        listeners,
        upstreams: upstreams.all,
        span: Some(gateway.span),
    }
}

struct Maker<'m, 'd> {
    plan: &'d Plan<'m, 'd>,
    id: Id<Resource<Gateway>>,
    gateway: &'m Resource<Gateway>,
    upstreams: Upstreams<'m, 'd>,
    listeners: Vec<Listener>,
}

/// An address, or all of them, and a port.
type Place = (Option<IpAddr>, u16);

/// A block, and whether it claims for a listener that wants TLS.
type ClaimedBy = (Id<Resource<Host>>, bool);

impl<'m> Maker<'m, '_> {
    /// The listeners for HTTP without TLS: those of one port and address share their virtual hosts.
    fn plain_http(&mut self, all: &'m [Declared]) {
        let mut groups: Vec<(Place, Vec<&'m Declared>)> = Vec::new();
        for declared in all.iter().filter(|declared| is_plain_http(declared)) {
            let place = (bind_address(declared), declared.port.value.get());
            match groups.iter_mut().find(|(known, _)| *known == place) {
                Some((_, group)) => group.push(declared),
                None => groups.push((place, vec![declared])),
            }
        }
        for ((bind, port), group) in groups {
            let hosts = self.virtual_hosts(&group);
            if let Some(server) = listener(&mut self.listeners, bind, port).plain_http() {
                server.virtual_hosts.extend(hosts);
            }
        }
    }

    /// A listener of the source for anything else.
    fn declared(&mut self, declared: &'m Declared) {
        let port = declared.port.value.get();
        let protocol = declared.protocol.value;
        let tls = declared.body.tls.as_deref();
        let passes = tls.is_some_and(|tls| {
            matches!(tls.mode.value, ServerTlsMode::Passthrough | ServerTlsMode::AutoPassthrough)
        });
        let bind = bind_address(declared);
        match tls {
            None => {
                let rules = self.connection_rules(declared, RouteKind::Tcp);
                let listener = listener(&mut self.listeners, bind, port);
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
                        HttpServer { virtual_hosts: self.virtual_hosts(&[declared]) },
                    )
                } else {
                    TlsKind::Tcp(Arc::new(tls.clone()), self.connection_rules(declared, RouteKind::Tcp))
                };
                let names = hosts_of(declared).map(|host| host.host.clone()).collect();
                let origin = Origin::Gateway(self.id);
                let server = TlsServer { names, kind, origin, span: declared.span };
                listener(&mut self.listeners, bind, port).tls.push(server);
            }
        }
    }

    fn entrance(&self, port: u16) -> Entrance {
        Entrance { binding: MatchBinding::Gateway(self.id), port }
    }

    /// The host blocks that are bound to the gateway and visible to it.
    fn blocks(&self) -> Vec<(Id<Resource<Host>>, &'m Resource<Host>)> {
        let bound = |host: &Host| host.gateways().any(|(id, _)| id == self.id);
        let all = self.plan.model.hosts.iter().filter(|(_, host)| bound(host));
        let own = self.gateway.namespace_name();
        all.filter(|(_, host)| sees(own, host.declared.body.visibility.as_ref(), host.namespace_name()))
            .collect()
    }

    /// The hosts of listeners that share a port and are told apart by host alone. Each host has the rules of the block that
    /// claims it most specifically.
    fn virtual_hosts(&mut self, declared: &[&'m Declared]) -> Vec<VirtualHost> {
        let mut claims = self.claims(declared);
        // The most specific claim of a domain holds, in whatever order blocks and listeners stand.
        claims.sort_by_key(|claim| std::cmp::Reverse(claim.specificity));
        let mut taken: FxHashSet<HostPattern> = FxHashSet::default();
        claims.retain(|claim| taken.insert(claim.domain.clone()));
        claims.sort_by_key(|claim| (claim.block.index(), claim.order));
        let mut hosts: Vec<VirtualHost> = Vec::new();
        let mut known: FxHashMap<ClaimedBy, usize> = FxHashMap::default();
        for claim in claims {
            let key = (claim.block, claim.https_only);
            if let Some(host) = known.get(&key).and_then(|at| hosts.get_mut(*at)) {
                host.domains.push(claim.domain);
                continue;
            }
            let Some(block) = self.plan.model.hosts.get(claim.block) else { continue };
            let rules = http_rules(self.plan, claim.block, self.entrance(claim.port), &mut self.upstreams);
            let https_only = claim.https_only;
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

    /// What bound host blocks claim of the hosts of listeners: the narrower of both names.
    fn claims(&self, declared: &[&'m Declared]) -> Vec<Claim> {
        let mut claims = Vec::new();
        for (block, host) in self.blocks() {
            for listener in declared {
                for served in hosts_of(listener).filter(|served| self.serves(served, host)) {
                    let names = host.declared.patterns().map(|(pattern, _)| pattern);
                    for pattern in names.filter(|pattern| pattern.overlaps(&served.host)) {
                        let narrower = if pattern.covers(&served.host) { &served.host } else { pattern };
                        claims.push(Claim {
                            domain: narrower.clone(),
                            block,
                            port: listener.port.value.get(),
                            https_only: listener.body.redirect.is_some(),
                            specificity: (specificity(pattern), specificity(&served.host)),
                            order: claims.len(),
                        });
                    }
                }
            }
        }
        claims
    }

    /// Whether a name of a listener is served for host blocks of that namespace.
    fn serves(&self, served: &ServerHost, host: &Resource<Host>) -> bool {
        match &served.namespace {
            None | Some(HostNamespace::Any) => true,
            Some(HostNamespace::Own) => host.namespace_name() == self.gateway.namespace_name(),
            Some(HostNamespace::Named(namespace)) => host.namespace_name() == Some(namespace.as_str()),
        }
    }

    /// The rules for connections of the host blocks that share a name with a listener, in order.
    fn connection_rules(&mut self, declared: &'m Declared, kind: RouteKind) -> Vec<ConnectionRule> {
        let entrance = self.entrance(declared.port.value.get());
        let mut rules = Vec::new();
        for (id, host) in self.blocks() {
            let shares = |served: &ServerHost| {
                self.serves(served, host)
                    && host.declared.patterns().any(|(pattern, _)| pattern.overlaps(&served.host))
            };
            if hosts_of(declared).any(shares) {
                rules.extend(connection_rules(self.plan, id, kind, entrance, &mut self.upstreams));
            }
        }
        rules
    }

    /// What an external needs that is sent through this gateway: a listener for each of its ports.
    fn egress(&mut self, target: DestinationId, external: &'m External) {
        let hosts = external.body.hosts.iter().flat_map(|hosts| hosts.iter());
        for host in hosts {
            for port in &external.body.ports {
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
                    let listener = listener(&mut self.listeners, None, port.number.value.get());
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
                    let listener = listener(&mut self.listeners, None, port.number.value.get());
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

/// A host that a block claims.
struct Claim {
    domain: HostPattern,
    block: Id<Resource<Host>>,
    port: u16,
    https_only: bool,
    /// How specific the names are by which the block claims it and the listener serves it.
    specificity: (usize, usize),
    order: usize,
}

/// The hosts of a listener that redirects which no block claims; they are entered into `taken`.
fn only_redirected(
    declared: &Declared,
    origin: Origin,
    taken: &mut FxHashSet<HostPattern>,
) -> Option<VirtualHost> {
    declared.body.redirect?;
    let unclaimed = hosts_of(declared).map(|host| &host.host).filter(|host| !taken.contains(host));
    let domains: Vec<HostPattern> = unclaimed.cloned().collect();
    taken.extend(domains.iter().cloned());
    let host = VirtualHost { domains, https_only: true, rules: Vec::new(), origin, span: declared.span };
    (!host.domains.is_empty()).then_some(host)
}

fn carries_http(protocol: Protocol) -> bool {
    protocol.is_http_family() || protocol == Protocol::Https
}

fn is_plain_http(declared: &Declared) -> bool {
    declared.body.tls.is_none() && carries_http(declared.protocol.value)
}

fn hosts_of(declared: &Declared) -> impl Iterator<Item = &ServerHost> {
    declared.body.hosts.iter().flat_map(|hosts| hosts.iter()).map(|host| &host.value)
}

/// Whether what is declared in the namespace `home` with this visibility is seen from the namespace `viewer`.
pub(super) fn sees(viewer: Option<&str>, visibility: Option<&Visibility>, home: Option<&str>) -> bool {
    let Some(visibility) = visibility else { return true };
    visibility.to.iter().any(|visible| match visible {
        Visible::Everywhere => true,
        Visible::Nowhere => false,
        Visible::Here => viewer == home,
        Visible::In(namespace) => viewer == Some(namespace.as_str()),
    })
}
