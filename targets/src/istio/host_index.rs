//! Names that overlap, without looking at every pair.

use meshc_compiler::values::HostPattern;
use rustc_hash::FxHashMap;

/// Host names by their text, and by the ends that wildcards ask for.
#[derive(Debug, Default)]
pub(super) struct HostIndex<'m> {
    names: Vec<&'m HostPattern>,
    by_text: FxHashMap<&'m str, Vec<usize>>,
    /// Names by each end of theirs that begins with a dot.
    by_end: FxHashMap<&'m str, Vec<usize>>,
}

impl<'m> HostIndex<'m> {
    pub(super) fn of(names: impl IntoIterator<Item = &'m HostPattern>) -> Self {
        let mut index = Self::default();
        for name in names {
            let at = index.names.len();
            index.names.push(name);
            index.by_text.entry(name.as_str()).or_default().push(at);
            for end in ends(name.as_str()) {
                index.by_end.entry(end).or_default().push(at);
            }
        }
        index
    }

    /// The positions of the names that overlap with a pattern, in order.
    pub(super) fn overlapping(&self, pattern: &HostPattern) -> Vec<usize> {
        if pattern.is_any() {
            return (0..self.names.len()).collect();
        }
        let text = pattern.as_str();
        // Those that take it in, and itself.
        let mut found: Vec<usize> = self.by_text.get(text).into_iter().flatten().copied().collect();
        for end in ends(text) {
            let wildcard = format!("*{end}");
            if wildcard != text {
                found.extend(self.by_text.get(wildcard.as_str()).into_iter().flatten());
            }
        }
        found.extend(self.by_text.get("*").into_iter().flatten());
        // Those that it takes in.
        if pattern.is_partial_wildcard() {
            found.extend(
                (0..self.names.len())
                    .filter(|at| self.names.get(*at).is_some_and(|name| pattern.covers(name))),
            );
        } else if let Some(end) = text.strip_prefix('*') {
            found.extend(self.by_end.get(end).into_iter().flatten());
        }
        found.sort_unstable();
        found.dedup();
        found.retain(|at| self.names.get(*at).is_some_and(|name| name.overlaps(pattern)));
        found
    }
}

/// The ends of a name that begin with a dot, the longest first. A wildcard's own is the first.
fn ends(name: &str) -> impl Iterator<Item = &str> {
    name.match_indices('.').filter_map(move |(at, _)| name.get(at..))
}

/// What the most specific name that takes in a name stands for.
pub(super) fn most_specific<T>(name: &str, find: impl Fn(&str) -> Option<T>) -> Option<T> {
    find(name)
        .or_else(|| {
            ends(name).map(|end| format!("*{end}")).filter(|one| one != name).find_map(|one| find(&one))
        })
        .or_else(|| find("*"))
}
