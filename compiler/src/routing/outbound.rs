//! The proxies for what workloads of the mesh send: one, or one for each namespace of callers where `visible` makes a
//! difference between them.
//!
//! A service or an external stands on its own ports, under all names by which it can be called. Its rules are those of the host
//! block that claims it most specifically; without one, everything goes to it. A host block for names that nobody declares is
//! served on port 80, as Istio's sidecars do.

use super::gateway::is_seen;
use super::parts;
use super::rule::{Entrance, connection_rules, default_rule, http_rules, some_route_holds, whole};
use super::upstream::Upstreams;
use super::{
    Addresses, ConnectionRule, Listeners, Origin, Plain, Plan, Proxy, Role, Sidecar, TlsKind, TlsServer,
    VirtualHost, specificity,
};
use crate::model::{
    Destination, DestinationId, Host, Id, Match, MatchBinding, Model, Port, Resource, RouteKind, Visibility,
    Visible,
};
use crate::values::{HostMap, HostPattern, IpOrCidr, Literal, Protocol, SniHost};
use meshc_language::Span;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};
use smol_str::SmolStr;
use std::net::IpAddr;
use std::sync::Arc;

/// The port on which hosts are served that no service and no external stands for.
const PORT_OF_UNDECLARED: u16 = 80;

pub(super) fn proxies(plan: &Plan<'_, '_>) -> Vec<Arc<Proxy>> {
    let callers = if someone_is_hidden(plan.model) {
        namespaces(plan.model).into_iter().map(Some).collect()
    } else {
        vec![None::<SmolStr>]
    };
    let proxies = callers.into_par_iter().map(|callers| Arc::new(proxy(plan, callers)));
    proxies.filter(|proxy| !proxy.listeners.is_empty()).collect()
}

/// The sidecar of a workload.
pub(super) fn of_sidecar(plan: &Plan<'_, '_>, sidecar: &Sidecar) -> Proxy {
    proxy(plan, Some(SmolStr::new(&sidecar.namespace)))
}

/// Whether some resource is not seen by all.
fn someone_is_hidden(model: &Model) -> bool {
    let hides = |visibility: Option<&Visibility>| {
        visibility.is_some_and(|visibility| !visibility.to.contains(&Visible::Everywhere))
    };
    let mesh = &model.mesh;
    model.hosts.as_slice().iter().any(|one| one.in_mesh() && hides(parts::visibility(one)))
        || mesh.services.as_slice().iter().any(|one| hides(parts::service(one).visibility))
        || mesh.externals.as_slice().iter().any(|one| hides(parts::external(one).visibility))
}

/// The namespaces of the mesh, in order of declaration.
fn namespaces(model: &Model) -> Vec<SmolStr> {
    let mesh = &model.mesh;
    let services = mesh.services.as_slice().iter().map(Resource::namespace_name);
    let externals = mesh.externals.as_slice().iter().map(Resource::namespace_name);
    let hosts = model.hosts.as_slice().iter().map(Resource::namespace_name);
    let mut known = FxHashSet::default();
    let all = services.chain(externals).chain(hosts).flatten();
    all.filter(|namespace| known.insert(*namespace)).map(SmolStr::new).collect()
}

fn proxy<'m>(plan: &Plan<'m, '_>, callers: Option<SmolStr>) -> Proxy {
    let mut maker = Maker {
        plan,
        upstreams: Upstreams::new(plan, Role::Outbound, callers.clone()),
        claims: claims(plan.model, callers.as_deref()),
        callers,
        listeners: Listeners::default(),
        virtual_hosts: FxHashMap::default(),
        taken: FxHashMap::default(),
        for_all: FxHashMap::default(),
        held: FxHashMap::default(),
        short_names: short_names(plan.model),
    };
    let called = called(plan, maker.callers.as_deref());
    for one in &called {
        maker.destination(one);
    }
    maker.undeclared(&called);
    let Maker {
        plan: _,
        callers,
        upstreams,
        claims: _,
        listeners,
        virtual_hosts: _,
        taken: _,
        for_all: _,
        held: _,
        short_names: _,
    } = maker;
    Proxy {
        role: Role::Outbound,
        name: SmolStr::new_static("outbound"),
        namespace: callers,
        listeners: listeners.sorted(),
        upstreams: upstreams.all,
        span: None,
    }
}

/// A host that can be called, and what stands behind it.
struct Called<'m> {
    target: DestinationId,
    /// Which host of an external.
    host: HostPattern,
    ports: &'m [Port],
    /// The addresses that callers use for an external.
    addresses: Vec<IpOrCidr>,
    span: Span,
}

fn called<'m>(plan: &Plan<'m, '_>, callers: Option<&str>) -> Vec<Called<'m>> {
    let mesh = &plan.model.mesh;
    let mut all = Vec::new();
    for (id, service) in mesh.services.iter() {
        let Ok(host) = HostPattern::parse(&mesh.service_host(service)) else { continue };
        let ports = parts::service(&service.declared).ports;
        let target = DestinationId::Service(id);
        all.push(Called { target, host, ports, addresses: Vec::new(), span: service.name.span });
    }
    for (id, external) in mesh.externals.iter() {
        let parts = parts::external(&external.declared);
        let hidden = callers.is_some() && !is_seen(callers, parts.visibility, external.namespace_name());
        if hidden || plan.is_dropped(external.span, external.span) {
            continue;
        }
        let addresses = parts.addresses.iter().map(|one| one.value).collect::<Vec<_>>();
        for host in parts.hosts {
            all.push(Called {
                target: DestinationId::External(id),
                host: host.value.clone(),
                ports: parts.ports,
                addresses: addresses.clone(),
                span: host.span,
            });
        }
    }
    all
}

/// The host blocks inside the mesh, by their names.
fn claims(model: &Model, callers: Option<&str>) -> HostMap<Id<Resource<Host>>> {
    let seen = |host: &Resource<Host>| {
        callers.is_none() || is_seen(callers, parts::visibility(&host.declared), host.namespace_name())
    };
    let blocks = model.hosts.iter().filter(|(_, host)| host.in_mesh() && !host.is_delegate() && seen(host));
    blocks
        .flat_map(|(id, host)| host.declared.patterns().map(move |(pattern, _)| (pattern.clone(), id)))
        .collect()
}

/// Names of services, each with how many namespaces have one.
fn short_names(model: &Model) -> FxHashMap<&str, usize> {
    let mut names = FxHashMap::default();
    for service in model.mesh.services.as_slice() {
        *names.entry(service.declared.name.value.as_str()).or_default() += 1;
    }
    names
}

/// An address, or all of them, and a port.
type Place = (Option<IpAddr>, u16);

struct Maker<'m, 'd> {
    plan: &'d Plan<'m, 'd>,
    callers: Option<SmolStr>,
    upstreams: Upstreams<'m, 'd>,
    claims: HostMap<Id<Resource<Host>>>,
    listeners: Listeners,
    /// The virtual host of a port and block, by its position in the listener's.
    virtual_hosts: FxHashMap<(u16, Id<Resource<Host>>), usize>,
    /// Who stands on a port without anything that tells its connections from others.
    taken: FxHashMap<Place, Span>,
    /// Where the rules of a port for TCP begin that hold for all addresses.
    for_all: FxHashMap<Place, usize>,
    /// Whether some route of a kind in a block can hold on a port, where that was asked.
    held: FxHashMap<(Id<Resource<Host>>, RouteKind, u16), bool>,
    short_names: FxHashMap<&'m str, usize>,
}

impl<'m> Maker<'m, '_> {
    fn destination(&mut self, called: &Called<'m>) {
        let block = self.claims.most_specific(&called.host).copied();
        for port in called.ports {
            let protocol = port.protocol.value;
            if protocol == Protocol::Udp {
                // Istio's proxies do not carry it either; callers reach the endpoints directly.
                continue;
            }
            if protocol.is_http_family() {
                self.http(called, port, block);
            } else if protocol.is_tls_family() {
                self.tls(called, port, block);
            } else {
                self.tcp(called, port, block);
            }
        }
    }

    fn entrance(port: u16) -> Entrance {
        Entrance { binding: MatchBinding::Mesh, port }
    }

    /// The destination that is meant where nobody wrote a rule.
    fn itself(called: &Called<'m>, port: &Port) -> Destination {
        let host = match called.target {
            DestinationId::Service(_) => None,
            DestinationId::External(_) => Some(SmolStr::new(called.host.as_str())),
        };
        Destination { target: called.target, host, port: Some(port.number), subset: None, span: called.span }
    }

    /// The block of a host, if it has routes of this kind that can hold on a port. One that has none says nothing of the port:
    /// Istio's sidecars call the destination there as if it had no host block.
    fn with_routes(
        &mut self,
        block: Option<Id<Resource<Host>>>,
        kind: RouteKind,
        port: u16,
    ) -> Option<Id<Resource<Host>>> {
        block.filter(|id| {
            let holds = || some_route_holds(self.plan, *id, kind, Self::entrance(port));
            *self.held.entry((*id, kind, port)).or_insert_with(holds)
        })
    }

    fn http(&mut self, called: &Called<'m>, port: &Port, block: Option<Id<Resource<Host>>>) {
        let number = port.number.value.get();
        let block = self.with_routes(block, RouteKind::Http, number);
        if (block.is_none() && !self.is_known(called, port))
            || self.conflicts((None, number), true, called.addresses.is_empty(), called.span)
        {
            return;
        }
        let domains = self.names(called);
        match block {
            Some(block) => self.routed(number, block, domains, called.span),
            None => {
                let rule = default_rule(&Self::itself(called, port), &mut self.upstreams);
                let rules = rule.into_iter().collect();
                let origin = Origin::Destination(called.target);
                let host = VirtualHost { domains, https_only: false, rules, origin, span: called.span };
                self.add_virtual_host(number, host, called.span);
            }
        }
    }

    /// Serves the rules of a block under these domains, beside those that it has on this port already.
    fn routed(&mut self, port: u16, block: Id<Resource<Host>>, domains: Vec<HostPattern>, span: Span) {
        if let Some(at) = self.virtual_hosts.get(&(port, block)) {
            let server = self.listeners.at(None, port).plain_http();
            if let Some(host) = server.and_then(|server| server.virtual_hosts.get_mut(*at)) {
                host.domains.extend(domains);
            }
            return;
        }
        let rules = http_rules(self.plan, block, Self::entrance(port), &mut self.upstreams);
        let declared = self.plan.model.hosts.get(block).map_or(span, |host| host.span);
        let origin = Origin::Host(block);
        let host = VirtualHost { domains, https_only: false, rules, origin, span: declared };
        if let Some(at) = self.add_virtual_host(port, host, span) {
            self.virtual_hosts.insert((port, block), at);
        }
    }

    /// Whether connections for a destination cannot be told from others of its port, which is noted. One with addresses can be
    /// told from other TCP.
    fn conflicts(&mut self, place: Place, is_http: bool, nameless: bool, span: Span) -> bool {
        let earlier = self.taken.get(&place).copied();
        let listener = self.listeners.get_mut(place.0, place.1);
        let conflict = match listener.as_ref().and_then(|listener| listener.plain.as_ref()) {
            Some(Plain::Http(_)) => !is_http,
            Some(Plain::Tcp(_)) => is_http || (earlier.is_some() && nameless),
            None => false,
        };
        if let Some(listener) = listener.filter(|_| conflict) {
            listener.conflicts.push((span, earlier.unwrap_or(span)));
        }
        conflict
    }

    fn add_virtual_host(&mut self, port: u16, host: VirtualHost, span: Span) -> Option<usize> {
        let server = self.listeners.at(None, port).plain_http()?;
        server.virtual_hosts.push(host);
        self.taken.entry((None, port)).or_insert(span);
        Some(server.virtual_hosts.len() - 1)
    }

    /// Whether it is known where a destination is. Of one that nobody routes to, nothing is said if it is not.
    fn is_known(&self, called: &Called<'m>, port: &Port) -> bool {
        self.plan.sidecar.is_some()
            || self.upstreams.addresses(&Self::itself(called, port)) != Addresses::Unknown
    }

    /// The one address of a service, where a platform knows it.
    fn address(&self, called: &Called<'_>) -> Option<IpAddr> {
        let DestinationId::Service(_) = called.target else { return None };
        self.plan.sidecar?.addresses.get(called.host.as_str()).copied()
    }

    fn tls(&mut self, called: &Called<'m>, port: &Port, block: Option<Id<Resource<Host>>>) {
        let number = port.number.value.get();
        let address = self.address(called);
        let mut names = self.names(called);
        let mut rules = match self.with_routes(block, RouteKind::Tls, number) {
            Some(block) => self.declared_rules(block, RouteKind::Tls, number),
            None if address.is_some() => {
                // Who calls the address of a service reaches it, whatever name is asked for.
                names = HostPattern::parse("*").into_iter().collect();
                self.default_connection(called, port, &[])
            }
            None if self.is_known(called, port) => self.default_connection(called, port, &names),
            None => return,
        };
        if self.plan.sidecar.is_some() {
            within(&mut rules, &called.addresses);
        }
        self.listeners.at(address, number).tls.push(TlsServer {
            names,
            kind: TlsKind::Passthrough(rules),
            origin: Origin::Destination(called.target),
            span: called.span,
        });
    }

    fn tcp(&mut self, called: &Called<'m>, port: &Port, block: Option<Id<Resource<Host>>>) {
        let number = port.number.value.get();
        let block = self.with_routes(block, RouteKind::Tcp, number);
        let place = (self.address(called), number);
        if (block.is_none() && !self.is_known(called, port))
            || self.conflicts(place, false, called.addresses.is_empty(), called.span)
        {
            return;
        }
        let mut rules = match block {
            Some(block) => self.declared_rules(block, RouteKind::Tcp, number),
            None => self.default_connection(called, port, &[]),
        };
        within(&mut rules, &called.addresses);
        let nameless = called.addresses.is_empty();
        let Some(known) = self.listeners.at(place.0, number).plain_tcp() else { return };
        let for_all = self.for_all.entry(place).or_insert(0);
        // What holds for some addresses only comes before what holds for all.
        if nameless {
            if *for_all == known.len() {
                *for_all += first_for_all(&rules);
            }
            known.extend(rules);
        } else {
            let at = (*for_all).min(known.len());
            *for_all += rules.len();
            known.splice(at..at, rules);
        }
        if nameless {
            self.taken.insert(place, called.span);
        }
    }

    fn declared_rules(
        &mut self,
        block: Id<Resource<Host>>,
        kind: RouteKind,
        port: u16,
    ) -> Vec<ConnectionRule> {
        connection_rules(self.plan, block, kind, Self::entrance(port), &mut self.upstreams)
    }

    fn default_connection(
        &mut self,
        called: &Called<'m>,
        port: &Port,
        names: &[HostPattern],
    ) -> Vec<ConnectionRule> {
        let to = whole(&Self::itself(called, port), &mut self.upstreams);
        let rule = |to| ConnectionRule {
            name: SmolStr::new_static("default"),
            sni: names.iter().filter_map(|name| SniHost::parse(name.as_str()).ok()).collect(),
            matches: Vec::new(),
            to: vec![to],
            origin: Origin::Destination(called.target),
            span: called.span,
        };
        to.map(rule).into_iter().collect()
    }

    /// All names by which a host can be called: a service of Kubernetes also by the shorter ones that lead to it.
    fn names(&self, called: &Called<'m>) -> Vec<HostPattern> {
        let mut names = vec![called.host.clone()];
        let DestinationId::Service(id) = called.target else { return names };
        let mesh = &self.plan.model.mesh;
        let Some(service) = mesh.services.get(id).filter(|service| !parts::service(service).has_own_host)
        else {
            return names;
        };
        let Some(namespace) = service.namespace_name() else { return names };
        let name = service.declared.name.value.as_str();
        let mut shorter = vec![format!("{name}.{namespace}.svc"), format!("{name}.{namespace}")];
        let is_near = match &self.callers {
            Some(callers) => callers == namespace,
            None => self.short_names.get(name) == Some(&1),
        };
        shorter.extend(is_near.then(|| name.to_owned()));
        names.extend(shorter.iter().filter_map(|name| HostPattern::parse(name).ok()));
        names
    }

    /// Host blocks for names that nobody declares, the most specific names first.
    fn undeclared(&mut self, called: &[Called<'_>]) {
        let declared: HostMap<()> = called.iter().map(|called| (called.host.clone(), ())).collect();
        let unknown = |(pattern, _): &(&HostPattern, _)| !declared.has_within(pattern);
        let mut unknown: Vec<(HostPattern, Id<Resource<Host>>)> =
            self.claims.iter().filter(unknown).map(|(pattern, block)| (pattern.clone(), *block)).collect();
        unknown.sort_by_key(|(pattern, _)| std::cmp::Reverse(specificity(pattern)));
        for (pattern, block) in unknown {
            let served = self.with_routes(Some(block), RouteKind::Http, PORT_OF_UNDECLARED);
            let span = served.and_then(|block| self.plan.model.hosts.get(block)).map(|host| host.span);
            let Some(span) = span else { continue };
            if !self.conflicts((None, PORT_OF_UNDECLARED), true, true, span) {
                self.routed(PORT_OF_UNDECLARED, block, vec![pattern], span);
            }
        }
    }
}

/// Restricts rules that ask for no address to these addresses.
fn within(rules: &mut [ConnectionRule], addresses: &[IpOrCidr]) {
    if addresses.is_empty() {
        return;
    }
    for rule in rules {
        if rule.matches.is_empty() {
            rule.matches.push(Match::default());
        }
        for one in rule.matches.iter_mut().filter(|one| one.destinations.is_empty()) {
            one.destinations = addresses.to_vec();
        }
    }
}

/// The position of the first rule that holds for all addresses.
fn first_for_all(rules: &[ConnectionRule]) -> usize {
    let for_all = |rule: &ConnectionRule| rule.matches.iter().any(|one| one.destinations.is_empty());
    rules.iter().position(|rule| rule.matches.is_empty() || for_all(rule)).unwrap_or(rules.len())
}
