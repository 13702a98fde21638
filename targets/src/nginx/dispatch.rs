//! Rules of a virtual host as locations, so that the first rule in source order whose condition holds is taken.
//!
//! nginx picks the location with the longest path, whatever its place in the file. So there is one for each path that the rules
//! name, and in each the rules that can hold there, in their order: if the first asks for nothing else, what it does stands there,
//! or its location is next; else a `map` over the bits of all comparisons names it. The location of a rule is a named one: unlike
//! `rewrite`, going there leaves the path as the client wrote it, which `proxy_pass` sends on.

use super::builder::Builder;
use super::conditions::{Condition, Location};
use super::directive::{Directive, line};
use super::filed::Filed;
use super::rule;
use super::variables::UNKNOWN;
use meshc_compiler::model::Match;
use meshc_compiler::policy::RewriteKind;
use meshc_compiler::routing::{Addresses, Rule, RuleAction, Upstream, VirtualHost};
use meshc_compiler::values::{HostPattern, Protocol, Scheme};
use rustc_hash::{FxHashMap, FxHashSet};

/// What stands in front of the names of rules in the names of their locations; a path begins with a slash.
const INTERNAL: &str = "mesh:";
/// The location of requests that no rule takes.
const NOTHING: &str = "@mesh:~";
/// The location of requests of which nginx cannot tell whether a rule takes them.
const UNDECIDED: &str = "@mesh:!";
/// Where `$mesh_turn` sends paths that are refused.
const REFUSED: &str = "mesh:400";
/// The status by which a location hands a request to a named one: nginx gives it to nobody.
const HANDED_ON: &str = "418";
/// Bytes of variable names that one `map` looks at; nginx reads 4,096 in one token.
const TABLE_MAX: usize = 3_000;
/// Most lines of a rule in all of its public locations.
const REPEATED_MAX: usize = 24;
/// Candidates that one `map` chooses from, if they are many. Those that several locations share stand in one `map` then.
const GROUP: usize = 32;
/// Most groups: nginx follows variables 100 deep.
const GROUPS_MAX: usize = 48;

/// What the `server` block around the locations says of all of its requests.
#[derive(Clone, Copy, Debug)]
pub(super) struct ServerBlock<'v> {
    pub(super) scheme: Scheme,
    pub(super) port: u16,
    /// The hosts that it serves.
    pub(super) domains: &'v [HostPattern],
}

/// A rule under one of its alternatives.
struct Candidate<'r> {
    rule: &'r Rule,
    one: Option<&'r Match>,
    condition: Condition,
    /// What its locations are called after.
    name: String,
    /// Its position in the order of all.
    order: usize,
}

/// The locations of a virtual host.
pub(super) fn locations(
    host: &VirtualHost,
    server: ServerBlock<'_>,
    builder: &mut Builder<'_>,
) -> Vec<Directive> {
    let candidates = candidates(host, server.scheme, builder);
    let filed = Filed::new(candidates.iter().map(|candidate| &candidate.condition));
    let wanted: Vec<(Location, Here<'_, '_, '_>)> = wanted_locations(&candidates)
        .into_iter()
        .map(|location| {
            let here = here(&candidates, &filed, &location, builder);
            (location, here)
        })
        .collect();
    let mut rules = RuleLocations::new(&wanted, server);
    let mut used: FxHashSet<&str> = FxHashSet::default();
    let mut locations = Vec::new();
    let mut ends = Ends::default();
    for (location, here) in &wanted {
        let (modifier, path) = match location {
            Location::Exact(path) => ("=", path),
            Location::Prefix(path) => ("^~", path),
        };
        let public = line!["location", modifier, path.clone()];
        let direct = only(here).filter(|_| !is_redirected(location, &wanted));
        if let Some(direct) = direct.and_then(|candidate| rules.direct(candidate, builder)) {
            locations.push(Directive { words: public.words, ..direct });
            continue;
        }
        let (target, names) = target(here, candidates.len(), &mut ends, builder);
        used.extend(names);
        let span = here.first().map_or(host.span, |(candidate, _)| candidate.rule.span);
        locations.push(public.block(handed_to(&target).to_vec()).at(span));
    }
    let mut made: FxHashSet<&str> = FxHashSet::default();
    for candidate in &candidates {
        if used.contains(candidate.name.as_str()) && made.insert(&candidate.name) {
            locations.extend(rules.of(candidate, builder).iter().cloned());
        }
    }
    for (is_needed, name, status) in [(ends.nothing, NOTHING, "404"), (ends.undecided, UNDECIDED, "500")] {
        if is_needed {
            let body = vec![line!["internal"], line!["return", status, super::text::EMPTY]];
            locations.push(line!["location", name].block(body));
        }
    }
    let refused = vec![line!["internal"], line!["return", "400"]];
    locations.push(line!["location", "=", REFUSED].block(refused));
    locations.extend(builder.take_shared_locations());
    locations
}

/// Hands a request, as it is, to a named location. The name may have variables in it.
pub(super) fn handed_to(named: &str) -> [Directive; 2] {
    [line!["error_page", HANDED_ON, "=", named], line!["return", HANDED_ON]]
}

/// The named location that is called after a rule, or a part of one.
pub(super) fn named(name: &str) -> String {
    format!("@{name}")
}

/// Whether nginx would answer a request for this path without its slash by sending the caller here: it does so for a location
/// that ends with one and calls a destination, be it exact or a prefix, where no other location takes that path.
fn is_redirected(location: &Location, wanted: &[(Location, Here<'_, '_, '_>)]) -> bool {
    let (Location::Prefix(path) | Location::Exact(path)) = location;
    let Some(bare) = path.strip_suffix('/').filter(|bare| !bare.is_empty()) else { return false };
    !wanted.iter().any(|(other, _)| matches!(other, Location::Exact(exact) if exact == bare))
}

/// The candidate of a location where the request does not matter.
fn only<'c, 'r>(here: &Here<'c, 'r, '_>) -> Option<&'c Candidate<'r>> {
    match here.as_slice() {
        [(candidate, bits)] if bits.is_empty() => Some(candidate),
        _ => None,
    }
}

/// The locations of the rules, each made once.
struct RuleLocations<'v, 'c> {
    server: ServerBlock<'v>,
    made: FxHashMap<&'c str, Vec<Directive>>,
    /// How many public locations lead to a rule whatever the request is.
    direct: FxHashMap<&'c str, usize>,
}

impl<'v, 'c> RuleLocations<'v, 'c> {
    fn new(wanted: &[(Location, Here<'c, '_, '_>)], server: ServerBlock<'v>) -> Self {
        let mut direct: FxHashMap<&'c str, usize> = FxHashMap::default();
        for candidate in wanted.iter().filter_map(|(_, here)| only(here)) {
            *direct.entry(candidate.name.as_str()).or_default() += 1;
        }
        Self { server, made: FxHashMap::default(), direct }
    }

    /// The location of a rule, and those that it needs.
    fn of(&mut self, candidate: &'c Candidate<'_>, builder: &mut Builder<'_>) -> &[Directive] {
        let Candidate { rule, one, condition: _, name, order: _ } = candidate;
        let path = one.and_then(|one| one.path.as_ref());
        self.made.entry(name).or_insert_with(|| rule::locations(rule, path, name, self.server, builder))
    }

    /// What a rule does, as it may stand in a public location: without a second one, which costs nginx time and memory. None
    /// for what looks at the name of its location, or would be repeated at length.
    fn direct(&mut self, candidate: &'c Candidate<'_>, builder: &mut Builder<'_>) -> Option<Directive> {
        if is_dubious_in_public(candidate.rule, builder) {
            return None;
        }
        let copies = self.direct.get(candidate.name.as_str()).copied().unwrap_or_default();
        let [location] = self.of(candidate, builder) else { return None };
        let [internal, body @ ..] = location.block.as_deref()? else { return None };
        let stands_anywhere = internal.is("internal") && !body.iter().any(Directive::goes_on);
        (stands_anywhere && copies.saturating_mul(body.len()) <= REPEATED_MAX)
            .then(|| Directive { block: Some(body.to_vec()), ..location.clone() })
    }
}

/// Whether a rule calls the host that the caller asks for, or another path: linters of nginx (gixy) warn of either in a public
/// location, and not in an inner one.
fn is_dubious_in_public(rule: &Rule, builder: &Builder<'_>) -> bool {
    let RuleAction::Forward(to) = &rule.action else { return false };
    let mut upstreams = to.iter().filter_map(|one| builder.upstream(one.upstream));
    upstreams.any(|upstream| matches!(upstream.addresses, Addresses::Original | Addresses::PerRequest))
        || rule.options.rewrite.iter().any(|rewrite| !rewrite.kind.is_of_host())
}

/// Whether an upstream is one of gRPC.
pub(super) fn speaks_grpc(upstream: &Upstream) -> bool {
    upstream.protocol() == Protocol::Grpc
}

/// Which locations are needed for requests that no rule takes.
#[derive(Debug, Default)]
struct Ends {
    nothing: bool,
    undecided: bool,
}

fn candidates<'r>(host: &'r VirtualHost, scheme: Scheme, builder: &mut Builder<'_>) -> Vec<Candidate<'r>> {
    let mut all = Vec::new();
    let mut names: FxHashSet<String> = FxHashSet::default();
    for rule in &host.rules {
        let mut name = format!("{INTERNAL}{}", rule.name);
        let mut earlier = 1;
        while !names.insert(name.clone()) {
            earlier += 1;
            name = format!("{INTERNAL}{}={earlier}", rule.name);
        }
        if rule.matches.is_empty() {
            let order = all.len();
            all.push(Candidate { rule, one: None, condition: Condition::ALWAYS, name, order });
            continue;
        }
        for (alternative, one) in rule.matches.iter().enumerate() {
            let condition = Condition::of(one, rule.span, scheme, builder);
            let own = replaces_prefix(rule) && alternative > 0;
            let name = if own { format!("{name}:{alternative}") } else { name.clone() };
            let order = all.len();
            all.push(Candidate { rule, one: Some(one), condition, name, order });
        }
    }
    all
}

/// Whether what a rule does depends on which of its alternatives holds.
fn replaces_prefix(rule: &Rule) -> bool {
    match &rule.action {
        RuleAction::Redirect(redirect) => redirect.prefix.is_some(),
        RuleAction::Forward(_) => {
            rule.options.rewrite.iter().any(|rewrite| matches!(rewrite.kind, RewriteKind::Prefix(_)))
        }
        RuleAction::Respond(_) => false,
    }
}

/// Every location that a rule needs, in order of first use, and that of all other paths.
fn wanted_locations(candidates: &[Candidate<'_>]) -> Vec<Location> {
    let mut known: FxHashSet<Location> = FxHashSet::default();
    let rest = Location::Prefix("/".to_owned());
    let all = candidates.iter().flat_map(|candidate| candidate.condition.locations()).chain([rest]);
    all.filter(|location| known.insert(location.clone())).collect()
}

type Here<'c, 'r, 'm> = Vec<(&'c Candidate<'r>, Vec<String>)>;

/// The candidates that can hold at a location with the bits that they ask for, up to the first that asks for none.
fn here<'c, 'r, 'm>(
    candidates: &'c [Candidate<'r>],
    filed: &Filed,
    location: &Location,
    builder: &mut Builder<'_>,
) -> Here<'c, 'r, 'm> {
    let mut here: Here<'c, 'r, 'm> = Vec::new();
    for candidate in filed.at(location).filter_map(|at| candidates.get(at)) {
        let Some(bits) = candidate.condition.at(location, builder) else { continue };
        let last = bits.is_empty();
        here.push((candidate, bits));
        if last {
            break;
        }
    }
    here
}

/// The location that is next, with a variable in it if that depends on the request, and the names that it may have.
fn target<'c>(
    here: &Here<'c, '_, '_>,
    count: usize,
    ends: &mut Ends,
    builder: &mut Builder<'_>,
) -> (String, Vec<&'c str>) {
    let names: Vec<&str> = here.iter().map(|(candidate, _)| candidate.name.as_str()).collect();
    let mut next = NOTHING.to_owned();
    let mut conditional = here.as_slice();
    match here.split_last() {
        Some(((candidate, bits), before)) if bits.is_empty() => {
            next = named(&candidate.name);
            conditional = before;
        }
        _ => ends.nothing = true,
    }
    let groups = groups(conditional, count);
    if let [only] = groups.as_slice() {
        return (table(only, &next, ends, builder), names);
    }
    for group in groups.into_iter().rev() {
        let chosen = table(group, "", ends, builder);
        next = builder.http.map(&chosen, vec![line!["default", chosen.clone()], line!["", next]]);
    }
    (next, names)
}

/// Candidates in runs whose bits one `map` can look at, out of `count` candidates in all. Runs end at the same candidates in
/// every location.
fn groups<'h, 'c, 'r>(
    mut rest: &'h [(&'c Candidate<'r>, Vec<String>)],
    count: usize,
) -> Vec<&'h [(&'c Candidate<'r>, Vec<String>)]> {
    let size = if rest.len() <= GROUP { usize::MAX } else { GROUP.max(count.div_ceil(GROUPS_MAX)) };
    let mut groups = Vec::new();
    while let Some((first, _)) = rest.first() {
        let mut bits: FxHashSet<&String> = FxHashSet::default();
        let mut bytes = 0;
        let fits = rest.iter().take_while(|(candidate, asked)| {
            bytes += asked.iter().filter(|bit| bits.insert(*bit)).map(String::len).sum::<usize>();
            bytes <= TABLE_MAX && candidate.order / size == first.order / size
        });
        // What one candidate asks for is taken whole: a longer token than nginx reads is reported by `fit`.
        let (group, after) = rest.split_at_checked(fits.count().max(1)).unwrap_or((rest, &[]));
        groups.push(group);
        rest = after;
    }
    groups
}

/// A variable that names the first candidate whose bits are all set, else `otherwise`.
fn table(
    group: &[(&Candidate<'_>, Vec<String>)],
    otherwise: &str,
    ends: &mut Ends,
    builder: &mut Builder<'_>,
) -> String {
    let mut order: Vec<&String> = Vec::new();
    let mut known: FxHashSet<&String> = FxHashSet::default();
    for bit in group.iter().flat_map(|(_, bits)| bits) {
        if known.insert(bit) {
            order.push(bit);
        }
    }
    let mut entries = vec![line!["default", otherwise]];
    let mut keys: FxHashSet<String> = FxHashSet::default();
    for (candidate, bits) in group {
        let key = row(&order, bits);
        // The first that asks for these bits is taken.
        if !keys.insert(key.clone()) {
            continue;
        }
        entries.push(line![key, named(&candidate.name)]);
        if bits.iter().any(|bit| builder.http.is_doubtful(bit)) {
            entries.push(line![undecided_row(&order, bits, builder), UNDECIDED]);
            ends.undecided = true;
        }
    }
    let source: String = order.iter().map(|bit| bit.as_str()).collect();
    builder.http.map(&source, entries)
}

/// The key for what `bits` would take, if those of them that are unknown were `1`. It stands behind the row that asks for `1`.
fn undecided_row(order: &[&String], bits: &[String], builder: &Builder<'_>) -> String {
    let digit = |bit: &&String| match bits.contains(bit) {
        true if builder.http.is_doubtful(bit) => format!("[1{UNKNOWN}]"),
        true => "1".to_owned(),
        false => ".".to_owned(),
    };
    let digits: String = order.iter().map(digit).collect();
    format!("~^{}", digits.trim_end_matches('.'))
}

/// The key of a `map` that takes what has a `1` at the position of each of `bits`.
pub(super) fn row(order: &[&String], bits: &[String]) -> String {
    // One bit is found in a table.
    if let ([bit], [asked]) = (order, bits)
        && *bit == asked
    {
        return "1".to_owned();
    }
    let digits: String = order.iter().map(|bit| if bits.contains(bit) { '1' } else { '.' }).collect();
    format!("~^{}", digits.trim_end_matches('.'))
}
