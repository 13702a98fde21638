//! The slips.

use crate::generated::random::Random;
use meshc_language::{FileId, Kind, parse};
use std::ops::Range;

/// A source with a slip in it.
pub(super) struct Slip {
    pub(super) what: String,
    pub(super) texts: Vec<(String, String)>,
    /// Whether it is one slip in one place, not another habit of writing throughout.
    pub(super) is_single: bool,
}

/// A way to slip: what is done and the text with it, if it can be done there.
type Way = fn(&str, &mut Random) -> Option<(String, String)>;

/// The ways, those of the hand before those of habit.
const WAYS: [Way; 16] = [
    delete_token,
    delete_token,
    double_token,
    swap_tokens,
    delete_line,
    swap_lines,
    delete_char,
    insert_char,
    replace_char,
    swap_chars,
    other_case,
    add_quotes,
    drop_quotes,
    other_quotes,
    sign_after_word,
    brackets,
];

/// One slip in one of the files; `None` where there is no place for the kind that came up.
pub(super) fn slip(texts: &[(String, String)], random: &mut Random) -> Option<Slip> {
    let file = random.below(texts.len());
    let kind = random.below(WAYS.len() + 2);
    let (what, text, is_single) = match WAYS.get(kind) {
        Some(kind) => {
            let (what, text) = kind(&texts[file].1, random)?;
            (what, text, true)
        }
        None if kind == WAYS.len() => ("no indentation".to_owned(), flat(&texts[file].1), false),
        None => ("all quotes single".to_owned(), single_quotes(&texts[file].1), false),
    };
    (text != texts[file].1).then_some(())?;
    let mut texts = texts.to_vec();
    texts[file].1 = text;
    Some(Slip { what, texts, is_single })
}

/// Words, strings and signs of a text.
fn tokens(text: &str) -> Vec<(Kind, Range<usize>)> {
    let parsed = parse(FileId(0), text);
    let is_token =
        |kind: Kind| matches!(kind, Kind::Word | Kind::Text | Kind::Raw | Kind::Arrow | Kind::Comma);
    parsed
        .tree
        .nodes()
        .filter(|(_, kind, _)| is_token(*kind))
        .map(|(_, kind, span)| (kind, span.range()))
        .collect()
}

fn any_token(text: &str, random: &mut Random, kinds: &[Kind]) -> Option<Range<usize>> {
    let found: Vec<Range<usize>> =
        tokens(text).into_iter().filter(|(kind, _)| kinds.contains(kind)).map(|(_, range)| range).collect();
    (!found.is_empty()).then(|| found[random.below(found.len())].clone())
}

const ALL: [Kind; 5] = [Kind::Word, Kind::Text, Kind::Raw, Kind::Arrow, Kind::Comma];

fn replaced(text: &str, range: Range<usize>, with: &str, what: &str) -> Option<(String, String)> {
    let mut changed = text.to_owned();
    changed.replace_range(range.clone(), with);
    let line = text[..range.start].matches('\n').count() + 1;
    Some((format!("{what} in line {line}: `{}` -> `{with}`", &text[range]), changed))
}

fn delete_token(text: &str, random: &mut Random) -> Option<(String, String)> {
    let token = any_token(text, random, &ALL)?;
    replaced(text, token, "", "a token less")
}

fn double_token(text: &str, random: &mut Random) -> Option<(String, String)> {
    let token = any_token(text, random, &ALL)?;
    let twice = format!("{0} {0}", &text[token.clone()]);
    replaced(text, token, &twice, "a token twice")
}

fn swap_tokens(text: &str, random: &mut Random) -> Option<(String, String)> {
    let tokens = tokens(text);
    let at = random.below(tokens.len().checked_sub(1)?);
    let (left, right) = (tokens[at].1.clone(), tokens[at + 1].1.clone());
    let between = text.get(left.end..right.start)?;
    (!between.contains(['\n', '{', '}', '[', ']', '('])).then_some(())?;
    let swapped = format!("{}{between}{}", &text[right.clone()], &text[left.clone()]);
    replaced(text, left.start..right.end, &swapped, "tokens swapped")
}

fn lines(text: &str) -> Vec<Range<usize>> {
    let mut start = 0;
    text.split_inclusive('\n')
        .map(|line| {
            start += line.len();
            start - line.len()..start
        })
        .collect()
}

fn delete_line(text: &str, random: &mut Random) -> Option<(String, String)> {
    let lines = lines(text);
    let line = lines[random.below(lines.len())].clone();
    (!text[line.clone()].contains(['{', '}'])).then_some(())?;
    replaced(text, line, "", "a line less")
}

fn swap_lines(text: &str, random: &mut Random) -> Option<(String, String)> {
    let lines = lines(text);
    let at = random.below(lines.len().checked_sub(1)?);
    let (one, two) = (lines[at].clone(), lines[at + 1].clone());
    (text[two.clone()].ends_with('\n')).then_some(())?;
    let swapped = format!("{}{}", &text[two.clone()], &text[one.clone()]);
    replaced(text, one.start..two.end, &swapped, "lines swapped")
}

/// A character of a token.
fn any_char(text: &str, random: &mut Random) -> Option<usize> {
    let token = any_token(text, random, &[Kind::Word, Kind::Text, Kind::Raw])?;
    let at = token.start + random.below(token.len());
    text[at..].starts_with(|char: char| char.is_ascii_graphic()).then_some(at)
}

fn delete_char(text: &str, random: &mut Random) -> Option<(String, String)> {
    let at = any_char(text, random)?;
    replaced(text, at..at + 1, "", "a character less")
}

/// What fingers hit by accident.
const KEYS: &[u8] = b"asdfghjklqwertyuiopzxcvbnm0123456789.,;-_/:%'=";

fn insert_char(text: &str, random: &mut Random) -> Option<(String, String)> {
    let at = any_char(text, random)?;
    let key = char::from(random.pick(KEYS)).to_string();
    replaced(text, at..at, &key, "a character more")
}

fn replace_char(text: &str, random: &mut Random) -> Option<(String, String)> {
    let at = any_char(text, random)?;
    let key = char::from(random.pick(KEYS)).to_string();
    replaced(text, at..at + 1, &key, "another character")
}

fn swap_chars(text: &str, random: &mut Random) -> Option<(String, String)> {
    let at = any_char(text, random)?;
    let mut both = text.get(at..at + 2)?.chars();
    let swapped: String = [both.next()?, both.next_back()?].iter().rev().collect();
    (!swapped.contains('\n')).then_some(())?;
    replaced(text, at..at + 2, &swapped, "characters swapped")
}

fn other_case(text: &str, random: &mut Random) -> Option<(String, String)> {
    let token = any_token(text, random, &[Kind::Word])?;
    let word = &text[token.clone()];
    let other = match random.below(3) {
        0 => word.to_ascii_uppercase(),
        1 => word.replace('-', "_"),
        _ => word.to_ascii_uppercase().replace('-', "_"),
    };
    replaced(text, token, &other, "another case")
}

fn add_quotes(text: &str, random: &mut Random) -> Option<(String, String)> {
    let token = any_token(text, random, &[Kind::Word])?;
    let word = text[token.clone()].to_owned();
    // In quotes a variable has braces.
    let quoted = match word.strip_prefix('$') {
        Some(name) if !name.starts_with('{') => format!("\"${{{name}}}\""),
        _ => format!("\"{word}\""),
    };
    replaced(text, token, &quoted, "quotes around a word")
}

fn drop_quotes(text: &str, random: &mut Random) -> Option<(String, String)> {
    let token = any_token(text, random, &[Kind::Text])?;
    let inner = text[token.clone()].trim_matches('"').to_owned();
    replaced(text, token, &inner, "no quotes")
}

fn other_quotes(text: &str, random: &mut Random) -> Option<(String, String)> {
    let token = any_token(text, random, &[Kind::Text, Kind::Raw])?;
    let inner = text[token.clone()].trim_start_matches('r').trim_matches('"').to_owned();
    let (open, close) = random.pick(&[("'", "'"), ("`", "`"), ("\u{201c}", "\u{201d}")]);
    replaced(text, token, &format!("{open}{inner}{close}"), "other quotes")
}

fn sign_after_word(text: &str, random: &mut Random) -> Option<(String, String)> {
    let token = any_token(text, random, &[Kind::Word])?;
    let sign = random.pick(&[":", " =", "=", " :", ","]);
    replaced(text, token.end..token.end, sign, "a sign after a word")
}

fn brackets(text: &str, random: &mut Random) -> Option<(String, String)> {
    let token = any_token(text, random, &[Kind::Word])?;
    let (open, close) = random.pick(&[("[", "]"), ("(", ")"), ("{ ", " }")]);
    let inner = text[token.clone()].to_owned();
    replaced(text, token, &format!("{open}{inner}{close}"), "brackets")
}

fn flat(text: &str) -> String {
    if text.contains("\"\"\"") {
        return text.to_owned();
    }
    text.split_inclusive('\n').map(|line| line.trim_start_matches([' ', '\t'])).collect()
}

fn single_quotes(text: &str) -> String {
    let mut changed = text.to_owned();
    for (kind, token) in tokens(text).into_iter().rev() {
        let inner = text[token.clone()].trim_matches('"');
        if kind == Kind::Text && !inner.contains(['$', '\'']) {
            changed.replace_range(token, &format!("'{inner}'"));
        }
    }
    changed
}
