//! Hosts without a policy, for which that of a wildcard holds.

use crate::checks::Context;
use crate::checks::services::{Called, called};
use crate::model::{DestinationId, External, Resource, Wildcards};
use crate::values::{HostPattern, Literal};
use meshc_language::{Code, Diagnostic};

/// Istio applies the DestinationRule of the most specific host that covers a destination, which may be a wildcard.
pub(super) fn policies_of_wildcards_are_seen(context: &Context<'_>, reports: &mut Vec<Diagnostic>) {
    let mesh = &context.model.mesh;
    let wildcards = Wildcards::new(mesh);
    for called in called(context).filter(|called| !mesh.says_how_it_is_called(called.target)) {
        let taken = hosts(context, &called).into_iter().find_map(|host| {
            let id = *wildcards.policies(called.namespace, &host).first()?;
            Some((host, mesh.externals.get(id)?))
        });
        if let Some((host, external)) = taken {
            reports.push(taken_over(&called, &host, external));
        }
    }
}

fn hosts(context: &Context<'_>, called: &Called<'_>) -> Vec<HostPattern> {
    let mesh = &context.model.mesh;
    match called.target {
        DestinationId::Service(id) => {
            let host = mesh.services.get(id).map(|service| mesh.service_host(service));
            host.and_then(|host| HostPattern::parse(&host).ok()).into_iter().collect()
        }
        DestinationId::External(id) => {
            let hosts = mesh.externals.get(id).and_then(|external| external.body.hosts.as_ref());
            hosts.into_iter().flat_map(|hosts| hosts.iter()).map(|host| host.value.clone()).collect()
        }
    }
}

fn taken_over(called: &Called<'_>, host: &HostPattern, external: &Resource<External>) -> Diagnostic {
    let name = &external.name.value;
    let message = format!("`{host}` uses the policy of the wildcard external `{name}`");
    Diagnostic::new(Code::WILDCARD_POLICY, called.name_span, message)
        .related(external.name.span, "its policy applies to every host that it covers")
        .consequence(
            "its TLS, pool and load balancing also apply to this host, which has no policy of its own",
        )
        .help(format!(
            "to change that, add a statement to {} `{}`, such as `lb round-robin`",
            called.what, called.name
        ))
}
