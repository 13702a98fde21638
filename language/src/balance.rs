//! Puts the brackets and quotes of one piece right, so that the grammar can read it.
//!
//! A repair never moves a byte: a surplus closer becomes a blank, a missing closer takes the place of a blank of the
//! indentation behind it. So every span of the repaired text is a span of the file.

use crate::chunk::Piece;
use crate::lexis::{Bracket, indent_of, line_start};
use std::ops::Range;

/// Nesting deeper than this is refused before the parser sees it: no mesh needs it, and recursion must be bounded.
pub(crate) const MAX_DEPTH: u32 = 128;

/// One bracket that is missing or too many; places are places in the piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The opener at `opener` has no closer; by the indentation it belongs in front of `before`.
    Unclosed { opener: usize, before: usize, closer: char },
    /// The closer at `at` closes nothing.
    Surplus { at: usize },
    /// The closer at `at` closes an opener of another kind.
    Mismatch { at: usize, opener: usize, closer: char },
}

/// A piece with its brackets put right, byte for byte as long as before, and what was wrong.
pub(crate) struct Repaired {
    pub(crate) text: String,
    pub(crate) faults: Vec<Fault>,
}

/// Puts brackets right by the indentation: a block ends before the first line that stands no deeper than the line
/// that opened it.
pub(crate) fn repair(text: &str, piece: &Piece) -> Repaired {
    let mut repair =
        Repair { text, out: text.as_bytes().to_vec(), open: Vec::new(), faults: Vec::new(), line: 0 };
    for string in &piece.loose {
        repair.quote(string.start - piece.range.start..string.end - piece.range.start);
    }
    if !piece.balance.is_balanced() {
        repair.brackets(piece);
    }
    let text = String::from_utf8(repair.out).unwrap_or_else(|_| text.to_owned());
    Repaired { text, faults: repair.faults }
}

struct Open {
    at: usize,
    bracket: Bracket,
    indent: usize,
}

struct Repair<'t> {
    text: &'t str,
    out: Vec<u8>,
    open: Vec<Open>,
    faults: Vec<Fault>,
    /// Start of the next line whose indentation has not been looked at.
    line: usize,
}

impl Repair<'_> {
    fn brackets(&mut self, piece: &Piece) {
        for (at, bracket) in &piece.brackets {
            let at = at - piece.range.start;
            self.close_by_indentation(at);
            if bracket.opens() {
                let indent = self.indent(at);
                self.open.push(Open { at, bracket: *bracket, indent });
            } else {
                self.close(at, *bracket, piece.balance.net);
            }
        }
        self.close_by_indentation(self.text.len());
        self.close_rest();
    }

    /// Closes a string that ends at the end of `string` over its last bytes; the tree shows them as they were.
    fn quote(&mut self, string: Range<usize>) {
        let literal = self.text.get(string.clone()).unwrap_or_default();
        let (opening, quotes): (usize, &[u8]) = match literal.as_bytes() {
            [b'"', b'"', b'"', ..] => (3, b"\"\"\""),
            [b'r', ..] => (2, b"\""),
            _ => (1, b"\""),
        };
        let Some(closing) = string.end.checked_sub(quotes.len()).filter(|at| *at >= string.start + opening)
        else {
            return self.blank(string);
        };
        let mut from = closing;
        while !self.text.is_char_boundary(from) {
            from -= 1;
        }
        self.blank(from..string.end);
        for slot in self.out.iter_mut().take(closing).skip(string.start + opening) {
            // Nothing inside may end the string before, or keep it from ending here.
            if matches!(slot, b'"' | b'\\') {
                *slot = b' ';
            }
        }
        for (slot, quote) in self.out.iter_mut().skip(closing).zip(quotes) {
            *slot = *quote;
        }
    }

    fn line_start(&self, at: usize) -> usize {
        line_start(self.text.as_bytes(), at)
    }

    fn indent(&self, at: usize) -> usize {
        indent_of(self.text.as_bytes(), at)
    }

    /// Looks at each line up to `upto`: where it stands no deeper than the line that opened a bracket, that bracket
    /// should have been closed before.
    fn close_by_indentation(&mut self, upto: usize) {
        while self.line <= upto && self.line < self.text.len() {
            let line = self.line;
            let rest = self.text.as_bytes().get(line..).unwrap_or_default();
            self.line = line + memchr::memchr(b'\n', rest).map_or(rest.len(), |newline| newline + 1);
            let indent = self.indent(line);
            let first = rest.get(indent).copied();
            if matches!(first, None | Some(b'\n' | b'\r' | b'#')) {
                continue;
            }
            let closes = matches!(first, Some(b'}' | b']' | b')'));
            let mut blanks = line..line + indent;
            while let Some(open) = self.open.last() {
                let outlived = if closes { indent < open.indent } else { indent <= open.indent };
                if open.at >= line || !outlived {
                    break;
                }
                let Some(open) = self.open.pop() else { break };
                self.insert(&open, blanks.next(), line);
            }
        }
    }

    fn insert(&mut self, open: &Open, blank: Option<usize>, before: usize) {
        let closer = open.bracket.closer();
        if let Some(slot) = blank.and_then(|at| self.out.get_mut(at)) {
            *slot = closer;
        }
        self.faults.push(Fault::Unclosed { opener: open.at, before, closer: char::from(closer) });
    }

    fn close(&mut self, at: usize, bracket: Bracket, net: i32) {
        let Some(open) = self.open.last() else { return self.surplus(at) };
        // With more closers than openers, one that stands deeper than its block is the one too many.
        let first_on_line = self.line_start(at) + self.indent(at) == at;
        if net < 0 && first_on_line && self.indent(at) > open.indent && open.at < self.line_start(at) {
            return self.surplus(at);
        }
        if open.bracket.closer() != bracket.closer() {
            let closer = open.bracket.closer();
            let opener = open.at;
            // A closer that fits an outer opener leaves the inner one unclosed; otherwise it is a slip of the key.
            if self.open.iter().rev().skip(1).any(|outer| outer.bracket.closer() == bracket.closer()) {
                self.open.pop();
                self.faults.push(Fault::Unclosed { opener, before: at, closer: char::from(closer) });
                self.close_in_place(at, closer, bracket, net);
                return;
            }
            if let Some(slot) = self.out.get_mut(at) {
                *slot = closer;
            }
            self.faults.push(Fault::Mismatch { at, opener, closer: char::from(closer) });
        }
        self.open.pop();
    }

    /// Writes the missing inner closer over a blank in front of `at`, if there is one, and goes on with the outer.
    fn close_in_place(&mut self, at: usize, closer: u8, bracket: Bracket, net: i32) {
        if let Some(slot) = at.checked_sub(1).and_then(|before| self.out.get_mut(before))
            && matches!(slot, b' ' | b'\t')
        {
            *slot = closer;
        }
        self.close(at, bracket, net);
    }

    fn surplus(&mut self, at: usize) {
        self.blank(at..at + 1);
        self.faults.push(Fault::Surplus { at });
    }

    fn blank(&mut self, range: Range<usize>) {
        for slot in self.out.get_mut(range).into_iter().flatten() {
            *slot = b' ';
        }
    }

    /// What is still open at the end of the piece is closed there by the grammar; here it is only reported.
    fn close_rest(&mut self) {
        let end = self.text.trim_end().len();
        while let Some(open) = self.open.pop() {
            self.faults.push(Fault::Unclosed {
                opener: open.at,
                before: end,
                closer: char::from(open.bracket.closer()),
            });
        }
    }
}
