//! What is shipped: reports that servers read, definitions of pipelines, the release and its installer. Each is held to the published
//! schema, or run as whoever reads it would.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod install;
mod krm;
mod pipelines;
mod release;
mod reports;

use crate::oracle::programs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs a command to its end.
fn output(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

/// What a command says on both streams.
fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// `schemas.py` with Python; none, with the reason printed, where it is absent.
fn judge(schema: &str, file: &Path) -> Option<String> {
    let python = programs::python()?;
    let script = root().join("tests/ship/schemas.py");
    let output = output(Command::new(python).arg(script).arg(schema).arg(file).current_dir(root()));
    assert!(output.status.success(), "{schema}: {}", said(&output));
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Holds a text to a schema.
fn hold(schema: &str, text: &str, extension: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(format!("file.{extension}"));
    std::fs::write(&file, text).unwrap();
    if let Some(faults) = judge(schema, &file) {
        assert_eq!(faults, "", "{schema} refuses\n{text}");
    }
}

/// The folder of the program under test.
fn program_folder() -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_meshc")).parent().unwrap().to_owned()
}
