//! The map against what it stands for: looking at every pattern.

#![expect(clippy::unwrap_used, reason = "tests")]

use super::HostMap;
use crate::values::{HostPattern, Literal};
use std::cmp::Reverse;

/// Numbers that look like chance and are the same in each run (xorshift).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    /// One to four labels of an alphabet so small that names end alike.
    fn name(&mut self) -> String {
        let labels = 1 + self.roll(4);
        let label = |dice: &mut Self| {
            let letters = 1 + dice.roll(3);
            (0..letters).map(|_| if dice.roll(2) == 0 { 'a' } else { 'b' }).collect::<String>()
        };
        (0..labels).map(|_| label(self)).collect::<Vec<_>>().join(".")
    }

    fn pattern(&mut self) -> HostPattern {
        let name = self.name();
        let text = match self.roll(8) {
            0..=2 => name,
            3 | 4 => format!("*.{name}"),
            5 => format!("*{name}"),
            6 => format!("*-{name}"),
            _ if self.roll(4) == 0 => "*".to_owned(),
            _ => "10.0.0.1".to_owned(),
        };
        HostPattern::parse(&text).unwrap()
    }
}

/// An exact name is more specific than every wildcard, a longer wildcard more than a shorter one; equal ones in order.
fn most_specific_first(mut found: Vec<(&HostPattern, usize)>) -> Vec<usize> {
    found.sort_by_key(|(pattern, at)| (Reverse(crate::routing::specificity(pattern)), *at));
    found.into_iter().map(|(_, at)| at).collect()
}

#[test]
fn a_map_of_hosts_finds_what_a_look_at_every_pattern_finds() {
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    for _ in 0..400 {
        let size = dice.roll(40);
        let patterns: Vec<HostPattern> = (0..size).map(|_| dice.pattern()).collect();
        let map: HostMap<usize> =
            patterns.iter().enumerate().map(|(at, pattern)| (pattern.clone(), at)).collect();
        let all = || patterns.iter().enumerate().map(|(at, pattern)| (pattern, at));
        for _ in 0..40 {
            let asked = dice.pattern();
            let shown = || format!("`{asked}` among {patterns:?}");
            let covering = most_specific_first(all().filter(|(one, _)| one.covers(&asked)).collect());
            let found: Vec<usize> = map.covering(&asked).map(|(_, at)| *at).collect();
            assert_eq!(found, covering, "covering {}", shown());
            assert_eq!(map.most_specific(&asked), covering.first(), "most specific {}", shown());
            let covered: Vec<usize> = all().filter(|(one, _)| asked.covers(one)).map(|(_, at)| at).collect();
            let found: Vec<usize> = map.covered_by(&asked).map(|(_, at)| *at).collect();
            assert_eq!(found, covered, "covered by {}", shown());
            let overlapping: Vec<usize> =
                all().filter(|(one, _)| one.overlaps(&asked)).map(|(_, at)| at).collect();
            let found: Vec<usize> = map.overlapping(&asked).map(|(_, at)| *at).collect();
            assert_eq!(found, overlapping, "overlapping {}", shown());
            let mut host = dice.name();
            if dice.roll(3) == 0 {
                host = host.to_ascii_uppercase();
            }
            if dice.roll(6) == 0 {
                host = format!(".{host}");
            }
            let taking = most_specific_first(all().filter(|(one, _)| one.takes(&host)).collect());
            assert_eq!(map.taking(&host), taking.first(), "taking `{host}` among {patterns:?}");
        }
    }
}

#[test]
fn no_host_at_all_is_taken_by_the_wildcard_for_any_alone() {
    let patterns = ["*", "*.foo.com", "foo.com"].map(|text| HostPattern::parse(text).unwrap());
    let map: HostMap<&str> = patterns.into_iter().zip(["any", "below", "itself"]).collect();
    assert_eq!(map.taking(""), Some(&"any"));
    assert_eq!(map.taking(".foo.com"), Some(&"any"));
    assert_eq!(map.taking("FOO.com"), Some(&"itself"));
    assert_eq!(map.taking("a.foo.com"), Some(&"below"));
}
