//! Values that Envoy takes and Istio does not: its admission reads an older form of header values, and its API has no word for a
//! redirect without the query.

use super::headers;
use super::plan::is_carried;
use crate::own_headers;
use meshc_compiler::Checked;
use meshc_compiler::model::{
    Action, Controller, DestinationHeaders, HttpsRedirect, Redirect, RedirectQuery, Route,
    WeightedDestination,
};
use meshc_compiler::policy::{HeaderOperations, HeaderOperationsBody, HeaderSetting};
use meshc_compiler::values::{HeaderValue, RedirectCode};
use meshc_language::{Code, Diagnostic, Spanned};

/// Reports what sources say and Istio would refuse, or has no word for.
pub(super) fn check(checked: &Checked) -> impl Iterator<Item = Diagnostic> {
    let listeners = checked.model().mesh.gateways.as_slice().iter().filter_map(|gateway| {
        let own = gateway.controller() == Controller::Istio;
        own.then(|| gateway.body.listeners.iter().filter_map(|listener| listener.body.redirect))
    });
    let listeners = listeners.flatten().filter_map(other_status);
    let routes = checked.model().hosts.as_slice().iter().flat_map(|host| &host.routes);
    let of_routes = routes.flat_map(|route| {
        let values = operations(route).into_iter().flat_map(header_values);
        values.chain(dropped_query(&route.action)).chain(added_twice(route)).collect::<Vec<_>>()
    });
    let carried = checked.model().hosts.as_slice().iter().filter(|host| is_carried(checked.model(), host));
    let of_responses = carried.flat_map(|host| &host.routes).flat_map(responses);
    let idle = of_responses.flat_map(|one| own_headers::idle(one, true, Controller::Istio));
    listeners.chain(of_routes).chain(idle)
}

/// The operations on responses of a route and its destinations.
fn responses(route: &Route) -> Vec<&HeaderOperations> {
    let to = match &route.action {
        Action::Forward(to) => to.as_slice(),
        Action::Redirect(_) | Action::Respond(_) | Action::Delegate(_) => &[],
    };
    let of_destinations = to.iter().filter_map(|one| one.headers.response.as_deref());
    route.options.shared.response_headers.as_deref().into_iter().chain(of_destinations).collect()
}

fn other_status(HttpsRedirect { target: _, code, span }: HttpsRedirect) -> Option<Diagnostic> {
    (code != RedirectCode::MOVED_PERMANENTLY).then(|| {
        Diagnostic::new(
            Code::UNSUPPORTED,
            span,
            format!("Istio does not support `redirect https` with status {code}"),
        )
        .label("its `httpsRedirect` always uses 301")
        .consequence("clients would get 301, and could repeat a POST as a GET")
        .help(format!(
            "write `redirect https`, or a host block with `route all -> redirect {code} scheme https`"
        ))
    })
}

fn operations(route: &Route) -> Vec<&HeaderOperations> {
    let shared = &route.options.shared;
    let mut all: Vec<&HeaderOperations> = Vec::new();
    all.extend(shared.request_headers.as_deref());
    all.extend(shared.response_headers.as_deref());
    match &route.action {
        Action::Forward(to) => {
            for WeightedDestination { weight: _, destination: _, headers } in to {
                let DestinationHeaders { request, response } = headers;
                all.extend(request.as_deref());
                all.extend(response.as_deref());
            }
        }
        Action::Redirect(_) | Action::Respond(_) | Action::Delegate(_) => {}
    }
    all
}

fn header_values(operations: &HeaderOperations) -> Vec<Diagnostic> {
    let HeaderOperations { body: HeaderOperationsBody { set, add, remove: _ }, span: _, attributes: _ } =
        operations;
    let settings = set.iter().chain(add);
    let value = |HeaderSetting { name: _, value, span: _, attributes: _ }: &HeaderSetting| value.clone();
    let refused = settings.map(value).filter(|value| !value.value.is_admitted());
    let report = |value: Spanned<HeaderValue>| {
        Diagnostic::new(Code::UNSUPPORTED, value.span, "Istio does not support this variable")
            .label("its admission accepts neither a length nor such arguments, though Envoy does")
            .consequence("Istio would refuse the virtual service")
            .help("remove the length: write `%REQ(x-id)%`, not `%REQ(x-id):8%`")
    };
    refused.map(report).collect()
}

/// One destination removes or sets a header to which the route and another destination add: what the route says moves into each
/// destination, and there it would be a second value.
fn added_twice(route: &Route) -> Option<Diagnostic> {
    let shared = &route.options.shared;
    let pair = (shared.request_headers.as_deref(), shared.response_headers.as_deref());
    if headers::can_be_written(pair, &route.action) {
        return None;
    }
    let of_requests = !headers::can_be_written((pair.0, None), &route.action);
    let span = if of_requests { pair.0 } else { pair.1 }.map_or(route.name.span, |one| one.span);
    let report =
        Diagnostic::new(Code::UNSUPPORTED, span, "Istio does not support two values added to one header")
            .label("a destination adds to a header of these too, and another one changes it")
            .consequence("Istio's `add` has one value for a name: the other would be lost")
            .help(
                "write all operations on this header in the blocks of the destinations, none in the route's",
            );
    Some(report)
}

fn dropped_query(action: &Action) -> Option<Diagnostic> {
    let Action::Redirect(redirect) = action else { return None };
    let Redirect { code: _, scheme: _, host: _, path: _, prefix: _, port: _, query, span: _ } = &**redirect;
    let Some(Spanned { value: RedirectQuery::Drop, span }) = query else { return None };
    let report =
        Diagnostic::new(Code::UNSUPPORTED, *span, "Istio does not support a redirect without the query")
            .label("its `HTTPRedirect` keeps the query of the request")
            .consequence("the redirect would keep the query of the request")
            .help("give a new query, such as `path \"/x\" query \"from=old\"`, or remove this target");
    Some(report)
}
