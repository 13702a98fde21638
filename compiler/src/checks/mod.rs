//! The checks. Each is one small function; the two lists below are the order in which they run.
//!
//! A check reads the model and reports. It never changes anything and never depends on another check. What a single
//! literal may be is not a check: it is the type of the literal (`values`).

mod bindings;
mod callers;
mod cover;
mod delegation;
mod earlier;
mod externals;
mod gateways;
mod headers;
mod hosts;
mod loops;
mod names;
mod never;
mod protocols;
mod retries;
mod rewrites;
mod routes;
mod services;
mod tls;

use crate::graph::Graph;
use crate::model::{Controller, DestinationId, Model, Visibility};
use crate::project::Targets;
use crate::routing::Plans;
use meshc_language::Diagnostic;
use rayon::prelude::*;
use std::sync::OnceLock;

/// What a check sees.
pub(crate) struct Context<'m> {
    /// The model.
    pub(crate) model: &'m Model,
    /// The plan of what each proxy is told, with nothing left out.
    pub(crate) plans: &'m Plans,
    /// The target that the sources are read for.
    targets: &'m Targets,
    graph: OnceLock<Graph>,
}

impl<'m> Context<'m> {
    /// Who sends traffic to whom. Made when the first check asks for it.
    pub(crate) fn graph(&self) -> &Graph {
        self.graph.get_or_init(|| Graph::of(self.model))
    }

    /// Whether the sources are read for this controller too, and not now: what they lack now they may have then (`in istio { ... }`).
    fn is_read_apart(&self, controller: Controller) -> bool {
        let Targets { current, known, .. } = self.targets;
        self.targets.differ() && *current != Some(controller) && known.contains(&controller)
    }

    /// What a destination says of who sees it.
    pub(crate) fn visibility(&self, target: DestinationId) -> Option<&'m Visibility> {
        match target {
            DestinationId::Service(id) => self.model.mesh.services.get(id)?.declared.body.visibility.as_ref(),
            DestinationId::External(id) => {
                self.model.mesh.externals.get(id)?.declared.body.visibility.as_ref()
            }
        }
    }

    /// The namespace of a destination.
    pub(crate) fn namespace_of(&self, target: DestinationId) -> Option<&'m str> {
        match target {
            DestinationId::Service(id) => self.model.mesh.services.get(id)?.namespace_name(),
            DestinationId::External(id) => self.model.mesh.externals.get(id)?.namespace_name(),
        }
    }
}

/// A check that reports what is there and wrong: it also runs when a part of the mesh could not be read.
type Check = fn(&Context<'_>, &mut Vec<Diagnostic>);

/// Checks of what is there.
const CHECKS: &[Check] = &[
    gateways::check,
    tls::listeners,
    services::check,
    tls::clients,
    externals::check,
    routes::check,
    rewrites::check,
    loops::check,
    headers::check,
    never::check,
    retries::check,
    protocols::check,
    callers::check,
    delegation::check,
    hosts::check,
    hosts::coverage,
    bindings::check,
];

/// Checks that conclude from absence: with an item missing they would report its fault a second time.
const CHECKS_OF_ABSENCE: &[Check] = &[delegation::unused, gateways::unused];

/// Runs every check. With `lost`, something could not be read.
pub(crate) fn run(model: &Model, plans: &Plans, targets: &Targets, lost: bool) -> Vec<Diagnostic> {
    let context = Context { model, plans, targets, graph: OnceLock::new() };
    let absence = if lost { &[] } else { CHECKS_OF_ABSENCE };
    let checks: Vec<&Check> = CHECKS.iter().chain(absence).collect();
    let run = |check: &&Check| {
        let mut reports = Vec::new();
        check(&context, &mut reports);
        reports
    };
    checks.par_iter().flat_map_iter(run).collect()
}
