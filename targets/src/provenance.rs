//! Where something comes from: `from reviews.mesh:12`.

use meshc_language::{SourceFile, Span};
use smol_str::SmolStr;
use std::sync::OnceLock;

/// Where the parts of one item come from.
#[derive(Clone, Copy)]
pub(crate) struct Source<'p> {
    provenance: &'p Provenance<'p>,
    /// Where the outermost template around the item was applied.
    applied: Option<Span>,
}

impl<'p> Source<'p> {
    /// The source of another item.
    pub(crate) fn other(self, applied: &[Span]) -> Self {
        Self { applied: applied.first().copied(), ..self }
    }

    /// The comment for something that was written at `span`. For who reads it, the line that applies a template matters
    /// more than the template.
    pub(crate) fn comment(self, span: Span) -> SmolStr {
        match self.applied {
            None => SmolStr::new(format!("from {}", self.provenance.place(span))),
            Some(applied) => SmolStr::new(format!(
                "from {} by {}",
                self.provenance.place(applied),
                self.provenance.place(span)
            )),
        }
    }
}

/// Line numbers of all sources.
pub(crate) struct Provenance<'s> {
    files: &'s [SourceFile],
    /// For each file, where each line but the first starts; counted when the first comment asks for it.
    lines: Vec<OnceLock<Vec<u32>>>,
}

impl<'s> Provenance<'s> {
    pub(crate) fn new(files: &'s [SourceFile]) -> Self {
        Self { files, lines: files.iter().map(|_| OnceLock::new()).collect() }
    }

    /// The number of the line in which a byte of a file stands.
    fn line(&self, file: usize, at: u32) -> usize {
        let (Some(lines), Some(source)) = (self.lines.get(file), self.files.get(file)) else { return 1 };
        let starts = lines.get_or_init(|| {
            memchr::memchr_iter(b'\n', source.text.as_bytes()).map(|newline| newline as u32 + 1).collect()
        });
        starts.partition_point(|start| *start <= at) + 1
    }

    /// The source of an item, which came from templates that were applied there.
    pub(crate) fn source<'p>(&'p self, applied: &'p [Span]) -> Source<'p> {
        Source { provenance: self, applied: applied.first().copied() }
    }

    fn place(&self, span: Span) -> String {
        let file = span.file.0 as usize;
        let name = self.files.get(file).map_or("", |file| file.name.as_str());
        format!("{name}:{}", self.line(file, span.start))
    }
}
