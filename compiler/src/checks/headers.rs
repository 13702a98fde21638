//! Header operations: what Envoy refuses, and what contradicts itself.

use super::Context;
use crate::model::{Action, Route};
use crate::policy::{HeaderOperations, HeaderSetting};
use crate::values::HeaderName;
use meshc_language::{Code, Diagnostic, Spanned};

/// All checks of header operations.
pub(super) fn check(context: &Context<'_>, reports: &mut Vec<Diagnostic>) {
    for (_, host) in context.model.hosts.iter() {
        for route in &host.routes {
            for (operations, is_request) in operations(route) {
                names_are_allowed(operations, is_request, reports);
                bodies_keep_their_length(operations, reports);
                hosts_are_hosts(operations, reports);
                no_header_twice(operations, reports);
                if let (Action::Redirect(_), false) = (&route.action, is_request) {
                    redirects_keep_their_address(operations, reports);
                }
            }
        }
    }
}

/// All header operations of a route, with whether they are of the request.
fn operations(route: &Route) -> Vec<(&HeaderOperations, bool)> {
    let shared = &route.options.shared;
    let mut all: Vec<(&HeaderOperations, bool)> = Vec::new();
    all.extend(shared.request_headers.as_deref().map(|operations| (operations, true)));
    all.extend(shared.response_headers.as_deref().map(|operations| (operations, false)));
    if let Action::Forward(destinations) = &route.action {
        for one in destinations {
            all.extend(one.headers.request.as_deref().map(|operations| (operations, true)));
            all.extend(one.headers.response.as_deref().map(|operations| (operations, false)));
        }
    }
    all
}

/// C9: the host can be set on a request, never removed, and there is none on a response. Pseudo headers are not headers.
fn names_are_allowed(operations: &HeaderOperations, is_request: bool, reports: &mut Vec<Diagnostic>) {
    let body = &operations.body;
    let settings = body.set.iter().chain(&body.add).map(|setting| (&setting.name, true));
    for (name, sets) in settings.chain(body.remove.iter().map(|name| (name, false))) {
        let special = name.value.is_host() || name.value.is_pseudo();
        let allowed = !special || (is_request && sets && name.value.is_host());
        if !allowed {
            let what = if is_request { "a request" } else { "a response" };
            let message = format!(
                "`{}` cannot be {} on {what}",
                name.value.as_written(),
                if sets { "set" } else { "removed" }
            );
            reports.push(
                Diagnostic::new(Code::BAD_HEADER_OPERATION, name.span, message)
                    .consequence("Istio would refuse the virtual service")
                    .help("use `rewrite host` or `rewrite path`, or remove it"),
            );
        }
    }
}

/// Headers that say where a body ends (RFC 9112, 6): with another value, what is left of one request is read as the next.
fn bodies_keep_their_length(operations: &HeaderOperations, reports: &mut Vec<Diagnostic>) {
    const FRAMING: &[&str] = &["content-length", "transfer-encoding"];
    let body = &operations.body;
    let names = body.set.iter().chain(&body.add).map(|setting| &setting.name).chain(&body.remove);
    for name in names.filter(|name| FRAMING.contains(&name.value.as_str())) {
        let message = format!("`{}` frames the body, and cannot be changed", name.value.as_written());
        reports.push(
            Diagnostic::new(Code::HEADER_OPERATION, name.span, message)
                .consequence("the rest of a body would be read as another request (request smuggling)")
                .help("let the proxy set it"),
        );
    }
}

/// The host is set as a text (Envoy `host_rewrite_literal`), not as a header: a variable would go out as it is written.
fn hosts_are_hosts(operations: &HeaderOperations, reports: &mut Vec<Diagnostic>) {
    let settings = operations.body.set.iter().chain(&operations.body.add);
    for setting in settings.filter(|setting| setting.name.value.is_host()) {
        let text = setting.value.value.as_str();
        let may_stand = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
        if !text.is_empty() && text.bytes().all(may_stand) {
            continue;
        }
        let report = if setting.value.value.has_percent() {
            Diagnostic::new(Code::HEADER_OPERATION, setting.value.span, "the host cannot be set to a variable")
                .consequence(format!("destinations would get the host `{text}`"))
                .help("set it to a name, such as `set host \"api.example.com\"`, or put the variable into another header")
        } else {
            Diagnostic::new(Code::HEADER_OPERATION, setting.value.span, format!("`{text}` is not a host"))
                .consequence("destinations would answer 400")
                .help("set it to a name, perhaps with a port, such as `set host \"api.example.com\"`")
        };
        reports.push(report);
    }
}

/// What a redirect says is its `Location`: another one would take its place, or stand beside it.
fn redirects_keep_their_address(operations: &HeaderOperations, reports: &mut Vec<Diagnostic>) {
    let body = &operations.body;
    let names = body.set.iter().chain(&body.add).map(|setting| &setting.name).chain(&body.remove);
    for name in names.filter(|name| name.value.as_str() == "location") {
        let message = "`location` is the target of the redirect, and cannot be changed as well";
        reports.push(
            Diagnostic::new(Code::HEADER_OPERATION, name.span, message)
                .consequence("clients would go somewhere else than the redirect says")
                .help(
                    "set it in the redirect, such as `redirect host a.com path \"/x\"`, or use `respond 301`",
                ),
        );
    }
}

/// H21: names differ in more than letter case; the second of two values would be lost.
fn no_header_twice(operations: &HeaderOperations, reports: &mut Vec<Diagnostic>) {
    let body = &operations.body;
    let names = |settings: &'_ [HeaderSetting]| {
        settings.iter().map(|setting| setting.name.clone()).collect::<Vec<_>>()
    };
    for (what, names) in
        [("set", names(&body.set)), ("added", names(&body.add)), ("removed", body.remove.clone())]
    {
        for (at, name) in names.iter().enumerate() {
            let earlier: Option<&Spanned<HeaderName>> =
                names.iter().take(at).find(|earlier| earlier.value == name.value);
            if let Some(earlier) = earlier {
                let message = format!("header `{}` is {what} twice", name.value.as_written());
                reports.push(
                    Diagnostic::new(Code::HEADER_OPERATION, name.span, message)
                        .related(earlier.span, "first given here")
                        .consequence("one of the two would be lost")
                        .help("keep one of them"),
                );
            }
        }
    }
}
