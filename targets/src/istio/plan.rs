//! Which resources a model makes.

use super::layout::{Layout, Part};
use meshc_compiler::model::{Controller, External, Gateway, Host, Id, Model, Resource, Service};

/// A resource that may be written: the item that it comes from. The order is one in which resources can be applied: what
/// routes refer to stands before them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Planned {
    /// The ServiceEntry of an external.
    ServiceEntry(Id<Resource<External>>),
    /// The DestinationRule of a service.
    ServiceRule(Id<Resource<Service>>),
    /// The DestinationRule of an external, for one of its hosts.
    ExternalRule(Id<Resource<External>>, usize),
    /// The DestinationRule of the service in front of a gateway, if that is not declared.
    EgressRule(Id<Resource<Gateway>>),
    /// A Gateway, or one of those that a gateway is written as.
    Gateway(Id<Resource<Gateway>>, Part),
    /// The VirtualService of an external that is reached through a gateway.
    EgressService(Id<Resource<External>>),
    /// The VirtualService of a host block.
    VirtualService(Id<Resource<Host>>),
}

impl Planned {
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::ServiceEntry(_) => "ServiceEntry",
            Self::ServiceRule(_) | Self::ExternalRule(..) | Self::EgressRule(_) => "DestinationRule",
            Self::Gateway(..) => "Gateway",
            Self::EgressService(_) | Self::VirtualService(_) => "VirtualService",
        }
    }
}

/// Every resource that the items of a model may make.
pub(super) fn plan(model: &Model, layout: &Layout) -> Vec<Planned> {
    let mesh = &model.mesh;
    let mut planned = Vec::with_capacity(mesh.services.len() + 2 * mesh.externals.len() + model.hosts.len());
    for (id, external) in mesh.externals.iter() {
        planned.push(Planned::ServiceEntry(id));
        let hosts = external.body.hosts.as_ref().map_or(0, |hosts| hosts.len());
        planned.extend((0..hosts).map(|host| Planned::ExternalRule(id, host)));
        if external.egress().is_some() {
            planned.push(Planned::EgressService(id));
        }
    }
    planned.extend(mesh.services.iter().map(|(id, _)| Planned::ServiceRule(id)));
    for (id, gateway) in mesh.gateways.iter().filter(|(_, gateway)| gateway.controller() == Controller::Istio)
    {
        planned.extend(layout.parts(id).into_iter().map(|part| Planned::Gateway(id, part)));
        planned.extend(gateway.service.is_some().then_some(Planned::EgressRule(id)));
    }
    planned.extend(
        model
            .hosts
            .iter()
            .filter(|(_, host)| is_carried(model, host))
            .map(|(id, _)| Planned::VirtualService(id)),
    );
    planned
}

/// Whether Istio carries a host: in the mesh, by delegation, or on one of its own gateways.
pub(super) fn is_carried(model: &Model, host: &Host) -> bool {
    let by_istio = |id: Id<Resource<Gateway>>| {
        model.mesh.gateways.get(id).is_some_and(|gateway| gateway.controller() == Controller::Istio)
    };
    host.in_mesh() || host.is_delegate() || host.gateways().any(|(id, _)| by_istio(id))
}
