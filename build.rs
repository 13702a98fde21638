//! Tells the program what it is made of and for: `MESHC_COMMIT` and `MESHC_TARGET`.
//!
//! The commit is that of the variable `MESHC_COMMIT`, which a release sets; else, for an optimised program, that of the checkout
//! around these sources, as git says it. A debug build has none: it would be linked anew after every commit.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-env-changed=MESHC_COMMIT");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-env=MESHC_TARGET={}", variable("TARGET"));
    let given = Some(variable("MESHC_COMMIT")).filter(|commit| !commit.is_empty());
    let optimised = variable("PROFILE") == "release";
    if let Some(commit) = given.or_else(|| optimised.then(checked_out).flatten()) {
        println!("cargo::rustc-env=MESHC_COMMIT={commit}");
    }
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

/// The commit that is checked out here; none if these sources are no checkout of their own.
fn checked_out() -> Option<String> {
    let root = variable("CARGO_MANIFEST_DIR");
    // A copy of the sources inside of another repository is not that repository.
    if !Path::new(&root).join(".git").exists() {
        return None;
    }
    for changed in ["Cargo.lock", "src", "cli", "compiler", "language", "targets", "stdlib"] {
        println!("cargo::rerun-if-changed={changed}");
    }
    let log = git(&root, &["rev-parse", "--git-path", "logs/HEAD"])?;
    println!("cargo::rerun-if-changed={log}");
    git(&root, &["describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"])
}

fn git(root: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").arg("-C").arg(root).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
    Some(text.trim().to_owned())
}
