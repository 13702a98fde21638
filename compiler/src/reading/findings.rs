//! What is found while a project is read, beside what is read.

use super::attributes::{Accepted, Application, Degradation};
use super::reader::Reader;
use meshc_language::{Diagnostic, Span};

/// Reports, exemptions and losses, of one item or of a project.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) reports: Vec<Diagnostic>,
    /// `@allow` attributes.
    pub(crate) accepted: Vec<Accepted>,
    /// `@degrade` attributes.
    pub(crate) degradations: Vec<Degradation>,
    /// Templates that were applied.
    pub(crate) applications: Vec<Application>,
    /// Whether an item, or a part of one, was lost: what is absent then proves nothing.
    pub(crate) lost: bool,
    /// The first statement that was.
    pub(crate) lost_at: Option<Span>,
}

impl Findings {
    /// Adds what a reader has found.
    pub(crate) fn take(&mut self, reader: Reader<'_, '_>) {
        let Reader { reports, accepted, degradations, applications, lost, lost_at, .. } = reader;
        self.add(Self { reports, accepted, degradations, applications, lost, lost_at });
    }

    /// Adds what was found elsewhere, later.
    pub(crate) fn add(&mut self, other: Self) {
        let Self { reports, accepted, degradations, applications, lost, lost_at } = other;
        self.reports.extend(reports);
        self.accepted.extend(accepted);
        self.degradations.extend(degradations);
        self.applications.extend(applications);
        self.lost |= lost;
        self.lost_at = self.lost_at.or(lost_at);
    }
}
