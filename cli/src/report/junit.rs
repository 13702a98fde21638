//! Reports as JUnit's XML: a suite for each file, a case for each report in it. Errors fail; warnings and notes pass, with their text
//! as output. A run without reports is one case that passes: most servers take a file without cases for a fault.

use super::json::Record;
use crate::sanitise::message;
use std::collections::BTreeMap;
use std::fmt::Write;

pub(super) fn render(records: &[Record]) -> String {
    let mut files: BTreeMap<&str, Vec<&Record>> = BTreeMap::new();
    for record in records {
        files.entry(&record.place.file).or_default().push(record);
    }
    let failures = |records: &[&Record]| records.iter().filter(|record| record.severity == "error").count();
    let all: Vec<&Record> = records.iter().collect();
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let (tests, failed) = (records.len().max(1), failures(&all));
    // Writing into a string does not fail.
    _ = writeln!(text, "<testsuites name=\"meshc\" tests=\"{tests}\" failures=\"{failed}\" errors=\"0\">");
    if records.is_empty() {
        text.push_str("  <testsuite name=\"meshc\" tests=\"1\" failures=\"0\" errors=\"0\" skipped=\"0\">\n");
        text.push_str("    <testcase name=\"no findings\" classname=\"meshc\"/>\n  </testsuite>\n");
    }
    for (file, records) in &files {
        let (tests, failed, file) = (records.len(), failures(records), escaped(file));
        let counts = format!("tests=\"{tests}\" failures=\"{failed}\" errors=\"0\" skipped=\"0\"");
        _ = writeln!(text, "  <testsuite name=\"{file}\" {counts}>");
        for record in records {
            case(&mut text, record, &file);
        }
        text.push_str("  </testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    text
}

fn case(text: &mut String, record: &Record, file: &str) {
    let start = record.place.start;
    let name = escaped(&format!("{} at {}:{}", record.code, start.line, start.column));
    let (said, body) = (escaped(&message(&record.message)), escaped(&body(record)));
    _ = writeln!(text, "    <testcase name=\"{name}\" classname=\"{file}\">");
    if record.severity == "error" {
        let kind = escaped(&record.code);
        _ = writeln!(text, "      <failure message=\"{said}\" type=\"{kind}\">{body}</failure>");
    } else {
        _ = writeln!(text, "      <system-out>{}: {said}\n{body}</system-out>", record.severity);
    }
    text.push_str("    </testcase>\n");
}

fn body(record: &Record) -> String {
    let place = &record.place;
    let mut body = format!("{}:{}:{}", place.file, place.start.line, place.start.column);
    let parts = [("in production", &record.consequence), ("help", &record.help)];
    for (name, part) in parts.iter().filter_map(|(name, part)| Some((name, part.as_ref()?))) {
        _ = write!(body, "\n{name}: {part}");
    }
    body
}

/// A text for an attribute or an element. XML 1.0 has no spelling for most control characters at all.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\n' => safe.push_str("&#10;"),
            '\t' => safe.push_str("&#9;"),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => safe.push('\u{fffd}'),
            _ => safe.push(char),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_ends_the_element() {
        assert_eq!(escaped("<a b=\"&\">\u{1b}\n"), "&lt;a b=&quot;&amp;&quot;&gt;\u{fffd}&#10;");
    }

    #[test]
    fn a_clean_run_is_a_case_that_passes() {
        let text = render(&[]);
        assert!(text.contains("tests=\"1\" failures=\"0\"") && text.contains("<testcase "), "{text}");
    }
}
