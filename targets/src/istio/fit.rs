//! What a checked model may still ask of Istio that it cannot do: one name for two resources, a name that is too long.

use super::connections;
use super::document::Writer;
use super::layout::{HostId, Joined};
use super::plan::{Planned, is_carried, plan};
use crate::raw_proxy::refused_method;
use crate::target::Options;
use meshc_compiler::Checked;
use meshc_compiler::model::{Controller, Gateway, Host, Model, Route, RouteKind};
use meshc_compiler::values::{Literal, ResourceName};
use meshc_language::{Code, Diagnostic, Severity};
use rustc_hash::FxHashMap;
use smol_str::SmolStr;

/// Gateways that another program implements are not part of the output: said, not dropped in silence.
pub(super) fn gateways(checked: &Checked) -> impl Iterator<Item = Diagnostic> {
    checked.model().mesh.gateways.as_slice().iter().filter_map(|gateway| {
        let controller =
            gateway.body.controller.filter(|controller| controller.value != Controller::Istio)?;
        let message = format!("gateway `{}` is not part of the output for Istio", gateway.name.value);
        let mut report = Diagnostic::new(Code::UNSUPPORTED, controller.span, message)
            .label(format!("its controller is {}", controller.value))
            .consequence("hosts bound only to it are not part of this output either")
            .help("build the target of its controller beside this one");
        report.severity = Severity::Warning;
        Some(report)
    })
}

/// Kubernetes keeps one resource of a kind under a name: of two, the one that is applied later would stay.
pub(super) fn names(checked: &Checked, options: &Options<'_>) -> Vec<Diagnostic> {
    let writer = Writer::new(checked.model(), options);
    let mut taken: FxHashMap<(&str, Option<&str>, SmolStr), Planned> = FxHashMap::default();
    let mut reports = Vec::new();
    for planned in plan(checked.model(), writer.layout()) {
        let (name, kind) = (writer.name(planned), planned.kind());
        let Some(span) = writer.span(planned) else { continue };
        if let Err(error) = ResourceName::parse(&name) {
            let report = Diagnostic::new(
                Code::BAD_LITERAL,
                span,
                format!("its {kind} cannot be named `{name}`: {error}"),
            );
            reports.push(report.help("give it a `name`"));
        }
        let key = (kind, writer.namespace(planned), name.clone());
        let Some(earlier) = taken.get(&key).copied() else {
            taken.insert(key, planned);
            continue;
        };
        // An external without policies has no rule, so its name is free.
        if writer.typed(planned).is_none() || writer.typed(earlier).is_none() {
            continue;
        }
        let mut report = Diagnostic::new(
            Code::RESOURCE_NAME_CLASH,
            span,
            format!("two resources of kind {kind} would be named `{name}`"),
        )
        .consequence("the one that is applied later would replace the other")
        .help("give one of the host blocks a `name`, or rename an item");
        if let Some(earlier) = writer.span(earlier) {
            report = report.related(earlier, "the other one");
        }
        reports.push(report);
    }
    reports
}

/// What Istio would make of routes that the sources do not say.
pub(super) fn routes(checked: &Checked, options: &Options<'_>) -> Vec<Diagnostic> {
    let model = checked.model();
    let writer = Writer::new(model, options);
    let mut reports = writer.folded().reports.clone();
    let mut told: Vec<(Option<HostId>, HostId)> = Vec::new();
    for fault in &writer.layout().joined {
        // One report for two blocks, whatever names they share.
        if !told.contains(&(fault.owner, fault.other)) {
            told.push((fault.owner, fault.other));
            reports.extend(joined(model, fault));
        }
    }
    for host in model.hosts.as_slice().iter().filter(|host| is_carried(model, host)) {
        reports.extend(host.routes.iter().filter_map(refused));
        for kind in [RouteKind::Tls, RouteKind::Tcp] {
            if host.routes.iter().any(|route| route.kind == kind) {
                reports.extend(out_of_order(model, &host.declared, kind));
            }
        }
    }
    for (gateway, host) in writer.layout().idle() {
        let names = model.mesh.gateways.get(gateway).zip(model.hosts.get(host));
        reports.extend(names.map(|(gateway, host)| idle(gateway, host)));
    }
    reports
}

fn joined(model: &Model, fault: &Joined) -> Option<Diagnostic> {
    let Joined { gateway, name, owner, other } = fault;
    let gateway = model.mesh.gateways.get(*gateway)?;
    let other = model.hosts.get(*other)?;
    let message =
        format!("at gateway `{}`, `{name}` would also get the routes of this host block", gateway.name.value);
    let report = Diagnostic::new(Code::ROUTES_JOINED, other.span, message)
        .related(gateway.name.span, "the gateway")
        .consequence(
            "Istio intersects the names of a block with those of each listener, and puts all routes of a name into one list, the \
             oldest first",
        );
    let report = match owner.and_then(|owner| model.hosts.get(owner)) {
        Some(owner) => report.related(owner.span, "this block has the name"),
        None => report,
    };
    Some(report.help(format!(
        "serve `{name}` in one listener only, or bind the two blocks to gateways of their own"
    )))
}

fn idle(gateway: &Gateway, host: &Host) -> Diagnostic {
    let message = format!("gateway `{}` sends no requests to this host block", gateway.name.value);
    Diagnostic::new(Code::BLOCK_WITHOUT_REQUESTS, host.span, message)
        .related(gateway.name.span, "the gateway")
        .consequence("more specific blocks own all shared names; these routes are not part of this gateway")
        .help("add a name to a listener of the gateway that no other block has, or remove the binding")
}

/// The first alternative of a route that asks for a method which Envoy does not read.
fn refused(route: &Route) -> Option<Diagnostic> {
    let span = route.condition.filter(|_| route.kind == RouteKind::Http)?;
    route.matches.iter().find_map(|one| refused_method(Controller::Istio, one, span))
}

/// Rules for connections of which Istio would take the later one.
fn out_of_order(model: &Model, host: &Host, kind: RouteKind) -> Vec<Diagnostic> {
    let places = connections::ordered(model, host, kind).out_of_order;
    let routes = places
        .into_iter()
        .filter_map(|(first, second)| Some((host.routes.get(first)?, host.routes.get(second)?)));
    let report = |(first, second): (&Route, &Route)| {
        let message = format!(
            "Istio would use `{}` for connections that `{}` matches first",
            second.name.value, first.name.value
        );
        Diagnostic::new(Code::ORDER_LOST, second.condition.unwrap_or(second.name.span), message)
            .related(first.condition.unwrap_or(first.name.span), "this comes first and matches them too")
            .consequence("Istio takes the most specific range of addresses, then the most specific server name, in whatever order")
            .help(format!("move `{}` before `{}`, or match names and addresses that do not overlap", second.name.value, first.name.value))
    };
    routes.map(report).collect()
}
