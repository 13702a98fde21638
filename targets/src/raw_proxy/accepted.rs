//! The losses that the sources accept for one target, by where they are accepted.

use meshc_compiler::model::{Controller, Model};
use meshc_compiler::reading::{Degradation, Scopes};
use meshc_language::Span;

/// The losses that the sources accept for one target.
pub(super) struct Accepted<'m>(Scopes<(usize, &'m Degradation)>);

impl<'m> Accepted<'m> {
    pub(super) fn new(model: &'m Model, controller: Controller) -> Self {
        let own = model.degradations.iter().enumerate().filter(|(_, one)| one.target.value == controller);
        Self(own.map(|(at, one)| (one.scope, (at, one))).collect())
    }

    /// The innermost loss that is accepted around a place; of several for one statement the first.
    pub(super) fn innermost(&self, place: Span) -> Option<&'m Degradation> {
        let mut around = self.0.around(place).peekable();
        let (innermost, _) = *around.peek()?;
        let same = around.take_while(|(scope, _)| *scope == innermost);
        same.min_by_key(|(_, (at, _))| *at).map(|(_, (_, degradation))| *degradation)
    }
}
