//! Upstreams: destinations as a proxy calls them.

use super::address::{self, Addresses};
use super::gateway::is_seen;
use super::parts;
use super::{Plan, Role};
use crate::model::share_workloads;
use crate::model::{
    Arena, Destination, DestinationId, External, FrontService, Id, Mesh, Port, Resource, Service, Subset,
};
use crate::policy::{PoolBody, TrafficPolicy, Upgrade};
use crate::values::{HostPattern, Literal, Protocol, SubjectAltName};
use meshc_language::{Span, Spanned};
use rustc_hash::{FxHashMap, FxHashSet};
use smol_str::SmolStr;

/// A destination as a proxy calls it: one port of a service or an external, or of a subset of one.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// The name of the cluster, as istiod makes it: `outbound|9080|v1|reviews.bookinfo.svc.cluster.local`.
    pub name: SmolStr,
    /// What it is.
    pub target: DestinationId,
    /// Its full host name.
    pub host: SmolStr,
    /// The port that it was declared with.
    pub port: Port,
    /// The subset.
    pub subset: Option<SmolStr>,
    /// How it is called: what port, subset and service say, put together.
    pub policy: TrafficPolicy,
    /// Names one of which its certificate must have as well, where `tls` of its policy has no `names`: those of the external, and the
    /// service accounts of its endpoints (Istio: ServiceEntry.subjectAltNames, WorkloadEntry.serviceAccount).
    pub identities: Vec<Spanned<SubjectAltName>>,
    /// Where its endpoints are.
    pub addresses: Addresses,
    /// The externals for which it is called: it is the service of the gateway that they leave through. Each with the place that names
    /// it first.
    pub sent_on: Vec<Spanned<Id<Resource<External>>>>,
    /// Where it is named first.
    pub span: Span,
}

impl Upstream {
    /// What is spoken to it.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        self.port.protocol.value
    }

    /// Whether HTTP/2 is spoken to it: its port says so, or its connections are upgraded.
    #[must_use]
    pub fn speaks_http2(&self) -> bool {
        let upgrade = self.policy.pool.as_deref().and_then(|pool| pool.body.upgrade);
        matches!(self.protocol(), Protocol::Http2 | Protocol::Grpc)
            || upgrade.is_some_and(|upgrade| upgrade.value == Upgrade::Always)
    }
}

/// How one port of a destination is called. A port replaces what its service says, a subset overrides it statement by statement
/// (Istio: `portLevelSettings`, `Subset.trafficPolicy`).
#[must_use]
pub fn effective_policy(mesh: &Mesh, destination: &Destination) -> TrafficPolicy {
    let Some((subsets, general)) = called(mesh, destination.target) else { return TrafficPolicy::default() };
    let of_port = mesh.port_of(destination).map(|port| &port.traffic).filter(|traffic| !traffic.is_empty());
    let mut policy = of_port.unwrap_or(general).clone();
    let named = destination.subset.as_ref();
    let subset = named.and_then(|name| subsets.iter().find(|one| one.name.value.as_str() == name.value));
    if let Some(subset) = subset {
        let mut own = parts::subset(subset).1.clone();
        own.inherit(&policy);
        policy = own;
    }
    policy
}

fn called(mesh: &Mesh, target: DestinationId) -> Option<(&[Subset], &TrafficPolicy)> {
    Some(match target {
        DestinationId::Service(id) => {
            let parts = parts::service(mesh.services.get(id)?);
            (parts.subsets, parts.traffic)
        }
        DestinationId::External(id) => {
            let parts = parts::external(mesh.externals.get(id)?);
            (parts.subsets, parts.traffic)
        }
    })
}

type Key = (DestinationId, SmolStr, u16, Option<SmolStr>);

/// The upstreams of one proxy while its rules are made.
pub(super) struct Upstreams<'m, 'd> {
    plan: &'d Plan<'m, 'd>,
    role: Role,
    /// The namespace of the callers, where it matters.
    callers: Option<SmolStr>,
    known: FxHashMap<Key, Id<Upstream>>,
    pub(super) all: Arena<Upstream>,
}

impl<'m, 'd> Upstreams<'m, 'd> {
    pub(super) fn new(plan: &'d Plan<'m, 'd>, role: Role, callers: Option<SmolStr>) -> Self {
        Self { plan, role, callers, known: FxHashMap::default(), all: Arena::default() }
    }

    /// The upstream of a destination; `None` if it has no port, which has been reported.
    pub(super) fn of(&mut self, destination: &Destination) -> Option<Id<Upstream>> {
        let mesh = &self.plan.model.mesh;
        let (by_way_of, meant) = (self.by_way_of(destination), destination);
        let destination = by_way_of.as_ref().unwrap_or(destination);
        let port = mesh.port_of(destination)?;
        let host = mesh.destination_host(destination);
        let subset = destination.subset.as_ref().map(|subset| subset.value.clone());
        let key = (destination.target, host.clone(), port.number.value.get(), subset.clone());
        if let Some(id) = self.known.get(&key).copied() {
            self.note(id, meant, by_way_of.is_some());
            return Some(id);
        }
        let policy = self.policy(destination, port, &host);
        let id = self.all.add(Upstream {
            name: SmolStr::new(format!(
                "outbound|{}|{}|{host}",
                port.number.value,
                subset.as_deref().unwrap_or_default()
            )),
            target: destination.target,
            identities: identities(mesh, destination.target),
            addresses: address::of(self.plan.model, destination, port, &host),
            host,
            port: port.clone(),
            subset,
            policy,
            sent_on: Vec::new(),
            span: destination.span,
        });
        self.known.insert(key, id);
        self.note(id, meant, by_way_of.is_some());
        Some(id)
    }

    /// Notes for which external an upstream is called, if it is the service of a gateway that this one leaves through.
    fn note(&mut self, id: Id<Upstream>, meant: &Destination, is_sent_on: bool) {
        let DestinationId::External(external) = meant.target else { return };
        let Some(upstream) = self.all.get_mut(id).filter(|_| is_sent_on) else { return };
        if upstream.sent_on.iter().all(|known| known.value != external) {
            upstream.sent_on.push(Spanned::new(external, meant.span));
        }
    }

    /// How a destination is called: as it says itself, or where it says nothing, as the wildcard says that covers its host.
    fn policy(&self, destination: &Destination, port: &Port, host: &str) -> TrafficPolicy {
        let mesh = &self.plan.model.mesh;
        let target = destination.target;
        if !mesh.says_how_it_is_called(target) {
            return self.policy_of_wildcard(target, port, host).unwrap_or_default();
        }
        if !self.sees_policy(target) {
            return TrafficPolicy::default();
        }
        let mut policy = effective_policy(mesh, destination);
        self.drop_from(&mut policy, target);
        policy
    }

    /// Istio looks for the rule of the most specific host first among those of the caller's namespace, then among those of the
    /// destination's.
    fn policy_of_wildcard(&self, target: DestinationId, port: &Port, host: &str) -> Option<TrafficPolicy> {
        let mesh = &self.plan.model.mesh;
        let host = HostPattern::parse(host).ok()?;
        let callers = match self.role {
            Role::Gateway(id) => mesh.gateways.get(id).and_then(|gateway| gateway.namespace_name()),
            Role::Outbound => self.callers.as_deref(),
        };
        let home = mesh.namespace_of(target);
        let sees = |id: &Id<Resource<External>>| {
            let visible = |one: &Resource<External>| {
                is_seen(callers, parts::external(one).visibility, one.namespace_name())
            };
            callers.is_none() || mesh.externals.get(*id).is_some_and(visible)
        };
        let spaces = callers.map(Some).into_iter().chain([home]);
        let found =
            spaces.flat_map(|namespace| self.plan.index.wildcards.policies(namespace, &host)).find(sees)?;
        let external = parts::external(mesh.externals.get(found)?);
        let of_port = external.ports.iter().find(|one| one.number.value == port.number.value);
        let of_port = of_port.map(|one| &one.traffic).filter(|traffic| !traffic.is_empty());
        let mut policy = of_port.unwrap_or(external.traffic).clone();
        self.drop_from(&mut policy, DestinationId::External(found));
        Some(policy)
    }

    /// The upstream of a destination for requests that come in on a port.
    pub(super) fn met(&mut self, destination: &Destination, port: u16) -> Option<Id<Upstream>> {
        self.of(&self.plan.model.mesh.met(destination, port))
    }

    /// What a caller in the mesh, or at another gateway, sends to an external that leaves through a gateway goes to the gateway's service.
    fn by_way_of(&self, destination: &Destination) -> Option<Destination> {
        let DestinationId::External(id) = destination.target else { return None };
        let mesh = &self.plan.model.mesh;
        let external = mesh.externals.get(id)?;
        let gateway = mesh.gateways.get(external.egress()?)?;
        if let Role::Gateway(here) = self.role
            && mesh.gateways.get(here).is_none_or(|here| share_workloads(gateway, here))
        {
            return None;
        }
        let FrontService::Declared(front) = gateway.front()? else { return None };
        let port = mesh.port_of(destination)?.number;
        let mut front = to_service(*front, Some(port), destination.span);
        // Istio has a subset of that service for each external.
        let name = || Spanned { value: SmolStr::new(external.name.value.as_str()), span: external.name.span };
        front.subset = self.plan.sidecar.is_some().then(name);
        Some(front)
    }

    pub(super) fn is_dropped(&self, span: Span, owner: Span) -> bool {
        self.plan.is_dropped(span, owner)
    }

    /// Where the endpoints of a destination are, before it becomes an upstream.
    pub(super) fn addresses(&self, destination: &Destination) -> Addresses {
        let mesh = &self.plan.model.mesh;
        let by_way_of = self.by_way_of(destination);
        let destination = by_way_of.as_ref().unwrap_or(destination);
        let Some(port) = mesh.port_of(destination) else { return Addresses::Unknown };
        address::of(self.plan.model, destination, port, &mesh.destination_host(destination))
    }

    /// Whether the callers see what a service says of how it is called.
    fn sees_policy(&self, target: DestinationId) -> bool {
        let DestinationId::Service(id) = target else { return true };
        let Some(service) = self.plan.model.mesh.services.get(id).filter(|_| self.callers.is_some()) else {
            return true;
        };
        is_seen(self.callers.as_deref(), parts::service(service).visibility, service.namespace_name())
    }

    fn drop_from(&self, policy: &mut TrafficPolicy, target: DestinationId) {
        let Some(owner) = self.plan.model.mesh.declaration(target) else { return };
        let keep = |span: Span| !self.plan.is_dropped(span, owner);
        let TrafficPolicy { balancing, pool, ejection, tls: _ } = policy;
        *balancing = balancing.take().filter(|one| keep(one.span));
        *pool = pool.take().filter(|one| keep(one.span));
        if let Some(pool) = pool {
            drop_from_pool(&mut pool.body, keep);
        }
        *ejection = ejection.take().filter(|one| keep(one.span));
    }
}

/// Each limit of a pool stands for itself.
fn drop_from_pool(pool: &mut PoolBody, keep: impl Fn(Span) -> bool) {
    let PoolBody {
        connections,
        connect_timeout,
        lifetime,
        tcp_idle,
        keepalive,
        pending,
        requests,
        requests_per_connection,
        retries,
        idle,
        upgrade,
        client_protocol,
        streams,
    } = pool;
    for count in [connections, pending, requests, streams] {
        *count = count.filter(|one| keep(one.span));
    }
    for count in [requests_per_connection, retries] {
        *count = count.filter(|one| keep(one.span));
    }
    for time in [connect_timeout, lifetime, idle] {
        *time = time.filter(|one| keep(one.span));
    }
    *tcp_idle = tcp_idle.filter(|one| keep(one.span));
    *keepalive = keepalive.take().filter(|one| keep(one.span));
    *upgrade = upgrade.filter(|one| keep(one.span));
    *client_protocol = client_protocol.filter(|one| keep(one.span));
}

/// Names one of which the certificate of a destination must have beside what its TLS says.
fn identities(mesh: &Mesh, target: DestinationId) -> Vec<Spanned<SubjectAltName>> {
    let DestinationId::External(id) = target else { return Vec::new() };
    let Some(external) = mesh.externals.get(id) else { return Vec::new() };
    let parts = parts::external(external);
    let mut identities: Vec<Spanned<SubjectAltName>> = parts.names.to_vec();
    let mut accounts = FxHashSet::default();
    for account in parts.endpoints.iter().filter_map(|endpoint| parts::endpoint(endpoint).service_account) {
        let namespace = external.namespace_name().unwrap_or("default");
        let uri = format!("spiffe://{}/ns/{namespace}/sa/{}", mesh.cluster_domain, account.value);
        let name = SubjectAltName::parse(&uri).ok().filter(|_| accounts.insert(account.value.as_str()));
        identities.extend(name.map(|name| Spanned::new(name, account.span)));
    }
    identities
}

/// A destination that nobody wrote: a port of a service.
pub(super) fn to_service(
    id: Id<Resource<Service>>,
    port: Option<Spanned<crate::values::Port>>,
    span: Span,
) -> Destination {
    Destination { target: DestinationId::Service(id), host: None, port, subset: None, span }
}
