//! Lines and columns of places in sources.

use meshc_language::{FileId, SourceFile};
use serde::Serialize;
use std::ops::Range;
use std::sync::OnceLock;

/// A line and a column, both from 1. Columns count characters (Unicode code points).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Position {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// The files of a run, as reports show them.
pub(crate) struct Sources<'a> {
    files: &'a [SourceFile],
    names: Vec<String>,
    indices: Vec<OnceLock<Index>>,
}

impl<'a> Sources<'a> {
    /// `names` are how the first files are called; the others are called by their own names.
    pub(crate) fn new(files: &'a [SourceFile], names: impl IntoIterator<Item = String>) -> Self {
        let mut names: Vec<String> = names.into_iter().collect();
        names.extend(files.iter().skip(names.len()).map(|file| file.name.clone()));
        Self { files, names, indices: files.iter().map(|_| OnceLock::new()).collect() }
    }

    pub(crate) fn name(&self, file: FileId) -> &str {
        self.names.get(file.0 as usize).map_or("", String::as_str)
    }

    pub(crate) fn text(&self, file: FileId) -> &'a str {
        self.files.get(file.0 as usize).map_or("", |file| &file.text)
    }

    /// A line, counted from 1, of the file that is called like this.
    pub(crate) fn line_of(&self, name: &str, line: usize) -> Option<&'a str> {
        let file = FileId(u32::try_from(self.names.iter().position(|known| known == name)?).ok()?);
        let range = self.line_range(file, line.checked_sub(1)?);
        self.text(file).get(range).filter(|line| !line.is_empty())
    }

    fn index(&self, file: FileId) -> Option<&Index> {
        Some(self.indices.get(file.0 as usize)?.get_or_init(|| Index::of(self.text(file))))
    }

    /// Line and column of a byte.
    pub(crate) fn position(&self, file: FileId, offset: usize) -> Position {
        let Some(index) = self.index(file) else { return Position { line: 1, column: 1 } };
        let line = index.line(offset);
        let start = index.start(line);
        let text = self.text(file).as_bytes();
        Position { line: line + 1, column: index.chars(text, offset) - index.chars(text, start) + 1 }
    }

    /// The line, from 0, that holds a byte.
    pub(crate) fn line(&self, file: FileId, offset: usize) -> usize {
        self.index(file).map_or(0, |index| index.line(offset))
    }

    /// The bytes of a line, counted from 0, without its end.
    pub(crate) fn line_range(&self, file: FileId, line: usize) -> Range<usize> {
        let text = self.text(file);
        let Some(index) = self.index(file) else { return 0..0 };
        let start = index.start(line);
        let end = index.lines.get(line + 1).map_or(text.len(), |next| *next as usize);
        let content = text.get(start..end).unwrap_or_default();
        start..start + content.trim_end_matches(['\n', '\r']).len()
    }
}

/// Bytes between two counts of characters.
const STEP: usize = 1024;

/// Where lines start, and how many characters stand before every [`STEP`]th byte: a line may be as long as its file.
struct Index {
    lines: Vec<u32>,
    chars: Vec<u32>,
}

impl Index {
    fn of(text: &str) -> Self {
        let newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let lines = std::iter::once(0).chain(newlines.map(|(at, _)| at as u32 + 1)).collect();
        let mut total = 0;
        let chars = text.as_bytes().chunks(STEP).map(|chunk| {
            let before = total;
            total += count(chunk) as u32;
            before
        });
        Self { lines, chars: chars.collect() }
    }

    fn line(&self, offset: usize) -> usize {
        self.lines.partition_point(|start| *start as usize <= offset).saturating_sub(1)
    }

    fn start(&self, line: usize) -> usize {
        self.lines.get(line).map_or(0, |start| *start as usize)
    }

    /// How many characters start before a byte.
    fn chars(&self, text: &[u8], offset: usize) -> usize {
        let offset = offset.min(text.len());
        let step = (offset / STEP).min(self.chars.len().saturating_sub(1));
        let before = self.chars.get(step).map_or(0, |before| *before as usize);
        before + count(text.get(step * STEP..offset).unwrap_or_default())
    }
}

/// How many characters start in these bytes.
fn count(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0xc0 != 0x80).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(text: &str, offset: usize) -> (usize, usize) {
        let files = [SourceFile { name: "a".to_owned(), text: text.to_owned() }];
        let position = Sources::new(&files, []).position(FileId(0), offset);
        (position.line, position.column)
    }

    #[test]
    fn columns_count_characters() {
        assert_eq!(position("ab\ncd", 0), (1, 1));
        assert_eq!(position("ab\ncd", 4), (2, 2));
        assert_eq!(position("üü x", 5), (1, 4));
        assert_eq!(position("ab\n", 3), (2, 1));
        assert_eq!(position("", 9), (1, 1));
    }

    #[test]
    fn columns_are_right_in_a_line_without_end() {
        let text = "ü".repeat(5000);
        for offset in [0, 1022, 1024, 1026, 2048, 9998, 10_000] {
            assert_eq!(position(&text, offset), (1, offset / 2 + 1));
        }
    }

    #[test]
    fn a_line_ends_before_its_end() {
        let files = [SourceFile { name: "a".to_owned(), text: "ab\r\ncd".to_owned() }];
        let sources = Sources::new(&files, []);
        assert_eq!(sources.line_range(FileId(0), 0), 0..2);
        assert_eq!(sources.line_range(FileId(0), 1), 4..6);
    }
}
