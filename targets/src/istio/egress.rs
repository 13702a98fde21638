//! `via` of an external: everything that sends its traffic through a gateway.
//!
//! Sidecars send what is meant for the external to the gateway's service, under a subset of its own; the gateway listens
//! for it and sends it on. Requests travel there in mutual TLS of the mesh, as in Istio's own task for egress gateways with TLS
//! origination; TLS of the callers passes through.

use super::api;
use super::name::{self, GatewayNames};
use super::visibility::export_to;
use crate::provenance::{Item, Source};
use crate::yaml::Sourced;
use meshc_compiler::model::{
    EgressHop, External, FrontService, Gateway, Id, Mesh, Model, Port, Resource, Service,
};
use meshc_compiler::values::{HostPattern, Protocol};
use smol_str::SmolStr;

fn externals(model: &Model) -> impl Iterator<Item = (&Resource<External>, Id<Resource<Gateway>>)> {
    model.mesh.externals.as_slice().iter().filter_map(|external| Some((external, external.egress()?)))
}

fn hosts(external: &External) -> impl Iterator<Item = &HostPattern> {
    external.body.hosts.iter().flat_map(|hosts| hosts.iter()).map(|host| &host.value)
}

/// What a gateway has to listen for, and with which TLS; `None` where a listener of the source does.
fn listener_protocol(hop: EgressHop, port: &Port) -> Option<(Protocol, Option<api::ServerTlsMode>)> {
    match hop {
        EgressHop::Passthrough => Some((Protocol::Tls, Some(api::ServerTlsMode::Passthrough))),
        EgressHop::MeshTls { port: _, declared: true } | EgressHop::Plaintext { declared: true } => None,
        EgressHop::MeshTls { port: _, declared: false } => {
            Some((Protocol::Https, Some(api::ServerTlsMode::IstioMutual)))
        }
        EgressHop::Plaintext { declared: false } => Some((port.protocol.value, None)),
    }
}

/// The servers that a gateway needs for what is sent through it, one for each port and protocol.
pub(super) fn servers(
    model: &Model,
    gateway: Id<Resource<Gateway>>,
    from: &Source<'_>,
) -> Vec<Sourced<api::Server>> {
    let mut servers: Vec<Sourced<api::Server>> = Vec::new();
    for (external, _) in externals(model).filter(|(_, through)| *through == gateway) {
        for port in &external.body.ports {
            let hop = model.mesh.egress_hop(external, port);
            let Some((protocol, mode)) = hop.and_then(|hop| listener_protocol(hop, port)) else { continue };
            let number = u32::from(port.number.value.get());
            let names = hosts(external).map(|host| SmolStr::new(host.as_str()));
            let same = |server: &&mut Sourced<api::Server>| {
                server.port.number == number && server.port.protocol == protocol.istio()
            };
            if let Some(server) = servers.iter_mut().find(same) {
                server.hosts.extend(names);
                continue;
            }
            let server = api::Server {
                port: api::Port {
                    number,
                    name: SmolStr::new(format!("egress-{}-{number}", protocol.word())),
                    protocol: SmolStr::new_static(protocol.istio()),
                    target_port: None,
                },
                bind: None,
                hosts: names.collect(),
                tls: mode.map(|mode| {
                    Box::new(api::ServerTlsSettings { mode: Some(mode), ..api::ServerTlsSettings::default() })
                }),
                default_endpoint: None,
                name: None,
            };
            servers.push(Sourced::new(from.other(Item::external(external)).whole(), server));
        }
    }
    servers
}

/// The subsets that the service in front of a gateway needs: one for each external that is sent through it.
pub(super) fn subsets(
    model: &Model,
    service: Id<Resource<Service>>,
    from: &Source<'_>,
) -> Vec<Sourced<api::Subset>> {
    let through = |(_, gateway): &(&Resource<External>, Id<Resource<Gateway>>)| {
        let front = model.mesh.gateways.get(*gateway).and_then(|gateway| gateway.front());
        front == Some(&FrontService::Declared(service))
    };
    externals(model).filter(through).map(|(external, _)| subset(&model.mesh, external, from)).collect()
}

fn subset(mesh: &Mesh, external: &Resource<External>, from: &Source<'_>) -> Sourced<api::Subset> {
    let mut secured: Vec<Sourced<api::PortTrafficPolicy>> = Vec::new();
    for port in &external.body.ports {
        let Some(EgressHop::MeshTls { port, declared: _ }) = mesh.egress_hop(external, port) else {
            continue;
        };
        let number = u32::from(port);
        let known = |one: &Sourced<api::PortTrafficPolicy>| {
            one.port.as_ref().is_some_and(|port| port.number == number)
        };
        if !secured.iter().any(known) {
            secured.push(Sourced::from(mesh_tls(external, number)));
        }
    }
    let policy = api::TrafficPolicy { port_level_settings: secured, ..api::TrafficPolicy::default() };
    let subset = api::Subset {
        name: SmolStr::new(external.name.value.as_str()),
        traffic_policy: (policy != api::TrafficPolicy::default()).then(|| Box::new(policy)),
        ..api::Subset::default()
    };
    Sourced::new(from.other(Item::external(external)).whole(), subset)
}

/// Mutual TLS of the mesh to a port of the gateway. The name that is asked for chooses the gateway's server; all hosts of an
/// external stand in one, so any of them does.
fn mesh_tls(external: &External, number: u32) -> api::PortTrafficPolicy {
    let tls = api::ClientTlsSettings {
        mode: Some(api::ClientTlsMode::IstioMutual),
        sni: hosts(external).next().map(|host| SmolStr::new(host.as_str())),
        ..api::ClientTlsSettings::default()
    };
    api::PortTrafficPolicy {
        port: Some(api::PortSelector { number }),
        tls: Some(Box::new(tls)),
        ..api::PortTrafficPolicy::default()
    }
}

/// The rule for a gateway whose service is not declared: its subsets have no other place.
pub(super) fn destination_rule(
    model: &Model,
    id: Id<Resource<Gateway>>,
    gateway: &Gateway,
    from: &Source<'_>,
) -> Option<api::DestinationRule> {
    let Some(FrontService::Outside(host)) = gateway.front() else { return None };
    let subsets: Vec<_> = externals(model)
        .filter(|(_, through)| *through == id)
        .map(|(external, _)| subset(&model.mesh, external, from))
        .collect();
    if subsets.is_empty() {
        return None;
    }
    Some(api::DestinationRule { host: host.clone(), subsets, ..api::DestinationRule::default() })
}

/// The namespace of that rule: the one in the full name of the service. A client looks for rules in its own namespace and
/// in that of the service.
pub(super) fn rule_namespace(gateway: &Gateway) -> Option<&str> {
    let Some(FrontService::Outside(host)) = gateway.front() else { return None };
    let (_, rest) = host.split_once('.')?;
    let (namespace, domain) = rest.split_once('.')?;
    domain.starts_with("svc").then_some(namespace)
}

/// The name of that rule.
pub(super) fn rule_name(gateway: &Gateway) -> SmolStr {
    SmolStr::new(format!("{}-egress", gateway.name.value))
}

/// Where sidecars send what is meant for a port of an external that leaves through a gateway: to the gateway's service.
pub(super) fn to_gateway(mesh: &Mesh, external: &Resource<External>, port: u16) -> Option<api::Destination> {
    let front = match mesh.gateways.get(external.egress()?)?.front()? {
        FrontService::Outside(host) => host.clone(),
        FrontService::Declared(id) => mesh.service_host(mesh.services.get(*id)?),
    };
    Some(api::Destination {
        host: front,
        subset: Some(SmolStr::new(external.name.value.as_str())),
        port: Some(api::PortSelector { number: u32::from(arrival(mesh, external, port)) }),
    })
}

/// The port of the gateway at which requests for a port of an external arrive.
fn arrival(mesh: &Mesh, external: &Resource<External>, number: u16) -> u16 {
    let port = external.body.ports.iter().find(|port| port.number.value.get() == number);
    port.and_then(|port| mesh.egress_hop(external, port)).map_or(number, |hop| hop.port(number))
}

/// The two rules for each host and port: to the gateway, and from it.
pub(super) fn virtual_service(
    names: GatewayNames<'_>,
    external: &Resource<External>,
    from: &Source<'_>,
) -> Option<api::VirtualService> {
    let mesh = names.mesh;
    let in_mesh = [SmolStr::new_static("mesh")];
    // A listener that carries it may have a resource of its own.
    let through = names.of_gateway(external.egress()?);
    let mut spec = api::VirtualService {
        hosts: hosts(external).map(|host| SmolStr::new(host.as_str())).collect(),
        gateways: in_mesh.iter().chain(&through).cloned().collect(),
        export_to: export_to(external.body.visibility.as_ref()),
        ..api::VirtualService::default()
    };
    let several = spec.hosts.len() > 1;
    let comment = from.whole();
    for host in hosts(external) {
        let host = SmolStr::new(host.as_str());
        for port in &external.body.ports {
            let number = u32::from(port.number.value.get());
            let to = to_gateway(mesh, external, port.number.value.get())?;
            let out = api::Destination {
                host: host.clone(),
                subset: None,
                port: Some(api::PortSelector { number }),
            };
            let arrival = u32::from(arrival(mesh, external, port.number.value.get()));
            let steps = [
                ("to-gateway", number, &in_mesh[..], to),
                ("from-gateway", arrival, through.as_slice(), out),
            ];
            for (step, at, bindings, destination) in steps {
                if port.protocol.value.is_tls_family() {
                    let route = tls_step(&host, at, bindings, destination);
                    spec.tls.push(Sourced::new(comment.clone(), route));
                } else {
                    let name = if several {
                        format!("{step}-{}-{number}", name::dashed(&host))
                    } else {
                        format!("{step}-{number}")
                    };
                    let route = http_step(name, several.then_some(&host), at, bindings, destination);
                    spec.http.push(Sourced::new(comment.clone(), route));
                }
            }
        }
    }
    Some(spec)
}

fn tls_step(host: &SmolStr, port: u32, bindings: &[SmolStr], destination: api::Destination) -> api::TlsRoute {
    api::TlsRoute {
        matches: vec![api::TlsMatchAttributes {
            sni_hosts: vec![host.clone()],
            port: Some(port),
            gateways: bindings.to_vec(),
            ..api::TlsMatchAttributes::default()
        }],
        route: vec![api::RouteDestination { destination, weight: None }],
    }
}

fn http_step(
    name: String,
    authority: Option<&SmolStr>,
    port: u32,
    bindings: &[SmolStr],
    destination: api::Destination,
) -> api::HttpRoute {
    api::HttpRoute {
        name: Some(SmolStr::new(name)),
        matches: vec![api::HttpMatchRequest {
            port: Some(port),
            gateways: bindings.to_vec(),
            authority: authority.map(|host| {
                Box::new(api::StringMatch { exact: Some(host.clone()), ..api::StringMatch::default() })
            }),
            ..api::HttpMatchRequest::default()
        }],
        route: vec![api::HttpRouteDestination { destination, weight: None, headers: None }],
        ..api::HttpRoute::default()
    }
}
