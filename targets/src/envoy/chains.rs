//! Which connection is for whom: the first rule of the sources, in a data plane that takes the most specific one.
//!
//! Envoy chooses a filter chain by the most specific range of addresses, then by the most specific server name, and does not look
//! back: what the chosen range has no chain for is refused. Ranges contain each other or are apart, and so do server names. So for
//! each range and each name that anyone asks for, the first rule that takes all of it is the first rule for every connection of
//! which they are the most specific: that rule is written there. Where the server of a name has no such rule, connections must not
//! fall to the server of a wider name: a chain without filters closes them.

use meshc_compiler::model::Match;
use meshc_compiler::routing::{ConnectionRule, Listener, Plain, TlsKind, TlsServer};
use meshc_compiler::values::{Cidr, HostPattern, Literal};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// For whom connections are: a TLS server of the listener or what is not TLS, and one of its rules for connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Choice {
    /// The position of the TLS server; `None` for connections that are not TLS.
    pub(super) server: Option<usize>,
    /// What is done with them.
    pub(super) treatment: Treatment,
}

/// What is done with connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Treatment {
    /// They are HTTP.
    Http,
    /// They are passed on by the rule at this position.
    Rule(usize),
    /// They are closed: their server takes none of them, and no other may.
    Refuse,
}

/// Connections that are treated alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chain<'a> {
    pub(super) choice: Choice,
    /// The ranges of addresses that they were made to; none for all.
    pub(super) ranges: Vec<Cidr>,
    /// The server names that they ask for, a wildcard without its `*`; none for all.
    pub(super) names: Vec<&'a str>,
}

/// All connections of a listener that someone takes.
pub(super) fn chains(listener: &Listener) -> Vec<Chain<'_>> {
    let Listener { bind: _, all: _, port: _, plain, tls, conflicts: _ } = listener;
    let names = Names::of(tls);
    // All addresses and some of them are chains of their own.
    let mut chosen: BTreeMap<(Choice, Vec<&str>, bool), Vec<Cidr>> = BTreeMap::new();
    for range in ranges(listener) {
        let mut here: BTreeMap<Choice, Vec<&str>> = BTreeMap::new();
        if let Some(choice) = plain.as_ref().and_then(|plain| of_plain(plain, range)) {
            here.entry(choice).or_default();
        }
        for name in &names.all {
            let Some(choice) = names.choose(name, range) else { continue };
            if choice.treatment != Treatment::Refuse || names.falls_to_another(name, range) {
                here.entry(choice).or_default().push(name);
            }
        }
        for (choice, mut names) in here {
            if names.contains(&ANY) {
                names.clear();
            }
            chosen.entry((choice, names, range.is_some())).or_default().extend(range);
        }
    }
    chosen.into_iter().map(|((choice, names, _), ranges)| Chain { choice, ranges, names }).collect()
}

/// The name of those that ask for none, or for one that nobody has.
const ANY: &str = "";

/// The ranges that rules of a listener ask for, and all addresses as `None`.
fn ranges(listener: &Listener) -> Vec<Option<Cidr>> {
    let of_tls = listener.tls.iter().flat_map(|server| rules(&server.kind));
    let of_plain = listener.plain.iter().flat_map(|plain| match plain {
        Plain::Tcp(rules) => rules.as_slice(),
        Plain::Http(_) => &[],
    });
    let asked = of_tls.chain(of_plain).flat_map(|rule| &rule.matches).flat_map(|one| &one.destinations);
    let mut all: Vec<Cidr> = asked.map(|one| one.as_cidr()).collect();
    all.sort_unstable();
    all.dedup();
    // To Envoy no range is the same as all addresses of both kinds; those are written where one of them is asked for.
    if all.iter().any(|range| range.prefix_length() == 0) {
        all.extend(["0.0.0.0/0", "::/0"].iter().filter_map(|range| Cidr::parse(range).ok()));
        all.sort_unstable();
        all.dedup();
        return all.into_iter().map(Some).collect();
    }
    std::iter::once(None).chain(all.into_iter().map(Some)).collect()
}

fn rules(kind: &TlsKind) -> &[ConnectionRule] {
    match kind {
        TlsKind::Http(..) => &[],
        TlsKind::Tcp(_, rules) | TlsKind::Passthrough(rules) => rules,
    }
}

fn of_plain(plain: &Plain, range: Option<Cidr>) -> Option<Choice> {
    match plain {
        Plain::Http(_) => Some(Choice { server: None, treatment: Treatment::Http }),
        Plain::Tcp(rules) => {
            let rule = rules.iter().position(|rule| takes(rule, range))?;
            Some(Choice { server: None, treatment: Treatment::Rule(rule) })
        }
    }
}

/// Whether a rule takes connections to all addresses of a range, whatever their server name.
fn takes(rule: &ConnectionRule, range: Option<Cidr>) -> bool {
    rule.matches.is_empty() || rule.matches.iter().any(|one| is_met(one, range))
}

fn is_met(one: &Match, range: Option<Cidr>) -> bool {
    // Who calls cannot be seen: such a rule has been refused, and here it takes nobody.
    let sees_the_caller = one.source_namespace.is_some() || !one.source_labels.is_empty();
    let covers = |range: Cidr| one.destinations.iter().any(|asked| asked.as_cidr().covers(range));
    !sees_the_caller && (one.destinations.is_empty() || range.is_some_and(covers))
}

/// What stands behind the `*` of a name, and all of one without; no name in TLS ends with a dot.
fn key(pattern: &HostPattern) -> &str {
    let text = pattern.as_str();
    let text = text.strip_suffix('.').unwrap_or(text);
    text.strip_prefix('*').unwrap_or(text)
}

/// A name and the wildcards that take it, the most specific first.
fn wider(name: &str) -> impl Iterator<Item = &str> {
    let dots = name.char_indices().filter(|(at, char)| *char == '.' && *at > 0);
    let wildcards = dots.filter_map(|(at, _)| name.get(at..));
    let any = (!name.is_empty()).then_some(ANY);
    std::iter::once(name).chain(wildcards).chain(any)
}

/// Who answers to which server name.
struct Names<'l> {
    servers: &'l [TlsServer],
    /// The names that anyone asks for, by their keys.
    all: Vec<&'l str>,
    server_of: FxHashMap<&'l str, usize>,
    /// The rules of each server by the names that they ask for; [`ANY`] for those that ask for none.
    rules_of: FxHashMap<(usize, &'l str), Vec<usize>>,
}

impl<'l> Names<'l> {
    fn of(servers: &'l [TlsServer]) -> Self {
        let mut names = Self {
            servers,
            all: Vec::new(),
            server_of: FxHashMap::default(),
            rules_of: FxHashMap::default(),
        };
        for (at, server) in servers.iter().enumerate() {
            let TlsServer { names: served, kind, origin: _, span: _ } = server;
            // Nobody asks for an address by name, and TLS has wildcards for whole labels only.
            for name in served.iter().filter(|name| !name.is_partial_wildcard() && !name.is_ip()) {
                names.all.push(key(name));
                names.server_of.entry(key(name)).or_insert(at);
            }
            for (position, rule) in rules(kind).iter().enumerate() {
                let asked: Vec<&str> = if rule.sni.is_empty() {
                    vec![ANY]
                } else {
                    rule.sni.iter().map(|name| key(name.as_host())).collect()
                };
                for name in asked {
                    names.all.push(name);
                    names.rules_of.entry((at, name)).or_default().push(position);
                }
            }
        }
        names.all.sort_unstable();
        names.all.dedup();
        names
    }

    /// What becomes of connections that ask for a name; `None` if no server has it.
    fn choose(&self, name: &'l str, range: Option<Cidr>) -> Option<Choice> {
        let at = wider(name).find_map(|wider| self.server_of.get(wider).copied())?;
        let rules = match &self.servers.get(at)?.kind {
            TlsKind::Http(..) => return Some(Choice { server: Some(at), treatment: Treatment::Http }),
            TlsKind::Tcp(_, rules) | TlsKind::Passthrough(rules) => rules,
        };
        let asking = wider(name).filter_map(|wider| self.rules_of.get(&(at, wider))).flatten().copied();
        let first =
            asking.filter(|position| rules.get(*position).is_some_and(|rule| takes(rule, range))).min();
        Some(Choice { server: Some(at), treatment: first.map_or(Treatment::Refuse, Treatment::Rule) })
    }

    /// Whether connections that ask for a name would go to someone else if nobody was written to take them.
    fn falls_to_another(&self, name: &'l str, range: Option<Cidr>) -> bool {
        let mut others = wider(name).skip(1).filter(|wider| self.all.binary_search(wider).is_ok());
        others.any(|wider| {
            self.choose(wider, range).is_some_and(|choice| choice.treatment != Treatment::Refuse)
        })
    }
}

#[cfg(test)]
mod tests;
