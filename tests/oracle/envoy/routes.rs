//! Virtual hosts and routes that Envoy takes and that never do what they say.

use super::tree::{each_object, items, text};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

type Report<'a> = &'a mut dyn FnMut(&str, String);

/// The conditions that Envoy knows, of HTTP and of gRPC; it ignores any other.
const RETRY_ON: [&str; 16] = [
    "5xx",
    "gateway-error",
    "reset",
    "reset-before-request",
    "connect-failure",
    "envoy-ratelimited",
    "retriable-4xx",
    "refused-stream",
    "retriable-status-codes",
    "retriable-headers",
    "http3-post-connect-failure",
    "cancelled",
    "deadline-exceeded",
    "internal",
    "resource-exhausted",
    "unavailable",
];

/// Envoy's timeout of a route that has none.
const DEFAULT_TIMEOUT: f64 = 15.0;

pub(super) fn check(document: &Value, report: Report<'_>) {
    each_object(document, &mut |path, object| {
        if object.contains_key("retry_on") {
            knows_its_retry_conditions(path, object, report);
        }
        if object.contains_key("retry_policy") {
            tries_fit_the_timeout(path, object, report);
        }
        if object.contains_key("match") {
            paths_start_with_a_slash(path, object, report);
        }
        if object.contains_key("virtual_hosts") {
            names_and_domains_are_unique(path, object, report);
        }
        if object.contains_key("weighted_clusters") {
            some_destination_has_weight(path, object, report);
        }
    });
}

fn knows_its_retry_conditions(path: &str, policy: &Map<String, Value>, report: Report<'_>) {
    for condition in text(policy, "retry_on").split(',').filter(|it| !RETRY_ON.contains(it)) {
        report(&format!("{path}.retry_on"), format!("Envoy knows no condition {condition:?}"));
    }
}

/// A try that may take as long as the whole request leaves no time for a second one.
fn tries_fit_the_timeout(path: &str, route: &Map<String, Value>, report: Report<'_>) {
    let policy = route.get("retry_policy");
    let Some(one_try) = policy.and_then(|policy| seconds(policy.get("per_try_timeout")?)) else { return };
    let timeout = route.get("timeout").and_then(seconds).unwrap_or(DEFAULT_TIMEOUT);
    // Zero is no timeout.
    if timeout > 0.0 && one_try > timeout {
        let words = format!("a try may take {one_try} s, the whole request {timeout} s");
        report(&format!("{path}.retry_policy.per_try_timeout"), words);
    }
}

fn seconds(duration: &Value) -> Option<f64> {
    duration.as_str()?.strip_suffix('s')?.parse().ok()
}

/// No path that a request can have starts otherwise.
fn paths_start_with_a_slash(path: &str, route: &Map<String, Value>, report: Report<'_>) {
    let mut told = |part: &str, object: &Map<String, Value>, names: &[&str]| {
        for name in names {
            let value = text(object, name);
            if object.contains_key(*name) && !value.starts_with('/') {
                report(
                    &format!("{path}.{part}.{name}"),
                    format!("the path {value:?} does not start with `/`"),
                );
            }
        }
    };
    let part = |name: &str| route.get(name).and_then(Value::as_object);
    if let Some(matched) = part("match") {
        told("match", matched, &["prefix", "path", "path_separated_prefix"]);
    }
    if let Some(action) = part("route") {
        told("route", action, &["prefix_rewrite"]);
    }
    if let Some(redirect) = part("redirect") {
        told("redirect", redirect, &["path_redirect", "prefix_rewrite"]);
    }
}

/// Statistics of two virtual hosts with one name are added up; a domain of two is refused in a bootstrap, and in a
/// watched file by the running Envoy only.
fn names_and_domains_are_unique(path: &str, routes: &Map<String, Value>, report: Report<'_>) {
    let (mut names, mut domains) = (BTreeSet::new(), BTreeSet::new());
    for (at, host) in items(routes, "virtual_hosts").iter().filter_map(Value::as_object).enumerate() {
        let path = format!("{path}.virtual_hosts[{at}]");
        let name = text(host, "name");
        if !names.insert(name) {
            report(&format!("{path}.name"), format!("a second virtual host {name:?}"));
        }
        for domain in items(host, "domains").iter().filter_map(Value::as_str) {
            if !domains.insert(domain.to_lowercase()) {
                report(&format!("{path}.domains"), format!("a second virtual host for {domain:?}"));
            }
            if !is_matchable(domain) {
                report(&format!("{path}.domains"), format!("Envoy matches no host by {domain:?}"));
            }
        }
    }
}

/// A wildcard stands at one end, alone; anywhere else the star is a letter of the host.
fn is_matchable(domain: &str) -> bool {
    let rest = domain.strip_prefix('*').or_else(|| domain.strip_suffix('*')).unwrap_or(domain);
    !rest.contains('*')
}

fn some_destination_has_weight(path: &str, action: &Map<String, Value>, report: Report<'_>) {
    let clusters = action.get("weighted_clusters").and_then(Value::as_object);
    let weights = clusters.map_or(&[][..], |clusters| items(clusters, "clusters"));
    if weights.iter().filter_map(|cluster| cluster.get("weight")?.as_u64()).sum::<u64>() == 0 {
        report(&format!("{path}.weighted_clusters"), "no destination has weight".to_owned());
    }
}
