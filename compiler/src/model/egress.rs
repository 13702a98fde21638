//! How what is meant for an external reaches the gateway that it leaves through.

use super::condition::{Match, MatchBinding};
use super::external::External;
use super::gateway::Gateway;
use super::host::Host;
use super::route::Route;
use super::{Id, Mesh, Resource};
use crate::declared::{HostNamespace, Listener, Port, ServerHost, ServerTlsMode};
use crate::values::{Controller, Protocol};

/// How what is meant for one port of an external travels from sidecars to the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EgressHop {
    /// The caller's own TLS passes through, on the number of the external's port.
    Passthrough,
    /// Requests travel in mutual TLS of the mesh (Istio: `ISTIO_MUTUAL`).
    MeshTls {
        /// The port of the gateway.
        port: u16,
        /// Whether a `listen https ... { tls istio-mutual }` of the source carries it; else one is added.
        declared: bool,
    },
    /// Requests travel in plaintext, on the number of the external's port: the gateway has a listener for HTTP without TLS there,
    /// and Istio opens a port for one of the two.
    Plaintext {
        /// Whether that listener serves the hosts of the external; else one beside it is added.
        declared: bool,
    },
}

impl Mesh {
    /// How a port of an external reaches its gateway; `None` without `via`.
    #[must_use]
    pub fn egress_hop(&self, external: &Resource<External>, port: &Port) -> Option<EgressHop> {
        let gateway = self.gateways.get(external.egress()?)?;
        if port.protocol.value.is_tls_family() {
            return Some(EgressHop::Passthrough);
        }
        let number = port.number.value.get();
        let serving = || gateway.body.listeners.iter().filter(|one| serves(one, gateway, external));
        let carrying = || serving().filter(|one| ends_mesh_tls(one));
        let same_port = carrying().find(|one| one.port.value.get() == number);
        // Two ports of an external that arrive on one port of the gateway could not be told apart.
        let is_only =
            external.body.ports.iter().filter(|one| !one.protocol.value.is_tls_family()).count() == 1;
        if let Some(listener) = same_port.or_else(|| carrying().next().filter(|_| is_only)) {
            return Some(EgressHop::MeshTls { port: listener.port.value.get(), declared: true });
        }
        let is_plain = |one: &&Listener| {
            let plain = one.protocol.value.is_http_family() && one.body.redirect.is_none();
            plain && one.port.value.get() == number
        };
        if serving().any(|one| is_plain(&one)) {
            return Some(EgressHop::Plaintext { declared: true });
        }
        let same_workloads = self.gateways.as_slice().iter().filter(|other| share_workloads(gateway, other));
        let mut listeners = same_workloads.flat_map(|gateway| &gateway.body.listeners);
        if listeners.any(|one| one.port.value.get() == number && one.protocol.value.is_http_family()) {
            return Some(EgressHop::Plaintext { declared: false });
        }
        Some(EgressHop::MeshTls { port: number, declared: false })
    }
}

impl Mesh {
    /// Whether all who take a route of a host block have yet to come to a gateway, so that what leaves through it is sent to it. Who
    /// takes routes of a delegate, its parents decide; the routes of a VirtualService have one destination for all callers.
    #[must_use]
    pub fn is_on_the_way(&self, host: &Host, route: &Route, gateway: Id<Resource<Gateway>>) -> bool {
        let Some(through) = self.gateways.get(gateway) else { return false };
        let is_there = |id: Id<Resource<Gateway>>| {
            self.gateways.get(id).is_some_and(|other| share_workloads(through, other))
        };
        let bound_there = host.gateways().any(|(id, _)| is_there(id));
        let elsewhere = |one: &Match| {
            let there = |binding: &MatchBinding| match binding {
                MatchBinding::Mesh => false,
                MatchBinding::Gateway(id) => is_there(*id),
            };
            !one.bindings.is_empty() && !one.bindings.iter().any(there)
        };
        let never_there = !route.matches.is_empty() && route.matches.iter().all(elsewhere);
        !host.is_delegate() && (!bound_there || never_there)
    }

    /// The gateways that a host block is bound to, but for those on the workloads of `gateway`: what is sent through it comes from them.
    pub fn gateways_before<'m>(
        &'m self,
        host: &'m Host,
        gateway: &'m Resource<Gateway>,
    ) -> impl Iterator<Item = (Id<Resource<Gateway>>, &'m Resource<Gateway>)> {
        let bound = host.gateways().filter_map(|(id, _)| Some((id, self.gateways.get(id)?)));
        bound.filter(move |(_, one)| !share_workloads(gateway, one))
    }
}

impl EgressHop {
    /// The port of the gateway at which requests for a port of this number arrive.
    #[must_use]
    pub const fn port(self, number: u16) -> u16 {
        match self {
            Self::MeshTls { port, declared: _ } => port,
            Self::Passthrough | Self::Plaintext { declared: _ } => number,
        }
    }
}

/// Whether a listener ends mutual TLS of the mesh.
fn ends_mesh_tls(listener: &Listener) -> bool {
    let mode = listener.body.tls.as_ref().map(|tls| tls.mode.value);
    listener.protocol.value == Protocol::Https && mode == Some(ServerTlsMode::IstioMutual)
}

/// Whether a listener serves all hosts of an external.
fn serves(listener: &Listener, gateway: &Resource<Gateway>, external: &Resource<External>) -> bool {
    let served = || listener.body.hosts.iter().flat_map(|hosts| hosts.iter()).map(|host| &host.value);
    let mut hosts = external.body.hosts.iter().flat_map(|hosts| hosts.iter()).map(|host| &host.value);
    hosts.all(|host| served().any(|one| one.host.covers(host) && admits(one, gateway, external)))
}

fn admits(served: &ServerHost, gateway: &Resource<Gateway>, external: &Resource<External>) -> bool {
    match &served.namespace {
        None | Some(HostNamespace::Any) => true,
        Some(HostNamespace::Own) => external.namespace_name() == gateway.namespace_name(),
        Some(HostNamespace::Named(namespace)) => external.namespace_name() == Some(namespace.as_str()),
    }
}

/// Whether Istio puts the listeners of two gateways on the same workloads.
#[must_use]
pub fn share_workloads(left: &Resource<Gateway>, right: &Resource<Gateway>) -> bool {
    let same = left.name.value == right.name.value && left.namespace_name() == right.namespace_name();
    same || (right.controller() == Controller::Istio && workload_labels(left) == workload_labels(right))
}

/// The labels of the workloads that carry a gateway, in order; none for all.
#[must_use]
pub fn workload_labels(gateway: &Resource<Gateway>) -> Vec<(&str, &str)> {
    let workload = gateway.declared.body.workload.as_ref();
    let labels = workload.into_iter().flat_map(|workload| &workload.labels);
    let mut labels: Vec<(&str, &str)> =
        labels.map(|label| (label.value.key().as_str(), label.value.value().as_str())).collect();
    labels.sort_unstable();
    labels
}
