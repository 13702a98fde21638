//! Statements of externals that only Istio has a use for.

use super::fit::also_here;
use meshc_compiler::model::{
    Controller, DestinationId, Endpoint, EndpointBody, External, ExternalBody, Location, Model,
};
use meshc_compiler::routing::Proxy;
use meshc_language::{Code, Diagnostic, Span};
use rustc_hash::FxHashSet;
use std::sync::Arc;

/// What has no effect, in the order in which it is reported.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Idle {
    Location,
    Names,
    ServiceAccount,
    Workload,
    Network,
    Locality,
}

/// One note for each kind of statement that has no effect on what these proxies call.
pub(super) fn notes(model: &Model, proxies: &[Arc<Proxy>], controller: Controller) -> Vec<Diagnostic> {
    let upstreams = || proxies.iter().flat_map(|proxy| proxy.upstreams.as_slice());
    let called: FxHashSet<DestinationId> = upstreams().map(|upstream| upstream.target).collect();
    let verifies = |upstream: &&meshc_compiler::routing::Upstream| {
        upstream.policy.tls.as_deref().is_some_and(|tls| tls.verifies_itself())
    };
    let verified: FxHashSet<DestinationId> =
        upstreams().filter(verifies).map(|upstream| upstream.target).collect();
    let mut found: Vec<(Idle, Span)> = Vec::new();
    for (id, external) in model.mesh.externals.iter() {
        let target = DestinationId::External(id);
        if called.contains(&target) {
            of_external(&external.declared, verified.contains(&target), &mut found);
        }
    }
    found.sort_by_key(|(idle, _)| *idle);
    found.chunk_by(|left, right| left.0 == right.0).filter_map(|one| note(one, controller)).collect()
}

fn of_external(external: &External, is_verified: bool, found: &mut Vec<(Idle, Span)>) {
    let External { name: _, body, via: _, span: _, attributes: _ } = external;
    let ExternalBody {
        hosts: _,
        addresses: _,
        ports: _,
        resolution: _,
        endpoints,
        workload,
        location,
        names,
        subsets: _,
        visibility: _,
        traffic: _,
    } = body;
    let internal = location.filter(|location| location.value == Location::Internal);
    found.extend(internal.map(|location| (Idle::Location, location.span)));
    let names = names.iter().flatten().filter(|_| !is_verified);
    found.extend(names.take(1).map(|name| (Idle::Names, name.span)));
    let labels = workload.iter().flat_map(|labels| labels.iter());
    found.extend(labels.take(1).map(|label| (Idle::Workload, label.span)));
    for Endpoint { address: _, body, span: _, attributes: _ } in endpoints {
        let EndpointBody { ports: _, labels: _, network, locality, weight: _, service_account } = body;
        let account = service_account.as_ref().filter(|_| !is_verified);
        found.extend(account.map(|account| (Idle::ServiceAccount, account.span)));
        found.extend(network.as_ref().map(|network| (Idle::Network, network.span)));
        found.extend(locality.as_ref().map(|locality| (Idle::Locality, locality.span)));
    }
}

fn note(places: &[(Idle, Span)], controller: Controller) -> Option<Diagnostic> {
    let ((idle, first), others) = places.split_first()?;
    let (what, consequence) = match idle {
        Idle::Location => (
            "`location internal`",
            "mutual TLS of the mesh is Istio's; on this target only `tls` secures connections".to_owned(),
        ),
        Idle::Names => {
            ("`names` without `tls`", "the server shows no certificate, so none is verified".to_owned())
        }
        Idle::ServiceAccount => (
            "`service-account` without `tls`",
            "the server shows no certificate, so none is verified".to_owned(),
        ),
        Idle::Workload => (
            "`workload` of an external",
            format!("{controller} finds endpoints by `bindings`, not by labels"),
        ),
        Idle::Network => (
            "`network`",
            format!("{controller} connects to the endpoint itself, not to a gateway of its network"),
        ),
        Idle::Locality => {
            ("`locality`", format!("{controller} has no locality preference: all endpoints get their weight"))
        }
    };
    let mut note =
        Diagnostic::new(Code::WITHOUT_EFFECT, *first, format!("{what} has no effect on {controller}"))
            .consequence(consequence);
    let others: Vec<Span> = others.iter().map(|(_, other)| *other).collect();
    note = also_here(note, &others);
    let place = if others.is_empty() { "the external" } else { "each of these externals" };
    Some(note.help(format!("to accept this, put `@allow(MESH0511, because: \"...\")` before {place}")))
}
