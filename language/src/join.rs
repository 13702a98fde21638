//! Joins pieces that were cut inside an item: its author does not indent, or a line stands in column 0 by accident.
//!
//! Where the brackets of the whole file fit, they decide. Elsewhere, that an item seems unfinished and a later one has the
//! closers it lacks can also mean two faults. What the lines look like decides then: nobody leaves an item in column 0 and goes on deeper, and a word that starts indented lines
//! elsewhere in the file hardly starts an item.

use crate::chunk::{Balance, Piece};
use crate::lexis::{Mark, Marks};
use std::collections::HashMap;

pub(crate) fn join(text: &str, pieces: Vec<Piece>) -> Vec<Piece> {
    let partners = partners(&pieces);
    let evidence = Evidence::new(text, &pieces);
    let balanced = is_balanced(&pieces);
    let mut joined: Vec<Piece> = Vec::with_capacity(pieces.len());
    let mut upto = 0;
    for (at, piece) in pieces.into_iter().enumerate() {
        match joined.last_mut().filter(|_| at < upto) {
            Some(item) => append(text, item, piece),
            None => joined.push(piece),
        }
        if at >= upto
            && let Some(partner) = partners.get(at).copied().flatten()
            && (balanced || evidence.one_item(at, partner))
        {
            upto = partner + 1;
        }
    }
    for piece in joined.iter_mut().filter(|piece| !piece.marks.is_empty()) {
        piece.balance = Balance::of(piece.brackets());
    }
    joined
}

/// Whether the brackets of all pieces together fit. Then they say where each item ends, however it is indented.
fn is_balanced(pieces: &[Piece]) -> bool {
    pieces.iter().all(|piece| piece.quoted)
        && Balance::of(pieces.iter().flat_map(Piece::brackets)).is_balanced()
}

/// For each piece with openers left, the first later piece that closes them, if it closes just them.
fn partners(pieces: &[Piece]) -> Vec<Option<usize>> {
    let mut partners = vec![None; pieces.len()];
    // Pieces that wait, with the depth in front of each.
    let mut waiting: Vec<(usize, i64)> = Vec::new();
    let mut depth = 0_i64;
    for (at, piece) in pieces.iter().enumerate() {
        let after = depth + i64::from(piece.balance.net);
        let lowest = depth + i64::from(piece.balance.lowest);
        while let Some((waits, before)) = waiting.pop_if(|(_, before)| lowest <= *before) {
            if after == before
                && let Some(partner) = partners.get_mut(waits)
            {
                *partner = Some(at);
            }
        }
        if piece.balance.net > 0 && piece.balance.lowest >= 0 {
            waiting.push((at, depth));
        }
        depth = after;
    }
    partners
}

/// Makes `piece` a part of `item`.
fn append(text: &str, item: &mut Piece, piece: Piece) {
    item.range.end = piece.range.end;
    item.quoted &= piece.quoted;
    if piece.is_sound() {
        item.marks.extend(marks(text, &piece));
    } else {
        item.marks.extend(piece.marks);
    }
}

/// The marks of a piece that is sound, which keeps none.
fn marks(text: &str, piece: &Piece) -> impl Iterator<Item = Mark> {
    let base = piece.range.start;
    Marks::new(text.get(piece.range.clone()).unwrap_or_default(), true).map(move |mark| match mark {
        Mark::Bracket(at, bracket) => Mark::Bracket(at + base, bracket),
        Mark::Line(at) => Mark::Line(at + base),
        Mark::Comment(at) => Mark::Comment(at + base),
        Mark::Loose(string) => Mark::Loose(string.start + base..string.end + base),
    })
}

/// How often each word starts a line in column 0, and how often an indented one.
struct Words<'t>(HashMap<&'t str, (usize, usize)>);

impl<'t> Words<'t> {
    fn new(text: &'t str) -> Self {
        let mut words: HashMap<&str, (usize, usize)> = HashMap::new();
        for line in text.split('\n') {
            let word = first_word(line);
            if word.starts_with(|first: char| first.is_ascii_alphabetic()) {
                let (flat, indented) = words.entry(word).or_default();
                *(if line.starts_with(word) { flat } else { indented }) += 1;
            }
        }
        Self(words)
    }

    /// Whether the word mostly starts indented lines.
    fn is_inner(&self, word: &str) -> bool {
        self.0.get(word).is_some_and(|(flat, indented)| indented > flat)
    }
}

fn first_word(line: &str) -> &str {
    let line = line.trim_start_matches([' ', '\t']);
    let end = line.find([' ', '\t', '\r', '\n', '{', '(', '[', ',', ';', '"', '#']).unwrap_or(line.len());
    line.get(..end).unwrap_or_default()
}

/// What the lines of each piece tell.
struct Evidence {
    /// Whether the last line is one that a block or a list follows.
    ends_open: Vec<bool>,
    /// Whether a piece goes on with the item before it, by its lines.
    goes_on: Vec<bool>,
    /// In front of each piece, how many are items beyond doubt.
    items: Vec<usize>,
    /// In front of each piece, how many start with a word that starts indented lines elsewhere.
    inner: Vec<usize>,
}

impl Evidence {
    fn new(text: &str, pieces: &[Piece]) -> Self {
        let words = Words::new(text);
        let mut evidence =
            Self { ends_open: Vec::new(), goes_on: Vec::new(), items: vec![0], inner: vec![0] };
        let (mut items, mut inner) = (0, 0);
        for piece in pieces {
            let lines = text.get(piece.range.clone()).unwrap_or_default();
            let starts_inner = words.is_inner(head(lines));
            inner += usize::from(starts_inner);
            items += usize::from(!starts_inner && piece.balance.is_balanced() && is_item(lines));
            evidence.ends_open.push(piece.balance.net > 0 && ends_open(lines));
            evidence.goes_on.push(piece.balance.net < 0 && goes_on(lines, piece));
            evidence.items.push(items);
            evidence.inner.push(inner);
        }
        evidence
    }

    /// Whether the pieces behind `open`, up to `last`, are the rest of its item.
    fn one_item(&self, open: usize, last: usize) -> bool {
        let is = |facts: &[bool], at: usize| facts.get(at).copied().unwrap_or(false);
        let count = |counts: &[usize], from: usize, to: usize| {
            counts.get(to).copied().unwrap_or(0) - counts.get(from).copied().unwrap_or(0)
        };
        count(&self.items, open + 1, last) == 0
            && (is(&self.ends_open, open)
                || is(&self.goes_on, last)
                || count(&self.inner, open + 1, last + 1) == last - open)
    }
}

/// The word that starts the item, behind its attributes and documentation.
fn head(lines: &str) -> &str {
    lines
        .split('\n')
        .find(|line| line.starts_with(|first: char| first.is_ascii_alphabetic()))
        .map_or("", first_word)
}

/// Whether a balanced piece is an item beyond doubt: a block with an indented body.
fn is_item(lines: &str) -> bool {
    let mut lines = lines.split('\n').filter(|line| is_code(line));
    let opens = lines.any(|line| line.trim_end().ends_with('{'));
    opens && lines.next().is_some_and(|line| line.starts_with([' ', '\t']))
}

fn ends_open(lines: &str) -> bool {
    let last = lines.split('\n').rfind(|line| is_code(line)).unwrap_or_default().trim_end();
    last.ends_with(['{', '[', '(', ',']) || last.ends_with("->")
}

/// Whether an indented line, or a closer, comes where nothing of the piece itself is open.
fn goes_on(lines: &str, piece: &Piece) -> bool {
    let mut brackets = piece.brackets().peekable();
    // The line number and the indentation of each opener.
    let mut opened: Vec<(usize, usize)> = Vec::new();
    let mut end = piece.range.start;
    let (mut started, mut blocks) = (false, false);
    for (number, line) in lines.split_inclusive('\n').enumerate() {
        let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
        let code = is_code(line) && !line.starts_with('@');
        if started && code && opened.is_empty() {
            // Behind a block, a closer in column 0 may as well be one too many.
            return indent > 0 || line.starts_with(['}', ']', ')']) && !blocks;
        }
        started |= code;
        end += line.len();
        while let Some((_, bracket)) = brackets.next_if(|(at, _)| *at < end) {
            if bracket.opens() {
                opened.push((number, indent));
                blocks = true;
                continue;
            }
            // A closer that does not stand under its opener closes something else.
            match opened.pop() {
                None => return true,
                Some((line, column)) if line != number && column != indent => return false,
                Some(_) => {}
            }
        }
    }
    false
}

/// Whether a line holds more than blanks and a comment.
fn is_code(line: &str) -> bool {
    let line = line.trim_start();
    !line.is_empty() && !line.starts_with('#')
}
