//! Header operations, in the order of the language: of a rule and then of its destination, what is set, then what is added. What is
//! removed goes first, as Envoy does it by itself.
//!
//! Envoy applies the operations of a weighted cluster before those of its route. Where a destination has operations, those of the
//! rule therefore stand with each destination.

use super::api::{HeaderMutations, HeaderValue, HeaderValueOption};
use crate::own_headers;
use meshc_compiler::model::{Controller, DestinationHeaders};
use meshc_compiler::policy::{HeaderOperations, HeaderOperationsBody, HeaderSetting, SharedRouteOptions};
use meshc_compiler::routing::{HttpServer, Listener, Proxy, Rule, RuleAction, WeightedUpstream};
use meshc_language::Diagnostic;
use rustc_hash::FxHashSet;
use smol_str::SmolStr;
use std::sync::Arc;

/// Whether the operations of a rule stand with each of its destinations.
pub(super) fn stand_with_destinations(to: &[WeightedUpstream]) -> bool {
    to.len() > 1 && to.iter().any(|one| one.headers.is_some())
}

/// The operations that stand with a rule's route, those of an only destination among them.
pub(super) fn of_rule(rule: &Rule) -> HeaderMutations {
    match &rule.action {
        RuleAction::Forward(to) if stand_with_destinations(to) => HeaderMutations::default(),
        RuleAction::Forward(to) => {
            let only = if let [only] = to.as_slice() { only.headers.as_deref() } else { None };
            together(&rule.options, only)
        }
        RuleAction::Redirect(_) | RuleAction::Respond(_) => together(&rule.options, None),
    }
}

/// The operations of a rule and of one of its destinations.
pub(super) fn together(
    options: &SharedRouteOptions,
    headers: Option<&DestinationHeaders>,
) -> HeaderMutations {
    let (request, response) = match headers {
        Some(DestinationHeaders { request, response }) => (request.as_deref(), response.as_deref()),
        None => (None, None),
    };
    let of_route = |said: Option<&HeaderOperations>, nearer| said.map(|said| said.beside(nearer));
    let (outer, back) = (
        of_route(options.request_headers.as_deref(), request),
        of_route(options.response_headers.as_deref(), response),
    );
    let request = [request, outer.as_ref()];
    let response = [response, back.as_ref()];
    HeaderMutations {
        request_headers_to_add: added(&request),
        request_headers_to_remove: removed(&request),
        response_headers_to_add: added(&response),
        response_headers_to_remove: removed(&response),
    }
}

/// Operations on responses that come to nothing, each reported once.
pub(super) fn idle(proxies: &[Arc<Proxy>]) -> Vec<Diagnostic> {
    let mut known = FxHashSet::default();
    let servers = proxies.iter().flat_map(|proxy| &proxy.listeners).flat_map(Listener::http_servers);
    let hosts = servers.flat_map(|HttpServer { virtual_hosts }| virtual_hosts);
    let operations = hosts.flat_map(|host| &host.rules).flat_map(responses);
    let once = operations.filter(|operations| known.insert(operations.span));
    once.flat_map(|operations| own_headers::idle(operations, false, Controller::Envoy)).collect()
}

/// The operations on responses of a rule and its destinations.
fn responses(rule: &Rule) -> Vec<&HeaderOperations> {
    let to = match &rule.action {
        RuleAction::Forward(to) => to.as_slice(),
        RuleAction::Redirect(_) | RuleAction::Respond(_) => &[],
    };
    let of_destinations = to.iter().filter_map(|one| one.headers.as_deref()?.response.as_deref());
    rule.options.response_headers.as_deref().into_iter().chain(of_destinations).collect()
}

fn bodies<'o>(lists: &'o [Option<&HeaderOperations>]) -> impl Iterator<Item = &'o HeaderOperationsBody> {
    lists.iter().flatten().map(|operations| {
        let HeaderOperations { body, span: _, attributes: _ } = operations;
        body
    })
}

fn added(lists: &[Option<&HeaderOperations>]) -> Vec<HeaderValueOption> {
    let set = bodies(lists).flat_map(|HeaderOperationsBody { set, add: _, remove: _ }| sorted(set));
    let add = bodies(lists).flat_map(|HeaderOperationsBody { set: _, add, remove: _ }| sorted(add));
    let set = set.map(|setting| option(setting, "OVERWRITE_IF_EXISTS_OR_ADD"));
    set.chain(add.map(|setting| option(setting, "APPEND_IF_EXISTS_OR_ADD"))).collect()
}

/// Each header once: Envoy removes all of its values.
fn removed(lists: &[Option<&HeaderOperations>]) -> Vec<SmolStr> {
    let mut names: Vec<SmolStr> = Vec::new();
    for name in bodies(lists).flat_map(|HeaderOperationsBody { set: _, add: _, remove }| remove) {
        let name = SmolStr::new(name.value.as_written());
        if !names.iter().any(|known| known.eq_ignore_ascii_case(&name)) {
            names.push(name);
        }
    }
    names
}

/// By name, as istiod writes them; the host is no header.
fn sorted(settings: &[HeaderSetting]) -> Vec<&HeaderSetting> {
    let mut settings: Vec<&HeaderSetting> =
        settings.iter().filter(|setting| !setting.name.value.is_host()).collect();
    settings.sort_by(|left, right| left.name.value.cmp(&right.name.value));
    settings
}

fn option(setting: &HeaderSetting, action: &'static str) -> HeaderValueOption {
    let HeaderSetting { name, value, span: _, attributes: _ } = setting;
    HeaderValueOption {
        header: HeaderValue {
            key: SmolStr::new(name.value.as_written()),
            value: SmolStr::new(value.value.as_str()),
        },
        append_action: Some(action),
        // An empty text is meant; a variable that is empty is not there.
        keep_empty_value: value.value.as_str().is_empty(),
    }
}

/// The host that operations set: Envoy sets it as the route's host.
pub(super) fn host(operations: Option<&HeaderOperations>) -> Option<SmolStr> {
    let HeaderOperationsBody { set, add, remove: _ } = &operations?.body;
    let setting = set.iter().chain(add).find(|setting| setting.name.value.is_host())?;
    Some(SmolStr::new(setting.value.value.as_str()))
}
