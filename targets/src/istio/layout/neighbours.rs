//! Gateways of one workload, whose servers for HTTP without TLS share their virtual hosts by port.
//!
//! In: what is meant for each name at each gateway. Out: the same, without the names that another gateway of the workload serves more
//! specifically and does not redirect, where this one redirects: whoever has a name behind both would be redirected at both.

use super::{Entrance, Owner, Server, SharedPlace};
use meshc_compiler::model::{Gateway, Resource, workload_labels};
use meshc_compiler::values::{HostMap, HostPattern, Literal};
use rustc_hash::FxHashMap;

/// A port and an address of the workloads with some labels.
type Place<'m> = (Vec<(&'m str, &'m str)>, SharedPlace);

/// A server that redirects: the number of its entrance, and its own there.
type Redirecting = (usize, usize);

/// A name that a neighbour serves: the entrance where it is redirected, the number of the servers that share it there, and the
/// listener that redirects.
type Left<'m> = (usize, usize, usize, &'m str);

/// Marks the names that a neighbour serves: nobody is meant to arrive at them here.
pub(super) fn leave_to_others(entrances: &mut [(Entrance<'_>, &Resource<Gateway>)]) {
    let mut redirecting: FxHashMap<Place<'_>, HostMap<Redirecting>> = FxHashMap::default();
    for (at, (entrance, gateway)) in entrances.iter().enumerate() {
        for (number, server) in entrance.declared.iter().enumerate().filter(|(_, server)| server.redirects) {
            let Some(place) = server.place else { continue };
            let names = redirecting.entry((workload_labels(gateway), place)).or_default();
            for (name, _) in &server.names {
                names.add((*name).clone(), (at, number));
            }
        }
    }
    if redirecting.is_empty() {
        return;
    }
    let mut left: Vec<Left<'_>> = Vec::new();
    for (at, (entrance, gateway)) in entrances.iter().enumerate() {
        let labels = workload_labels(gateway);
        let mut places: Vec<SharedPlace> = Vec::new();
        for place in entrance.declared.iter().filter_map(|server| server.place) {
            if places.contains(&place) {
                continue;
            }
            places.push(place);
            if let Some(redirecting) = redirecting.get(&(labels.clone(), place)) {
                left.extend(entrance.serves_better(at, place, redirecting, entrances));
            }
        }
    }
    // Of several listeners that redirect a name the last is named, as they stand.
    left.sort_unstable();
    for (at, group, listener, name) in left {
        let owner = Owner { blocks: Vec::new(), listener, redirects: false, elsewhere: true };
        if let Some(group) = entrances.get_mut(at).and_then(|(entrance, _)| entrance.meant.get_mut(group)) {
            group.insert(name, owner);
        }
    }
}

impl<'m> Entrance<'m> {
    /// Names of blocks that this gateway, the one of number `own`, serves at a place more specifically, without a redirect, than
    /// another gateway of the workload that redirects there.
    fn serves_better(
        &self,
        own: usize,
        place: SharedPlace,
        redirecting: &HostMap<Redirecting>,
        entrances: &[(Entrance<'m>, &Resource<Gateway>)],
    ) -> Vec<Left<'m>> {
        let here = |entrance: &Self, pattern: &HostPattern| {
            best(entrance.declared.iter().filter(|server| server.place == Some(place)), pattern)
        };
        let first = self.declared.iter().find(|server| server.place == Some(place));
        let meant = first.and_then(|first| self.meant.get(first.shares));
        let mut found = Vec::new();
        for (name, owner) in meant.into_iter().flatten() {
            if owner.redirects || owner.blocks.is_empty() {
                continue;
            }
            let Ok(pattern) = HostPattern::parse(name) else { continue };
            let own_best = here(self, &pattern);
            for (_, (at, number)) in redirecting.covering(&pattern).filter(|(_, (at, _))| *at != own) {
                let Some((other, _)) = entrances.get(*at) else { continue };
                let Some(server) = other.declared.get(*number) else { continue };
                if here(other, &pattern) < own_best {
                    found.push((*at, server.shares, server.listener, *name));
                }
            }
        }
        found
    }
}

/// How specific the name is by which some of the servers serve a host.
fn best<'s, 'm: 's>(servers: impl Iterator<Item = &'s Server<'m>>, host: &HostPattern) -> Option<usize> {
    servers.filter_map(|server| server.best(host)).max()
}
