//! The nearest word to a misspelt one.

/// Longest word, in characters, that is compared: beyond it a suggestion helps nobody. As many as a machine word has bits.
const LONGEST: usize = 64;

/// Most candidates that are compared: a project with thousands of names and of mistakes is not a reason to wait.
const MOST: usize = 1_000;

/// The candidate that `word` most likely stands for, or none if nothing is near.
///
/// Near is a Damerau-Levenshtein distance (a swap of neighbours counts one) of at most a third of the longer
/// length, counted in characters, at least 1; or a candidate that `word` is the beginning of. Letter case is ignored. Of equals the
/// first wins.
pub fn did_you_mean<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word = Misspelt::new(word)?;
    let mut best: Option<(usize, &'a str)> = None;
    for candidate in candidates.take(MOST) {
        let Some(distance) = word.nearness(candidate) else { continue };
        if best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// A word that many others are compared with.
struct Misspelt {
    letters: Vec<char>,
    /// For each letter of the word, once, the places where it stands, as bits.
    places: Vec<(char, u64)>,
}

impl Misspelt {
    fn new(word: &str) -> Option<Self> {
        let letters: Vec<char> = word.chars().map(|char| char.to_ascii_lowercase()).collect();
        if letters.is_empty() || letters.len() > LONGEST {
            return None;
        }
        let mut places: Vec<(char, u64)> = Vec::new();
        for (at, letter) in letters.iter().enumerate() {
            match places.iter_mut().find(|(known, _)| known == letter) {
                Some((_, bits)) => *bits |= 1 << at,
                None => places.push((*letter, 1 << at)),
            }
        }
        Some(Self { letters, places })
    }

    /// Distance of a near candidate; a prefix of three letters or more ranks with the farthest that are still
    /// near.
    fn nearness(&self, candidate: &str) -> Option<usize> {
        let length = candidate.chars().take(LONGEST + 1).count();
        if length > LONGEST {
            return None;
        }
        let letters = || candidate.chars().map(|char| char.to_ascii_lowercase());
        let longer = self.letters.len().max(length);
        let limit = (longer / 3).max(1);
        if self.letters.len().abs_diff(length) <= limit {
            let distance = self.distance(letters());
            // A word of one or two letters has everything within distance 1: it must at least share a letter.
            if distance <= limit && distance < longer {
                return Some(distance);
            }
        }
        let begins = || letters().take(self.letters.len()).eq(self.letters.iter().copied());
        (self.letters.len() >= 3 && begins()).then_some(limit)
    }

    /// Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours.
    ///
    /// A row of the table of distances is kept as the bits in which neighbours differ, so that a letter of the candidate costs a few
    /// operations, not one for each letter of the word (Hyyrö 2003, "A Bit-Vector Algorithm for Computing Levenshtein and Damerau Edit
    /// Distances").
    fn distance(&self, candidate: impl Iterator<Item = char>) -> usize {
        let last = 1_u64 << (self.letters.len() - 1);
        let (mut higher, mut lower) = (u64::MAX, 0_u64);
        let (mut diagonal, mut before) = (0_u64, 0_u64);
        let mut distance = self.letters.len();
        for letter in candidate {
            let here = self.places.iter().find(|(known, _)| *known == letter).map_or(0, |(_, bits)| *bits);
            let swapped = ((!diagonal & here) << 1) & before;
            diagonal = ((here & higher).wrapping_add(higher) ^ higher) | here | lower | swapped;
            let right_higher = lower | !(diagonal | higher);
            let right_lower = diagonal & higher;
            distance += usize::from(right_higher & last != 0);
            distance -= usize::from(right_lower & last != 0);
            let right_higher = (right_higher << 1) | 1;
            higher = (right_lower << 1) | !(diagonal | right_higher);
            lower = right_higher & diagonal;
            before = here;
        }
        distance
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use super::Misspelt;

    /// The same by the table as it stands in books.
    fn by_table(a: &[char], b: &[char]) -> usize {
        let mut table = vec![vec![0; b.len() + 1]; a.len() + 1];
        for row in 0..=a.len() {
            for column in 0..=b.len() {
                if row == 0 || column == 0 {
                    table[row][column] = row + column;
                    continue;
                }
                let differs = usize::from(a[row - 1] != b[column - 1]);
                let mut least = (table[row - 1][column] + 1).min(table[row][column - 1] + 1);
                least = least.min(table[row - 1][column - 1] + differs);
                if row > 1 && column > 1 && a[row - 1] == b[column - 2] && a[row - 2] == b[column - 1] {
                    least = least.min(table[row - 2][column - 2] + 1);
                }
                table[row][column] = least;
            }
        }
        table[a.len()][b.len()]
    }

    #[test]
    fn distances_are_those_of_the_table() {
        let mut state = 1_u64;
        let mut number = |end: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % end
        };
        for _ in 0..5_000 {
            let mut word = |longest: u64| -> String {
                let length = 1 + number(longest);
                (0..length).map(|_| ['a', 'b', 'c', 'é'][usize::try_from(number(4)).unwrap()]).collect()
            };
            let (a, b) = (word(64), word(70));
            let letters: Vec<Vec<char>> = [&a, &b].map(|word| word.chars().collect()).into();
            let fast = Misspelt::new(&a).unwrap().distance(b.chars());
            assert_eq!(fast, by_table(&letters[0], &letters[1]), "{a} {b}");
        }
    }
}
