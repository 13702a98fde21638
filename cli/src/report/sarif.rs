//! Reports as SARIF 2.1.0.

use super::json::{self, FixRecord, Place, Record};
use super::uri;
use crate::exit::Failure;
use crate::version::VERSION;
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Serialize)]
struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    tool: Tool<'a>,
    column_kind: &'static str,
    results: Vec<Finding<'a>>,
}

#[derive(Serialize)]
struct Tool<'a> {
    driver: Driver<'a>,
}

#[derive(Serialize)]
struct Driver<'a> {
    name: &'static str,
    version: &'static str,
    rules: Vec<Rule<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule<'a> {
    id: &'a str,
    short_description: Text<'a>,
}

#[derive(Serialize)]
struct Text<'a> {
    text: &'a str,
}

#[derive(Serialize)]
struct OwnText {
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Finding<'a> {
    rule_id: &'a str,
    rule_index: usize,
    level: &'a str,
    message: OwnText,
    locations: [Location<'a>; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Location<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fixes: Vec<Fix<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location<'a> {
    physical_location: PhysicalLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Text<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    region: Region,
}

#[derive(Serialize)]
struct ArtifactLocation {
    uri: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: usize,
    start_column: usize,
    end_line: usize,
    end_column: usize,
    byte_offset: usize,
    byte_length: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Fix<'a> {
    description: Text<'a>,
    artifact_changes: Vec<Change<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Change<'a> {
    artifact_location: ArtifactLocation,
    replacements: Vec<Replacement<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Replacement<'a> {
    deleted_region: Region,
    inserted_content: Text<'a>,
}

pub(super) fn render(records: &[Record]) -> Result<Vec<u8>, Failure> {
    let rules: BTreeMap<&str, &str> =
        records.iter().map(|record| (record.code.as_str(), record.title)).collect();
    let index: BTreeMap<&str, usize> = rules.keys().enumerate().map(|(index, code)| (*code, index)).collect();
    let rules = rules.iter().map(|(id, title)| Rule { id, short_description: Text { text: title } });
    let run = Run {
        tool: Tool { driver: Driver { name: "meshc", version: VERSION, rules: rules.collect() } },
        column_kind: "unicodeCodePoints",
        results: records.iter().map(|record| finding(record, &index)).collect(),
    };
    json::text(&Log {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [run],
    })
}

fn finding<'a>(record: &'a Record, index: &BTreeMap<&str, usize>) -> Finding<'a> {
    let related = record.related.iter().map(|related| Location {
        physical_location: physical(&related.place),
        message: Some(Text { text: &related.text }),
    });
    Finding {
        rule_id: &record.code,
        rule_index: index.get(record.code.as_str()).copied().unwrap_or_default(),
        level: record.severity,
        message: OwnText { text: message(record) },
        locations: [Location { physical_location: physical(&record.place), message: None }],
        related_locations: related.collect(),
        fixes: record.fix.iter().map(|made| fix(record, made)).collect(),
    }
}

fn message(record: &Record) -> String {
    let mut text = record.message.clone();
    for part in [&record.consequence, &record.help].into_iter().flatten() {
        text.push_str("; ");
        text.push_str(part);
    }
    text
}

fn fix<'a>(record: &'a Record, fix: &'a FixRecord) -> Fix<'a> {
    let mut changes: BTreeMap<&str, Vec<Replacement<'a>>> = BTreeMap::new();
    for edit in &fix.edits {
        changes.entry(&edit.place.file).or_default().push(Replacement {
            deleted_region: region(&edit.place),
            inserted_content: Text { text: &edit.replacement },
        });
    }
    let changes = changes.into_iter();
    Fix {
        description: Text { text: record.help.as_deref().unwrap_or(record.title) },
        artifact_changes: changes
            .map(|(file, replacements)| Change {
                artifact_location: ArtifactLocation { uri: uri::of(file) },
                replacements,
            })
            .collect(),
    }
}

fn physical(place: &Place) -> PhysicalLocation {
    PhysicalLocation {
        artifact_location: ArtifactLocation { uri: uri::of(&place.file) },
        region: region(place),
    }
}

fn region(place: &Place) -> Region {
    Region {
        start_line: place.start.line,
        start_column: place.start.column,
        end_line: place.end.line,
        end_column: place.end.column,
        byte_offset: place.bytes.start,
        byte_length: place.bytes.end - place.bytes.start,
    }
}
