//! Variables that nginx computes when they are asked for: `map`, `geo` and `split_clients`.

use super::directive::{Directive, line};
use crate::fingerprint::fingerprint;
use rustc_hash::{FxHashMap, FxHashSet};

/// A bit of which nginx could not tell whether it is `0` or `1`.
pub(super) const UNKNOWN: &str = "2";

/// The halves of nginx: neither sees the variables and upstream blocks of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Subsystem {
    /// `http`: requests.
    Http,
    /// `stream`: connections.
    Stream,
}

impl Subsystem {
    /// What differs from request to request, or from connection to connection.
    const fn lot(self) -> &'static str {
        match self {
            Self::Http => "$request_id",
            Self::Stream => "$pid.$connection.$msec.$remote_addr.$remote_port",
        }
    }
}

/// The variables of `http`, or those of `stream`. What is asked for twice stands once.
#[derive(Debug)]
pub(super) struct Variables {
    subsystem: Subsystem,
    known: FxHashMap<Vec<String>, String>,
    names: FxHashSet<String>,
    directives: Vec<Directive>,
    /// Those that may be [`UNKNOWN`].
    doubtful: FxHashSet<String>,
}

impl Variables {
    pub(super) fn new(subsystem: Subsystem) -> Self {
        Self {
            subsystem,
            known: FxHashMap::default(),
            names: FxHashSet::default(),
            directives: Vec::new(),
            doubtful: FxHashSet::default(),
        }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.directives.len()
    }

    /// Their definitions.
    pub(super) fn into_directives(self) -> Vec<Directive> {
        self.directives
    }

    /// The variable that has the value of the first entry whose key takes `source`.
    pub(super) fn map(&mut self, source: &str, entries: Vec<Directive>) -> String {
        self.define("map", source, entries)
    }

    /// A variable that is `1` or `0`: that of the first entry whose key takes `source`.
    pub(super) fn bit(&mut self, source: &str, entries: Vec<(String, bool)>, default: bool) -> String {
        let mut block = vec![line!["default", digit(default)]];
        block.extend(entries.into_iter().map(|(key, bit)| line![key, digit(bit)]));
        self.map(source, block)
    }

    /// A bit whose keys may take nginx's engine more steps than it allows itself: they are written by others, or look at a long text.
    /// It is [`UNKNOWN`] then. nginx takes the default of a `map` in that case, as if the expression did not hold, and would let
    /// through what a rule refuses.
    pub(super) fn pattern_bit(
        &mut self,
        source: &str,
        entries: Vec<(String, bool)>,
        default: bool,
    ) -> String {
        let entries = entries.into_iter().map(|(key, bit)| (key, digit(bit).to_owned()));
        self.doubtful_bit(source, entries.collect(), default)
    }

    /// The same, with the values of other bits for some keys; `0` without any.
    pub(super) fn map_to_bits(&mut self, source: &str, entries: Vec<(String, String)>) -> String {
        self.doubtful_bit(source, entries, false)
    }

    fn doubtful_bit(&mut self, source: &str, entries: Vec<(String, String)>, default: bool) -> String {
        let mut block = vec![line!["default", UNKNOWN]];
        let takes_nothing = entries.iter().any(|(key, _)| key.is_empty());
        // No expression is asked of an empty value.
        let rest = ["", "~^"].iter().skip(usize::from(takes_nothing));
        let all = entries.into_iter().chain(rest.map(|key| ((*key).to_owned(), digit(default).to_owned())));
        block.extend(all.map(|(key, bit)| line![key, bit]));
        let name = self.map(source, block);
        self.doubtful.insert(name.clone());
        name
    }

    /// Whether a bit may be [`UNKNOWN`].
    pub(super) fn is_doubtful(&self, bit: &str) -> bool {
        self.doubtful.contains(bit)
    }

    /// A variable that is `1` if an address is in one of these ranges, else `0`.
    pub(super) fn is_in(&mut self, source: &str, ranges: impl Iterator<Item = String>) -> String {
        let mut block = vec![line!["default", "0"]];
        block.extend(ranges.map(|range| line![range, "1"]));
        self.define("geo", source, block)
    }

    /// A variable with a fixed value, in which a `$` is itself.
    pub(super) fn fixed(&mut self, value: &str) -> String {
        let block = vec![line!["default", value]];
        let key = vec!["fixed".to_owned(), value.to_owned()];
        if let Some(name) = self.known.get(&key) {
            return name.clone();
        }
        let name = self.name(&key);
        self.directives.push(line!["geo", name.clone()].block(block));
        self.known.insert(key, name.clone());
        name
    }

    /// A variable that has each value for its share of the requests or connections, in hundredths of a percent; the last one
    /// for the rest. Each `purpose` is drawn for by itself: two splits of one text would go together.
    pub(super) fn split(&mut self, purpose: &str, shares: &[(String, u32)]) -> String {
        let mut key = vec!["split".to_owned(), purpose.to_owned()];
        key.extend(shares.iter().flat_map(|(value, share)| [value.clone(), share.to_string()]));
        if let Some(name) = self.known.get(&key) {
            return name.clone();
        }
        let name = self.name(&key);
        let salted = format!("{}.{}", name.trim_start_matches('$'), self.subsystem.lot());
        let last = shares.len().saturating_sub(1);
        let entry = |(at, (value, share)): (usize, &(String, u32))| {
            let percent = format!("{}.{:02}%", share / 100, share % 100);
            line![if at == last { "*".to_owned() } else { percent }, value.clone()]
        };
        let block = shares.iter().enumerate().map(entry).collect();
        self.directives.push(line!["split_clients", salted, name.clone()].block(block));
        self.known.insert(key, name.clone());
        name
    }

    /// A variable that is `1` for a share of the requests or connections, in parts per million, and `0` for the rest.
    pub(super) fn drawn(&mut self, purpose: &str, ppm: u32) -> String {
        let values = ["1", "0"].map(str::to_owned);
        let shares = hundredths(&[ppm, 1_000_000_u32.saturating_sub(ppm)]);
        self.split(purpose, &values.into_iter().zip(shares).collect::<Vec<_>>())
    }

    /// The name of a variable. It comes from its definition: what is added or moved beside it renames nothing.
    fn name(&mut self, definition: &[String]) -> String {
        let mut fingerprint = fingerprint(definition.iter().flat_map(|word| [word.as_str(), "\n"]));
        loop {
            let name = format!("$mesh_{:08x}", fingerprint >> 32);
            if self.names.insert(name.clone()) {
                return name;
            }
            fingerprint = fingerprint.wrapping_add(1 << 32);
        }
    }

    fn define(&mut self, kind: &str, source: &str, block: Vec<Directive>) -> String {
        let mut key = vec![kind.to_owned(), source.to_owned()];
        key.extend(block.iter().flat_map(|entry| entry.words.iter().cloned()));
        if let Some(name) = self.known.get(&key) {
            return name.clone();
        }
        let name = self.name(&key);
        self.directives.push(line![kind, source, name.clone()].block(block));
        self.known.insert(key, name.clone());
        name
    }
}

fn digit(bit: bool) -> &'static str {
    if bit { "1" } else { "0" }
}

/// Shares in parts per million as hundredths of a percent that add up to a whole: nginx knows nothing finer. None is zero.
pub(super) fn hundredths(ppm: &[u32]) -> Vec<u32> {
    const WHOLE: u32 = 10_000;
    let mut shares: Vec<u32> = ppm.iter().map(|ppm| (ppm / 100).max(1)).collect();
    let sum: u32 = shares.iter().sum();
    let mut order: Vec<usize> = (0..ppm.len()).collect();
    // What rounding left over goes to those that lost most; what it added is taken from the greatest.
    if sum < WHOLE {
        order.sort_by_key(|at| std::cmp::Reverse(ppm.get(*at).map_or(0, |ppm| ppm % 100)));
        for at in order.iter().cycle().take((WHOLE - sum) as usize) {
            if let Some(share) = shares.get_mut(*at) {
                *share += 1;
            }
        }
    } else if let Some(greatest) = shares.iter_mut().max() {
        *greatest = greatest.saturating_sub(sum - WHOLE).max(1);
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::hundredths;

    #[test]
    fn shares_add_up_to_a_whole() {
        for (ppm, expected) in [
            (vec![1_000_000], vec![10_000]),
            (vec![100_000, 900_000], vec![1_000, 9_000]),
            (vec![333_333, 333_333, 333_334], vec![3_333, 3_333, 3_334]),
            (vec![1, 999_999], vec![1, 9_999]),
            (vec![50, 50, 999_900], vec![1, 1, 9_998]),
        ] {
            assert_eq!(hundredths(&ppm), expected, "{ppm:?}");
        }
    }
}
