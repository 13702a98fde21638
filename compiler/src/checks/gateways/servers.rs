//! The servers that Istio merges on the workloads of gateways: declared listeners, and those that egress adds.

use crate::checks::Context;
use crate::model::default_port_name;
use crate::model::{
    Controller, EgressHop, External, Gateway, HostNamespace, Id, Listener, Mesh, Resource, ServerHost,
    ServerTlsMode,
};
use crate::routing::own_address;
use crate::values::{HostPattern, Protocol};
use meshc_language::Span;
use rustc_hash::{FxHashMap, FxHashSet};
use smol_str::SmolStr;
use std::net::IpAddr;

/// One server of a gateway.
pub(super) struct Server<'m> {
    pub(super) id: Id<Resource<Gateway>>,
    pub(super) gateway: &'m Resource<Gateway>,
    pub(super) workloads: Workloads<'m>,
    /// The port number and the address; `None` for all addresses.
    pub(super) slot: (u16, Option<IpAddr>),
    pub(super) protocol: Protocol,
    pub(super) family: Family,
    pub(super) name: SmolStr,
    /// Where the port's name stands, or what it is made of.
    pub(super) name_span: Span,
    pub(super) span: Span,
    pub(super) hosts: Vec<Served<'m>>,
    /// Whether TLS ends here.
    pub(super) ends_tls: bool,
    pub(super) redirects: bool,
    /// The listener, or nothing for one that egress adds.
    pub(super) listener: Option<&'m Listener>,
}

/// A name that a server serves, and for which namespace; `None` for any.
pub(super) struct Served<'m> {
    pub(super) host: &'m HostPattern,
    pub(super) namespace: Option<&'m str>,
    pub(super) span: Span,
}

/// What can share a port.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Family {
    /// Told apart by the host of each request.
    Http,
    /// Told apart by the name that is asked for.
    Tls,
    /// Not told apart.
    Tcp,
}

impl Family {
    pub(super) const ALL: [Self; 3] = [Self::Http, Self::Tls, Self::Tcp];

    pub(super) const fn of(protocol: Protocol) -> Self {
        if protocol.is_http_family() {
            Self::Http
        } else if protocol.is_tls_family() {
            Self::Tls
        } else {
            Self::Tcp
        }
    }

    /// Whether Istio puts two servers of one port together.
    pub(super) fn merges_with(self, other: Self) -> bool {
        self == other && self != Self::Tcp
    }
}

/// The workloads that a gateway's servers are merged on.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum Workloads<'m> {
    /// Its own only: it is the configuration of one proxy, or its labels could not be read.
    Own(Id<Resource<Gateway>>),
    /// Those with these labels, in order.
    Labelled(Vec<(&'m str, &'m str)>),
}

impl<'m> Workloads<'m> {
    fn of(id: Id<Resource<Gateway>>, gateway: &'m Resource<Gateway>) -> Self {
        match &gateway.declared.body.workload {
            Some(workload) if gateway.controller() == Controller::Istio && !gateway.faulty => {
                let labels = workload
                    .labels
                    .iter()
                    .map(|label| (label.value.key().as_str(), label.value.value().as_str()));
                let mut labels: Vec<_> = labels.collect();
                labels.sort_unstable();
                Self::Labelled(labels)
            }
            _ => Self::Own(id),
        }
    }

    /// Whether a workload of the one is always a workload of the other: one's labels are among the other's.
    pub(super) fn nest(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Own(left), Self::Own(right)) => left == right,
            (Self::Labelled(left), Self::Labelled(right)) => {
                let within = |few: &[_], many: &[_]| few.iter().all(|label| many.contains(label));
                within(left, right) || within(right, left)
            }
            (Self::Own(_), Self::Labelled(_)) | (Self::Labelled(_), Self::Own(_)) => false,
        }
    }
}

/// All servers of all gateways, in the order of the sources. A gateway that is declared a second time is left out.
pub(super) fn servers<'m>(context: &Context<'m>) -> Vec<Server<'m>> {
    let mesh = &context.model.mesh;
    let mut servers = Vec::new();
    let mut names = FxHashSet::default();
    let mut sent: FxHashMap<Id<Resource<Gateway>>, Vec<&Resource<External>>> = FxHashMap::default();
    for (_, external) in mesh.externals.iter() {
        if let Some(gateway) = external.egress() {
            sent.entry(gateway).or_default().push(external);
        }
    }
    for (id, gateway) in mesh.gateways.iter() {
        if !names.insert((gateway.namespace_name(), gateway.name.value.as_str())) {
            continue;
        }
        let workloads = Workloads::of(id, gateway);
        let listeners = gateway.declared.body.listeners.iter();
        let named = listeners.zip(gateway.declared.port_names());
        servers
            .extend(named.map(|(listener, name)| declared((id, gateway), workloads.clone(), listener, name)));
        let externals = sent.get(&id).into_iter().flatten();
        for external in externals.filter(|_| gateway.controller() == Controller::Istio) {
            egress(mesh, (id, gateway), &workloads, external, &mut servers);
        }
    }
    servers
}

fn declared<'m>(
    (id, gateway): (Id<Resource<Gateway>>, &'m Resource<Gateway>),
    workloads: Workloads<'m>,
    listener: &'m Listener,
    name: SmolStr,
) -> Server<'m> {
    let body = &listener.body;
    let (protocol, port) = (listener.protocol.value, listener.port.value);
    let bind = own_address(body.bind.map(|bind| bind.value.bound()));
    let mode = body.tls.as_ref().map(|tls| tls.mode.value);
    let hosts = body.hosts.iter().flat_map(|hosts| hosts.iter());
    Server {
        id,
        gateway,
        workloads,
        slot: (port.get(), bind),
        protocol,
        family: Family::of(protocol),
        name,
        name_span: body.port_name.as_ref().map_or(listener.span, |name| name.span),
        span: listener.span,
        hosts: hosts
            .map(|host| Served {
                host: &host.value.host,
                namespace: namespace(&host.value, gateway),
                span: host.span,
            })
            .collect(),
        ends_tls: !matches!(mode, None | Some(ServerTlsMode::Passthrough | ServerTlsMode::AutoPassthrough)),
        redirects: body.redirect.is_some(),
        listener: Some(listener),
    }
}

fn namespace<'m>(host: &'m ServerHost, gateway: &'m Resource<Gateway>) -> Option<&'m str> {
    match &host.namespace {
        None | Some(HostNamespace::Any) => None,
        Some(HostNamespace::Own) => Some(gateway.namespace_name().unwrap_or(".")),
        Some(HostNamespace::Named(namespace)) => Some(namespace.as_str()),
    }
}

/// What an external sends through a gateway comes in there, unless a listener of the source takes it.
fn egress<'m>(
    mesh: &'m Mesh,
    (id, gateway): (Id<Resource<Gateway>>, &'m Resource<Gateway>),
    workloads: &Workloads<'m>,
    external: &'m Resource<External>,
    servers: &mut Vec<Server<'m>>,
) {
    for port in &external.declared.body.ports {
        if Family::of(port.protocol.value) == Family::Tcp {
            continue;
        }
        let protocol = match mesh.egress_hop(external, port) {
            Some(EgressHop::Passthrough) => Protocol::Tls,
            Some(EgressHop::MeshTls { port: _, declared: false }) => Protocol::Https,
            Some(EgressHop::Plaintext { declared: false }) => port.protocol.value,
            Some(
                EgressHop::MeshTls { port: _, declared: true } | EgressHop::Plaintext { declared: true },
            )
            | None => continue,
        };
        let hosts = external.declared.body.hosts.iter().flat_map(|hosts| hosts.iter());
        servers.push(Server {
            id,
            gateway,
            workloads: workloads.clone(),
            slot: (port.number.value.get(), None),
            protocol,
            family: Family::of(protocol),
            name: SmolStr::new(format!("egress-{}", default_port_name(protocol, port.number.value))),
            name_span: port.span,
            span: port.span,
            hosts: hosts.map(|host| Served { host: &host.value, namespace: None, span: host.span }).collect(),
            ends_tls: protocol == Protocol::Https,
            redirects: false,
            listener: None,
        });
    }
}
