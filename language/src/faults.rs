//! What is said of brackets and quotes that do not fit.

use crate::balance::Fault;
use crate::chunk::Piece;
use crate::code::Code;
use crate::diagnostic::{Applicability, Diagnostic};
use crate::source::Span;
use std::ops::Range;

/// The reports of one piece, which stands at `span` and reads `source`.
///
/// Each open string is reported. Brackets are reported once, by the first fault, which explains the others; and not at
/// all beside an open string, whose doing they may be.
pub(crate) fn reports(span: Span, source: &str, piece: &Piece, faults: &[Fault]) -> Vec<Diagnostic> {
    let base = piece.range.start;
    let strings =
        piece.loose().map(|string| open_string(span, source, string.start - base..string.end - base));
    let strings: Vec<Diagnostic> = strings.collect();
    if !strings.is_empty() {
        return strings;
    }
    let first = faults.iter().min_by_key(|fault| place(fault));
    first.map(|fault| brackets(span, source, fault)).into_iter().collect()
}

fn place(fault: &Fault) -> usize {
    match fault {
        Fault::Unopened { at } | Fault::Idle { at } | Fault::Surplus { at } | Fault::Mismatch { at, .. } => {
            *at
        }
        Fault::Unclosed { opener, .. } => *opener,
    }
}

fn brackets(span: Span, source: &str, fault: &Fault) -> Diagnostic {
    let char_at = |at: usize| source.as_bytes().get(at).map_or('?', |byte| char::from(*byte));
    let report = match fault {
        Fault::Surplus { at } => {
            surplus(span.part(*at, 1), format!("this `{}` closes nothing", char_at(*at)))
        }
        Fault::Idle { at } => surplus(span.part(*at, 1), format!("this `{}` opens nothing", char_at(*at))),
        Fault::Mismatch { at, opener, closer } => {
            let message = format!("this `{}` should be `{closer}`", char_at(*at));
            Diagnostic::new(Code::UNBALANCED, span.part(*at, 1), message)
                .related(span.part(*opener, 1), format!("to close this `{}`", char_at(*opener)))
                .help(format!("write `{closer}`"))
                .edit(Applicability::Unsafe, span.part(*at, 1), closer.to_string())
        }
        Fault::Unclosed { opener, before, closer } => {
            let message = format!("this `{}` is never closed", char_at(*opener));
            let end = source.get(..*before).map_or(0, |text| text.trim_end().len());
            Diagnostic::new(Code::UNBALANCED, span.part(*opener, 1), message)
                .related(span.part(end, 0), format!("`{closer}` seems to belong here"))
                .help(format!("write `{closer}`"))
                .edit(Applicability::Unsafe, span.part(end, 0), insertion(source, *opener, end, *closer))
        }
        Fault::Unopened { at } => {
            let start = line_start(source, *at);
            let head = span.part(start, at - start);
            Diagnostic::new(Code::UNBALANCED, head, "this line starts a block that has no `{`")
                .help("write `{` at its end")
                .edit(Applicability::Unsafe, span.part(*at, 0), " {")
        }
    };
    report.consequence(
        "the brackets were guessed from the indentation; nothing is written until they are right",
    )
}

fn surplus(place: Span, message: String) -> Diagnostic {
    Diagnostic::new(Code::UNBALANCED, place, message).help("remove it").edit(Applicability::Unsafe, place, "")
}

/// Where the line of `at` starts, behind its indentation.
fn line_start(source: &str, at: usize) -> usize {
    let before = source.get(..at).unwrap_or_default();
    let line = before.rfind('\n').map_or(before, |newline| before.get(newline + 1..).unwrap_or_default());
    at - line.trim_start_matches([' ', '\t']).len()
}

/// A closing brace goes onto a line of its own under the line that opened it, other closers behind the text.
fn insertion(source: &str, opener: usize, end: usize, closer: char) -> String {
    let between = source.get(opener..end).unwrap_or_default();
    if closer != '}' || !between.contains('\n') {
        return if closer == '}' { format!(" {closer}") } else { closer.to_string() };
    }
    let code = line_start(source, opener);
    let line = source.get(..code).map_or(0, |text| text.rfind('\n').map_or(0, |newline| newline + 1));
    format!("\n{}}}", source.get(line..code).unwrap_or_default())
}

fn open_string(span: Span, source: &str, string: Range<usize>) -> Diagnostic {
    let literal = source.get(string.clone()).unwrap_or_default();
    let written = literal.trim_end();
    let first_line = written.lines().next().unwrap_or_default().trim_end();
    let shown = span.part(string.start, first_line.len());
    let (quotes, closing) = match literal.starts_with("\"\"\"") {
        true if written.contains('\n') => ("\"\"\"", "\n\"\"\""),
        true => ("\"\"\"", "\"\"\""),
        false => ("\"", "\""),
    };
    Diagnostic::new(Code::UNTERMINATED_STRING, shown, "this string has no closing quote")
        .consequence("its end was guessed; nothing is written until it is closed")
        .help(format!("close it with `{quotes}`"))
        .edit(Applicability::Unsafe, span.part(string.start + written.len(), 0), closing)
}
