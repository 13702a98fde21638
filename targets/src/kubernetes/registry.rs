//! What is called what in a cluster: Kubernetes keeps one resource of a kind under a name, so a second one with another meaning would
//! take its place.
//!
//! ```text
//! services of the sources, deployed proxies, headless Services -> (kind, namespace, name) -> the first that has it | a report
//! ```

use super::name;
use meshc_compiler::Model;
use meshc_compiler::model::{
    DEFAULT_NAMESPACE, DestinationId, FrontService, Gateway, Headless, Id, Resource, Service,
};
use meshc_compiler::routing::{Proxy, Role};
use meshc_language::{Code, Diagnostic, Span};
use rustc_hash::{FxHashMap, FxHashSet};
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a resource is for: two that are equal are one.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Meaning {
    /// A service of the sources.
    Declared(Id<Resource<Service>>),
    /// A proxy of this position.
    Proxy(usize),
    /// Pods with these labels.
    Pods(BTreeMap<SmolStr, SmolStr>),
}

/// A resource, and where the sources speak of it.
struct Claim {
    meaning: Meaning,
    span: Option<Span>,
}

/// Who has which name.
#[derive(Default)]
struct Registry {
    taken: FxHashMap<(&'static str, SmolStr, SmolStr), Claim>,
    /// Items of which a report has been made: a proxy becomes several resources of one name.
    told: FxHashSet<Span>,
    reports: Vec<Diagnostic>,
}

impl Registry {
    fn claim(&mut self, kind: &'static str, namespace: &str, name: &str, claim: Claim) {
        let key = (kind, SmolStr::new(namespace), SmolStr::new(name));
        match self.taken.get(&key) {
            None => _ = self.taken.insert(key, claim),
            Some(known) if known.meaning == claim.meaning => {}
            Some(known) => {
                let report = clash(kind, name, known, &claim);
                let place = claim.span.or(known.span);
                self.reports.extend(report.filter(|_| place.is_some_and(|place| self.told.insert(place))));
            }
        }
    }
}

/// Reports resources that would take the place of others.
pub(crate) fn clashes(model: &Model, proxies: &[Arc<Proxy>]) -> Vec<Diagnostic> {
    let mut registry = Registry::default();
    for (id, service) in model.mesh.services.iter() {
        let (namespace, name) = model.home(DestinationId::Service(id));
        let claim = Claim { meaning: Meaning::Declared(id), span: Some(service.name.span) };
        // Of two that the sources declare for one Service, routing knows.
        registry.taken.entry(("Service", SmolStr::new(namespace), SmolStr::new(name))).or_insert(claim);
    }
    if model.deploy().is_some() {
        for (at, proxy) in proxies.iter().enumerate() {
            deployed(model, proxy, at, &mut registry);
        }
    }
    for upstream in proxies.iter().flat_map(|proxy| proxy.upstreams.as_slice()) {
        let port = upstream.port.number.value.get();
        let found = model.headless(upstream.target, port, upstream.subset.as_deref());
        let Some(Headless { namespace, name, selector, is_guessed: _ }) = found else { continue };
        let claim = Claim { meaning: Meaning::Pods(selector), span: model.mesh.name_span(upstream.target) };
        registry.claim("Service", &namespace, &name, claim);
    }
    registry.reports
}

fn deployed(model: &Model, proxy: &Proxy, at: usize, registry: &mut Registry) {
    let gateway: Option<&Resource<Gateway>> = match proxy.role {
        Role::Gateway(id) => model.mesh.gateways.get(id),
        Role::Outbound => None,
    };
    let name = name::of_proxy(model, proxy);
    let namespace = proxy.namespace.as_deref().unwrap_or(DEFAULT_NAMESPACE);
    let span = gateway.map(|gateway| gateway.name.span);
    for kind in ["ConfigMap", "Deployment"] {
        registry.claim(kind, namespace, &name, Claim { meaning: Meaning::Proxy(at), span });
    }
    // The service before a gateway's pods is what is deployed.
    let meaning = match gateway.and_then(|gateway| gateway.front()) {
        Some(FrontService::Declared(id))
            if model.home(DestinationId::Service(*id)) == (namespace, &*name) =>
        {
            Meaning::Declared(*id)
        }
        Some(FrontService::Declared(_) | FrontService::Outside(_)) | None => Meaning::Proxy(at),
    };
    registry.claim("Service", namespace, &name, Claim { meaning, span });
}

fn clash(kind: &str, name: &str, known: &Claim, new: &Claim) -> Option<Diagnostic> {
    let place = new.span.or(known.span)?;
    let of_gateway = matches!((&known.meaning, &new.meaning), (Meaning::Declared(_), Meaning::Proxy(_)));
    let message = if of_gateway {
        format!("the {kind} of gateway `{name}` would replace the service `{name}`")
    } else {
        format!("two resources of kind {kind} would be named `{name}`")
    };
    let report = Diagnostic::new(Code::RESOURCE_NAME_CLASH, place, message);
    let report = match known.span.filter(|span| *span != place) {
        Some(span) => report.related(span, if of_gateway { "the service" } else { "the other one" }),
        None => report,
    };
    Some(if of_gateway {
        report.consequence("`kubectl apply` would send its clients to the gateway's pods").help(format!(
            "rename the gateway, for example `gateway {name}-edge`; if the service is the one before the gateway's pods, write \
             `service {name}` in the gateway"
        ))
    } else {
        report
            .consequence("the one that is applied later would replace the other")
            .help("rename one of the items, or move it to another namespace")
    })
}
