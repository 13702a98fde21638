//! The normal form of a condition: alternatives, each a set of comparisons that must all hold.

use super::condition::{Match, MatchBinding};
use crate::declared::{Condition, HeaderTest, PathMatch, PathTest, Side, Test};
use crate::policy::TextMatch;
use crate::values::{Label, LabelKey, MatchHeaderName};
use meshc_language::{Code, Diagnostic, Span};
use rustc_hash::{FxHashMap, FxHashSet};
use smol_str::SmolStr;
use std::hash::Hash;

/// The most alternatives that one route may have: a limit of this program, so that conditions that multiply end in a report and not
/// in gigabytes.
pub const MAX_MATCHES: usize = 10_000;

/// Why two comparisons cannot stand in one alternative.
enum Clash {
    /// Both can never hold.
    Never,
    /// Both may hold, but an alternative compares one thing once.
    Twice(&'static str),
}

/// The alternatives of a condition. Reports what cannot be expressed; the alternatives that can be stay.
pub(crate) fn normalise(
    condition: &Condition<MatchBinding>,
    report: &mut dyn FnMut(Diagnostic),
) -> Vec<Match> {
    let tests = spread(condition, false, report);
    if tests.len() > MAX_MATCHES {
        let span = tests.iter().flatten().next().map(|(test, _)| test.span);
        if let Some(span) = span {
            let message = format!("this condition has more than {MAX_MATCHES} alternatives");
            report(
                Diagnostic::new(Code::TOO_MANY_MATCHES, span, message)
                    .consequence("each would be a separate route in every proxy; this limit is meshc's own")
                    .help("split the route, or compare with one regular expression: `header x matches r\"a|b|c\"`"),
            );
        }
        return Vec::new();
    }
    let all = tests.len();
    let mut matches = Vec::with_capacity(all);
    let mut known: FxHashSet<Match> = FxHashSet::default();
    let mut never: Option<(Span, Span)> = None;
    for tests in tests {
        match conjunction(&tests, report) {
            Ok(one) => {
                if known.insert(one.clone()) {
                    matches.push(one);
                }
            }
            Err(spans) => never = never.or(spans),
        }
    }
    if let Some((first, second)) = never.filter(|_| matches.is_empty()) {
        report(
            Diagnostic::new(Code::CONTRADICTION, second, "these two conditions exclude each other")
                .related(first, "the other one")
                .consequence("the route would never match")
                .help("join them with `or`, or remove one"),
        );
    }
    matches
}

type Tests<'c> = Vec<(&'c Test<MatchBinding>, bool)>;

/// Alternatives of comparisons, each with whether it is negated. Inner `or` and `not` are multiplied out, up to one more
/// alternative than is allowed.
fn spread<'c>(
    condition: &'c Condition<MatchBinding>,
    negated: bool,
    report: &mut dyn FnMut(Diagnostic),
) -> Vec<Tests<'c>> {
    match condition {
        Condition::Test(test) => {
            if negated && !matches!(test.side, Side::Header(..)) {
                report_not(test, report);
                return vec![Vec::new()];
            }
            vec![vec![(test, negated)]]
        }
        Condition::Not(inner, _) => spread(inner, !negated, report),
        Condition::All(parts) if !negated => product(parts, negated, report),
        Condition::Any(parts) if negated => product(parts, negated, report),
        Condition::All(parts) | Condition::Any(parts) => {
            parts.iter().flat_map(|part| spread(part, negated, report)).take(MAX_MATCHES + 1).collect()
        }
    }
}

fn product<'c>(
    parts: &'c [Condition<MatchBinding>],
    negated: bool,
    report: &mut dyn FnMut(Diagnostic),
) -> Vec<Tests<'c>> {
    let mut alternatives: Vec<Tests<'c>> = vec![Vec::new()];
    for part in parts {
        let choices = spread(part, negated, report);
        if let [only] = choices.as_slice() {
            alternatives.iter_mut().for_each(|tests| tests.extend(only));
            continue;
        }
        // More than are allowed stay more than are allowed; the parts are still looked at for what is wrong with them.
        if alternatives.len() > MAX_MATCHES && !choices.is_empty() {
            continue;
        }
        alternatives = alternatives
            .iter()
            .flat_map(|left| {
                choices.iter().map(move |right| left.iter().chain(right).copied().collect::<Tests<'c>>())
            })
            .take(MAX_MATCHES + 1)
            .collect();
    }
    alternatives
}

#[cold]
fn report_not(test: &Test<MatchBinding>, report: &mut dyn FnMut(Diagnostic)) {
    let what = side_name(&test.side);
    let message = format!("`not` is supported for headers only, not for {what}");
    report(
        Diagnostic::new(Code::INEXPRESSIBLE_CONDITION, test.span, message)
            .consequence("a limit of meshc, which writes `not` for headers only (Istio: withoutHeaders)")
            .help("put a route for the positive case before this one"),
    );
}

fn side_name(side: &Side<MatchBinding>) -> &'static str {
    match side {
        Side::Path(_) => "the path",
        Side::Scheme(_) => "the scheme",
        Side::Method(_) => "the method",
        Side::Authority(_) => "the authority",
        Side::Header(..) => "a header",
        Side::Query(..) => "a query parameter",
        Side::Port(_) => "the port",
        Side::SourceNamespace(_) => "the namespace of the client",
        Side::SourceLabel(_) => "the labels of the client",
        Side::Gateway(_) => "the gateway",
        Side::Sni(_) => "the server name",
        Side::Destination(_) => "the address",
    }
}

/// One alternative; the two places if they exclude each other. What cannot be expressed has been reported (`None`).
fn conjunction(tests: &Tests<'_>, report: &mut dyn FnMut(Diagnostic)) -> Result<Match, Option<(Span, Span)>> {
    let mut all = Match::default();
    let mut known = Known::default();
    for (at, (test, negated)) in tests.iter().enumerate() {
        let Err(clash) = add(&mut all, &mut known, &test.side, *negated) else { continue };
        let same_side =
            |other: &&(&Test<MatchBinding>, bool)| side_name(&other.0.side) == side_name(&test.side);
        let other = tests.iter().take(at).rev().find(same_side).map_or(test.span, |(other, _)| other.span);
        return match clash {
            Clash::Never => Err(Some((other, test.span))),
            Clash::Twice(help) => {
                let message = format!("{} is compared twice in one condition", side_name(&test.side));
                report(
                    Diagnostic::new(Code::INEXPRESSIBLE_CONDITION, test.span, message)
                        .related(other, "the other comparison")
                        .consequence("a limit of meshc: like Istio's matches, a condition has one comparison for each part of a request")
                        .help(help),
                );
                Err(None)
            }
        };
    }
    all.headers.sort_by(|left, right| left.0.as_str().cmp(right.0.as_str()));
    all.without.sort_by(|left, right| left.0.as_str().cmp(right.0.as_str()));
    all.query.sort_by(|left, right| left.0.cmp(&right.0));
    Ok(all)
}

/// Where each name stands in the lists of an alternative, so that long lists are not searched for each test.
#[derive(Default)]
struct Known {
    headers: Places<MatchHeaderName>,
    without: Places<MatchHeaderName>,
    query: Places<SmolStr>,
    labels: Places<LabelKey>,
}

/// The positions of the elements of a list in which no key stands twice, as far as they have been entered.
struct Places<K>(FxHashMap<K, usize>);

impl<K> Default for Places<K> {
    fn default() -> Self {
        Self(FxHashMap::default())
    }
}

/// Lists of this length are searched.
const FEW: usize = 16;

impl<K: Clone + Eq + Hash> Places<K> {
    fn position<T>(&mut self, all: &[T], key_of: impl Fn(&T) -> &K, key: &K) -> Option<usize> {
        if all.len() <= FEW {
            return all.iter().position(|one| key_of(one) == key);
        }
        for (at, one) in all.iter().enumerate().skip(self.0.len()) {
            self.0.insert(key_of(one).clone(), at);
        }
        self.0.get(key).copied()
    }
}

fn add(all: &mut Match, known: &mut Known, side: &Side<MatchBinding>, negated: bool) -> Result<(), Clash> {
    match side {
        Side::Path(path) => add_path(&mut all.path, path),
        Side::Scheme(text) => add_text(&mut all.scheme, text),
        Side::Authority(text) => add_text(&mut all.authority, text),
        Side::Method(methods) => intersect(&mut all.methods, methods),
        Side::Port(ports) => intersect(&mut all.ports, ports),
        Side::Gateway(binding) => intersect(&mut all.bindings, std::slice::from_ref(binding)),
        Side::Sni(names) => intersect(&mut all.sni, names),
        Side::Destination(ranges) => intersect(&mut all.destinations, ranges),
        Side::Header(name, test) if negated => add_without(&mut all.without, &mut known.without, name, test),
        Side::Header(name, test) => add_named(&mut all.headers, &mut known.headers, name, test),
        Side::Query(name, test) => add_named(&mut all.query, &mut known.query, name, test),
        Side::SourceNamespace(namespace) => match &all.source_namespace {
            Some(other) if other != namespace => Err(Clash::Never),
            _ => {
                all.source_namespace = Some(namespace.clone());
                Ok(())
            }
        },
        Side::SourceLabel(label) => {
            let at = known.labels.position(&all.source_labels, Label::key, label.key());
            match at.and_then(|at| all.source_labels.get(at)) {
                Some(other) if other != label => Err(Clash::Never),
                Some(_) => Ok(()),
                None => {
                    all.source_labels.push(label.clone());
                    Ok(())
                }
            }
        }
    }
}

/// Several values of which one must be: both lists must agree on one. An empty list stands for all.
fn intersect<T: Clone + Eq + Hash>(all: &mut Vec<T>, values: &[T]) -> Result<(), Clash> {
    if all.is_empty() {
        all.extend_from_slice(values);
        return Ok(());
    }
    let wanted: FxHashSet<&T> = values.iter().collect();
    all.retain(|value| wanted.contains(value));
    if all.is_empty() { Err(Clash::Never) } else { Ok(()) }
}

const ONE_PATTERN: &str = "write one regular expression for both";

fn add_path(all: &mut Option<PathMatch>, path: &PathMatch) -> Result<(), Clash> {
    let Some(other) = all else {
        *all = Some(path.clone());
        return Ok(());
    };
    if other == path {
        return Ok(());
    }
    let ignore_case = other.ignore_case || path.ignore_case;
    if paths_exclude_each_other(&other.test, &path.test, ignore_case) {
        return Err(Clash::Never);
    }
    if ignore_case {
        return Err(Clash::Twice(ONE_PATTERN));
    }
    match (&other.test, &path.test) {
        (PathTest::Pattern(_), _) | (_, PathTest::Pattern(_)) => Err(Clash::Twice(ONE_PATTERN)),
        (left, right) if left.covers(right, false) => {
            *all = Some(path.clone());
            Ok(())
        }
        (left, right) if right.covers(left, false) => Ok(()),
        _ => Err(Clash::Never),
    }
}

/// Whether no path is taken by both, as far as the beginning of an expression shows it.
fn paths_exclude_each_other(one: &PathTest, other: &PathTest, ignore_case: bool) -> bool {
    match (one, other) {
        (PathTest::Pattern(_), PathTest::Pattern(_)) => false,
        (PathTest::Pattern(pattern), PathTest::Exact(text))
        | (PathTest::Exact(text), PathTest::Pattern(pattern)) => !pattern.may_match(text, true, ignore_case),
        (PathTest::Pattern(pattern), PathTest::Prefix(text) | PathTest::Under(text))
        | (PathTest::Prefix(text) | PathTest::Under(text), PathTest::Pattern(pattern)) => {
            !pattern.may_match(text, false, ignore_case)
        }
        (one, other) => !one.covers(other, ignore_case) && !other.covers(one, ignore_case),
    }
}

fn add_text(all: &mut Option<TextMatch>, text: &TextMatch) -> Result<(), Clash> {
    let merged = match all.take() {
        None => text.clone(),
        Some(other) => merge(other, text)?,
    };
    *all = Some(merged);
    Ok(())
}

/// Both comparisons as one.
fn merge(left: TextMatch, right: &TextMatch) -> Result<TextMatch, Clash> {
    if left == *right {
        return Ok(left);
    }
    let excluded = match (&left, right) {
        (TextMatch::Pattern(pattern), TextMatch::Exact(text))
        | (TextMatch::Exact(text), TextMatch::Pattern(pattern)) => !pattern.may_match(text, true, false),
        (TextMatch::Pattern(pattern), TextMatch::Prefix(text))
        | (TextMatch::Prefix(text), TextMatch::Pattern(pattern)) => !pattern.may_match(text, false, false),
        _ => false,
    };
    if excluded {
        return Err(Clash::Never);
    }
    match (&left, right) {
        (TextMatch::Pattern(_), _) | (_, TextMatch::Pattern(_)) => Err(Clash::Twice(ONE_PATTERN)),
        (TextMatch::Exact(text) | TextMatch::Prefix(text), TextMatch::Prefix(prefix))
            if text.starts_with(prefix.as_str()) =>
        {
            Ok(left)
        }
        (TextMatch::Prefix(prefix), TextMatch::Exact(text) | TextMatch::Prefix(text))
            if text.starts_with(prefix.as_str()) =>
        {
            Ok(right.clone())
        }
        _ => Err(Clash::Never),
    }
}

fn add_named<N: Clone + Eq + Hash>(
    all: &mut Vec<(N, HeaderTest)>,
    places: &mut Places<N>,
    name: &N,
    test: &HeaderTest,
) -> Result<(), Clash> {
    let at = places.position(all, |(name, _)| name, name);
    let Some((_, other)) = at.and_then(|at| all.get_mut(at)) else {
        all.push((name.clone(), test.clone()));
        return Ok(());
    };
    match (&other, test) {
        (_, HeaderTest::Present) => {}
        (HeaderTest::Present, HeaderTest::Text(_)) => *other = test.clone(),
        (HeaderTest::Text(left), HeaderTest::Text(right)) => {
            *other = HeaderTest::Text(merge(left.clone(), right)?)
        }
    }
    Ok(())
}

fn add_without(
    all: &mut Vec<(MatchHeaderName, HeaderTest)>,
    places: &mut Places<MatchHeaderName>,
    name: &MatchHeaderName,
    test: &HeaderTest,
) -> Result<(), Clash> {
    let at = places.position(all, |(name, _)| name, name);
    let Some((_, other)) = at.and_then(|at| all.get_mut(at)) else {
        all.push((name.clone(), test.clone()));
        return Ok(());
    };
    // "Not there" says more than "there, but not like this".
    match (&other, test) {
        (HeaderTest::Present, _) => Ok(()),
        (_, HeaderTest::Present) => {
            *other = HeaderTest::Present;
            Ok(())
        }
        (left, right) if *left == right => Ok(()),
        _ => Err(Clash::Twice("write one regular expression for all excluded values")),
    }
}

/// One alternative that says what both say; `None` if they exclude each other, or one alternative could not compare both.
pub(crate) fn merge_matches(outer: &Match, inner: &Match) -> Option<Match> {
    join(outer, inner).ok()
}

/// Whether both alternatives may hold, and one alternative could not compare both.
pub(crate) fn cannot_be_joined(outer: &Match, inner: &Match) -> bool {
    matches!(join(outer, inner), Err(Clash::Twice(_)))
}

/// Whether no request meets both alternatives, as far as their comparisons show it.
pub(crate) fn exclude_each_other(one: &Match, other: &Match) -> bool {
    let denies = |one: &Match, other: &Match| {
        one.without.iter().any(|(name, test)| {
            let same = |(own, said): &&(MatchHeaderName, HeaderTest)| {
                own == name && (*test == HeaderTest::Present || said == test)
            };
            other.headers.iter().any(|header| same(&header))
        })
    };
    denies(one, other) || denies(other, one) || matches!(join(one, other), Err(Clash::Never))
}

fn join(outer: &Match, inner: &Match) -> Result<Match, Clash> {
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
    } = outer;
    let mut all = inner.clone();
    let mut sides: Vec<(Side<MatchBinding>, bool)> = Vec::new();
    sides.extend(path.iter().map(|path| (Side::Path(path.clone()), false)));
    sides.extend(scheme.iter().map(|text| (Side::Scheme(text.clone()), false)));
    sides.extend(authority.iter().map(|text| (Side::Authority(text.clone()), false)));
    sides.extend(headers.iter().map(|(name, test)| (Side::Header(name.clone(), test.clone()), false)));
    sides.extend(without.iter().map(|(name, test)| (Side::Header(name.clone(), test.clone()), true)));
    sides.extend(query.iter().map(|(name, test)| (Side::Query(name.clone(), test.clone()), false)));
    sides.extend(source_namespace.iter().map(|name| (Side::SourceNamespace(name.clone()), false)));
    sides.extend(source_labels.iter().map(|label| (Side::SourceLabel(label.clone()), false)));
    let mut known = Known::default();
    for (side, negated) in sides {
        add(&mut all, &mut known, &side, negated)?;
    }
    intersect_if_said(&mut all.methods, methods)?;
    intersect_if_said(&mut all.ports, ports)?;
    intersect_if_said(&mut all.bindings, bindings)?;
    intersect_if_said(&mut all.sni, sni)?;
    intersect_if_said(&mut all.destinations, destinations)?;
    Ok(all)
}

fn intersect_if_said<T: Clone + Eq + Hash>(all: &mut Vec<T>, values: &[T]) -> Result<(), Clash> {
    if values.is_empty() { Ok(()) } else { intersect(all, values) }
}
