//! Which earlier routes of a host could take what a route takes, by their paths: without it, every route would be compared
//! with every other.

use crate::model::{Match, PathTest, Route};
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

/// Routes by what their alternatives say of the path.
#[derive(Default)]
pub(super) struct Earlier {
    /// Routes that may take any path.
    wide: Vec<usize>,
    /// Routes that take this path, or paths that begin with it; in lower case.
    by_text: FxHashMap<String, Vec<usize>>,
    /// The lengths of those texts.
    lengths: BTreeSet<usize>,
}

impl Earlier {
    /// Enters a route by its position in the host.
    pub(super) fn add(&mut self, at: usize, route: &Route) {
        if route.matches.is_empty() {
            self.wide.push(at);
        }
        for one in &route.matches {
            match literal(one) {
                Some(text) if text != "/" => {
                    self.lengths.insert(text.len());
                    self.by_text.entry(text).or_default().push(at);
                }
                Some(_) | None => self.wide.push(at),
            }
        }
    }

    /// The positions of entered routes that could take all that an alternative takes, in ascending order.
    pub(super) fn candidates(&self, one: &Match) -> Vec<usize> {
        let mut found = self.wide.clone();
        if let Some(text) = literal(one) {
            for length in self.lengths.range(..=text.len()) {
                let start = text.get(..*length);
                found.extend(start.and_then(|start| self.by_text.get(start)).into_iter().flatten());
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// The text that a path is, or begins with; none where an expression or nothing is asked for.
fn literal(one: &Match) -> Option<String> {
    match &one.path.as_ref()?.test {
        PathTest::Exact(text) | PathTest::Prefix(text) | PathTest::Under(text) => Some(text.to_ascii_lowercase()),
        PathTest::Pattern(_) => None,
    }
}
