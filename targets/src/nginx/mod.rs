//! nginx: a configuration for each gateway, and for what workloads of the mesh send.

use crate::artifact::Artifact;
use crate::capability::{Feature, Support};
use crate::raw_proxy;
use crate::target::{Fit, Fitted, Options, Target};
use meshc_compiler::model::Controller;
use meshc_compiler::routing::Proxy;
use meshc_compiler::{Checked, Model};

/// The target `nginx`.
#[derive(Clone, Copy, Debug)]
pub struct Nginx;

impl Target for Nginx {
    fn name(&self) -> &'static str {
        "nginx"
    }

    fn support(&self, _feature: Feature) -> Support {
        Support::Native
    }

    fn fit(&self, checked: &Checked, options: &Options<'_>) -> Fit {
        raw_proxy::fit(checked.model(), Controller::Nginx, |feature| Self.support(feature), options)
    }

    fn emit(&self, fitted: &Fitted<'_>, options: &Options<'_>) -> Vec<Artifact> {
        let model = fitted.checked().model();
        let proxies = raw_proxy::plan(fitted, Controller::Nginx, options);
        proxies.iter().flat_map(|proxy| configuration(model, proxy, options)).collect()
    }
}

/// The files of one proxy. The first is the one that `nginx -c` takes.
#[must_use]
pub fn configuration(_model: &Model, _proxy: &Proxy<'_>, _options: &Options<'_>) -> Vec<Artifact> {
    Vec::new()
}
