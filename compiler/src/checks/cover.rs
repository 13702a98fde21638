//! Whether one alternative of a condition takes everything that another one takes.
//!
//! Sound, not complete: `true` is proven, `false` means "not seen". Expressions are compared as texts.

use crate::model::{HeaderTest, Match, PathMatch, PathTest};
use crate::policy::TextMatch;
use crate::values::MatchHeaderName;
use rustc_hash::{FxHashMap, FxHashSet};
use std::hash::Hash;

/// Whether `outer` takes every request that `inner` takes.
pub(super) fn covers(outer: &Match, inner: &Match) -> bool {
    let Match {
        path,
        scheme,
        methods,
        authority,
        headers,
        without,
        query,
        ports,
        source_namespace,
        source_labels,
        bindings,
        sni,
        destinations,
    } = outer;
    covers_path(path.as_ref(), inner.path.as_ref())
        && covers_text(scheme.as_ref(), inner.scheme.as_ref())
        && covers_text(authority.as_ref(), inner.authority.as_ref())
        && covers_set(methods, &inner.methods)
        && covers_set(ports, &inner.ports)
        && covers_set(bindings, &inner.bindings)
        && covers_each(sni, &inner.sni, |outer, inner| outer.as_host().covers(inner.as_host()))
        && covers_each(destinations, &inner.destinations, |outer, inner| {
            outer.as_cidr().covers(inner.as_cidr())
        })
        && covers_named(headers, &inner.headers)
        && covers_named(query, &inner.query)
        && has_all_absences(&inner.without, without)
        && (source_namespace.is_none() || *source_namespace == inner.source_namespace)
        && contains_all(&inner.source_labels, source_labels)
}

/// Whether an alternative takes every request: nothing in it, or a path that every request has.
pub(super) fn takes_everything(one: &Match) -> bool {
    covers(one, &Match::default())
}

/// Whether all absences that `some` ask for are among these.
fn has_all_absences(all: &[(MatchHeaderName, HeaderTest)], some: &[(MatchHeaderName, HeaderTest)]) -> bool {
    if all.len().saturating_mul(some.len()) <= FEW_PAIRS {
        return some.iter().all(|test| all.contains(test));
    }
    let mut named: FxHashMap<&MatchHeaderName, Vec<&HeaderTest>> = FxHashMap::default();
    for (name, test) in all {
        named.entry(name).or_default().push(test);
    }
    some.iter().all(|(name, test)| named.get(name).is_some_and(|tests| tests.contains(&test)))
}

/// An empty list stands for everything.
fn covers_set<T: Eq + Hash>(outer: &[T], inner: &[T]) -> bool {
    outer.is_empty() || (!inner.is_empty() && contains_all(outer, inner))
}

/// Lists of so many pairs are compared one by one.
const FEW_PAIRS: usize = 256;

fn contains_all<T: Eq + Hash>(all: &[T], some: &[T]) -> bool {
    if all.len().saturating_mul(some.len()) <= FEW_PAIRS {
        return some.iter().all(|value| all.contains(value));
    }
    let all: FxHashSet<&T> = all.iter().collect();
    some.iter().all(|value| all.contains(value))
}

/// As [`covers_set`], of values that take in others.
fn covers_each<T>(outer: &[T], inner: &[T], covers: impl Fn(&T, &T) -> bool) -> bool {
    outer.is_empty()
        || (!inner.is_empty() && inner.iter().all(|one| outer.iter().any(|wide| covers(wide, one))))
}

fn covers_path(outer: Option<&PathMatch>, inner: Option<&PathMatch>) -> bool {
    let Some(outer) = outer else { return true };
    if is_every_path(&outer.test) {
        return true;
    }
    let Some(inner) = inner else { return false };
    if outer == inner {
        return true;
    }
    if inner.ignore_case && !outer.ignore_case {
        return false;
    }
    outer.test.covers(&inner.test, outer.ignore_case)
}

pub(super) fn is_every_path(test: &PathTest) -> bool {
    match test {
        PathTest::Prefix(prefix) => prefix == "/",
        PathTest::Pattern(pattern) => matches!(pattern.as_str(), ".*" | "/.*"),
        PathTest::Exact(_) | PathTest::Under(_) => false,
    }
}

fn covers_text(outer: Option<&TextMatch>, inner: Option<&TextMatch>) -> bool {
    match (outer, inner) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(outer), Some(inner)) => text_covers(outer, inner),
    }
}

fn text_covers(outer: &TextMatch, inner: &TextMatch) -> bool {
    match (outer, inner) {
        (TextMatch::Prefix(prefix), TextMatch::Exact(text) | TextMatch::Prefix(text)) => {
            text.starts_with(prefix.as_str())
        }
        (TextMatch::Pattern(pattern), _) if pattern.as_str() == ".*" => true,
        (outer, inner) => outer == inner,
    }
}

/// Every comparison of `outer` must be implied by one of `inner` on the same name.
fn covers_named<N: Eq + Hash>(outer: &[(N, HeaderTest)], inner: &[(N, HeaderTest)]) -> bool {
    let covers = |test: &HeaderTest, other: Option<&HeaderTest>| match (test, other) {
        (_, None) => false,
        (HeaderTest::Present, Some(_)) => true,
        (HeaderTest::Text(_), Some(HeaderTest::Present)) => false,
        (HeaderTest::Text(outer), Some(HeaderTest::Text(inner))) => text_covers(outer, inner),
    };
    if outer.len().saturating_mul(inner.len()) <= FEW_PAIRS {
        let named = |name| inner.iter().find(|(other, _)| other == name).map(|(_, test)| test);
        return outer.iter().all(|(name, test)| covers(test, named(name)));
    }
    let named: FxHashMap<&N, &HeaderTest> = inner.iter().map(|(name, test)| (name, test)).collect();
    outer.iter().all(|(name, test)| covers(test, named.get(name).copied()))
}
