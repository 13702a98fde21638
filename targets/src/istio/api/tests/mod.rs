//! Do the structs have exactly Istio's fields, and does every real document survive them?

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod documents;
mod fields;
mod types;

use std::path::PathBuf;

/// A file of the shared data beside the repository, or `None` with a note on the test's output.
pub(in crate::istio) fn shared_file(path: &str) -> Option<PathBuf> {
    let found = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data").join(path);
    if found.exists() {
        return Some(found);
    }
    eprintln!("skipped: no shared data at {}", found.display());
    None
}
