//! What the plan looks up in the model, found once for all proxies.

use super::gateway::is_seen;
use crate::graph::{Delegations, delegations};
use crate::model::{External, Gateway, Host, Id, Model, Resource, Wildcards};
use crate::values::HostMap;
use rustc_hash::FxHashMap;
use smol_str::SmolStr;

/// What the plan looks up in the model.
#[derive(Debug)]
pub(super) struct Index {
    /// Which host block a route is left to.
    pub(super) delegations: Delegations,
    /// Policies of wildcard hosts.
    pub(super) wildcards: Wildcards,
    /// What is bound to each gateway.
    bound: FxHashMap<Id<Resource<Gateway>>, Bound>,
    nothing: Bound,
}

/// What is bound to a gateway.
#[derive(Debug, Default)]
pub(super) struct Bound {
    /// The names of the host blocks that are bound to it and visible to it.
    blocks: HostMap<Claimant>,
    /// The same, of the blocks of each namespace.
    by_namespace: FxHashMap<Option<SmolStr>, HostMap<Claimant>>,
    /// The externals that are sent through it, in order.
    pub(super) externals: Vec<Id<Resource<External>>>,
}

/// A host block, and the position of one of its names in it.
pub(super) type Claimant = (Id<Resource<Host>>, usize);

impl Index {
    pub(super) fn of(model: &Model) -> Self {
        let mut bound: FxHashMap<Id<Resource<Gateway>>, Bound> = FxHashMap::default();
        for (id, host) in model.hosts.iter() {
            for (gateway, _) in host.gateways() {
                let Some(declared) = model.mesh.gateways.get(gateway) else { continue };
                let home = host.namespace_name();
                if !is_seen(declared.pods_namespace(), super::parts::visibility(&host.declared), home) {
                    continue;
                }
                let known = bound.entry(gateway).or_default();
                let own = known.by_namespace.entry(home.map(SmolStr::new)).or_default();
                for (at, (pattern, _)) in host.patterns().enumerate() {
                    known.blocks.add(pattern.clone(), (id, at));
                    own.add(pattern.clone(), (id, at));
                }
            }
        }
        for (id, external) in model.mesh.externals.iter() {
            if let Some(gateway) = external.egress() {
                bound.entry(gateway).or_default().externals.push(id);
            }
        }
        Self {
            delegations: delegations(model),
            wildcards: Wildcards::new(&model.mesh),
            bound,
            nothing: Bound::default(),
        }
    }

    /// What is bound to a gateway.
    pub(super) fn bound(&self, gateway: Id<Resource<Gateway>>) -> &Bound {
        self.bound.get(&gateway).unwrap_or(&self.nothing)
    }
}

impl Bound {
    /// The names of host blocks: of one namespace, or of all of them.
    pub(super) fn blocks(&self, namespace: Option<Option<&str>>) -> Option<&HostMap<Claimant>> {
        match namespace {
            None => Some(&self.blocks),
            Some(namespace) => self.by_namespace.get(&namespace.map(SmolStr::new)),
        }
    }
}
