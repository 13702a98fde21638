//! Envoy in a cluster.

use super::administration;
use crate::artifact::Artifact;
use crate::kubernetes::{self, Workload};
use crate::target::Options;
use meshc_compiler::Model;
use meshc_compiler::model::{Deploy, RawProxy};
use meshc_compiler::routing::Proxy;
use std::net::SocketAddr;

/// The image that a proxy runs in, unless `bindings` name another.
const IMAGE: &str = "envoyproxy/envoy:v1.40.0";

/// The user `envoy` of the image.
const USER: u32 = 101;

/// Seconds in which callers are told, by their next answer, to open a new connection.
const DRAIN: &str = "20";

/// Seconds until a proxy that was told to end is killed.
const GRACE: u32 = 40;

/// What is done before Envoy is told to end, which it does at once, whatever is under way. All listeners drain: requests end, answers
/// say that the connection closes after them, and those who still have the address of the pod are served. The image has nothing
/// that speaks HTTP but its shell.
fn before_the_end(admin: Option<SocketAddr>) -> Vec<String> {
    let ask = admin.map_or_else(String::new, |admin| {
        let (host, port) = (admin.ip(), admin.port());
        format!(
            "exec 3<>/dev/tcp/{host}/{port} && printf 'POST /drain_listeners?graceful HTTP/1.1\\r\\nHost: \
             admin\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n' >&3 && cat <&3; "
        )
    });
    ["bash", "-c", &format!("{ask}sleep {DRAIN}")].map(str::to_owned).to_vec()
}

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
    let command = [
        "envoy",
        "-c",
        &bootstrap,
        "--disable-hot-restart",
        "--drain-time-s",
        DRAIN,
        "--drain-strategy",
        "immediate",
    ];
    let admin = administration::socket_address(proxy, &options.envoy, None);
    let workload = Workload {
        program: RawProxy::Envoy,
        image: IMAGE,
        command: command.map(str::to_owned).to_vec(),
        before_the_end: before_the_end(admin),
        grace: GRACE,
        user: USER,
        mount: root,
        files,
        // The bootstrap; everything else is watched.
        read_once: 1,
        writes: &[],
    };
    kubernetes::workload(model, deploy, proxy, &workload)
}
