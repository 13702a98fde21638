//! What a part of a request may be: which texts there are at all, as small automata, and whether a regular expression takes one.

use crate::values::Pattern;
use regex_automata::nfa::thompson::{Compiler, Config, NFA, State};
use regex_automata::util::primitives::StateID;
use rustc_hash::FxHashSet;

/// A set of texts, read byte by byte. Every state that is reached can go on to a text of the set.
pub(super) trait Space {
    /// Before the first byte.
    const START: u16;
    /// The state behind a byte; `None` if no text of the set goes on like this.
    fn step(&self, state: u16, byte: u8) -> Option<u16>;
    /// Whether a text of the set may end here.
    fn accepts(&self, state: u16) -> bool;

    /// The state behind a text.
    fn walk(&self, text: &str) -> Option<u16> {
        text.bytes().try_fold(Self::START, |state, byte| self.step(state, byte))
    }

    /// Whether the set has this text.
    fn has(&self, text: &str) -> bool {
        self.walk(text).is_some_and(|state| self.accepts(state))
    }
}

/// Pairs of states that are looked at before a pattern is given up as one that may take something.
const MOST: usize = 100_000;

/// Whether a pattern takes some text of a set. It may be said of one that takes none, never the other way about.
pub(super) fn may_take<S: Space>(pattern: &Pattern, space: &S) -> bool {
    let Some(nfa) = automaton(pattern) else { return true };
    let mut seen: FxHashSet<(StateID, u16)> = FxHashSet::default();
    let mut left = vec![(nfa.start_anchored(), S::START)];
    while let Some((at, state)) = left.pop() {
        if !seen.insert((at, state)) {
            continue;
        }
        if seen.len() > MOST {
            return true;
        }
        match nfa.state(at) {
            State::Match { .. } if space.accepts(state) => return true,
            State::Match { .. } | State::Fail => {}
            // Where a place is asked for, it is taken to be there.
            State::Look { look: _, next }
            | State::Capture { next, pattern_id: _, group_index: _, slot: _ } => {
                left.push((*next, state));
            }
            State::Union { alternates } => left.extend(alternates.iter().map(|next| (*next, state))),
            State::BinaryUnion { alt1, alt2 } => left.extend([(*alt1, state), (*alt2, state)]),
            State::ByteRange { trans } => step(space, state, trans.start..=trans.end, trans.next, &mut left),
            State::Sparse(sparse) => {
                for one in &*sparse.transitions {
                    step(space, state, one.start..=one.end, one.next, &mut left);
                }
            }
            State::Dense(dense) => {
                let steps = (0..=u8::MAX)
                    .filter_map(|byte| Some((dense.matches_byte(byte)?, space.step(state, byte)?)));
                left.extend(steps);
            }
        }
    }
    false
}

fn step<S: Space>(
    space: &S,
    state: u16,
    bytes: std::ops::RangeInclusive<u8>,
    next: StateID,
    left: &mut Vec<(StateID, u16)>,
) {
    let mut known: Vec<u16> = Vec::new();
    for byte in bytes {
        let Some(reached) = space.step(state, byte).filter(|reached| !known.contains(reached)) else {
            continue;
        };
        known.push(reached);
        left.push((next, reached));
    }
}

fn automaton(pattern: &Pattern) -> Option<NFA> {
    let config = Config::new().utf8(false).nfa_size_limit(Some(1 << 20));
    Compiler::new().configure(config).build_from_hir(&pattern.hir()?).ok()
}

/// Values of headers (RFC 9110, 5.5): no control characters, and no white space around them. UTF-8 is `obs-text`.
pub(super) struct HeaderValues;

impl Space for HeaderValues {
    const START: u16 = 0;

    fn step(&self, state: u16, byte: u8) -> Option<u16> {
        match byte {
            b' ' | b'\t' => (state != Self::START).then_some(2),
            0..=0x1f | 0x7f => None,
            _ => Some(1),
        }
    }

    fn accepts(&self, state: u16) -> bool {
        state != 2
    }
}

/// One word.
pub(super) struct Word {
    pub(super) text: &'static str,
    pub(super) ignore_case: bool,
}

impl Space for Word {
    const START: u16 = 0;

    fn step(&self, state: u16, byte: u8) -> Option<u16> {
        let next = self.text.as_bytes().get(usize::from(state))?;
        let is_it = *next == byte || self.ignore_case && next.eq_ignore_ascii_case(&byte);
        is_it.then_some(state + 1)
    }

    fn accepts(&self, state: u16) -> bool {
        usize::from(state) == self.text.len()
    }
}

/// Values of headers in which `upgrade` stands, in any letter case.
pub(super) struct Upgrading;

const UPGRADE: &[u8] = b"upgrade";

impl Space for Upgrading {
    const START: u16 = 0;

    fn step(&self, state: u16, byte: u8) -> Option<u16> {
        if byte != b'\t' && byte.is_ascii_control() {
            return None;
        }
        let is_next = |at: usize| UPGRADE.get(at).is_some_and(|next| next.eq_ignore_ascii_case(&byte));
        Some(match UPGRADE.get(usize::from(state)) {
            // It has been there.
            None => state,
            Some(_) if is_next(usize::from(state)) => state + 1,
            // No other letter of the word begins it anew.
            Some(_) => u16::from(is_next(0)),
        })
    }

    fn accepts(&self, state: u16) -> bool {
        usize::from(state) == UPGRADE.len()
    }
}

/// Names or values of parameters as they stand in a query: neither `&` nor `#`, and in a name no `=`.
pub(super) struct Parameters {
    pub(super) of_name: bool,
}

impl Space for Parameters {
    const START: u16 = 0;

    fn step(&self, _: u16, byte: u8) -> Option<u16> {
        let ends = matches!(byte, b'&' | b'#') || self.of_name && byte == b'=';
        (byte.is_ascii_graphic() && !ends).then_some(0)
    }

    fn accepts(&self, _: u16) -> bool {
        true
    }
}
