//! Reports on their way out: for people, and for machines.

mod excerpt;
mod github;
mod gitlab;
mod human;
mod json;
mod junit;
mod markdown;
mod sarif;
mod sources;
mod uri;

pub(crate) use human::findings;
pub(crate) use json::{Place, text as json_text};
pub(crate) use sources::Sources;

use crate::args::{Deny, Format, Reporting};
use crate::console::{Console, Detail};
use crate::exit::{Exit, Failure};
use json::Record;
use meshc_language::{Diagnostic, Severity, Span};

/// A kind of finding that the compiler knows nothing of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Notice {
    /// Its name, in the place of a code.
    pub(crate) code: &'static str,
    /// What is wrong, in general.
    pub(crate) title: &'static str,
    /// What to do.
    pub(crate) help: &'static str,
}

/// A source that is not in canonical form.
pub(crate) const NOT_FORMATTED: Notice =
    Notice { code: "FORMAT", title: "the file is not in canonical form", help: "run `meshc fmt`" };

/// An output that is not what the sources say.
pub(crate) const DRIFT: Notice =
    Notice { code: "DRIFT", title: "the output is not up to date", help: "run `meshc build`" };

/// A notice at a file, and what is wrong with it.
#[derive(Clone, Debug)]
pub(crate) struct Noticed {
    pub(crate) notice: Notice,
    pub(crate) file: String,
    pub(crate) message: String,
}

/// A finding at a place of a source that is not the compiler's.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(crate) notice: Notice,
    pub(crate) span: Option<Span>,
    pub(crate) message: String,
    /// What stands at the place.
    pub(crate) label: String,
    pub(crate) notes: Vec<String>,
}

/// How many of each level there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) errors: usize,
    pub(crate) warnings: usize,
    pub(crate) notes: usize,
}

impl Counts {
    pub(crate) fn of(reports: &[Diagnostic]) -> Self {
        let count = |severity| reports.iter().filter(|report| report.severity == severity).count();
        Self {
            errors: count(Severity::Error),
            warnings: count(Severity::Warning),
            notes: count(Severity::Note),
        }
    }

    /// Whether a run with these fails.
    pub(crate) fn fail(self, deny: Option<Deny>) -> bool {
        self.errors > 0 || (deny == Some(Deny::Warnings) && self.warnings > 0)
    }

    pub(crate) fn exit(self, deny: Option<Deny>) -> Exit {
        if self.fail(deny) { Exit::Findings } else { Exit::Clean }
    }

    /// `2 errors, 1 warning`; nothing if there are none.
    pub(crate) fn text(self) -> String {
        let kinds = [(self.errors, "error"), (self.warnings, "warning"), (self.notes, "note")];
        let parts = kinds.iter().filter(|(count, _)| *count > 0).map(|(count, name)| counted(*count, name));
        parts.collect::<Vec<_>>().join(", ")
    }
}

/// `1 file`, `2 files`.
pub(crate) fn counted(count: usize, name: &str) -> String {
    if count == 1 { format!("1 {name}") } else { format!("{count} {name}s") }
}

/// What was looked at, for the line at the end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Extent {
    pub(crate) files: usize,
    pub(crate) environments: usize,
    /// How many features each target emulates, by its name.
    pub(crate) emulated: Vec<(&'static str, usize)>,
}

impl Extent {
    /// `nginx approximates 9 features`.
    fn approximations(&self) -> Option<String> {
        let parts = self
            .emulated
            .iter()
            .map(|(target, count)| format!("{target} approximates {}", counted(*count, "feature")));
        let parts: Vec<String> = parts.collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }

    fn clean(&self) -> String {
        let files = counted(self.files, "file");
        match self.environments {
            0 => format!("checked {files}: no findings"),
            count => format!("checked {files}, {}: no findings", counted(count, "environment")),
        }
    }
}

/// Writes the reports of a run as it was asked for.
pub(crate) fn publish(
    console: &Console,
    sources: &Sources<'_>,
    reports: &[Diagnostic],
    extent: Extent,
    reporting: Reporting,
) -> Result<(), Failure> {
    publish_findings(console, sources, reports, &[], reporting.format)?;
    if matches!(reporting.format, Format::Human | Format::Github) {
        let counts = Counts::of(reports);
        let mut line = match counts.text() {
            text if text.is_empty() => extent.clean(),
            text => format!("{text} in {}", counted(extent.files, "file")),
        };
        if reporting.format == Format::Human && reports.iter().any(|report| !is_told(report, console.detail))
        {
            let approximations = extent.approximations().map(|text| format!(" ({text})")).unwrap_or_default();
            line.push_str(&format!("{approximations}; `-v` shows the notes"));
        }
        if counts.errors == 0 && counts.fail(reporting.deny) {
            line.push_str("; warnings are denied");
        }
        line.push('\n');
        console.summary(&line);
    }
    Ok(())
}

/// Whether people are told of this in full: a target has the same notes at every build, and they would teach to look away.
fn is_told(report: &Diagnostic, detail: Detail) -> bool {
    let is_note = report.severity == Severity::Note;
    match detail {
        Detail::Quiet => !is_note,
        Detail::Normal => !(is_note && report.code.is_of_targets()),
        Detail::Verbose => true,
    }
}

/// Writes reports and notices. In human format notices are left to the command, which shows more.
pub(crate) fn publish_findings(
    console: &Console,
    sources: &Sources<'_>,
    reports: &[Diagnostic],
    noticed: &[Noticed],
    format: Format,
) -> Result<(), Failure> {
    if format == Format::Human {
        let told: Vec<&Diagnostic> =
            reports.iter().filter(|report| is_told(report, console.detail)).collect();
        let style = human::Style { colored: console.colored_reports, linked: console.linked_reports };
        let text = human::render(sources, told, style);
        if !text.is_empty() {
            console.report(&text);
        }
        return Ok(());
    }
    let records: Vec<Record> = reports
        .iter()
        .map(|report| Record::of(sources, report))
        .chain(noticed.iter().map(Record::of_notice))
        .collect();
    let text = match format {
        Format::Sarif => sarif::render(&records)?,
        Format::Github => github::render(&records).into_bytes(),
        Format::Gitlab => gitlab::render(&records)?,
        Format::Junit => junit::render(&records).into_bytes(),
        Format::Markdown => markdown::render(&records, sources).into_bytes(),
        Format::Json | Format::Human => json::render(&records)?,
    };
    console.product(&text)
}
