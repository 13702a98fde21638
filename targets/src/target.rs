//! Targets, and the way from a checked model to artefacts.

use crate::applied::Applied;
use crate::artifact::Artifact;
use crate::capability::{Feature, Support};
use crate::envoy::{Envoy, EnvoyOptions};
use crate::istio::{Ambient, ApiVersion, Istio, Releases};
use crate::nginx::{Nginx, NginxOptions};
use crate::raw_proxy::{EdgeOptions, Rig};
use meshc_compiler::Checked;
use meshc_compiler::model::Controller;
use meshc_compiler::routing::{Dropped, Proxy};
use meshc_compiler::values::Literal;
use meshc_language::{Diagnostic, Severity, SourceFile};
use std::sync::Arc;

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
    /// The releases of Istio that have to understand it.
    pub releases: Releases,
    /// Where waypoints route in place of sidecars.
    pub ambient: Ambient,
    /// Whether the names of routes are written into Istio's resources. Istio knows them since 1.1.
    pub route_names: bool,
    /// Which gateways a target for raw proxies builds.
    pub gateways: Gateways,
    /// What stands in for endpoints and certificates, so that `bindings` need not say where they are.
    pub rig: Option<Rig>,
    /// Limits of gateways that raw proxies carry.
    pub edge: EdgeOptions,
    /// How Envoy is configured.
    pub envoy: EnvoyOptions,
    /// How nginx is configured.
    pub nginx: NginxOptions,
}

/// Which gateways a target for raw proxies builds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Gateways {
    /// Those whose controller it is.
    #[default]
    Own,
    /// The same, in a project that does not build for Istio: what it would implement is built by nobody.
    OwnWithoutIstio,
    /// All of them.
    All,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self {
            files: &[],
            split: Split::default(),
            api_version: ApiVersion::default(),
            releases: Releases::default(),
            ambient: Ambient::default(),
            route_names: true,
            gateways: Gateways::default(),
            rig: None,
            edge: EdgeOptions::default(),
            envoy: EnvoyOptions::default(),
            nginx: NginxOptions::default(),
        }
    }
}

/// What a target says of a model.
#[derive(Clone, Debug, Default)]
pub struct Fit {
    /// What it cannot carry, or not quite.
    pub reports: Vec<Diagnostic>,
    /// Statements that are left out, because the sources accept their loss.
    pub dropped: Vec<Dropped>,
    /// The proxies that a target for raw proxies builds, without what is left out.
    pub proxies: Vec<Arc<Proxy>>,
    /// The files of each of these proxies, where only writing them shows whether they fit; else empty.
    pub written: Vec<Vec<Artifact>>,
}

/// A kind of data plane.
pub trait Target: Sync {
    /// Its name on the command line and in `mesh.toml`.
    fn name(&self) -> &'static str;
    /// How it carries a feature.
    fn support(&self, feature: Feature) -> Support;
    /// Reports what it cannot carry, at the source line.
    fn fit(&self, checked: &Checked, options: &Options<'_>) -> Fit;
    /// Writes the configuration of a model that fits, with the options that it was fitted with.
    fn emit(&self, fitted: &Fitted<'_>, options: &Options<'_>) -> Vec<Artifact>;
}

/// Every target, in the order of the matrix.
pub static TARGETS: &[&dyn Target] = &[&Istio, &Envoy, &Nginx];

/// The target of this name.
#[must_use]
pub fn target(name: &str) -> Option<&'static dyn Target> {
    TARGETS.iter().copied().find(|target| target.name() == name)
}

/// A checked model that one target can carry.
pub struct Fitted<'m> {
    checked: &'m Checked,
    target: &'static dyn Target,
    dropped: Vec<Dropped>,
    proxies: Vec<Arc<Proxy>>,
    written: Vec<Vec<Artifact>>,
}

impl<'m> Fitted<'m> {
    /// The model.
    #[must_use]
    pub fn checked(&self) -> &'m Checked {
        self.checked
    }

    /// Statements that are left out, because the sources accept their loss.
    #[must_use]
    pub fn dropped(&self) -> &[Dropped] {
        &self.dropped
    }

    /// The proxies that a target for raw proxies builds, without what is left out; none for Istio.
    #[must_use]
    pub fn proxies(&self) -> &[Arc<Proxy>] {
        &self.proxies
    }

    /// The files of a proxy, the `at`th of [`Self::proxies`], if they are written already.
    pub(crate) fn written(&self, at: usize) -> Option<Vec<Artifact>> {
        self.written.get(at).cloned()
    }

    /// Writes the configuration, sorted by path, with the options that it was fitted with.
    #[must_use]
    pub fn emit(&self, options: &Options<'_>) -> Vec<Artifact> {
        let mut artifacts = self.target.emit(self, options);
        artifacts.sort_by(|left, right| left.path.cmp(&right.path));
        let distinct = artifacts.is_sorted_by(|left, right| left.path < right.path);
        debug_assert!(distinct, "no two artefacts have one path");
        artifacts
    }
}

/// Reports what the target cannot carry. The model fits if no report is an error.
pub fn fit<'m>(
    target: &'static dyn Target,
    checked: &'m Checked,
    options: &Options<'_>,
) -> (Option<Fitted<'m>>, Vec<Diagnostic>) {
    let checked = match Controller::parse(target.name()) {
        Ok(controller) => checked.for_target(controller),
        Err(_) => checked,
    };
    let Fit { reports, dropped, proxies, written } = target.fit(checked, options);
    let reports = checked.settle(reports);
    let applied = Applied::new(checked.model());
    let reports: Vec<Diagnostic> = reports.into_iter().map(|report| applied.shown(report)).collect();
    let fits = !reports.iter().any(|report| report.severity == Severity::Error);
    (fits.then_some(Fitted { checked, target, dropped, proxies, written }), reports)
}
