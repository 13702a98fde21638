//! Where something comes from: `from reviews.mesh:12`.

use meshc_language::{SourceFile, Span};
use rayon::prelude::*;
use smol_str::SmolStr;

/// Line numbers of all sources.
pub(super) struct Provenance<'s> {
    files: &'s [SourceFile],
    /// For each file, where each line but the first starts.
    lines: Vec<Vec<u32>>,
}

impl<'s> Provenance<'s> {
    pub(super) fn new(files: &'s [SourceFile]) -> Self {
        let starts = |file: &SourceFile| {
            memchr::memchr_iter(b'\n', file.text.as_bytes()).map(|newline| newline as u32 + 1).collect()
        };
        Self { files, lines: files.par_iter().map(starts).collect() }
    }

    /// The comment for something that was written at `span`.
    pub(super) fn comment(&self, span: Span) -> SmolStr {
        let file = span.file.0 as usize;
        let line = self.lines.get(file).map_or(0, |starts| starts.partition_point(|start| *start <= span.start)) + 1;
        let name = self.files.get(file).map_or("", |file| file.name.as_str());
        let mut comment = String::with_capacity(name.len() + 14);
        comment.push_str("from ");
        comment.push_str(name);
        comment.push(':');
        comment.push_str(&line.to_string());
        comment.into()
    }
}
