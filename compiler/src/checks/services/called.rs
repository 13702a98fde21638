//! A service or an external, as far as both are called alike.

use crate::checks::Context;
use crate::model::{DestinationId, Model, Port, Subset, Visibility};
use crate::policy::TrafficPolicy;
use meshc_language::Span;

/// A service or an external, as far as both are called alike.
pub(in crate::checks) struct Called<'m> {
    pub(in crate::checks) target: DestinationId,
    /// `service` or `external`.
    pub(in crate::checks) what: &'static str,
    pub(in crate::checks) name: &'m str,
    pub(in crate::checks) name_span: Span,
    pub(in crate::checks) namespace: Option<&'m str>,
    pub(in crate::checks) ports: &'m [Port],
    pub(in crate::checks) subsets: &'m [Subset],
    pub(in crate::checks) visibility: Option<&'m Visibility>,
    /// How it is called where a port or a subset says nothing else.
    pub(in crate::checks) traffic: &'m TrafficPolicy,
    /// Whether it is the service in front of a gateway: its subsets carry what leaves through that.
    pub(in crate::checks) in_front: bool,
    /// Whether a template made it: an edit would change the others that the template makes.
    pub(in crate::checks) is_applied: bool,
    /// Whether an error was reported in it.
    pub(in crate::checks) faulty: bool,
}

/// Every service and every external, in the order of the sources.
pub(in crate::checks) fn called<'m>(context: &Context<'m>) -> impl Iterator<Item = Called<'m>> {
    let model = context.model;
    let services = model.mesh.services.iter().map(|(id, _)| DestinationId::Service(id));
    let externals = model.mesh.externals.iter().map(|(id, _)| DestinationId::External(id));
    services.chain(externals).filter_map(|target| Called::of(model, target))
}

impl<'m> Called<'m> {
    pub(in crate::checks) fn of(model: &'m Model, target: DestinationId) -> Option<Self> {
        Some(match target {
            DestinationId::Service(id) => {
                let service = model.mesh.services.get(id)?;
                let body = &service.declared.body;
                Self {
                    target,
                    what: "service",
                    name: service.declared.name.value.as_str(),
                    name_span: service.declared.name.span,
                    namespace: service.namespace_name(),
                    ports: &body.ports,
                    subsets: &body.subsets,
                    visibility: body.visibility.as_ref(),
                    traffic: &body.traffic,
                    in_front: model.mesh.is_in_front(id),
                    is_applied: !service.applied.is_empty(),
                    faulty: service.faulty,
                }
            }
            DestinationId::External(id) => {
                let external = model.mesh.externals.get(id)?;
                let body = &external.declared.body;
                Self {
                    target,
                    what: "external",
                    name: external.declared.name.value.as_str(),
                    name_span: external.declared.name.span,
                    namespace: external.namespace_name(),
                    ports: &body.ports,
                    subsets: &body.subsets,
                    visibility: body.visibility.as_ref(),
                    traffic: &body.traffic,
                    in_front: false,
                    is_applied: !external.applied.is_empty(),
                    faulty: external.faulty,
                }
            }
        })
    }

    /// What is said of how it is called: of all of it, of its ports, of its subsets.
    pub(in crate::checks) fn policies(&self) -> impl Iterator<Item = &'m TrafficPolicy> {
        let ports = self.ports.iter().map(|port| &port.traffic);
        let subsets = self.subsets.iter().map(|subset| &subset.body.traffic);
        std::iter::once(self.traffic).chain(ports).chain(subsets)
    }
}
