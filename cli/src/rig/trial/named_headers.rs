//! The headers that the rules of a proxy change: one that a request does not get from its own rule, it must not get from another.

use meshc_compiler::policy::{HeaderOperations, HeaderOperationsBody};
use meshc_compiler::routing::{Proxy, RuleAction};
use std::collections::BTreeSet;

/// Names in lower case.
pub(super) struct NamedHeaders {
    /// Of requests on their way to upstreams.
    pub(super) of_requests: BTreeSet<String>,
    /// Of answers to callers.
    pub(super) of_answers: BTreeSet<String>,
}

impl NamedHeaders {
    pub(super) fn of(proxy: &Proxy) -> Self {
        let mut named = Self { of_requests: BTreeSet::new(), of_answers: BTreeSet::new() };
        for rule in proxy.http_rules() {
            let options = &rule.options;
            add(&mut named.of_requests, options.request_headers.as_deref());
            add(&mut named.of_answers, options.response_headers.as_deref());
            let RuleAction::Forward(to) = &rule.action else { continue };
            for headers in to.iter().filter_map(|one| one.headers.as_ref()) {
                add(&mut named.of_requests, headers.request.as_deref());
                add(&mut named.of_answers, headers.response.as_deref());
            }
        }
        named
    }
}

fn add(names: &mut BTreeSet<String>, operations: Option<&HeaderOperations>) {
    let Some(operations) = operations else { return };
    let HeaderOperationsBody { set, add, remove } = &operations.body;
    names.extend(set.iter().chain(add).map(|one| one.name.value.as_str().to_ascii_lowercase()));
    names.extend(remove.iter().map(|name| name.value.as_str().to_ascii_lowercase()));
}
