//! Which conditions could hold in a location, without asking each of them in each.

use super::conditions::{Beginning, Condition, Location};
use rustc_hash::{FxHashMap, FxHashSet};

/// The conditions of a virtual host by what paths begin with that they take, by their positions.
pub(super) struct Filed {
    /// Those that take paths of any beginning.
    any: Vec<usize>,
    exact: FxHashMap<String, Vec<usize>>,
    beginning: FxHashMap<String, Vec<usize>>,
    /// How long the keys of `beginning` are.
    lengths: Vec<usize>,
}

impl Filed {
    pub(super) fn new<'c>(conditions: impl Iterator<Item = &'c Condition>) -> Self {
        let mut filed = Self {
            any: Vec::new(),
            exact: FxHashMap::default(),
            beginning: FxHashMap::default(),
            lengths: Vec::new(),
        };
        for (at, condition) in conditions.enumerate() {
            match condition.beginning() {
                Beginning::Any => filed.any.push(at),
                Beginning::Exact(text) => filed.exact.entry(text.to_owned()).or_default().push(at),
                Beginning::OneOf(mut texts) => {
                    texts.sort_unstable();
                    texts.dedup();
                    for text in texts {
                        filed.beginning.entry(text.to_owned()).or_default().push(at);
                    }
                }
            }
        }
        let lengths: FxHashSet<usize> = filed.beginning.keys().map(String::len).collect();
        filed.lengths = lengths.into_iter().collect();
        filed.lengths.sort_unstable();
        filed
    }

    /// The positions of the conditions that could hold in a location, in order.
    pub(super) fn at<'f>(&'f self, location: &Location) -> impl Iterator<Item = usize> + use<'f> {
        let (Location::Exact(text) | Location::Prefix(text)) = location;
        let mut lists: Vec<&[usize]> = vec![&self.any];
        lists.extend(self.exact.get(text).map(Vec::as_slice));
        let beginnings = self.lengths.iter().map_while(|length| text.as_bytes().get(..*length));
        let texts = beginnings.filter_map(|beginning| std::str::from_utf8(beginning).ok());
        lists.extend(texts.filter_map(|beginning| self.beginning.get(beginning)).map(Vec::as_slice));
        // Few lists, each in order: the least of their first elements is next.
        std::iter::from_fn(move || {
            let next = *lists.iter().filter_map(|list| list.first()).min()?;
            for list in &mut lists {
                if let Some((_, rest)) = list.split_first().filter(|(first, _)| **first == next) {
                    *list = rest;
                }
            }
            Some(next)
        })
    }
}
