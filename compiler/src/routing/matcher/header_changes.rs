//! What happens to headers on the way, in the order in which it happens.

use crate::policy::{HeaderOperations, HeaderOperationsBody, HeaderSetting};
use crate::values::{HeaderName, HeaderValue};

/// A change of the headers of a request or response.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum HeaderChange<'p> {
    /// All values of a header go.
    Remove(&'p HeaderName),
    /// A header has this value only.
    Set(&'p HeaderName, &'p HeaderValue),
    /// A header has this value too.
    Add(&'p HeaderName, &'p HeaderValue),
}

/// The changes that a route and one of its destinations make, in order: what is removed, then what is set, then what is added. The
/// destination, which is nearer, decides about every header that it sets or removes; what both add stays, its own first.
///
/// Within one list of operations that is the order of Envoy (`HeaderParser`). Of two lists Envoy applies that of a weighted
/// cluster before that of its route, which gives the route the last word: who writes for Envoy puts them together. The host is
/// no header: see [`authority_set`].
#[must_use]
pub fn header_changes<'p>(
    route: Option<&'p HeaderOperations>,
    destination: Option<&'p HeaderOperations>,
) -> Vec<HeaderChange<'p>> {
    let lists = || destination.iter().chain(&route).map(|operations| &operations.body);
    let decided = |name: &HeaderName| destination.is_some_and(|nearer| nearer.replaces(name));
    let stays = |setting: &&'p HeaderSetting| !setting.name.value.is_host();
    let left = |setting: &&'p HeaderSetting| !decided(&setting.name.value);
    let own = |side: fn(&HeaderOperationsBody) -> &[HeaderSetting]| {
        let nearer = destination.map_or(&[][..], |one| side(&one.body));
        let outer = route.map_or(&[][..], |one| side(&one.body));
        nearer.iter().chain(outer.iter().filter(left)).filter(stays)
    };
    let removed = lists().flat_map(|body| body.remove.iter().map(|name| HeaderChange::Remove(&name.value)));
    let set = own(|body| &body.set).map(|one| HeaderChange::Set(&one.name.value, &one.value.value));
    let added = own(|body| &body.add).map(|one| HeaderChange::Add(&one.name.value, &one.value.value));
    removed.chain(set).chain(added).collect()
}

/// The authority that header operations give to a request: `host` and `:authority` are set or added like headers, but are none
/// (Envoy `host_rewrite_literal`). The first that says so holds; a check lets only one.
#[must_use]
pub fn authority_set<'p>(operations: &[Option<&'p HeaderOperations>]) -> Option<&'p str> {
    let bodies = operations.iter().flatten().map(|operations| &operations.body);
    let mut settings = bodies.flat_map(|body| body.set.iter().chain(&body.add));
    settings.find(|one| one.name.value.is_host()).map(|one| one.value.value.as_str())
}

/// The text that a header value stands for: `%%` is a percent sign. `None` if it has a variable.
#[must_use]
pub fn literal(value: &HeaderValue) -> Option<String> {
    let text = value.as_str().replace("%%", "\0");
    (!text.contains('%')).then(|| text.replace('\0', "%"))
}

/// The headers after these changes. A value with a variable is left as it is written.
#[must_use]
pub fn apply(changes: &[HeaderChange<'_>], headers: &[(String, String)]) -> Vec<(String, String)> {
    let mut headers = headers.to_vec();
    for change in changes {
        match change {
            HeaderChange::Remove(name) => drop_all(&mut headers, name),
            HeaderChange::Set(name, value) => {
                drop_all(&mut headers, name);
                headers.push(written(name, value));
            }
            HeaderChange::Add(name, value) => headers.push(written(name, value)),
        }
    }
    headers
}

fn drop_all(headers: &mut Vec<(String, String)>, name: &HeaderName) {
    headers.retain(|(own, _)| !own.eq_ignore_ascii_case(name.as_str()));
}

fn written(name: &HeaderName, value: &HeaderValue) -> (String, String) {
    (name.as_str().to_owned(), literal(value).unwrap_or_else(|| value.as_str().to_owned()))
}
