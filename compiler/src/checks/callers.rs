//! Conditions that hold otherwise at gateways than in sidecars, and hosts that only one of the two serves.

use super::Context;
use super::cover::covers;
use super::externals::steps::{Whole, once_for_each_place, whole_routes};
use crate::graph::Node;
use crate::model::{
    Action, BindingKind, Controller, Gateway, HeaderTest, Host, HostNameKind, Id, Match, MatchBinding,
    Resource, Route, RouteKind,
};
use crate::policy::TextMatch;
use crate::routing::is_seen;
use crate::values::{HeaderName, HostPattern, Label, MatchHeaderName};
use meshc_language::{Code, Diagnostic, Severity};
use rustc_hash::FxHashMap;

/// All of these checks.
pub(super) fn check(context: &Context<'_>, reports: &mut Vec<Diagnostic>) {
    for (id, host) in context.model.hosts.iter() {
        let gateways = gateways(context, id, host);
        for route in &host.declared.routes {
            callers_of_gateways(&gateways, route, reports);
            gateways_look_at_connections(&gateways, host, route, reports);
            served_in_the_mesh(context, host, route, reports);
            origins_are_allowed(route, reports);
            credentials_are_of_known_origins(route, reports);
        }
        is_seen_by_gateways(context, host, reports);
    }
    for (_, gateway) in context.model.mesh.gateways.iter() {
        pods_are_of_istio(gateway, reports);
    }
    preflights_arrive(context, reports);
}

type Bound<'m> = (Id<Resource<Gateway>>, &'m Resource<Gateway>);

/// The gateways whose requests a host block gets, by delegation too.
fn gateways<'m>(context: &Context<'m>, id: Id<Resource<Host>>, host: &'m Resource<Host>) -> Vec<Bound<'m>> {
    let model = context.model;
    let of = |host: &'m Host| {
        host.gateways().filter_map(|(id, _)| Some((id, model.mesh.gateways.get(id)?))).collect::<Vec<_>>()
    };
    if !host.is_delegate() {
        return of(&host.declared);
    }
    let mut all: Vec<Bound<'m>> = Vec::new();
    for parent in context.graph().delegators(&Node::Host(id)).filter_map(|parent| model.hosts.get(parent)) {
        for bound in of(&parent.declared) {
            if !all.iter().any(|known| known.0 == bound.0) {
                all.push(bound);
            }
        }
    }
    all
}

/// Istio compares the caller's namespace and labels with those of the proxy: at a gateway, with those of its pods, whoever calls.
fn callers_of_gateways(gateways: &[Bound<'_>], route: &Route, reports: &mut Vec<Diagnostic>) {
    let Some(condition) = route.condition.filter(|_| route.kind == RouteKind::Http) else { return };
    let asks = |one: &Match| {
        one.bindings.is_empty() && (one.source_namespace.is_some() || !one.source_labels.is_empty())
    };
    let Some(one) = route.matches.iter().find(|one| asks(one)) else { return };
    // A raw proxy cannot see who calls, and refuses the condition itself.
    let of_istio = || gateways.iter().filter(|(_, gateway)| gateway.controller() == Controller::Istio);
    let open = of_istio().find(|(_, gateway)| pods_match(gateway, one));
    let Some((_, gateway)) = open.or(of_istio().next()) else { return };
    let name = &gateway.name.value;
    let consequence = if open.is_some() {
        format!("every request through `{name}` would match this part of the condition, whoever sent it")
    } else {
        format!("no request through `{name}` would match this route")
    };
    reports.push(
        Diagnostic::new(
            Code::SOURCE_AT_GATEWAY,
            condition,
            format!("at gateway `{name}`, `source` is compared with the gateway's own pods"),
        )
        .related(gateway.name.span, "requests come in here")
        .consequence(consequence)
        .help("make two host blocks, one `via` the gateway and one in the mesh, and use `source` in the second only"),
    );
}

/// Whether the pods of a gateway are such callers, as far as the sources say.
fn pods_match(gateway: &Resource<Gateway>, one: &Match) -> bool {
    let labels = gateway.declared.body.workload.as_ref().map_or(&[][..], |workload| &workload.labels);
    let has = |label: &Label| labels.iter().any(|own| own.value == *label);
    let namespace = one.source_namespace.as_ref();
    namespace.is_none_or(|namespace| gateway.pods_namespace() == Some(namespace.as_str()))
        && one.source_labels.iter().all(has)
}

/// Istio's gateways choose tls and tcp rules by port and server name alone (istiod, `l4SingleMatch`).
fn gateways_look_at_connections(
    gateways: &[Bound<'_>],
    host: &Host,
    route: &Route,
    reports: &mut Vec<Diagnostic>,
) {
    let Some(condition) = route.condition.filter(|_| route.kind != RouteKind::Http) else { return };
    let ignored = |one: &Match| {
        !one.destinations.is_empty() || one.source_namespace.is_some() || !one.source_labels.is_empty()
    };
    let taken = |one: &&Match| {
        gateways.iter().find(|(id, gateway)| {
            gateway.controller() == Controller::Istio
                && (one.bindings.is_empty() || one.bindings.contains(&MatchBinding::Gateway(*id)))
        })
    };
    let Some((_, gateway)) = route.matches.iter().filter(|one| ignored(one)).find_map(|one| taken(&one))
    else {
        return;
    };
    let message = format!("Istio ignores `destination` and `source` at gateway `{}`", gateway.name.value);
    let report = Diagnostic::new(Code::IGNORED_CONDITION, condition, message)
        .related(gateway.name.span, "connections come in here")
        .consequence("the rule would match connections to every address and from every client");
    reports.push(if host.in_mesh() {
        report.help(
            "add `and gateway mesh` to the condition, and write a rule without this part for the gateway",
        )
    } else {
        report.help("remove this part, or bind the host to the mesh")
    });
}

/// A host that no service and no external stands for: Istio's sidecars have it on port 80, for HTTP, and nowhere else.
fn served_in_the_mesh(context: &Context<'_>, host: &Host, route: &Route, reports: &mut Vec<Diagnostic>) {
    if !host.in_mesh() || host.is_delegate() {
        return;
    }
    let undeclared = |kind: &HostNameKind| match kind {
        HostNameKind::Pattern(pattern) => {
            !pattern.is_wildcard() && context.model.mesh.directory.host(pattern.as_str()).is_none()
        }
        HostNameKind::Destination(_) | HostNameKind::Delegate(_) => false,
    };
    if host.names.is_empty() || !host.names.iter().all(|name| undeclared(&name.kind)) {
        return;
    }
    // Half a name of a service is reported as that.
    let is_half = |pattern: &HostPattern| {
        context.model.mesh.directory.half_a_name(pattern.as_str(), host.span, None).is_some()
    };
    if host.patterns().any(|(pattern, _)| is_half(pattern)) {
        return;
    }
    let Some(name) = host.names.first() else { return };
    let shown = name.patterns.first().map_or("", |pattern| pattern.as_str());
    let only_in_mesh = |one: &Match| {
        host.gateways().next().is_none()
            || one.bindings.iter().all(|one| *one == MatchBinding::Mesh) && !one.bindings.is_empty()
    };
    let span = route.condition.unwrap_or(route.name.span);
    if route.kind != RouteKind::Http {
        let everywhere = route.matches.is_empty() && host.gateways().next().is_none();
        if everywhere || (!route.matches.is_empty() && route.matches.iter().all(only_in_mesh)) {
            let message = format!("no service and no external has the host `{shown}`");
            reports.push(
                Diagnostic::new(Code::ONLY_PORT_80, span, message)
                    .related(name.span, "the host")
                    .consequence(
                        "Istio has no listener for it: in sidecars, its connections bypass this rule",
                    )
                    .help(format!("declare it: `external NAME {{ hosts {shown}; port tls 443 }}`")),
            );
        }
        return;
    }
    let elsewhere = |one: &&Match| {
        !one.ports.is_empty() && one.ports.iter().all(|port| port.get() != 80) && only_in_mesh(one)
    };
    if let Some(one) = route.matches.iter().find(elsewhere) {
        let ports: Vec<String> = one.ports.iter().map(ToString::to_string).collect();
        let message = format!("inside the mesh Istio serves `{shown}` on port 80 only");
        reports.push(
            Diagnostic::new(Code::ONLY_PORT_80, span, message)
                .related(name.span, "no service and no external has this host")
                .consequence(format!("requests to port {} bypass this route", crate::reading::listed(&ports)))
                .help(format!(
                    "declare it: `external NAME {{ hosts {shown}; port http {} }}`",
                    ports.join("; port http ")
                )),
        );
    }
}

/// A browser asks with OPTIONS, without cookies and without credentials (Fetch, "CORS-preflight fetch"): a route that takes only
/// other requests never sees it, and its `cors` never answers.
fn preflights_arrive(context: &Context<'_>, reports: &mut Vec<Diagnostic>) {
    let whole = whole_routes(context);
    let mut by_host: FxHashMap<*const Host, Vec<&Whole<'_>>> = FxHashMap::default();
    for one in whole.iter().filter(|one| one.options.cors.is_some()) {
        by_host.entry(std::ptr::from_ref(one.step.host)).or_default().push(one);
    }
    let mut found = Vec::new();
    for one in &whole {
        let others = by_host.get(&std::ptr::from_ref(one.step.host)).map_or(&[][..], Vec::as_slice);
        found.extend(preflight_lost(one, others));
    }
    once_for_each_place(found, reports);
}

/// That preflights do not reach a route; `others` of its host have `cors` too.
fn preflight_lost(whole: &Whole<'_>, others: &[&Whole<'_>]) -> Option<Diagnostic> {
    let Whole { step, options, matches, incomplete: _ } = whole;
    let (route, cors) = (step.route, options.cors.as_ref()?);
    if route.kind != RouteKind::Http
        || !matches!(route.action, Action::Forward(_))
        || matches.is_empty()
        || matches.iter().any(takes_preflights)
    {
        return None;
    }
    let path = |one: &Match| Match { path: one.path.clone(), ..Match::default() };
    let has_other = |one: &Match| {
        others.iter().any(|other| {
            other.matches.is_empty()
                || other.matches.iter().any(|two| takes_preflights(two) && covers(&path(two), &path(one)))
        })
    };
    if matches.iter().all(has_other) {
        return None;
    }
    let method_only = matches.iter().all(|one| !one.methods.is_empty());
    let why = if method_only {
        "it does not match OPTIONS requests"
    } else {
        "preflights have no cookies, credentials or headers of scripts"
    };
    let message = format!("CORS preflights do not reach route `{}`: {why}", route.name.value);
    Some(
        Diagnostic::new(Code::NO_PREFLIGHT, cors.span, message)
            .related(route.condition.unwrap_or(route.name.span), "the condition")
            .consequence("a later route answers them, or they get 404: browsers block the requests that need a preflight")
            .help("add `OPTIONS` to the methods, or a route `when method is OPTIONS` for the same path with the same `cors`"),
    )
}

/// Without an origin, Envoy's filter lets every preflight through and allows nothing.
fn origins_are_allowed(route: &Route, reports: &mut Vec<Diagnostic>) {
    let Some(cors) = route.options.shared.cors.as_ref() else { return };
    // An origin that could not be read is one that is meant.
    if route.kind == RouteKind::Http && !route.incomplete && cors.body.origins.is_empty() {
        reports.push(
            Diagnostic::new(Code::NO_ORIGIN, cors.span, "`cors` allows no origin")
                .consequence("browsers block all requests from other origins")
                .help(
                    "add the origins, for example `origin is \"https://app.example.com\"`, or remove `cors`",
                ),
        );
    }
}

/// Where any origin may send credentials, every website acts as whoever is logged in.
fn credentials_are_of_known_origins(route: &Route, reports: &mut Vec<Diagnostic>) {
    let Some(cors) = route.options.shared.cors.as_ref() else { return };
    if !cors.body.credentials.is_some_and(|switch| switch.value.is_on()) {
        return;
    }
    let is_any = |test: &TextMatch| match test {
        TextMatch::Exact(text) => text == "*",
        TextMatch::Prefix(text) => "https://".starts_with(text.as_str()),
        TextMatch::Pattern(pattern) => matches!(pattern.as_str(), ".*" | ".+"),
    };
    let Some(origin) = cors.body.origins.iter().find(|origin| is_any(&origin.test)) else { return };
    let message = "every website may send requests with the credentials of its visitors";
    let mut report = Diagnostic::new(Code::ANY_SITE_WITH_CREDENTIALS, origin.span, message)
        .consequence("a browser sends the cookies of whoever is logged in, and the page reads the response");
    if let Some(credentials) = cors.body.credentials {
        report = report.related(credentials.span, "credentials are allowed here");
    }
    reports.push(report.help(
        "name the origins, for example `origin is \"https://app.example.com\"`, or remove `credentials on`",
    ));
}

/// Headers that scripts give to a request, which a preflight only names. All others may be there: browsers and proxies in front add
/// more than can be listed.
const OF_SCRIPTS: [&str; 7] =
    ["authorization", "content-length", "content-type", "cookie", "if-match", "if-none-match", "range"];

/// Names of headers that proxies in front of this one add.
const OF_PROXIES: [&str; 5] = ["x-b3-", "x-envoy-", "x-forwarded-", "x-real-ip", "x-request-id"];

/// Whether a preflight may have this header: not one of the requests that it asks for, be it known or the author's own (`x-...`).
fn may_be_in_preflights(name: &HeaderName) -> bool {
    let name = name.as_str();
    let of_author = name.starts_with("x-") && !OF_PROXIES.iter().any(|start| name.starts_with(start));
    !of_author && !OF_SCRIPTS.contains(&name)
}

fn takes_preflights(one: &Match) -> bool {
    let is_missing = |name: &MatchHeaderName| match name {
        MatchHeaderName::Claim(_) => true,
        MatchHeaderName::Header(name) => !may_be_in_preflights(name),
    };
    let asks = |(name, test): &(MatchHeaderName, HeaderTest)| match test {
        HeaderTest::Present | HeaderTest::Text(_) => is_missing(name),
    };
    (one.methods.is_empty() || one.methods.iter().any(|method| method == "OPTIONS"))
        && !one.headers.iter().any(asks)
}

/// A host that is hidden from the pods of its gateway is not served there.
fn is_seen_by_gateways(context: &Context<'_>, host: &Resource<Host>, reports: &mut Vec<Diagnostic>) {
    let Some(visibility) = &host.declared.body.visibility else { return };
    for binding in &host.declared.via {
        let BindingKind::Gateway(id) = binding.kind else { continue };
        let Some(gateway) = context.model.mesh.gateways.get(id) else { continue };
        let pods = gateway.pods_namespace();
        if is_seen(pods, Some(visibility), host.namespace_name()) {
            continue;
        }
        let name = &gateway.name.value;
        let said =
            gateway.declared.body.workload.as_ref().is_some_and(|workload| workload.namespace.is_some());
        let namespace = pods.unwrap_or("default");
        let mut report = Diagnostic::new(
            Code::HIDDEN_FROM_GATEWAY,
            visibility.span,
            format!("this hides the host from gateway `{name}`, whose pods are in namespace `{namespace}`"),
        )
        .related(binding.span, "bound to it here")
        .related(gateway.name.span, "the gateway")
        .consequence("Istio would not give the gateway these routes: 404");
        report = if said {
            report.help(format!("add `{namespace}` to `visible`, or remove the binding"))
        } else {
            // Where the pods are is guessed.
            report.severity = Severity::Warning;
            report.help(format!(
                "add `{namespace}` to `visible`, or say where the pods are: `workload ... in NAMESPACE` in the gateway"
            ))
        };
        reports.push(report);
    }
}

/// A raw proxy is not chosen by labels: it is where its own configuration is.
fn pods_are_of_istio(gateway: &Resource<Gateway>, reports: &mut Vec<Diagnostic>) {
    let namespace = gateway.declared.body.workload.as_ref().and_then(|workload| workload.namespace.as_ref());
    let Some(namespace) = namespace.filter(|_| gateway.controller() != Controller::Istio) else { return };
    let message =
        format!("`in {}` has no effect on a gateway of {}", namespace.value.as_str(), gateway.controller());
    reports.push(
        Diagnostic::new(Code::PODS_NAMESPACE, namespace.span, message)
            .consequence("its proxy runs in the namespace of the file")
            .help("declare the gateway in a file of that namespace, and remove `in`"),
    );
}
