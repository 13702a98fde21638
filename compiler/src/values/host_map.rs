//! Values by host pattern: whoever asks for a host gets what its most specific pattern stands for, without looking at the others.
//!
//! ```text
//! a.foo.com     a table of names
//! *.foo.com     a table of what follows the `*`, asked once for each length that occurs, the longest first
//! ```
//!
//! A wildcard is the end of a text and not only of labels (`*foo.com`, `*-foo.com`), so the table is one of texts. It is asked
//! at most as often as a name has characters, however many patterns there are.
//!
//! An exact name is more specific than every wildcard, a longer wildcard more than a shorter one, `*` the least. Of equal patterns
//! the one that was added first comes first.

use super::HostPattern;
use rustc_hash::FxHashMap;
use smol_str::SmolStr;
use std::sync::OnceLock;

/// Values by host pattern. A pattern may stand for several.
#[derive(Clone, Debug)]
pub struct HostMap<T> {
    entries: Vec<(HostPattern, T)>,
    /// Positions in `entries`, by the text of a name.
    names: FxHashMap<SmolStr, Vec<usize>>,
    /// Positions in `entries`, by what follows the `*` of a wildcard.
    wildcards: FxHashMap<SmolStr, Vec<usize>>,
    /// How long the keys of `wildcards` are, each length once, the longest first.
    lengths: Vec<usize>,
    /// Positions in `entries` with the text read from its end, in order of that text. Made when a question needs it.
    backwards: OnceLock<Vec<(Box<[u8]>, usize)>>,
}

impl<T> Default for HostMap<T> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            names: FxHashMap::default(),
            wildcards: FxHashMap::default(),
            lengths: Vec::new(),
            backwards: OnceLock::new(),
        }
    }
}

impl<T> HostMap<T> {
    /// Adds a value for a pattern, after those that it has.
    pub fn add(&mut self, pattern: HostPattern, value: T) {
        let at = self.entries.len();
        match pattern.suffix() {
            Some(suffix) => {
                if let Err(place) = self.lengths.binary_search_by(|length| suffix.len().cmp(length)) {
                    self.lengths.insert(place, suffix.len());
                }
                self.wildcards.entry(SmolStr::new(suffix)).or_default().push(at);
            }
            None => self.names.entry(SmolStr::new(pattern.as_str())).or_default().push(at),
        }
        self.entries.push((pattern, value));
        self.backwards = OnceLock::new();
    }

    /// What the most specific pattern stands for that takes a host, in any letter case ([`HostPattern::takes`]).
    #[must_use]
    pub fn taking(&self, host: &str) -> Option<&T> {
        let host = host.to_ascii_lowercase();
        // A wildcard stands for at least one character; `*` takes a host without any as well.
        let fits = |length: &&usize| **length == 0 || **length < host.len();
        let ends = self.lengths.iter().filter(fits).filter_map(|length| self.ending(&host, *length));
        let at = self.names.get(host.as_str()).into_iter().chain(ends).flatten().next();
        at.and_then(|at| self.entry(*at)).map(|(_, value)| value)
    }

    /// What the most specific pattern stands for that covers another one ([`HostPattern::covers`]).
    #[must_use]
    pub fn most_specific(&self, pattern: &HostPattern) -> Option<&T> {
        self.covering(pattern).next().map(|(_, value)| value)
    }

    /// All that covers a pattern, itself included, the most specific first ([`HostPattern::covers`]).
    pub fn covering(&self, pattern: &HostPattern) -> impl Iterator<Item = (&HostPattern, &T)> {
        self.positions_around(pattern).filter_map(|at| self.entry(at))
    }

    /// All that a pattern covers, itself included, in the order in which it was added ([`HostPattern::covers`]).
    pub fn covered_by(&self, pattern: &HostPattern) -> impl Iterator<Item = (&HostPattern, &T)> {
        let mut found = self.positions_within(pattern);
        found.sort_unstable();
        found.into_iter().filter_map(|at| self.entry(at))
    }

    /// Whether a pattern covers any ([`HostPattern::covers`]).
    #[must_use]
    pub fn has_within(&self, pattern: &HostPattern) -> bool {
        match pattern.suffix() {
            Some(suffix) => self.within(&backwards(suffix)).next().is_some(),
            None => self.names.contains_key(pattern.as_str()),
        }
    }

    /// Whether a pattern has a host in common with any ([`HostPattern::overlaps`]).
    #[must_use]
    pub fn has_overlap(&self, pattern: &HostPattern) -> bool {
        self.positions_around(pattern).next().is_some() || self.has_within(pattern)
    }

    /// All that has a host in common with a pattern, in the order in which it was added ([`HostPattern::overlaps`]).
    pub fn overlapping(&self, pattern: &HostPattern) -> impl Iterator<Item = (&HostPattern, &T)> {
        let mut found = self.positions_within(pattern);
        found.extend(self.positions_around(pattern));
        found.sort_unstable();
        found.dedup();
        found.into_iter().filter_map(|at| self.entry(at))
    }

    fn positions_around(&self, pattern: &HostPattern) -> impl Iterator<Item = usize> {
        let named = if pattern.is_wildcard() { None } else { self.names.get(pattern.as_str()) };
        let text = pattern.suffix().unwrap_or(pattern.as_str());
        let ends = self.lengths.iter().filter_map(move |length| self.ending(text, *length));
        named.into_iter().chain(ends).flatten().copied()
    }

    fn positions_within(&self, pattern: &HostPattern) -> Vec<usize> {
        let Some(suffix) = pattern.suffix() else {
            return self.names.get(pattern.as_str()).cloned().unwrap_or_default();
        };
        self.within(&backwards(suffix)).collect()
    }

    /// The positions of what ends with a text, which is given from its end.
    fn within(&self, wanted: &[u8]) -> impl Iterator<Item = usize> {
        let all = self.backwards.get_or_init(|| self.read_backwards());
        let from = all.partition_point(|(text, _)| **text < *wanted);
        all.iter().skip(from).take_while(move |(text, _)| text.starts_with(wanted)).map(|(_, at)| *at)
    }

    /// Whether nothing was added.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All patterns with their values, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = (&HostPattern, &T)> {
        self.entries.iter().map(|(pattern, value)| (pattern, value))
    }

    fn entry(&self, at: usize) -> Option<(&HostPattern, &T)> {
        self.entries.get(at).map(|(pattern, value)| (pattern, value))
    }

    /// The wildcards whose suffix is the end of a text.
    fn ending(&self, text: &str, length: usize) -> Option<&Vec<usize>> {
        let end = text.len().checked_sub(length).and_then(|from| text.get(from..))?;
        self.wildcards.get(end)
    }

    fn read_backwards(&self) -> Vec<(Box<[u8]>, usize)> {
        let text = |pattern: &HostPattern| backwards(pattern.suffix().unwrap_or(pattern.as_str()));
        let mut all: Vec<_> =
            self.entries.iter().enumerate().map(|(at, (pattern, _))| (text(pattern), at)).collect();
        all.sort_unstable();
        all
    }
}

impl<T> FromIterator<(HostPattern, T)> for HostMap<T> {
    fn from_iter<I: IntoIterator<Item = (HostPattern, T)>>(all: I) -> Self {
        let mut map = Self::default();
        for (pattern, value) in all {
            map.add(pattern, value);
        }
        map
    }
}

/// The bytes of a text from its end.
fn backwards(text: &str) -> Box<[u8]> {
    text.bytes().rev().collect()
}

#[cfg(test)]
mod tests;
