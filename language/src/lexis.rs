//! Where brackets, lines and broken strings are: one pass over a text that passes over strings and comments as the
//! grammar reads them.
//!
//! A string that is not closed ends where its author probably meant it to end, so that it swallows no bracket.

use std::ops::Range;

/// One of `{ } [ ] ( )`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bracket(pub(crate) u8);

impl Bracket {
    pub(crate) fn opens(self) -> bool {
        matches!(self.0, b'{' | b'[' | b'(')
    }

    /// The closer of an opener; a closer itself.
    pub(crate) fn closer(self) -> u8 {
        match self.0 {
            b'{' => b'}',
            b'[' => b']',
            b'(' => b')',
            other => other,
        }
    }
}

/// What the pass stops at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    Bracket(usize, Bracket),
    /// A line outside strings starts here.
    Line(usize),
    /// A comment starts here.
    Comment(usize),
    /// A string without a closing quote.
    Loose(Range<usize>),
}

/// The pass.
pub(crate) struct Marks<'t> {
    bytes: &'t [u8],
    at: usize,
    /// Where the last `${name}` ended: a word goes on behind its brace.
    variable: usize,
    /// Where the last `'...'` ended.
    quoted: usize,
    /// Whether `"""` always reaches to the next `"""`, whatever stands between them.
    trusting: bool,
}

impl<'t> Marks<'t> {
    pub(crate) fn new(text: &'t str, trusting: bool) -> Self {
        Self { bytes: text.as_bytes(), at: 0, variable: 0, quoted: 0, trusting }
    }

    fn rest(&self) -> &'t [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn line_end(&self, from: usize) -> usize {
        let rest = self.bytes.get(from..).unwrap_or_default();
        from + memchr::memchr(b'\n', rest).unwrap_or(rest.len())
    }

    /// Passes over the string whose quote stands here.
    fn string(&mut self) -> Option<Mark> {
        let start = self.at;
        let raw = self.is_raw();
        if !raw && self.rest().starts_with(b"\"\"\"") {
            return self.block_string();
        }
        self.at += 1;
        loop {
            let stop = memchr::memchr3(b'"', b'\n', if raw { b'"' } else { b'\\' }, self.rest());
            let rest = self.rest().get(stop.unwrap_or(self.rest().len())..).unwrap_or_default();
            self.at = self.bytes.len() - rest.len();
            match rest {
                [b'"', ..] => {
                    self.at += 1;
                    return None;
                }
                [b'\\', next, ..] if *next != b'\n' => self.at += 2,
                _ => break,
            }
        }
        let from = if raw { start - 1 } else { start };
        self.at = self.without_brackets(start + 1, self.line_end(self.at));
        Some(Mark::Loose(from..self.at))
    }

    /// The end of `from..to` without the brackets that end it: they are hardly text.
    fn without_brackets(&self, from: usize, to: usize) -> usize {
        let line = self.bytes.get(from..to).unwrap_or_default();
        let brackets = line.iter().rev().take_while(|byte| b" \t\r{}[]()".contains(byte)).count();
        let tail = line.get(line.len() - brackets..).unwrap_or_default();
        let first = tail.iter().position(|byte| b"{}[]()".contains(byte)).unwrap_or(tail.len());
        from + line.len() - brackets + first
    }

    fn block_string(&mut self) -> Option<Mark> {
        let start = self.at;
        let body = self.bytes.get(start + 3..).unwrap_or_default();
        let close = memchr::memmem::find(body, b"\"\"\"");
        let inside = body.get(..close.unwrap_or(body.len())).unwrap_or_default();
        match close {
            Some(close) if self.trusting || !holds_item(inside) => {
                self.at = start + 3 + close + 3;
                None
            }
            _ => {
                self.at = self.dedent(start);
                Some(Mark::Loose(start..self.at))
            }
        }
    }

    /// The end of the last line behind `start` that stands deeper than the line of `start`.
    fn dedent(&self, start: usize) -> usize {
        let indent = indent_of(self.bytes, start);
        let mut end = self.line_end(start);
        while end < self.bytes.len() {
            let line = end + 1;
            let next = self.line_end(line);
            let text = self.bytes.get(line..next).unwrap_or_default().trim_ascii_start();
            if !text.is_empty() && indent_of(self.bytes, next) <= indent {
                break;
            }
            end = next;
        }
        end
    }

    /// Whether the quote here is that of `r"..."`: an `r` before it that is a word of its own.
    fn is_raw(&self) -> bool {
        let Some((b'r', before)) = self.bytes.get(..self.at).and_then(<[u8]>::split_last) else {
            return false;
        };
        self.ends_before(before)
    }

    /// Whether a token starts behind `before`.
    fn ends_before(&self, before: &[u8]) -> bool {
        let delimiter = |byte: &u8| b" \t\r\n;,[](){}\"".contains(byte);
        let mut word = before;
        while let Some(rest) = word.strip_suffix(b"->") {
            word = rest;
        }
        let goes_on = self.variable > 0 && self.variable == word.len();
        !goes_on && (word.last().is_none_or(delimiter) || (self.quoted > 0 && self.quoted == word.len()))
    }

    /// Whether `//` begins here where a token may begin.
    fn starts_comment(&self) -> bool {
        self.rest().starts_with(b"//") && self.ends_before(self.bytes.get(..self.at).unwrap_or_default())
    }

    /// Passes over `'...'` if such a string starts here, else over the quote.
    fn single_quoted(&mut self) {
        let starts = self.ends_before(self.bytes.get(..self.at).unwrap_or_default());
        self.at += 1;
        if let Some(length) = memchr::memchr2(b'\'', b'\n', self.rest()).filter(|_| starts)
            && self.rest().get(length) == Some(&b'\'')
        {
            self.at += length + 1;
            self.quoted = self.at;
        }
    }

    /// Passes over the `{name}` of a `${name}`.
    fn variable(&mut self) -> bool {
        if self.at.checked_sub(1).and_then(|before| self.bytes.get(before)) != Some(&b'$') {
            return false;
        }
        let name = self.rest().get(1..).unwrap_or_default();
        let length = name.iter().take_while(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-')).count();
        let closed = name.get(length) == Some(&b'}');
        if closed {
            self.at += length + 2;
            self.variable = self.at;
        }
        closed
    }
}

/// The bytes at which the pass stops; all others are passed over.
const STOPS: [bool; 256] = {
    let mut table = [false; 256];
    let stops = b"{}[]()\"'#/\n";
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

impl Iterator for Marks<'_> {
    type Item = Mark;

    fn next(&mut self) -> Option<Mark> {
        loop {
            let rest = self.rest();
            let offset =
                rest.iter().position(|byte| STOPS.get(usize::from(*byte)).copied().unwrap_or(false))?;
            self.at += offset;
            match *rest.get(offset)? {
                b'\n' => {
                    self.at += 1;
                    return Some(Mark::Line(self.at));
                }
                b'#' => {
                    let start = self.at;
                    self.at = self.line_end(start);
                    return Some(Mark::Comment(start));
                }
                b'"' => {
                    if let Some(loose) = self.string() {
                        return Some(loose);
                    }
                }
                b'\'' => self.single_quoted(),
                b'/' if !self.starts_comment() => self.at += 1,
                b'/' => {
                    let start = self.at;
                    self.at = self.line_end(start);
                    return Some(Mark::Comment(start));
                }
                b'{' if self.variable() => {}
                bracket => {
                    self.at += 1;
                    return Some(Mark::Bracket(self.at - 1, Bracket(bracket)));
                }
            }
        }
    }
}

/// Whether a line is one of those that version control leaves around two versions of the same lines.
pub(crate) fn is_conflict_mark(line: &[u8]) -> bool {
    [b"<<<<<<<", b"|||||||", b"=======", b">>>>>>>"].iter().any(|mark| line.starts_with(*mark))
}

/// Whether a line in column 0 could start an item.
fn holds_item(text: &[u8]) -> bool {
    memchr::memchr_iter(b'\n', text).any(|newline| text.get(newline + 1).is_some_and(u8::is_ascii_alphabetic))
}

/// Where the line of `at` starts.
fn line_start(bytes: &[u8], at: usize) -> usize {
    let before = bytes.get(..at).unwrap_or_default();
    memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1)
}

/// How many blanks the line of `at` starts with.
fn indent_of(bytes: &[u8], at: usize) -> usize {
    let line = bytes.get(line_start(bytes, at)..).unwrap_or_default();
    line.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The brackets outside strings and comments, and the strings that are open.
    fn read(text: &str, trusting: bool) -> (String, Vec<&str>) {
        let (mut brackets, mut loose) = (String::new(), Vec::new());
        for mark in Marks::new(text, trusting) {
            match mark {
                Mark::Bracket(_, bracket) => brackets.push(char::from(bracket.0)),
                Mark::Loose(string) => loose.extend(text.get(string)),
                Mark::Line(_) | Mark::Comment(_) => {}
            }
        }
        (brackets, loose)
    }

    #[test]
    fn strings_and_comments_hide_brackets() {
        let table: [(&str, &str, &[&str]); 24] = [
            ("a // {\n}", "}", &[]),
            ("http://a/{ {", "{{", &[]),
            ("a '{ \"' { '[' '(", "{(", &[]),
            ("a it's { b", "{", &[]),
            ("a '{''}' ->'[' {", "{", &[]),
            ("a { b [c] (d) }", "{[]()}", &[]),
            ("a # {\n}", "}", &[]),
            (r#""{" {"#, "{", &[]),
            (r#""\"{" {"#, "{", &[]),
            (r#"r"\" {"#, "{", &[]),
            (r#"bar"\" {" {"#, "{", &[]),
            (r#"->r"\" {"#, "{", &[]),
            (r#"a->r"\" {" {"#, "{", &[]),
            (r#"${a}r"\" {" {"#, "{", &[]),
            ("\"\"\"\n{\n\"\"\" {", "{", &[]),
            ("${name} ${ {", "{{", &[]),
            // Open strings end in front of the brackets that end their line.
            ("a \"b -> c {\n}", "{}", &["\"b -> c "]),
            ("a r\"b\\ {\n}", "{}", &["r\"b\\ "]),
            ("{ a \"b } }", "{}}", &["\"b "]),
            ("a \"b\n{", "{", &["\"b"]),
            ("a \"b\\", "", &["\"b\\"]),
            // An open block ends with its indentation.
            ("  a \"\"\"\n    {\n  b {\n", "{", &["\"\"\"\n    {"]),
            ("  a \"\"\"\n    {\n}\n", "}", &["\"\"\"\n    {"]),
            ("\"\"\"", "", &["\"\"\""]),
        ];
        for (text, brackets, loose) in table {
            let read = read(text, true);
            assert_eq!((read.0.as_str(), read.1.as_slice()), (brackets, loose), "{text}");
        }
    }

    #[test]
    fn a_block_that_swallows_an_item_is_open() {
        let text = "a \"\"\"\n  x\nb {\n  c \"\"\"\n    y\n  \"\"\"\n}\n";
        assert_eq!(read(text, true), (String::from("}"), vec!["\"\"\""]));
        assert_eq!(read(text, false), (String::from("{}"), vec!["\"\"\"\n  x"]));
    }
}
