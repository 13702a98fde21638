//! Filed alternatives against comparing each with each.

#![expect(clippy::unwrap_used, reason = "tests")]

use super::super::cover::covers;
use super::Earlier;
use crate::model::{HeaderTest, Match, PathMatch, PathTest};
use crate::policy::TextMatch;
use crate::values::{Label, Literal, MatchHeaderName, Pattern};
use smol_str::SmolStr;

/// Numbers that look like chance and are the same in each run (xorshift).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }

    fn one_of<'t>(&mut self, texts: &[&'t str]) -> &'t str {
        texts.get(self.roll(texts.len())).unwrap()
    }

    fn text(&mut self) -> TextMatch {
        let text = SmolStr::new(self.one_of(&["a", "ab", "abc", "b", "A"]));
        match self.roll(4) {
            0 | 1 => TextMatch::Exact(text),
            2 => TextMatch::Prefix(text),
            _ => TextMatch::Pattern(Pattern::parse(self.one_of(&[".*", "a.*", "b+"])).unwrap()),
        }
    }

    fn path(&mut self) -> PathMatch {
        let text = SmolStr::new(self.one_of(&["/", "/a", "/a/b", "/A", "/ab", "/ä"]));
        let test = match self.roll(5) {
            0 | 1 => PathTest::Exact(text),
            2 => PathTest::Prefix(text),
            3 => PathTest::Under(text),
            _ => PathTest::Pattern(Pattern::parse(self.one_of(&[".*", "/.*", "/a.*"])).unwrap()),
        };
        PathMatch { test, ignore_case: self.roll(3) == 0 }
    }

    fn named(&mut self) -> Vec<(MatchHeaderName, HeaderTest)> {
        let mut all = Vec::new();
        for name in ["x-a", "x-b"] {
            if self.roll(3) == 0 {
                let test =
                    if self.roll(3) == 0 { HeaderTest::Present } else { HeaderTest::Text(self.text()) };
                all.push((MatchHeaderName::parse(name).unwrap(), test));
            }
        }
        all
    }

    fn alternative(&mut self) -> Match {
        let query = self.named().into_iter().map(|(name, test)| (SmolStr::new(name.as_str()), test));
        let query = query.collect();
        Match {
            path: (self.roll(2) == 0).then(|| self.path()),
            methods: (0..self.roll(3)).map(|_| SmolStr::new(self.one_of(&["GET", "PUT"]))).collect(),
            authority: (self.roll(6) == 0).then(|| self.text()),
            headers: self.named(),
            without: if self.roll(4) == 0 { self.named() } else { Vec::new() },
            query: if self.roll(4) == 0 { query } else { Vec::new() },
            source_labels: (0..self.roll(2))
                .map(|_| Label::parse(self.one_of(&["a=1", "b=2"])).unwrap())
                .collect(),
            ..Match::default()
        }
    }
}

#[test]
fn filed_alternatives_find_the_route_that_comparing_all_finds() {
    let mut dice = Dice(0x5851_F42D_4C95_7F2D);
    let mut found = 0;
    for _ in 0..60 {
        let all: Vec<Match> = (0..120).map(|_| dice.alternative()).collect();
        let earlier = Earlier::new(all.iter().enumerate().map(|(at, one)| (at / 2, one)).collect());
        for (at, one) in all.iter().enumerate() {
            let before = at / 2;
            let expected = all.iter().take(before * 2).position(|outer| covers(outer, one)).map(|at| at / 2);
            assert_eq!(earlier.first(one, before, |outer| covers(outer, one)), expected, "{one:?}");
            found += usize::from(expected.is_some());
        }
    }
    assert!(found > 500, "only {found} alternatives were covered");
}
