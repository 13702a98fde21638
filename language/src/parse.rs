//! From text to tree: cut, balance, read; reports on the way, never a refusal.

use crate::balance::{self, MAX_DEPTH};
use crate::blanks;
use crate::chunk::{self, Piece};
use crate::code::Code;
use crate::diagnostic::{Applicability, Diagnostic};
use crate::faults;
use crate::grammar;
use crate::quotes;
use crate::source::{FileId, Span};
use crate::stray;
use crate::tree::{Chunk, Tree};
use rayon::prelude::*;
use std::ops::Range;

/// The largest file that is read: 1 GiB, so that a place in it fits into 32 bits with room to spare.
pub const MAX_FILE_SIZE: usize = 1 << 30;

/// A tree of what could be read, and what was wrong with the rest.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// The tree.
    pub tree: Tree,
    /// Reports in source order.
    pub diagnostics: Vec<Diagnostic>,
}

/// Decodes a file's bytes; a byte order mark is dropped.
///
/// # Errors
///
/// A report at the first byte that is not UTF-8, together with the text with each such byte replaced, so that the
/// report has lines to show.
pub fn decode(file: FileId, bytes: Vec<u8>) -> Result<String, Box<(String, Diagnostic)>> {
    match String::from_utf8(bytes) {
        Ok(text) if text.starts_with('\u{feff}') => Ok(text.trim_start_matches('\u{feff}').to_owned()),
        Ok(text) => Ok(text),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let byte = error.as_bytes().get(at).copied().unwrap_or_default();
            let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
            let span = Span::new(file, 0, u32::try_from(text.len()).unwrap_or(u32::MAX)).part(at, 3);
            let report = Diagnostic::new(
                Code::NOT_UTF8,
                span,
                format!("byte 0x{byte:02x} at offset {at} is not UTF-8"),
            )
            .consequence("nothing of this file is compiled")
            .help("save the file as UTF-8");
            Err(Box::new((text, report)))
        }
    }
}

/// Reads a file. Every statement that can be read is in the tree, whatever stands around it.
#[must_use]
pub fn parse(file: FileId, text: &str) -> Parsed {
    if text.len() > MAX_FILE_SIZE {
        let span = Span::new(file, 0, 1);
        let report = Diagnostic::new(Code::FILE_TOO_LARGE, span, "the file is larger than 1 GiB")
            .help("split it into modules");
        return Parsed { tree: Tree { file, chunks: Vec::new() }, diagnostics: vec![report] };
    }
    let (parts, invisible) = rayon::join(|| read(file, text), || invisible_character(file, text));
    collect(file, parts, invisible)
}

/// Puts the parts of a file together.
pub(crate) fn collect(file: FileId, parts: Vec<Part>, invisible: Option<Diagnostic>) -> Parsed {
    let mut chunks = Vec::with_capacity(parts.len());
    let mut diagnostics: Vec<Diagnostic> = invisible.into_iter().collect();
    for part in parts {
        chunks.push(part.chunk);
        diagnostics.extend(part.reports);
    }
    Parsed { tree: Tree { file, chunks }, diagnostics }
}

/// A piece of a file and what was read of it.
pub(crate) struct Part {
    pub(crate) range: Range<usize>,
    pub(crate) chunk: Chunk,
    /// Faults of the syntax; the tree of a part without any says all that its text says.
    pub(crate) reports: Vec<Diagnostic>,
}

/// The parts of a file of at most [`MAX_FILE_SIZE`], in order, without gaps.
pub(crate) fn read(file: FileId, text: &str) -> Vec<Part> {
    let pieces = chunk::cut(text);
    pieces
        .par_iter()
        .with_min_len(16)
        .map(|piece| {
            let (chunk, reports) = read_piece(file, text, piece);
            Part { range: piece.range.clone(), chunk, reports }
        })
        .collect()
}

fn read_piece(file: FileId, text: &str, piece: &Piece) -> (Chunk, Vec<Diagnostic>) {
    let source = text.get(piece.range.clone()).unwrap_or_default();
    let base = piece.range.start as u32;
    let span = Span::new(file, base, piece.range.end as u32);
    // Where brackets are guessed, so is what the rest means.
    let blanks = if piece.is_sound() { blanks::replaced(span, source) } else { None };
    let source = blanks.as_ref().map_or(source, |(text, _)| text);
    if piece.balance.deepest > MAX_DEPTH as i32 {
        let report =
            Diagnostic::new(Code::TOO_DEEP, first_word(span, source), "brackets are nested too deep")
                .consequence("this item is not compiled")
                .help(format!("nest at most {MAX_DEPTH} brackets"));
        return (Chunk::default(), vec![report]);
    }
    let mut reports = Vec::new();
    let chunk = if piece.is_sound() {
        grammar::read(source, base)
    } else {
        let repaired = balance::repair(source, piece);
        reports.extend(faults::reports(span, source, piece, &repaired.faults));
        grammar::read(&repaired.text, base)
    };
    let chunk = chunk.unwrap_or_else(|| {
        reports.push(Diagnostic::new(Code::UNBALANCED, first_word(span, source), "this item cannot be read"));
        Chunk::default()
    });
    let quotes = quotes::reports(file, text, piece.range.clone(), &chunk);
    let (chunk, strays) = stray::settle(file, text, chunk);
    // Where brackets had to be guessed, what stands apart may be the doing of the guess.
    if reports.is_empty() {
        reports = strays;
    }
    reports.extend(quotes);
    reports.extend(blanks.map(|(_, report)| report));
    (chunk, reports)
}

fn first_word(span: Span, source: &str) -> Span {
    let start = source.len() - source.trim_start().len();
    span.part(start, source.split_whitespace().next().map_or(0, str::len))
}

/// Control characters and marks that turn the direction of text: the compiled text differs from what a reader sees.
pub(crate) fn invisible_character(file: FileId, text: &str) -> Option<Diagnostic> {
    let mut from = 0;
    while let Some(at) = suspicious_byte(text.as_bytes(), from) {
        let Some(char) = text.get(at..).and_then(|rest| rest.chars().next()) else {
            from = at + 1;
            continue;
        };
        if is_invisible(char) {
            let span = Span::new(file, 0, text.len() as u32).part(at, char.len_utf8());
            let message = format!("invisible character U+{:04X}", u32::from(char));
            return Some(
                Diagnostic::new(Code::INVISIBLE_CHARACTER, span, message)
                    .consequence("the compiled text differs from what a reader sees")
                    .help("remove it; inside a string, write it as an escape such as `\\u{1b}`")
                    .edit(Applicability::Safe, span, ""),
            );
        }
        from = at + char.len_utf8();
    }
    None
}

/// The first byte from `from` on that is not plain text.
fn suspicious_byte(bytes: &[u8], from: usize) -> Option<usize> {
    let suspicious = |byte: u8| (byte < 0x20 && !matches!(byte, b'\n' | b'\r' | b'\t')) || byte >= 0x7f;
    let mut at = from;
    // Whole blocks without a branch inside: the compiler makes vector instructions of that.
    for block in bytes.get(from..)?.chunks(256) {
        if block.iter().fold(false, |found, byte| found | suspicious(*byte)) {
            return block.iter().position(|byte| suspicious(*byte)).map(|offset| at + offset);
        }
        at += block.len();
    }
    None
}

/// Whether a reader cannot see a character, line breaks and tabs aside.
#[must_use]
pub fn is_invisible(char: char) -> bool {
    (char.is_control() && !matches!(char, '\n' | '\r' | '\t')) || is_direction_mark(char)
}

fn is_direction_mark(char: char) -> bool {
    matches!(char, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}
