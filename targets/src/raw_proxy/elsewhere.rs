//! Gateways that no target of a project builds.

use super::fit::also_here;
use crate::target::Gateways;
use meshc_compiler::model::{Controller, Model};
use meshc_language::{Code, Diagnostic, Span};

/// A warning at the first gateway that Istio implements, where the project does not build for Istio. `chosen` says which gateways
/// are built.
///
/// Only Istio's gateways are left: for others, Istio's own output says that they are not in it.
pub(super) fn built_by_nobody(model: &Model, chosen: Gateways) -> Option<Diagnostic> {
    if chosen != Gateways::OwnWithoutIstio {
        return None;
    }
    let gateways = model.mesh.gateways.as_slice().iter();
    let left: Vec<(&str, Span)> = gateways
        .filter(|gateway| gateway.controller() == Controller::Istio)
        .map(|gateway| (gateway.name.value.as_str(), gateway.name.span))
        .collect();
    let ((name, first), others) = left.split_first()?;
    let others: Vec<Span> = others.iter().map(|(_, span)| *span).collect();
    let message = format!("gateway `{name}` is built for no target");
    let report = Diagnostic::new(Code::GATEWAY_NOT_BUILT, *first, message)
        .label("its controller is Istio, which `mesh.toml` does not list")
        .consequence("nothing listens for its hosts")
        .help("write `controller envoy` or `controller nginx` in it, or add `istio` to `targets`");
    Some(also_here(report, &others))
}
