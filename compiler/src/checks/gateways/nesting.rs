//! Which servers meet on a workload, without comparing each with each.

use super::servers::Workloads;
use rustc_hash::FxHashMap;

/// A label: key and value.
type Label<'m> = (&'m str, &'m str);

/// The most labels whose subsets are looked up one by one. Gateways have one to three.
const FEW: usize = 8;

/// Values by the workloads that they belong to, in the order in which they were added.
pub(super) struct Nesting<'m, T> {
    all: Vec<(Workloads<'m>, T)>,
    /// Positions in `all`, by exactly these workloads.
    same: FxHashMap<Workloads<'m>, Vec<usize>>,
    /// Positions in `all`, by a label among others.
    labelled: FxHashMap<Label<'m>, Vec<usize>>,
}

impl<T> Default for Nesting<'_, T> {
    fn default() -> Self {
        Self { all: Vec::new(), same: FxHashMap::default(), labelled: FxHashMap::default() }
    }
}

impl<'m, T> Nesting<'m, T> {
    pub(super) fn add(&mut self, workloads: &Workloads<'m>, value: T) {
        let at = self.all.len();
        if let Workloads::Labelled(labels) = workloads {
            for label in labels {
                self.labelled.entry(*label).or_default().push(at);
            }
        }
        self.same.entry(workloads.clone()).or_default().push(at);
        self.all.push((workloads.clone(), value));
    }

    /// Whether something was added for exactly these workloads.
    pub(super) fn has(&self, workloads: &Workloads<'m>) -> bool {
        self.same.contains_key(workloads)
    }

    /// The first value that a test finds among those whose workloads nest with these ([`Workloads::nest`]).
    pub(super) fn find(&self, workloads: &Workloads<'m>, test: impl Fn(&T) -> bool) -> Option<&T> {
        self.positions(workloads).into_iter().filter_map(|at| self.value(at)).find(|value| test(value))
    }

    /// The values whose workloads nest with these.
    pub(super) fn nested(&self, workloads: &Workloads<'m>) -> impl Iterator<Item = &T> {
        self.positions(workloads).into_iter().filter_map(|at| self.value(at))
    }

    fn value(&self, at: usize) -> Option<&T> {
        self.all.get(at).map(|(_, value)| value)
    }

    fn positions(&self, workloads: &Workloads<'m>) -> Vec<usize> {
        let Workloads::Labelled(labels) = workloads else {
            return self.same.get(workloads).cloned().unwrap_or_default();
        };
        let nests = |at: &usize| self.all.get(*at).is_some_and(|(other, _)| other.nest(workloads));
        if labels.is_empty() || labels.len() > FEW {
            return (0..self.all.len()).filter(nests).collect();
        }
        // Who has all of these labels has the rarest of them.
        let lists = labels.iter().map(|label| self.labelled.get(label).map_or(&[][..], Vec::as_slice));
        let rarest = lists.min_by_key(|list| list.len()).unwrap_or_default();
        let mut found: Vec<usize> = rarest.iter().copied().filter(|at| nests(at)).collect();
        for few in subsets(labels) {
            found.extend(self.same.get(&Workloads::Labelled(few)).into_iter().flatten());
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// All choices of some of the labels, in their order.
fn subsets<'l, 'm>(labels: &'l [Label<'m>]) -> impl Iterator<Item = Vec<Label<'m>>> + 'l {
    (0_u32..1 << labels.len()).map(|choice| {
        let chosen = labels.iter().enumerate().filter(|(at, _)| choice & (1 << at) != 0);
        chosen.map(|(_, label)| *label).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::{Nesting, Workloads};

    const NAMES: [&str; 11] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"];

    /// The labels that a number chooses.
    fn workloads(choice: u32) -> Workloads<'static> {
        let chosen = NAMES.iter().enumerate().filter(|(at, _)| choice & (1 << at) != 0);
        Workloads::Labelled(chosen.map(|(_, name)| (*name, "x")).collect())
    }

    #[test]
    fn workloads_that_nest_are_found_as_by_comparing_all() {
        let choices: Vec<u32> = (0..600_u32).map(|n| (n * 389) % 2048).filter(|n| n % 3 != 1).collect();
        let mut nesting = Nesting::default();
        for (at, choice) in choices.iter().enumerate() {
            nesting.add(&workloads(*choice), at);
        }
        for asked in 0..2048_u32 {
            let asked = workloads(asked);
            let all = choices.iter().enumerate().filter(|(_, choice)| workloads(**choice).nest(&asked));
            let expected: Vec<usize> = all.map(|(at, _)| at).collect();
            let found: Vec<usize> = nesting.nested(&asked).copied().collect();
            assert_eq!(found, expected);
        }
    }
}
