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
mod paths;
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
use crate::kubernetes::{self, Workload};
use crate::raw_proxy;
use crate::target::{Fit, Fitted, Options, Target};
use meshc_compiler::model::{Controller, Deploy, RawProxy};
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
        let files = proxies.par_iter().flat_map_iter(|proxy| {
            let files = configuration(model, proxy, options);
            let deployed = model.deploy().map(|deploy| deployed(model, deploy, proxy, &files, options));
            files.into_iter().chain(deployed)
        });
        let mut all: Vec<Artifact> = files.collect();
        all.extend(kubernetes::headless_services(model, &proxies, options));
        all
    }
}

/// The image that a proxy runs in, unless `bindings` name another.
const IMAGE: &str = "envoyproxy/envoy:v1.40.0";

/// The user `envoy` of the image.
const USER: u32 = 101;

/// The manifests that run a proxy in a cluster.
fn deployed(
    model: &Model,
    deploy: &Deploy,
    proxy: &Proxy<'_>,
    files: &[Artifact],
    options: &Options<'_>,
) -> Artifact {
    let EnvoyOptions { format: _, layout: _, root } = &options.envoy;
    let bootstrap = files.first().map_or_else(String::new, |file| format!("{root}/{}", file.path));
    // A pod is replaced, not restarted: there is nobody to take over from.
    let command = ["envoy", "-c", &bootstrap, "--disable-hot-restart"];
    let workload = Workload {
        program: RawProxy::Envoy,
        image: IMAGE,
        command: command.map(str::to_owned).to_vec(),
        user: USER,
        mount: root,
        files,
        // The bootstrap; everything else is watched.
        read_once: 1,
        writes: &[],
    };
    kubernetes::workload(model, deploy, proxy, &workload)
}

/// The files of one proxy. The first is the one that `envoy -c` takes.
#[must_use]
pub fn configuration(model: &Model, proxy: &Proxy<'_>, options: &Options<'_>) -> Vec<Artifact> {
    files::all(&context::Context::new(model, proxy, options), options.envoy.format)
}
