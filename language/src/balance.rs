//! Brackets of one chunk: are they balanced, and if not, where does the one that is missing belong?
//!
//! A repair never moves a byte: a surplus closer becomes a blank, a missing closer takes the place of a blank of the
//! indentation behind it. So every span of the repaired text is a span of the file.

/// Nesting deeper than this is refused before the parser sees it: no mesh needs it, and recursion must be bounded.
pub(crate) const MAX_DEPTH: u32 = 128;

/// What one pass over the text of a chunk tells.
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
}

/// Walks over the brackets of `text` that stand outside strings and comments.
pub(crate) fn measure(text: &str) -> Balance {
    let mut balance = Balance::default();
    // Which kind each open bracket has, as a stack of two-bit numbers; beyond 64 levels kinds are not compared.
    let mut kinds: u128 = 0;
    for (_, bracket) in Brackets::new(text) {
        if bracket.opens() {
            balance.net += 1;
            balance.deepest = balance.deepest.max(balance.net);
            kinds = kinds << 2 | bracket.kind();
        } else {
            if balance.net > 0 && balance.net <= 64 && kinds & 3 != bracket.kind() {
                balance.mismatch = true;
            }
            balance.net -= 1;
            balance.lowest = balance.lowest.min(balance.net);
            kinds >>= 2;
        }
    }
    balance
}

/// One of `{ } [ ] ( )`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bracket(u8);

impl Bracket {
    fn opens(self) -> bool {
        matches!(self.0, b'{' | b'[' | b'(')
    }

    fn kind(self) -> u128 {
        match self.0 {
            b'{' | b'}' => 0,
            b'[' | b']' => 1,
            _ => 2,
        }
    }

    fn closer(self) -> u8 {
        match self.0 {
            b'{' => b'}',
            b'[' => b']',
            b'(' => b')',
            other => other,
        }
    }
}

/// The brackets of a text with their places; strings and comments are passed over as the grammar reads them.
struct Brackets<'t> {
    bytes: &'t [u8],
    at: usize,
}

impl<'t> Brackets<'t> {
    fn new(text: &'t str) -> Self {
        Self { bytes: text.as_bytes(), at: 0 }
    }

    fn rest(&self) -> &'t [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn skip_comment(&mut self) {
        self.at += memchr::memchr(b'\n', self.rest()).unwrap_or(self.rest().len());
    }

    fn skip_string(&mut self) {
        if self.rest().starts_with(b"\"\"\"") {
            let body = self.rest().get(3..).unwrap_or_default();
            let length = memchr::memmem::find(body, b"\"\"\"").map_or(body.len(), |at| at + 3);
            self.at += 3 + length;
            return;
        }
        let raw = self.is_raw();
        self.at += 1;
        loop {
            let rest = self.rest();
            match memchr::memchr3(b'"', b'\n', if raw { b'"' } else { b'\\' }, rest) {
                None => {
                    self.at += rest.len();
                    return;
                }
                Some(offset) => match rest.get(offset) {
                    Some(b'\\') if rest.get(offset + 1) == Some(&b'\n') => {
                        self.at += offset + 1;
                        return;
                    }
                    Some(b'\\') => self.at = (self.at + offset + 2).min(self.bytes.len()),
                    Some(b'"') => {
                        self.at += offset + 1;
                        return;
                    }
                    _ => {
                        self.at += offset;
                        return;
                    }
                },
            }
        }
    }

    /// Whether the quote here is that of `r"..."`: an `r` before it that does not end a longer word.
    fn is_raw(&self) -> bool {
        let before = |back: usize| self.at.checked_sub(back).and_then(|at| self.bytes.get(at)).copied();
        before(1) == Some(b'r')
            && before(2).is_none_or(|byte| {
                matches!(
                    byte,
                    b' ' | b'\t'
                        | b'\r'
                        | b'\n'
                        | b';'
                        | b','
                        | b'['
                        | b'('
                        | b'{'
                        | b'}'
                        | b']'
                        | b')'
                        | b'"'
                )
            })
    }
}

/// The bytes at which the walk stops; all others are passed over.
const STOPS: [bool; 256] = {
    let mut table = [false; 256];
    let stops = b"{}[]()\"#";
    let mut i = 0;
    while i < stops.len() {
        #[expect(
            clippy::indexing_slicing,
            reason = "evaluated at compile time: out of bounds does not compile"
        )]
        {
            table[stops[i] as usize] = true;
        }
        i += 1;
    }
    table
};

impl Iterator for Brackets<'_> {
    type Item = (usize, Bracket);

    fn next(&mut self) -> Option<(usize, Bracket)> {
        loop {
            let rest = self.rest();
            let offset =
                rest.iter().position(|byte| STOPS.get(usize::from(*byte)).copied().unwrap_or(false))?;
            self.at += offset;
            match rest.get(offset) {
                Some(b'"') => self.skip_string(),
                Some(b'#') => self.skip_comment(),
                Some(&bracket) => {
                    self.at += 1;
                    return Some((self.at - 1, Bracket(bracket)));
                }
                None => return None,
            }
        }
    }
}

/// One bracket that is missing or too many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The opener at `opener` has no closer; by the indentation it belongs in front of `before`.
    Unclosed { opener: usize, before: usize, closer: char },
    /// The closer at `at` closes nothing.
    Surplus { at: usize },
    /// The closer at `at` closes an opener of another kind.
    Mismatch { at: usize, opener: usize, closer: char },
}

/// A chunk with its brackets put right, byte for byte as long as before, and what was wrong.
pub(crate) struct Repaired {
    pub(crate) text: String,
    pub(crate) faults: Vec<Fault>,
}

/// Puts brackets right by the indentation: a block ends before the first line that stands no deeper than the line
/// that opened it.
pub(crate) fn repair(text: &str) -> Repaired {
    let mut repair =
        Repair { text, out: text.as_bytes().to_vec(), open: Vec::new(), faults: Vec::new(), line: 0 };
    let net = measure(text).net;
    for (at, bracket) in Brackets::new(text) {
        repair.close_by_indentation(at);
        if bracket.opens() {
            let indent = repair.indent_of(at);
            repair.open.push(Open { at, bracket, indent });
        } else {
            repair.close(at, bracket, net);
        }
    }
    repair.close_by_indentation(text.len());
    repair.close_rest();
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
    fn line_start(&self, at: usize) -> usize {
        let before = self.text.as_bytes().get(..at).unwrap_or_default();
        memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1)
    }

    fn indent_of(&self, at: usize) -> usize {
        self.indent(self.line_start(at))
    }

    fn indent(&self, line: usize) -> usize {
        let rest = self.text.as_bytes().get(line..).unwrap_or_default();
        rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
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
        let Some(open) = self.open.last() else {
            self.blank(at);
            self.faults.push(Fault::Surplus { at });
            return;
        };
        // With more closers than openers, one that stands deeper than its block is the one too many.
        let first_on_line = self.line_start(at) + self.indent_of(at) == at;
        if net < 0 && first_on_line && self.indent_of(at) > open.indent && open.at < self.line_start(at) {
            self.blank(at);
            self.faults.push(Fault::Surplus { at });
            return;
        }
        if open.bracket.kind() != bracket.kind() {
            let closer = open.bracket.closer();
            let opener = open.at;
            // A closer that fits an outer opener leaves the inner one unclosed; otherwise it is a slip of the key.
            if self.open.iter().rev().skip(1).any(|outer| outer.bracket.kind() == bracket.kind()) {
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

    fn blank(&mut self, at: usize) {
        if let Some(slot) = self.out.get_mut(at) {
            *slot = b' ';
        }
    }

    /// What is still open at the end of the chunk is closed there by the grammar; here it is only reported.
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
