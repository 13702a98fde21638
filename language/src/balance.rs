//! Puts the brackets and quotes of one piece right, so that the grammar can read it.
//!
//! A repair never moves a byte: a surplus bracket becomes a blank, a missing one takes the place of a blank or a line
//! break. So every span of the repaired text is a span of the file.
//!
//! Where brackets and indentation disagree, the indentation is believed: editors keep it right, and it is what the
//! author sees.

use crate::chunk::Piece;
use crate::lexis::{Bracket, Mark, is_conflict_mark};
use std::ops::Range;

/// Nesting deeper than this is refused before the parser sees it: no mesh needs it, and recursion must be bounded.
pub(crate) const MAX_DEPTH: u32 = 128;

/// One bracket that is missing or too many; places are places in the piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The opener at `opener` has no closer; by the indentation it belongs in front of `before`.
    Unclosed { opener: usize, before: usize, closer: char },
    /// The line that ends at `at` starts a block and lacks its `{`.
    Unopened { at: usize },
    /// The opener at `at` opens nothing.
    Idle { at: usize },
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

/// Puts brackets and quotes of a piece right.
pub(crate) fn repair(text: &str, piece: &Piece) -> Repaired {
    let mut repair = Repair {
        text,
        out: text.as_bytes().to_vec(),
        open: Vec::new(),
        faults: Vec::new(),
        missing: Missing::default(),
        line: Line::default(),
    };
    for mark in &piece.marks {
        if let Mark::Bracket(_, bracket) = mark {
            *repair.missing.of(*bracket) += if bracket.opens() { 1 } else { -1 };
        }
    }
    let base = piece.range.start;
    repair.start_line(0);
    for mark in &piece.marks {
        match mark {
            Mark::Line(at) => repair.start_line(at - base),
            Mark::Comment(at) => repair.comment(at - base),
            Mark::Bracket(at, bracket) if !piece.balance.is_balanced() => repair.bracket(at - base, *bracket),
            Mark::Bracket(..) => {}
            Mark::Loose(string) => repair.quote(string.start - base..string.end - base),
        }
    }
    repair.close_rest();
    let text = String::from_utf8(repair.out).unwrap_or_else(|_| text.to_owned());
    Repaired { text, faults: repair.faults }
}

/// How many closers of each kind are missing, or too many if negative.
#[derive(Default)]
struct Missing {
    braces: i32,
    brackets: i32,
    parentheses: i32,
}

impl Missing {
    fn of(&mut self, bracket: Bracket) -> &mut i32 {
        match bracket.closer() {
            b'}' => &mut self.braces,
            b']' => &mut self.brackets,
            _ => &mut self.parentheses,
        }
    }
}

struct Open {
    at: usize,
    bracket: Bracket,
    /// The line it stands on.
    line: Line,
}

/// A line of code.
#[derive(Clone, Copy, Default)]
struct Line {
    start: usize,
    /// Its own indentation.
    own: usize,
    /// The indentation of the statement that it goes on with.
    indent: usize,
    /// Where its comment starts.
    comment: Option<usize>,
}

struct Repair<'t> {
    text: &'t str,
    out: Vec<u8>,
    open: Vec<Open>,
    faults: Vec<Fault>,
    missing: Missing,
    /// The last line of code.
    line: Line,
}

impl Repair<'_> {
    fn bytes(&self, range: Range<usize>) -> &[u8] {
        self.text.as_bytes().get(range).unwrap_or_default()
    }

    fn line_end(&self, start: usize) -> usize {
        let rest = self.bytes(start..self.text.len());
        start + memchr::memchr(b'\n', rest).unwrap_or(rest.len())
    }

    /// The code of the last line, without the indentation and the comment.
    fn code(&self) -> &[u8] {
        let end = self.line.comment.unwrap_or_else(|| self.line_end(self.line.start));
        self.bytes(self.line.start + self.line.own..end).trim_ascii_end()
    }

    fn comment(&mut self, at: usize) {
        if at < self.line_end(self.line.start) {
            self.line.comment = Some(at);
        }
    }

    fn start_line(&mut self, start: usize) {
        let text = self.bytes(start..self.line_end(start));
        let own = text.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let first = text.get(own).copied();
        if matches!(first, None | Some(b'\r' | b'#')) || is_conflict_mark(text) {
            return;
        }
        let before = if start == 0 { b"" } else { self.code() };
        let goes_on = before.ends_with(b",") || before.ends_with(b"->");
        let plain = !goes_on && before.last().is_some_and(|byte| !b"{}[(".contains(byte));
        let indent = if goes_on && own > self.line.indent { self.line.indent } else { own };
        let line = Line { start, own, indent, comment: None };
        let closes = matches!(first, Some(b'}' | b']' | b')'));
        self.close_by_indentation(line, closes);
        if plain && own > self.line.own && self.missing.braces < 0 {
            self.open_before();
        }
        self.line = line;
    }

    /// Closes what the lines before opened if `line` stands no deeper than the line that opened it.
    fn close_by_indentation(&mut self, line: Line, closes: bool) {
        let mut closers = Vec::new();
        while let Some(open) = self.open.last() {
            let outlived = if closes { line.own < open.line.indent } else { line.own <= open.line.indent };
            if !outlived {
                break;
            }
            closers.push(open.bracket.closer());
            self.unclosed(line.start);
        }
        // Behind a list the statement would go on.
        if closers.last().is_some_and(|closer| *closer != b'}') {
            closers.push(b';');
        }
        let blanks = line.start..line.start + line.own;
        // With too few blanks, the line break gives way, unless a comment ends there.
        let short = closers.len() > line.own && self.line.comment.is_none();
        let line_break =
            line.start.checked_sub(1).filter(|at| short && *at == self.line_end(self.line.start));
        let slots = line_break.into_iter().chain(blanks);
        for (closer, slot) in closers.into_iter().zip(slots) {
            self.write(slot, closer);
        }
    }

    /// Takes the last opener, which has no closer in front of `before`.
    fn unclosed(&mut self, before: usize) {
        if let Some(open) = self.open.pop() {
            *self.missing.of(open.bracket) -= 1;
            let closer = char::from(open.bracket.closer());
            self.faults.push(Fault::Unclosed { opener: open.at, before, closer });
        }
    }

    /// Opens a block at the end of the last line, over its line break or its comment.
    fn open_before(&mut self) {
        let at = self.line.start + self.line.own + self.code().len();
        let end = self.line_end(self.line.start);
        let slot = self.line.comment.unwrap_or(end);
        (slot..end).for_each(|blank| self.write(blank, b' '));
        self.write(slot, b'{');
        self.open.push(Open { at: slot, bracket: Bracket(b'{'), line: self.line });
        self.missing.braces += 1;
        self.faults.push(Fault::Unopened { at });
    }

    fn bracket(&mut self, at: usize, bracket: Bracket) {
        if !bracket.opens() {
            return self.close(at, bracket);
        }
        if bracket == Bracket(b'{') {
            self.close_lists(at);
            if self.missing.braces > 0 && self.is_idle(at) {
                self.missing.braces -= 1;
                self.write(at, b' ');
                self.faults.push(Fault::Idle { at });
                return;
            }
        }
        self.open.push(Open { at, bracket, line: self.line });
    }

    /// No list holds a block: where one starts, the list should have ended.
    fn close_lists(&mut self, at: usize) {
        let mut slot = at;
        while let Some(open) = self.open.last().filter(|open| open.bracket != Bracket(b'{')) {
            let closer = open.bracket.closer();
            self.unclosed(at);
            slot -= 1;
            if matches!(self.bytes(slot..slot + 1), b" " | b"\t") {
                self.write(slot, closer);
            }
        }
    }

    /// Whether the `{` at `at` stands behind another one, or alone on a line and in front of one that is no deeper.
    fn is_idle(&self, at: usize) -> bool {
        let before = self.bytes(self.line.start..at).trim_ascii();
        if !before.is_empty() {
            return before.ends_with(b"{");
        }
        let end = self.line_end(at);
        let alone = self.bytes(at + 1..end).trim_ascii().is_empty();
        let below = self.bytes(end + 1..self.text.len());
        let deeper = below.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count() > self.line.own;
        alone && !deeper
    }

    fn close(&mut self, at: usize, bracket: Bracket) {
        let Some(open) = self.open.last() else { return self.surplus(at, bracket) };
        let (opener, opens) = (open.at, open.bracket);
        if opens.closer() == bracket.closer() {
            if *self.missing.of(bracket) < 0 && self.is_too_deep(at) {
                return self.surplus(at, bracket);
            }
            self.open.pop();
            return;
        }
        let fits_outer = self.open.iter().any(|open| open.bracket.closer() == bracket.closer());
        let too_many = *self.missing.of(bracket) < 0;
        if too_many && *self.missing.of(opens) > 0 {
            *self.missing.of(bracket) += 1;
            *self.missing.of(opens) -= 1;
            let closer = opens.closer();
            self.write(at, closer);
            self.open.pop();
            self.faults.push(Fault::Mismatch { at, opener, closer: char::from(closer) });
        } else if too_many || !fits_outer {
            self.surplus(at, bracket);
        } else {
            self.unclosed(at);
            if let Some(slot) = at.checked_sub(1).filter(|slot| matches!(self.bytes(*slot..at), b" " | b"\t"))
            {
                self.write(slot, opens.closer());
            }
            self.close(at, bracket);
        }
    }

    /// Whether the closer at `at` stands deeper than the line of the last opener, or behind the text of a later line.
    fn is_too_deep(&self, at: usize) -> bool {
        let first = self.line.start + self.line.own == at;
        let Some(open) = self.open.last() else { return false };
        open.line.start < self.line.start && (!first || self.line.own > open.line.indent)
    }

    fn surplus(&mut self, at: usize, bracket: Bracket) {
        *self.missing.of(bracket) += 1;
        self.write(at, b' ');
        self.faults.push(Fault::Surplus { at });
    }

    /// What is still open at the end of the piece is closed there by the grammar; here it is only reported.
    fn close_rest(&mut self) {
        let end = self.text.trim_end().len();
        while !self.open.is_empty() {
            self.unclosed(end);
        }
    }

    /// Closes a string that ends at the end of `string` over its last bytes; the tree shows them as they were.
    ///
    /// Only bytes of ASCII change, so that no place comes to lie inside a character.
    fn quote(&mut self, string: Range<usize>) {
        let (opening, quotes): (usize, &[u8]) = match self.bytes(string.clone()) {
            [b'"', b'"', b'"', ..] => (3, b"\"\"\""),
            [b'r', ..] => (2, b"\""),
            _ => (1, b"\""),
        };
        let body = string.start + opening;
        let mut slots = (body..string.end.saturating_sub(quotes.len() - 1)).rev();
        let closing = slots.find(|at| self.bytes(*at..at + quotes.len()).is_ascii());
        for at in closing.map_or(string.start, |_| body)..string.end {
            let outside = closing.is_none_or(|closing| at >= closing);
            // Nothing inside may end the string before, or keep it from ending here.
            if self
                .bytes(at..at + 1)
                .iter()
                .any(|byte| byte.is_ascii() && (outside || matches!(byte, b'"' | b'\\')))
            {
                self.write(at, b' ');
            }
        }
        if let Some(closing) = closing {
            std::iter::zip(closing.., quotes).for_each(|(at, quote)| self.write(at, *quote));
        }
    }

    fn write(&mut self, at: usize, byte: u8) {
        if let Some(slot) = self.out.get_mut(at) {
            *slot = byte;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chunk;

    /// The text of a file with each piece put right.
    fn repaired(text: &str) -> String {
        let repair =
            |piece: &Piece| super::repair(text.get(piece.range.clone()).unwrap_or_default(), piece).text;
        chunk::cut(text).iter().map(repair).collect()
    }

    #[test]
    fn indentation_tells_where_brackets_belong() {
        let table = [
            // Missing closers.
            ("a {\n  b {\n    c\n  d\n}\n", "a {\n  b {\n    c\n} d\n}\n"),
            ("a {\n  b {\n    c {\n      d\n  e\n}\n", "a {\n  b {\n    c {\n      d\n}}e\n}\n"),
            ("a {\n\tb {\n\t\tc {\n\t\t\td\n\te\n}\n", "a {\n\tb {\n\t\tc {\n\t\t\td}}e\n}\n"),
            ("a {\n  b [c, d\n  e\n}\n", "a {\n  b [c, d\n];e\n}\n"),
            ("a {\n  b [c -> d {\n    e\n  }\n}\n", "a {\n  b [c -> d]{\n    e\n  }\n}\n"),
            ("@a(b\nc {\n}\n", "@a(b)c {\n}\n"),
            // Missing openers.
            ("a\n  b\n}\n", "a{  b\n}\n"),
            ("a {\n  b # c\n    d\n  }\n}\n", "a {\n  b {  \n    d\n  }\n}\n"),
            // Surplus ones.
            ("a {\n  b }\n  c\n}\n", "a {\n  b  \n  c\n}\n"),
            ("a {\n  b {\n    c\n    }\n    d\n  }\n}\n", "a {\n  b {\n    c\n     \n    d\n  }\n}\n"),
            ("a { {\n  b\n}\n", "a {  \n  b\n}\n"),
            ("a b] c\n", "a b  c\n"),
            // The wrong kind.
            ("a [b, c) d\n", "a [b, c] d\n"),
            ("a {\n  b\n]\n", "a {\n  b\n}\n"),
            // Quotes.
            ("a \"b -> c {\n  d\n}\n", "a \"b -> c\"{\n  d\n}\n"),
            ("a r\"b c {\n  d\n}\n", "a r\"b c\"{\n  d\n}\n"),
            ("a \"b\\c {\n  d\n}\n", "a \"b c\"{\n  d\n}\n"),
            ("a \"\u{e9}{\n  d\n}\n", "a \u{20}\u{e9}{\n  d\n}\n"),
            ("a {\n  b \"\"\"\n    c d e\n  f\n}\n", "a {\n  b \"\"\"\n    c \"\"\"\n  f\n}\n"),
        ];
        for (broken, expected) in table {
            assert_eq!(repaired(broken), expected, "{broken}");
            assert_eq!(broken.len(), expected.len());
        }
    }
}
