//! The files of one proxy: a bootstrap with everything, or one that names files which Envoy watches.

use super::api::{self, Cluster, Resources, TypedConfig};
use super::context::Context;
use super::{Format, Layout, administration, cluster, edge, endpoints, listener};
use crate::artifact::{Artifact, HEADER, Turn};
use crate::yaml::{self, Sourced};
use rayon::prelude::*;
use serde::Serialize;

/// Envoy refuses expressions that compile to more; its own limit of 100 is too low for `\w{50}`.
const REGEX_SIZE: u32 = 32_768;

/// Lists that are shorter are not worth another thread.
const FEW: usize = 256;

/// All files, the bootstrap first.
pub(super) fn all<'a>(context: &Context<'a>, format: Format) -> Vec<Artifact> {
    let upstreams: Vec<_> = context.proxy.upstreams.iter().collect();
    let clusters: Vec<Sourced<Cluster>> = upstreams
        .par_iter()
        .with_min_len(FEW)
        .map(|(id, upstream)| Sourced {
            comment: context.declared(upstream),
            value: cluster::cluster(context, *id, upstream),
        })
        .collect();
    let listeners: Vec<Sourced<api::Listener>> = context
        .proxy
        .listeners
        .par_iter()
        .filter_map(|listener| listener::listener(context, listener))
        .collect();
    let mut bootstrap = bootstrap(context);
    let mut files = Vec::new();
    match context.paths.layout() {
        Layout::Static => {
            bootstrap.static_resources = Some(api::StaticResources { listeners, clusters });
            files.push(write(context.paths.bootstrap(), Turn::Last, &bootstrap, format));
        }
        Layout::Filesystem => {
            let (of_listeners, of_clusters) =
                (context.paths.file("listeners"), context.paths.file("clusters"));
            bootstrap.dynamic_resources = Some(api::DynamicResources {
                lds_config: Some(context.paths.source(&of_listeners)),
                cds_config: Some(context.paths.source(&of_clusters)),
            });
            files.push(write(context.paths.bootstrap(), Turn::Last, &bootstrap, format));
            files.push(write(of_listeners, Turn::Last, &resources(listeners), format));
            files.push(write(of_clusters, Turn::Clusters, &resources(clusters), format));
            files.par_extend(upstreams.par_iter().with_min_len(FEW).filter_map(|(_, upstream)| {
                let (path, endpoints) = endpoints::file(context, upstream)?;
                let comment = context.declared(upstream);
                Some(write(
                    path,
                    Turn::Named,
                    &resources(vec![Sourced { comment, value: endpoints }]),
                    format,
                ))
            }));
        }
    }
    files.extend(context.secrets.files().map(|(name, secret)| {
        write(context.paths.file(name), Turn::Named, &Resources { resources: vec![secret.into()] }, format)
    }));
    files
}

fn resources<T: Into<TypedConfig>>(all: Vec<Sourced<T>>) -> Resources {
    let typed = |Sourced { comment, value }: Sourced<T>| Sourced { comment, value: value.into() };
    Resources { resources: all.into_iter().map(typed).collect() }
}

fn bootstrap(context: &Context<'_>) -> api::Bootstrap {
    let proxy = context.proxy;
    let name = administration::name(proxy);
    let admin = administration::address(proxy, context.options, context.rig);
    let runtime =
        api::RuntimeLayer { name: "meshc", static_layer: api::RuntimeSettings { regex_size: REGEX_SIZE } };
    api::Bootstrap {
        node: Some(api::Node { id: name.clone(), cluster: name }),
        admin: admin.map(|address| api::Admin { address: Some(address) }),
        layered_runtime: Some(api::LayeredRuntime { layers: vec![runtime] }),
        overload_manager: context.edge.map(|edge| edge::overload_manager(edge.envoy)),
        dynamic_resources: None,
        static_resources: None,
    }
}

fn write<T: Serialize>(path: String, turn: Turn, value: &T, format: Format) -> Artifact {
    let mut text = String::new();
    let written = match format {
        Format::Yaml => {
            text.push_str(HEADER);
            yaml::write_document(&mut text, value).is_ok()
        }
        Format::Json => match serde_json::to_string_pretty(value) {
            Ok(json) => {
                text = json;
                text.push('\n');
                true
            }
            Err(_) => false,
        },
    };
    debug_assert!(written, "the types of the API can always be written");
    Artifact { path, text, turn }
}
