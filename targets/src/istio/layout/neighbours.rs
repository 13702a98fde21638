//! Gateways of one workload, whose servers for HTTP without TLS share their virtual hosts by port.
//!
//! In: what is meant for each name at each gateway. Out: the same, without the names that another gateway of the workload serves more
//! specifically and does not redirect, where this one redirects: whoever has a name behind both would be redirected at both.

use super::{Entrance, Owner, Server};
use meshc_compiler::model::{Gateway, Resource, share_workloads};
use meshc_compiler::values::{HostPattern, Literal};

/// Marks the names that a neighbour serves: nobody is meant to arrive at them here.
pub(super) fn leave_to_others(entrances: &mut [(Entrance<'_>, &Resource<Gateway>)]) {
    let served: Vec<Vec<(usize, usize, &str)>> = entrances
        .iter()
        .map(|(entrance, gateway)| {
            let neighbours = entrances
                .iter()
                .filter(|(other, on)| other.id != entrance.id && share_workloads(gateway, on));
            neighbours.flat_map(|(other, _)| entrance.served_better_by(other)).collect()
        })
        .collect();
    for ((entrance, _), names) in entrances.iter_mut().zip(served) {
        for (group, listener, name) in names {
            let owner = Owner { blocks: Vec::new(), listener, redirects: false, elsewhere: true };
            if let Some(group) = entrance.meant.get_mut(group) {
                group.insert(name, owner);
            }
        }
    }
}

impl<'m> Entrance<'m> {
    /// Names of blocks that another gateway of the workload serves more specifically, without a redirect, on a port where this one
    /// redirects: the number of the servers that share it, the listener that redirects, and the name.
    fn served_better_by(&self, other: &Self) -> Vec<(usize, usize, &'m str)> {
        let mut found = Vec::new();
        for server in self.declared.iter().filter(|server| server.redirects && server.place.is_some()) {
            let there = || other.declared.iter().filter(|other| other.place == server.place);
            let here = || self.declared.iter().filter(|own| own.place == server.place);
            let Some(meant) = there().next().and_then(|other_server| other.meant.get(other_server.shares))
            else {
                continue;
            };
            let left = |(name, owner): (&&'m str, &Owner)| {
                if owner.redirects || owner.blocks.is_empty() {
                    return None;
                }
                let pattern = HostPattern::parse(name).ok()?;
                let better = best(here(), &pattern) < best(there(), &pattern);
                (better && server.best(&pattern).is_some()).then_some((server.shares, server.listener, *name))
            };
            found.extend(meant.iter().filter_map(left));
        }
        found
    }
}

/// How specific the name is by which some of the servers serve a host.
fn best<'s, 'm: 's>(servers: impl Iterator<Item = &'s Server<'m>>, host: &HostPattern) -> Option<usize> {
    servers.filter_map(|server| server.best(host)).max()
}
