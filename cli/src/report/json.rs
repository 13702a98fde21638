//! Reports for programs; `docs/json.md` describes the fields.

use super::sources::Position;
use super::{Noticed, Sources};
use crate::exit::Failure;
use crate::sanitise::is_hidden;
use meshc_language::{Applicability, Diagnostic, Edit, Severity, Span};
use serde::Serialize;

/// One report.
#[derive(Debug, Serialize)]
pub(super) struct Record {
    pub(super) code: String,
    pub(super) severity: &'static str,
    pub(super) title: &'static str,
    pub(super) message: String,
    pub(super) label: Option<String>,
    pub(super) consequence: Option<String>,
    pub(super) help: Option<String>,
    #[serde(flatten)]
    pub(super) place: Place,
    pub(super) related: Vec<RelatedRecord>,
    pub(super) environments: Vec<String>,
    pub(super) targets: Vec<String>,
    pub(super) fix: Option<FixRecord>,
    pub(super) foreign: Vec<&'static str>,
}

/// A place in a file.
#[derive(Debug, Serialize)]
pub(crate) struct Place {
    pub(super) file: String,
    pub(super) bytes: Bytes,
    pub(super) start: Position,
    pub(super) end: Position,
}

/// Bytes of a file, from 0, the end not included.
#[derive(Debug, Serialize)]
pub(super) struct Bytes {
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Another place.
#[derive(Debug, Serialize)]
pub(super) struct RelatedRecord {
    pub(super) text: String,
    #[serde(flatten)]
    pub(super) place: Place,
}

/// Edits that belong together.
#[derive(Debug, Serialize)]
pub(super) struct FixRecord {
    pub(super) applicability: &'static str,
    pub(super) edits: Vec<EditRecord>,
}

/// One replacement.
#[derive(Debug, Serialize)]
pub(super) struct EditRecord {
    #[serde(flatten)]
    pub(super) place: Place,
    pub(super) replacement: String,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.start.line, self.start.column)
    }
}

impl Place {
    /// The place of a span.
    pub(crate) fn of(sources: &Sources<'_>, span: Span) -> Self {
        let bytes = span.range();
        Self {
            file: sources.name(span.file).to_owned(),
            start: sources.position(span.file, bytes.start),
            end: sources.position(span.file, bytes.end),
            bytes: Bytes { start: bytes.start, end: bytes.end },
        }
    }

    fn of_file(file: &str) -> Self {
        let start = Position { line: 1, column: 1 };
        Self { file: file.to_owned(), bytes: Bytes { start: 0, end: 0 }, start, end: start }
    }
}

impl Record {
    pub(super) fn of(sources: &Sources<'_>, report: &Diagnostic) -> Self {
        let entry = report.code.entry();
        let related = report.related.iter().map(|related| RelatedRecord {
            text: related.text.clone(),
            place: Place::of(sources, related.span),
        });
        Self {
            code: report.code.to_string(),
            severity: report.severity.name(),
            title: entry.title,
            message: report.message.clone(),
            label: Some(report.label.clone()).filter(|label| !label.is_empty()),
            consequence: report.consequence.clone(),
            help: report.help.clone(),
            place: Place::of(sources, report.span),
            related: related.collect(),
            environments: report.environments.clone(),
            targets: report.targets.clone(),
            fix: report.fix.as_ref().map(|fix| FixRecord {
                applicability: match fix.applicability {
                    Applicability::Safe => "safe",
                    Applicability::Unsafe => "unsafe",
                },
                edits: fix.edits.iter().map(|edit| EditRecord::of(sources, edit)).collect(),
            }),
            foreign: entry.related.to_vec(),
        }
    }

    pub(super) fn of_notice(noticed: &Noticed) -> Self {
        Self {
            code: noticed.notice.code.to_owned(),
            severity: Severity::Error.name(),
            title: noticed.notice.title,
            message: noticed.message.clone(),
            label: None,
            consequence: None,
            help: Some(noticed.notice.help.to_owned()),
            place: Place::of_file(&noticed.file),
            related: Vec::new(),
            environments: Vec::new(),
            targets: Vec::new(),
            fix: None,
            foreign: Vec::new(),
        }
    }
}

impl EditRecord {
    fn of(sources: &Sources<'_>, edit: &Edit) -> Self {
        Self { place: Place::of(sources, edit.span), replacement: edit.replacement.clone() }
    }
}

/// Anything as JSON, with a newline at the end. What a terminal would obey is escaped.
pub(crate) fn text(value: &impl Serialize) -> Result<Vec<u8>, Failure> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::new(format!("cannot write JSON: {error}")))?;
    let mut safe = String::with_capacity(text.len() + 1);
    for char in text.chars() {
        // JSON itself has no such character outside of strings.
        if char == '\n' || !is_hidden(char) {
            safe.push(char);
        } else {
            safe.extend(char.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    safe.push('\n');
    Ok(safe.into_bytes())
}

pub(super) fn render(records: &[Record]) -> Result<Vec<u8>, Failure> {
    text(&records)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hidden_is_escaped_and_read_back() {
        let hidden = "\u{1b}\u{9b}\u{202e}\u{e0041}ü";
        let json = text(&hidden).unwrap_or_default();
        assert_eq!(json, b"\"\\u001b\\u009b\\u202e\\udb40\\udc41\xc3\xbc\"\n");
        assert_eq!(serde_json::from_slice::<String>(&json).unwrap_or_default(), hidden);
    }
}
