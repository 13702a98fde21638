//! Independent judges of what is emitted: none of them shares code or data with the compiler.
//!
//! - [`crd`]: the custom resource definitions that an API server would validate with.
//! - [`models`]: the published TypeScript models of an Istio release, run by Node.
//! - [`envoy`]: the protobuf descriptors of an Envoy release, and what Envoy itself does not look at.
//! - [`istio`]: Istio's own code: admission, analysis, and what istiod sends to proxies.
//! - [`nginx`]: nginx itself, and two readers of its configuration.
//! - [`readers`]: other YAML readers (PyYAML, two of Go's), which must see the value that was meant.
//!
//! A judge whose means are missing on this machine returns `None` and says why on standard error; under
//! `MESHC_TEST_ALL=1` (set by `tests/run` once everything is installed) that is a failure instead.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::panic, reason = "a test fails by panicking")]

pub(crate) mod crd;
pub(crate) mod envoy;
pub(crate) mod istio;
pub(crate) mod models;
pub(crate) mod nginx;
pub(crate) mod programs;
pub(crate) mod readers;
mod refused;

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Folder of this module: scripts, packages and modules of the judges stand beside it.
fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/oracle")
}

/// Says on standard error, past the capture of the test harness, that a judge could not run.
fn skip<T>(judge: &str, reason: &str) -> Option<T> {
    assert!(
        std::env::var_os("MESHC_TEST_ALL").is_none_or(|value| value != "1"),
        "MESHC_TEST_ALL=1, but {judge} cannot judge: {reason}"
    );
    note(&format!("skipped: {judge}: {reason}"));
    None
}

/// A line for whoever watches the tests run; unlike `eprintln!` it is not swallowed when the test passes.
pub(crate) fn note(line: &str) {
    let mut stderr = std::io::stderr();
    writeln!(stderr, "{line}").unwrap();
}

/// Whether `command` starts and ends well.
fn works(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// Feeds `input` as JSON to a program and reads its answer as JSON. A program that fails fails the test.
fn ask(command: &mut Command, input: &serde_json::Value) -> serde_json::Value {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = serde_json::to_vec(input).unwrap();
    // Written from a thread of its own: a program that answers before it has read all would block both sides. A
    // program that dies early is reported below with its own words, so a broken pipe is not of interest.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed: {errors}");
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{command:?} wrote no JSON: {error}"))
}
