//! Standard output and standard error.

use crate::activity::Progress;
use crate::args::{Arguments, Color};
use crate::exit::Failure;
use std::cell::RefCell;
use std::io::{ErrorKind, IsTerminal, Write};

/// Where products and reports go.
pub(crate) struct Console {
    /// Whether standard output is coloured.
    pub(crate) colored_products: bool,
    /// Whether standard error is coloured.
    pub(crate) colored_reports: bool,
    /// Whether reports on standard error link to their files.
    pub(crate) linked_reports: bool,
    /// How much is told beside findings.
    pub(crate) detail: Detail,
    progress: RefCell<Option<Progress>>,
}

/// How much is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    /// Errors and warnings.
    Quiet,
    /// Notes of targets in one line.
    Normal,
    /// Every note in full.
    Verbose,
}

impl Detail {
    fn of(arguments: &Arguments) -> Self {
        match (arguments.quiet, arguments.verbose) {
            (true, _) => Self::Quiet,
            (false, true) => Self::Verbose,
            (false, false) => Self::Normal,
        }
    }
}

impl Console {
    pub(crate) fn new(arguments: &Arguments) -> Self {
        let detail = Detail::of(arguments);
        let colored = |terminal: bool| match arguments.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && wants_color(),
        };
        Self {
            colored_products: colored(std::io::stdout().is_terminal()),
            colored_reports: colored(std::io::stderr().is_terminal()),
            linked_reports: std::io::stderr().is_terminal() && follows_links(|name| std::env::var(name).ok()),
            progress: RefCell::new(if detail == Detail::Quiet { None } else { Progress::start() }),
            detail,
        }
    }

    /// Prints a product. A reader that has seen enough is not an error.
    pub(crate) fn product(&self, bytes: &[u8]) -> Result<(), Failure> {
        self.progress.take();
        let mut out = std::io::stdout().lock();
        match out.write_all(bytes).and_then(|()| out.flush()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(Failure::new(format!("cannot write to standard output: {error}")))
            }
            _ => Ok(()),
        }
    }

    /// Leaves the terminal to another program.
    pub(crate) fn stand_back(&self) {
        self.progress.take();
    }

    /// Prints what has been done, unless nobody wants to know.
    pub(crate) fn summary(&self, line: &str) {
        if self.detail == Detail::Quiet {
            self.progress.take();
        } else {
            self.report(line.as_bytes());
        }
    }

    /// Prints a report.
    pub(crate) fn report(&self, bytes: &[u8]) {
        self.progress.take();
        // Without standard error, the exit code is all that is left to say it.
        _ = std::io::stderr().lock().write_all(bytes);
    }
}

fn wants_color() -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Whether the terminal is one that follows hyperlinks (OSC 8); another one might show them as text.
fn follows_links(variable: impl Fn(&str) -> Option<String>) -> bool {
    const PROGRAMS: [&str; 6] = ["iTerm.app", "WezTerm", "vscode", "Hyper", "ghostty", "Tabby"];
    const TERMS: [&str; 5] = ["kitty", "alacritty", "ghostty", "foot", "wezterm"];
    let set = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
    match variable("FORCE_HYPERLINK").as_deref() {
        Some("0") => return false,
        Some(value) if !value.is_empty() => return true,
        Some(_) | None => {}
    }
    if set("NO_COLOR") || variable("TERM").is_some_and(|term| term == "dumb") {
        return false;
    }
    // The library under GNOME's terminals understands them since 0.50.
    let vte = variable("VTE_VERSION").and_then(|version| version.parse::<u32>().ok());
    vte.is_some_and(|version| version >= 5000)
        || variable("TERM_PROGRAM").is_some_and(|program| PROGRAMS.contains(&program.as_str()))
        || variable("TERM").is_some_and(|term| TERMS.iter().any(|known| term.contains(known)))
        || set("WT_SESSION")
        || set("KONSOLE_VERSION")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn follows(variables: &[(&str, &str)]) -> bool {
        follows_links(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn links_are_for_terminals_that_follow_them() {
        assert!(!follows(&[]));
        assert!(!follows(&[("TERM", "xterm-256color")]));
        assert!(follows(&[("TERM", "xterm-kitty")]));
        assert!(follows(&[("VTE_VERSION", "7600")]) && !follows(&[("VTE_VERSION", "4200")]));
        assert!(!follows(&[("TERM", "xterm-kitty"), ("NO_COLOR", "1")]));
        assert!(follows(&[("FORCE_HYPERLINK", "1")]));
        assert!(!follows(&[("FORCE_HYPERLINK", "0"), ("TERM_PROGRAM", "vscode")]));
    }
}
