//! Cuts a file into chunks: an item starts with a word, `@` or `##` in column 0.
//!
//! A chunk is the unit of recovery and of parallel work. The cut needs no parser, so a fault in one item never reaches
//! the next.

use crate::balance::{self, Balance};
use std::ops::Range;

/// A piece of a file and what is known of its brackets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) range: Range<usize>,
    pub(crate) balance: Balance,
}

/// The pieces of `text`, in order, without gaps.
pub(crate) fn cut(text: &str) -> Vec<Piece> {
    let pieces: Vec<Piece> = candidates(text)
        .into_iter()
        .map(|range| {
            let balance = balance::measure(text.get(range.clone()).unwrap_or_default());
            Piece { range, balance }
        })
        .collect();
    join(text, pieces)
}

/// Cuts in front of each line that could start an item.
fn candidates(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let strings = block_strings(bytes);
    let mut strings = strings.iter().peekable();
    let mut ranges: Vec<Range<usize>> = Vec::new();
    let mut start = 0;
    let mut prefix = None;
    let lines = std::iter::once(0).chain(memchr::memchr_iter(b'\n', bytes).map(|newline| newline + 1));
    for line in lines {
        while strings.next_if(|string| string.end <= line).is_some() {}
        if strings.peek().is_some_and(|string| string.start < line) {
            continue;
        }
        let rest = bytes.get(line..).unwrap_or_default();
        match rest.first() {
            Some(b'@') => _ = prefix.get_or_insert(line),
            Some(b'#') if rest.get(1) == Some(&b'#') => _ = prefix.get_or_insert(line),
            Some(byte) if byte.is_ascii_alphabetic() => {
                let cut = prefix.take().unwrap_or(line);
                if cut > start {
                    ranges.push(start..cut);
                }
                start = cut;
            }
            _ => {}
        }
    }
    if start < text.len() {
        ranges.push(start..text.len());
    }
    ranges
}

/// The `"""` strings, whose lines may start in column 0. One that is never closed counts as one line.
fn block_strings(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut strings = Vec::new();
    let mut quotes = memchr::memmem::find_iter(bytes, b"\"\"\"").filter(|at| !in_comment(bytes, *at));
    while let (Some(open), Some(close)) = (quotes.next(), quotes.next()) {
        strings.push(open..close + 3);
    }
    strings
}

fn in_comment(bytes: &[u8], at: usize) -> bool {
    let before = bytes.get(..at).unwrap_or_default();
    let line = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
    before.get(line..).is_some_and(|line| line.trim_ascii_start().starts_with(b"#"))
}

/// Joins pieces that were cut inside an item whose author does not indent.
fn join(text: &str, pieces: Vec<Piece>) -> Vec<Piece> {
    if pieces.iter().all(|piece| piece.balance.is_balanced()) {
        return pieces;
    }
    let flat = is_flat(text);
    let mut joined: Vec<Piece> = Vec::with_capacity(pieces.len());
    for piece in pieces {
        if let Some(last) = joined.last_mut()
            && last.balance.net > 0
            && (flat || completes(text, last, &piece))
        {
            last.range.end = piece.range.end;
            last.balance = balance::measure(text.get(last.range.clone()).unwrap_or_default());
            continue;
        }
        joined.push(piece);
    }
    joined
}

/// Whether `piece` is one stray line of column 0 and the rest of the item before it.
fn completes(text: &str, open: &Piece, piece: &Piece) -> bool {
    let first_line = text.get(piece.range.clone()).and_then(|text| text.lines().next()).unwrap_or_default();
    piece.balance.net == -open.balance.net && !first_line.trim_end().ends_with('{')
}

/// Whether the author does not indent: most lines inside of braces start in column 0.
fn is_flat(text: &str) -> bool {
    let (mut indented, mut flat) = (0_usize, 0_usize);
    for line in text.lines() {
        match line.bytes().next() {
            Some(b' ' | b'\t') => indented += 1,
            Some(byte) if byte.is_ascii_alphabetic() => flat += 1,
            _ => {}
        }
    }
    flat > 4 * indented
}
