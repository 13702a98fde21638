//! The losses that the sources accept for one target, by where they are accepted.

use meshc_compiler::model::{Controller, Model};
use meshc_compiler::reading::Degradation;
use meshc_language::{FileId, Span};
use rustc_hash::FxHashMap;

/// The losses that the sources accept for one target. Their scopes are statements: of two, one lies in the other, or they are
/// apart.
pub(super) struct Scopes<'m> {
    files: FxHashMap<FileId, Vec<Scope<'m>>>,
}

/// A scope, and the position of the next one around it.
struct Scope<'m> {
    degradation: &'m Degradation,
    around: Option<usize>,
}

impl<'m> Scopes<'m> {
    pub(super) fn new(model: &'m Model, controller: Controller) -> Self {
        let mut own: Vec<&Degradation> =
            model.degradations.iter().filter(|one| one.target.value == controller).collect();
        // Outer before inner; of equal ones the first is the innermost, and comes last.
        own.reverse();
        own.sort_by_key(|one| (one.scope.file, one.scope.start, std::cmp::Reverse(one.scope.end)));
        let mut files: FxHashMap<FileId, Vec<Scope<'m>>> = FxHashMap::default();
        for degradation in own {
            let scopes = files.entry(degradation.scope.file).or_default();
            let around = innermost(scopes, scopes.len().checked_sub(1), degradation.scope);
            scopes.push(Scope { degradation, around });
        }
        Self { files }
    }

    /// The innermost loss that is accepted around a place.
    pub(super) fn innermost(&self, span: Span) -> Option<&'m Degradation> {
        let scopes = self.files.get(&span.file)?;
        let begun = scopes.partition_point(|scope| scope.degradation.scope.start <= span.start);
        let at = innermost(scopes, begun.checked_sub(1), span)?;
        scopes.get(at).map(|scope| scope.degradation)
    }
}

/// The innermost scope around a place, from that on which begins last before it.
fn innermost(scopes: &[Scope<'_>], mut at: Option<usize>, span: Span) -> Option<usize> {
    loop {
        let scope = scopes.get(at?)?;
        if scope.degradation.scope.contains(span) {
            return at;
        }
        at = scope.around;
    }
}
