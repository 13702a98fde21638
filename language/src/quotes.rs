//! Strings in quotes of other languages, `'x'`, `` `x` ``, `“x”`, and comments that begin with `//`. They are read as what they stand
//! for, and refused.

use crate::code::Code;
use crate::diagnostic::{Applicability, Diagnostic};
use crate::source::{FileId, Span};
use crate::text;
use crate::tree::{Chunk, Kind};

/// Opening quotes and those that may close them.
const PAIRS: &[(&[char], &[char])] = &[
    (&['\''], &['\'']),
    (&['`'], &['`']),
    (&['\u{201c}', '\u{201d}', '\u{201e}'], &['\u{201c}', '\u{201d}']),
    (&['\u{2018}', '\u{2019}'], &['\u{2018}', '\u{2019}']),
    (&['\u{ab}'], &['\u{bb}']),
];

/// The text inside of the quotes of another language that a text starts with, up to the first that closes them.
#[must_use]
pub(crate) fn foreign(written: &str) -> Option<&str> {
    let first = written.chars().next()?;
    let (_, closers) = PAIRS.iter().find(|(openers, _)| openers.contains(&first))?;
    let body = written.get(first.len_utf8()..)?;
    body.find(*closers).and_then(|end| body.get(..end))
}

/// Reports the strings of a chunk that stand in such quotes, and words that begin with one.
pub(crate) fn reports(
    file: FileId,
    text: &str,
    piece: std::ops::Range<usize>,
    chunk: &Chunk,
) -> Vec<Diagnostic> {
    let source = text.as_bytes().get(piece).unwrap_or_default();
    if memchr::memchr3(b'\'', b'`', 0xe2, source).is_none()
        && memchr::memchr(0xc2, source).is_none()
        && memchr::memmem::find(source, b"//").is_none()
    {
        return Vec::new();
    }
    let mut reports = Vec::new();
    let mut comments: Option<Diagnostic> = None;
    for node in &chunk.nodes {
        let span = Span::new(file, node.start, node.end);
        let Some(written) = text.get(span.range()) else { continue };
        match node.kind {
            Kind::Text => reports.extend(foreign(written).map(|body| report(span, written, body))),
            Kind::Comment if written.starts_with('/') => {
                let slashes = span.part(0, 2);
                comments = Some(comments.unwrap_or_else(|| comment(slashes)).edit(
                    Applicability::Safe,
                    slashes,
                    "#",
                ));
            }
            Kind::Word if opens(written) => reports.push(unclosed(span, written)),
            Kind::Word
            | Kind::Raw
            | Kind::TextBlock
            | Kind::Statement
            | Kind::Attribute
            | Kind::Block
            | Kind::List
            | Kind::Group
            | Kind::Arrow
            | Kind::Comma
            | Kind::Doc
            | Kind::Comment => {}
        }
    }
    reports.extend(comments);
    reports
}

/// All comments of an item are one report.
fn comment(slashes: Span) -> Diagnostic {
    Diagnostic::new(Code::FOREIGN_SPELLING, slashes, "a comment begins with `#`").help("write `# ...`")
}

pub(crate) fn opens(written: &str) -> bool {
    written.chars().next().is_some_and(|first| PAIRS.iter().any(|(openers, _)| openers.contains(&first)))
}

fn report(span: Span, written: &str, body: &str) -> Diagnostic {
    let mut report =
        Diagnostic::new(Code::FOREIGN_QUOTES, span, format!("`{written}` is not in double quotes"))
            .consequence("these quotes would be part of the text, so it would never match");
    // Whether `${` starts a variable, and what a backslash means, differs from one language to the next.
    if body.contains("${") {
        return report
            .help("write `\"...\"`; there `${name}` is the value of `$name`, and `\\${name}` is text");
    }
    let (right, applicability) = if body.contains('\\') && !body.contains('"') {
        (format!("r\"{body}\""), Applicability::Unsafe)
    } else if body.contains('\\') {
        (text::quote(body), Applicability::Unsafe)
    } else {
        (text::quote(body), Applicability::Safe)
    };
    report = report.help(format!("write `{right}`"));
    report.edit(applicability, span, right)
}

fn unclosed(span: Span, written: &str) -> Diagnostic {
    let quote: String = written.chars().take(1).collect();
    Diagnostic::new(Code::FOREIGN_QUOTES, span, format!("a word begins with the quote `{quote}`"))
        .consequence("the quote would be part of the text, so it would never match")
        .help("write strings in double quotes, such as `\"/a\"`")
}
