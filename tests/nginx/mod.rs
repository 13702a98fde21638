//! nginx itself, and those who read its configuration, given what the target for it makes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod accepted;
mod hostile;
mod refused;

use crate::capabilities::cases;
use crate::oracle;
use meshc_targets::{Artifact, Options};

/// The faults of what the target makes: a name for each mesh, and its files.
fn faults(made: &[(String, Vec<Artifact>)]) -> Option<Vec<String>> {
    let mut files: Vec<(String, &str)> = Vec::new();
    for (name, artifacts) in made {
        let own = artifacts.iter().filter(|file| file.path.ends_with(".conf"));
        files.extend(own.map(|file| (format!("{name}/{}", file.path), file.text.as_str())));
    }
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
    oracle::nginx::check(&files)
}

#[test]
fn nginx_takes_what_is_made_of_every_feature() {
    let options = Options::default();
    let made = cases().into_iter().filter_map(|case| {
        let artifacts = case.build("nginx", &options).artifacts?;
        Some((case.name, artifacts))
    });
    let Some(mut faults) = faults(&made.collect::<Vec<_>>()) else { return };
    // An origin by its prefix is as open as it looks: that is what the case asks for.
    faults.retain(|fault| !(fault.starts_with("cors/") && fault.contains(": gixy origins: ")));
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}
