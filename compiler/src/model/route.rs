//! Routes: what is done with the requests of a host, in order.

use super::condition::Match;
use super::destination::{Destination, DestinationId};
use crate::declared::{Delegate, DestinationHeaders, Redirect, Respond, RouteKind};
use crate::policy::SharedRouteOptions;
use crate::reading::{Attributes, wherever_written};
use crate::values::{Percent, Word};
use meshc_language::{Span, Spanned};
use std::ops::Deref;

/// One rule of a host (Istio `HTTPRoute`, `TLSRoute`, `TCPRoute`).
#[derive(Clone, Debug)]
pub struct Route {
    /// What it looks at.
    pub kind: RouteKind,
    /// Its name: tests, statistics and diffs use it.
    pub name: Spanned<Word>,
    /// The alternatives under which it is taken; none for every request.
    pub matches: Vec<Match>,
    /// The condition as it was written, if there is one.
    pub condition: Option<Span>,
    /// What is done.
    pub action: Action,
    /// What is done on the way.
    pub options: RouteOptions,
    /// The statement without its block.
    pub span: Span,
    /// What stands in front of it.
    pub attributes: Option<Box<Attributes>>,
    /// Whether a part of it could not be read: nothing may be concluded from what is absent.
    pub incomplete: bool,
}

wherever_written!(Route { kind, name, matches, action, options, attributes, incomplete } at { condition, span });

/// What a route does.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Sends the request to one of these, by weight.
    Forward(Vec<WeightedDestination>),
    /// Sends the caller elsewhere.
    Redirect(Box<Redirect>),
    /// Answers.
    Respond(Box<Respond>),
    /// Leaves it to the routes of another host block.
    Delegate(Delegate),
}

impl Action {
    /// The destination, if all requests go to one.
    pub(crate) fn only_target(&self) -> Option<DestinationId> {
        let Self::Forward(destinations) = self else { return None };
        let first = destinations.first()?.destination.target;
        destinations.iter().all(|one| one.destination.target == first).then_some(first)
    }
}

/// A destination and its share of the traffic.
#[derive(Clone, Debug, PartialEq)]
pub struct WeightedDestination {
    /// The share; `None` for a destination that stands alone.
    pub weight: Option<Spanned<Percent>>,
    /// The destination.
    pub destination: Destination,
    /// Header operations for this destination only.
    pub headers: DestinationHeaders,
}

/// The options of a route.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RouteOptions {
    /// Copies of the requests go here too; their answers are thrown away. Istio: HTTPRoute.mirror, mirrors.
    pub mirrors: Vec<Mirror>,
    /// What policies say too: their statements have been put in.
    pub shared: SharedRouteOptions,
}

impl Deref for RouteOptions {
    type Target = SharedRouteOptions;
    fn deref(&self) -> &SharedRouteOptions {
        &self.shared
    }
}

/// `mirror 10% to reviews@v3`.
#[derive(Clone, Debug)]
pub struct Mirror {
    /// The share of requests; all of them by default.
    pub share: Option<Spanned<Percent>>,
    /// Where they go.
    pub destination: Destination,
    /// Where it was written.
    pub span: Span,
}

wherever_written!(Mirror { share, destination } at { span });

impl Mirror {
    /// The mirrors of a route beside those of the route that delegates to it: both are sent, and of two to one destination the
    /// route's own.
    #[must_use]
    pub fn joined<'m>(outer: &'m [Self], own: &'m [Self]) -> Vec<&'m Self> {
        let is_new = |outer: &&Self| !own.iter().any(|own| own.destination == outer.destination);
        own.iter().chain(outer.iter().filter(is_new)).collect()
    }

    /// Whether both copy as much to the same destination: no share is all of it.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        let share = |one: &Self| one.share.map_or(Percent::HUNDRED, |share| share.value);
        share(self) == share(other) && self.destination == other.destination
    }
}

impl Route {
    /// Where its requests go, and where copies of them go.
    pub fn destinations(&self) -> impl Iterator<Item = &Destination> {
        let forwarded = match &self.action {
            Action::Forward(destinations) => destinations.as_slice(),
            Action::Redirect(_) | Action::Respond(_) | Action::Delegate(_) => &[],
        };
        let copies = self.options.mirrors.iter().map(|mirror| &mirror.destination);
        forwarded.iter().map(|one| &one.destination).chain(copies)
    }
}
