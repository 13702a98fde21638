//! Where templates are applied: what is said of their statements concerns those who apply them.

use meshc_compiler::Model;
use meshc_compiler::reading::{Application, Scopes};
use meshc_language::{Diagnostic, Span};
use rustc_hash::FxHashSet;

/// Places that one report names.
const SHOWN: usize = 3;

/// The templates of a model, and where each is applied.
pub(crate) struct Applied(Scopes<Application>);

impl Applied {
    pub(crate) fn new(model: &Model) -> Self {
        Self(model.applications.iter().map(|one| (one.template, *one)).collect())
    }

    /// The applications of the template that a place is in: templates do not hold each other.
    pub(crate) fn around(&self, place: Span) -> impl Iterator<Item = Application> {
        let mut all: Vec<Application> = self.0.around(place).map(|(_, one)| *one).collect();
        all.sort_unstable_by_key(|one| one.at);
        all.into_iter()
    }

    /// Where the template that a place is in is applied outside of templates.
    fn outside(&self, place: Span) -> Vec<Span> {
        let mut known: FxHashSet<Span> = FxHashSet::default();
        let mut next: Vec<Span> = self.around(place).map(|one| one.at).collect();
        let mut found = Vec::new();
        while let Some(at) = next.pop() {
            if !known.insert(at) {
                continue;
            }
            let before = next.len();
            next.extend(self.around(at).map(|one| one.at));
            if next.len() == before {
                found.push(at);
            }
        }
        found.sort_unstable();
        found
    }

    /// A report, with the places where the template that it is in is applied, unless it names them already.
    pub(crate) fn shown(&self, mut report: Diagnostic) -> Diagnostic {
        let mut places = self.outside(report.span);
        places.retain(|place| !report.related.iter().any(|related| place.contains(related.span)));
        let more = places.len().saturating_sub(SHOWN);
        for (at, place) in places.into_iter().take(SHOWN).enumerate() {
            report = if more > 0 && at + 1 == SHOWN {
                report.related(place, format!("applied here, and in {more} more places"))
            } else {
                report.related(place, "applied here")
            };
        }
        report
    }
}
