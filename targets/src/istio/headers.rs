//! Operations on headers: those of a route, and those of its destinations.
//!
//! Here the nearer one holds: a destination's, where route and destination speak of one header. Istio has it the other way
//! round (Envoy: the cluster of a share first, then the route). Where they meet, what the route says of that header is
//! written into each destination, joined with what that one says.

use super::api;
use meshc_compiler::model::{Action, DestinationHeaders};
use meshc_compiler::policy::{HeaderOperations, HeaderOperationsBody, HeaderSetting};
use smol_str::SmolStr;

/// The operations of requests and of responses.
pub(super) type Pair<'r> = (Option<&'r HeaderOperations>, Option<&'r HeaderOperations>);

/// Where the operations of a route are written.
pub(super) struct Placed<'r> {
    request: Side<'r>,
    response: Side<'r>,
}

/// The operations in one direction.
struct Side<'r> {
    /// As the route says them.
    said: Option<&'r HeaderOperations>,
    /// The part that destinations say otherwise; written into each of them.
    moved: Option<HeaderOperations>,
}

/// Whether a route and one of its destinations speak of the same header, so that the route's operations have to move.
pub(super) fn meet((request, response): Pair<'_>, action: &Action) -> bool {
    let placed = Placed::new((request, response), action);
    placed.request.moved.is_some() || placed.response.moved.is_some()
}

/// Whether Istio has a word for the operations of a route and of its destinations: it adds one value to a header (`add` is a map).
pub(super) fn can_be_written((request, response): Pair<'_>, action: &Action) -> bool {
    if [request, response].into_iter().flatten().any(adds_twice) {
        return false;
    }
    let Action::Forward(destinations) = action else { return true };
    let placed = Placed::new((request, response), action);
    destinations.iter().all(|one| {
        let DestinationHeaders { request, response } = &one.headers;
        let joined = [
            HeaderOperations::joined(placed.request.moved.as_ref(), request.as_deref()),
            HeaderOperations::joined(placed.response.moved.as_ref(), response.as_deref()),
        ];
        !joined.iter().flatten().any(adds_twice)
    })
}

fn adds_twice(operations: &HeaderOperations) -> bool {
    let add = &operations.body.add;
    add.iter()
        .enumerate()
        .any(|(at, one)| add.iter().take(at).any(|other| other.name.value == one.name.value))
}

impl<'r> Placed<'r> {
    pub(super) fn new((request, response): Pair<'r>, action: &Action) -> Self {
        let of_destinations = |side: fn(&DestinationHeaders) -> Option<&HeaderOperations>| {
            let all = match action {
                // One destination alone takes over what its route says (istiod: its operations are the route's).
                Action::Forward(all) if all.len() > 1 => all.as_slice(),
                Action::Forward(_) | Action::Redirect(_) | Action::Respond(_) | Action::Delegate(_) => &[],
            };
            all.iter().filter_map(|one| side(&one.headers)).collect::<Vec<_>>()
        };
        Self {
            request: Side::new(request, &of_destinations(|headers| headers.request.as_deref())),
            response: Side::new(response, &of_destinations(|headers| headers.response.as_deref())),
        }
    }

    /// What stays with the route. Where all has moved and the route may take over operations from one that delegates, an empty
    /// list says that there are none.
    pub(super) fn of_route(&self, may_inherit: bool) -> Option<api::Headers> {
        let written = headers(self.request.left().as_ref(), self.response.left().as_ref());
        let has_moved = self.request.moved.is_some() || self.response.moved.is_some();
        written.or_else(|| (may_inherit && has_moved).then(api::Headers::default))
    }

    /// What a destination is written with.
    pub(super) fn of_destination(&self, own: &DestinationHeaders) -> Option<api::Headers> {
        let DestinationHeaders { request, response } = own;
        let joined = |side: &Side<'_>, own: Option<&HeaderOperations>| {
            HeaderOperations::joined(side.moved.as_ref(), own)
        };
        let (request, response) =
            (joined(&self.request, request.as_deref()), joined(&self.response, response.as_deref()));
        headers(request.as_ref(), response.as_ref())
    }
}

impl<'r> Side<'r> {
    fn new(said: Option<&'r HeaderOperations>, destinations: &[&HeaderOperations]) -> Self {
        let meets =
            |name: &str, only_adds: bool| destinations.iter().any(|own| speaks_of(own, name, only_adds));
        let moved = said.and_then(|said| part(said, &meets));
        Self { said, moved }
    }

    /// The part that stays.
    fn left(&self) -> Option<HeaderOperations> {
        let said = self.said?;
        let Some(moved) = &self.moved else { return Some(said.clone()) };
        part(said, &|name, _| !speaks_of(moved, name, false))
    }
}

/// Whether operations change a header; two that only add to it do not meet.
fn speaks_of(operations: &HeaderOperations, name: &str, only_adds: bool) -> bool {
    let HeaderOperationsBody { set, add, remove } = &operations.body;
    set.iter().any(|one| one.name.value.as_str() == name)
        || remove.iter().any(|one| one.value.as_str() == name)
        || !only_adds && add.iter().any(|one| one.name.value.as_str() == name)
}

/// The operations on the headers that are asked for, by name and whether the operation adds; `None` if there are none.
fn part(operations: &HeaderOperations, wanted: &dyn Fn(&str, bool) -> bool) -> Option<HeaderOperations> {
    let mut part = operations.clone();
    let HeaderOperationsBody { set, add, remove } = &mut part.body;
    set.retain(|one| wanted(one.name.value.as_str(), false));
    add.retain(|one| wanted(one.name.value.as_str(), true));
    remove.retain(|one| wanted(one.value.as_str(), false));
    (!set.is_empty() || !add.is_empty() || !remove.is_empty()).then_some(part)
}

fn headers(request: Option<&HeaderOperations>, response: Option<&HeaderOperations>) -> Option<api::Headers> {
    if request.is_none() && response.is_none() {
        return None;
    }
    Some(api::Headers { request: request.map(operations), response: response.map(operations) })
}

fn operations(operations: &HeaderOperations) -> api::HeaderOperations {
    let HeaderOperations { body: HeaderOperationsBody { set, add, remove }, span: _, attributes: _ } =
        operations;
    let pair = |HeaderSetting { name, value, span: _, attributes: _ }: &HeaderSetting| {
        (SmolStr::new(name.value.as_written()), SmolStr::new(value.value.as_str()))
    };
    api::HeaderOperations {
        set: set.iter().map(pair).collect(),
        add: add.iter().map(pair).collect(),
        remove: remove.iter().map(|name| SmolStr::new(name.value.as_written())).collect(),
    }
}
