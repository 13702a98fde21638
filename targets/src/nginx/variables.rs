//! Variables that nginx computes when they are asked for: `map`, `geo` and `split_clients`.

use super::directive::{Directive, line};
use rustc_hash::FxHashMap;

/// The variables of the part for HTTP, or of that for connections. What is asked for twice stands once.
#[derive(Debug, Default)]
pub(super) struct Variables {
    known: FxHashMap<Vec<String>, String>,
    directives: Vec<Directive>,
}

impl Variables {
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
        let digit = |bit: bool| if bit { "1" } else { "0" };
        let mut block = vec![line!["default", digit(default)]];
        block.extend(entries.into_iter().map(|(key, bit)| line![key, digit(bit)]));
        self.map(source, block)
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
        let name = self.next();
        self.directives.push(line!["geo", name.clone()].block(block));
        self.known.insert(key, name.clone());
        name
    }

    /// A variable that has each value for its share of what `source` says, in hundredths of a percent; the last one for the
    /// rest. Each is drawn by itself: two splits of one source would go together.
    pub(super) fn split(&mut self, source: &str, shares: &[(String, u32)]) -> String {
        let name = self.next();
        let salted = format!("{}.{source}", name.trim_start_matches('$'));
        let last = shares.len().saturating_sub(1);
        let entry = |(at, (value, share)): (usize, &(String, u32))| {
            let percent = format!("{}.{:02}%", share / 100, share % 100);
            line![if at == last { "*".to_owned() } else { percent }, value.clone()]
        };
        let block = shares.iter().enumerate().map(entry).collect();
        self.directives.push(line!["split_clients", salted, name.clone()].block(block));
        name
    }

    fn next(&self) -> String {
        format!("$mesh_{}", self.directives.len())
    }

    fn define(&mut self, kind: &str, source: &str, block: Vec<Directive>) -> String {
        let mut key = vec![kind.to_owned(), source.to_owned()];
        key.extend(block.iter().flat_map(|entry| entry.words.iter().cloned()));
        if let Some(name) = self.known.get(&key) {
            return name.clone();
        }
        let name = self.next();
        self.directives.push(line![kind, source, name.clone()].block(block));
        self.known.insert(key, name.clone());
        name
    }
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
