//! The lines of the sources that one report shows, made safe and short enough to print.

use super::{Sources, uri};
use crate::sanitise;
use codespan_reporting::files::{Error, Files};
use meshc_language::{FileId, Span};
use std::ops::Range;

/// Longest line, in bytes, that is shown whole.
const LONGEST: usize = 160;
/// Bytes shown before a label in a line that is not.
const LEAD: usize = 60;

/// A label of a report, placed in an excerpt.
pub(super) struct Placed {
    /// Its file in the excerpt.
    pub(super) file: usize,
    /// Its bytes there.
    pub(super) range: Range<usize>,
}

/// The lines that a report shows.
pub(super) struct Excerpt<'a> {
    sources: &'a Sources<'a>,
    files: Vec<View>,
    /// Whether the names of files are hyperlinks (OSC 8).
    pub(super) is_linked: bool,
}

/// The lines of one file that are shown.
struct View {
    file: FileId,
    text: String,
    lines: Vec<ViewLine>,
}

/// A line that is shown, maybe clipped on either side.
struct ViewLine {
    /// Its number, from 0.
    index: usize,
    /// What is shown of it, in the file.
    window: Range<usize>,
    /// Where that stands in the view, the mark of a clipped start not included.
    start: usize,
    /// The whole line in the view, with its end.
    range: Range<usize>,
}

impl<'a> Excerpt<'a> {
    /// The excerpt that shows these places, and where they are in it.
    pub(super) fn of(sources: &'a Sources<'a>, spans: &[Span]) -> (Self, Vec<Placed>) {
        let labels: Vec<(FileId, usize, Range<usize>)> =
            spans.iter().map(|span| first_line(sources, *span)).collect();
        let mut excerpt = Self { sources, files: Vec::new(), is_linked: false };
        for (file, ..) in &labels {
            if !excerpt.files.iter().any(|view| view.file == *file) {
                excerpt.files.push(View::of(sources, *file, &labels));
            }
        }
        let placed = labels.iter().filter_map(|(file, line, range)| {
            let at = excerpt.files.iter().position(|view| view.file == *file)?;
            let line = excerpt.files.get(at)?.lines.iter().find(|shown| shown.index == *line)?;
            Some(Placed { file: at, range: line.place(range.start)..line.place(range.end) })
        });
        let placed = placed.collect();
        (excerpt, placed)
    }

    fn view(&self, file: usize) -> Result<&View, Error> {
        self.files.get(file).ok_or(Error::FileMissing)
    }
}

/// A place cut to its first line: its file, the line, the bytes.
fn first_line(sources: &Sources<'_>, span: Span) -> (FileId, usize, Range<usize>) {
    let start = span.range().start.min(sources.text(span.file).len());
    let line = sources.line(span.file, start);
    let end = sources.line_range(span.file, line).end;
    (span.file, line, start.min(end)..span.range().end.clamp(start.min(end), end))
}

impl View {
    fn of(sources: &Sources<'_>, file: FileId, labels: &[(FileId, usize, Range<usize>)]) -> Self {
        let mut shown: Vec<(usize, usize)> = labels
            .iter()
            .filter(|(of, ..)| *of == file)
            .map(|(_, line, range)| (*line, range.start))
            .collect();
        shown.sort_unstable();
        shown.dedup_by_key(|(line, _)| *line);
        // A single line between two that are shown is shown as well.
        let between: Vec<(usize, usize)> = shown
            .windows(2)
            .filter_map(|pair| match pair {
                [(first, _), (second, _)] if second - first == 2 => {
                    Some((first + 1, sources.line_range(file, first + 1).start))
                }
                _ => None,
            })
            .collect();
        shown.extend(between);
        shown.sort_unstable();
        let mut view = Self { file, text: String::new(), lines: Vec::new() };
        for (line, label) in shown {
            view.push(sources, line, label);
        }
        view
    }

    fn push(&mut self, sources: &Sources<'_>, index: usize, label: usize) {
        let whole = sources.line_range(self.file, index);
        let text = sources.text(self.file);
        let window = if whole.len() <= LONGEST { whole.clone() } else { window(text, &whole, label) };
        let begin = self.text.len();
        if window.start > whole.start {
            self.text.push('…');
        }
        let start = self.text.len();
        self.text.push_str(&sanitise::line(text.get(window.clone()).unwrap_or_default()));
        if window.end < whole.end {
            self.text.push('…');
        }
        self.text.push('\n');
        self.lines.push(ViewLine { index, window, start, range: begin..self.text.len() });
    }

    fn line(&self, index: usize) -> Result<&ViewLine, Error> {
        let found = self.lines.iter().find(|line| line.index == index);
        found.ok_or(Error::LineTooLarge { given: index, max: self.lines.last().map_or(0, |line| line.index) })
    }
}

/// The part of a long line that is shown.
fn window(text: &str, line: &Range<usize>, label: usize) -> Range<usize> {
    let start = label.saturating_sub(LEAD).max(line.start);
    let start = boundary(text, start.min(line.end.saturating_sub(LONGEST)).max(line.start));
    start..boundary(text, (start + LONGEST).min(line.end))
}

/// The last boundary between characters up to a byte.
fn boundary(text: &str, at: usize) -> usize {
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

impl ViewLine {
    /// The place in the view of a byte of the file.
    fn place(&self, offset: usize) -> usize {
        offset.clamp(self.window.start, self.window.end) - self.window.start + self.start
    }
}

impl<'a> Files<'a> for Excerpt<'a> {
    type FileId = usize;
    type Name = String;
    type Source = &'a str;

    fn name(&'a self, file: usize) -> Result<String, Error> {
        let name = self.sources.name(self.view(file)?.file);
        let shown = sanitise::line(name);
        match std::path::absolute(name) {
            // `<std.http>` is no file.
            Ok(path) if self.is_linked && !name.starts_with('<') => {
                let target = uri::of(&path.to_string_lossy());
                Ok(format!("\u{1b}]8;;{target}\u{1b}\\{shown}\u{1b}]8;;\u{1b}\\"))
            }
            Ok(_) | Err(_) => Ok(shown),
        }
    }

    fn source(&'a self, file: usize) -> Result<&'a str, Error> {
        Ok(&self.view(file)?.text)
    }

    fn line_index(&'a self, file: usize, byte: usize) -> Result<usize, Error> {
        let lines = &self.view(file)?.lines;
        let found = lines.iter().find(|line| line.range.contains(&byte)).or(lines.last());
        found.map(|line| line.index).ok_or(Error::FileMissing)
    }

    fn column_number(&'a self, file: usize, line: usize, byte: usize) -> Result<usize, Error> {
        let view = self.view(file)?;
        let line = view.line(line)?;
        Ok(self.sources.position(view.file, byte.saturating_sub(line.start) + line.window.start).column)
    }

    fn line_range(&'a self, file: usize, line: usize) -> Result<Range<usize>, Error> {
        Ok(self.view(file)?.line(line)?.range.clone())
    }
}
