//! The losses that the sources accept for one target, by where they are accepted.

use crate::applied::Applied;
use meshc_compiler::model::{Controller, Model};
use meshc_compiler::reading::{Degradation, Loss, Scopes};
use meshc_language::Span;
use rustc_hash::FxHashSet;

/// The losses that the sources accept for one target.
pub(super) struct Accepted<'m> {
    losses: Scopes<(usize, &'m Degradation)>,
    applied: Applied,
}

/// By what a loss is accepted.
pub(super) struct AcceptedBy<'m> {
    pub(super) loss: Loss,
    /// What is left out where nothing smaller is: the statement that has the attribute, or the template that it applies.
    pub(super) scope: Span,
    /// One attribute, or one for each place where the template is applied.
    pub(super) attributes: Vec<&'m Degradation>,
}

impl<'m> Accepted<'m> {
    pub(super) fn new(model: &'m Model, controller: Controller) -> Self {
        let own = model.degradations.iter().enumerate().filter(|(_, one)| one.target.value == controller);
        Self { losses: own.map(|(at, one)| (one.scope, (at, one))).collect(), applied: Applied::new(model) }
    }

    /// What accepts a loss at a place, or around what it belongs to: the innermost attribute of either. What stands in a template is
    /// the same statement wherever it is applied, so all who apply it have to accept; those within `owner` alone, if there are any.
    pub(super) fn by(&self, place: Span, owner: Option<Span>) -> Option<AcceptedBy<'m>> {
        let around = || [Some(place), owner].into_iter().flatten();
        let written = around().filter_map(|span| self.innermost(span));
        if let Some(one) = written.min_by_key(|one| one.scope.end - one.scope.start) {
            return Some(AcceptedBy { loss: one.loss.value, scope: one.scope, attributes: vec![one] });
        }
        around().find_map(|span| {
            let template = self.applied.around(span).next()?.template;
            let mut attributes = Vec::new();
            self.applied_with(span, owner, &mut FxHashSet::default(), &mut attributes).then(|| {
                let drops = attributes.iter().all(|one: &&Degradation| one.loss.value == Loss::Drop);
                let loss = if drops { Loss::Drop } else { Loss::Approximate };
                AcceptedBy { loss, scope: template, attributes }
            })
        })
    }

    /// Whether a use, or what it belongs to, comes from a template.
    pub(super) fn is_in_template(&self, place: Span, owner: Option<Span>) -> bool {
        [Some(place), owner].into_iter().flatten().any(|span| self.applied.around(span).next().is_some())
    }

    /// Whether everybody who applies the template around a place accepts.
    fn applied_with(
        &self,
        place: Span,
        owner: Option<Span>,
        known: &mut FxHashSet<Span>,
        found: &mut Vec<&'m Degradation>,
    ) -> bool {
        let all: Vec<Span> = self.applied.around(place).map(|one| one.at).collect();
        let is_own = |at: &Span| owner.is_some_and(|owner| owner.contains(*at));
        let only_own = all.iter().any(is_own);
        let mut asked = all.into_iter().filter(|at| !only_own || is_own(at)).peekable();
        asked.peek().is_some()
            && asked.all(|at| {
                if !known.insert(at) {
                    return true;
                }
                let Some(one) = self.innermost(at) else { return self.applied_with(at, owner, known, found) };
                found.push(one);
                true
            })
    }

    /// The innermost loss that is accepted around a place; of several for one statement the first.
    fn innermost(&self, place: Span) -> Option<&'m Degradation> {
        let mut around = self.losses.around(place).peekable();
        let (innermost, _) = *around.peek()?;
        let same = around.take_while(|(scope, _)| *scope == innermost);
        same.min_by_key(|(_, (at, _))| *at).map(|(_, (_, degradation))| *degradation)
    }
}
