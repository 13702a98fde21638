//! The canonical form of a file. There are no options.
//!
//! Invariants:
//! - Words, literals and comments keep their text and their order: only blanks, line breaks and `;` change.
//! - Formatting twice gives what formatting once gives.
//! - A part of the file whose syntax is at fault stays as it is, byte for byte.
//! - In column 0 stand items, comments and closing brackets, nothing else: `chunk` cuts there.

mod layout;
mod pieces;

use crate::diagnostic::Diagnostic;
use crate::parse::{self, MAX_FILE_SIZE, Parsed};
use crate::source::FileId;
use layout::Layout;

/// A file in its canonical form.
#[derive(Clone, Debug)]
pub struct Formatted {
    /// The text; where the syntax is at fault, as it was.
    pub text: String,
    /// What [`parse()`](crate::parse()) reports of the text that was given.
    pub diagnostics: Vec<Diagnostic>,
}

/// How often a file with faults is formatted until nothing changes any more.
const ROUNDS: usize = 4;

/// Writes a file in its canonical form.
#[must_use]
pub fn format(file: FileId, text: &str) -> Formatted {
    if text.len() > MAX_FILE_SIZE {
        let Parsed { diagnostics, .. } = parse::parse(file, text);
        return Formatted { text: text.to_owned(), diagnostics };
    }
    let parts = parse::read(file, text);
    let formatted = Layout::new(text).file(&parts);
    let faulty = parts.iter().any(|part| !part.reports.is_empty());
    let diagnostics = parse::collect(file, parts, parse::invisible_character(file, text)).diagnostics;
    let text = if faulty { settle(file, text, formatted) } else { formatted };
    Formatted { text, diagnostics }
}

/// Where a faulty item ends is a guess from what stands around it, and formatting that can change the guess.
fn settle(file: FileId, text: &str, mut formatted: String) -> String {
    for _ in 0..ROUNDS {
        let again = Layout::new(&formatted).file(&parse::read(file, &formatted));
        if again == formatted {
            return formatted;
        }
        formatted = again;
    }
    text.to_owned()
}
