//! Lines: which pieces stand together, and how far they are indented.

use super::pieces::{Nodes, Piece, What, join, width};
use crate::parse::Part;
use crate::tree::{Kind, Node};

/// The last column that a line should reach.
const WIDTH: usize = 100;
/// By how much a block or a list is indented.
const STEP: usize = 2;
/// By how much the further lines of a statement are indented: more than its block.
const CONTINUATION: usize = 4;

/// The text that is being written.
pub(super) struct Layout<'t> {
    text: &'t str,
    out: String,
    /// Indentation of the statement or the list element being written.
    indent: usize,
    /// Whether the line ends with a comment, so that nothing can follow on it.
    closed: bool,
    /// Whether a line has been started and nothing stands on it, not even an indentation.
    fresh: bool,
}

/// Where in the source the thing before ended, and what it was.
#[derive(Clone, Copy)]
enum Before {
    /// Nothing, or the opening brace: no blank line follows it.
    Start(u32),
    End(u32),
}

impl<'t> Layout<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            text,
            out: String::with_capacity(text.len() + text.len() / 8),
            indent: 0,
            closed: false,
            fresh: true,
        }
    }

    /// Writes a whole file; parts with faults as they are.
    pub(super) fn file(mut self, parts: &'t [Part]) -> String {
        let mut before = Before::Start(0);
        for part in parts {
            if part.reports.is_empty() {
                let nodes = Nodes { text: self.text, nodes: &part.chunk.nodes };
                before = self.sequence(nodes, nodes.siblings(0, u32::MAX), before, 0);
            } else {
                self.new_line(self.text, before, part.range.start as u32, 0);
                let verbatim = self.text.get(part.range.clone()).unwrap_or_default();
                self.out.push_str(verbatim);
                self.fresh = verbatim.ends_with('\n');
                before = Before::Start(part.range.end as u32);
            }
        }
        if matches!(before, Before::End(_)) {
            self.out.push('\n');
        }
        self.out
    }

    /// Writes statements, attributes and comments, each on a line of its own.
    fn sequence(
        &mut self,
        nodes: Nodes<'t>,
        members: impl Iterator<Item = (u32, &'t Node)>,
        mut before: Before,
        indent: usize,
    ) -> Before {
        for (at, node) in members {
            before = self.member(nodes, at, node, before, indent);
        }
        before
    }

    fn member(&mut self, nodes: Nodes<'t>, at: u32, node: &Node, before: Before, indent: usize) -> Before {
        if !node.kind.is_comment() {
            self.new_line(nodes.text, before, node.start, indent);
            let Some((next, last)) = nodes.needs_semicolon(at) else {
                self.statement(nodes, nodes.pieces(nodes.children(at)));
                return Before::End(node.end);
            };
            self.statement(nodes, nodes.pieces(nodes.siblings(at + 1, next)));
            self.out.push(';');
            return self.sequence(nodes, nodes.siblings(next, node.next), Before::End(last.end), indent);
        }
        if self.trails(nodes, before, node) {
            self.trailing(nodes.comment(at));
            return if let Before::Start(_) = before {
                Before::Start(node.end)
            } else {
                Before::End(node.end)
            };
        }
        self.new_line(nodes.text, before, node.start, indent);
        self.out.push_str(nodes.comment(at));
        Before::End(node.end)
    }

    /// Whether a comment stands on the line of what is before it.
    fn trails(&self, nodes: Nodes<'t>, before: Before, comment: &Node) -> bool {
        let (Before::Start(end) | Before::End(end)) = before;
        !self.fresh && !nodes.between(end, comment.start).contains('\n')
    }

    fn trailing(&mut self, comment: &str) {
        self.out.push(' ');
        self.out.push_str(comment);
        self.closed = true;
    }

    /// Starts the line of what stands at `start`, behind a blank line if the author left one.
    fn new_line(&mut self, text: &str, before: Before, start: u32, indent: usize) {
        if let Before::End(end) = before {
            let gap = text.get(end as usize..start as usize).unwrap_or_default();
            if memchr::memchr_iter(b'\n', gap.as_bytes()).nth(1).is_some() {
                self.out.push('\n');
            }
        }
        self.line(indent);
    }

    /// Starts the first line of something that is indented by `indent`.
    fn line(&mut self, indent: usize) {
        self.break_line(indent);
        self.indent = indent;
    }

    /// Starts a further line of it.
    fn further_line(&mut self) {
        self.break_line(self.indent + CONTINUATION);
    }

    fn break_line(&mut self, blanks: usize) {
        if !self.fresh {
            self.out.push('\n');
        }
        self.out.extend(std::iter::repeat_n(' ', blanks));
        self.closed = false;
        self.fresh = false;
    }

    fn column(&self) -> usize {
        let line = self.out.rfind('\n').map_or(0, |newline| newline + 1);
        width(self.out.get(line..).unwrap_or_default())
    }

    fn fits(&self, more: usize) -> bool {
        self.column() + more <= WIDTH
    }

    /// Writes a statement or an attribute at the start of a line.
    fn statement(&mut self, nodes: Nodes<'t>, mut pieces: Vec<Piece>) {
        match join(&pieces).filter(|flat| self.fits(width(flat))) {
            Some(flat) => self.out.push_str(&flat),
            None => {
                let block = pieces.pop_if(|last| last.what == What::Block);
                self.head_and_block(nodes, pieces, block);
            }
        }
    }

    /// Breaks the block rather than the line before it, if that is enough.
    fn head_and_block(&mut self, nodes: Nodes<'t>, head: Vec<Piece>, block: Option<Piece>) {
        let reserve = if block.is_some() { " {".len() } else { 0 };
        let flat = join(&head).filter(|flat| block.is_some() && self.fits(width(flat) + reserve));
        let break_block = flat.is_some();
        match flat {
            Some(flat) => self.out.push_str(&flat),
            None => self.run(nodes, head, reserve),
        }
        let Some(block) = block else { return };
        if self.closed {
            self.further_line();
        } else if block.space {
            self.out.push(' ');
        }
        match block.flat.filter(|flat| flat == "{}" || !break_block && self.fits(width(flat))) {
            Some(flat) => self.out.push_str(&flat),
            None => self.block(nodes, block.at),
        }
    }

    /// Writes pieces from the start of a line, and breaks it behind `,` and `->`.
    fn run(&mut self, nodes: Nodes<'t>, pieces: Vec<Piece>, reserve: usize) {
        let mut pieces = pieces.into_iter().peekable();
        let mut first = true;
        let mut end = 0;
        while let Some(piece) = pieces.next() {
            if piece.what == What::Comment {
                self.comment_in_run(nodes, &piece, end);
                end = piece.end;
                continue;
            }
            let mut segment = vec![piece];
            while segment.last().is_some_and(|last| last.what != What::Separator)
                && let Some(piece) = pieces.next_if(|piece| piece.what != What::Comment)
            {
                segment.push(piece);
            }
            end = segment.last().map_or(end, |last| last.end);
            let reserve = if pieces.peek().is_none() { reserve } else { 0 };
            self.segment(nodes, segment, reserve, first);
            first = false;
        }
    }

    fn comment_in_run(&mut self, nodes: Nodes<'t>, comment: &Piece, end: u32) {
        if self.closed || nodes.between(end, comment.start).contains('\n') {
            self.further_line();
            self.out.push_str(nodes.comment(comment.at));
            self.closed = true;
        } else {
            self.trailing(nodes.comment(comment.at));
        }
    }

    /// Writes pieces between which no line may be broken, other than inside a list or a block.
    fn segment(&mut self, nodes: Nodes<'t>, mut pieces: Vec<Piece>, reserve: usize, first: bool) {
        let start = if first { self.indent } else { self.indent + CONTINUATION };
        break_widest(&mut pieces, reserve, start);
        let first_part = parts(&pieces, reserve).first().copied().unwrap_or(0);
        let mut at_start = first;
        if self.closed || !first && !self.fits(first_part) {
            self.further_line();
            at_start = true;
        }
        for piece in pieces {
            if piece.space && !at_start {
                self.out.push(' ');
            }
            at_start = false;
            match (piece.flat, piece.what) {
                (Some(flat), _) => self.out.push_str(&flat),
                (None, What::List) => self.list(nodes, piece.at),
                (None, What::Block) => self.block(nodes, piece.at),
                (None, _) => self.out.push_str(nodes.written(piece.at)),
            }
        }
    }

    fn block(&mut self, nodes: Nodes<'t>, at: u32) {
        let indent = self.indent;
        self.out.push('{');
        let start = nodes.node(at).map_or(0, |node| node.start + 1);
        self.sequence(nodes, nodes.children(at), Before::Start(start), indent + STEP);
        self.line(indent);
        self.out.push('}');
    }

    /// Writes a list with one element to a line.
    fn list(&mut self, nodes: Nodes<'t>, at: u32) {
        let indent = self.indent;
        self.out.push('[');
        let mut end = nodes.node(at).map_or(0, |node| node.start + 1);
        let mut element = Vec::new();
        for (at, node) in nodes.children(at) {
            if node.kind.is_comment() && element.is_empty() {
                if nodes.between(end, node.start).contains('\n') {
                    self.line(indent + STEP);
                    self.out.push_str(nodes.comment(at));
                } else {
                    self.trailing(nodes.comment(at));
                }
            } else {
                element.push((at, node));
                if node.kind == Kind::Comma {
                    self.element(nodes, std::mem::take(&mut element), indent + STEP);
                }
            }
            end = node.end;
        }
        if !element.is_empty() {
            self.element(nodes, element, indent + STEP);
        }
        self.line(indent);
        self.out.push(']');
    }

    fn element(&mut self, nodes: Nodes<'t>, members: Vec<(u32, &'t Node)>, indent: usize) {
        self.line(indent);
        self.run(nodes, nodes.pieces(members.into_iter()), 0);
    }
}

/// Breaks the widest list or block on and on until each line of the segment fits behind `start` columns.
fn break_widest(pieces: &mut [Piece], reserve: usize, start: usize) {
    while parts(pieces, reserve).iter().any(|part| start + part > WIDTH) {
        let widest = pieces
            .iter_mut()
            .filter(|piece| matches!(piece.what, What::List | What::Block))
            .filter(|piece| piece.width().is_some_and(|width| width > " []".len()))
            .max_by_key(|piece| piece.width());
        let Some(widest) = widest else { break };
        widest.flat = None;
    }
}

/// The widths of the lines that the pieces take: what has to be broken ends one line and starts the next.
fn parts(pieces: &[Piece], reserve: usize) -> Vec<usize> {
    let mut parts = Vec::new();
    let mut part = 0;
    for piece in pieces {
        if let Some(width) = piece.width() {
            part += width;
            continue;
        }
        parts.push(part + usize::from(piece.space) + piece.first_line);
        part = piece.last_line;
    }
    parts.push(part + reserve);
    parts
}
