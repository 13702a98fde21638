//! Programs that a test runs: those that `tests/run` installs into the checkout, else those of the machine.

use super::skip;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Envoy of the release in `tests/requirements.txt`: the program itself, for Python takes half as long again to lead to it.
pub(crate) fn envoy() -> Option<PathBuf> {
    let lib = Path::new(env!("CARGO_MANIFEST_DIR")).join(".venv/lib");
    let pythons = std::fs::read_dir(lib).into_iter().flatten().flatten();
    let mut programs = pythons.map(|python| python.path().join("site-packages/envoy/_bin/envoy"));
    programs.find(|program| program.is_file()).or_else(|| find("envoy"))
}

/// nginx of the machine.
pub(crate) fn nginx() -> Option<PathBuf> {
    find("nginx")
}

/// A newer nginx than that of the machine, where `MESHC_NGINX` names one.
pub(crate) fn current_nginx() -> Option<PathBuf> {
    let named = std::env::var_os("MESHC_NGINX").map(PathBuf::from);
    if named.is_none() {
        super::note("skipped: a newer nginx: MESHC_NGINX names none");
    }
    named
}

/// nginx's stream module as a file for `load_module`; none where it is built in, or absent.
pub(crate) fn nginx_stream_module() -> Option<PathBuf> {
    let folders = ["/usr/lib/nginx/modules", "/usr/lib64/nginx/modules"];
    let mut files = folders.iter().map(|folder| Path::new(folder).join("ngx_stream_module.so"));
    files.find(|file| file.is_file())
}

/// The Python of the checkout, which has crossplane and gixy-ng.
pub(crate) fn python() -> Option<PathBuf> {
    find("python")
}

/// Whether `python3` is there and new enough for `scripts/release`.
pub(crate) fn has_python() -> bool {
    let check = "import sys; sys.exit(sys.version_info < (3, 11))";
    super::works(Command::new("python3").args(["-c", check]))
}

const INSTALL: &str = "it is not installed: run `tests/run`";

/// `None`, with the reason printed, where `program` is nowhere.
fn find(program: &str) -> Option<PathBuf> {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join(".venv/bin");
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Debian keeps servers where only root's PATH leads.
    let folders = std::iter::once(checkout).chain(std::env::split_paths(&path)).chain(["/usr/sbin".into()]);
    let mut files = folders.map(|folder| folder.join(program));
    files.find(|file| file.is_file()).or_else(|| skip(program, INSTALL))
}
