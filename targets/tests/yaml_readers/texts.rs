//! Texts that a YAML reader may take for something else, the same ones each time.

use std::collections::BTreeSet;

/// Texts with a meaning in YAML 1.1 or to some reader, and near misses.
const SEEDS: &str = "on|On|ON|oN|off|Off|OFF|yes|Yes|YES|yEs|no|No|NO|y|Y|n|N|true|True|TRUE|tRue|false|False|FALSE|null|Null|NULL|\
nuLL|~|~a|<<|<<<|=|==|-|--|---|--- a|----|.|..|...|... a|....|?|? a|?a|:|: a|:a|::|a:|a: b|a :b|a:b|#|# a|a #b|a#b|&a|*a|!a|!!str|\
%a|@a|`a|'a'|\"a\"|{}|[]|{a|[a|}|]|,|>|>-|a,b|0|00|007|08|0o17|0O17|0x1f|0X1F|0x|0xg|0b101|0B1|0b2|0b|0b+1|0o-7|+1|-1|+0x1|-0b1|--1|\
+|+-1|1_000|_1|-_1|+_1|1_|1__0|0x_|0b_|0_|._|._1|1._|1_.5|1e3|1E3|1e+3|1e-3|1e|1e+|e1|.e1|1.e1|1.5|1.5e3|1.|.5|-.5|+.5e-1|.5.|1.2.3|\
.inf|.Inf|.INF|.iNf|-.inf|+.inf|--.inf|.nan|.NaN|.NAN|-.nan|inf|nan|Infinity|1:30|1:60|01:30|0:0|1:2:3|1:2:3.5|-1:30|1:2:|12:345|\
190:20:30.15|2020-01-01|2020-1-1|2020-1-32|2020-01-01T1:2:3Z|2020-01-01t1:2:3|2020-01-01 1:2:3 +1|2020-01-01a|2020-01|20200-01-01|\
2001-1-1 1:2:3,5|10.0.0.1|10.0.0.0/8|::1|fe80::1|1.5s|5m|1h30m|8080|:8080|a:8080|https://a/b?c=d&e=f#g|^/a.*\\d+$|(?i)a|*.example.com|\
a\\nb|C:\\a|100%|$a|~/a|a~|a*|a&b|a!|a'b|a\"b|a`b|a@b|a%b|a|>|a<b>|-a|- a|-1a|a-|a -b| a|a | |  ";

/// Characters that numbers, dates and words are made of.
const NUMERIC: &str = "0123456789019_+-.:eExXoObBaAfFtTzZ ,nNyY";

/// Pieces of block YAML.
const SYNTAX: [&str; 48] = [
    "a", "b", "key", "1", "0", "-", "- ", "--", "---", "?", "? ", ":", ": ", ",", ", ", "#", " #", "# ", "&",
    "*", "!", "!!", "|", ">", "'", "\"", "''", "%", "@", "`", "{", "}", "[", "]", "<<", "=", "~", "\\", "/",
    ".", "...", " ", "  ", "\t", "\n", "\r", "\n  ", "yes",
];

/// Characters at the edges of what YAML 1.1 calls printable, blanks and breaks, marks, and characters of two UTF-16 units.
const CHARACTERS: [char; 44] = [
    '\0',
    '\x01',
    '\x07',
    '\x08',
    '\t',
    '\n',
    '\x0b',
    '\x0c',
    '\r',
    '\x1b',
    '\x1f',
    ' ',
    '~',
    '\x7f',
    '\u{80}',
    '\u{84}',
    '\u{85}',
    '\u{86}',
    '\u{9f}',
    '\u{a0}',
    '\u{ad}',
    'é',
    'ß',
    '\u{300}',
    '\u{61c}',
    '\u{200b}',
    '\u{200e}',
    '\u{2028}',
    '\u{2029}',
    '\u{202e}',
    '\u{2060}',
    '\u{3000}',
    '日',
    '\u{d7ff}',
    '\u{e000}',
    '\u{fdd0}',
    '\u{feff}',
    '\u{fffd}',
    '\u{fffe}',
    '\u{ffff}',
    '\u{10000}',
    '🙂',
    '\u{1fffe}',
    '\u{10ffff}',
];

/// `count` different texts: the seeds, then random ones of five sorts.
pub(crate) fn generate(count: usize) -> Vec<String> {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut seen = BTreeSet::new();
    let mut texts = Vec::new();
    let long = ["x".repeat(1_025), "é #".repeat(500), "1".repeat(1_200)];
    let seeds: Vec<&str> = SEEDS.split('|').collect();
    let mut next =
        seeds.iter().map(|seed| (*seed).to_owned()).chain(["|".to_owned(), String::new()]).chain(long);
    while texts.len() < count {
        let text = next.next().unwrap_or_else(|| random.text(&seeds));
        if seen.insert(text.clone()) {
            texts.push(text);
        }
    }
    texts
}

/// Marsaglia's xorshift with 64 bits.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        from.get(self.below(from.len())).unwrap()
    }

    fn text(&mut self, seeds: &[&str]) -> String {
        let numeric: Vec<char> = NUMERIC.chars().collect();
        let length = 1 + self.below(7);
        match self.below(5) {
            0 => (0..length).map(|_| *self.pick(&numeric)).collect(),
            1 => (0..length).map(|_| *self.pick(&SYNTAX)).collect(),
            2 => (0..length).map(|_| self.character()).collect(),
            3 => (0..2).map(|_| *self.pick(seeds)).collect(),
            _ => self.mutated(seeds),
        }
    }

    /// One of the edge cases, ASCII, or any character.
    fn character(&mut self) -> char {
        match self.below(4) {
            0 | 1 => *self.pick(&CHARACTERS),
            2 => u8::try_from(self.below(128)).unwrap().into(),
            _ => u32::try_from(self.below(0x11_0000)).ok().and_then(char::from_u32).unwrap_or('x'),
        }
    }

    /// A seed with one character more, less or other.
    fn mutated(&mut self, seeds: &[&str]) -> String {
        let mut characters: Vec<char> = self.pick(seeds).chars().collect();
        let position = self.below(characters.len() + 1);
        let numeric: Vec<char> = NUMERIC.chars().collect();
        let other = if self.below(2) == 0 { *self.pick(&numeric) } else { self.character() };
        match self.below(3) {
            0 => characters.insert(position, other),
            1 if position < characters.len() => {
                characters.remove(position);
            }
            _ => {
                characters.truncate(position);
                characters.push(other);
            }
        }
        characters.into_iter().collect()
    }
}
