//! The commands, one file each.

mod build;
mod check;
mod completions;
mod explain;
mod fix;
mod fmt;
mod init;
mod man;
mod targets;
mod verify;

use crate::activity;
use crate::args::{Arguments, Command};
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::reference;
use clap::Parser;
use std::ffi::OsString;

/// Runs the command that the arguments ask for.
pub(crate) fn run(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    activity::begin("reading the arguments");
    match Arguments::try_parse_from(arguments) {
        Ok(arguments) => {
            let console = Console::new(arguments.color);
            dispatch(arguments.command, &console).unwrap_or_else(|failure| {
                console.report(failure.text().as_bytes());
                Exit::Usage
            })
        }
        Err(refused) => {
            // Help and version come as errors too. A closed output is no reason to fail.
            _ = refused.print();
            if refused.use_stderr() { Exit::Usage } else { Exit::Clean }
        }
    }
}

fn dispatch(command: Command, console: &Console) -> Result<Exit, Failure> {
    match command {
        Command::Init(init) => init::run(&init, console),
        Command::Check(check) => check::run(&check, console),
        Command::Build(build) => build::run(&build, console),
        Command::Verify(verify) => verify::run(&verify, console),
        Command::Fmt(fmt) => fmt::run(&fmt, console),
        Command::Fix(fix) => fix::run(&fix, console),
        Command::Explain(explain) => explain::run(&explain, console),
        Command::Targets(targets) => targets::run(&targets, console),
        Command::Completions(completions) => completions::run(&completions, console),
        Command::Man(man) => man::run(&man, console),
        Command::Reference => {
            console.product(reference::page()?.as_bytes())?;
            Ok(Exit::Clean)
        }
    }
}
