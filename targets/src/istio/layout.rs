//! Which resources gateways are written as, so that Istio gives each name the routes that the sources give it.
//!
//! The sources: a name has the routes of the block that claims it most specifically, behind the listener that serves it most
//! specifically. Istio intersects the hosts of each VirtualService with the hosts of each server of its gateways, and puts the
//! routes of all of them that arrive at one name into one virtual host, by age (istiod, `buildGatewayHTTPRouteConfig`; servers
//! for HTTP without TLS share their virtual hosts by port, each server that ends TLS has its own).
//!
//! ```text
//! Model -servers, blocks-> what is meant for each name -compared with-> what Istio would make of
//!   1. one Gateway, every block with its own names
//!   2. names of a block narrowed to those that it has
//!   3. a Gateway of its own for a listener where a block would arrive that has nothing there, and blocks bound where they have
//! ```
//!
//! Servers for HTTP without TLS share their virtual hosts over all gateways of a workload: what another gateway serves more
//! specifically than one that redirects, no block has behind the one that redirects.
//!
//! The first that agrees is written. What does not agree in the last is reported.

mod neighbours;

use meshc_compiler::model::{
    Controller, Gateway, Host, HostNamespace, Id, Listener, Model, Resource, RouteKind, ServerHost,
    ServerTlsMode,
};
use meshc_compiler::routing::{is_seen, specificity};
use meshc_compiler::values::{HostMap, HostPattern, IpAddress, Literal, Port, Protocol};
use rustc_hash::{FxHashMap, FxHashSet};
use smol_str::SmolStr;

type GatewayId = Id<Resource<Gateway>>;
pub(super) type HostId = Id<Resource<Host>>;

/// How gateways and the blocks that are bound to them are written, where that is not as they stand in the sources.
#[derive(Debug, Default)]
pub(super) struct Layout {
    /// The listeners of a gateway that have a Gateway of their own.
    apart: FxHashMap<GatewayId, Vec<usize>>,
    /// The names of a block.
    narrowed: FxHashMap<HostId, Vec<HostPattern>>,
    /// The resources of a gateway that a block is bound to; none if nothing is left for it there.
    bound: FxHashMap<(GatewayId, HostId), Vec<Part>>,
    /// What Istio would join.
    pub(super) joined: Vec<Joined>,
}

/// One resource of a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Part {
    /// The one with the gateway's name.
    Main,
    /// The one for a listener, by its position.
    Listener(usize),
}

/// A name whose routes Istio would take from a block that does not have it.
#[derive(Debug)]
pub(super) struct Joined {
    pub(super) gateway: GatewayId,
    pub(super) name: HostPattern,
    /// The block that has the name; `None` if the listener answers by itself.
    pub(super) owner: Option<HostId>,
    /// The block whose routes would be there too.
    pub(super) other: HostId,
}

impl Layout {
    pub(super) fn of(model: &Model) -> Self {
        let mut layout = Self::default();
        let entrances: Vec<Entrance<'_>> = entrances(model);
        let disagreeing: Vec<&Entrance<'_>> =
            entrances.iter().filter(|entrance| !entrance.faults(&layout).is_empty()).collect();
        if disagreeing.is_empty() {
            return layout;
        }
        let strangers: Vec<HostId> =
            disagreeing.iter().flat_map(|entrance| entrance.strangers(&layout)).collect();
        for block in strangers {
            if let Some(narrower) = narrowed(model, &entrances, block) {
                layout.narrowed.insert(block, narrower);
            }
        }
        for entrance in &entrances {
            if !entrance.faults(&layout).is_empty() {
                entrance.part(&mut layout);
            }
        }
        for entrance in &entrances {
            let faults = entrance.faults(&layout);
            layout.joined.extend(faults);
        }
        layout
    }

    /// The resources that a gateway is written as.
    pub(super) fn parts(&self, gateway: GatewayId) -> Vec<Part> {
        let apart = self.apart.get(&gateway).into_iter().flatten().map(|at| Part::Listener(*at));
        std::iter::once(Part::Main).chain(apart).collect()
    }

    /// The resource that a listener belongs to.
    pub(super) fn part_of(&self, gateway: GatewayId, listener: usize) -> Part {
        let is_apart = self.apart.get(&gateway).is_some_and(|apart| apart.contains(&listener));
        if is_apart { Part::Listener(listener) } else { Part::Main }
    }

    /// The resources of a gateway that a block is bound to.
    pub(super) fn bound(&self, gateway: GatewayId, host: HostId) -> Vec<Part> {
        self.bound.get(&(gateway, host)).cloned().unwrap_or_else(|| self.parts(gateway))
    }

    fn is_bound(&self, gateway: GatewayId, host: HostId, part: Part) -> bool {
        match self.bound.get(&(gateway, host)) {
            Some(parts) => parts.contains(&part),
            None => true,
        }
    }

    /// The names of a block.
    pub(super) fn hosts<'h>(&'h self, id: HostId, host: &'h Host) -> Vec<&'h HostPattern> {
        match self.narrowed.get(&id) {
            Some(narrower) => narrower.iter().collect(),
            None => host.patterns().map(|(pattern, _)| pattern).collect(),
        }
    }

    /// Blocks that are bound to a gateway and have nothing there.
    pub(super) fn idle(&self) -> Vec<(GatewayId, HostId)> {
        let mut idle: Vec<(GatewayId, HostId)> =
            self.bound.iter().filter(|(_, parts)| parts.is_empty()).map(|(key, _)| *key).collect();
        idle.sort_by_key(|(gateway, host)| (gateway.index(), host.index()));
        idle
    }
}

/// Whether a name is served for every namespace for which another one is.
fn admits_all(wider: &ServerHost, narrower: &ServerHost, home: Option<&str>) -> bool {
    match (namespace(wider, home), namespace(narrower, home)) {
        (None, _) => true,
        (Some(wider), narrower) => narrower == Some(wider),
    }
}

/// The namespace whose blocks a name is served for; `None` for all.
fn namespace<'h>(served: &'h ServerHost, home: Option<&'h str>) -> Option<&'h str> {
    match &served.namespace {
        None | Some(HostNamespace::Any) => None,
        Some(HostNamespace::Own) => Some(home.unwrap_or(".")),
        Some(HostNamespace::Named(namespace)) => Some(namespace.as_str()),
    }
}

/// A listener for HTTP, in TLS or not.
struct Server<'m> {
    listener: usize,
    names: Vec<(&'m HostPattern, Option<&'m str>)>,
    redirects: bool,
    /// Servers of one number share their virtual hosts.
    shares: usize,
    /// The port and address, without TLS.
    place: Option<SharedPlace>,
}

/// A port and an address.
type SharedPlace = (Port, Option<IpAddress>);

/// A name that a block and a server share.
struct Shared<'h> {
    own: &'h HostPattern,
    served: &'h HostPattern,
    narrower: &'h HostPattern,
}

impl<'m> Server<'m> {
    fn index(&self) -> HostMap<usize> {
        host_map(self.names.iter().map(|(name, _)| *name))
    }

    /// How specific the name is by which a host is served here; `None` if it is not.
    fn best(&self, host: &HostPattern) -> Option<usize> {
        self.names.iter().filter(|(name, _)| name.covers(host)).map(|(name, _)| specificity(name)).max()
    }

    /// What a block with these names shares with the server.
    fn shared<'h>(
        &self,
        index: &HostMap<usize>,
        block: &Block<'_>,
        names: impl IntoIterator<Item = &'h HostPattern>,
    ) -> Vec<Shared<'h>>
    where
        'm: 'h,
    {
        let mut all = Vec::new();
        for own in names {
            for (_, at) in index.overlapping(own) {
                let Some((served, namespace)) = self.names.get(*at).copied() else { continue };
                if admits(namespace, block) {
                    let narrower = if own.covers(served) { served } else { own };
                    all.push(Shared { own, served, narrower });
                }
            }
        }
        all
    }
}

/// A block that is bound to a gateway and seen by it.
struct Block<'m> {
    id: HostId,
    host: &'m Resource<Host>,
}

/// A gateway that Istio implements, with what comes in there.
struct Entrance<'m> {
    id: GatewayId,
    /// As they are written: without names that another name of the same listener takes in.
    servers: Vec<Server<'m>>,
    /// As they are declared.
    declared: Vec<Server<'m>>,
    blocks: Vec<Block<'m>>,
    /// Listeners that are not for HTTP, with the names that they serve.
    others: Vec<(usize, HostMap<usize>)>,
    /// What is meant: for each number of [`Server::shares`], who has which name.
    meant: Vec<FxHashMap<&'m str, Owner>>,
}

/// How specific the names are by which a block claims a name and a listener serves it, and whose it is then.
type Claim = ((usize, usize), Owner);

/// Who has a name.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Owner {
    /// The blocks, of which the first counts; none if the listener redirects by itself. Several claim it alike, with conditions
    /// that exclude each other: Istio joins their routes, in whatever order.
    blocks: Vec<HostId>,
    listener: usize,
    redirects: bool,
    /// Whether another gateway of the workload serves it: nobody is meant to arrive here.
    elsewhere: bool,
}

/// Who arrives at a name.
#[derive(Clone, Debug, Default)]
struct Arrived {
    blocks: Vec<HostId>,
    redirects: bool,
}

fn entrances(model: &Model) -> Vec<Entrance<'_>> {
    let mut bound: FxHashMap<GatewayId, Vec<Block<'_>>> = FxHashMap::default();
    for (id, host) in model.hosts.iter() {
        for (gateway, _) in host.declared.gateways() {
            bound.entry(gateway).or_default().push(Block { id, host });
        }
    }
    let gateways =
        model.mesh.gateways.iter().filter(|(_, gateway)| gateway.controller() == Controller::Istio);
    let mut entrances: Vec<(Entrance<'_>, &Resource<Gateway>)> = gateways
        .filter_map(|(id, gateway)| {
            let pods = gateway.pods_namespace();
            let mut blocks = bound.remove(&id)?;
            blocks.retain(|block| {
                is_seen(pods, block.host.declared.body.visibility.as_ref(), block.host.namespace_name())
            });
            Some((Entrance::of(id, gateway, blocks), gateway))
        })
        .collect();
    neighbours::leave_to_others(&mut entrances);
    entrances.into_iter().map(|(entrance, _)| entrance).collect()
}

impl<'m> Entrance<'m> {
    fn of(id: GatewayId, gateway: &'m Resource<Gateway>, blocks: Vec<Block<'m>>) -> Self {
        let home = gateway.namespace_name();
        let mut servers: Vec<Server<'m>> = Vec::new();
        let mut declared: Vec<Server<'m>> = Vec::new();
        let mut others = Vec::new();
        let mut places = Vec::new();
        for (at, listener) in gateway.declared.body.listeners.iter().enumerate() {
            let names = names(listener, home);
            if !carries_http(listener) {
                others.push((at, host_map(names.into_iter().map(|(name, _)| name))));
                continue;
            }
            // Without TLS those of one port and address share their virtual hosts.
            let place = listener
                .body
                .tls
                .is_none()
                .then(|| (listener.port.value, listener.body.bind.map(|bind| bind.value)));
            let known = place.and_then(|place| places.iter().position(|known| *known == Some(place)));
            let shares = known.unwrap_or(places.len());
            if known.is_none() {
                places.push(place);
            }
            let redirects = listener.body.redirect.is_some() && listener.protocol.value.is_http_family();
            servers.push(Server { listener: at, names, redirects, shares, place });
            let names = all_hosts(listener).map(|host| (&host.host, namespace(host, home))).collect();
            declared.push(Server { listener: at, names, redirects, shares, place });
        }
        let mut entrance = Self { id, servers, declared, blocks, others, meant: Vec::new() };
        entrance.meant = entrance.meant(places.len());
        entrance
    }

    /// Who is meant to have each name: the most specific claim, in whatever order blocks and listeners stand.
    fn meant(&self, groups: usize) -> Vec<FxHashMap<&'m str, Owner>> {
        let mut best: Vec<FxHashMap<&'m str, Claim>> = vec![FxHashMap::default(); groups];
        for server in &self.declared {
            let Some(group) = best.get_mut(server.shares) else { continue };
            let index = server.index();
            for block in &self.blocks {
                let names = block.host.declared.patterns().map(|(pattern, _)| pattern);
                for Shared { own, served, narrower } in server.shared(&index, block, names) {
                    let rank = (specificity(own), specificity(served));
                    let owner = || Owner {
                        blocks: vec![block.id],
                        listener: server.listener,
                        redirects: server.redirects,
                        elsewhere: false,
                    };
                    let known = group.entry(narrower.as_str()).or_insert_with(|| (rank, owner()));
                    if rank > known.0 {
                        *known = (rank, owner());
                    } else if rank == known.0 && !known.1.blocks.contains(&block.id) {
                        known.1.blocks.push(block.id);
                    }
                }
            }
        }
        for server in self.declared.iter().filter(|server| server.redirects) {
            let Some(group) = best.get_mut(server.shares) else { continue };
            for (name, _) in &server.names {
                let owner = Owner {
                    blocks: Vec::new(),
                    listener: server.listener,
                    redirects: true,
                    elsewhere: false,
                };
                group.entry(name.as_str()).or_insert(((0, 0), owner));
            }
        }
        let owners = |group: FxHashMap<&'m str, Claim>| {
            group.into_iter().map(|(name, (_, owner))| (name, owner)).collect()
        };
        best.into_iter().map(owners).collect()
    }

    /// Who would arrive at each name, for each number of [`Server::shares`].
    fn arrived(&self, layout: &Layout) -> Vec<FxHashMap<SmolStr, Arrived>> {
        let mut all: Vec<FxHashMap<SmolStr, Arrived>> = vec![FxHashMap::default(); self.meant.len()];
        for server in &self.servers {
            let Some(group) = all.get_mut(server.shares) else { continue };
            let index = server.index();
            let part = layout.part_of(self.id, server.listener);
            for block in self.blocks.iter().filter(|block| layout.is_bound(self.id, block.id, part)) {
                let names = layout.hosts(block.id, &block.host.declared);
                for Shared { own: _, served: _, narrower } in server.shared(&index, block, names) {
                    let arrived = group.entry(SmolStr::new(narrower.as_str())).or_default();
                    if !arrived.blocks.contains(&block.id) {
                        arrived.blocks.push(block.id);
                    }
                    arrived.redirects |= server.redirects;
                }
            }
            for (name, _) in server.names.iter().filter(|_| server.redirects) {
                group.entry(SmolStr::new(name.as_str())).or_default().redirects = true;
            }
        }
        all
    }

    /// Names at which others arrive than those who are meant.
    fn faults(&self, layout: &Layout) -> Vec<Joined> {
        let mut faults = Vec::new();
        for (meant, arrived) in self.meant.iter().zip(self.arrived(layout)) {
            let mut names: Vec<&str> =
                meant.keys().copied().chain(arrived.keys().map(SmolStr::as_str)).collect();
            names.sort_unstable();
            names.dedup();
            for name in names {
                if meant.get(name).is_some_and(|owner| owner.elsewhere) && !arrived.contains_key(name) {
                    continue;
                }
                let owner = most_specific(name, |name| meant.get(name));
                let here = most_specific(name, |name| arrived.get(name).cloned()).unwrap_or_default();
                let redirects = owner.is_some_and(|owner| owner.redirects);
                let blocks = owner.map_or(&[][..], |owner| owner.blocks.as_slice());
                let block = blocks.first().copied();
                // A redirect answers whatever routes there are.
                let same =
                    here.blocks.len() == blocks.len() && here.blocks.iter().all(|one| blocks.contains(one));
                let agrees = redirects == here.redirects && (redirects || same);
                if agrees {
                    continue;
                }
                let other = here.blocks.iter().copied().find(|other| !blocks.contains(other));
                let Some(other) = other.or(block).or(here.blocks.first().copied()) else { continue };
                let Ok(name) = HostPattern::parse(name) else { continue };
                faults.push(Joined { gateway: self.id, name, owner: block, other });
            }
        }
        faults
    }

    /// Blocks whose routes would arrive at a name of others.
    fn strangers(&self, layout: &Layout) -> Vec<HostId> {
        let mut found: Vec<HostId> = Vec::new();
        for fault in self.faults(layout) {
            if Some(fault.other) != fault.owner && !found.contains(&fault.other) {
                found.push(fault.other);
            }
        }
        found
    }

    /// Gives listeners where strangers arrive a resource of their own, and binds blocks where they have something.
    fn part(&self, layout: &mut Layout) {
        let apart: Vec<usize> = self
            .servers
            .iter()
            .filter(|server| self.has_strangers(server, layout))
            .map(|server| server.listener)
            .collect();
        let stay = self.servers.len() + self.others.len() > apart.len();
        // One of them keeps the gateway's name.
        let apart: Vec<usize> = apart.into_iter().skip(usize::from(!stay)).collect();
        layout.apart.insert(self.id, apart);
        let parts = layout.parts(self.id);
        for block in &self.blocks {
            let has = |part: &Part| self.has_something(block, *part, layout);
            let bound: Vec<Part> = parts.iter().filter(|part| has(part)).copied().collect();
            layout.bound.insert((self.id, block.id), bound);
        }
    }

    /// Whether a block arrives at a name of a server that another block has, or that it has behind a listener that answers
    /// otherwise.
    fn has_strangers(&self, server: &Server<'m>, layout: &Layout) -> bool {
        let Some(meant) = self.meant.get(server.shares) else { return false };
        let index = server.index();
        self.blocks.iter().any(|block| {
            let names = layout.hosts(block.id, &block.host.declared);
            let is_of_another = |shared: &Shared<'_>| {
                meant.get(shared.narrower.as_str()).is_some_and(|owner| {
                    !owner.blocks.contains(&block.id) || owner.redirects != server.redirects
                })
            };
            server.shared(&index, block, names).iter().any(is_of_another)
        })
    }

    /// Whether a block has a name behind some listener of a part, or could have connections there.
    fn has_something(&self, block: &Block<'m>, part: Part, layout: &Layout) -> bool {
        let owns =
            self.meant.iter().flat_map(|group| group.values()).any(|owner| {
                owner.blocks.contains(&block.id) && layout.part_of(self.id, owner.listener) == part
            });
        owns || self.others.iter().any(|(listener, names)| {
            layout.part_of(self.id, *listener) == part
                && block.host.declared.patterns().any(|(pattern, _)| names.has_overlap(pattern))
        })
    }
}

fn admits(namespace: Option<&str>, block: &Block<'_>) -> bool {
    namespace.is_none_or(|namespace| block.host.namespace_name().unwrap_or(".") == namespace)
}

/// The names of a listener as they are written: without those that another one takes in.
fn names<'m>(listener: &'m Listener, home: Option<&'m str>) -> Vec<(&'m HostPattern, Option<&'m str>)> {
    kept_hosts(listener, home).map(|host| (&host.host, namespace(host, home))).collect()
}

fn all_hosts(listener: &Listener) -> impl Iterator<Item = &ServerHost> {
    listener.body.hosts.iter().flat_map(|hosts| hosts.iter()).map(|host| &host.value)
}

/// The hosts of a listener without those that another one takes in: with both, Istio would give the narrower one the routes of
/// blocks for the wider one too.
pub(super) fn kept_hosts<'m>(
    listener: &'m Listener,
    home: Option<&'m str>,
) -> impl Iterator<Item = &'m ServerHost> {
    let hosts: Vec<&ServerHost> =
        listener.body.hosts.iter().flat_map(|hosts| hosts.iter()).map(|host| &host.value).collect();
    let index = host_map(hosts.iter().map(|host| &host.host));
    let is_kept = move |at: usize, own: &ServerHost, hosts: &[&ServerHost]| {
        index.overlapping(&own.host).all(|(_, other_at)| {
            let Some(other) = hosts.get(*other_at).filter(|_| *other_at != at) else { return true };
            let takes_in = other.host.covers(&own.host) && admits_all(other, own, home);
            let same = other.host == own.host && admits_all(own, other, home);
            !takes_in || (same && at < *other_at)
        })
    };
    let kept: Vec<&ServerHost> =
        hosts.iter().enumerate().filter(|(at, own)| is_kept(*at, own, &hosts)).map(|(_, own)| *own).collect();
    kept.into_iter()
}

fn carries_http(listener: &Listener) -> bool {
    let protocol = listener.protocol.value;
    let passes = listener.body.tls.as_deref().is_some_and(|tls| {
        matches!(tls.mode.value, ServerTlsMode::Passthrough | ServerTlsMode::AutoPassthrough)
    });
    !passes && (protocol.is_http_family() || protocol == Protocol::Https)
}

/// The names that a block has at its gateways, in place of names of its own that it has nowhere as they are; `None` if it has to
/// keep them.
fn narrowed(model: &Model, entrances: &[Entrance<'_>], id: HostId) -> Option<Vec<HostPattern>> {
    let host = model.hosts.get(id)?;
    let other_routes = host.declared.routes.iter().any(|route| route.kind != RouteKind::Http);
    if host.declared.in_mesh() || other_routes {
        return None;
    }
    // At gateways of others nothing is narrowed.
    let here = |gateway: GatewayId| entrances.iter().any(|entrance| entrance.id == gateway);
    if !host.declared.gateways().all(|(gateway, _)| here(gateway)) {
        return None;
    }
    let mut owned: FxHashSet<&str> = FxHashSet::default();
    for entrance in entrances {
        for (name, owner) in entrance.meant.iter().flatten() {
            if owner.blocks.contains(&id) {
                owned.insert(name);
            }
        }
    }
    let mut narrower: Vec<HostPattern> = Vec::new();
    for (pattern, _) in host.declared.patterns() {
        if owned.contains(pattern.as_str()) {
            narrower.push(pattern.clone());
            continue;
        }
        let mut within: Vec<HostPattern> = owned
            .iter()
            .filter_map(|name| HostPattern::parse(name).ok())
            .filter(|name| pattern.covers(name))
            .collect();
        within.sort_unstable();
        narrower.extend(within);
    }
    // Admission refuses names that take each other in; the wider one arrives wherever the narrower would.
    let kept = |(at, name): (usize, &HostPattern)| {
        let others = narrower.iter().enumerate().filter(|(other, _)| *other != at);
        let taken_in = others
            .into_iter()
            .any(|(other_at, other)| other.covers(name) && (other != name || other_at < at));
        (!taken_in).then(|| name.clone())
    };
    let narrower: Vec<HostPattern> = narrower.iter().enumerate().filter_map(kept).collect();
    (!narrower.is_empty()).then_some(narrower)
}

/// Positions by host pattern.
fn host_map<'h>(names: impl IntoIterator<Item = &'h HostPattern>) -> HostMap<usize> {
    let mut map = HostMap::default();
    for (at, name) in names.into_iter().enumerate() {
        map.add(name.clone(), at);
    }
    map
}

/// What the most specific name that takes in a name stands for.
fn most_specific<T>(name: &str, find: impl Fn(&str) -> Option<T>) -> Option<T> {
    let ends = name.match_indices('.').filter_map(|(at, _)| name.get(at..));
    find(name)
        .or_else(|| ends.map(|end| format!("*{end}")).filter(|one| one != name).find_map(|one| find(&one)))
        .or_else(|| find("*"))
}
