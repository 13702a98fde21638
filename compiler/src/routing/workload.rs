//! The proxies that Istio runs beside and before workloads. It tells apart what a raw proxy cannot: whose sidecar it is, the address
//! of each service, and several gateways that one workload carries.
//!
//! ```text
//! Sidecar { namespace, labels, addresses } -sidecar----------> Proxy
//! labels -carried-> gateways               -gateway_workload-> Proxy    listeners of all of them, as istiod merges them
//! ```

use super::{
    ConnectionRule, HttpServer, Index, Listener, Listeners, Omitted, Plain, Plan, Proxy, RuleAction, TlsKind,
    Upstream, VirtualHost, WeightedUpstream, gateway, outbound,
};
use crate::model::{Arena, Gateway, Id, Match, Model, Resource};
use meshc_language::Span;
use rustc_hash::FxHashSet;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// The labels of a workload.
pub type WorkloadLabels = BTreeMap<String, String>;

/// A workload whose calls go through a sidecar.
#[derive(Clone, Debug, Default)]
pub struct Sidecar {
    /// Its namespace.
    pub namespace: String,
    /// Its labels.
    pub labels: WorkloadLabels,
    /// The addresses of services, by full name: a port that is not HTTP is served for its service's address alone.
    pub addresses: BTreeMap<String, IpAddr>,
}

impl Sidecar {
    /// Whether conditions on the caller hold for this one.
    pub(super) fn is_meant(&self, one: &Match) -> bool {
        let has = |label: &crate::values::Label| {
            self.labels.get(label.key().as_str()).is_some_and(|value| value == label.value().as_str())
        };
        one.source_namespace.as_ref().is_none_or(|namespace| self.namespace == namespace.as_str())
            && one.source_labels.iter().all(has)
    }
}

/// The sidecar of a workload, with nothing left out: conditions on the caller are decided.
#[must_use]
pub fn sidecar(model: &Model, sidecar: &Sidecar) -> Proxy {
    let (index, dropped) = (&Index::of(model), &Omitted::default());
    outbound::of_sidecar(&Plan { model, index, dropped, sidecar: Some(sidecar) }, sidecar)
}

/// The gateways that a workload with these labels carries, whatever their namespace (Istio `Gateway.selector`).
#[must_use]
pub fn carried(model: &Model, labels: &WorkloadLabels) -> Vec<Id<Resource<Gateway>>> {
    let selects = |gateway: &Gateway| {
        let mut wanted = gateway.body.workload.iter().flat_map(|workload| &workload.labels);
        wanted.all(|label| {
            labels.get(label.value.key().as_str()).is_some_and(|value| value == label.value.value().as_str())
        })
    };
    model.mesh.gateways.iter().filter(|(_, gateway)| selects(gateway)).map(|(id, _)| id).collect()
}

/// The proxy of a workload that carries these gateways; `None` if it carries none.
#[must_use]
pub fn gateway_workload(model: &Model, gateways: &[Id<Resource<Gateway>>]) -> Option<Proxy> {
    let (index, dropped) = (&Index::of(model), &Omitted::default());
    let plan = Plan { model, index, dropped, sidecar: None };
    let known = gateways.iter().filter_map(|id| Some((*id, model.mesh.gateways.get(*id)?)));
    let mut proxies = known.map(|(id, one)| gateway::proxy(&plan, id, one)).peekable();
    let Proxy { role, name, namespace, listeners: _, upstreams: _, span } = proxies.peek()?;
    let (role, name, namespace, span) = (*role, name.clone(), namespace.clone(), *span);
    let (mut listeners, mut upstreams) = (Listeners::default(), Arena::default());
    for proxy in proxies {
        absorb(&mut listeners, &mut upstreams, proxy);
    }
    Some(Proxy { role, name, namespace, listeners: listeners.sorted(), upstreams, span })
}

/// Adds what one gateway of a workload says.
fn absorb(all: &mut Listeners, upstreams: &mut Arena<Upstream>, proxy: Proxy) {
    let Proxy { role: _, name: _, namespace: _, listeners, upstreams: own, span: _ } = proxy;
    let moved = Moved::into(upstreams, own);
    for mut one in listeners {
        moved.listener(&mut one);
        let Listener { bind, all: addresses, port, plain, tls, conflicts } = one;
        let into = all.place(bind, port);
        into.all.join(addresses);
        into.conflicts.extend(conflicts);
        into.tls.extend(tls);
        match plain {
            None => {}
            Some(Plain::Http(server)) => {
                if let Some(own) = into.plain_http() {
                    join(own, server);
                }
            }
            Some(Plain::Tcp(rules)) => {
                if let Some(own) = into.plain_tcp() {
                    own.extend(rules);
                }
            }
        }
    }
}

/// Adds virtual hosts. A host that both have, by one host block, is there once; by two, the rules of the first come first.
fn join(own: &mut HttpServer, other: HttpServer) {
    for mut host in other.virtual_hosts {
        let mut taken: FxHashSet<Span> = FxHashSet::default();
        host.domains.retain(|domain| {
            let known = (&mut own.virtual_hosts).into_iter().find(|known| known.domains.contains(domain));
            let Some(known) = known else { return true };
            if known.span != host.span && taken.insert(known.span) {
                known.rules.extend(host.rules.iter().cloned());
            }
            false
        });
        if !host.domains.is_empty() {
            own.virtual_hosts.push(host);
        }
    }
}

/// Where the upstreams of one proxy are in another.
struct Moved(Vec<Id<Upstream>>);

impl Moved {
    fn into(all: &mut Arena<Upstream>, others: Arena<Upstream>) -> Self {
        let place = |(_, upstream): (Id<Upstream>, &Upstream)| {
            let known = all.iter().find(|(_, known)| known.name == upstream.name).map(|(id, _)| id);
            known.unwrap_or_else(|| all.add(upstream.clone()))
        };
        Self(others.iter().map(place).collect())
    }

    fn listener(&self, listener: &mut Listener) {
        let Listener { bind: _, all: _, port: _, plain, tls, conflicts: _ } = listener;
        match plain {
            None => {}
            Some(Plain::Http(server)) => self.server(server),
            Some(Plain::Tcp(rules)) => self.connections(rules),
        }
        for server in tls {
            match &mut server.kind {
                TlsKind::Http(_, server) => self.server(server),
                TlsKind::Tcp(_, rules) | TlsKind::Passthrough(rules) => self.connections(rules),
            }
        }
    }

    fn server(&self, server: &mut HttpServer) {
        for VirtualHost { domains: _, https_only: _, rules, origin: _, span: _ } in &mut server.virtual_hosts
        {
            for rule in rules {
                match &mut rule.action {
                    RuleAction::Forward(to) => self.weighted(to),
                    RuleAction::Redirect(_) | RuleAction::Respond(_) => {}
                }
                for mirror in &mut rule.mirrors {
                    self.one(&mut mirror.upstream);
                }
            }
        }
    }

    fn connections(&self, rules: &mut [ConnectionRule]) {
        rules.iter_mut().for_each(|rule| self.weighted(&mut rule.to));
    }

    fn weighted(&self, to: &mut [WeightedUpstream]) {
        to.iter_mut().for_each(|to| self.one(&mut to.upstream));
    }

    fn one(&self, id: &mut Id<Upstream>) {
        if let Some(moved) = self.0.get(id.index()) {
            *id = *moved;
        }
    }
}
