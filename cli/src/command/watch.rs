//! `meshc watch`: builds again whenever a source changes.
//!
//! Each build is a process of its own with the arguments of this one: it leaves nothing behind, and what stops it does not stop
//! the watch. Files are looked at, not subscribed to: that works on every file system, in containers and over networks.

use crate::activity;
use crate::args::Watch;
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::project_files::{Stamp, shown, stamps};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

/// How often files are looked at, at most.
const PAUSE: Duration = Duration::from_millis(200);
/// A look may take this part of the time.
const SHARE: u32 = 10;

type Snapshot = BTreeMap<PathBuf, Stamp>;

pub(super) fn run(watch: &Watch, console: &Console) -> Result<Exit, Failure> {
    let arguments = arguments(std::env::args_os().skip(1));
    let program = std::env::current_exe()
        .map_err(|error| Failure::new(format!("cannot find meshc itself: {error}")))?;
    // What cannot be watched is told once, here.
    let mut before = stamps(&watch.build.paths)?;
    // Each build shows its own progress.
    console.stand_back();
    activity::begin("watching");
    loop {
        build(&program, &arguments)?;
        console.summary(&format!(
            "watching {}; stop with Ctrl-C\n",
            crate::report::counted(before.len(), "file")
        ));
        let (now, changed) = wait(watch, &before);
        before = now;
        let changed: Vec<String> = changed.iter().map(|path| crate::sanitise::line(&shown(path))).collect();
        console.summary(&format!("\nchanged: {}\n", changed.join(", ")));
    }
}

/// The arguments with `build` in place of `watch`.
fn arguments(given: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = given.collect();
    if let Some(command) = arguments.iter_mut().find(|argument| *argument == "watch") {
        *command = OsString::from("build");
    }
    arguments
}

fn build(program: &PathBuf, arguments: &[OsString]) -> Result<(), Failure> {
    // Findings, and files that cannot be read, are there to be put right.
    let run = Command::new(program).args(arguments).status();
    run.map(|_| ()).map_err(|error| Failure::file("run", program, error))
}

/// Waits until something is different, and then until nothing changes any more: an editor may write a file in several steps.
fn wait(watch: &Watch, before: &Snapshot) -> (Snapshot, Vec<PathBuf>) {
    let mut last = before.clone();
    loop {
        let start = Instant::now();
        // A folder may be gone for a moment, while a branch is checked out.
        let now = stamps(&watch.build.paths).unwrap_or_else(|_| last.clone());
        if now == last && now != *before {
            let changed = changed(before, &now);
            return (now, changed);
        }
        last = now;
        std::thread::sleep(PAUSE.max(start.elapsed() * SHARE));
    }
}

/// What is new, gone or different.
fn changed(before: &Snapshot, now: &Snapshot) -> Vec<PathBuf> {
    let gone = before.keys().filter(|path| !now.contains_key(*path));
    let new = now.iter().filter(|(path, stamp)| before.get(*path) != Some(stamp)).map(|(path, _)| path);
    let mut all: Vec<PathBuf> = new.chain(gone).cloned().collect();
    all.sort();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_build_gets_the_same_arguments() {
        let given = ["--color", "always", "watch", "--out", "watch"].map(OsString::from);
        assert_eq!(arguments(given.into_iter()), ["--color", "always", "build", "--out", "watch"]);
    }
}
