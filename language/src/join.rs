//! Joins pieces that were cut inside an item: its author does not indent, or a line stands in column 0 by accident.
//!
//! That an item seems unfinished and a later one has the closers it lacks can also mean two faults. What the lines
//! look like decides: nobody leaves an item in column 0 and goes on deeper, and a word that starts indented lines
//! elsewhere in the file hardly starts an item.

use crate::chunk::{Balance, Piece};
use crate::lexis::{Bracket, Mark, Marks, indent_of, line_start};
use std::collections::HashMap;

pub(crate) fn join(text: &str, pieces: Vec<Piece>) -> Vec<Piece> {
    let partners = partners(&pieces);
    let words = Words::new(text);
    let evidence = Evidence { text, words: &words };
    let mut joined: Vec<Piece> = Vec::with_capacity(pieces.len());
    let mut upto = 0;
    for (at, piece) in pieces.iter().enumerate() {
        if at < upto {
            if let Some(last) = joined.last_mut() {
                append(text, last, piece);
            }
            continue;
        }
        joined.push(piece.clone());
        if let Some(partner) = partners.get(at).copied().flatten()
            && let Some(inside) = pieces.get(at + 1..=partner)
            && evidence.one_item(piece, inside)
        {
            upto = partner + 1;
        }
    }
    for piece in joined.iter_mut().filter(|piece| !piece.brackets.is_empty()) {
        piece.balance = Balance::of(&piece.brackets);
    }
    joined
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
fn append(text: &str, item: &mut Piece, piece: &Piece) {
    item.range.end = piece.range.end;
    if piece.is_sound() {
        item.brackets.extend(brackets(text, piece));
    } else {
        item.brackets.extend_from_slice(&piece.brackets);
    }
    item.loose.extend_from_slice(&piece.loose);
}

/// The brackets of a piece that is sound, which keeps none.
fn brackets(text: &str, piece: &Piece) -> Vec<(usize, Bracket)> {
    let part = text.get(piece.range.clone()).unwrap_or_default();
    let marks = Marks::new(part, true).filter_map(|mark| match mark {
        Mark::Bracket(at, bracket) => Some((at + piece.range.start, bracket)),
        Mark::Line(_) | Mark::Loose(_) => None,
    });
    marks.collect()
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

struct Evidence<'t> {
    text: &'t str,
    words: &'t Words<'t>,
}

impl<'t> Evidence<'t> {
    /// Whether `inside`, whose last piece closes what `open` leaves open, is the rest of that item.
    fn one_item(&self, open: &Piece, inside: &[Piece]) -> bool {
        let Some((last, between)) = inside.split_last() else { return false };
        if between.iter().any(|piece| self.is_item(piece)) {
            return false;
        }
        self.ends_open(open)
            || self.goes_on_deeper(last)
            || inside.iter().all(|piece| self.starts_inner(piece))
    }

    fn text(&self, piece: &Piece) -> &'t str {
        self.text.get(piece.range.clone()).unwrap_or_default()
    }

    fn starts_inner(&self, piece: &Piece) -> bool {
        self.words.is_inner(self.head(piece).map_or("", first_word))
    }

    /// The line that starts the item, behind its attributes and documentation.
    fn head(&self, piece: &Piece) -> Option<&'t str> {
        self.text(piece).split('\n').find(|line| line.starts_with(|first: char| first.is_ascii_alphabetic()))
    }

    /// Whether a piece is an item beyond doubt: a block with an indented body and its closer in column 0.
    fn is_item(&self, piece: &Piece) -> bool {
        let mut lines = self.text(piece).split('\n').filter(|line| is_code(line));
        let opens = lines.any(|line| line.trim_end().ends_with('{'));
        let deeper = lines.next().is_some_and(|line| line.starts_with([' ', '\t']));
        opens && deeper && piece.balance.is_balanced() && !self.starts_inner(piece)
    }

    /// Whether the last line is one that a block or a list follows.
    fn ends_open(&self, piece: &Piece) -> bool {
        let last = self.text(piece).split('\n').rfind(|line| is_code(line)).unwrap_or_default().trim_end();
        last.ends_with(['{', '[', '(', ',']) || last.ends_with("->")
    }

    /// Whether an indented line, or a closer, comes where nothing of the piece itself is open.
    fn goes_on_deeper(&self, piece: &Piece) -> bool {
        let bytes = self.text.as_bytes();
        let mut brackets = piece.brackets.iter().peekable();
        let mut opened: Vec<usize> = Vec::new();
        let mut line = piece.range.start;
        let mut started = false;
        for text in self.text(piece).split_inclusive('\n') {
            let first = text.trim_start().bytes().next();
            let code = is_code(text) && !text.starts_with('@');
            if started && code && opened.is_empty() {
                return text.starts_with([' ', '\t']) || matches!(first, Some(b'}' | b']' | b')'));
            }
            started |= code;
            line += text.len();
            while let Some((at, bracket)) = brackets.next_if(|(at, _)| *at < line) {
                if bracket.opens() {
                    opened.push(*at);
                    continue;
                }
                let Some(opener) = opened.pop() else { return true };
                // A closer that does not stand under its opener closes something else.
                let same_line = line_start(bytes, opener) == line_start(bytes, *at);
                if !same_line && indent_of(bytes, opener) != indent_of(bytes, *at) {
                    return false;
                }
            }
        }
        false
    }
}

/// Whether a line holds more than blanks and a comment.
fn is_code(line: &str) -> bool {
    let line = line.trim_start();
    !line.is_empty() && !line.starts_with('#')
}
