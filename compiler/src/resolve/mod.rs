//! From declared items to the model: what names stand for, and what policies put in.
//!
//! In: items as they are [`declared`](crate::declared), and the [`Mesh`] with all that routes can name. Out: resources of the model in
//! which every name is resolved, and reports of what is not. Each item is resolved by itself.

mod bindings;
mod host;
mod policies;
mod references;
mod route;

pub(crate) use policies::put_policies;

use crate::model::{DestinationId, FrontService, Gateway, Id, Mesh, Resource};
use crate::project::{Definitions, ModuleId};
use crate::reading::{applied, of_value};
use crate::values::Namespace;
use meshc_language::{Diagnostic, Span};

/// Resolves what one item names.
pub(crate) struct Resolver<'d, 'p> {
    /// Policies of all modules.
    pub(crate) definitions: &'d Definitions<'p>,
    /// The module of the item.
    pub(crate) module: ModuleId,
    /// Reports so far.
    pub(crate) reports: Vec<Diagnostic>,
    /// Whether a part of it was lost, because what it names is not there: what is absent then proves nothing.
    pub(crate) lost: bool,
    mesh: &'d Mesh,
    namespace: Option<&'d Namespace>,
    /// Where the templates that the item comes from were applied, outermost first.
    applied: &'d [Span],
    /// The service whose host block in the mesh it is.
    own_host: Option<DestinationId>,
}

impl<'d, 'p> Resolver<'d, 'p> {
    /// A resolver for what `resource` says.
    pub(crate) fn new<T>(
        definitions: &'d Definitions<'p>,
        mesh: &'d Mesh,
        resource: &'d Resource<T>,
    ) -> Self {
        let Resource { declared: _, namespace, module, applied, incomplete: _, faulty: _ } = resource;
        Self {
            definitions,
            module: *module,
            reports: Vec::new(),
            lost: false,
            mesh,
            namespace: namespace.as_ref(),
            applied,
            own_host: None,
        }
    }

    /// Takes a report. Inside of templates it also says where they were applied.
    pub(crate) fn report(&mut self, report: Diagnostic) {
        self.reports.push(applied(self.applied, report));
    }

    /// Takes a report about a value. If that was written elsewhere, it is the place to mend.
    fn report_at(&mut self, origin: Option<Span>, report: Diagnostic) {
        match origin {
            Some(origin) => self.reports.push(of_value(origin, report)),
            None => self.report(report),
        }
    }

    /// The gateway through which an external is called.
    pub(crate) fn egress(
        &mut self,
        via: &crate::declared::GatewayReference,
    ) -> Option<Id<Resource<Gateway>>> {
        self.gateway(via)
    }

    /// The service in front of a gateway.
    pub(crate) fn front(&mut self, service: &crate::declared::Reference) -> Option<FrontService> {
        self.front_service(service)
    }

    /// The namespace of the item.
    fn namespace_name(&self) -> Option<&'d str> {
        self.namespace.map(Namespace::as_str)
    }

    /// The text at a place of the sources.
    fn written(&self, span: Span) -> Option<&'p str> {
        let file = self.definitions.project.files.get(span.file.0 as usize)?;
        Some(file.slice(span))
    }
}
