//! The syntax tree: one flat list of nodes per chunk, in source order, and views over it.
//!
//! A node is 16 bytes, holds its place in the file and the index behind its last descendant. So a tree of a large
//! file is a few allocations, building it is one pass, and a view is two words. Comments are nodes too: the formatter
//! loses nothing.

use crate::source::{FileId, Span};

/// What a node is. The order has no meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `keyword argument ... { ... }`; its children are its arguments and blocks.
    Statement,
    /// `@name(...)` in front of a statement.
    Attribute,
    /// `## text`, in front of what it documents.
    Doc,
    /// `# text`.
    Comment,
    /// A bare word, number, reference or other literal without quotes.
    Word,
    /// `"..."`.
    Text,
    /// `r"..."`.
    Raw,
    /// `"""..."""`.
    TextBlock,
    /// `->`.
    Arrow,
    /// `,`.
    Comma,
    /// `[...]`.
    List,
    /// `(...)`.
    Group,
    /// `{...}`.
    Block,
}

impl Kind {
    /// Whether it is a comment, documentation included.
    #[must_use]
    pub const fn is_comment(self) -> bool {
        matches!(self, Self::Comment | Self::Doc)
    }
}

/// One node of a chunk.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    pub(crate) kind: Kind,
    /// First byte in the file.
    pub(crate) start: u32,
    /// One past the last byte.
    pub(crate) end: u32,
    /// Index of the first node that is not a descendant.
    pub(crate) next: u32,
}

/// The nodes of one chunk of a file: usually one item with the comments around it.
#[derive(Clone, Debug, Default)]
pub struct Chunk {
    pub(crate) nodes: Vec<Node>,
}

/// The syntax tree of one file.
#[derive(Clone, Debug)]
pub struct Tree {
    /// The file it was read from.
    pub file: FileId,
    /// Its chunks in source order.
    pub chunks: Vec<Chunk>,
}

impl Tree {
    /// The statements at the top of the file, one after the other.
    pub fn statements<'t>(&'t self, text: &'t str) -> impl Iterator<Item = Statement<'t>> {
        self.chunks.iter().flat_map(move |chunk| chunk.statements(self.file, text))
    }
}

impl Tree {
    /// Every node in source order: how deep it stands, what it is, and where. For tools that need no meaning.
    pub fn nodes(&self) -> impl Iterator<Item = (usize, Kind, Span)> {
        self.chunks.iter().flat_map(move |chunk| {
            let mut open: Vec<u32> = Vec::new();
            chunk.nodes.iter().zip(0_u32..).map(move |(node, at)| {
                while open.pop_if(|end| *end <= at).is_some() {}
                let depth = open.len();
                open.push(node.next);
                (depth, node.kind, Span::new(self.file, node.start, node.end))
            })
        })
    }
}

impl Chunk {
    /// The statements at the top of the chunk.
    #[must_use]
    pub fn statements<'t>(&'t self, file: FileId, text: &'t str) -> Statements<'t> {
        let source = Source { chunk: self, text, file };
        Statements { source, at: 0, end: self.nodes.len() as u32 }
    }

    /// The number of nodes, for tests and figures.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether the chunk has no nodes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }
}

/// What every view needs: the nodes and the text they point into.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source<'t> {
    pub(crate) chunk: &'t Chunk,
    pub(crate) text: &'t str,
    pub(crate) file: FileId,
}

impl<'t> Source<'t> {
    pub(crate) fn node(self, at: u32) -> Option<&'t Node> {
        self.chunk.nodes.get(at as usize)
    }

    pub(crate) fn span(self, node: &Node) -> Span {
        Span::new(self.file, node.start, node.end)
    }

    pub(crate) fn text_of(self, node: &Node) -> &'t str {
        self.text.get(node.start as usize..node.end as usize).unwrap_or_default()
    }
}

/// The statements of a block, of a chunk.
#[derive(Clone, Copy, Debug)]
pub struct Statements<'t> {
    source: Source<'t>,
    at: u32,
    end: u32,
}

impl<'t> Iterator for Statements<'t> {
    type Item = Statement<'t>;

    fn next(&mut self) -> Option<Statement<'t>> {
        let leading = self.at;
        while self.at < self.end {
            let node = self.source.node(self.at)?;
            let at = self.at;
            self.at = node.next;
            if node.kind == Kind::Statement {
                let own_block = own_block(self.source, at + 1, node.next);
                return Some(Statement { source: self.source, leading, at, end: node.next, own_block });
            }
        }
        None
    }
}

/// A statement: a keyword, its arguments, its block, and the attributes and documentation in front of it.
#[derive(Clone, Copy, Debug)]
pub struct Statement<'t> {
    source: Source<'t>,
    /// Index of the first node in front of it that belongs to it.
    leading: u32,
    at: u32,
    /// Index behind its last descendant.
    end: u32,
    /// Index of the block that ends it.
    own_block: Option<u32>,
}

impl<'t> Statement<'t> {
    /// The whole statement, without what stands in front of it.
    #[must_use]
    pub fn span(&self) -> Span {
        self.node().map_or(Span::new(self.source.file, 0, 0), |node| self.source.span(node))
    }

    /// The statement without its own block: what a report underlines.
    #[must_use]
    pub fn head(&self) -> Span {
        let span = self.span();
        match self.block() {
            Some(block) => {
                let text = self.source.text.get(span.start as usize..block.span().start as usize);
                let length = text.map_or(0, |text| text.trim_end().len());
                span.part(0, length.max(1))
            }
            None => span,
        }
    }

    /// Whether the statement's keyword is this word.
    #[must_use]
    pub fn is(&self, keyword: &str) -> bool {
        self.keyword().and_then(|first| first.word()) == Some(keyword)
    }

    /// The first argument, which names the statement. It is not a word where somebody wrote, say, `"x" y`.
    #[must_use]
    pub fn keyword(&self) -> Option<Arg<'t>> {
        self.all_arguments().next()
    }

    /// The arguments behind the keyword, without the statement's own block.
    #[must_use]
    pub fn arguments(&self) -> Arguments<'t> {
        let mut arguments = self.all_arguments();
        arguments.next();
        arguments
    }

    /// The keyword and the arguments, without the statement's own block.
    #[must_use]
    pub fn all_arguments(&self) -> Arguments<'t> {
        Arguments { source: self.source, at: self.at + 1, end: self.own_block.unwrap_or(self.end) }
    }

    /// The block that ends the statement.
    #[must_use]
    pub fn block(&self) -> Option<Block<'t>> {
        self.own_block.map(|at| Block { source: self.source, at })
    }

    /// The attributes in front of the statement.
    pub fn attributes(&self) -> impl Iterator<Item = Attribute<'t>> + use<'t> {
        let source = self.source;
        siblings(source, self.leading, self.at)
            .filter(|(_, node)| node.kind == Kind::Attribute)
            .map(move |(at, _)| Attribute { source, at })
    }

    /// The lines of documentation in front of the statement, without `##`.
    pub fn docs(&self) -> impl Iterator<Item = &'t str> + use<'t> {
        let source = self.source;
        siblings(source, self.leading, self.at)
            .filter(|(_, node)| node.kind == Kind::Doc)
            .map(move |(_, node)| source.text_of(node).trim_start_matches('#').trim())
    }

    /// The file the statement stands in.
    #[must_use]
    pub const fn file(&self) -> FileId {
        self.source.file
    }

    fn node(&self) -> Option<&'t Node> {
        self.source.node(self.at)
    }
}

/// The block that stands last among these siblings, comments aside.
fn own_block(source: Source<'_>, from: u32, to: u32) -> Option<u32> {
    let mut last = None;
    for (at, node) in siblings(source, from, to) {
        match node.kind {
            Kind::Comment | Kind::Doc => {}
            Kind::Block => last = Some(at),
            Kind::Statement
            | Kind::Attribute
            | Kind::Word
            | Kind::Text
            | Kind::Raw
            | Kind::TextBlock
            | Kind::Arrow
            | Kind::Comma
            | Kind::List
            | Kind::Group => last = None,
        }
    }
    last
}

fn siblings<'t>(source: Source<'t>, from: u32, to: u32) -> impl Iterator<Item = (u32, &'t Node)> {
    let mut at = from;
    std::iter::from_fn(move || {
        if at >= to {
            return None;
        }
        let node = source.node(at)?;
        let here = at;
        at = node.next;
        Some((here, node))
    })
}

/// `@name(argument, ...)`.
#[derive(Clone, Copy, Debug)]
pub struct Attribute<'t> {
    source: Source<'t>,
    at: u32,
}

impl<'t> Attribute<'t> {
    /// The whole attribute.
    #[must_use]
    pub fn span(&self) -> Span {
        self.source.node(self.at).map_or(Span::new(self.source.file, 0, 0), |node| self.source.span(node))
    }

    /// The name without `@`.
    #[must_use]
    pub fn name(&self) -> &'t str {
        let token = self.source.node(self.at + 1);
        token.map_or("", |node| self.source.text_of(node)).trim_start_matches('@')
    }

    /// What stands in the parentheses.
    #[must_use]
    pub fn arguments(&self) -> Arguments<'t> {
        let end = self.source.node(self.at).map_or(self.at, |node| node.next);
        let group = siblings(self.source, self.at + 1, end).find(|(_, node)| node.kind == Kind::Group);
        match group {
            Some((at, node)) => Arguments { source: self.source, at: at + 1, end: node.next },
            None => Arguments { source: self.source, at: end, end },
        }
    }
}

/// `{ ... }`.
#[derive(Clone, Copy, Debug)]
pub struct Block<'t> {
    source: Source<'t>,
    at: u32,
}

impl<'t> Block<'t> {
    /// The block with its braces.
    #[must_use]
    pub fn span(&self) -> Span {
        self.source.node(self.at).map_or(Span::new(self.source.file, 0, 0), |node| self.source.span(node))
    }

    /// The statements in it.
    #[must_use]
    pub fn statements(&self) -> Statements<'t> {
        let end = self.source.node(self.at).map_or(self.at, |node| node.next);
        Statements { source: self.source, at: self.at + 1, end }
    }
}

/// The arguments of a statement, the elements of a list or a group; comments are passed over.
#[derive(Clone, Copy, Debug)]
pub struct Arguments<'t> {
    source: Source<'t>,
    at: u32,
    end: u32,
}

impl<'t> Arguments<'t> {
    /// Takes the next argument if it is a group in parentheses.
    pub fn next_if_group(&mut self) -> Option<Arg<'t>> {
        let mut ahead = *self;
        let group = ahead.next().filter(|arg| arg.kind == Kind::Group)?;
        *self = ahead;
        Some(group)
    }
}

impl<'t> Iterator for Arguments<'t> {
    type Item = Arg<'t>;

    fn next(&mut self) -> Option<Arg<'t>> {
        while self.at < self.end {
            let at = self.at;
            let node = self.source.node(at)?;
            self.at = node.next;
            if !matches!(node.kind, Kind::Comment | Kind::Doc) {
                return Some(Arg { source: self.source, at, kind: node.kind });
            }
        }
        None
    }
}

/// One argument.
#[derive(Clone, Copy, Debug)]
pub struct Arg<'t> {
    source: Source<'t>,
    at: u32,
    /// What it is.
    pub kind: Kind,
}

impl<'t> Arg<'t> {
    /// Where it stands.
    #[must_use]
    pub fn span(&self) -> Span {
        self.source.node(self.at).map_or(Span::new(self.source.file, 0, 0), |node| self.source.span(node))
    }

    /// As it was written, quotes included.
    #[must_use]
    pub fn written(&self) -> &'t str {
        self.source.node(self.at).map_or("", |node| self.source.text_of(node))
    }

    /// The text if this is a bare word.
    #[must_use]
    pub fn word(&self) -> Option<&'t str> {
        (self.kind == Kind::Word).then(|| self.written())
    }

    /// The elements of a list or a group, commas included; nothing for anything else.
    #[must_use]
    pub fn elements(&self) -> Arguments<'t> {
        match (self.kind, self.source.node(self.at)) {
            (Kind::List | Kind::Group, Some(node)) => {
                Arguments { source: self.source, at: self.at + 1, end: node.next }
            }
            _ => Arguments { source: self.source, at: self.at, end: self.at },
        }
    }

    /// The block, if this is one.
    #[must_use]
    pub fn block(&self) -> Option<Block<'t>> {
        (self.kind == Kind::Block).then_some(Block { source: self.source, at: self.at })
    }
}
