//! Values by the statements that they hold for, so that those around a place are found without looking at the others.

use meshc_language::{FileId, Span};
use rustc_hash::FxHashMap;
use std::cmp::Reverse;

/// Values by scope. Scopes are statements: of two, one lies in the other, or they are apart.
#[derive(Clone, Debug)]
pub struct Scopes<T> {
    files: FxHashMap<FileId, Vec<Scope<T>>>,
}

#[derive(Clone, Debug)]
struct Scope<T> {
    span: Span,
    value: T,
    /// The position of the next scope around it.
    around: Option<usize>,
}

impl<T> FromIterator<(Span, T)> for Scopes<T> {
    fn from_iter<I: IntoIterator<Item = (Span, T)>>(all: I) -> Self {
        let mut sorted: Vec<(Span, T)> = all.into_iter().collect();
        // Outer before inner.
        sorted.sort_by_key(|(span, _)| (span.file, span.start, Reverse(span.end)));
        let mut files: FxHashMap<FileId, Vec<Scope<T>>> = FxHashMap::default();
        for (span, value) in sorted {
            let scopes = files.entry(span.file).or_default();
            let around = innermost(scopes, scopes.len().checked_sub(1), span);
            scopes.push(Scope { span, value, around });
        }
        Self { files }
    }
}

impl<T> Scopes<T> {
    /// The values whose scopes a place is in, the innermost first; of equal scopes the later one.
    pub fn around(&self, place: Span) -> impl Iterator<Item = (Span, &T)> {
        let scopes = self.files.get(&place.file).map_or(&[][..], Vec::as_slice);
        let begun = scopes.partition_point(|scope| scope.span.start <= place.start);
        let mut next = innermost(scopes, begun.checked_sub(1), place);
        std::iter::from_fn(move || {
            let scope = scopes.get(next?)?;
            next = scope.around;
            Some((scope.span, &scope.value))
        })
    }
}

/// The innermost scope around a place, from that on which begins last before it.
fn innermost<T>(scopes: &[Scope<T>], mut at: Option<usize>, place: Span) -> Option<usize> {
    loop {
        let scope = scopes.get(at?)?;
        if scope.span.contains(place) {
            return at;
        }
        at = scope.around;
    }
}

#[cfg(test)]
mod tests {
    use super::Scopes;
    use meshc_language::{FileId, Span};

    #[test]
    fn scopes_around_a_place_are_found_from_the_inside_out() {
        let span = |start, end| Span::new(FileId(0), start, end);
        let all = [(0, 100, 'a'), (10, 40, 'b'), (50, 90, 'c'), (60, 70, 'd'), (50, 90, 'e'), (62, 64, 'f')];
        let scopes: Scopes<char> = all.iter().map(|(start, end, name)| (span(*start, *end), *name)).collect();
        let around = |start, end| scopes.around(span(start, end)).map(|(_, name)| *name).collect::<String>();
        assert_eq!(around(0, 1), "a");
        assert_eq!(around(10, 40), "ba");
        assert_eq!(around(42, 45), "a");
        assert_eq!(around(65, 70), "deca");
        assert_eq!(around(63, 64), "fdeca");
        assert_eq!(around(63, 66), "deca");
        assert_eq!(around(99, 101), "");
        assert_eq!(scopes.around(Span::new(FileId(1), 1, 2)).count(), 0);
    }
}
