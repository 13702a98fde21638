//! What a checked model may still ask of Istio that it cannot do: one name for two resources, a name that is too long.

use super::document::Writer;
use super::plan::{Planned, plan};
use crate::target::Options;
use meshc_compiler::Checked;
use meshc_compiler::model::Controller;
use meshc_compiler::values::{Literal, ResourceName};
use meshc_language::{Code, Diagnostic, Severity};
use rustc_hash::FxHashMap;
use smol_str::SmolStr;

/// Gateways that another program implements are not part of the output: said, not dropped in silence.
pub(super) fn gateways(checked: &Checked) -> impl Iterator<Item = Diagnostic> {
    checked.model().mesh.gateways.as_slice().iter().filter_map(|gateway| {
        let controller =
            gateway.body.controller.filter(|controller| controller.value != Controller::Istio)?;
        let message = format!("gateway `{}` is not part of the output for Istio", gateway.name.value);
        let mut report = Diagnostic::new(Code::UNSUPPORTED, controller.span, message)
            .label(format!("it is implemented by {}", controller.value))
            .consequence("hosts that are bound only to it are left out here too")
            .help("build the target of its controller beside this one");
        report.severity = Severity::Warning;
        Some(report)
    })
}

/// Kubernetes keeps one resource of a kind under a name: of two, the one that is applied later would stay.
pub(super) fn names(checked: &Checked, options: &Options<'_>) -> Vec<Diagnostic> {
    let writer = Writer::new(checked.model(), options);
    let mut taken: FxHashMap<(&str, Option<&str>, SmolStr), Planned> = FxHashMap::default();
    let mut reports = Vec::new();
    for planned in plan(checked.model()) {
        let (name, kind) = (writer.name(planned), planned.kind());
        let Some(span) = writer.span(planned) else { continue };
        if let Err(error) = ResourceName::parse(&name) {
            let report = Diagnostic::new(
                Code::BAD_LITERAL,
                span,
                format!("its {kind} cannot be named `{name}`: {error}"),
            );
            reports.push(report.help("give it a `name`"));
        }
        let key = (kind, writer.namespace(planned), name.clone());
        let Some(earlier) = taken.get(&key).copied() else {
            taken.insert(key, planned);
            continue;
        };
        // An external without policies has no rule, so its name is free.
        if writer.typed(planned).is_none() || writer.typed(earlier).is_none() {
            continue;
        }
        let mut report = Diagnostic::new(
            Code::RESOURCE_NAME_CLASH,
            span,
            format!("two resources of kind {kind} would be named `{name}`"),
        )
        .consequence("the one that is applied later would replace the other")
        .help("give one of the host blocks a `name`, or rename an item");
        if let Some(earlier) = writer.span(earlier) {
            report = report.related(earlier, "the other one");
        }
        reports.push(report);
    }
    reports
}
