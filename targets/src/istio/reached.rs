//! What Istio's proxies find where a route leads: the policy of a destination, and its endpoints.
//!
//! A proxy looks for the DestinationRule of a host in its own namespace, then in that of the service (istiod,
//! `PushContext.destinationRule`). A gateway has no original address of a connection to go on to: of a service that is called at
//! that address it finds no endpoint (istiod, `buildDefaultCluster`).

use super::asked::{Delegators, sidecars_take};
use meshc_compiler::model::{
    Controller, Destination, DestinationId, Gateway, Host, Id, MatchBinding, Mesh, Model, Resolution,
    Resource, Route, Service, Visible,
};
use meshc_compiler::policy::{Method, SimpleBalancing};
use meshc_compiler::routing::{effective_policy, is_seen};
use meshc_language::{Code, Diagnostic, Severity};

/// Where Istio keeps what holds in every namespace, unless the mesh is told otherwise (`rootNamespace`).
const ROOT_NAMESPACE: &str = "istio-system";

/// Everything of a model that its proxies would not find.
pub(super) fn check(model: &Model, delegators: &Delegators<'_>) -> Vec<Diagnostic> {
    let mut reports = Vec::new();
    for (id, host) in model.hosts.iter() {
        for route in &host.routes {
            let callers = Callers::of(model, delegators, id, host, route);
            for destination in route.destinations() {
                let mut mirrors = route.options.mirrors.iter();
                let is_copy = mirrors.any(|mirror| std::ptr::eq(&mirror.destination, destination));
                reports.extend(without_policy(&model.mesh, &callers, destination));
                reports.extend(without_endpoints(&model.mesh, &callers, destination, is_copy));
            }
        }
    }
    reports
}

/// Which proxies of Istio take a route.
#[derive(Default)]
struct Callers<'m> {
    gateways: Vec<&'m Resource<Gateway>>,
    /// Blocks whose routes sidecars use.
    blocks: Vec<&'m Resource<Host>>,
}

impl<'m> Callers<'m> {
    fn of(
        model: &'m Model,
        delegators: &Delegators<'_>,
        id: Id<Resource<Host>>,
        host: &'m Resource<Host>,
        route: &Route,
    ) -> Self {
        let mut callers = Self::default();
        if !host.is_delegate() {
            callers.add(model, host, &[route]);
            return callers;
        }
        for (parent, _, root) in delegators.get(&id).into_iter().flatten() {
            if let Some(parent) = model.hosts.get(*parent) {
                callers.add(model, parent, &[root, route]);
            }
        }
        callers
    }

    /// Those of a block that take all of the routes.
    fn add(&mut self, model: &'m Model, host: &'m Resource<Host>, routes: &[&Route]) {
        for (id, _) in host.gateways() {
            let Some(gateway) = model.mesh.gateways.get(id) else { continue };
            let taken = routes.iter().all(|route| is_taken_at(route, id));
            if taken && gateway.controller() == Controller::Istio {
                self.gateways.push(gateway);
            }
        }
        if host.in_mesh() && routes.iter().all(|route| sidecars_take(route)) {
            self.blocks.push(host);
        }
    }

    /// The namespaces that are known to have such proxies.
    fn namespaces(&self) -> impl Iterator<Item = &'m str> {
        let gateways = self.gateways.iter().filter_map(|gateway| gateway.pods_namespace());
        gateways.chain(self.blocks.iter().filter_map(|host| host.namespace_name()))
    }
}

/// Whether some alternative of a route can hold at a gateway.
fn is_taken_at(route: &Route, gateway: Id<Resource<Gateway>>) -> bool {
    let here =
        |bindings: &[MatchBinding]| bindings.is_empty() || bindings.contains(&MatchBinding::Gateway(gateway));
    route.matches.is_empty() || route.matches.iter().any(|one| here(&one.bindings))
}

/// A service whose DestinationRule some proxies of a route do not find.
fn without_policy(mesh: &Mesh, callers: &Callers<'_>, destination: &Destination) -> Option<Diagnostic> {
    let DestinationId::Service(id) = destination.target else { return None };
    let service = mesh.services.get(id).filter(|_| mesh.says_how_it_is_called(destination.target))?;
    let home = service.namespace_name()?;
    let of_host = host_namespace(mesh, service)?;
    let is_everywhere = home == of_host || home == ROOT_NAMESPACE;
    let visibility = service.body.visibility.as_ref();
    let finds =
        |caller: &str| caller == home || (is_everywhere && is_seen(Some(caller), visibility, Some(home)));
    let blind = callers.namespaces().find(|caller| !finds(caller));
    let subset = destination.subset.as_ref().map(|subset| subset.value.as_str());
    if is_everywhere {
        // That a subset is hidden by `visible` is a fault on every target.
        let (caller, visibility) = blind.filter(|_| subset.is_none()).zip(visibility)?;
        let report = not_found(destination, service, caller, subset);
        return Some(
            report
                .related(visibility.span, "its visibility")
                .consequence(NO_POLICY)
                .help("add that namespace to its `visible`"),
        );
    }
    let exported = |host: &&&Resource<Host>| {
        let visible = host.declared.body.visibility.as_ref().map(|visibility| &visibility.to);
        visible.is_none_or(|to| to.contains(&Visible::Everywhere))
    };
    let report = match blind {
        Some(caller) => not_found(destination, service, caller, subset),
        // Clients elsewhere use the block too, whoever they are.
        None => {
            callers.blocks.iter().find(exported)?;
            let subset = subset?;
            let name = &service.name.value;
            let message = format!("clients outside namespace `{home}` find no subset `{subset}` of `{name}`");
            warning(Diagnostic::new(Code::POLICY_NOT_FOUND, destination.span, message))
        }
    };
    let host = mesh.service_host(service);
    let consequence = match subset {
        Some(_) => {
            "Istio looks for a DestinationRule in the namespaces of the client and of the host: these requests get 503"
        }
        None => NO_POLICY,
    };
    Some(
        report
            .related(
                service.name.span,
                format!("its DestinationRule is in namespace `{home}`, its host `{host}` in `{of_host}`"),
            )
            .consequence(consequence)
            .help(format!("declare the service in a file with `namespace {of_host}`")),
    )
}

const NO_POLICY: &str = "Istio looks for a DestinationRule in the namespaces of the client and of the host, where it is seen: for these requests there \
     is none, and no load balancing, pool, ejection or TLS setting of it applies";

fn not_found(
    destination: &Destination,
    service: &Resource<Service>,
    client: &str,
    subset: Option<&str>,
) -> Diagnostic {
    let name = &service.name.value;
    let message = match subset {
        Some(subset) => format!("proxies in namespace `{client}` find no subset `{subset}` of `{name}`"),
        None => format!("proxies in namespace `{client}` do not find the policy of `{name}`"),
    };
    let report = Diagnostic::new(Code::POLICY_NOT_FOUND, destination.span, message);
    if subset.is_some() { report } else { warning(report) }
}

fn warning(mut report: Diagnostic) -> Diagnostic {
    report.severity = Severity::Warning;
    report
}

/// The namespace in the full name of a service; `None` of a host that is none of Kubernetes' services.
fn host_namespace<'m>(mesh: &Mesh, service: &'m Resource<Service>) -> Option<&'m str> {
    let Some(host) = &service.body.host else { return service.namespace_name() };
    let (_, rest) = host.value.as_str().split_once('.')?;
    let (namespace, domain) = rest.split_once('.')?;
    (domain.strip_prefix("svc.") == Some(mesh.cluster_domain.as_str())).then_some(namespace)
}

/// A destination that gateways call at the original address of a connection.
fn without_endpoints(
    mesh: &Mesh,
    callers: &Callers<'_>,
    destination: &Destination,
    is_copy: bool,
) -> Option<Diagnostic> {
    let gateway = callers.gateways.first()?;
    let policy = effective_policy(mesh, destination);
    let balancing = policy.balancing.as_ref().and_then(|balancing| match &balancing.method {
        Method::Simple(simple) => (*simple == SimpleBalancing::Passthrough).then_some(balancing.span),
        Method::Hash { .. } => None,
    });
    let external = match destination.target {
        DestinationId::External(id) => mesh.externals.get(id),
        DestinationId::Service(_) => None,
    };
    // What leaves through a gateway is reported there.
    let resolved = external.filter(|external| {
        external.resolution() == Resolution::None
            && external.egress().is_none()
            && !(external.faulty && external.body.resolution.is_none())
            && external.body.endpoints.is_empty()
            && external.body.workload.is_none()
    });
    let name = mesh.destination_name(destination.target);
    let message = format!("gateway `{}` finds no endpoint of `{name}`", gateway.name.value);
    let report = Diagnostic::new(Code::NO_ENDPOINT_AT_GATEWAY, destination.span, message);
    let report = match (balancing, resolved) {
        (Some(span), _) => report
            .related(span, "clients are sent to the original destination address")
            .help("remove `lb passthrough`, or use another `lb`"),
        (None, Some(external)) => {
            let report = match external.body.resolution {
                Some(resolution) => {
                    report.related(resolution.span, "requests go to their original destination address")
                }
                None => report.related(
                    external.name.span,
                    "without `resolve`, requests go to their original destination address",
                ),
            };
            let hosts = external.body.hosts.as_ref().map_or(&[][..], |hosts| hosts);
            report.help(if hosts.iter().any(|host| host.value.is_wildcard()) {
                "use `resolve dynamic-dns`, with wildcard hosts only, or `resolve static` with an `endpoint`"
            } else {
                "use `resolve dns`, or `resolve static` with an `endpoint`"
            })
        }
        (None, None) => return None,
    };
    let lost = if is_copy {
        "every copy of a request is lost"
    } else {
        "every request gets 503, and a TCP or TLS connection is closed"
    };
    Some(report.consequence(format!(
        "a connection to a gateway has the gateway's own address as its destination: {lost}"
    )))
}
