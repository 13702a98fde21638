//! `meshc`: a compiler for typed mesh policy.

use std::process::ExitCode;

fn main() -> ExitCode {
    meshc_cli::run()
}
