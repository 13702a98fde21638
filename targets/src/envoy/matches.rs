//! What a route asks of a request.

use super::api::{HeaderMatcher, QueryParameterMatcher, RegexMatcher, RouteMatch, StringMatcher};
use meshc_compiler::model::{HeaderTest, Match, PathMatch, PathTest};
use meshc_compiler::policy::TextMatch;
use meshc_compiler::values::{MatchHeaderName, escape_literal};
use smol_str::SmolStr;

/// One alternative of a condition; `None` if no request that a bare proxy sees can meet it.
pub(super) fn of(one: &Match) -> Option<RouteMatch> {
    let Match {
        path,
        scheme,
        methods,
        authority,
        headers,
        without,
        query,
        source_namespace,
        source_labels,
        // Decided before, for each listener.
        ports: _,
        bindings: _,
        // Of connections.
        sni: _,
        destinations: _,
    } = one;
    // A condition on the caller has been refused, or its loss accepted together with the route.
    if source_namespace.is_some() || !source_labels.is_empty() {
        return None;
    }
    let mut matching = RouteMatch::default();
    put_path(path.as_ref(), &mut matching);
    for (name, test) in headers {
        matching.headers.push(header(name, test)?);
    }
    for (name, test) in without {
        matching.headers.push(absent(name, test)?);
    }
    matching.headers.extend(scheme.iter().map(|text| of_text(":scheme", text)));
    matching.headers.extend(method(methods));
    matching.headers.extend(authority.iter().map(|text| of_text(":authority", text)));
    matching.query_parameters = query.iter().map(|(name, test)| parameter(name, test)).collect();
    Some(matching)
}

fn put_path(path: Option<&PathMatch>, matching: &mut RouteMatch) {
    let Some(PathMatch { test, ignore_case }) = path else {
        matching.prefix = Some(SmolStr::new_static("/"));
        return;
    };
    match test {
        PathTest::Exact(path) => matching.path = Some(path.clone()),
        PathTest::Prefix(path) => matching.prefix = Some(path.clone()),
        PathTest::Under(path) => matching.path_separated_prefix = Some(path.clone()),
        PathTest::Pattern(pattern) => {
            // A pattern says itself whether letter case counts.
            matching.safe_regex = Some(RegexMatcher { regex: SmolStr::new(pattern.as_str()) });
            return;
        }
    }
    matching.case_sensitive = ignore_case.then_some(false);
}

fn method(methods: &[SmolStr]) -> Option<HeaderMatcher> {
    let matcher = match methods {
        [] => return None,
        [one] => StringMatcher::exact(one.clone()),
        several => {
            let escaped: Vec<String> = several.iter().map(|method| escape_literal(method)).collect();
            StringMatcher::regex(escaped.join("|"))
        }
    };
    Some(matching(":method", Some(matcher)))
}

/// A header that is compared, or only has to be there.
fn matching(name: &str, string_match: Option<StringMatcher>) -> HeaderMatcher {
    HeaderMatcher {
        name: SmolStr::new(name),
        present_match: string_match.is_none().then_some(true),
        string_match,
        invert_match: false,
        treat_missing_header_as_empty: false,
    }
}

fn of_text(name: &str, text: &TextMatch) -> HeaderMatcher {
    matching(name, string(text))
}

/// A comparison; `None` for one that every text meets.
pub(super) fn string(text: &TextMatch) -> Option<StringMatcher> {
    match text {
        TextMatch::Exact(text) => Some(StringMatcher::exact(text.clone())),
        TextMatch::Prefix(text) if text.is_empty() => None,
        TextMatch::Prefix(text) => {
            Some(StringMatcher { prefix: Some(text.clone()), ..StringMatcher::default() })
        }
        TextMatch::Pattern(pattern) => Some(StringMatcher::regex(pattern.as_str())),
    }
}

fn header(name: &MatchHeaderName, test: &HeaderTest) -> Option<HeaderMatcher> {
    match (name, test) {
        // Claims of a token have been refused, or their loss accepted together with the route.
        (MatchHeaderName::Claim(_), _) => None,
        (MatchHeaderName::Header(name), HeaderTest::Present) => Some(matching(name.as_str(), None)),
        (MatchHeaderName::Header(name), HeaderTest::Text(text)) => Some(of_text(name.as_str(), text)),
    }
}

/// The opposite; `None` if it never holds. One that is not there is taken for one that is empty, so a comparison that every text
/// meets leaves nothing.
fn absent(name: &MatchHeaderName, test: &HeaderTest) -> Option<HeaderMatcher> {
    let matcher = header(name, test)?;
    let compares = match test {
        HeaderTest::Present => false,
        HeaderTest::Text(_) if matcher.string_match.is_none() => return None,
        HeaderTest::Text(_) => true,
    };
    Some(HeaderMatcher { invert_match: true, treat_missing_header_as_empty: compares, ..matcher })
}

fn parameter(name: &SmolStr, test: &HeaderTest) -> QueryParameterMatcher {
    let string_match = match test {
        HeaderTest::Present => None,
        HeaderTest::Text(text) => string(text),
    };
    QueryParameterMatcher {
        name: name.clone(),
        present_match: string_match.is_none().then_some(true),
        string_match,
    }
}
