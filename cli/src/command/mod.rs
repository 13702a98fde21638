//! The commands, one file each.

mod build;
mod check;
mod completions;
mod explain;
mod fix;
mod fmt;
mod init;
mod krm;
mod man;
mod targets;
mod verify;
mod watch;

use crate::activity;
use crate::args::{Arguments, Command};
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::reference;
use crate::{Made, version};
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use std::ffi::OsString;

/// Runs the command that the arguments ask for.
pub(crate) fn run(arguments: impl IntoIterator<Item = OsString>, made: Made) -> Exit {
    activity::begin("reading the arguments");
    match Arguments::try_parse_from(arguments) {
        Ok(arguments) => {
            let console = Console::new(&arguments);
            let done = match arguments.command {
                _ if arguments.version => {
                    console.product(version::text(made, arguments.verbose).as_bytes()).map(|()| Exit::Clean)
                }
                Some(command) => dispatch(command, &console),
                None => {
                    let missing = ErrorKind::MissingSubcommand;
                    return refuse(
                        &Arguments::command().error(missing, "no command is given; see `meshc --help`"),
                    );
                }
            };
            done.unwrap_or_else(|failure| {
                console.report(failure.text().as_bytes());
                Exit::Usage
            })
        }
        Err(refused) => refuse(&refused),
    }
}

fn refuse(refused: &clap::Error) -> Exit {
    // Help comes as an error too. A closed output is no reason to fail.
    _ = refused.print();
    if refused.use_stderr() { Exit::Usage } else { Exit::Clean }
}

fn dispatch(command: Command, console: &Console) -> Result<Exit, Failure> {
    match command {
        Command::Init(init) => init::run(&init, console),
        Command::Check(check) => check::run(&check, console),
        Command::Build(build) => build::run(&build, console),
        Command::Watch(watch) => watch::run(&watch, console),
        Command::Verify(verify) => verify::run(&verify, console),
        Command::Fmt(fmt) => fmt::run(&fmt, console),
        Command::Fix(fix) => fix::run(&fix, console),
        Command::Explain(explain) => explain::run(&explain, console),
        Command::Targets(targets) => targets::run(&targets, console),
        Command::Krm => krm::run(console),
        Command::Completions(completions) => completions::run(&completions, console),
        Command::Man(man) => man::run(&man, console),
        Command::Reference => {
            console.product(reference::page()?.as_bytes())?;
            Ok(Exit::Clean)
        }
    }
}
