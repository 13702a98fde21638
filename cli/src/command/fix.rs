//! `meshc fix`: applies the edits that reports propose, until none is left.

use crate::activity;
use crate::args::{Deny, Fix, Format, Reporting, Settings};
use crate::atomic::{self, NewFile};
use crate::compilation::{compile, fit_all, set, target_options};
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::project_files::{ProjectFiles, Text};
use crate::report::{self, Counts, Extent, Sources, counted};
use crate::sanitise;
use meshc_compiler::Project;
use meshc_language::{Applicability, Code, Diagnostic, Edit};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// How often the project is compiled again before giving up.
const ROUNDS: usize = 20;

/// What was done to one source.
#[derive(Debug, Default)]
struct Changes {
    edits: usize,
    codes: BTreeSet<Code>,
}

pub(super) fn run(fix: &Fix, console: &Console) -> Result<Exit, Failure> {
    let files = ProjectFiles::find(&fix.paths)?;
    let mut texts = files.read()?;
    let mut changes: BTreeMap<usize, Changes> = BTreeMap::new();
    let most = if fix.with_unsafe { Applicability::Unsafe } else { Applicability::Safe };
    let (mut project, mut reports) = examine(&files, &texts, &fix.settings)?;
    let mut settled = false;
    for round in 0..ROUNDS {
        activity::begin(format!("fixing, round {}", round + 1));
        let chosen = choose(&reports, most, |file| editable(&files, &texts, file));
        if chosen.is_empty() {
            settled = true;
            break;
        }
        apply(&chosen, &mut texts, &mut changes);
        (project, reports) = examine(&files, &texts, &fix.settings)?;
    }
    write(&files, &texts, &changes)?;
    console.summary(&told(&files, &changes, settled));
    let sources = Sources::new(&project.files, files.sources.iter().map(|source| source.shown.clone()));
    let extent = Extent { files: files.sources.len(), ..Extent::default() };
    let reporting = Reporting { deny: None::<Deny>, format: Format::Human };
    report::publish(console, &sources, &reports, extent, reporting)?;
    Ok(Counts::of(&reports).exit(None))
}

fn examine(
    files: &ProjectFiles,
    texts: &[Text],
    settings: &Settings,
) -> Result<(Project, Vec<Diagnostic>), Failure> {
    let mut project = files.project(texts.to_vec());
    set(&mut project, settings)?;
    let mut compilation = compile(&project, &[], &files.manifest);
    fit_all(&mut compilation, &files.manifest.targets, &target_options(&project, &files.manifest));
    Ok((project, compilation.reports))
}

/// Only what was given is changed: never the standard library, never a file that is not UTF-8.
fn editable(files: &ProjectFiles, texts: &[Text], file: usize) -> bool {
    files.sources.get(file).is_some_and(|source| source.given)
        && texts.get(file).is_some_and(|text| text.refused.is_none())
}

/// The edits of one round: of those that overlap the first, each fix as a whole or not at all.
fn choose(
    reports: &[Diagnostic],
    most: Applicability,
    editable: impl Fn(usize) -> bool,
) -> BTreeMap<usize, Vec<(Edit, Code)>> {
    let mut chosen: BTreeMap<usize, Vec<(Edit, Code)>> = BTreeMap::new();
    for report in reports {
        let Some(fix) = report.fix.as_ref().filter(|fix| fix.applicability <= most) else { continue };
        let fits = fix.edits.iter().enumerate().all(|(at, edit)| {
            let file = edit.span.file.0 as usize;
            let others = chosen.get(&file).into_iter().flatten().map(|(other, _)| other);
            editable(file) && others.chain(fix.edits.iter().skip(at + 1)).all(|other| !overlap(edit, other))
        });
        if fits {
            for edit in &fix.edits {
                chosen.entry(edit.span.file.0 as usize).or_default().push((edit.clone(), report.code));
            }
        }
    }
    chosen
}

/// Whether two edits touch the same bytes, or insert at the same place.
fn overlap(left: &Edit, right: &Edit) -> bool {
    let (a, b) = (left.span, right.span);
    a.file == b.file && (a == b || (a.start < b.end && b.start < a.end))
}

fn apply(
    chosen: &BTreeMap<usize, Vec<(Edit, Code)>>,
    texts: &mut [Text],
    changes: &mut BTreeMap<usize, Changes>,
) {
    for (file, edits) in chosen {
        let Some(text) = texts.get_mut(*file) else { continue };
        let mut edits: Vec<&(Edit, Code)> = edits.iter().collect();
        edits.sort_by_key(|(edit, _)| (edit.span.start, edit.span.end));
        let changed = changes.entry(*file).or_default();
        let mut new = String::with_capacity(text.text.len());
        let mut from = 0;
        for (edit, code) in edits {
            let range = edit.span.range();
            let Some(kept) = text.text.get(from..range.start) else { continue };
            new.push_str(kept);
            new.push_str(&edit.replacement);
            from = range.end;
            changed.edits += 1;
            changed.codes.insert(*code);
        }
        new.push_str(text.text.get(from..).unwrap_or_default());
        text.text = new;
    }
}

fn write(files: &ProjectFiles, texts: &[Text], changes: &BTreeMap<usize, Changes>) -> Result<(), Failure> {
    let mut written = Vec::new();
    for (source, text) in changes.keys().filter_map(|file| files.sources.get(*file).zip(texts.get(*file))) {
        let path = fs::canonicalize(&source.path)
            .map_err(|error| Failure::file("write", Path::new(&source.shown), error))?;
        written.push(NewFile { path, bytes: text.text.as_bytes() });
    }
    atomic::replace(&written)
}

fn told(files: &ProjectFiles, changes: &BTreeMap<usize, Changes>, settled: bool) -> String {
    let mut text = String::new();
    for (file, changed) in changes {
        let name = files.sources.get(*file).map_or("", |source| &source.shown);
        let codes: Vec<String> = changed.codes.iter().map(ToString::to_string).collect();
        let edits = counted(changed.edits, "edit");
        text.push_str(&format!("fixed {}: {edits} ({})\n", sanitise::line(name), codes.join(", ")));
    }
    if changes.is_empty() {
        text.push_str("nothing to fix\n");
    }
    if !settled {
        text.push_str(&format!("after {ROUNDS} rounds there was still something to fix; run it again\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use meshc_language::{FileId, Span};

    fn report(edits: &[(u32, u32, &str)], applicability: Applicability) -> Diagnostic {
        let mut report = Diagnostic::new(Code::BAD_LITERAL, Span::new(FileId(0), 0, 1), "bad");
        for (start, end, new) in edits {
            report = report.edit(applicability, Span::new(FileId(0), *start, *end), *new);
        }
        report
    }

    fn fixed(text: &str, reports: &[Diagnostic], most: Applicability) -> String {
        let mut texts = [Text { text: text.to_owned(), refused: None }];
        apply(&choose(reports, most, |file| file == 0), &mut texts, &mut BTreeMap::new());
        let [text] = texts;
        text.text
    }

    #[test]
    fn of_overlapping_edits_the_first_is_taken() {
        let reports = [
            report(&[(0, 3, "ONE")], Applicability::Safe),
            report(&[(2, 5, "x")], Applicability::Safe),
            report(&[(4, 4, "+")], Applicability::Safe),
            report(&[(4, 4, "-")], Applicability::Safe),
        ];
        assert_eq!(fixed("one two", &reports, Applicability::Safe), "ONE +two");
    }

    #[test]
    fn a_fix_is_applied_as_a_whole() {
        let reports = [
            report(&[(4, 7, "TWO")], Applicability::Safe),
            report(&[(0, 3, "x"), (5, 6, "y")], Applicability::Safe),
        ];
        assert_eq!(fixed("one two", &reports, Applicability::Safe), "one TWO");
    }

    #[test]
    fn a_guess_is_applied_on_demand() {
        let reports = [report(&[(0, 3, "ONE")], Applicability::Unsafe)];
        assert_eq!(fixed("one", &reports, Applicability::Safe), "one");
        assert_eq!(fixed("one", &reports, Applicability::Unsafe), "ONE");
    }
}
