//! Routes to externals that leave through a gateway: the gateway has to know the host that they arrive with.

use super::steps::{Step, Way, steps, unknown_host};
use crate::checks::Context;
use crate::checks::gateways::as_warning;
use crate::model::{Controller, DestinationId, External, Gateway, Resource};
use meshc_language::{Code, Diagnostic};
use rustc_hash::FxHashSet;

/// What is sent on to a gateway arrives there with a host that it serves.
pub(super) fn hosts_are_known_to_the_gateway(context: &Context<'_>, reports: &mut Vec<Diagnostic>) {
    if !context.model.mesh.externals.iter().any(|(_, external)| external.egress().is_some()) {
        return;
    }
    for step in steps(context) {
        // A copy is made of the requests to each destination, and is one place.
        let mut told = FxHashSet::default();
        for way in step.ways() {
            let Some(through) = leaves_through(context, way) else { continue };
            let Some(callers) = callers(context, step, through) else { continue };
            let report = match unknown_host(step, way, through.0) {
                Some(host) => Some(arrives_unknown(way, through, host, callers.pass_by)),
                None => callers.pass_by.then(|| passed_by(way, through, &callers)),
            };
            reports.extend(report.filter(|report| told.insert(report.span)));
        }
    }
}

/// Whether what a step sends to an external comes to the gateway that it leaves through, by the route.
pub(in crate::checks) fn is_sent_on(context: &Context<'_>, step: Step<'_>, way: Way<'_>) -> bool {
    leaves_through(context, way).is_some_and(|through| callers(context, step, through).is_some())
}

/// Who takes a route to an external and is not at its gateway yet.
struct Callers<'m> {
    /// One of the gateways; `None` for sidecars.
    gateway: Option<&'m str>,
    /// Whether they call the external themselves: in Istio a route has the same destinations for all callers.
    pass_by: bool,
}

/// An external, and the gateway that it leaves through.
type Through<'m> = (&'m Resource<External>, &'m Resource<Gateway>);

fn callers<'m>(
    context: &Context<'m>,
    step: Step<'m>,
    (external, through): Through<'m>,
) -> Option<Callers<'m>> {
    let mesh = &context.model.mesh;
    let pass_by = !mesh.is_on_the_way(step.owner, step.route, external.egress()?);
    if step.is_of_the_mesh() {
        return Some(Callers { gateway: None, pass_by });
    }
    let before = mesh.gateways_before(step.host, through).filter(|(id, _)| step.is_taken_at(*id));
    let before: Vec<&Resource<Gateway>> = before.map(|(_, gateway)| gateway).collect();
    let of_istio = before.iter().find(|gateway| gateway.controller() == Controller::Istio);
    let gateway = Some(of_istio.or(before.first())?.name.value.as_str());
    // The configuration of a bare proxy is its own.
    Some(Callers { gateway, pass_by: pass_by && of_istio.is_some() })
}

fn leaves_through<'m>(context: &Context<'m>, way: Way<'_>) -> Option<Through<'m>> {
    let DestinationId::External(id) = way.destination.target else { return None };
    let external = context.model.mesh.externals.get(id)?;
    Some((external, context.model.mesh.gateways.get(external.egress()?)?))
}

fn arrives_unknown(
    way: Way<'_>,
    (external, gateway): Through<'_>,
    host: &str,
    passes_by: bool,
) -> Diagnostic {
    let name = &gateway.name.value;
    let (what, every) = if way.is_copy { ("mirrored requests", "every copy") } else { ("requests", "them") };
    let message = format!("{what} would reach gateway `{name}` with host `{host}`, which it does not serve");
    let via = external.via.map_or(external.name.span, |via| via.span);
    let mut consequence = format!("the gateway would answer {every} with 404");
    if passes_by {
        consequence.push_str("; Istio's proxies would bypass it and leave the mesh directly");
    }
    let report = Diagnostic::new(Code::BAD_EGRESS, way.destination.span, message)
        .related(via, "the external is called through the gateway, which serves the external's own hosts")
        .consequence(consequence);
    let own = way.destination.host.as_deref();
    let first = external.body.hosts.as_ref().and_then(|hosts| hosts.first()).map(|host| host.value.as_str());
    as_warning(match own.or(first).filter(|own| !own.starts_with('*')) {
        Some(own) if way.is_copy => report.help(format!(
            "a copy has the host of its request: mirror to an external without `via`, or add `rewrite host {own}` here if the \
             destinations of the route take that host too"
        )),
        Some(own) => report.help(format!(
            "let clients use `{own}` itself, for which `via` makes all routes, or add `rewrite host {own}` here"
        )),
        None => report.help("let clients use the external's own host, for which `via` makes all routes"),
    })
}

fn passed_by(way: Way<'_>, (external, gateway): Through<'_>, callers: &Callers<'_>) -> Diagnostic {
    let name = &gateway.name.value;
    let (who, help) = match callers.gateway {
        None => (
            "Istio's sidecars".to_owned(),
            "add a separate route for clients in the mesh, in a host block without gateways or with `when gateway mesh`".to_owned(),
        ),
        Some(edge) => (
            format!("gateway `{edge}`"),
            format!("add a separate route for it with `when gateway {edge}`, to a host block that is no delegate"),
        ),
    };
    let call = if way.is_copy { "mirror to" } else { "call" };
    let message =
        format!("{who} would {call} `{}` directly, bypassing gateway `{name}`", external.name.value);
    let via = external.via.map_or(external.name.span, |via| via.span);
    as_warning(
        Diagnostic::new(Code::BAD_EGRESS, way.destination.span, message)
            .related(via, "traffic of the mesh to the external must leave through this gateway")
            .consequence("these requests would bypass the gateway: its access log has no entry, and a firewall that allows only the gateway blocks them")
            .help(help),
    )
}
