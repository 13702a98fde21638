//! Reports as commands of GitHub workflows, which become annotations.

use super::json::Record;
use crate::sanitise::message;
use std::fmt::Write;

pub(super) fn render(records: &[Record]) -> String {
    let mut text = String::new();
    for record in records {
        let command = if record.severity == "note" { "notice" } else { record.severity };
        let place = &record.place;
        // Writing into a string does not fail.
        _ = write!(text, "::{command} file={},line={},", property(&place.file), place.start.line);
        _ = write!(text, "endLine={},col={},", place.end.line, place.start.column);
        if place.start.line == place.end.line {
            _ = write!(text, "endColumn={},", place.end.column);
        }
        _ = writeln!(text, "title={}::{}", property(&record.code), data(&body(record)));
    }
    text
}

fn body(record: &Record) -> String {
    let mut body = record.message.clone();
    let parts = [("in production", &record.consequence), ("help", &record.help)];
    for (name, part) in parts.iter().filter_map(|(name, part)| Some((name, part.as_ref()?))) {
        _ = write!(body, "\n{name}: {part}");
    }
    if !record.environments.is_empty() {
        _ = write!(body, "\nonly in: {}", record.environments.join(", "));
    }
    if !record.targets.is_empty() {
        _ = write!(body, "\nonly for: {}", record.targets.join(", "));
    }
    body
}

/// The text of a command.
fn data(text: &str) -> String {
    message(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of a command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_ends_the_command() {
        assert_eq!(data("50% of\r\nall"), "50%25 of\\u{d}%0Aall");
        assert_eq!(property("a:b,c\nd"), "a%3Ab%2Cc%0Ad");
    }
}
