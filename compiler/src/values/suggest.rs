//! The nearest word to a misspelt one.

use std::cmp::min;

/// Longest word, in bytes, that is compared: beyond it a suggestion helps nobody and costs quadratic time.
const LONGEST: usize = 64;

/// Most candidates that are compared: a project with thousands of names and of mistakes is not a reason to wait.
const MOST: usize = 1_000;

/// The candidate that `word` most likely stands for, or none if nothing is near.
///
/// Near is a Damerau-Levenshtein distance (a swap of neighbours counts one) of at most a third of the longer
/// length, counted in characters, at least 1; or a candidate that `word` is the beginning of. Letter case is ignored. Of equals the
/// first wins.
pub fn did_you_mean<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if word.is_empty() || word.len() > LONGEST {
        return None;
    }
    let word: Vec<char> = word.to_ascii_lowercase().chars().collect();
    let mut best: Option<(usize, &'a str)> = None;
    for candidate in candidates.take(MOST) {
        let Some(distance) = nearness(&word, candidate) else { continue };
        if best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Distance of a near candidate; a prefix of three letters or more ranks with the farthest that are still
/// near.
fn nearness(word: &[char], candidate: &str) -> Option<usize> {
    if candidate.len() > LONGEST {
        return None;
    }
    let mut letters = ['\0'; LONGEST];
    let mut length = 0;
    for (place, char) in letters.iter_mut().zip(candidate.chars()) {
        *place = char.to_ascii_lowercase();
        length += 1;
    }
    let candidate = letters.get(..length).unwrap_or_default();
    let longer = word.len().max(candidate.len());
    let limit = (longer / 3).max(1);
    let distance =
        if word.len().abs_diff(candidate.len()) <= limit { distance(word, candidate) } else { usize::MAX };
    // A word of one or two letters has everything within distance 1: it must at least share a letter.
    if distance <= limit && distance < longer {
        return Some(distance);
    }
    (word.len() >= 3 && candidate.starts_with(word)).then_some(limit)
}

/// Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut two_back: Vec<usize> = vec![0; b.len() + 1];
    let mut back: Vec<usize> = (0..=b.len()).collect();
    let mut current: Vec<usize> = vec![0; b.len() + 1];
    let mut before_a = None;
    for (row, char_a) in a.iter().enumerate() {
        let mut left = row + 1;
        if let Some(first) = current.first_mut() {
            *first = left;
        }
        let mut before_b = None;
        let above = back.iter().zip(back.iter().skip(1));
        for ((column, char_b), ((diagonal, above), place)) in
            b.iter().enumerate().zip(above.zip(current.iter_mut().skip(1)))
        {
            let mut cost = min(min(left + 1, above + 1), diagonal + usize::from(char_a != char_b));
            if before_a == Some(char_b) && before_b == Some(char_a) {
                let swapped = column.checked_sub(1).and_then(|column| two_back.get(column));
                cost = swapped.map_or(cost, |swapped| min(cost, swapped + 1));
            }
            *place = cost;
            left = cost;
            before_b = Some(char_b);
        }
        before_a = Some(char_a);
        std::mem::swap(&mut two_back, &mut back);
        std::mem::swap(&mut back, &mut current);
    }
    back.last().copied().unwrap_or(0)
}
