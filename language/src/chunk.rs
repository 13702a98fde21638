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
    /// Whether each of its strings has its closing quote.
    pub(crate) quoted: bool,
    /// Its marks, in places of the file, unless it is sound.
    pub(crate) marks: Vec<Mark>,
}

impl Piece {
    pub(crate) fn is_sound(&self) -> bool {
        self.balance.is_balanced() && self.quoted
    }

    /// Its brackets, unless it is sound.
    pub(crate) fn brackets(&self) -> impl Iterator<Item = (usize, Bracket)> {
        self.marks.iter().filter_map(|mark| match mark {
            Mark::Bracket(at, bracket) => Some((*at, *bracket)),
            Mark::Line(_) | Mark::Comment(_) | Mark::Loose(_) => None,
        })
    }

    /// Its strings without a closing quote.
    pub(crate) fn loose(&self) -> impl Iterator<Item = &Range<usize>> {
        self.marks.iter().filter_map(|mark| match mark {
            Mark::Loose(string) => Some(string),
            Mark::Line(_) | Mark::Comment(_) | Mark::Bracket(..) => None,
        })
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

    pub(crate) fn of(brackets: impl Iterator<Item = (usize, Bracket)>) -> Self {
        let mut balance = Self::default();
        let mut open = Vec::new();
        brackets.for_each(|(_, bracket)| balance.count(bracket, &mut open));
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
    if pieces.iter().flat_map(Piece::loose).any(|string| is_block_string(text, string)) {
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
    let mut cutter = Cutter { quoted: true, ..Cutter::default() };
    cutter.line(bytes, 0);
    for mark in Marks::new(text, trusting) {
        match mark {
            Mark::Line(at) => cutter.line(bytes, at),
            Mark::Bracket(_, bracket) => cutter.balance.count(bracket, &mut cutter.open),
            Mark::Comment(_) => {}
            Mark::Loose(_) => cutter.quoted = false,
        }
        cutter.marks.push(mark);
    }
    cutter.cut(text.len());
    cutter.pieces
}

/// What has been read since the last cut.
#[derive(Default)]
struct Cutter {
    pieces: Vec<Piece>,
    start: usize,
    balance: Balance,
    quoted: bool,
    open: Vec<Bracket>,
    marks: Vec<Mark>,
    /// The attributes and documentation in front of the next item.
    prefix: Option<Prefix>,
}

/// Where the attributes in front of an item start, and what had been read before them.
struct Prefix {
    start: usize,
    balance: Balance,
    quoted: bool,
    open: Vec<Bracket>,
    marks: usize,
}

impl Cutter {
    fn line(&mut self, bytes: &[u8], at: usize) {
        match bytes.get(at..).unwrap_or_default() {
            [b'@', ..] | [b'#', b'#', ..] => {
                if self.prefix.is_none() {
                    self.prefix = Some(Prefix {
                        start: at,
                        balance: self.balance,
                        quoted: self.quoted,
                        open: self.open.clone(),
                        marks: self.marks.len(),
                    });
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

    /// Ends the piece at `end`.
    fn cut(&mut self, end: usize) {
        if end == self.start {
            return;
        }
        let mut piece = Piece {
            range: self.start..end,
            balance: std::mem::take(&mut self.balance),
            quoted: std::mem::replace(&mut self.quoted, true),
            marks: Vec::new(),
        };
        if !piece.is_sound() {
            piece.marks.extend_from_slice(&self.marks);
        }
        self.marks.clear();
        self.open.clear();
        self.start = end;
        self.pieces.push(piece);
    }

    /// Ends the piece where the attributes of the next item start; their brackets belong to that item.
    fn cut_before(&mut self, prefix: Prefix) {
        let marks = self.marks.split_off(prefix.marks);
        self.quoted = prefix.quoted;
        self.balance = prefix.balance;
        self.open = prefix.open;
        self.cut(prefix.start);
        for mark in &marks {
            match mark {
                Mark::Bracket(_, bracket) => self.balance.count(*bracket, &mut self.open),
                Mark::Loose(_) => self.quoted = false,
                Mark::Line(_) | Mark::Comment(_) => {}
            }
        }
        self.marks = marks;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pieces of a text, with `!` in front of each that is not sound.
    fn pieces(text: &str) -> Vec<String> {
        let pieces = cut(text);
        let end = pieces.iter().fold(0, |end, piece| {
            assert_eq!(piece.range.start, end, "a gap");
            piece.range.end
        });
        assert_eq!(end, text.len());
        let shown = |piece: &Piece| {
            let fault = if piece.is_sound() { "" } else { "!" };
            format!("{fault}{}", text.get(piece.range.clone()).unwrap_or_default().replace('\n', "/"))
        };
        pieces.iter().map(shown).collect()
    }

    proptest::proptest! {
        #[test]
        fn pieces_cover_any_text(text in "([{}()\\[\\]\"#\n a@]|\"\"\"|\n##|\n@a|\nb|.){0,60}") {
            pieces(&text);
        }
    }

    #[test]
    fn items_start_in_column_0() {
        let table: [(&str, &[&str]); 16] = [
            ("", &[]),
            ("\n# c\na\nb {\n  c\n}\n", &["/# c/", "a/", "b {/  c/}/"]),
            ("a\n@x\n## d\n@y(\n  z)\nb\n", &["a/", "@x/## d/@y(/  z)/b/"]),
            ("a {\n## d\n  b\n}\nc\n", &["a {/## d/  b/}/", "c/"]),
            ("a \"\"\"\nb\n\"\"\"\nc\n", &["a \"\"\"/b/\"\"\"/", "c/"]),
            ("a # \"\"\"\nb\nc \"\"\"\nd\n\"\"\"\n", &["a # \"\"\"/", "b/", "c \"\"\"/d/\"\"\"/"]),
            ("a \"\"\"\nb {\n}\n", &["!a \"\"\"/", "b {/}/"]),
            // A fault stays in its item.
            ("a {\n  b\n\nc {\n  d\n}\n", &["!a {/  b//", "c {/  d/}/"]),
            ("a {\n  b\n}\n}\nc\n", &["!a {/  b/}/}/", "c/"]),
            ("a {\n  b\nc {\n  d\n}\ne {\n  f\n}\n}}\n", &["!a {/  b/", "c {/  d/}/", "!e {/  f/}/}}/"]),
            // Brackets that fit are believed, however the lines stand.
            ("a {\n  b\nc {\n  d\n}\ne {\n  f\n}\n}\n", &["a {/  b/c {/  d/}/e {/  f/}/}/"]),
            ("a { b {\n  c\n}\nb {\n  d\n}\n}\ne\n", &["a { b {/  c/}/b {/  d/}/}/", "e/"]),
            // So does a line in column 0 that is no item.
            ("a {\n  b\nc\n  d\n}\n", &["a {/  b/c/  d/}/"]),
            ("a {\nb {\nc\n}\n}\nd\n", &["a {/b {/c/}/}/", "d/"]),
            ("a [\nb,\nc\n]\nd\n", &["a [/b,/c/]/", "d/"]),
            ("a {\n  b\nc {\n  d\n}\n  e\n}\n", &["a {/  b/c {/  d/}/  e/}/"]),
        ];
        for (text, expected) in table {
            assert_eq!(pieces(text), expected);
        }
    }
}
