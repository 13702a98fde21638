//! What the raw proxies need for our output: time and memory to load it, the work to find the route of a request, and that to
//! forward one.

mod by_hand;
mod client;
mod dispatch;
mod forward;
mod load;
mod naive;
mod project;
mod server;

use crate::process::finish;
use crate::tree;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What to measure, and with which programs.
pub(crate) struct Options {
    /// The binary, as an absolute path.
    pub(crate) meshc: PathBuf,
    pub(crate) envoy: PathBuf,
    pub(crate) nginx: PathBuf,
    /// Services of the mesh that is loaded, each with a cluster and a host of three routes.
    pub(crate) services: usize,
    /// Requests to each layout, when the work per request is measured.
    pub(crate) requests: usize,
}

pub(crate) fn run(options: &Options) -> io::Result<()> {
    let folder = std::env::temp_dir().join(format!("meshc-bench-{}", std::process::id()));
    let tables = tables(options, &folder);
    tree::remove(&folder)?;
    io::stdout().write_all(tables?.as_bytes())
}

fn tables(options: &Options, folder: &Path) -> io::Result<String> {
    let load = load::table(options, &folder.join("load"))?;
    let dispatch = dispatch::table(options, &folder.join("dispatch"))?;
    let forward = forward::table(options, &folder.join("forward"))?;
    Ok(format!("{load}\n{dispatch}\n{forward}"))
}

/// What meshc makes of `source` for the raw proxy `target`, with more `arguments`: the folder of the namespace `bench`.
fn build(
    options: &Options,
    source: &Path,
    target: &str,
    arguments: &[&str],
    out: &Path,
) -> io::Result<PathBuf> {
    let mut command = Command::new(&options.meshc);
    command.arg("build").arg(source).args(["--target", target, "--out"]).arg(out).args(arguments);
    finish(command)?;
    Ok(out.join(target).join("bench"))
}
