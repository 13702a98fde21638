//! Reports in Markdown, for a comment on a change or the summary of a workflow.

use super::Sources;
use super::json::Record;
use crate::sanitise::message;
use std::fmt::Write;

/// Reports that are written out; a comment has a limit of length.
const MOST: usize = 50;

pub(super) fn render(records: &[Record], sources: &Sources<'_>) -> String {
    if records.is_empty() {
        return "**meshc**: no findings\n".to_owned();
    }
    let counts = ["error", "warning", "note"].map(|level| {
        let count = records.iter().filter(|record| record.severity == level).count();
        (count > 0).then(|| super::counted(count, level))
    });
    let counts: Vec<String> = counts.into_iter().flatten().collect();
    let mut text = format!("**meshc**: {}\n", counts.join(", "));
    for record in records.iter().take(MOST) {
        let place = &record.place;
        // Writing into a string does not fail.
        _ = write!(
            text,
            "\n### {}: {}\n\n{}, {}\n",
            record.severity,
            prose(&record.message),
            code(&format!("{}:{}:{}", place.file, place.start.line, place.start.column)),
            record.code,
        );
        if let Some(line) = sources.line_of(&place.file, place.start.line) {
            let line = crate::sanitise::line(line);
            let fence = fence(&line);
            _ = write!(text, "\n{fence}mesh\n{line}\n{fence}\n");
        }
        let details = details(record);
        if !details.is_empty() {
            _ = write!(text, "\n{details}");
        }
    }
    if records.len() > MOST {
        _ = write!(text, "\n... and {} more; `--format json` has them all\n", records.len() - MOST);
    }
    text
}

/// What production would do, and what to do about it, as a list.
pub(super) fn details(record: &Record) -> String {
    let parts = [("in production", &record.consequence), ("help", &record.help)];
    let mut text = String::new();
    for (name, part) in parts.iter().filter_map(|(name, part)| Some((name, part.as_ref()?))) {
        _ = writeln!(text, "- {name}: {}", prose(part));
    }
    for (name, list) in [("only in", &record.environments), ("only for", &record.targets)] {
        if !list.is_empty() {
            _ = writeln!(text, "- {name}: {}", prose(&list.join(", ")));
        }
    }
    text
}

/// A message on one line. What stands in backticks is code and stays as it is; of the rest nothing may become a tag, a link or a
/// mention.
fn prose(text: &str) -> String {
    let text = message(text).replace('\n', " ");
    let mut safe = String::with_capacity(text.len());
    let mut is_code = false;
    for char in text.chars() {
        is_code ^= char == '`';
        match char {
            '<' if !is_code => safe.push_str("&lt;"),
            '[' | ']' | '*' | '_' | '|' | '#' | '\\' if !is_code => safe.extend(['\\', char]),
            // A name behind it would be told.
            '@' if !is_code => safe.push_str("@\u{200b}"),
            _ => safe.push(char),
        }
    }
    if is_code {
        safe.push('`');
    }
    safe
}

fn code(text: &str) -> String {
    format!("`{}`", message(text).replace('`', "'").replace('\n', " "))
}

/// A fence that is longer than any run of backticks in the text.
fn fence(text: &str) -> String {
    let longest = text.split(|char| char != '`').map(str::len).max().unwrap_or_default();
    "`".repeat((longest + 1).max(3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_message_becomes_markup() {
        assert_eq!(prose("<b>@all `a*b` [x](y)"), "&lt;b>@\u{200b}all `a*b` \\[x\\](y)");
        assert_eq!(prose("an `open"), "an `open`");
        assert_eq!(fence("````"), "`````");
    }
}
