//! `via` of an external: whether its traffic can leave through that gateway.

use super::is_nameless;
use crate::checks::Context;
use crate::checks::services::{is_visible, sees_all};
use crate::model::{
    Controller, EgressHop, External, FrontService, Gateway, Location, Mesh, Resolution, Resource, Service,
    Visible,
};
use crate::policy::{Method, SimpleBalancing};
use crate::values::Protocol;
use meshc_language::{Code, Diagnostic, Span};
use rustc_hash::FxHashMap;

/// An external, the gateway that it leaves through, and where that is said.
struct Site<'m> {
    mesh: &'m Mesh,
    external: &'m Resource<External>,
    gateway: &'m Resource<Gateway>,
    via: Span,
    /// The service in front of the gateway, if it is a declared one.
    front: Option<&'m Resource<Service>>,
}

type EgressCheck = fn(&Site<'_>, &mut Vec<Diagnostic>);

/// Checks of one external that leaves through a gateway.
const CHECKS: &[EgressCheck] = &[
    the_gateway_has_a_service,
    istio_configures_the_gateway,
    hosts_are_single,
    protocols_name_their_host,
    the_service_has_the_ports,
    what_becomes_tls_is_not_plaintext_before,
    the_gateway_finds_endpoints,
    the_gateway_chooses_endpoints,
    it_is_outside_the_mesh,
    the_gateway_sees_it,
    callers_see_the_service,
];

pub(super) fn check(context: &Context<'_>, external: &Resource<External>, reports: &mut Vec<Diagnostic>) {
    let Some(site) = site(context, external) else { return };
    for check in CHECKS {
        check(&site, reports);
    }
}

fn site<'m>(context: &Context<'m>, external: &'m Resource<External>) -> Option<Site<'m>> {
    let mesh = &context.model.mesh;
    let gateway = mesh.gateways.get(external.egress()?)?;
    let front = match gateway.front() {
        Some(FrontService::Declared(id)) => mesh.services.get(*id),
        Some(FrontService::Outside(_)) | None => None,
    };
    Some(Site { mesh, external, gateway, via: external.via?.span, front })
}

fn refused(span: Span, message: impl Into<String>) -> Diagnostic {
    Diagnostic::new(Code::BAD_EGRESS, span, message)
}

/// Sidecars send to services, not to workloads.
fn the_gateway_has_a_service(site: &Site<'_>, reports: &mut Vec<Diagnostic>) {
    let Site { gateway, .. } = site;
    if gateway.service.is_none() && !gateway.faulty {
        let message = format!("gateway `{}` has no `service`", gateway.name.value);
        reports.push(
            Diagnostic::new(Code::GATEWAY_SERVICE_NEEDED, site.via, message)
                .related(gateway.name.span, "the gateway")
                .consequence("sidecars would not know where to send the traffic")
                .help("add the service of its workloads to the gateway: `service NAME`"),
        );
    }
}

fn istio_configures_the_gateway(site: &Site<'_>, reports: &mut Vec<Diagnostic>) {
    let Some(controller) =
        site.gateway.body.controller.filter(|controller| controller.value != Controller::Istio)
    else {
        return;
    };
    let message = format!("gateway `{}` is not configured by Istio", site.gateway.name.value);
    reports.push(
        refused(site.via, message)
            .related(controller.span, "its controller")
            .consequence("no proxy would forward the traffic")
            .help("send it through a gateway with `controller istio`"),
    );
}

/// Sidecars match one host and send it on as one subset.
fn hosts_are_single(site: &Site<'_>, reports: &mut Vec<Diagnostic>) {
    let hosts = site.external.body.hosts.iter().flat_map(|hosts| hosts.iter());
    for host in hosts.filter(|host| host.value.is_wildcard() && !host.value.is_any()) {
        let message = format!("the hosts of `{}` cannot be sent through a gateway together", host.value);
        reports.push(
            refused(host.span, message)
                .related(site.via, "sent through a gateway")
                .consequence("the gateway would not know which host to connect to")
                .help("name each host"),
        );
    }
}

/// Behind the gateway only the name in the traffic says where it goes.
fn protocols_name_their_host(site: &Site<'_>, reports: &mut Vec<Diagnostic>) {
    for port in &site.external.body.ports {
        let protocol = port.protocol.value;
        if !is_nameless(protocol) && protocol != Protocol::HttpProxy {
            continue;
        }
        reports.push(
            refused(port.protocol.span, format!("connections for `{protocol}` carry no host name"))
                .related(site.via, "sent through a gateway")
                .consequence("the gateway could not distinguish them from others on this port")
                .help("send only HTTP or TLS through gateways, or remove `via`"),
        );
    }
}

/// Sidecars keep the number of the port on the way to the gateway, unless a listener for mutual TLS has another.
fn the_service_has_the_ports(site: &Site<'_>, reports: &mut Vec<Diagnostic>) {
    let Some(front) = site.front.filter(|front| !front.incomplete) else { return };
    for port in &site.external.body.ports {
        let number = port.number.value.get();
        let number = site.mesh.egress_hop(site.external, port).map_or(number, |hop| hop.port(number));
        if front.body.ports.iter().any(|known| known.number.value.get() == number) {
            continue;
        }
        let message = format!("service `{}` of the gateway has no port {number}", front.name.value);
        reports.push(
            refused(port.number.span, message)
                .related(front.name.span, "the service")
                .related(site.via, "sent through its gateway")
                .consequence("these requests would get 503 from sidecars")
                .help(format!(
                    "add `port {} {number}` to the service, here and in Kubernetes",
                    port.protocol.value
                )),
        );
    }
}

/// A destination that is called with TLS is not to be read between caller and gateway.
fn what_becomes_tls_is_not_plaintext_before(site: &Site<'_>, reports: &mut Vec<Diagnostic>) {
    let body = &site.external.body;
    for port in &body.ports {
        let own = if port.traffic.is_empty() { &body.traffic } else { &port.traffic };
        let begins_tls = own.tls.as_deref().filter(|tls| tls.mode.value.begins_tls());
        let (Some(tls), Some(EgressHop::Plaintext { .. })) =
            (begins_tls, site.mesh.egress_hop(site.external, port))
        else {
            continue;
        };
        let number = port.number.value;
        let message = format!(
            "requests for `{}` reach gateway `{}` in plaintext",
            site.external.name.value, site.gateway.name.value
        );
        reports.push(
            Diagnostic::new(Code::PLAINTEXT_EGRESS, site.via, message)
                .related(tls.mode.span, "TLS origination happens after the gateway")
                .consequence(format!(
                    "the gateway has a plain HTTP listener on port {number}, so mutual TLS is not possible there: these requests are readable on the network between sidecar and gateway"
                ))
                .help(
                    "add a listener for them to the gateway, such as `listen https 443 { hosts ...; tls istio-mutual }`, and that port to its service",
                ),
        );
    }
}

/// What the caller asked for is not known behind the gateway.
fn the_gateway_finds_endpoints(site: &Site<'_>, reports: &mut Vec<Diagnostic>) {
    let body = &site.external.body;
    if site.external.resolution() != Resolution::None || (body.resolution.is_none() && site.external.faulty) {
        return;
    }
    // Endpoints without a resolution are reported by themselves.
    if !body.endpoints.is_empty() || body.workload.is_some() {
        return;
    }
    let report = match body.resolution {
        Some(resolution) => {
            refused(resolution.span, "the gateway does not know the original destination address")
                .related(site.via, "sent through a gateway")
        }
        None => refused(site.via, "the gateway does not know the original destination address")
            .label("without `resolve`, requests go to that address"),
    };
    reports.push(report.consequence("the gateway would find no endpoints: 503").help("use `resolve dns`"));
}

/// Nor is the address that the caller asked for.
fn the_gateway_chooses_endpoints(site: &Site<'_>, reports: &mut Vec<Diagnostic>) {
    let body = &site.external.body;
    let policies = std::iter::once(&body.traffic).chain(body.ports.iter().map(|port| &port.traffic));
    let passed_on = policies
        .filter_map(|policy| policy.balancing.as_ref())
        .find(|balancing| matches!(balancing.method, Method::Simple(SimpleBalancing::Passthrough)));
    let Some(balancing) = passed_on else { return };
    reports.push(
        refused(balancing.span, "the gateway does not know the original destination address")
            .related(site.via, "sent through a gateway")
            .consequence("the gateway would find no endpoints: 503")
            .help("remove `lb passthrough`, or use another `lb`"),
    );
}

fn it_is_outside_the_mesh(site: &Site<'_>, reports: &mut Vec<Diagnostic>) {
    let Some(location) = site.external.body.location.filter(|location| location.value == Location::Internal)
    else {
        return;
    };
    reports.push(
        refused(location.span, "an external inside the mesh cannot use an egress gateway")
            .related(site.via, "sent through a gateway")
            .consequence(
                "it would be called with mutual TLS of the mesh, which the gateway would have to terminate",
            )
            .help("remove `via`, or remove `location internal`"),
    );
}

/// The entry and the routes must reach the gateway's namespace.
fn the_gateway_sees_it(site: &Site<'_>, reports: &mut Vec<Diagnostic>) {
    let Some(visibility) = &site.external.body.visibility else { return };
    let nowhere = visibility.to.contains(&Visible::Nowhere);
    let gateway = site.gateway.pods_namespace();
    if is_visible(Some(visibility), site.external.namespace_name(), gateway) && !nowhere {
        return;
    }
    let message = format!("this external is not visible to gateway `{}`", site.gateway.name.value);
    reports.push(
        Diagnostic::new(Code::NOT_VISIBLE, visibility.span, message)
            .related(site.via, "sent through the gateway")
            .consequence("the gateway would answer 404, or refuse the connections")
            .help(match gateway {
                Some(namespace) if !nowhere => format!("make it visible to `{namespace}` too"),
                _ => "make it visible to the namespaces of the gateway and of its clients".to_owned(),
            }),
    );
}

/// Callers choose a subset of the gateway's service, which its policy declares.
fn callers_see_the_service(site: &Site<'_>, reports: &mut Vec<Diagnostic>) {
    let Some(front) = site.front else { return };
    let callers = (site.external.body.visibility.as_ref(), site.external.namespace_name());
    let Some(visibility) = &front.body.visibility else { return };
    if sees_all(callers, (Some(visibility), front.namespace_name())) {
        return;
    }
    let message = format!("service `{}` is not visible everywhere that this external is", front.name.value);
    reports.push(
        Diagnostic::new(Code::NOT_VISIBLE, site.via, message)
            .related(visibility.span, "its visibility")
            .consequence("clients elsewhere would not know the subset of the gateway's service: 503")
            .help("make the service visible everywhere, or the external to fewer"),
    );
}

/// D2: each external that leaves through a gateway is a subset of the service in front of it.
pub(super) fn subsets_are_free(context: &Context<'_>, reports: &mut Vec<Diagnostic>) {
    let mut taken: FxHashMap<(String, &str), Span> = FxHashMap::default();
    for (_, external) in context.model.mesh.externals.iter() {
        let Some(site) = site(context, external) else { continue };
        let name = &external.name;
        let declared = site.front.and_then(|front| front.subset(name.value.as_str()));
        let service = match (site.gateway.front(), site.front) {
            (_, Some(front)) => context.model.mesh.service_host(front).to_string(),
            (Some(FrontService::Outside(host)), None) => host.to_string(),
            (Some(FrontService::Declared(_)) | None, None) => continue,
        };
        let other = declared.map(|subset| subset.name.span);
        let Some(other) = other.or_else(|| taken.get(&(service.clone(), name.value.as_str())).copied())
        else {
            taken.insert((service, name.value.as_str()), name.span);
            continue;
        };
        reports.push(
            refused(name.span, format!("the gateway's service already has a subset `{}`", name.value))
                .related(other, "from here")
                .related(site.via, "sent through the gateway as a subset of this name")
                .consequence("Istio would refuse the destination rule, or use one of the two")
                .help("give the external another name"),
        );
    }
}
