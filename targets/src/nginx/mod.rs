//! nginx: a configuration for each gateway, and for what workloads of the mesh send. Written for nginx 1.22, as Debian has it.
//!
//! ```text
//! NAMESPACE/NAME/nginx.conf         what `nginx -c` takes: the frame, and what all servers share
//!                http.conf          variables, upstream blocks and servers for HTTP
//!                stream.conf        the same for connections, if there are any
//!                modules/*.conf     loads nginx's stream module; not needed where nginx has it built in
//!                resolver.conf      who is asked for names, if any are looked up
//!                endpoints/*.conf   the `server` lines of each upstream block: change them, then `nginx -s reload`
//! ```
//!
//! Files name each other by relative paths, which nginx looks for beside `nginx.conf`: the folder can stand anywhere. What nginx
//! writes (its process id and temporary files) goes to its prefix, by relative paths: `nginx -c /FOLDER/nginx.conf -p /WRITABLE -e
//! stderr` runs as any user. Errors go to standard error, requests to `access-log`.
//!
//! Invariants:
//! - Whatever a value says, it stays one token: [`directive`] alone writes tokens. What nginx could not read is refused by [`fit`],
//!   which makes all of the configuration to see it.
//! - Rules are taken in source order, by [`dispatch`]; nginx's own order of locations never decides.
//! - nginx compares decoded paths, and sends on what it has compared. A pattern that would say otherwise of the path as it is
//!   written is refused: see [`path_pattern`].
//! - Connections to destinations are never used for another TLS identity than they were opened for: see [`upstream_blocks`].

mod answer;
mod balancing;
mod builder;
mod conditions;
mod cors;
mod deployed;
mod directive;
mod dispatch;
mod endpoints;
mod fault;
mod filed;
mod files;
mod forward;
mod headers;
mod hosts;
mod http;
mod limits;
mod listener_tls;
mod listeners;
mod module;
mod options;
mod path_pattern;
mod path_prefix;
mod redirect;
mod regex;
mod rewrite;
mod rule;
mod shared_ports;
mod stream;
mod support;
mod text;
mod upstream_blocks;
mod upstream_tls;
mod variables;

pub use options::NginxOptions;

use crate::artifact::{Artifact, HEADER};
use crate::capability::{Feature, Support};
use crate::kubernetes;
use crate::raw_proxy;
use crate::target::{Fit, Fitted, Options, Target};
use meshc_compiler::model::Controller;
use meshc_compiler::routing::Proxy;
use meshc_compiler::{Checked, Model};
use rayon::prelude::*;

/// The target `nginx`.
#[derive(Clone, Copy, Debug)]
pub struct Nginx;

impl Target for Nginx {
    fn name(&self) -> &'static str {
        "nginx"
    }

    fn support(&self, feature: Feature) -> Support {
        support::of(feature)
    }

    fn fit(&self, checked: &Checked, options: &Options<'_>) -> Fit {
        let model = checked.model();
        let mut fit = raw_proxy::fit(checked, Controller::Nginx, support::of, options);
        limits::write(model, &mut fit, options);
        fit.reports.extend(kubernetes::clashes(model, &fit.proxies));
        fit.reports.extend(kubernetes::chosen_gateways(model, &fit.proxies));
        if let Some(deploy) = model.deploy() {
            for (proxy, files) in fit.proxies.iter().zip(&fit.written) {
                fit.reports.extend(kubernetes::beyond(deploy, &proxy.name, files));
            }
        }
        fit
    }

    fn emit(&self, fitted: &Fitted<'_>, options: &Options<'_>) -> Vec<Artifact> {
        let model = fitted.checked().model();
        let proxies = fitted.proxies();
        let files = proxies.par_iter().enumerate().flat_map_iter(|(at, proxy)| {
            let files = fitted.written(at).unwrap_or_else(|| configuration(model, proxy, options));
            let manifests = model.deploy().map(|deploy| deployed::manifests(model, deploy, proxy, &files));
            files.into_iter().chain(manifests)
        });
        let mut all: Vec<Artifact> = files.collect();
        all.extend(kubernetes::headless_services(model, proxies, options));
        all
    }
}

/// The files of one proxy. The first is the one that `nginx -c` takes.
#[must_use]
pub fn configuration(model: &Model, proxy: &Proxy, options: &Options<'_>) -> Vec<Artifact> {
    written(&files::Configuration::new(model, proxy, options), options)
}

fn written(configuration: &files::Configuration, options: &Options<'_>) -> Vec<Artifact> {
    let mut files = files::all(configuration, options);
    // The first line says that a file is ours: what nothing produces any more is removed by it.
    for file in files.iter_mut().filter(|file| !file.text.starts_with(HEADER)) {
        file.text.insert_str(0, HEADER);
    }
    files
}
