//! From the text of one balanced chunk to its nodes, by pest.

use crate::tree::{Chunk, Kind, Node};
use pest::{Parser, Token};

/// The generated parser. Its rules stay in this file: no rule name ever reaches a message.
#[derive(pest_derive::Parser)]
#[grammar = "mesh.pest"]
struct Mesh;

/// Reads `text`, which stands at byte `base` of its file.
///
/// The grammar accepts any text (see `mesh.pest`); `None` would be a fault of the grammar itself.
pub(crate) fn read(text: &str, base: u32) -> Option<Chunk> {
    let pairs = Mesh::parse(Rule::chunk, text).ok()?;
    let tokens = pairs.tokens();
    let nodes = Vec::with_capacity(tokens.len() / 2);
    let mut builder = Builder { text, base, nodes, open: Vec::with_capacity(16), last_end: base };
    for token in tokens {
        match token {
            Token::Start { rule, pos } => builder.start(rule, pos.pos()),
            Token::End { rule, pos } => builder.end(rule, pos.pos()),
        }
    }
    Some(Chunk { nodes: builder.nodes })
}

struct Builder<'t> {
    text: &'t str,
    base: u32,
    nodes: Vec<Node>,
    /// Indices of the nodes that have not ended.
    open: Vec<usize>,
    /// Where the node that ended last ended.
    last_end: u32,
}

impl Builder<'_> {
    fn start(&mut self, rule: Rule, at: usize) {
        let Some(kind) = self.kind(rule, at) else { return };
        let start = self.base + at as u32;
        let index = self.nodes.len();
        // A separator swallows the blanks and comments behind it; they are not part of it.
        let length = match (rule, kind) {
            (Rule::separator, Kind::Comma) => 1,
            (Rule::separator, _) => 2,
            _ => 0,
        };
        self.nodes.push(Node { kind, start, end: start + length, next: index as u32 + 1 });
        if length == 0 {
            self.open.push(index);
        } else {
            self.last_end = start + length;
        }
    }

    fn end(&mut self, rule: Rule, at: usize) {
        if matches!(rule, Rule::chunk | Rule::EOI | Rule::separator | Rule::stray | Rule::stray_in_block) {
            return;
        }
        let behind_blank =
            at.checked_sub(1).and_then(|before| self.text.as_bytes().get(before)) == Some(&b' ');
        let next = self.nodes.len() as u32;
        let Some(node) = self.open.pop().and_then(|index| self.nodes.get_mut(index)) else { return };
        node.next = next;
        // A word swallows the blank behind it.
        let blank = usize::from(behind_blank && node.kind == Kind::Word);
        // A statement swallows the blanks behind it; it ends with its last child.
        node.end = if rule == Rule::statement { self.last_end } else { self.base + (at - blank) as u32 };
        self.last_end = node.end;
    }

    /// The kind of node that a rule makes, if it makes one.
    #[expect(clippy::wildcard_enum_match_arm, reason = "most rules make no node")]
    fn kind(&self, rule: Rule, at: usize) -> Option<Kind> {
        match rule {
            Rule::statement => Some(Kind::Statement),
            Rule::attribute => Some(Kind::Attribute),
            Rule::block => Some(Kind::Block),
            Rule::list => Some(Kind::List),
            Rule::group => Some(Kind::Group),
            Rule::comment => Some(if self.starts(at, b"##") { Kind::Doc } else { Kind::Comment }),
            Rule::separator => Some(if self.starts(at, b",") { Kind::Comma } else { Kind::Arrow }),
            Rule::token => Some(self.token_kind(at)),
            Rule::handle | Rule::semicolon => Some(Kind::Word),
            _ => None,
        }
    }

    fn token_kind(&self, at: usize) -> Kind {
        if self.starts(at, b"\"\"\"") {
            Kind::TextBlock
        } else if self.starts(at, b"\"") || self.is_foreign(at) {
            Kind::Text
        } else if self.starts(at, b"r\"") {
            Kind::Raw
        } else {
            Kind::Word
        }
    }

    /// Whether the token here is a string in quotes of another language: two of them on one line.
    fn is_foreign(&self, at: usize) -> bool {
        if !matches!(self.text.as_bytes().get(at), Some(b'\'' | b'`' | 0xc2 | 0xe2)) {
            return false;
        }
        let rest = self.text.get(at..).unwrap_or_default();
        crate::quotes::foreign(rest.lines().next().unwrap_or_default()).is_some()
    }

    fn starts(&self, at: usize, with: &[u8]) -> bool {
        self.text.as_bytes().get(at..).is_some_and(|rest| rest.starts_with(with))
    }
}
