//! Redirects and rewrites that replace the beginning of a path, in Istio's words: a route as several where its alternatives are led
//! to different places.
//!
//! Istio's `prefixRewrite` replaces the bytes that a prefix took. A segment prefix (`under "/old"`) is an exact path and the prefix
//! `/old/`: the first is redirected to a whole path, the second to a prefix.

use super::super::{api, rewrite};
use meshc_compiler::model::{Action, Match, PathMatch, PathTest};
use meshc_compiler::policy::Rewrite;
use smol_str::SmolStr;

/// Alternatives of a route that are redirected alike.
pub(super) struct Part {
    pub(super) matches: Vec<Match>,
    /// Where to, if that is not what the route says.
    pub(super) to: Option<Place>,
}

impl Part {
    /// Each alternative by itself, where one rewrite of Istio does not do for all.
    pub(super) fn split(self, rewrites: &[Rewrite]) -> Vec<Self> {
        if rewrite::does_for_all(rewrites, &self.matches) {
            return vec![self];
        }
        self.matches.into_iter().map(|one| Self { matches: vec![one], to: None }).collect()
    }
}

/// Where a part of a redirect leads.
pub(super) enum Place {
    /// To this path.
    Path(SmolStr),
    /// To what takes the place of the prefix.
    Prefix(SmolStr),
}

/// The parts that a route is written as, in the order of its alternatives: one, unless it redirects a segment prefix.
pub(super) fn parts(action: &Action, matches: &[Match]) -> Vec<Part> {
    let prefix = match action {
        Action::Redirect(redirect) => redirect.prefix.as_ref().map(|prefix| prefix.value.as_str()),
        Action::Forward(_) | Action::Respond(_) | Action::Delegate(_) => None,
    };
    let Some(prefix) = prefix.filter(|_| matches.iter().any(|one| segments(one).is_some())) else {
        return vec![Part { matches: matches.to_vec(), to: None }];
    };
    let base = prefix.strip_suffix('/').unwrap_or(prefix);
    let mut parts: Vec<Part> = Vec::new();
    for one in matches {
        let Some((path, ignore_case)) = segments(one) else {
            match parts.last_mut().filter(|part| part.to.is_none()) {
                Some(part) => part.matches.push(one.clone()),
                None => parts.push(Part { matches: vec![one.clone()], to: None }),
            }
            continue;
        };
        let with = |test| Match { path: Some(PathMatch { test, ignore_case }), ..one.clone() };
        let itself = if base.is_empty() { "/" } else { base };
        parts.push(Part {
            matches: vec![with(PathTest::Exact(path.clone()))],
            to: Some(Place::Path(SmolStr::new(itself))),
        });
        parts.push(Part {
            matches: vec![with(PathTest::Prefix(SmolStr::new(format!("{path}/"))))],
            to: Some(Place::Prefix(SmolStr::new(format!("{base}/")))),
        });
    }
    parts
}

/// Whether one redirect of Istio leads all alternatives where the route says.
pub(in super::super) fn is_one(action: &Action, matches: &[Match]) -> bool {
    matches!(parts(action, matches).as_slice(), [Part { matches: _, to: None }])
}

/// Whether two conditions ask for the same paths, alternative by alternative.
pub(in super::super) fn asks_the_same(one: &[Match], other: &[Match]) -> bool {
    let paths = |matches: &[Match]| -> Vec<Option<PathMatch>> {
        let mut paths: Vec<_> = matches.iter().map(|one| one.path.clone()).collect();
        paths.dedup();
        paths
    };
    paths(one) == paths(other)
}

/// The segment prefix that an alternative asks for, and whether letter case counts.
fn segments(one: &Match) -> Option<(&SmolStr, bool)> {
    match &one.path {
        Some(PathMatch { test: PathTest::Under(path), ignore_case }) => Some((path, *ignore_case)),
        Some(PathMatch {
            test: PathTest::Exact(_) | PathTest::Prefix(_) | PathTest::Pattern(_),
            ignore_case: _,
        })
        | None => None,
    }
}

/// Leads a redirect to a place.
pub(super) fn lead(redirect: &mut api::HttpRedirect, to: Place) {
    match to {
        Place::Path(path) => (redirect.uri, redirect.prefix_rewrite) = (Some(path), None),
        Place::Prefix(prefix) => (redirect.uri, redirect.prefix_rewrite) = (None, Some(prefix)),
    }
}
