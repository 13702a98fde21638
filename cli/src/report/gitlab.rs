//! Reports as GitLab's code quality report: a list of issues in the form of Code Climate, as far as GitLab reads it.

use super::json::{self, Record};
use crate::exit::Failure;
use crate::sanitise::message;
use rustc_hash::FxHasher;
use serde::Serialize;
use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

#[derive(Serialize)]
struct Issue<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    check_name: &'a str,
    description: String,
    content: Content,
    categories: [&'static str; 1],
    fingerprint: String,
    severity: &'static str,
    location: Location<'a>,
}

#[derive(Serialize)]
struct Content {
    body: String,
}

#[derive(Serialize)]
struct Location<'a> {
    path: &'a str,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: usize,
    end: usize,
}

pub(super) fn render(records: &[Record]) -> Result<Vec<u8>, Failure> {
    let prints = fingerprints(records);
    let issues = records.iter().zip(prints).map(|(record, fingerprint)| Issue {
        kind: "issue",
        check_name: &record.code,
        description: message(&record.message).into_owned(),
        content: Content { body: super::markdown::details(record) },
        categories: ["Bug Risk"],
        fingerprint,
        severity: match record.severity {
            "error" => "major",
            "warning" => "minor",
            _ => "info",
        },
        location: Location {
            path: &record.place.file,
            lines: Lines { begin: record.place.start.line, end: record.place.end.line },
        },
    });
    json::text(&issues.collect::<Vec<_>>())
}

/// GitLab compares branches by these: a line that moves must keep its own, two faults of one kind in a file must differ.
fn fingerprints(records: &[Record]) -> Vec<String> {
    let mut seen: BTreeMap<(&str, &str, &str), u64> = BTreeMap::new();
    let mut prints = Vec::with_capacity(records.len());
    for record in records {
        let key = (record.code.as_str(), record.place.file.as_str(), record.message.as_str());
        let times = seen.entry(key).or_default();
        *times += 1;
        let mut hasher = FxHasher::default();
        (key, *times).hash(&mut hasher);
        prints.push(format!("{:016x}", hasher.finish()));
    }
    prints
}
