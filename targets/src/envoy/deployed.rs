//! Envoy in a cluster.

use crate::artifact::Artifact;
use crate::kubernetes::{self, Workload};
use crate::target::Options;
use meshc_compiler::Model;
use meshc_compiler::model::{Deploy, RawProxy};
use meshc_compiler::routing::Proxy;

/// The image that a proxy runs in, unless `bindings` name another.
const IMAGE: &str = "envoyproxy/envoy:v1.40.0";

/// The user `envoy` of the image.
const USER: u32 = 101;

/// The manifests that run a proxy in a cluster.
pub(super) fn manifests(
    model: &Model,
    deploy: &Deploy,
    proxy: &Proxy,
    files: &[Artifact],
    options: &Options<'_>,
) -> Artifact {
    let root = &options.envoy.root;
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
