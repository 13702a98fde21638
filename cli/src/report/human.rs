//! Reports for people: the source line, what production would do, what to do.

use super::excerpt::Excerpt;
use super::{Finding, Sources};
use crate::sanitise::message;
use codespan_reporting::diagnostic::{self, Label, LabelStyle};
use codespan_reporting::term::termcolor::{Ansi, NoColor};
use codespan_reporting::term::{Config, emit_to_write_style};
use meshc_language::{Applicability, Diagnostic, Edit, Fix, Severity, Span};
use std::io::Write;

/// Reports that are shown; the others are counted.
const MOST: usize = 100;
/// Longest text of an edit that is shown, in bytes.
const LONGEST_EDIT: usize = 60;

/// How reports look.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Style {
    /// With colours.
    pub(super) colored: bool,
    /// With a hyperlink on the name of each file.
    pub(super) linked: bool,
}

/// Renders reports: all if they are few, else the worst of them.
pub(super) fn render(sources: &Sources<'_>, reports: Vec<&Diagnostic>, style: Style) -> Vec<u8> {
    let all = reports.len();
    let mut shown = reports;
    if shown.len() > MOST {
        shown.sort_by_key(|report| std::cmp::Reverse(report.severity));
        shown.truncate(MOST);
    }
    let mut out = Vec::new();
    for report in &shown {
        // Rendering into memory does not fail, and an excerpt holds every line that its labels name.
        _ = render_one(sources, report, style, &mut out);
    }
    if shown.len() < all {
        let rest = all - shown.len();
        _ = writeln!(out, "... and {rest} more; `--format json` has them all\n");
    }
    out
}

fn render_one(
    sources: &Sources<'_>,
    report: &Diagnostic,
    style: Style,
    out: &mut Vec<u8>,
) -> Result<(), codespan_reporting::files::Error> {
    let spans: Vec<Span> =
        std::iter::once(report.span).chain(report.related.iter().map(|related| related.span)).collect();
    let (mut excerpt, placed) = Excerpt::of(sources, &spans);
    excerpt.is_linked = style.linked;
    let texts = std::iter::once(report.label.as_str())
        .chain(report.related.iter().map(|related| related.text.as_str()));
    let labels = placed.into_iter().zip(texts).enumerate().map(|(number, (placed, text))| {
        let style = if number == 0 { LabelStyle::Primary } else { LabelStyle::Secondary };
        Label::new(style, placed.file, placed.range).with_message(message(text))
    });
    let shown = diagnostic::Diagnostic::new(severity(report.severity))
        .with_code(report.code.to_string())
        .with_message(message(&report.message))
        .with_labels(labels.collect())
        .with_notes(notes(sources, report));
    write_out(&excerpt, &shown, style.colored, out)
}

/// Renders findings that are not the compiler's.
pub(crate) fn findings(sources: &Sources<'_>, findings: &[Finding], colored: bool) -> Vec<u8> {
    let mut out = Vec::new();
    for Finding { notice, span, message: text, label, notes } in findings.iter().take(MOST) {
        let (excerpt, placed) = Excerpt::of(sources, span.as_slice());
        let labels = placed.into_iter().map(|placed| {
            Label::new(LabelStyle::Primary, placed.file, placed.range).with_message(message(label))
        });
        let labels: Vec<Label<usize>> = labels.collect();
        // Without a place the label has none either.
        let unplaced = labels.is_empty().then(|| message(label).into_owned());
        let notes = unplaced.into_iter().chain(notes.iter().map(|note| message(note).into_owned()));
        let shown = diagnostic::Diagnostic::new(diagnostic::Severity::Error)
            .with_code(notice.code)
            .with_message(message(text))
            .with_labels(labels)
            .with_notes(notes.collect());
        // Rendering into memory does not fail.
        _ = write_out(&excerpt, &shown, colored, &mut out);
    }
    if findings.len() > MOST {
        _ = writeln!(out, "... and {} more; `--format json` has them all\n", findings.len() - MOST);
    }
    out
}

fn write_out(
    excerpt: &Excerpt<'_>,
    shown: &diagnostic::Diagnostic<usize>,
    colored: bool,
    out: &mut Vec<u8>,
) -> Result<(), codespan_reporting::files::Error> {
    let config = Config::default();
    if colored {
        emit_to_write_style(&mut Ansi::new(out), &config, excerpt, shown)
    } else {
        emit_to_write_style(&mut NoColor::new(out), &config, excerpt, shown)
    }
}

const fn severity(severity: Severity) -> diagnostic::Severity {
    match severity {
        Severity::Error => diagnostic::Severity::Error,
        Severity::Warning => diagnostic::Severity::Warning,
        Severity::Note => diagnostic::Severity::Note,
    }
}

fn notes(sources: &Sources<'_>, report: &Diagnostic) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(consequence) = &report.consequence {
        notes.push(format!("in production: {}", message(consequence)));
    }
    if let Some(help) = &report.help {
        notes.push(format!("help: {}", message(help)));
    }
    if let Some(fix) = &report.fix {
        notes.push(format!("fix: {}", message(&fix_text(sources, fix))));
    }
    if !report.environments.is_empty() {
        notes.push(format!("only in: {}", message(&report.environments.join(", "))));
    }
    if !report.targets.is_empty() {
        notes.push(format!("only for: {}", message(&report.targets.join(", "))));
    }
    notes
}

fn fix_text(sources: &Sources<'_>, fix: &Fix) -> String {
    let command = match fix.applicability {
        Applicability::Safe => "meshc fix",
        Applicability::Unsafe => "meshc fix --unsafe",
    };
    match fix.edits.as_slice() {
        [edit] => format!("`{command}` {}", edit_text(sources, edit)),
        edits => format!("`{command}` makes {} edits", edits.len()),
    }
}

fn edit_text(sources: &Sources<'_>, edit: &Edit) -> String {
    let old = sources.text(edit.span.file).get(edit.span.range()).unwrap_or_default();
    let new = edit.replacement.trim_matches(['\n', ' ']);
    let short = |text: &str| text.len() <= LONGEST_EDIT && !text.contains('\n');
    match (old.is_empty(), new.is_empty()) {
        (true, _) if short(new) => format!("inserts `{new}`"),
        (false, true) if short(old) => format!("removes `{old}`"),
        (false, false) if short(old) && short(new) => format!("replaces `{old}` with `{new}`"),
        (true, _) => "inserts the missing text".to_owned(),
        (false, true) => "removes it".to_owned(),
        (false, false) => "rewrites it".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use meshc_language::{Code, FileId, SourceFile};

    fn rendered(files: &[SourceFile], report: Diagnostic) -> String {
        let names = files.iter().map(|file| file.name.clone());
        String::from_utf8(render(&Sources::new(files, names), vec![&report], Style::default()))
            .unwrap_or_default()
    }

    fn file(name: &str, text: &str) -> SourceFile {
        SourceFile { name: name.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn a_report_shows_all_that_is_known() {
        let files = [file("a.mesh", "one\ntimout 5s\nthree\nfour\n"), file("b.mesh", "other\n")];
        let span = Span::new(FileId(0), 4, 10);
        let mut report = Diagnostic::new(Code::UNKNOWN_KEYWORD, span, "there is no `timout` here")
            .label("unknown")
            .related(Span::new(FileId(0), 14, 19), "see this")
            .related(Span::new(FileId(1), 0, 5), "and that")
            .consequence("nothing would happen")
            .help("did you mean `timeout`?")
            .edit(Applicability::Unsafe, span, "timeout");
        report.environments = vec!["prod".to_owned()];
        let expected = "\
error[MESH0108]: there is no `timout` here
  ┌─ a.mesh:2:1
  │
2 │ timout 5s
  │ ^^^^^^ unknown
3 │ three
  │ ----- see this
  │
  ┌─ b.mesh:1:1
  │
1 │ other
  │ ----- and that
  │
  = in production: nothing would happen
  = help: did you mean `timeout`?
  = fix: `meshc fix --unsafe` replaces `timout` with `timeout`
  = only in: prod

";
        assert_eq!(rendered(&files, report), expected);
    }

    #[test]
    fn a_long_line_is_clipped_around_the_place() {
        let text = format!("{}here{}", "ü".repeat(100_000), "y".repeat(100_000));
        let span = Span::new(FileId(0), 200_000, 200_004);
        let shown = rendered(&[file("a.mesh", &text)], Diagnostic::new(Code::BAD_LITERAL, span, "bad"));
        assert!(shown.len() < 2000 && shown.contains("a.mesh:1:100001"), "{shown}");
        assert!(shown.contains("│ …ü") && shown.contains("y…\n") && shown.contains(" ^^^^\n"), "{shown}");
    }

    #[test]
    fn no_control_character_gets_out() {
        let files = [file("\u{1b}]0;a\u{7}.mesh", "\u{1b}[2J \u{202e} x\r y\n")];
        let report = Diagnostic::new(Code::BAD_LITERAL, Span::new(FileId(0), 0, 3), "bad \u{1b}[2J")
            .label("\u{9b}31m")
            .help("\u{202e}");
        let shown = rendered(&files, report);
        assert!(!shown.chars().any(|char| char != '\n' && crate::sanitise::is_hidden(char)), "{shown:?}");
    }

    #[test]
    fn a_place_behind_the_end_is_shown() {
        for (text, start, end) in [("", 0, 0), ("a\n", 2, 2), ("a", 1, 1), ("a\nb", 0, 3), ("a", 70, 90)] {
            let span = Span::new(FileId(0), start, end);
            let shown = rendered(&[file("a.mesh", text)], Diagnostic::new(Code::BAD_LITERAL, span, "bad"));
            assert!(shown.contains("a.mesh:") && shown.contains('^'), "{text:?} {start}: {shown}");
        }
    }

    #[test]
    fn many_reports_are_counted() {
        let files = [file("a.mesh", "a")];
        let report = Diagnostic::new(Code::BAD_LITERAL, Span::new(FileId(0), 0, 1), "bad");
        let shown = render(&Sources::new(&files, []), vec![&report; 130], Style::default());
        let shown = String::from_utf8(shown).unwrap_or_default();
        assert_eq!(shown.matches("error[").count(), 100);
        assert!(shown.contains("... and 30 more"), "{shown}");
    }
}
