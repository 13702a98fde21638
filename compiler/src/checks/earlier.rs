//! Which earlier alternatives could cover one, without comparing each with each.
//!
//! An alternative covers another only if what it asks for follows from what the other asks for. Each is filed under the rarest thing
//! that it asks for; whoever looks for it names all that follows from its own. What is found still has to be compared
//! ([`super::cover::covers`]): two things may have one key.

use crate::model::{HeaderTest, Match, PathMatch, PathTest};
use crate::policy::TextMatch;
use rustc_hash::{FxHashMap, FxHashSet, FxHasher};
use std::hash::{Hash, Hasher};

/// Alternatives of this many are compared one by one.
const FEW: usize = 16;

/// A thing that is asked for, as a number.
type Key = u64;

/// Something that is compared, with the name of a header or query parameter.
#[derive(Clone, Copy, Hash)]
enum Field<'m> {
    Path(bool),
    Scheme,
    Authority,
    Header(&'m str),
    Query(&'m str),
}

/// Alternatives of the routes of one host, in order.
pub(super) struct Earlier<'m> {
    all: Vec<(usize, &'m Match)>,
    /// Positions in `all` by a thing that these ask for; empty where there are few.
    filed: FxHashMap<Key, Vec<usize>>,
    /// The position of the first that asks for nothing.
    for_all: Option<usize>,
    /// How long the prefixes are that something asks for.
    lengths: Vec<usize>,
}

impl<'m> Earlier<'m> {
    /// The alternatives, each with the position of its route, in order of the routes.
    pub(super) fn new(all: Vec<(usize, &'m Match)>) -> Self {
        let mut earlier = Self { all, filed: FxHashMap::default(), for_all: None, lengths: Vec::new() };
        if earlier.all.len() > FEW {
            earlier.file();
        }
        earlier
    }

    fn file(&mut self) {
        let mut lengths = FxHashSet::default();
        let asked: Vec<Vec<Vec<Key>>> = self.all.iter().map(|(_, one)| asked(one, &mut lengths)).collect();
        let mut counts: FxHashMap<Key, usize> = FxHashMap::default();
        for key in asked.iter().flatten().flatten() {
            *counts.entry(*key).or_default() += 1;
        }
        for (at, things) in asked.iter().enumerate() {
            let common = |keys: &&Vec<Key>| keys.iter().filter_map(|key| counts.get(key)).max().copied();
            match things.iter().min_by_key(common) {
                Some(keys) => {
                    for key in keys {
                        self.filed.entry(*key).or_default().push(at);
                    }
                }
                None => self.for_all = self.for_all.or(Some(at)),
            }
        }
        self.lengths = lengths.into_iter().collect();
        self.lengths.sort_unstable();
    }

    /// The position of the first route before `before` one of whose alternatives passes a test, among those that could cover `one`.
    pub(super) fn first(&self, one: &Match, before: usize, test: impl Fn(&Match) -> bool) -> Option<usize> {
        let passes = |(route, outer): &&(usize, &Match)| *route < before && test(outer);
        if self.all.len() <= FEW {
            return self.all.iter().find(passes).map(|(route, _)| *route);
        }
        let mut first = self.for_all.and_then(|at| self.all.get(at)).filter(passes).map(|(route, _)| *route);
        for key in self.follows(one) {
            let filed = self.filed.get(&key).into_iter().flatten();
            let candidates = filed.filter_map(|at| self.all.get(*at));
            let sooner = |(route, _): &&(usize, &Match)| *route < first.unwrap_or(before);
            let found = candidates.take_while(sooner).find(|(_, outer)| test(outer));
            first = found.map(|(route, _)| *route).or(first);
        }
        first
    }

    /// All that follows from what an alternative asks for.
    fn follows(&self, one: &Match) -> Vec<Key> {
        let Match {
            path,
            scheme,
            methods,
            authority,
            headers,
            without,
            query,
            ports,
            source_namespace,
            source_labels,
            bindings,
            sni,
            destinations,
        } = one;
        let mut keys = Vec::new();
        if let Some(path) = path {
            self.path_follows(path, &mut keys);
        }
        let texts = [(Field::Scheme, scheme), (Field::Authority, authority)];
        for (field, text) in texts.into_iter().filter_map(|(field, text)| Some((field, text.as_ref()?))) {
            self.text_follows(field, text, &mut keys);
        }
        let headers = headers.iter().map(|(name, test)| (Field::Header(name.as_str()), test));
        for (field, test) in
            headers.chain(query.iter().map(|(name, test)| (Field::Query(name.as_str()), test)))
        {
            keys.push(key(("named", field)));
            if let HeaderTest::Text(text) = test {
                self.text_follows(field, text, &mut keys);
            }
        }
        keys.extend(without.iter().map(|(name, test)| absent(name.as_str(), test)));
        keys.extend(source_namespace.iter().map(|name| key(("namespace", name.as_str()))));
        keys.extend(source_labels.iter().map(|label| key(("label", label))));
        // Of several values each has to be among the other's: so has the first.
        keys.extend(methods.first().map(|method| key(("method", method))));
        keys.extend(ports.first().map(|port| key(("port", port))));
        keys.extend(bindings.first().map(|binding| key(("binding", binding))));
        keys.extend(sni.first().map(|name| key(("sni", name))));
        keys.extend(destinations.first().map(|range| key(("destination", range))));
        keys
    }

    fn path_follows(&self, path: &PathMatch, keys: &mut Vec<Key>) {
        match &path.test {
            PathTest::Exact(text) | PathTest::Prefix(text) | PathTest::Under(text) => {
                for (fold, text) in [(false, text.to_string()), (true, text.to_ascii_lowercase())] {
                    if matches!(path.test, PathTest::Exact(_)) {
                        keys.push(key(("is", Field::Path(fold), &text)));
                    }
                    self.begins(Field::Path(fold), &text, keys);
                }
            }
            PathTest::Pattern(pattern) => {
                keys.push(key(("pattern", Field::Path(path.ignore_case), pattern.as_str())));
            }
        }
    }

    fn text_follows(&self, field: Field<'_>, text: &TextMatch, keys: &mut Vec<Key>) {
        keys.push(key(("said", field)));
        match text {
            TextMatch::Exact(text) => {
                keys.push(key(("is", field, text.as_str())));
                self.begins(field, text, keys);
            }
            TextMatch::Prefix(text) => self.begins(field, text, keys),
            TextMatch::Pattern(pattern) => keys.push(key(("pattern", field, pattern.as_str()))),
        }
    }

    /// What a text begins with, as far as something asks for a beginning of that length.
    fn begins(&self, field: Field<'_>, text: &str, keys: &mut Vec<Key>) {
        let begins =
            self.lengths.iter().map_while(|length| (*length <= text.len()).then(|| text.get(..*length)));
        keys.extend(begins.flatten().map(|beginning| key(("begins", field, beginning))));
    }
}

/// What an alternative asks for: of each thing the keys of which one has to follow from what another asks for.
fn asked(one: &Match, lengths: &mut FxHashSet<usize>) -> Vec<Vec<Key>> {
    let Match {
        path,
        scheme,
        methods,
        authority,
        headers,
        without,
        query,
        ports,
        source_namespace,
        source_labels,
        bindings,
        sni,
        destinations,
    } = one;
    let mut things: Vec<Vec<Key>> = Vec::new();
    things.extend(path.as_ref().and_then(|path| path_asked(path, lengths)).map(|key| vec![key]));
    let texts = [(Field::Scheme, scheme), (Field::Authority, authority)];
    let said = texts.into_iter().filter_map(|(field, text)| Some((field, text.as_ref()?)));
    things.extend(said.map(|(field, text)| vec![text_asked(field, text, lengths)]));
    let headers = headers.iter().map(|(name, test)| (Field::Header(name.as_str()), test));
    let named = headers.chain(query.iter().map(|(name, test)| (Field::Query(name.as_str()), test)));
    things.extend(named.map(|(field, test)| match test {
        HeaderTest::Present => vec![key(("named", field))],
        HeaderTest::Text(text) => vec![text_asked(field, text, lengths)],
    }));
    things.extend(without.iter().map(|(name, test)| vec![absent(name.as_str(), test)]));
    things.extend(source_namespace.iter().map(|name| vec![key(("namespace", name.as_str()))]));
    things.extend(source_labels.iter().map(|label| vec![key(("label", label))]));
    let sets = [
        methods.iter().map(|method| key(("method", method))).collect(),
        ports.iter().map(|port| key(("port", port))).collect(),
        bindings.iter().map(|binding| key(("binding", binding))).collect(),
        sni.iter().map(|name| key(("sni", name))).collect(),
        destinations.iter().map(|range| key(("destination", range))).collect::<Vec<Key>>(),
    ];
    things.extend(sets.into_iter().filter(|set| !set.is_empty()));
    things
}

/// What a path has to be; `None` for one that every request has.
fn path_asked(path: &PathMatch, lengths: &mut FxHashSet<usize>) -> Option<Key> {
    if super::cover::is_every_path(&path.test) {
        return None;
    }
    let field = Field::Path(path.ignore_case);
    let folded = |text: &str| if path.ignore_case { text.to_ascii_lowercase() } else { text.to_owned() };
    Some(match &path.test {
        PathTest::Exact(text) => key(("is", field, &folded(text))),
        PathTest::Prefix(text) | PathTest::Under(text) => {
            lengths.insert(text.len());
            key(("begins", field, folded(text).as_str()))
        }
        PathTest::Pattern(pattern) => key(("pattern", field, pattern.as_str())),
    })
}

fn text_asked(field: Field<'_>, text: &TextMatch, lengths: &mut FxHashSet<usize>) -> Key {
    match text {
        TextMatch::Exact(text) => key(("is", field, text.as_str())),
        TextMatch::Prefix(text) => {
            lengths.insert(text.len());
            key(("begins", field, text.as_str()))
        }
        TextMatch::Pattern(pattern) if pattern.as_str() == ".*" => key(("said", field)),
        TextMatch::Pattern(pattern) => key(("pattern", field, pattern.as_str())),
    }
}

fn absent(name: &str, test: &HeaderTest) -> Key {
    match test {
        HeaderTest::Present => key(("absent", name)),
        HeaderTest::Text(TextMatch::Exact(text)) => key(("not", name, text.as_str())),
        HeaderTest::Text(TextMatch::Prefix(text)) => key(("not begins", name, text.as_str())),
        HeaderTest::Text(TextMatch::Pattern(pattern)) => key(("not pattern", name, pattern.as_str())),
    }
}

fn key(thing: impl Hash) -> Key {
    let mut hasher = FxHasher::default();
    thing.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests;
