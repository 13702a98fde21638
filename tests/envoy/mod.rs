//! Envoy, given what the target for it makes: the release itself, and the judge of its configuration.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod hostile;
mod program;
mod variables;

use crate::capabilities::cases;
use crate::oracle;
use meshc_targets::envoy::{EnvoyOptions, Format, Layout};
use meshc_targets::{Artifact, Options};
use program::Envoy;
use rayon::prelude::*;

/// Each layout once, each format once.
const WAYS: [(Layout, Format); 2] = [(Layout::Static, Format::Yaml), (Layout::Filesystem, Format::Json)];

#[test]
fn envoy_takes_what_is_made_of_every_feature() {
    let Some(envoy) = Envoy::find() else { return };
    let cases = cases();
    let faults: Vec<String> = cases
        .par_iter()
        .flat_map_iter(|case| WAYS.map(|way| (case, way)))
        .flat_map_iter(|(case, (layout, format))| {
            let folder = tempfile::tempdir().unwrap();
            let root = folder.path().to_str().unwrap().to_owned();
            let envoy_options = EnvoyOptions { format, layout, root, ..EnvoyOptions::default() };
            let options = Options { envoy: envoy_options, ..Options::default() };
            let artifacts = case.build("envoy", &options).artifacts.unwrap_or_default();
            let fault = |fault| format!("{} {layout:?} {format:?}: {fault}", case.name);
            envoy.faults(folder.path(), &artifacts).into_iter().map(fault).collect::<Vec<_>>()
        })
        .collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn the_judge_finds_no_fault_in_what_is_made_of_every_feature() {
    for (layout, format) in WAYS {
        let envoy = EnvoyOptions { format, layout, ..EnvoyOptions::default() };
        let options = Options { envoy, ..Options::default() };
        for case in cases() {
            let artifacts = case.build("envoy", &options).artifacts.unwrap_or_default();
            let Some(faults) = judged(&options.envoy.root, &artifacts) else { return };
            assert!(faults.is_empty(), "{} {layout:?} {format:?}:\n{}", case.name, faults.join("\n"));
        }
    }
}

/// What the judge finds in files that stand below `root`; manifests for Kubernetes are not its business.
fn judged(root: &str, artifacts: &[Artifact]) -> Option<Vec<String>> {
    let ours = artifacts.iter().filter(|file| !file.path.starts_with("kubernetes/"));
    let named: Vec<(String, &str)> =
        ours.map(|file| (format!("{root}/{}", file.path), file.text.as_str())).collect();
    let documents: Vec<(&str, &str)> = named.iter().map(|(path, text)| (path.as_str(), *text)).collect();
    let faults = oracle::envoy::check(&documents)?;
    Some(faults.iter().map(ToString::to_string).collect())
}
