//! Envoy itself, given what the target for it makes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod program;

use crate::capabilities::cases;
use meshc_targets::Options;
use meshc_targets::envoy::{EnvoyOptions, Format, Layout};
use program::Envoy;
use rayon::prelude::*;

/// Each layout once, each format once.
const WAYS: [(Layout, Format); 2] = [(Layout::Static, Format::Yaml), (Layout::Filesystem, Format::Json)];

#[test]
fn envoy_takes_what_is_made_of_every_feature() {
    let Some(envoy) = Envoy::find() else { return };
    let mut asked = Vec::new();
    for case in cases() {
        asked.extend(WAYS.map(|way| (case.name.clone(), way)));
    }
    let all = cases();
    let faults: Vec<String> = asked
        .par_iter()
        .flat_map(|(name, (layout, format))| {
            let case = all.iter().find(|case| case.name == *name).unwrap();
            let folder = tempfile::tempdir().unwrap();
            let root = folder.path().to_str().unwrap().to_owned();
            let options = Options {
                envoy: EnvoyOptions { format: *format, layout: *layout, root },
                ..Options::default()
            };
            let artifacts = case.build("envoy", &options).artifacts.unwrap_or_default();
            let fault = |fault| format!("{name} {layout:?} {format:?}: {fault}");
            envoy.faults(folder.path(), &artifacts).into_iter().map(fault).collect::<Vec<_>>()
        })
        .collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}
