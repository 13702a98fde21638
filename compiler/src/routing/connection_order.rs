//! The rules for connections of a host block, for data planes that take the most specific rule.
//!
//! The first rule whose condition holds is taken. Istio writes a filter chain for each alternative, and Envoy takes the one with
//! the most specific range of addresses, and of those the one with the most specific server name; it does not look back. So that
//! both mean the same:
//!
//! - A name, for some addresses, that an earlier alternative takes is left out of the later ones.
//! - An alternative that holds for more addresses than another is also written for those of the other, where its names would
//!   find no chain.
//! - What would still be taken by a later rule is reported to the caller: it cannot be written.

use crate::model::{Host, Match, RouteKind};
use crate::values::{HostPattern, IpOrCidr, SniHost};

/// The alternatives of a block's rules of one kind.
#[derive(Clone, Debug, Default)]
pub struct ConnectionOrder {
    /// Each alternative with the position of its route.
    pub alternatives: Vec<(usize, Match)>,
    /// Routes of which the later one would be taken for connections of the earlier one: the positions of both.
    pub out_of_order: Vec<(usize, usize)>,
}

/// A server name and a range of addresses; `None` for all.
type Pair = (Option<SniHost>, Option<IpOrCidr>);

struct Alternative {
    route: usize,
    /// What does not depend on the connection, with its names and ranges as they were written.
    one: Match,
    written: Vec<Pair>,
    pairs: Vec<Pair>,
}

/// The alternatives of the rules of one kind of a block, each with the position of its route, as they are written.
#[must_use]
pub fn connection_alternatives(host: &Host, kind: RouteKind) -> Vec<(usize, Match)> {
    let routes = host.routes.iter().enumerate().filter(|(_, route)| route.kind == kind);
    let alternatives = routes.flat_map(|(at, route)| {
        let matches = if route.matches.is_empty() { vec![Match::default()] } else { route.matches.clone() };
        matches.into_iter().map(move |one| (at, one))
    });
    alternatives.collect()
}

/// The same alternatives, so that the most specific one is the first that holds.
#[must_use]
pub fn connection_order(alternatives: &[(usize, Match)], kind: RouteKind) -> ConnectionOrder {
    let mut all: Vec<Alternative> =
        alternatives.iter().map(|(route, one)| Alternative::of(*route, one)).collect();
    leave_out_what_is_taken(&mut all);
    if kind == RouteKind::Tls {
        write_for_narrower_ranges(&mut all);
    }
    let out_of_order = out_of_order(&all, kind);
    let alternatives = (0..all.len()).flat_map(|at| matches(&all, at)).collect();
    ConnectionOrder { alternatives, out_of_order }
}

impl Alternative {
    fn of(route: usize, one: &Match) -> Self {
        let names: Vec<Option<SniHost>> =
            if one.sni.is_empty() { vec![None] } else { one.sni.iter().cloned().map(Some).collect() };
        let ranges: Vec<Option<IpOrCidr>> = if one.destinations.is_empty() {
            vec![None]
        } else {
            one.destinations.iter().copied().map(Some).collect()
        };
        let pairs: Vec<Pair> =
            names.iter().flat_map(|name| ranges.iter().map(move |range| (name.clone(), *range))).collect();
        Self { route, one: one.clone(), written: pairs.clone(), pairs }
    }

    /// Whether it takes what `other` takes, as far as ports, bindings and callers go.
    fn stands_wherever(&self, other: &Self) -> bool {
        fn within<T: PartialEq>(outer: &[T], inner: &[T]) -> bool {
            outer.is_empty() || (!inner.is_empty() && inner.iter().all(|one| outer.contains(one)))
        }
        let (outer, inner) = (&self.one, &other.one);
        within(&outer.ports, &inner.ports)
            && within(&outer.bindings, &inner.bindings)
            && (outer.source_namespace.is_none() || outer.source_namespace == inner.source_namespace)
            && outer.source_labels.iter().all(|label| inner.source_labels.contains(label))
    }

    /// Whether there may be a proxy and a port where both stand.
    fn meets(&self, other: &Self) -> bool {
        fn meet<T: PartialEq>(left: &[T], right: &[T]) -> bool {
            left.is_empty() || right.is_empty() || left.iter().any(|one| right.contains(one))
        }
        let (left, right) = (&self.one, &other.one);
        let callers = left.source_namespace.as_ref().zip(right.source_namespace.as_ref());
        let clash = |label: &&crate::values::Label| {
            right.source_labels.iter().any(|other| other.key() == label.key() && *other != **label)
        };
        meet(&left.ports, &right.ports)
            && meet(&left.bindings, &right.bindings)
            && callers.is_none_or(|(left, right)| left == right)
            && left.source_labels.iter().find(clash).is_none()
    }

    fn takes(&self, pair: &Pair) -> bool {
        self.written.iter().any(|own| covers(own, pair))
    }
}

fn covers((name, range): &Pair, (inner, inner_range): &Pair) -> bool {
    covers_name(name.as_ref(), inner.as_ref()) && covers_range(*range, *inner_range)
}

fn covers_name(outer: Option<&SniHost>, inner: Option<&SniHost>) -> bool {
    match (outer.map(SniHost::as_host), inner.map(SniHost::as_host)) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(outer), Some(inner)) => HostPattern::covers(outer, inner),
    }
}

fn covers_range(outer: Option<IpOrCidr>, inner: Option<IpOrCidr>) -> bool {
    match (outer, inner) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(outer), Some(inner)) => outer.as_cidr().covers(inner.as_cidr()),
    }
}

fn leave_out_what_is_taken(all: &mut [Alternative]) {
    for at in 1..all.len() {
        let (earlier, later) = all.split_at_mut(at);
        let Some(later) = later.first_mut() else { continue };
        let taking: Vec<&Alternative> = earlier.iter().filter(|one| one.stands_wherever(later)).collect();
        later.pairs.retain(|pair| !taking.iter().any(|one| one.takes(pair)));
    }
}

/// Envoy looks for names only among the chains of the most specific range.
fn write_for_narrower_ranges(all: &mut [Alternative]) {
    let ranges: Vec<(usize, IpOrCidr)> = all
        .iter()
        .enumerate()
        .flat_map(|(at, one)| one.pairs.iter().filter_map(move |(_, range)| Some((at, (*range)?))))
        .collect();
    if ranges.is_empty() {
        return;
    }
    for at in 0..all.len() {
        let Some(own) = all.get(at) else { continue };
        let mut more: Vec<Pair> = Vec::new();
        for (other, range) in ranges.iter().filter(|(other, _)| *other != at) {
            if !all.get(*other).is_some_and(|other| other.meets(own)) {
                continue;
            }
            for (name, wide) in &own.pairs {
                let pair = (name.clone(), Some(*range));
                let is_wider = covers_range(*wide, Some(*range)) && !covers_range(Some(*range), *wide);
                let is_taken = all.iter().take(at).any(|one| one.stands_wherever(own) && one.takes(&pair));
                if is_wider && !is_taken && !own.pairs.contains(&pair) && !more.contains(&pair) {
                    more.push(pair);
                }
            }
        }
        if let Some(own) = all.get_mut(at) {
            own.pairs.extend(more);
        }
    }
}

fn out_of_order(all: &[Alternative], kind: RouteKind) -> Vec<(usize, usize)> {
    let mut found: Vec<(usize, usize)> = Vec::new();
    for (at, later) in all.iter().enumerate() {
        for earlier in all.iter().take(at).filter(|one| one.route != later.route && one.meets(later)) {
            let key = (earlier.route, later.route);
            let loses = earlier
                .pairs
                .iter()
                .any(|first| later.pairs.iter().any(|second| is_lost(first, second, kind)));
            if loses && !found.contains(&key) {
                found.push(key);
            }
        }
    }
    found
}

/// Whether some connection that both take would be taken by the second, which is more specific.
fn is_lost((name, range): &Pair, (later, later_range): &Pair, kind: RouteKind) -> bool {
    let wider_range = covers_range(*range, *later_range);
    let same_range = wider_range && covers_range(*later_range, *range);
    let wider_name = covers_name(name.as_ref(), later.as_ref());
    let same_name = wider_name && covers_name(later.as_ref(), name.as_ref());
    let names_meet = wider_name || covers_name(later.as_ref(), name.as_ref());
    if same_range {
        // Two equal chains of tcp rules: Envoy refuses the listener.
        let refused = kind == RouteKind::Tcp && range.is_some();
        return (wider_name && !same_name) || (refused && same_name);
    }
    wider_range && names_meet
}

/// The matches of an alternative: as it was written where nothing was changed.
fn matches(all: &[Alternative], at: usize) -> Vec<(usize, Match)> {
    let Some(own) = all.get(at) else { return Vec::new() };
    let is_shared = |pair: &Pair| {
        all.iter()
            .enumerate()
            .any(|(other_at, other)| other_at != at && other.meets(own) && other.pairs.contains(pair))
    };
    let any_shared = own.pairs.iter().any(is_shared);
    if own.pairs == own.written && (!any_shared || own.pairs.len() == 1) {
        return vec![(own.route, own.one.clone())];
    }
    let with = |names: Vec<SniHost>, destinations: Vec<IpOrCidr>| {
        (own.route, Match { sni: names, destinations, ..own.one.clone() })
    };
    if any_shared {
        // Istio drops the second of two equal chains only if their names and ranges are the same text.
        let alone = own
            .pairs
            .iter()
            .map(|(name, range)| with(name.iter().cloned().collect(), range.iter().copied().collect()));
        return alone.collect();
    }
    let mut groups: Vec<(Vec<SniHost>, Vec<IpOrCidr>)> = Vec::new();
    let mut names: Vec<Option<&SniHost>> = Vec::new();
    for (name, _) in &own.pairs {
        if !names.contains(&name.as_ref()) {
            names.push(name.as_ref());
        }
    }
    for name in names {
        let of_name = || own.pairs.iter().filter(|(other, _)| other.as_ref() == name);
        let mut lists: Vec<Vec<IpOrCidr>> = Vec::new();
        lists.extend(of_name().any(|(_, range)| range.is_none()).then(Vec::new));
        let ranges: Vec<IpOrCidr> = of_name().filter_map(|(_, range)| *range).collect();
        lists.extend((!ranges.is_empty()).then_some(ranges));
        for ranges in lists {
            match groups.iter_mut().find(|(_, known)| *known == ranges) {
                Some((group, _)) => group.extend(name.cloned()),
                None => groups.push((name.cloned().into_iter().collect(), ranges)),
            }
        }
    }
    groups.into_iter().map(|(names, ranges)| with(names, ranges)).collect()
}
