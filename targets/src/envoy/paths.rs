//! The names of files: below the output folder, and where Envoy runs.

use super::api;
use super::{Format, Layout};
use crate::fingerprint::fingerprint;
use crate::raw_proxy::file_stem;
use crate::target::Options;
use meshc_compiler::Model;
use meshc_compiler::routing::Proxy;
use smol_str::SmolStr;

/// Longest name of a file that is made of the name of a cluster.
const LONGEST: usize = 180;

/// The files of one proxy.
///
/// ```text
/// static      NAMESPACE/NAME.yaml, and NAMESPACE/NAME/{certificate,authority}-WHICH.yaml
/// filesystem  NAMESPACE/NAME/{envoy,listeners,clusters,endpoints-CLUSTER,certificate-WHICH,authority-WHICH}.yaml
/// ```
#[derive(Clone, Debug)]
pub(super) struct FilePaths {
    /// What the names of all its files start with.
    stem: String,
    extension: &'static str,
    /// The output folder where Envoy runs.
    root: String,
    layout: Layout,
    /// Whether a platform moves links to what is new, in place of files.
    links: bool,
}

impl FilePaths {
    pub(super) fn of(model: &Model, proxy: &Proxy, options: &Options<'_>) -> Self {
        Self {
            stem: file_stem(model, proxy),
            extension: match options.envoy.format {
                Format::Yaml => "yaml",
                Format::Json => "json",
            },
            root: options.envoy.root.clone(),
            layout: options.envoy.layout,
            links: model.deploy().is_some(),
        }
    }

    pub(super) fn layout(&self) -> Layout {
        self.layout
    }

    /// The file that `envoy -c` takes.
    pub(super) fn bootstrap(&self) -> String {
        match self.layout {
            Layout::Static => format!("{}.{}", self.stem, self.extension),
            Layout::Filesystem => self.file("envoy"),
        }
    }

    /// Another file of the proxy.
    pub(super) fn file(&self, name: &str) -> String {
        format!("{}/{name}.{}", self.stem, self.extension)
    }

    /// The file of a cluster's endpoints.
    pub(super) fn endpoints(&self, cluster: &str) -> String {
        let plain: String = cluster
            .chars()
            .map(|char| if char.is_ascii_alphanumeric() || matches!(char, '.' | '-') { char } else { '_' })
            .collect();
        match plain.get(..LONGEST).filter(|_| plain.len() > LONGEST) {
            None => self.file(&format!("endpoints-{plain}")),
            Some(begin) => self.file(&format!("endpoints-{begin}-{:016x}", fingerprint([cluster]))),
        }
    }

    /// Where Envoy finds one of these files.
    pub(super) fn source(&self, path: &str) -> api::ConfigSource {
        // It moves one link in the folder that it mounts.
        let watched = self.links.then(|| api::WatchedDirectory { path: SmolStr::new(&self.root) });
        api::ConfigSource {
            path_config_source: Some(api::PathConfigSource {
                path: SmolStr::new(format!("{}/{path}", self.root)),
                watched_directory: watched,
            }),
            resource_api_version: "V3",
        }
    }
}
