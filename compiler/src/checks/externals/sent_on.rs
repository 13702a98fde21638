//! Routes to externals that leave through a gateway: the gateway has to know the host that they arrive with.

use super::steps::{Step, steps, unknown_host};
use crate::checks::Context;
use crate::checks::gateways::as_warning;
use crate::model::{Action, Destination, DestinationId, External, Gateway, Resource, WeightedDestination};
use meshc_language::{Code, Diagnostic};

/// What is sent on to a gateway arrives there with a host that it serves.
pub(super) fn hosts_are_known_to_the_gateway(context: &Context<'_>, reports: &mut Vec<Diagnostic>) {
    if !context.model.mesh.externals.iter().any(|(_, external)| external.egress.is_some()) {
        return;
    }
    for step in steps(context) {
        let Action::Forward(destinations) = &step.route.action else { continue };
        for one in destinations {
            let Some(through) = leaves_through(context, &one.destination) else { continue };
            let Some(callers) = callers(context, step, through) else { continue };
            reports.extend(match unknown_host(step, one, through.0) {
                Some(host) => Some(arrives_unknown(one, through, host, callers.pass_by)),
                None => callers.pass_by.then(|| passed_by(one, through, &callers)),
            });
        }
    }
}

/// Who takes a route to an external and is not at its gateway yet.
struct Callers<'m> {
    /// One of the gateways; `None` for sidecars.
    gateway: Option<&'m str>,
    /// Whether they call the external themselves: a route has the same destinations for all callers.
    pass_by: bool,
}

fn callers<'m>(
    context: &Context<'m>,
    step: Step<'m>,
    (external, through): (&Resource<External>, &'m Resource<Gateway>),
) -> Option<Callers<'m>> {
    let mesh = &context.model.mesh;
    let gateway = if step.is_of_the_mesh() {
        None
    } else {
        let mut before = mesh.gateways_before(step.host, through);
        let (_, gateway) = before.find(|(id, _)| step.is_taken_at(*id))?;
        Some(gateway.name.value.as_str())
    };
    Some(Callers { gateway, pass_by: !mesh.is_on_the_way(step.owner, step.route, external.egress?) })
}

fn leaves_through<'m>(
    context: &Context<'m>,
    destination: &Destination,
) -> Option<(&'m Resource<External>, &'m Resource<Gateway>)> {
    let DestinationId::External(id) = destination.target else { return None };
    let external = context.model.mesh.externals.get(id)?;
    Some((external, context.model.mesh.gateways.get(external.egress?)?))
}

fn arrives_unknown(
    one: &WeightedDestination,
    (external, gateway): (&Resource<External>, &Resource<Gateway>),
    host: &str,
    passes_by: bool,
) -> Diagnostic {
    let name = &gateway.name.value;
    let message =
        format!("requests would reach gateway `{name}` with host `{host}`, which it does not serve");
    let via = external.body.via.as_ref().map_or(external.name.span, |via| via.span);
    let report = Diagnostic::new(Code::BAD_EGRESS, one.destination.span, message)
        .related(via, "the external is called through the gateway, which serves the external's own hosts")
        .consequence(if passes_by {
            "the gateway would answer 404; Istio's proxies would bypass it and leave the mesh directly"
        } else {
            "the gateway would answer 404"
        });
    let own = one.destination.host.as_deref();
    let first = external.body.hosts.as_ref().and_then(|hosts| hosts.first()).map(|host| host.value.as_str());
    as_warning(match own.or(first) {
        Some(own) => report.help(format!(
            "let clients use `{own}` itself, for which `via` makes all routes, or add `rewrite host {own}` here"
        )),
        None => report.help("let clients use the external's own host, for which `via` makes all routes"),
    })
}

fn passed_by(
    one: &WeightedDestination,
    (external, gateway): (&Resource<External>, &Resource<Gateway>),
    callers: &Callers<'_>,
) -> Diagnostic {
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
    let message = format!("{who} would call `{}` directly, bypassing gateway `{name}`", external.name.value);
    let via = external.body.via.as_ref().map_or(external.name.span, |via| via.span);
    as_warning(
        Diagnostic::new(Code::BAD_EGRESS, one.destination.span, message)
            .related(via, "traffic of the mesh to the external must leave through this gateway")
            .consequence("these requests would bypass the gateway: its access log has no entry, and a firewall that allows only the gateway blocks them")
            .help(help),
    )
}
