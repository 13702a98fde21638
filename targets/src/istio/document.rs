//! One resource: from its item to text.

use super::asked::{Delegators, delegators};
use super::delegation::Folded;
use super::layout::Layout;
use super::name::GatewayNames;
use super::plan::{Planned, plan};
use super::release::Release;
use super::{api, destination_rule, earlier, egress, gateway, name, raw, service_entry, virtual_service};
use crate::provenance::{Item, Provenance};
use crate::target::Options;
use crate::yaml::{self, Sourced};
use meshc_compiler::Model;
use meshc_compiler::model::{AnchorKind, Host, HostName, HostNameKind, Id, Raw, Resource};
use meshc_language::Span;
use rustc_hash::FxHashSet;
use serde::Serialize;
use smol_str::SmolStr;

/// A resource.
pub(super) enum Document {
    Gateway(Box<api::Resource<api::Gateway>>),
    VirtualService(Box<api::Resource<api::VirtualService>>),
    DestinationRule(Box<api::Resource<api::DestinationRule>>),
    ServiceEntry(Box<api::Resource<api::ServiceEntry>>),
}

/// Turns items into resources and resources into text.
pub(super) struct Writer<'m> {
    model: &'m Model,
    from: Provenance<'m>,
    group_version: &'static str,
    oldest: Release,
    route_names: bool,
    delegators: Delegators<'m>,
    layout: Layout,
    folded: Folded,
    /// Host blocks that share the name of an earlier one.
    repeated: FxHashSet<Id<Resource<Host>>>,
    /// For each raw configuration of the model, the resources that it may be anchored to.
    anchors: Vec<Vec<Planned>>,
}

impl<'m> Writer<'m> {
    pub(super) fn new(model: &'m Model, options: &Options<'m>) -> Self {
        let (delegators, layout) = (delegators(model), Layout::of(model));
        let names = GatewayNames { mesh: &model.mesh, layout: &layout, host: None };
        let folded = Folded::of(model, &delegators, &names);
        let mut writer = Self {
            model,
            from: Provenance::new(options.files),
            group_version: options.api_version.group_version(),
            oldest: options.releases.oldest,
            route_names: options.route_names,
            delegators,
            layout,
            folded,
            repeated: name::repeated(model),
            anchors: Vec::new(),
        };
        writer.anchors = writer.find_anchors();
        writer
    }

    /// Which resources gateways are written as.
    pub(super) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// How delegation is written.
    pub(super) fn folded(&self) -> &Folded {
        &self.folded
    }

    /// The resource with its raw configuration put in; `None` if it has nothing to say.
    pub(super) fn document(&self, planned: Planned) -> Option<Document> {
        let document = self.typed(planned)?;
        let raw: Vec<&Raw> = self.raw(planned).map(|raw| &raw.declared).collect();
        if raw.is_empty() {
            return Some(document);
        }
        // `fit` has merged it once already and reported what does not fit.
        raw::merged(document, &raw).ok()
    }

    /// The resource as the typed statements say it, in words that the oldest release knows where it has any.
    pub(super) fn typed(&self, planned: Planned) -> Option<Document> {
        let mut document = self.in_newest_words(planned)?;
        earlier::reword(&mut document, self.oldest);
        Some(document)
    }

    fn in_newest_words(&self, planned: Planned) -> Option<Document> {
        let mesh = &self.model.mesh;
        let from = &self.from.source(self.item(planned)?);
        Some(match planned {
            Planned::Gateway(id, part) => {
                let declared = mesh.gateways.get(id)?;
                let gateway = gateway::spec(self.model, &self.layout, (id, part), declared, from);
                // Admission refuses a gateway without servers; one that only names a workload makes no resource.
                (!gateway.servers.is_empty()).then_some(())?;
                Document::Gateway(self.resource(planned, gateway))
            }
            Planned::ServiceEntry(id) => Document::ServiceEntry(
                self.resource(planned, service_entry::spec(mesh.externals.get(id)?, from)),
            ),
            Planned::VirtualService(id) => {
                let host = self.model.hosts.get(id)?;
                let writing = virtual_service::Writing {
                    model: self.model,
                    delegators: &self.delegators,
                    layout: &self.layout,
                    folded: &self.folded,
                };
                let spec = virtual_service::spec(&writing, (id, host), from)?;
                Document::VirtualService(self.routed(planned, spec))
            }
            Planned::EgressService(id) => {
                let names = GatewayNames { mesh, layout: &self.layout, host: None };
                let spec = egress::virtual_service(names, mesh.externals.get(id)?, from)?;
                Document::VirtualService(self.routed(planned, spec))
            }
            Planned::ServiceRule(id) => {
                let rule = destination_rule::of_service(self.model, id, mesh.services.get(id)?, from)?;
                Document::DestinationRule(self.resource(planned, rule))
            }
            Planned::ExternalRule(id, host) => {
                let rule = destination_rule::of_external(mesh.externals.get(id)?, host, from)?;
                Document::DestinationRule(self.resource(planned, rule))
            }
            Planned::EgressRule(id) => {
                let rule = egress::destination_rule(self.model, id, mesh.gateways.get(id)?, from)?;
                Document::DestinationRule(self.resource(planned, rule))
            }
        })
    }

    /// A VirtualService, with the names of its routes or without.
    fn routed(
        &self,
        planned: Planned,
        mut spec: api::VirtualService,
    ) -> Box<api::Resource<api::VirtualService>> {
        if !self.route_names {
            spec.http.iter_mut().for_each(|route| route.name = None);
        }
        self.resource(planned, spec)
    }

    fn resource<S: api::Spec>(&self, planned: Planned, spec: S) -> Box<api::Resource<S>> {
        let metadata = api::Metadata {
            name: self.name(planned),
            namespace: self.namespace(planned).map(SmolStr::new),
            ..api::Metadata::default()
        };
        Box::new(api::Resource::new(self.group_version, metadata, spec))
    }

    /// Appends the text of a resource, with a comment on where it comes from.
    pub(super) fn write(&self, planned: Planned, document: &Document, out: &mut String) {
        match document {
            Document::Gateway(resource) => self.write_one(planned, resource, out),
            Document::VirtualService(resource) => self.write_one(planned, resource, out),
            Document::DestinationRule(resource) => self.write_one(planned, resource, out),
            Document::ServiceEntry(resource) => self.write_one(planned, resource, out),
        }
    }

    fn write_one<T: Serialize>(&self, planned: Planned, resource: &T, out: &mut String) {
        let comment = self.item(planned).map(|item| self.from.item(&item));
        // The writer refuses bytes and collections as keys, which the types of the API cannot hold.
        let written = yaml::write_document(out, &Sourced { comment, value: resource });
        debug_assert!(written.is_ok(), "the API types can always be written");
    }

    /// The namespace of a resource.
    pub(super) fn namespace(&self, planned: Planned) -> Option<&'m str> {
        let mesh = &self.model.mesh;
        match planned {
            Planned::Gateway(id, _) => mesh.gateways.get(id)?.namespace_name(),
            Planned::EgressRule(id) => {
                let gateway = mesh.gateways.get(id)?;
                egress::rule_namespace(gateway).or(gateway.namespace_name())
            }
            Planned::ServiceEntry(id) | Planned::ExternalRule(id, _) | Planned::EgressService(id) => {
                mesh.externals.get(id)?.namespace_name()
            }
            Planned::VirtualService(id) => self.model.hosts.get(id)?.namespace_name(),
            Planned::ServiceRule(id) => mesh.services.get(id)?.namespace_name(),
        }
    }

    /// The name of a resource.
    pub(super) fn name(&self, planned: Planned) -> SmolStr {
        let mesh = &self.model.mesh;
        let name = match planned {
            Planned::Gateway(id, part) => {
                mesh.gateways.get(id).map(|gateway| name::gateway_resource(gateway, part))
            }
            Planned::EgressRule(id) => mesh.gateways.get(id).map(|gateway| egress::rule_name(gateway)),
            Planned::ServiceEntry(id) | Planned::EgressService(id) => {
                mesh.externals.get(id).map(|external| SmolStr::new(external.name.value.as_str()))
            }
            Planned::ExternalRule(id, host) => {
                mesh.externals.get(id).map(|external| name::destination_rule(external, host))
            }
            Planned::VirtualService(id) => self.model.hosts.get(id).map(|host| {
                let name = name::virtual_service(mesh, host);
                let first = host.routes.first().filter(|_| self.repeated.contains(&id));
                match first {
                    Some(route) => SmolStr::new(format!("{name}-{}", route.name.value)),
                    None => name,
                }
            }),
            Planned::ServiceRule(id) => {
                mesh.services.get(id).map(|service| SmolStr::new(service.name.value.as_str()))
            }
        };
        name.unwrap_or_default()
    }

    /// The item of a resource, as comments name it.
    fn item(&self, planned: Planned) -> Option<Item> {
        let mesh = &self.model.mesh;
        match planned {
            Planned::Gateway(id, _) | Planned::EgressRule(id) => mesh.gateways.get(id).map(Item::gateway),
            Planned::ServiceEntry(id) | Planned::ExternalRule(id, _) | Planned::EgressService(id) => {
                mesh.externals.get(id).map(Item::external)
            }
            Planned::VirtualService(id) => self.model.hosts.get(id).map(|host| Item::host(mesh, host)),
            Planned::ServiceRule(id) => mesh.services.get(id).map(Item::service),
        }
    }

    /// Where the item of a resource stands.
    pub(super) fn span(&self, planned: Planned) -> Option<Span> {
        let mesh = &self.model.mesh;
        match planned {
            Planned::Gateway(id, _) | Planned::EgressRule(id) => {
                mesh.gateways.get(id).map(|gateway| gateway.span)
            }
            Planned::ServiceEntry(id) | Planned::ExternalRule(id, _) | Planned::EgressService(id) => {
                mesh.externals.get(id).map(|external| external.span)
            }
            Planned::VirtualService(id) => self.model.hosts.get(id).map(|host| host.span),
            Planned::ServiceRule(id) => mesh.services.get(id).map(|service| service.span),
        }
    }

    /// The raw configuration that belongs to a resource.
    pub(super) fn raw(&self, planned: Planned) -> impl Iterator<Item = &'m Resource<Raw>> + '_ {
        let raw = self.model.raw.iter().zip(&self.anchors);
        raw.filter(move |(_, anchors)| **anchors == [planned]).map(|(raw, _)| raw)
    }

    /// The resources that each raw configuration may be anchored to: more than one where it has to be said which.
    pub(super) fn anchors(&self) -> &[Vec<Planned>] {
        &self.anchors
    }

    fn find_anchors(&self) -> Vec<Vec<Planned>> {
        if self.model.raw.is_empty() {
            return Vec::new();
        }
        let planned = plan(self.model, &self.layout);
        let find = |raw: &Resource<Raw>| {
            let of_item = planned.iter().filter(|planned| self.is_anchor(**planned, raw)).copied();
            let all: Vec<Planned> = of_item.collect();
            // Of several, the one whose resource has the name.
            let named: Vec<Planned> =
                all.iter().filter(|planned| self.name(**planned) == raw.anchor.name.value).copied().collect();
            if named.len() == 1 { named } else { all }
        };
        self.model.raw.iter().map(find).collect()
    }

    /// Whether raw configuration may be anchored to the item of this resource.
    fn is_anchor(&self, planned: Planned, raw: &Resource<Raw>) -> bool {
        let mesh = &self.model.mesh;
        let anchor = &raw.anchor;
        let is_item = match (planned, anchor.kind.value) {
            (Planned::VirtualService(id), AnchorKind::Host) => {
                let first = self.model.hosts.get(id).and_then(|host| host.names.first());
                first.is_some_and(|name| self.is_named(name, &anchor.name.value))
                    || self.name(planned) == anchor.name.value
            }
            (Planned::Gateway(..), AnchorKind::Gateway) => self.name(planned) == anchor.name.value,
            (Planned::ServiceRule(id), AnchorKind::Service) => {
                mesh.services.get(id).is_some_and(|service| service.name.value.as_str() == anchor.name.value)
            }
            (Planned::ServiceEntry(id), AnchorKind::External) => mesh
                .externals
                .get(id)
                .is_some_and(|external| external.name.value.as_str() == anchor.name.value),
            _ => false,
        };
        is_item && self.namespace(planned) == raw.namespace_name()
    }

    fn is_named(&self, name: &HostName, anchor: &str) -> bool {
        match &name.kind {
            HostNameKind::Pattern(pattern) => pattern.as_str() == anchor,
            HostNameKind::Delegate(name) => name == anchor,
            HostNameKind::Destination(id) => self.model.mesh.destination_name(*id) == anchor,
        }
    }
}
