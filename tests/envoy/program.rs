//! The program: where it is, and what it says of a configuration.

use crate::oracle::programs;
use meshc_targets::Artifact;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Envoy, as it is installed.
pub(crate) struct Envoy {
    program: PathBuf,
}

impl Envoy {
    /// The one that is installed; `None`, and the reason is said, if there is none.
    pub(crate) fn find() -> Option<Self> {
        programs::envoy().map(|program| Self { program })
    }

    /// Writes the files and says why Envoy refuses one of the bootstraps among them, or what it warns of.
    pub(crate) fn faults(&self, folder: &Path, artifacts: &[Artifact]) -> Vec<String> {
        for Artifact { path, text, turn: _ } in artifacts {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let bootstraps = artifacts.iter().filter(|file| is_bootstrap(&file.text));
        let mut faults = Vec::new();
        for Artifact { path, text: _, turn: _ } in bootstraps {
            let output = Command::new(&self.program)
                .args(["--mode", "validate", "--log-format", "%l %v", "-c"])
                .arg(folder.join(path))
                .stdin(Stdio::null())
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            // Of certificates that are not there it warns, and goes on. `max_grpc_timeout` is what istiod writes too: what took its place
            // puts the timeout of the route out of force.
            let expected = ["Invalid path", "unable to add filesystem watch", "RouteAction.max_grpc_timeout"];
            let warns = |line: &&str| {
                (line.starts_with("warning") || line.starts_with("error") || line.starts_with("critical"))
                    && !expected.iter().any(|known| line.contains(known))
            };
            let warnings: Vec<&str> = said.lines().filter(warns).collect();
            if !output.status.success() || !warnings.is_empty() {
                faults.push(format!("{path}: {}", warnings.join("\n")));
            }
        }
        faults
    }
}

/// Whether a file is one that `envoy -c` takes.
fn is_bootstrap(text: &str) -> bool {
    text.lines().any(|line| matches!(line, "node:" | "  \"node\": {"))
}
