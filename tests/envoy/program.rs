//! The program: where it is, and what it says of a configuration.

use crate::oracle::skip;
use meshc_targets::Artifact;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Envoy, as it is installed.
pub(crate) struct Envoy {
    program: PathBuf,
}

impl Envoy {
    /// The one on the `PATH`, or the one of the checkout.
    pub(crate) fn find() -> Option<Self> {
        let own = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(".venv/bin/envoy");
        let known = [PathBuf::from("envoy"), own];
        let works = |program: &PathBuf| {
            let mut command = Command::new(program);
            let quiet = command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null());
            quiet.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
        };
        match known.into_iter().find(works) {
            Some(program) => Some(Self { program }),
            None => skip("Envoy", "there is no `envoy`"),
        }
    }

    /// Writes the files and says why Envoy refuses one of the bootstraps among them, or what it warns of.
    pub(crate) fn faults(&self, folder: &Path, artifacts: &[Artifact]) -> Vec<String> {
        for Artifact { path, text } in artifacts {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let bootstraps = artifacts.iter().filter(|file| is_bootstrap(&file.text));
        let mut faults = Vec::new();
        for Artifact { path, text: _ } in bootstraps {
            let output = Command::new(&self.program)
                .args(["--mode", "validate", "--log-format", "%l %v", "-c"])
                .arg(folder.join(path))
                .stdin(Stdio::null())
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            // Of certificates that are not there it warns, and goes on.
            let expected = ["Invalid path", "unable to add filesystem watch"];
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
