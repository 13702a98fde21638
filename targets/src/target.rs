//! Targets, and the way from a checked model to artefacts.

use crate::artifact::Artifact;
use crate::capability::{Feature, Support};
use crate::istio::{ApiVersion, Istio};
use meshc_compiler::Checked;
use meshc_language::{Diagnostic, Severity, SourceFile};

/// How resources are spread over files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Split {
    /// One file for each namespace.
    #[default]
    Namespace,
    /// One file for each resource.
    Resource,
}

impl Split {
    /// The words of the command line and the project file.
    pub const WORDS: [(&'static str, Self); 2] =
        [("namespace", Self::Namespace), ("resource", Self::Resource)];
}

/// What emitted text depends on beside the model.
#[derive(Clone, Debug)]
pub struct Options<'s> {
    /// The sources, for comments that say where something comes from.
    pub files: &'s [SourceFile],
    /// How resources are spread over files.
    pub split: Split,
    /// The version of Istio's API.
    pub api_version: ApiVersion,
    /// Whether the names of routes are written into Istio's resources. Istio knows them since 1.1.
    pub route_names: bool,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self { files: &[], split: Split::default(), api_version: ApiVersion::default(), route_names: true }
    }
}

/// A kind of data plane.
pub trait Target: Sync {
    /// Its name on the command line and in `mesh.toml`.
    fn name(&self) -> &'static str;
    /// How it carries a feature.
    fn support(&self, feature: Feature) -> Support;
    /// Reports what it cannot carry, at the source line.
    fn fit(&self, checked: &Checked, options: &Options<'_>) -> Vec<Diagnostic>;
    /// Writes the configuration of a model that fits.
    fn emit(&self, fitted: &Fitted<'_>, options: &Options<'_>) -> Vec<Artifact>;
}

/// Every target, in the order of the matrix.
pub static TARGETS: &[&dyn Target] = &[&Istio];

/// The target of this name.
#[must_use]
pub fn target(name: &str) -> Option<&'static dyn Target> {
    TARGETS.iter().copied().find(|target| target.name() == name)
}

/// A checked model that one target can carry.
pub struct Fitted<'m> {
    checked: &'m Checked,
    target: &'static dyn Target,
}

impl<'m> Fitted<'m> {
    /// The model.
    #[must_use]
    pub fn checked(&self) -> &'m Checked {
        self.checked
    }

    /// Writes the configuration, sorted by path.
    #[must_use]
    pub fn emit(&self, options: &Options<'_>) -> Vec<Artifact> {
        let mut artifacts = self.target.emit(self, options);
        artifacts.sort_by(|left, right| left.path.cmp(&right.path));
        artifacts
    }
}

/// Reports what the target cannot carry. The model fits if no report is an error.
pub fn fit<'m>(
    target: &'static dyn Target,
    checked: &'m Checked,
    options: &Options<'_>,
) -> (Option<Fitted<'m>>, Vec<Diagnostic>) {
    let reports = checked.settle(target.fit(checked, options));
    let fits = !reports.iter().any(|report| report.severity == Severity::Error);
    (fits.then_some(Fitted { checked, target }), reports)
}
