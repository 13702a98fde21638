//! Reports on their way out: for people, and for machines.

mod excerpt;
mod github;
mod human;
mod json;
mod sarif;
mod sources;

pub(crate) use human::findings;
pub(crate) use json::{Place, text as json_text};
pub(crate) use sources::Sources;

use crate::args::{Deny, Format, Reporting};
use crate::console::Console;
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
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    pub(crate) files: usize,
    pub(crate) environments: usize,
}

impl Extent {
    fn clean(self) -> String {
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
        if counts.errors == 0 && counts.fail(reporting.deny) {
            line.push_str("; warnings are denied");
        }
        line.push('\n');
        console.report(line.as_bytes());
    }
    Ok(())
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
        console.report(&human::render(sources, reports, console.colored_reports));
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
        Format::Json | Format::Human => json::render(&records)?,
    };
    console.product(&text)
}
