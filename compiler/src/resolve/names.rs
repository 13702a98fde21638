//! The names of all gateways, services and externals, entered before anything is looked up.

use crate::declared::{Declared, External, Gateway, Resource, Service, Unread};
use crate::model::{DestinationId, Directory, HostOf, Id, default_host};
use crate::reading::Findings;
use crate::values::DnsLabel;
use meshc_language::{Code, Diagnostic, Span, Spanned};
use smol_str::SmolStr;

/// The directory of what is declared. What is in it is known by its position among its kind.
pub(super) fn directory(declared: &Declared, cluster_domain: &str, findings: &mut Findings) -> Directory {
    let Declared { gateways, services, externals, hosts: _, raw: _, bindings: _, unread } = declared;
    let mut directory = Directory::default();
    for Unread { namespace, name, is_external } in unread {
        directory.add_broken((namespace.clone(), name.clone()), *is_external);
    }
    let reports = &mut findings.reports;
    for (at, gateway) in gateways.iter().enumerate() {
        reports.extend(enter_gateway(gateway, Id::at(at), &mut directory));
    }
    for (at, service) in services.iter().enumerate() {
        let id = DestinationId::Service(Id::at(at));
        reports.extend(enter_service(service, id, cluster_domain, &mut directory));
    }
    for (at, external) in externals.iter().enumerate() {
        reports.extend(enter_external(external, DestinationId::External(Id::at(at)), &mut directory));
    }
    directory
}

fn enter_gateway(
    gateway: &Resource<Gateway>,
    id: Id<Resource<crate::model::Gateway>>,
    directory: &mut Directory,
) -> Option<Diagnostic> {
    let name = &gateway.name;
    let earlier = directory.add_gateway(key(gateway, name), id, name.span)?;
    Some(declared_twice("gateway", name, earlier))
}

fn enter_service(
    service: &Resource<Service>,
    id: DestinationId,
    cluster_domain: &str,
    directory: &mut Directory,
) -> Option<Diagnostic> {
    let name = &service.name;
    if let Some(earlier) = directory.add(key(service, name), id, name.span) {
        return Some(declared_twice("service or external", name, earlier));
    }
    let namespace = service.namespace_name();
    let host = match &service.body.host {
        Some(host) => SmolStr::new(host.value.as_str()),
        None => default_host(name.value.as_str(), namespace, cluster_domain),
    };
    if host.contains('.') {
        let ports = service.body.ports.iter().map(|port| port.number.value.get()).collect();
        directory.add_host(host, HostOf { id, namespace: namespace.map(SmolStr::new), ports });
    }
    None
}

fn enter_external(
    external: &Resource<External>,
    id: DestinationId,
    directory: &mut Directory,
) -> Option<Diagnostic> {
    let name = &external.name;
    let earlier = directory.add(key(external, name), id, name.span);
    let ports: Vec<u16> = external.body.ports.iter().map(|port| port.number.value.get()).collect();
    for host in external.body.hosts.iter().flat_map(|hosts| hosts.iter()) {
        let namespace = external.namespace_name().map(SmolStr::new);
        let known = HostOf { id, namespace, ports: ports.clone() };
        directory.add_host(SmolStr::new(host.value.as_str()), known);
    }
    earlier.map(|earlier| declared_twice("service or external", name, earlier))
}

fn key<T>(resource: &Resource<T>, name: &Spanned<DnsLabel>) -> (Option<SmolStr>, SmolStr) {
    (resource.namespace_name().map(SmolStr::new), SmolStr::new(name.value.as_str()))
}

fn declared_twice(what: &str, name: &Spanned<DnsLabel>, earlier: Span) -> Diagnostic {
    let message = format!("{what} `{}` is declared twice", name.value);
    Diagnostic::new(Code::DUPLICATE_DECLARATION, name.span, message)
        .related(earlier, "first declared here")
        .consequence("Istio would merge the two in an order that is not yours")
        .help("merge the two declarations")
}
