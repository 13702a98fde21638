//! Blocks and attributes without a statement: a block that starts on a line of its own, an attribute that nothing
//! follows.
//!
//! Such a block is read as that of the statement before it, wherever it can only be meant so: one slip of the hand is one
//! report, not one more for all that the statement then lacks.

use crate::code::Code;
use crate::diagnostic::{Applicability, Diagnostic};
use crate::source::{FileId, Span};
use crate::tree::{Chunk, Kind, Node};

/// The longest statement that a help line repeats.
const MAX_SHOWN: usize = 60;

/// Puts the blocks of a chunk to their statements; reports them, and attributes that belong to nothing.
pub(crate) fn settle(file: FileId, text: &str, chunk: Chunk) -> (Chunk, Vec<Diagnostic>) {
    let mut settler = Settler { file, text, reports: Vec::new(), joined: Vec::new() };
    let found = chunk.nodes.iter().enumerate().any(|(at, node)| {
        node.kind == Kind::Attribute || (node.kind == Kind::Statement && starts_with_block(&chunk.nodes, at))
    });
    if !found {
        return (chunk, Vec::new());
    }
    settler.walk(&chunk.nodes);
    let Settler { reports, joined, .. } = settler;
    (Chunk { nodes: join(chunk.nodes, &joined) }, reports)
}

fn starts_with_block(nodes: &[Node], statement: usize) -> bool {
    nodes.get(statement + 1).is_some_and(|child| child.kind == Kind::Block)
}

/// What has been seen so far of a block, or of the chunk.
struct Frame {
    /// Index of the first node behind it.
    end: usize,
    /// The last statement.
    statement: Option<usize>,
    /// The attributes since then.
    attributes: Vec<usize>,
}

impl Frame {
    const fn until(end: usize) -> Self {
        Self { end, statement: None, attributes: Vec::new() }
    }
}

struct Settler<'t> {
    file: FileId,
    text: &'t str,
    reports: Vec<Diagnostic>,
    /// Statements of a block only, each with the statement before it, to which the block belongs.
    joined: Vec<(usize, usize)>,
}

impl Settler<'_> {
    fn walk(&mut self, nodes: &[Node]) {
        let mut open = vec![Frame::until(nodes.len())];
        for (at, node) in nodes.iter().enumerate() {
            while let Some(frame) = open.pop_if(|frame| frame.end <= at) {
                self.attributes(nodes, &frame.attributes);
            }
            let Some(frame) = open.last_mut() else { return };
            match node.kind {
                Kind::Block => open.push(Frame::until(node.next as usize)),
                Kind::Attribute => frame.attributes.push(at),
                Kind::Statement if starts_with_block(nodes, at) => self.block(nodes, at, frame),
                Kind::Statement => {
                    frame.statement = Some(at);
                    frame.attributes.clear();
                }
                Kind::Doc
                | Kind::Comment
                | Kind::Word
                | Kind::Text
                | Kind::Raw
                | Kind::TextBlock
                | Kind::Arrow
                | Kind::Comma
                | Kind::List
                | Kind::Group => {}
            }
        }
        for frame in open.into_iter().rev() {
            self.attributes(nodes, &frame.attributes);
        }
    }

    fn block(&mut self, nodes: &[Node], at: usize, frame: &mut Frame) {
        let owner = frame.statement.take().filter(|_| frame.attributes.is_empty());
        frame.attributes.clear();
        let Some(brace) = nodes.get(at).map(|node| self.span(node).part(0, 1)) else { return };
        let owner = owner.and_then(|owner| Some((owner, nodes.get(owner)?)));
        let Some((owner, node, gap)) = owner.and_then(|(owner, node)| {
            (!has_block(nodes, owner)).then_some(())?;
            Some((owner, node, self.gap(node.end, brace.start)?))
        }) else {
            let report = Diagnostic::new(Code::LONE_BLOCK, brace, "this block belongs to no statement");
            self.reports.push(report.consequence("nothing in it is compiled").help(
                "put it on the line of its statement; for example `route default -> reviews { timeout 3s }`",
            ));
            return;
        };
        self.joined.push((at, owner));
        let head = self.span(node);
        let written = self.text.get(head.range()).unwrap_or_default();
        let help = match written.lines().last() {
            Some(line) if line.len() <= MAX_SHOWN => format!("write `{} {{`", line.trim()),
            _ => "put the `{` at the end of that line".to_owned(),
        };
        let applicability = if gap.lines == 1 { Applicability::Safe } else { Applicability::Unsafe };
        let end = Span { start: head.end, end: head.end, ..head };
        let report = Diagnostic::new(Code::LONE_BLOCK, brace, "this `{` is not on the line of its statement")
            .related(head, "the statement before it ends here")
            .consequence("a block on a line of its own belongs to no statement; nothing is written")
            .help(help);
        self.reports.push(if gap.is_blank {
            report.edit(applicability, Span { end: brace.start, ..end }, " ")
        } else {
            report.edit(applicability, end, " {").edit(applicability, brace, "")
        });
    }

    fn attributes(&mut self, nodes: &[Node], attributes: &[usize]) {
        for node in attributes.iter().filter_map(|at| nodes.get(*at)) {
            let span = self.span(node);
            let written = self.text.get(span.range()).unwrap_or_default();
            let name = written.split('(').next().unwrap_or_default().trim_end();
            let report =
                Diagnostic::new(Code::LONE_ATTRIBUTE, span, format!("`{name}` has no statement after it"));
            self.reports.push(
                report
                    .consequence(
                        "an attribute applies to the next statement; this one would apply to nothing",
                    )
                    .help("put it on the line before its statement, or remove it"),
            );
        }
    }

    /// What lies between a statement and a block: blanks and comments; `None` if anything else does.
    fn gap(&self, from: u32, to: u32) -> Option<Gap> {
        let text = self.text.get(from as usize..to as usize)?;
        let is_blank = text.trim().is_empty();
        let code = |line: &str| {
            let code = line.split('#').next().unwrap_or_default().trim();
            code.is_empty() || code.starts_with("//")
        };
        let lines = text.matches('\n').count();
        (lines > 0 && text.lines().all(code)).then_some(Gap { lines, is_blank })
    }

    fn span(&self, node: &Node) -> Span {
        Span::new(self.file, node.start, node.end)
    }
}

struct Gap {
    /// Line breaks.
    lines: usize,
    /// Whether there are no comments.
    is_blank: bool,
}

/// Whether a block stands among the arguments of a statement, or ends it.
fn has_block(nodes: &[Node], statement: usize) -> bool {
    let end = nodes.get(statement).map_or(0, |node| node.next as usize);
    let mut at = statement + 1;
    while let Some(child) = nodes.get(at).filter(|_| at < end) {
        if child.kind == Kind::Block {
            return true;
        }
        at = child.next as usize;
    }
    false
}

/// The nodes without those statements, their children being those of the statement before them.
fn join(nodes: Vec<Node>, joined: &[(usize, usize)]) -> Vec<Node> {
    if joined.is_empty() {
        return nodes;
    }
    let mut grown: Vec<Node> = nodes;
    for (block, owner) in joined {
        let Some((end, next)) = grown.get(*block).map(|node| (node.end, node.next)) else { continue };
        if let Some(owner) = grown.get_mut(*owner) {
            (owner.end, owner.next) = (end, next);
        }
    }
    let mut removed = joined.iter().map(|(block, _)| *block).peekable();
    let mut before = Vec::with_capacity(grown.len() + 1);
    let mut count = 0_u32;
    for at in 0..=grown.len() {
        before.push(count);
        count += u32::from(removed.next_if_eq(&at).is_some());
    }
    let shifted = |next: u32| next - before.get(next as usize).copied().unwrap_or_default();
    let mut gone = joined.iter().map(|(block, _)| *block).peekable();
    let kept = grown.into_iter().enumerate().filter(|(at, _)| gone.next_if_eq(at).is_none());
    kept.map(|(_, node)| Node { next: shifted(node.next), ..node }).collect()
}
