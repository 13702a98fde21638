//! Routes: the rules of a virtual host, an Envoy route for each alternative of a condition.

use super::api::{self, DataSource};
use super::context::Context;
use super::http::HttpPort;
use super::{actions, filters, headers, matches, redirects};
use crate::yaml::Sourced;
use meshc_compiler::model::{Match, Respond};
use meshc_compiler::routing::{Rule, RuleAction};
use smol_str::SmolStr;

/// The routes of rules, in order.
pub(super) fn of_rules<'a>(
    context: &Context<'a>,
    rules: &'a [Rule],
    http_port: HttpPort,
) -> Vec<Sourced<api::Route>> {
    let mut routes = Vec::with_capacity(rules.len());
    for rule in rules {
        of_rule(context, rule, http_port, &mut routes);
    }
    routes
}

fn of_rule<'a>(
    context: &Context<'a>,
    rule: &'a Rule,
    http_port: HttpPort,
    routes: &mut Vec<Sourced<api::Route>>,
) {
    let Rule { name, declared: _, matches, action, options, mirrors: _, span: _ } = rule;
    let comment = context.provenance.rule(context.model, rule, context.proxy.upstreams.as_slice());
    let everything = [Match::default()];
    let alternatives = if matches.is_empty() { &everything[..] } else { matches.as_slice() };
    for one in alternatives {
        let Some(matching) = matches::of(one) else { continue };
        let mut route = api::Route { name: name.clone(), r#match: matching, ..api::Route::default() };
        match action {
            RuleAction::Forward(to) => match actions::forward(context, rule, to, one) {
                Some(forward) => route.route = Some(Box::new(forward)),
                None => route.direct_response = Some(Box::new(unavailable())),
            },
            RuleAction::Redirect(redirect) => {
                route.redirect = Some(Box::new(redirects::redirect(redirect, one, http_port)));
            }
            RuleAction::Respond(respond) => route.direct_response = Some(Box::new(response(respond))),
        }
        route.typed_per_filter_config = filters::of_route(options);
        route.headers = headers::of_rule(rule);
        routes.push(Sourced { comment: comment.clone(), value: route });
    }
}

/// The answer of a rule that leads nowhere.
fn unavailable() -> api::DirectResponseAction {
    api::DirectResponseAction { status: 503, body: None }
}

fn response(respond: &Respond) -> api::DirectResponseAction {
    let Respond { status, body } = respond;
    let text = body.as_ref().map(|body| body.value.as_str()).filter(|text| !text.is_empty());
    let source = |text| DataSource { filename: None, inline_string: Some(SmolStr::new(text)) };
    api::DirectResponseAction { status: u32::from(status.value.get()), body: text.map(source) }
}
