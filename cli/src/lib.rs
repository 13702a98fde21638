//! The program: arguments, files, reports, exit codes.
//!
//! ```text
//! arguments -> project files -> compiler -> reports | targets -> artefacts -> files, all or none
//! ```
//!
//! Invariants:
//! - This crate alone reads and writes files, prints, and asks for the day.
//! - Products go to standard output or into files, reports to standard error; a report that was asked for in a format
//!   of machines (`json`, `sarif`, `github`) is a product.
//! - Files are replaced as a whole: staged beside their place first, renamed when every one of them is there.
//! - Nothing that is not ours is overwritten or removed.
//! - What stands in a source or a name never reaches a terminal as a control character.

mod activity;
mod args;
mod atomic;
mod command;
mod compilation;
mod console;
mod diff;
mod examples;
mod exit;
mod interrupt;
mod manifest;
mod outputs;
mod project_files;
mod reference;
mod report;
pub mod rig;
mod sanitise;
mod template;
mod version;
mod walk;

pub use version::Made;

use std::process::ExitCode;

/// Runs the program with the arguments of the process.
///
/// The exit code is 0 when all is well, 1 for findings, 2 for wrong usage or a file that could not be read or
/// written, 3 for a fault of the program itself.
#[must_use]
pub fn run(made: Made) -> ExitCode {
    exit::guard(made, || command::run(std::env::args_os(), made)).into()
}
