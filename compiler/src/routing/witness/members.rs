//! Texts that a regular expression matches, and texts that it just does not.

use crate::values::Pattern;
use regex_syntax::hir::{Class, Hir, HirKind};

/// The longest text that is made.
const LONGEST: usize = 2048;
/// How many ways through an expression are taken.
const WAYS: usize = 24;
/// What characters are taken from a class, the first that it has; the way says where to begin.
const PREFERRED: &[u8] = b"a1bZ-0xm_7.~ /;=";

/// Texts that an expression is likely to match as a whole, each once. A position such as `\b` is taken for granted, so what comes
/// out has to be tried.
pub(super) fn members(pattern: &Pattern) -> Vec<String> {
    let Some(hir) = pattern.hir() else { return Vec::new() };
    let mut found: Vec<String> = Vec::new();
    for way in 0..WAYS {
        let mut walk = Walk { way, out: Vec::new() };
        let text = walk.hir(&hir).and_then(|()| String::from_utf8(walk.out).ok());
        found.extend(text.filter(|text| !found.contains(text)));
    }
    found
}

/// Texts close to `member`.
pub(super) fn neighbours(member: &str) -> Vec<String> {
    let flipped: String = member.chars().map(flip).collect();
    let mut chars = member.chars();
    let last = chars.next_back();
    let shorter = chars.as_str().to_owned();
    let mut all =
        vec![format!("{member}x"), format!("{member}/"), format!("x{member}"), format!("{member}7")];
    all.extend(last.map(|last| format!("{shorter}{}", if last == 'q' { 'z' } else { 'q' })));
    all.extend([shorter, flipped, "~".to_owned()]);
    all.retain(|text| text != member);
    all
}

/// The same letter in the other case.
pub(super) fn flip(char: char) -> char {
    if char.is_ascii_lowercase() { char.to_ascii_uppercase() } else { char.to_ascii_lowercase() }
}

/// One way through an expression. Every choice takes a part of the number of the way.
struct Walk {
    way: usize,
    out: Vec<u8>,
}

impl Walk {
    fn choose(&mut self, among: usize) -> usize {
        let choice = self.way.checked_rem(among).unwrap_or(0);
        self.way = self.way.checked_div(among).unwrap_or(0);
        choice
    }

    /// `None` if there is no way through, or it is too long.
    fn hir(&mut self, hir: &Hir) -> Option<()> {
        if self.out.len() > LONGEST {
            return None;
        }
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => {}
            HirKind::Literal(literal) => self.out.extend_from_slice(&literal.0),
            HirKind::Class(class) => {
                let way = self.choose(4);
                self.out.push(one_of(class, way)?);
            }
            HirKind::Repetition(repetition) => {
                let (least, most) = (repetition.min, repetition.max.unwrap_or(u32::MAX));
                // Something rather than nothing first: an empty header is none for some proxies.
                let counts = [least.max(1), least, least.saturating_add(2)];
                let count = counts.get(self.choose(counts.len())).map_or(least, |count| (*count).min(most));
                for _ in 0..count {
                    self.hir(&repetition.sub)?;
                }
            }
            HirKind::Capture(capture) => self.hir(&capture.sub)?,
            HirKind::Concat(parts) => {
                for part in parts {
                    self.hir(part)?;
                }
            }
            HirKind::Alternation(parts) => {
                let at = self.choose(parts.len());
                self.hir(parts.get(at)?)?;
            }
        }
        Some(())
    }
}

/// A byte of a class that can stand in a request.
fn one_of(class: &Class, way: usize) -> Option<u8> {
    let has = |byte: u8| match class {
        Class::Bytes(class) => {
            class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&byte))
        }
        Class::Unicode(class) => {
            let char = char::from(byte);
            byte.is_ascii()
                && class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&char))
        }
    };
    let preferred = PREFERRED.iter().copied().cycle().skip(way * 4).take(PREFERRED.len());
    preferred.chain(b' '..=b'~').find(|byte| has(*byte))
}
