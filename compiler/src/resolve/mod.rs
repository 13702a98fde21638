//! From declared items to the model: what names stand for, and what policies put in.
//!
//! In: items as they are [`declared`](crate::declared), and the [`Mesh`] with all that routes can name. Out: resources of the model in
//! which every name is resolved, and reports of what is not. Each item is resolved by itself.

mod bindings;
mod deprecation;
mod destinations;
mod gateway;
mod host;
mod names;
mod policies;
mod references;
mod route;

use policies::put_policies;

use crate::declared::Declared;
use crate::model::{DestinationId, Mesh, Model, Resource};
use crate::project::{Definitions, ModuleId};
use crate::reading::{Findings, applied, of_value};
use crate::values::Namespace;
use meshc_language::{Diagnostic, Span};
use rayon::prelude::*;
use rustc_hash::FxHashSet;
use smol_str::SmolStr;

/// The model of all that is declared in one environment.
pub(crate) fn resolve(
    definitions: &Definitions<'_>,
    declared: Declared,
    cluster_domain: &str,
    findings: &mut Findings,
) -> Model {
    let directory = names::directory(&declared, cluster_domain, findings);
    let Declared { gateways, services, externals, hosts, raw, bindings, unread: _ } = declared;
    let mut mesh = Mesh { directory, cluster_domain: SmolStr::new(cluster_domain), ..Mesh::default() };
    // Externals name gateways, and hosts name all three.
    mesh.gateways = all(definitions, &mesh, gateways, |cx, one| cx.gateway_item(one), findings).collect();
    mesh.services = all(definitions, &mesh, services, |cx, one| cx.service(one), findings).collect();
    mesh.externals = all(definitions, &mesh, externals, |cx, one| cx.external(one), findings).collect();
    let hosts = all(definitions, &mesh, hosts, |cx, one| cx.host(one), findings).collect();
    let bindings = all(definitions, &mesh, bindings, |cx, one| cx.bindings(one), findings).collect();
    let mut degradations = definitions.degradations.clone();
    degradations.append(&mut findings.degradations);
    // A loop applies a template often, at one place.
    let mut known: FxHashSet<(Span, Span)> = FxHashSet::default();
    let applications =
        findings.applications.drain(..).filter(|one| known.insert((one.at, one.template))).collect();
    Model {
        environment: definitions.environment.clone(),
        mesh,
        hosts,
        raw,
        bindings,
        degradations,
        applications,
        bound: std::sync::OnceLock::new(),
    }
}

/// Resolves all items of one kind, in parallel.
fn all<D: Send, T: Send>(
    definitions: &Definitions<'_>,
    mesh: &Mesh,
    declared: Vec<Resource<D>>,
    resolve: fn(&mut Resolver<'_, '_>, D) -> T,
    findings: &mut Findings,
) -> impl Iterator<Item = Resource<T>> + use<D, T> {
    let resolved: Vec<(Resource<T>, Findings)> = declared
        .into_par_iter()
        .with_min_len(8)
        .map(|resource| {
            let (place, declared) = resource.with(());
            let mut resolver = Resolver::new(definitions, mesh, &place);
            let item = resolve(&mut resolver, declared);
            let Resolver { reports, lost, misnamed, .. } = resolver;
            let is_faulty = lost || reports.iter().any(Diagnostic::leaves_a_hole);
            let (mut resource, ()) = place.with(item);
            resource.incomplete |= lost;
            resource.faulty |= is_faulty;
            (resource, Findings { reports, lost: lost || misnamed, ..Findings::default() })
        })
        .collect();
    let mut resources = Vec::with_capacity(resolved.len());
    for (resource, found) in resolved {
        findings.add(found);
        resources.push(resource);
    }
    resources.into_iter()
}

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
    /// Whether it names a policy that is not there: one that nothing uses may be meant.
    misnamed: bool,
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
            misnamed: false,
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
