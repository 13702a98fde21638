//! Envoy: a bootstrap for each gateway, and for what workloads of the mesh send, by the names and defaults of istiod.
//!
//! ```text
//! bootstrap { listeners { filter chains { connection manager { virtual hosts { routes } } } }, clusters { endpoints } }
//! ```
//!
//! What is spread over which file is said by [`paths`].
//!
//! Invariants:
//! - Routes stand in source order, which is the order in which Envoy tries them. Filter chains have no order in Envoy: [`chains`]
//!   makes each connection's first rule its most specific chain.
//! - Certificates stand in files of their own ([`secrets`]), which need not exist when Envoy starts.
//! - Each upstream is a cluster of its own, so no connection is used for another TLS identity than it was opened for.

mod access_log;
mod actions;
mod administration;
mod api;
mod chains;
mod cluster;
mod context;
mod deployed;
mod edge;
mod endpoints;
mod files;
mod filters;
mod headers;
mod http;
mod listener;
mod matches;
mod options;
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

pub use options::{Admin, EnvoyOptions, Format, Layout, PROXY_PLACE};

use crate::artifact::Artifact;
use crate::capability::{Feature, Support};
use crate::kubernetes;
use crate::raw_proxy;
use crate::target::{Fit, Fitted, Options, Target};
use meshc_compiler::model::Controller;
use meshc_compiler::routing::Proxy;
use meshc_compiler::{Checked, Model};
use rayon::prelude::*;

/// The target `envoy`.
#[derive(Clone, Copy, Debug)]
pub struct Envoy;

impl Target for Envoy {
    fn name(&self) -> &'static str {
        "envoy"
    }

    fn support(&self, feature: Feature) -> Support {
        support::of(feature)
    }

    fn fit(&self, checked: &Checked, options: &Options<'_>) -> Fit {
        let model = checked.model();
        let mut fit = raw_proxy::fit(checked, Controller::Envoy, |feature| Self.support(feature), options);
        fit.reports.extend(headers::idle(&fit.proxies));
        fit.reports.extend(kubernetes::clashes(model, &fit.proxies));
        fit.reports.extend(kubernetes::chosen_gateways(model, &fit.proxies));
        if let Some(deploy) = model.deploy() {
            for proxy in &fit.proxies {
                let files = configuration(model, proxy, options);
                fit.reports.extend(kubernetes::beyond(deploy, &proxy.name, &files));
                fit.written.push(files);
            }
        }
        fit
    }

    fn emit(&self, fitted: &Fitted<'_>, options: &Options<'_>) -> Vec<Artifact> {
        let model = fitted.checked().model();
        let proxies = fitted.proxies();
        let files = proxies.par_iter().enumerate().flat_map_iter(|(at, proxy)| {
            let files = fitted.written(at).unwrap_or_else(|| configuration(model, proxy, options));
            let manifests =
                model.deploy().map(|deploy| deployed::manifests(model, deploy, proxy, &files, options));
            files.into_iter().chain(manifests)
        });
        let mut all: Vec<Artifact> = files.collect();
        all.extend(kubernetes::headless_services(model, proxies, options));
        all
    }
}

/// The files of one proxy. The first is the one that `envoy -c` takes.
#[must_use]
pub fn configuration(model: &Model, proxy: &Proxy, options: &Options<'_>) -> Vec<Artifact> {
    files::all(&context::Context::new(model, proxy, options), options.envoy.format)
}
