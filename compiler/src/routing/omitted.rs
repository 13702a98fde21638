//! The statements that are left out, so that each question after one is a look into a table.

use super::Dropped;
use meshc_language::{FileId, Span};
use rustc_hash::FxHashMap;

/// The statements that are left out: of all owners, and of single ones.
#[derive(Debug, Default)]
pub(super) struct Omitted {
    places: FxHashMap<(FileId, Option<Span>), Places>,
}

/// Places of one file, by where they begin, each with the farthest end of those that begin before it or there.
type Places = Vec<(u32, u32)>;

impl Omitted {
    pub(super) fn new(dropped: &[Dropped]) -> Self {
        let mut places: FxHashMap<(FileId, Option<Span>), Places> = FxHashMap::default();
        for Dropped { span, owner } in dropped {
            places.entry((span.file, *owner)).or_default().push((span.start, span.end));
        }
        #[expect(clippy::iter_over_hash_type, reason = "each is sorted by itself")]
        for list in places.values_mut() {
            list.sort_unstable();
            let mut farthest = 0;
            for (_, end) in list.iter_mut() {
                farthest = farthest.max(*end);
                *end = farthest;
            }
        }
        Self { places }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Whether a statement of this owner lies inside of one that is left out.
    pub(super) fn contains(&self, span: Span, owner: Span) -> bool {
        !self.places.is_empty()
            && [None, Some(owner)].into_iter().any(|owner| {
                let list = self.places.get(&(span.file, owner)).map_or(&[][..], Vec::as_slice);
                let begun = list.partition_point(|(start, _)| *start <= span.start);
                let last = begun.checked_sub(1).and_then(|at| list.get(at));
                last.is_some_and(|(_, farthest)| *farthest >= span.end)
            })
    }
}
