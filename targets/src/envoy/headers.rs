//! Header operations, in istiod's order: `set` before `add`, each by name.

use super::api::{HeaderMutations, HeaderValue, HeaderValueOption};
use meshc_compiler::model::DestinationHeaders;
use meshc_compiler::policy::{HeaderOperations, HeaderOperationsBody, HeaderSetting};
use meshc_compiler::routing::{Rule, RuleAction, WeightedUpstream};
use smol_str::SmolStr;

/// The operations of a rule. Those of an only destination come behind the rule's own.
pub(super) fn of_rule(rule: &Rule<'_>) -> HeaderMutations {
    let options = &rule.options;
    let mut mutations = HeaderMutations::default();
    add(options.request_headers.as_deref(), options.response_headers.as_deref(), &mut mutations);
    if let RuleAction::Forward(to) = &rule.action
        && let [WeightedUpstream { upstream: _, weight: _, headers: Some(headers), span: _ }] = to.as_slice()
    {
        let DestinationHeaders { request, response } = headers;
        add(request.as_deref(), response.as_deref(), &mut mutations);
    }
    mutations
}

/// The operations of one of several destinations.
pub(super) fn of_destination(headers: &DestinationHeaders) -> HeaderMutations {
    let DestinationHeaders { request, response } = headers;
    let mut mutations = HeaderMutations::default();
    add(request.as_deref(), response.as_deref(), &mut mutations);
    mutations
}

fn add(
    request: Option<&HeaderOperations>,
    response: Option<&HeaderOperations>,
    mutations: &mut HeaderMutations,
) {
    let HeaderMutations {
        request_headers_to_add,
        request_headers_to_remove,
        response_headers_to_add,
        response_headers_to_remove,
    } = mutations;
    if let Some(request) = request {
        operations(request, request_headers_to_add, request_headers_to_remove);
    }
    if let Some(response) = response {
        operations(response, response_headers_to_add, response_headers_to_remove);
    }
}

fn operations(operations: &HeaderOperations, added: &mut Vec<HeaderValueOption>, removed: &mut Vec<SmolStr>) {
    let HeaderOperations { body: HeaderOperationsBody { set, add, remove }, span: _, attributes: _ } =
        operations;
    for (settings, action) in [(set, "OVERWRITE_IF_EXISTS_OR_ADD"), (add, "APPEND_IF_EXISTS_OR_ADD")] {
        let mut settings: Vec<&HeaderSetting> =
            settings.iter().filter(|setting| !setting.name.value.is_host()).collect();
        settings.sort_by(|left, right| left.name.value.cmp(&right.name.value));
        added.extend(settings.into_iter().map(|setting| option(setting, action)));
    }
    removed.extend(remove.iter().map(|name| SmolStr::new(name.value.as_written())));
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
    let body = &operations?.body;
    let mut settings = body.set.iter().chain(&body.add);
    let setting = settings.find(|setting| setting.name.value.is_host())?;
    Some(SmolStr::new(setting.value.value.as_str()))
}
