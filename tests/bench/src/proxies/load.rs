//! Time and memory that the proxies need to load a configuration.

use super::{Options, build, by_hand, naive, project};
use crate::process::watch;
use crate::tree;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The rows of our output, of one by hand that means the same, and of the naive one, all measured one after the other.
pub(super) fn table(options: &Options, folder: &Path) -> io::Result<String> {
    let mut text = String::from(
        "| services | proxy | configuration | MB | load s | peak MB |\n|---:|---|---|---:|---:|---:|\n",
    );
    for (proxy, layout, main) in configurations(options, folder)? {
        let command = match proxy {
            "Envoy" => envoy(options, &main),
            _ => nginx(options, &main),
        };
        let watched = watch(command)?;
        // A tree of nginx is more than its main file.
        let bytes = if main.ends_with("nginx.conf") {
            tree::size(main.parent().unwrap_or(folder))?
        } else {
            std::fs::metadata(&main)?.len()
        };
        let memory =
            watched.memory.map_or_else(|| "?".to_owned(), |bytes| format!("{:.0}", megabytes(bytes)));
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "| {} | {proxy} | {layout} | {:.1} | {:.2} | {memory} |",
            options.services,
            megabytes(bytes),
            watched.time.as_secs_f64(),
        );
    }
    Ok(text)
}

/// Each proxy, layout and main file.
fn configurations(
    options: &Options,
    folder: &Path,
) -> io::Result<Vec<(&'static str, &'static str, PathBuf)>> {
    let ours = |target: &str, arguments: &[&str], main: &str| -> io::Result<PathBuf> {
        let folder = folder.join(main);
        let source = folder.join("source");
        tree::write(&source.join("mesh.toml"), project::MANIFEST.as_bytes())?;
        let mesh = project::hosts(options.services, target, project::PORT, project::endpoint);
        tree::write(&source.join("mesh.mesh"), mesh.as_bytes())?;
        Ok(build(options, &source, target, arguments, &folder.join("out"))?.join(main))
    };
    let written = |main: &str, text: String| -> io::Result<PathBuf> {
        let main = folder.join("written").join(main);
        tree::write(&main, text.as_bytes())?;
        Ok(main)
    };
    Ok(vec![
        ("Envoy", "ours, YAML", ours("envoy", &[], "edge.yaml")?),
        ("Envoy", "ours, JSON", ours("envoy", &["--envoy-format", "json"], "edge.json")?),
        (
            "Envoy",
            "by hand, YAML",
            written("by-hand.yaml", by_hand::envoy(options.services, project::PORT, project::endpoint))?,
        ),
        ("Envoy", "naive, YAML", written("naive.yaml", naive::envoy(options.services))?),
        ("nginx", "ours", ours("nginx", &[], "edge/nginx.conf")?),
        (
            "nginx",
            "by hand",
            written(
                "by-hand/nginx.conf",
                by_hand::nginx(options.services, project::PORT, project::endpoint),
            )?,
        ),
        ("nginx", "naive", written("naive/nginx.conf", naive::nginx(options.services))?),
    ])
}

fn envoy(options: &Options, main: &Path) -> Command {
    let mut command = Command::new(&options.envoy);
    command.args(["--mode", "validate", "--log-level", "error", "--disable-hot-restart", "-c"]).arg(main);
    command
}

fn nginx(options: &Options, main: &Path) -> Command {
    let mut command = Command::new(&options.nginx);
    command.args(["-t", "-q", "-e", "stderr", "-p"]).arg(main.parent().unwrap_or(main)).arg("-c").arg(main);
    command
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
