//! `meshc completions`: scripts for shells.

use crate::args::{Arguments, Completions};
use crate::console::Console;
use crate::exit::{Exit, Failure};
use clap::CommandFactory;

pub(super) fn run(completions: &Completions, console: &Console) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(completions.shell, &mut Arguments::command(), "meshc", &mut script);
    console.product(&script)?;
    Ok(Exit::Clean)
}
