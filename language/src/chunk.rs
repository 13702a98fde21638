//! Cuts a file into pieces: an item starts with a word, `@` or `##` in column 0.
//!
//! A piece is the unit of recovery and of parallel work. The cut needs no parser, so a fault in one item never reaches
//! the next.

use crate::join;
use crate::lexis::{Bracket, Mark, Marks};
use std::ops::Range;

/// A piece of a file and what is known of its brackets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) range: Range<usize>,
    pub(crate) balance: Balance,
    /// Its brackets and their places in the file, unless all is well.
    pub(crate) brackets: Vec<(usize, Bracket)>,
    /// Its strings without a closing quote.
    pub(crate) loose: Vec<Range<usize>>,
}

impl Piece {
    pub(crate) fn is_sound(&self) -> bool {
        self.balance.is_balanced() && self.loose.is_empty()
    }
}

/// What the brackets of a piece add up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Balance {
    /// Closers missing (positive) or surplus (negative) at the end.
    pub(crate) net: i32,
    /// The lowest depth on the way; below zero if a closer came before its opener.
    pub(crate) lowest: i32,
    /// The greatest depth on the way.
    pub(crate) deepest: i32,
    /// Whether a closer met an opener of another kind.
    pub(crate) mismatch: bool,
}

impl Balance {
    pub(crate) fn is_balanced(&self) -> bool {
        self.net == 0 && self.lowest >= 0 && !self.mismatch
    }

    pub(crate) fn of(brackets: &[(usize, Bracket)]) -> Self {
        let mut balance = Self::default();
        let mut open = Vec::new();
        for (_, bracket) in brackets {
            balance.count(*bracket, &mut open);
        }
        balance
    }

    fn count(&mut self, bracket: Bracket, open: &mut Vec<Bracket>) {
        if bracket.opens() {
            open.push(bracket);
            self.net += 1;
            self.deepest = self.deepest.max(self.net);
        } else {
            self.mismatch |= open.pop().is_some_and(|opener| opener.closer() != bracket.0);
            self.net -= 1;
            self.lowest = self.lowest.min(self.net);
        }
    }
}

/// The pieces of `text`, in order, without gaps.
pub(crate) fn cut(text: &str) -> Vec<Piece> {
    let mut pieces = candidates(text, true);
    // A `"""` that is never closed may have swallowed others that are.
    if pieces.iter().flat_map(|piece| &piece.loose).any(|string| is_block_string(text, string)) {
        pieces = candidates(text, false);
    }
    if pieces.iter().all(|piece| piece.balance.is_balanced()) { pieces } else { join::join(text, pieces) }
}

fn is_block_string(text: &str, string: &Range<usize>) -> bool {
    text.get(string.clone()).is_some_and(|string| string.starts_with("\"\"\""))
}

/// Cuts in front of each line that could start an item.
fn candidates(text: &str, trusting: bool) -> Vec<Piece> {
    let bytes = text.as_bytes();
    let mut cutter = Cutter::default();
    cutter.line(bytes, 0);
    for mark in Marks::new(text, trusting) {
        match mark {
            Mark::Bracket(at, bracket) => {
                cutter.brackets.push((at, bracket));
                cutter.balance.count(bracket, &mut cutter.open);
            }
            Mark::Line(at) => cutter.line(bytes, at),
            Mark::Loose(string) => cutter.loose.push(string),
        }
    }
    cutter.cut(text.len());
    cutter.pieces
}

#[derive(Default)]
struct Cutter {
    pieces: Vec<Piece>,
    start: usize,
    balance: Balance,
    open: Vec<Bracket>,
    brackets: Vec<(usize, Bracket)>,
    loose: Vec<Range<usize>>,
    /// The attributes and documentation in front of the next item: where they start, and the brackets before them.
    prefix: Option<Prefix>,
}

struct Prefix {
    start: usize,
    brackets: usize,
    loose: usize,
    balance: Balance,
    open: Vec<Bracket>,
}

impl Cutter {
    fn line(&mut self, bytes: &[u8], at: usize) {
        let line = bytes.get(at..).unwrap_or_default();
        match line {
            [b'@', ..] | [b'#', b'#', ..] => {
                if self.prefix.is_none() {
                    self.start_prefix(at);
                }
            }
            [first, ..] if first.is_ascii_alphabetic() => match self.prefix.take() {
                Some(prefix) => self.cut_before(prefix),
                None => self.cut(at),
            },
            [] | [b'\n' | b'\r' | b'#', ..] => {}
            // Between an attribute and its item stand only the further lines of the attribute.
            _ => {
                self.prefix.take_if(|prefix| self.balance.net <= prefix.balance.net);
            }
        }
    }

    fn start_prefix(&mut self, start: usize) {
        self.prefix = Some(Prefix {
            start,
            brackets: self.brackets.len(),
            loose: self.loose.len(),
            balance: self.balance,
            open: self.open.clone(),
        });
    }

    /// Ends the piece at `end`.
    fn cut(&mut self, end: usize) {
        self.prefix = None;
        if end == self.start {
            return;
        }
        let mut piece = Piece {
            range: self.start..end,
            balance: std::mem::take(&mut self.balance),
            brackets: Vec::new(),
            loose: std::mem::take(&mut self.loose),
        };
        if !piece.is_sound() {
            piece.brackets.extend_from_slice(&self.brackets);
        }
        self.brackets.clear();
        self.open.clear();
        self.start = end;
        self.pieces.push(piece);
    }

    /// Ends the piece where the attributes of the next item start; their brackets belong to that item.
    fn cut_before(&mut self, prefix: Prefix) {
        let brackets = self.brackets.split_off(prefix.brackets);
        let loose = self.loose.split_off(prefix.loose);
        self.balance = prefix.balance;
        self.open = prefix.open;
        self.cut(prefix.start);
        for (at, bracket) in brackets {
            self.brackets.push((at, bracket));
            self.balance.count(bracket, &mut self.open);
        }
        self.loose = loose;
    }
}
