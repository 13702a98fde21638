//! Exit codes, failures, and the last resort for faults of the program itself.

use crate::activity;
use crate::sanitise::message;
use crate::version::{Made, VERSION};
use std::fmt::Display;
use std::io::Write;
use std::panic::{AssertUnwindSafe, PanicHookInfo};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;

/// How a run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All is well.
    Clean = 0,
    /// There are findings.
    Findings = 1,
    /// Wrong usage, or a file that cannot be read or written.
    Usage = 2,
    /// The program is at fault.
    Fault = 3,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command could not be carried out.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    help: Option<String>,
}

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }

    /// Something could not be done with a file.
    pub(crate) fn file(what: &str, path: &Path, reason: impl Display) -> Self {
        Self::new(format!("cannot {what} `{}`: {reason}", path.display()))
    }

    /// Says what to do.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// What is printed.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("error: {}\n", message(&self.message));
        if let Some(help) = &self.help {
            text.push_str(&format!("  = help: {}\n", message(help)));
        }
        text
    }
}

static FIRST_PANIC: Mutex<Option<String>> = Mutex::new(None);

/// Runs the program. A panic ends in an explanation and [`Exit::Fault`], never in a bare trace.
pub(crate) fn guard(made: Made, work: impl FnOnce() -> Exit) -> Exit {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(remember));
    let result = std::panic::catch_unwind(AssertUnwindSafe(work));
    std::panic::set_hook(hook);
    result.unwrap_or_else(|_| {
        let panic = FIRST_PANIC.lock().map(|panic| panic.clone()).ok().flatten();
        let text = fault(made, &activity::current(), &panic.unwrap_or_default());
        // There is nobody left to tell that this could not be told.
        _ = std::io::stderr().write_all(text.as_bytes());
        Exit::Fault
    })
}

fn remember(panic: &PanicHookInfo<'_>) {
    let said = panic.payload();
    let said = said
        .downcast_ref::<&str>()
        .map(|said| (*said).to_owned())
        .or_else(|| said.downcast_ref::<String>().cloned());
    let place =
        panic.location().map_or(String::new(), |place| format!(" at {}:{}", place.file(), place.line()));
    if let Ok(mut first) = FIRST_PANIC.lock() {
        first.get_or_insert_with(|| format!("{}{place}", said.unwrap_or_default()));
    }
}

fn fault(made: Made, doing: &str, panic: &str) -> String {
    let Made { commit, target } = made;
    let doing = if doing.is_empty() { "starting" } else { doing };
    format!(
        "bug: meshc failed while {doing}; your sources are not the cause\n  \
         = what: {}\n  \
         = version: meshc {VERSION} for {target}, commit {}\n  \
         = help: please open an issue in the project of meshc with this text, and with the sources if you may share them\n",
        message(panic),
        commit.unwrap_or("unknown"),
    )
}

#[cfg(test)]
mod tests {
    #![expect(clippy::panic, reason = "the test needs one")]

    use super::*;

    const MADE: Made = Made { commit: None, target: "a-test" };

    #[test]
    fn a_panic_is_explained() {
        assert_eq!(guard(MADE, || panic!("no such gate")), Exit::Fault);
        let remembered = FIRST_PANIC.lock().map(|panic| panic.clone()).ok().flatten().unwrap_or_default();
        assert!(remembered.starts_with("no such gate at "), "{remembered}");
        let text = fault(MADE, "checking", &remembered);
        assert!(text.contains("while checking") && text.contains("open an issue"), "{text}");
    }

    #[test]
    fn a_run_without_panic_keeps_its_exit() {
        assert_eq!(guard(MADE, || Exit::Findings), Exit::Findings);
    }
}
