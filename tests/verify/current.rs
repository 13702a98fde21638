//! A newer nginx than Debian's behaves as the sources say too. `MESHC_NGINX` names its program, with the stream module built in.

use super::verify;
use crate::cli::Folder;
use crate::oracle::programs;
use std::path::{Path, PathBuf};

const MANIFEST: &str = "targets = [\"nginx\"]\n[nginx]\nstream-module = \"\"\n";

/// The sources of an example or of a feature's case, in a project of their own.
fn project(sources: &Path) -> Folder {
    let folder = Folder::new(&[("mesh.toml", MANIFEST)]);
    let mut folders = vec![sources.to_owned()];
    while let Some(next) = folders.pop() {
        for path in std::fs::read_dir(next).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "mesh") {
                let name = path.strip_prefix(sources).unwrap().to_str().unwrap();
                folder.write(name, std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    folder
}

#[test]
fn a_current_nginx_does_as_examples_and_features_say() {
    let Some(program) = programs::current_nginx() else { return };
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut tried = 0;
    for part in ["examples", "tests/capabilities"] {
        for sources in std::fs::read_dir(root.join(part)).unwrap().map(|entry| entry.unwrap().path()) {
            // Two projects stand in the folder of the first example.
            if !sources.is_dir() || sources.ends_with("seed") {
                continue;
            }
            let folder = project(&sources);
            // What a target cannot carry is tested elsewhere.
            if folder.run(&["build", "--out", "out"]).code != Some(0) {
                continue;
            }
            let arguments =
                ["--target", "nginx", "--requests", "500", "--program", program.to_str().unwrap()];
            verify(&folder, 0, &arguments);
            tried += 1;
        }
    }
    assert!(tried >= 40, "only {tried} were tried");
}
