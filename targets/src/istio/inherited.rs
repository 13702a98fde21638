//! What a route of a delegate takes over from one that delegates, where Istio would do it otherwise.
//!
//! Istio copies `rewrite` and `fault` whole, or not at all (istiod, `mergeHTTPRoute`), and the copy of a rewrite still speaks of the
//! paths of the route that delegates. Here a rewrite of the host goes with one of the path, a delay with a failure, and the
//! prefix that is replaced is the one that both conditions together ask for. What differs is written into the delegate.

use super::rewrite;
use meshc_compiler::model::{Match, Route};
use meshc_compiler::policy::{Fault, Rewrite};
use meshc_compiler::routing::both_hold;

/// What a route of a delegate is written with in place of what it says itself.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Inherited {
    pub(super) rewrite: Vec<Rewrite>,
    pub(super) fault: Vec<Fault>,
    /// The condition of the route that delegates.
    outer: Vec<Match>,
}

impl Inherited {
    /// What `leaf` takes over from `root`; `None` if Istio does the same by itself.
    pub(super) fn new(root: &Route, leaf: &Route) -> Option<Self> {
        let (outer, own) = (&root.options.shared, &leaf.options.shared);
        let mut all = own.clone();
        all.inherit(outer);
        let meant = rewrite::http(&all.rewrite, &both_hold(&root.matches, &leaf.matches)?);
        let copied = if own.rewrite.is_empty() {
            rewrite::http(&outer.rewrite, &root.matches)
        } else {
            rewrite::http(&own.rewrite, &leaf.matches)
        };
        let fault = if own.fault.is_empty() { &outer.fault } else { &own.fault };
        (meant != copied || all.fault != *fault).then(|| Self {
            rewrite: all.rewrite,
            fault: all.fault,
            outer: root.matches.clone(),
        })
    }

    /// What is taken over from several routes that delegate, if it is the same; `None` if it is not.
    pub(super) fn together(all: &[Option<Self>]) -> Option<Self> {
        let mut all = all.iter();
        let mut together = all.next()?.clone()?;
        for one in all {
            let one = one.as_ref().filter(|one| one.does_the_same(&together))?;
            // One that takes everything has no alternative beside it.
            if together.outer.is_empty() || one.outer.is_empty() {
                together.outer.clear();
            } else {
                together.outer.extend(one.outer.iter().cloned());
            }
        }
        Some(together)
    }

    /// Whether both say the same, whatever the routes that delegate ask for.
    fn does_the_same(&self, other: &Self) -> bool {
        self.rewrite == other.rewrite && self.fault == other.fault
    }

    /// Whether the requests of two routes that delegate are rewritten by one rewrite of Istio.
    pub(super) fn is_written_alike(&self, other: &Self, alternatives: &[Match]) -> bool {
        let rewritten = |one: &Self| rewrite::http(&one.rewrite, &one.conditions(alternatives));
        rewritten(self) == rewritten(other)
    }

    /// Whether one rewrite of Istio does what is meant for a route that is written under these alternatives.
    pub(super) fn can_be_written(&self, alternatives: &[Match]) -> bool {
        rewrite::does_for_all(&self.rewrite, &self.conditions(alternatives))
    }

    /// The conditions of requests that some alternatives of the route get.
    pub(super) fn conditions(&self, alternatives: &[Match]) -> Vec<Match> {
        both_hold(&self.outer, alternatives).unwrap_or_default()
    }
}
