//! Filters that are configured and missing, or missing altogether.

use super::tree::{each_object, filter_type, items, type_of, walk};
use serde_json::{Map, Value};

type Report<'a> = &'a mut dyn FnMut(&str, String);

pub(super) fn check(document: &Value, report: Report<'_>) {
    each_object(document, &mut |path, object| {
        if type_of(object) == "HttpConnectionManager" {
            ends_with_the_router(path, object, report);
            has_the_filters_of_its_routes(path, object, report);
        }
        if object.contains_key("filter_chains") {
            sees_what_its_chains_match(path, object, report);
        }
    });
}

/// Without the router every request is answered with 404, or never.
fn ends_with_the_router(path: &str, manager: &Map<String, Value>, report: Report<'_>) {
    let filters = items(manager, "http_filters");
    let routers = filters.iter().filter(|filter| filter_type(filter) == "Router").count();
    if routers != 1 || filters.last().is_none_or(|last| filter_type(last) != "Router") {
        report(
            &format!("{path}.http_filters"),
            "the last filter, and no other, must be the router".to_owned(),
        );
    }
}

/// Settings of a route for a filter that the listener does not have are ignored.
fn has_the_filters_of_its_routes(path: &str, manager: &Map<String, Value>, report: Report<'_>) {
    let filters = items(manager, "http_filters");
    let known = |name: &str| {
        filters.iter().any(|filter| filter.get("name").and_then(Value::as_str).is_some_and(|it| it == name))
    };
    let Some(routes) = manager.get("route_config") else { return };
    walk(&format!("{path}.route_config"), routes, &mut |path, object| {
        let Some(settings) = object.get("typed_per_filter_config").and_then(Value::as_object) else { return };
        for name in settings.keys().filter(|name| !known(name)) {
            let path = format!("{path}.typed_per_filter_config");
            report(&path, format!("no filter of this listener has the name {name:?}"));
        }
    });
}

/// Server names and protocols come from the TLS inspector; without it such a chain never matches.
fn sees_what_its_chains_match(path: &str, listener: &Map<String, Value>, report: Report<'_>) {
    let inspected =
        items(listener, "listener_filters").iter().any(|filter| filter_type(filter) == "TlsInspector");
    let needs = |chain: &Value| {
        let matched = chain.get("filter_chain_match").and_then(Value::as_object);
        let by = ["server_names", "transport_protocol", "application_protocols"];
        matched.is_some_and(|matched| by.iter().any(|name| matched.contains_key(*name)))
    };
    if !inspected && items(listener, "filter_chains").iter().any(needs) {
        report(path, "a filter chain matches by TLS, but there is no TLS inspector".to_owned());
    }
}
