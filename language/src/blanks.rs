//! Blanks of other alphabets between words, such as the non-breaking space that pages and word processors put into what is copied from
//! them. They are read as spaces, and reported. In strings and comments they are text.

use crate::code::Code;
use crate::diagnostic::{Applicability, Diagnostic};
use crate::grammar;
use crate::source::Span;
use crate::tree::Kind;

/// The text of a piece with spaces in place of such blanks, byte for byte as long, and the one report of them; `None` without any.
pub(crate) fn replaced(piece: Span, source: &str) -> Option<(String, Diagnostic)> {
    memchr::memchr3(0xc2, 0xe2, 0xe3, source.as_bytes())?;
    if !source.contains(is_odd) {
        return None;
    }
    let mut text = source.to_owned();
    let mut report: Option<Diagnostic> = None;
    for node in grammar::read(source, 0)?.nodes.iter().filter(|node| node.kind == Kind::Word) {
        let word = source.get(node.start as usize..node.end as usize).unwrap_or_default();
        for (at, blank) in word.match_indices(is_odd) {
            let at = node.start as usize + at;
            let place = piece.part(at, blank.len());
            text.replace_range(at..at + blank.len(), &" ".repeat(blank.len()));
            let so_far = report.unwrap_or_else(|| first(place, blank));
            report = Some(so_far.edit(Applicability::Safe, place, " "));
        }
    }
    report.map(|report| (text, report))
}

fn first(place: Span, blank: &str) -> Diagnostic {
    let number = blank.chars().next().map_or(0, u32::from);
    let name = if number == 0xa0 { "non-breaking space" } else { "blank of another kind," };
    Diagnostic::new(Code::FOREIGN_SPELLING, place, format!("{name} U+{number:04X} between words"))
        .help("write a space")
}

/// A blank that is no space of the language. Line and paragraph separators are among them; what cannot be seen at all is not.
fn is_odd(char: char) -> bool {
    !char.is_ascii() && char.is_whitespace() && !char.is_control()
}
