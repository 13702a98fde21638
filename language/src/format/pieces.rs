//! What a line is made of: the tokens of an argument run in order, each with what it looks like on one line.

use crate::tree::{Kind, Node};

/// The nodes of one chunk and the text they point into.
#[derive(Clone, Copy)]
pub(super) struct Nodes<'t> {
    pub(super) text: &'t str,
    pub(super) nodes: &'t [Node],
}

/// What one piece of a line is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Token,
    Separator,
    /// `(`: a group is not one piece, a line may be broken inside it.
    Open,
    /// `)`.
    Close,
    List,
    Block,
    Comment,
}

/// One piece of a line.
pub(super) struct Piece {
    pub(super) what: What,
    /// Index of its node.
    pub(super) at: u32,
    /// Whether a blank stands before it, unless it starts the line.
    pub(super) space: bool,
    /// How it looks on one line; nothing if it has to be broken.
    pub(super) flat: Option<String>,
    /// Its place in the file.
    pub(super) start: u32,
    pub(super) end: u32,
    /// The widths of its first and its last line if it is broken.
    pub(super) first_line: usize,
    pub(super) last_line: usize,
}

impl Piece {
    pub(super) fn width(&self) -> Option<usize> {
        self.flat.as_deref().map(|flat| usize::from(self.space) + width(flat))
    }
}

/// The columns that `text` takes.
pub(super) fn width(text: &str) -> usize {
    text.chars().count()
}

impl<'t> Nodes<'t> {
    pub(super) fn node(self, at: u32) -> Option<&'t Node> {
        self.nodes.get(at as usize)
    }

    pub(super) fn written(self, at: u32) -> &'t str {
        self.node(at)
            .and_then(|node| self.text.get(node.start as usize..node.end as usize))
            .unwrap_or_default()
    }

    /// A comment without the blanks behind it.
    pub(super) fn comment(self, at: u32) -> &'t str {
        self.written(at).trim_end_matches([' ', '\t', '\r'])
    }

    /// The text between two places.
    pub(super) fn between(self, from: u32, to: u32) -> &'t str {
        self.text.get(from as usize..to as usize).unwrap_or_default()
    }

    pub(super) fn children(self, at: u32) -> impl Iterator<Item = (u32, &'t Node)> + use<'t> {
        self.siblings(at + 1, self.node(at).map_or(0, |node| node.next))
    }

    pub(super) fn siblings(self, from: u32, to: u32) -> impl Iterator<Item = (u32, &'t Node)> + use<'t> {
        let mut next = from;
        std::iter::from_fn(move || {
            let at = next;
            let node = self.node(at).filter(|_| at < to)?;
            next = node.next;
            Some((at, node))
        })
    }

    /// Whether the author broke the line behind the opening bracket.
    pub(super) fn opens_line(self, at: u32) -> bool {
        let inside = self.written(at).get(1..).unwrap_or_default();
        inside.trim_start_matches([' ', '\t', '\r']).starts_with('\n')
    }

    /// The last node of a statement that is not a comment, with the index behind it, if it is `,` or `->` and more
    /// follows: the next line would go on with the statement, so `;` has to end it.
    pub(super) fn needs_semicolon(self, statement: u32) -> Option<(u32, &'t Node)> {
        let node = self.node(statement)?;
        let (at, last) = self.children(statement).filter(|(_, child)| !child.kind.is_comment()).last()?;
        let behind =
            self.between(node.end, self.text.len() as u32).trim_start_matches([' ', '\t', '\r', '\n']);
        let ends =
            matches!(last.kind, Kind::Comma | Kind::Arrow) && !behind.is_empty() && !behind.starts_with('}');
        ends.then_some((at + 1, last))
    }

    /// The pieces that `children` are printed as.
    pub(super) fn pieces(self, children: impl Iterator<Item = (u32, &'t Node)>) -> Vec<Piece> {
        let mut pieces = Vec::new();
        self.push_pieces(children, &mut pieces);
        pieces
    }

    fn push_pieces(self, children: impl Iterator<Item = (u32, &'t Node)>, pieces: &mut Vec<Piece>) {
        for (at, node) in children {
            let what = match node.kind {
                Kind::Comma | Kind::Arrow => What::Separator,
                Kind::Comment | Kind::Doc => What::Comment,
                Kind::List => What::List,
                Kind::Block => What::Block,
                Kind::Group => What::Open,
                Kind::Statement | Kind::Attribute | Kind::Word | Kind::Text | Kind::Raw | Kind::TextBlock => {
                    What::Token
                }
            };
            let space = match pieces.last() {
                Some(before) if before.what == What::Open => false,
                Some(before) if what == What::Open => !self.calls(before, node),
                Some(_) => node.kind != Kind::Comma,
                None => false,
            };
            let piece = Piece {
                what,
                at,
                space,
                flat: None,
                start: node.start,
                end: node.end,
                first_line: 1,
                last_line: 1,
            };
            if what == What::Open {
                pieces.push(Piece { flat: Some("(".to_owned()), end: node.start + 1, ..piece });
                self.push_pieces(self.children(at), pieces);
                pieces.push(Piece { what: What::Close, space: false, flat: Some(")".to_owned()), ..piece });
            } else if what == What::Token {
                let written = self.written(at);
                let first_line = width(written.split('\n').next().unwrap_or_default());
                let last_line = width(written.rsplit('\n').next().unwrap_or_default());
                pieces.push(Piece { flat: self.flat(at, node.kind), first_line, last_line, ..piece });
            } else {
                pieces.push(Piece { flat: self.flat(at, node.kind), ..piece });
            }
        }
    }

    /// `name(...)`, as in a template's parameters, in contrast to `name (...)`.
    fn calls(self, name: &Piece, group: &Node) -> bool {
        self.node(name.at).is_some_and(|node| node.kind == Kind::Word && node.end == group.start)
    }

    fn flat(self, at: u32, kind: Kind) -> Option<String> {
        match kind {
            Kind::Comment | Kind::Doc => None,
            Kind::List => self.flat_list(at),
            Kind::Block => self.flat_block(at),
            Kind::Statement | Kind::Attribute | Kind::Group => self.flat_run(at),
            Kind::Word | Kind::Text | Kind::Raw | Kind::TextBlock | Kind::Arrow | Kind::Comma => {
                Some(self.written(at)).filter(|text| !text.contains('\n')).map(str::to_owned)
            }
        }
    }

    /// The children of a node on one line.
    pub(super) fn flat_run(self, at: u32) -> Option<String> {
        join(&self.pieces(self.children(at)))
    }

    fn flat_list(self, at: u32) -> Option<String> {
        let run = self.flat_run(at)?;
        (run.is_empty() || !self.opens_line(at)).then(|| format!("[{run}]"))
    }

    /// `{ a; b }`, if the author wrote it on one line and it holds nothing but statements.
    fn flat_block(self, at: u32) -> Option<String> {
        if self.children(at).next().is_none() {
            return Some("{}".to_owned());
        }
        if self.written(at).contains('\n') {
            return None;
        }
        let mut flat = String::from("{");
        for (statement, node) in self.children(at) {
            if node.kind != Kind::Statement {
                return None;
            }
            flat.push_str(if flat.len() == 1 || flat.ends_with(';') { " " } else { "; " });
            flat.push_str(&self.flat_run(statement)?);
            if self.needs_semicolon(statement).is_some() {
                flat.push(';');
            }
        }
        flat.push_str(" }");
        Some(flat)
    }
}

/// The pieces on one line, if each of them can stand on one.
pub(super) fn join(pieces: &[Piece]) -> Option<String> {
    let mut line = String::new();
    for piece in pieces {
        if piece.space {
            line.push(' ');
        }
        line.push_str(piece.flat.as_deref()?);
    }
    Some(line)
}
