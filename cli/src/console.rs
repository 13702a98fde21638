//! Standard output and standard error.

use crate::activity::Progress;
use crate::args::Color;
use crate::exit::Failure;
use std::cell::RefCell;
use std::io::{ErrorKind, IsTerminal, Write};

/// Where products and reports go.
pub(crate) struct Console {
    /// Whether standard output is coloured.
    pub(crate) colored_products: bool,
    /// Whether standard error is coloured.
    pub(crate) colored_reports: bool,
    progress: RefCell<Option<Progress>>,
}

impl Console {
    pub(crate) fn new(color: Color) -> Self {
        let colored = |terminal: bool| match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && wants_color(),
        };
        Self {
            colored_products: colored(std::io::stdout().is_terminal()),
            colored_reports: colored(std::io::stderr().is_terminal()),
            progress: RefCell::new(Progress::start()),
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
