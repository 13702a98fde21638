//! Comparisons of texts, and the regular expressions of one proxy, which are compiled when they are first needed.
//!
//! `regex-automata` alone, with the one engine that has no bad cases and no fast paths: it takes the syntax tree that
//! [`Pattern::hir`] makes, so a pattern is read in one place. The `regex` crate would read it a second time, and is one crate
//! more.

use super::outcome::Doubt;
use crate::model::{PathMatch, PathTest};
use crate::policy::TextMatch;
use crate::values::Pattern;
use regex_automata::nfa::thompson::{Compiler, Config, pikevm::PikeVM};
use regex_syntax::hir::{Hir, Look};
use rustc_hash::FxHashMap;
use std::cell::RefCell;
use std::rc::Rc;

/// An expression, ready to search; none for one that is not portable.
type Engine = Option<Rc<PikeVM>>;

/// The compiled expressions, by their text and whether they must match as a whole.
#[derive(Debug, Default)]
pub(in crate::routing) struct Patterns<'p> {
    compiled: RefCell<FxHashMap<(&'p str, bool), Engine>>,
}

/// Whether a pattern matches all of a text; `None` for a pattern that engines read differently.
#[must_use]
pub fn matches_whole(pattern: &Pattern, text: &str) -> Option<bool> {
    Patterns::default().matches(pattern, text).ok()
}

impl<'p> Patterns<'p> {
    /// Bytes of a normalised path without the query. Only ASCII has letter case, and a pattern says itself whether it counts (Istio
    /// `ignoreUriCase`, Envoy `case_sensitive`).
    pub(in crate::routing) fn takes(
        &self,
        PathMatch { test, ignore_case }: &'p PathMatch,
        path: &str,
    ) -> Result<bool, Doubt<'p>> {
        let fold = |text: &str| if *ignore_case { text.to_ascii_lowercase() } else { text.to_owned() };
        let folded = fold(path);
        Ok(match test {
            PathTest::Exact(whole) => folded == fold(whole),
            PathTest::Prefix(prefix) => folded.starts_with(&fold(prefix)),
            PathTest::Under(prefix) => folded
                .strip_prefix(&fold(prefix))
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
            PathTest::Pattern(pattern) => return self.matches(pattern, path),
        })
    }

    /// Bytes of a text.
    pub(in crate::routing) fn says(&self, test: &'p TextMatch, text: &str) -> Result<bool, Doubt<'p>> {
        Ok(match test {
            TextMatch::Exact(whole) => text == whole.as_str(),
            TextMatch::Prefix(prefix) => text.starts_with(prefix.as_str()),
            TextMatch::Pattern(pattern) => return self.matches(pattern, text),
        })
    }

    /// Whether the pattern matches all of `text`, byte by byte.
    fn matches(&self, pattern: &'p Pattern, text: &str) -> Result<bool, Doubt<'p>> {
        let engine = self.engine(pattern, true)?;
        Ok(engine.is_match(&mut engine.create_cache(), text))
    }

    /// `text` with every match replaced, from left to right, as RE2's `GlobalReplace` does it: a match of nothing right behind
    /// another match is none. In `with`, `\1` stands for the first group, `\0` for the match, `\\` for a backslash.
    pub(super) fn replace(&self, pattern: &'p Pattern, text: &str, with: &str) -> Result<String, Doubt<'p>> {
        let engine = self.engine(pattern, false)?;
        let mut out = String::with_capacity(text.len());
        let mut done = 0;
        for found in engine.captures_iter(&mut engine.create_cache(), text) {
            let Some(whole) = found.get_match() else { continue };
            out.push_str(text.get(done..whole.start()).unwrap_or_default());
            let group = |index| found.get_group(index).and_then(|span| text.get(span.range()));
            expand(with, |index| group(index).unwrap_or_default(), &mut out);
            done = whole.end();
        }
        out.push_str(text.get(done..).unwrap_or_default());
        Ok(out)
    }

    fn engine(&self, pattern: &'p Pattern, whole: bool) -> Result<Rc<PikeVM>, Doubt<'p>> {
        let mut compiled = self.compiled.borrow_mut();
        let engine = compiled.entry((pattern.as_str(), whole)).or_insert_with(|| {
            let hir = pattern.hir()?;
            let hir = if whole {
                Hir::concat(vec![Hir::look(Look::Start), hir, Hir::look(Look::End)])
            } else {
                hir
            };
            // Bytes, as patterns are read: a match may begin and end anywhere.
            let bytes = Config::new().utf8(false);
            let program = Compiler::new().configure(bytes).build_from_hir(&hir).ok()?;
            PikeVM::new_from_nfa(program).ok().map(Rc::new)
        });
        engine.clone().ok_or(Doubt::Pattern(pattern))
    }
}

fn expand<'t>(with: &str, group: impl Fn(usize) -> &'t str, out: &mut String) {
    let mut chars = with.chars();
    while let Some(char) = chars.next() {
        if char != '\\' {
            out.push(char);
            continue;
        }
        match chars.next() {
            Some(escaped) => match escaped.to_digit(10).and_then(|digit| usize::try_from(digit).ok()) {
                Some(index) => out.push_str(group(index)),
                None => out.push(escaped),
            },
            None => out.push(char),
        }
    }
}
