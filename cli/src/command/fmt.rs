//! `meshc fmt`: sources in their one canonical form.

use crate::activity;
use crate::args::{Fmt, Format};
use crate::atomic::{self, NewFile};
use crate::console::Console;
use crate::diff;
use crate::exit::{Exit, Failure};
use crate::project_files::{ProjectFiles, Source, Text, decoded, read};
use crate::report::{self, Counts, NOT_FORMATTED, Noticed, Sources, counted};
use crate::sanitise;
use meshc_language::{Diagnostic, FileId, Formatted, Severity, SourceFile, format};
use rayon::prelude::*;
use std::fs;
use std::io::Read;
use std::path::Path;

/// Lines of a difference that are shown.
const SHOWN_LINES: usize = 40;

/// One source and its canonical form.
struct Done {
    /// How reports call it.
    name: String,
    /// As it is.
    text: String,
    /// As it should be; `None` where the syntax is at fault.
    canonical: Option<String>,
    reports: Vec<Diagnostic>,
    /// Whether the bytes differ from the text, as by a byte order mark.
    marked: bool,
}

impl Done {
    fn of(name: String, text: Text, size: Option<usize>) -> Self {
        let Text { text, refused } = text;
        let (canonical, reports) = match refused {
            Some(report) => (None, vec![report]),
            None => {
                let Formatted { text, diagnostics } = format(FileId(0), &text);
                let faulty = diagnostics.iter().any(|report| report.severity == Severity::Error);
                ((!faulty).then_some(text), diagnostics)
            }
        };
        let marked = size.is_some_and(|size| size != text.len());
        Self { name, text, canonical, reports, marked }
    }

    /// The canonical form, if the file does not have it.
    fn changed(&self) -> Option<&str> {
        self.canonical.as_deref().filter(|canonical| *canonical != self.text || self.marked)
    }
}

pub(super) fn run(fmt: &Fmt, console: &Console) -> Result<Exit, Failure> {
    if fmt.paths.iter().any(|path| path == Path::new("-")) {
        return run_on_input(fmt, console);
    }
    let found = ProjectFiles::alone(&fmt.paths)?;
    activity::begin(format!("formatting {}", counted(found.len(), "file")));
    let done: Vec<Done> = found
        .par_iter()
        .map(|source| Ok(Done::of(source.shown.clone(), read(source)?, size(source))))
        .collect::<Result<_, Failure>>()?;
    let reports = publish(&done, fmt, console)?;
    let counts = Counts::of(&reports);
    let changed: Vec<(&Source, &str)> =
        found.iter().zip(&done).filter_map(|(source, done)| Some((source, done.changed()?))).collect();
    if !fmt.check {
        let files =
            changed.iter().map(|(source, text)| Ok(NewFile { path: real(source)?, bytes: text.as_bytes() }));
        atomic::replace(&files.collect::<Result<Vec<_>, Failure>>()?)?;
    }
    if fmt.format == Format::Human {
        console.summary(&summary(fmt.check, changed.len(), found.len(), counts));
    }
    let unformatted = fmt.check && !changed.is_empty();
    Ok(if unformatted || counts.errors > 0 { Exit::Findings } else { Exit::Clean })
}

fn size(source: &Source) -> Option<usize> {
    usize::try_from(fs::metadata(&source.path).ok()?.len()).ok()
}

/// The file itself: a link that was given stays a link.
fn real(source: &Source) -> Result<std::path::PathBuf, Failure> {
    fs::canonicalize(&source.path).map_err(|error| Failure::file("write", Path::new(&source.shown), error))
}

fn run_on_input(fmt: &Fmt, console: &Console) -> Result<Exit, Failure> {
    if fmt.paths.len() > 1 {
        return Err(Failure::new("`-` cannot be combined with paths: standard input is one file"));
    }
    if !fmt.check && fmt.format != Format::Human {
        return Err(Failure::new("the formatted text and this `--format` both go to standard output"));
    }
    let mut bytes = Vec::new();
    std::io::stdin()
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::new(format!("cannot read standard input: {error}")))?;
    let size = bytes.len();
    let done = [Done::of("<stdin>".to_owned(), decoded(bytes), Some(size))];
    let reports = publish(&done, fmt, console)?;
    let [done] = &done;
    if !fmt.check {
        console.product(done.canonical.as_deref().unwrap_or(&done.text).as_bytes())?;
    }
    let unformatted = fmt.check && done.changed().is_some();
    Ok(if unformatted || Counts::of(&reports).errors > 0 { Exit::Findings } else { Exit::Clean })
}

/// Reports faults of the syntax and, under `--check`, what is not in canonical form.
fn publish(done: &[Done], fmt: &Fmt, console: &Console) -> Result<Vec<Diagnostic>, Failure> {
    let files: Vec<SourceFile> =
        done.iter().map(|done| SourceFile { name: done.name.clone(), text: done.text.clone() }).collect();
    let mut reports = Vec::new();
    for (index, done) in done.iter().enumerate() {
        reports.extend(done.reports.iter().cloned().map(|report| in_file(report, index)));
    }
    let noticed: Vec<Noticed> = if fmt.check { done.iter().filter_map(notice).collect() } else { Vec::new() };
    report::publish_findings(console, &Sources::new(&files, []), &reports, &noticed, fmt.format)?;
    if fmt.check && fmt.format == Format::Human {
        let diffs = done.iter().filter_map(|done| {
            let diff = diff::unified(&done.text, done.changed()?, SHOWN_LINES);
            Some(format!("not in canonical form: {}\n{diff}", sanitise::line(&done.name)))
        });
        console.report(diffs.collect::<String>().as_bytes());
    }
    Ok(reports)
}

fn notice(done: &Done) -> Option<Noticed> {
    done.changed()?;
    Some(Noticed { notice: NOT_FORMATTED, file: done.name.clone(), message: NOT_FORMATTED.title.to_owned() })
}

/// Each file was read as file 0.
fn in_file(mut report: Diagnostic, index: usize) -> Diagnostic {
    let file = FileId(u32::try_from(index).unwrap_or(u32::MAX));
    report.span.file = file;
    report.related.iter_mut().for_each(|related| related.span.file = file);
    report.fix.iter_mut().flat_map(|fix| &mut fix.edits).for_each(|edit| edit.span.file = file);
    report
}

fn summary(check: bool, changed: usize, total: usize, counts: Counts) -> String {
    let mut text = match (check, changed) {
        (_, 0) if counts.errors == 0 => format!("{} in canonical form", counted(total, "file")),
        (true, _) => format!("{changed} of {} not in canonical form", counted(total, "file")),
        (false, _) => format!("formatted {changed} of {}", counted(total, "file")),
    };
    if counts.errors > 0 {
        text.push_str(&format!("; {}, files with syntax errors are unchanged", counts.text()));
    }
    text.push('\n');
    text
}
