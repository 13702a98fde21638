//! Requests that a rule just does not take: those that it takes, with one comparison made to fail.

use super::candidates::{self, METHODS};
use super::draft::{Draft, authorities, evasion, real_header, unsendable, variants};
use super::requests::Site;
use crate::model::{HeaderTest, Match};
use crate::policy::TextMatch;
use crate::routing::matcher::Request;
use crate::values::MatchHeaderName;

/// A comparison, and a request for which it alone fails; the reason if none was found.
pub(super) struct Miss {
    pub(super) because: String,
    pub(super) request: Result<Request, &'static str>,
}

/// For each comparison of an alternative one miss. `hit` is a request that the rule takes by it.
pub(super) fn of<'p>(site: &Site<'_, 'p>, one: &'p Match, hit: &Draft) -> Vec<Miss> {
    let mut all = Vec::new();
    let evading = site.evading(one);
    let mut add = |because: String, drafts: Vec<Draft>, reason: &'static str| {
        // Another alternative may hold because a header is not there.
        let evade = |(draft, variant): (&Draft, usize)| {
            let names = |(name, _): &(String, String)| draft.headers.iter().any(|(own, _)| own == name);
            let more = evasion(&evading, variant).into_iter().filter(|header| !names(header));
            Draft { headers: draft.headers.iter().cloned().chain(more).collect(), ..draft.clone() }
        };
        let all_drafts =
            (0..variants(&evading)).flat_map(|variant| drafts.iter().map(move |one| (one, variant)));
        let mut requests = all_drafts.map(|draft| evade(draft).request());
        let request = requests.find(|request| site.is_missed(request)).ok_or(reason);
        all.push(Miss { because, request });
    };
    const TAKEN: &str = "every request tried matches another alternative, or is read differently";
    if let Some(path) = &one.path {
        let paths = candidates::paths_beside(site.way.matcher.patterns(), path, &hit.path);
        let drafts = paths.into_iter().map(|path| Draft { path, ..hit.clone() });
        add("path".to_owned(), drafts.collect(), TAKEN);
    }
    if one.scheme.is_some() {
        add("scheme".to_owned(), Vec::new(), "all requests have this scheme here");
    }
    if !one.methods.is_empty() {
        let others = METHODS.iter().filter(|method| !one.methods.iter().any(|own| own == **method));
        let drafts = others.map(|method| Draft { method: (*method).to_owned(), ..hit.clone() });
        add("method".to_owned(), drafts.collect(), TAKEN);
    }
    if let Some(test) = &one.authority {
        add("authority".to_owned(), other_authorities(site, test, hit), TAKEN);
    }
    for (name, test) in &one.headers {
        add(format!("header `{name}`"), other_headers(site, name, test, hit), TAKEN);
    }
    for (name, test) in &one.without {
        let reason = real_header(name).and_then(unsendable).unwrap_or(TAKEN);
        add(format!("absence of header `{name}`"), unwanted_headers(site, name, test, hit), reason);
    }
    for (name, test) in &one.query {
        add(format!("query `{name}`"), other_parameters(site, name, test, hit), TAKEN);
    }
    if one.source_namespace.is_some() {
        let mut other = hit.clone();
        other.source.namespace = Some("witness".to_owned());
        add("namespace of the client".to_owned(), vec![other], TAKEN);
    }
    if !one.source_labels.is_empty() {
        let mut other = hit.clone();
        other.source.labels.clear();
        add("labels of the client".to_owned(), vec![other], TAKEN);
    }
    all
}

fn other_authorities<'p>(site: &Site<'_, 'p>, test: &'p TextMatch, hit: &Draft) -> Vec<Draft> {
    let patterns = site.way.matcher.patterns();
    let mut all = authorities(site.host);
    all.retain(|authority| {
        candidates::is_authority(authority) && patterns.says(test, authority) == Ok(false)
    });
    all.into_iter().map(|authority| Draft { authority, ..hit.clone() }).collect()
}

/// Another value, or none.
fn other_headers<'p>(
    site: &Site<'_, 'p>,
    name: &MatchHeaderName,
    test: &'p HeaderTest,
    hit: &Draft,
) -> Vec<Draft> {
    let Some(header) = real_header(name) else { return Vec::new() };
    let mut others = match test {
        HeaderTest::Present => Vec::new(),
        HeaderTest::Text(test) => candidates::texts_beside(site.way.matcher.patterns(), test),
    };
    others.retain(|value| candidates::is_header_value(value) && !value.is_empty());
    let values = others.into_iter().map(Some).chain([None]);
    values.map(|value| Draft { headers: with(&hit.headers, header.as_str(), value), ..hit.clone() }).collect()
}

/// A value that must not be there.
fn unwanted_headers<'p>(
    site: &Site<'_, 'p>,
    name: &MatchHeaderName,
    test: &'p HeaderTest,
    hit: &Draft,
) -> Vec<Draft> {
    let Some(header) = real_header(name).filter(|header| unsendable(header).is_none()) else {
        return Vec::new();
    };
    let mut values = candidates::values(site.way.matcher.patterns(), test);
    values.retain(|value| candidates::is_header_value(value) && !value.is_empty());
    let drafts = values
        .into_iter()
        .map(|value| Draft { headers: with(&hit.headers, header.as_str(), Some(value)), ..hit.clone() });
    drafts.collect()
}

fn other_parameters<'p>(site: &Site<'_, 'p>, name: &str, test: &'p HeaderTest, hit: &Draft) -> Vec<Draft> {
    let mut others = match test {
        HeaderTest::Present => Vec::new(),
        HeaderTest::Text(test) => candidates::texts_beside(site.way.matcher.patterns(), test),
    };
    others.retain(|value| candidates::is_query_part(value));
    let values = others.into_iter().map(Some).chain([None]);
    values.map(|value| Draft { query: with(&hit.query, name, value), ..hit.clone() }).collect()
}

/// The pairs with another value of a name, or without it.
fn with(pairs: &[(String, String)], name: &str, value: Option<String>) -> Vec<(String, String)> {
    let others = pairs.iter().filter(|(own, _)| own != name).cloned();
    others.chain(value.map(|value| (name.to_owned(), value))).collect()
}
