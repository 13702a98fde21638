//! `scripts/release` with the program of the tests: what takes no compilation. All of it is tried by `scripts/release` itself.

use super::{hold, output, root, said};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Parts that package a program that is there.
const PARTS: [&str; 6] = ["archive", "wheel", "npm", "image", "hooks", "sbom"];

/// Makes them; `more` are more arguments.
fn release(out: &Path, more: &[&str]) {
    let mut command = Command::new("python3");
    command.arg(root().join("scripts/release")).args(PARTS).arg("--offline").args(more).arg("--out").arg(out);
    let done = output(command.arg("--binary").arg(wrapped(out)).env("MESHC_TEST_ALL", "0"));
    assert!(done.status.success(), "{}", said(&done));
}

/// A script that runs the program: it takes no time to pack.
fn wrapped(out: &Path) -> PathBuf {
    let place = out.with_extension("program");
    fs::write(&place, format!("#!/bin/sh\nexec '{}' \"$@\"\n", env!("CARGO_BIN_EXE_meshc"))).unwrap();
    fs::set_permissions(&place, fs::Permissions::from_mode(0o755)).unwrap();
    place
}

#[test]
fn two_runs_make_the_same_bytes() {
    if !root().join(".git").exists() || !super::programs::has_python() {
        crate::oracle::note("skipped: the release: this is no checkout, or python3 is older than 3.11");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let outs = ["first", "second"].map(|name| folder.path().join(name));
    // Once with its trials: they install it all.
    for (out, more) in outs.iter().zip([&[][..], &["--no-trial"]]) {
        release(out, more);
    }
    let [first, second] = outs.each_ref().map(|out| fs::read_to_string(out.join("SHA256SUMS")).unwrap());
    assert_eq!(first, second);
    for name in [
        "install.sh",
        "Dockerfile",
        "meshc-pre-commit-",
        "-image.tar",
        ".tgz",
        ".tar.gz",
        ".cdx.json",
        ".whl",
    ] {
        assert!(first.contains(name), "{name}: {first}");
    }
    let sums =
        output(Command::new("sha256sum").args(["--check", "--quiet", "SHA256SUMS"]).current_dir(&outs[0]));
    assert!(sums.status.success(), "{}", said(&sums));
    let bill = first.lines().find(|line| line.ends_with(".cdx.json")).unwrap().split("  ").nth(1).unwrap();
    hold("cyclonedx", &fs::read_to_string(outs[0].join(bill)).unwrap(), "json");
    a_foreign_folder_is_left_alone(folder.path());
}

fn a_foreign_folder_is_left_alone(folder: &Path) {
    let foreign = folder.join("foreign");
    fs::create_dir(&foreign).unwrap();
    fs::write(foreign.join("mine"), "").unwrap();
    let mut command = Command::new("python3");
    command.arg(root().join("scripts/release")).args(["hooks", "--no-trial", "--out"]).arg(&foreign);
    let done = output(command.arg("--binary").arg(env!("CARGO_BIN_EXE_meshc")));
    assert_eq!(done.status.code(), Some(2), "{}", said(&done));
    assert!(said(&done).contains("holds files that are no release"), "{}", said(&done));
    assert!(foreign.join("mine").exists());
}
