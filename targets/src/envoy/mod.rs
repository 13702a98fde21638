//! Envoy: a bootstrap for each gateway, and for what workloads of the mesh send.

mod access_log;
mod actions;
mod api;
mod chains;
mod cluster;
mod context;
mod endpoints;
mod files;
mod filters;
mod headers;
mod http;
mod listener;
mod matches;
mod place;
mod protocol;
mod redirects;
mod retries;
mod rewrites;
mod routes;
mod secrets;
mod support;
mod tcp;
mod tls;

use crate::artifact::Artifact;
use crate::capability::{Feature, Support};
use crate::raw_proxy;
use crate::target::{Fit, Fitted, Options, Target};
use meshc_compiler::model::Controller;
use meshc_compiler::routing::Proxy;
use meshc_compiler::{Checked, Model};
use rayon::prelude::*;

/// The target `envoy`.
#[derive(Clone, Copy, Debug)]
pub struct Envoy;

/// How Envoy is configured.
#[derive(Clone, Debug)]
pub struct EnvoyOptions {
    /// How configuration is written.
    pub format: Format,
    /// How configuration is spread over files.
    pub layout: Layout,
    /// The folder that holds the files where Envoy runs, without a closing `/`. The layout `filesystem` and certificates need it.
    pub root: String,
}

/// How configuration is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// With comments that say where each part comes from.
    #[default]
    Yaml,
    /// Loads in about half the time.
    Json,
}

/// How configuration is spread over files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// One bootstrap with everything.
    #[default]
    Static,
    /// A bootstrap, and files of listeners, clusters and endpoints that Envoy watches.
    Filesystem,
}

impl Format {
    /// The words of the command line and the project file.
    pub const WORDS: [(&'static str, Self); 2] = [("yaml", Self::Yaml), ("json", Self::Json)];
}

impl Layout {
    /// The words of the command line and the project file.
    pub const WORDS: [(&'static str, Self); 2] = [("static", Self::Static), ("filesystem", Self::Filesystem)];
}

impl Default for EnvoyOptions {
    fn default() -> Self {
        Self { format: Format::default(), layout: Layout::default(), root: "/etc/envoy".to_owned() }
    }
}

impl Target for Envoy {
    fn name(&self) -> &'static str {
        "envoy"
    }

    fn support(&self, feature: Feature) -> Support {
        support::of(feature)
    }

    fn fit(&self, checked: &Checked, options: &Options<'_>) -> Fit {
        raw_proxy::fit(checked.model(), Controller::Envoy, |feature| Self.support(feature), options)
    }

    fn emit(&self, fitted: &Fitted<'_>, options: &Options<'_>) -> Vec<Artifact> {
        let model = fitted.checked().model();
        let proxies = raw_proxy::plan(fitted, Controller::Envoy, options);
        proxies.par_iter().flat_map_iter(|proxy| configuration(model, proxy, options)).collect()
    }
}

/// The files of one proxy. The first is the one that `envoy -c` takes.
#[must_use]
pub fn configuration(model: &Model, proxy: &Proxy<'_>, options: &Options<'_>) -> Vec<Artifact> {
    files::all(&context::Context::new(model, proxy, options), options.envoy.format)
}
