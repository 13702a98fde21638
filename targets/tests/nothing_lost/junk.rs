//! A token that means nothing is put at every place between tokens: each is reported, or read as a part of what stands
//! there (a string behind `respond 404` is its body), which then shows in the model.
//!
//! `MESHC_JUNK=1` tries every place; else a part of them, always the same.

use crate::language;
use crate::project::Sources;
use meshc_language::{FileId, Kind, Severity, parse};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::io::Write;

const JUNK: &[&str] = &[
    "junk",
    "\"junk\"",
    "7",
    "-> junk",
    "[junk]",
    "(junk)",
    "{ junk }",
    "{\n junk 1\n}",
    "@junk",
    ",",
    "$junk",
    "junk=",
];

/// About so many places are tried unless all are asked for.
const SAMPLE: usize = 1_500;

/// The ends of tokens: places where another token can stand.
fn places(text: &str) -> Vec<usize> {
    let parsed = parse(FileId(0), text);
    let mut places = Vec::new();
    for (_, kind, span) in parsed.tree.nodes() {
        let (start, end) = (span.start as usize, span.end as usize);
        match kind {
            Kind::Word | Kind::Text | Kind::Raw | Kind::TextBlock | Kind::Arrow | Kind::Comma => {
                places.extend([start, end]);
            }
            Kind::List | Kind::Group | Kind::Block => places.extend([start, start + 1, end - 1, end]),
            Kind::Statement | Kind::Attribute | Kind::Doc | Kind::Comment => {}
        }
    }
    places.sort_unstable();
    places.dedup();
    places
}

/// What is known of a project: its reports, how often each, and its models without places.
struct Known {
    reports: BTreeMap<(String, String), usize>,
    errors: bool,
    models: String,
}

fn known(sources: &Sources) -> Known {
    let (_, compilation) = sources.check();
    let mut reports = BTreeMap::new();
    for report in &compilation.reports {
        *reports.entry((report.code.to_string(), report.message.clone())).or_default() += 1;
    }
    let errors = compilation.reports.iter().any(|report| report.severity == Severity::Error);
    let models =
        if errors { String::new() } else { without_places(&format!("{:?}", compilation.environments)) };
    Known { reports, errors, models }
}

/// A text without the spans in it, which are written `0:12..34`.
fn without_places(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("..") {
        let head = before.trim_end_matches(|char: char| char.is_ascii_digit() || char == ':');
        result.push_str(head);
        rest = behind.trim_start_matches(|char: char| char.is_ascii_digit());
    }
    result.push_str(rest);
    result
}

/// A comma behind the last element of a list means nothing and is allowed.
fn is_allowed(junk: &str, text: &str, place: usize) -> bool {
    let behind = text[place..].trim_start().chars().next();
    let before = text[..place].trim_end().chars().next_back();
    junk == "," && matches!(behind, Some(']' | ')')) && !matches!(before, Some('[' | '(' | ',') | None)
}

struct Try<'a> {
    sources: &'a Sources,
    base: &'a Known,
    file: usize,
    place: usize,
    junk: &'static str,
}

impl Try<'_> {
    /// What the reader of a failure sees, if the junk is silent.
    fn silent(&self) -> Option<String> {
        let mut changed = self.sources.clone();
        let text = &mut changed.files[self.file].1;
        if is_allowed(self.junk, text, self.place) {
            return None;
        }
        text.insert_str(self.place, &format!(" {} ", self.junk));
        let now = known(&changed);
        let more = now.errors && !self.base.errors;
        let reported = more
            || now
                .reports
                .iter()
                .any(|(report, times)| self.base.reports.get(report).is_none_or(|before| before < times));
        if reported || now.models != self.base.models {
            return None;
        }
        let text = &changed.files[self.file].1;
        let start = text[..self.place].rfind('\n').map_or(0, |at| at + 1);
        let end = text[self.place + self.junk.len()..]
            .find('\n')
            .map_or(text.len(), |at| self.place + self.junk.len() + at);
        Some(format!("{}/{}: {}", self.sources.name, changed.files[self.file].0, &text[start..end]))
    }
}

#[test]
fn junk_is_reported_wherever_it_stands() {
    let mut projects = Sources::of_the_repository();
    projects.extend(language::sources());
    let bases: Vec<Known> = projects.par_iter().map(known).collect();
    let mut tries = Vec::new();
    for (sources, base) in projects.iter().zip(&bases) {
        for (file, (_, text)) in sources.files.iter().enumerate() {
            let focus = sources.focus.clone().unwrap_or(0..text.len());
            for place in places(text).into_iter().filter(|place| (focus.start..=focus.end).contains(place)) {
                tries.extend(JUNK.iter().map(|junk| Try { sources, base, file, place, junk }));
            }
        }
    }
    let all = tries.len();
    let stride = if std::env::var_os("MESHC_JUNK").is_some() { 1 } else { (all / SAMPLE).max(1) | 1 };
    let sample: Vec<Try<'_>> = tries.into_iter().step_by(stride).collect();
    let silent: Vec<String> = sample.par_iter().filter_map(Try::silent).collect();
    let _ = writeln!(
        std::io::stderr(),
        "junk: {} of {all} places tried in {} sources, {} silent",
        sample.len(),
        projects.len(),
        silent.len()
    );
    assert!(silent.is_empty(), "{} are silent:\n{}", silent.len(), silent.join("\n"));
}
