//! Services, and what externals have in common with them: ports, subsets, who sees them, how they are called.

mod called;
mod ejection;
mod policies;
mod visible;

use super::Context;
use crate::model::{DestinationId, Port, Subset};
use crate::values::{Label, Port as Number, Protocol};
use meshc_language::{Code, Diagnostic, Span, Spanned};
use rustc_hash::FxHashMap;
use smol_str::SmolStr;

pub(super) use called::{Called, called};
pub(super) use visible::{is_visible, sees_all};

type CalledCheck = fn(&Called<'_>, &mut Vec<Diagnostic>);

/// Checks of one service or external.
const CHECKS: &[CalledCheck] = &[
    has_a_port,
    port_numbers_stand_once,
    port_names_stand_once,
    subset_names_stand_once,
    subsets_select_different_workloads,
    subsets_select_something,
    subset_labels_stand_once,
    visible::can_be_said,
    visible::names_each_namespace_once,
    policies::pools_say_something,
    policies::upgrades_have_effect,
    policies::ejections_are_whole_percents,
    policies::ejections_are_possible,
    policies::retries_at_once_are_limited,
    policies::streams_are_limited_where_there_are_some,
    policies::settings_for_requests_have_some,
    policies::hashes_have_a_key,
    policies::hash_rings_fit,
];

/// All checks of services, and those of externals that are the same.
pub(super) fn check(context: &Context<'_>, reports: &mut Vec<Diagnostic>) {
    for called in called(context) {
        for check in CHECKS {
            check(&called, reports);
        }
    }
    ejection::can_reach_an_endpoint(context, reports);
}

/// Without ports a route has nothing to send to.
fn has_a_port(called: &Called<'_>, reports: &mut Vec<Diagnostic>) {
    if called.ports.is_empty() && !called.faulty {
        let message = format!("{} `{}` has no ports", called.what, called.name);
        let (code, consequence) = match called.target {
            DestinationId::Service(_) => (Code::NO_DESTINATION_PORT, "no route could reach it"),
            DestinationId::External(_) => (
                Code::EXTERNAL_WITHOUT_PORTS,
                "Istio would make no listener and no cluster for it: clients bypass it as if it were not declared",
            ),
        };
        reports.push(
            Diagnostic::new(code, called.name_span, message)
                .consequence(consequence)
                .help("add its port, for example `port http 80`"),
        );
    }
}

/// S4, and for services what Kubernetes refuses: it takes one number for TCP and for UDP.
fn port_numbers_stand_once(called: &Called<'_>, reports: &mut Vec<Diagnostic>) {
    let mut seen: FxHashMap<(Number, bool), Span> = FxHashMap::default();
    let is_service = matches!(called.target, DestinationId::Service(_));
    for port in called.ports {
        let number = port.number.value;
        let is_datagram = is_service && port.protocol.value == Protocol::Udp;
        let Some(earlier) = seen.get(&(number, is_datagram)) else {
            seen.insert((number, is_datagram), port.number.span);
            continue;
        };
        let message = format!("port {number} is declared twice");
        reports.push(port_twice(port.number.span, *earlier, message, "keep one of them"));
    }
}

/// S4.
fn port_names_stand_once(called: &Called<'_>, reports: &mut Vec<Diagnostic>) {
    let mut seen: FxHashMap<SmolStr, &Port> = FxHashMap::default();
    for port in called.ports {
        let name = port.port_name();
        let Some(earlier) = seen.get(&name).copied() else {
            seen.insert(name, port);
            continue;
        };
        // Two ports of one number are reported as such.
        if earlier.number.value != port.number.value {
            let place = |port: &Port| port.name.as_ref().map_or(port.span, |name| name.span);
            let message = format!("two ports are named `{name}`");
            reports.push(port_twice(place(port), place(earlier), message, "give each its own name"));
        }
    }
}

fn port_twice(span: Span, earlier: Span, message: String, help: &str) -> Diagnostic {
    Diagnostic::new(Code::DUPLICATE_PORT, span, message)
        .related(earlier, "the other one")
        .consequence("Istio or Kubernetes would refuse it")
        .help(help)
}

/// D2.
fn subset_names_stand_once(called: &Called<'_>, reports: &mut Vec<Diagnostic>) {
    let mut seen: FxHashMap<&str, Span> = FxHashMap::default();
    for subset in called.subsets {
        let name = &subset.name;
        match seen.get(name.value.as_str()) {
            Some(earlier) => reports.push(
                Diagnostic::new(
                    Code::DUPLICATE_DECLARATION,
                    name.span,
                    format!("subset `{}` is declared twice", name.value),
                )
                .related(*earlier, "first declared here")
                .consequence("Istio would refuse the destination rule")
                .help("give it another name, or merge the two"),
            ),
            None => _ = seen.insert(name.value.as_str(), name.span),
        }
    }
}

fn labels_of(subset: &Subset) -> &[Spanned<Label>] {
    subset.body.labels.as_ref().map_or(&[], |labels| labels)
}

/// H15: copies of a subset are usually a label that was forgotten to be changed.
fn subsets_select_different_workloads(called: &Called<'_>, reports: &mut Vec<Diagnostic>) {
    if called.faulty {
        return;
    }
    let mut seen: FxHashMap<Vec<&Label>, &Subset> = FxHashMap::default();
    for subset in called.subsets {
        let mut labels: Vec<&Label> = labels_of(subset).iter().map(|label| &label.value).collect();
        labels.sort_unstable();
        labels.dedup();
        // Without labels it is the whole service under another name, as egress needs it.
        let (Some(first), Some(last)) = (labels_of(subset).first(), labels_of(subset).last()) else {
            continue;
        };
        let span = first.span.to(last.span);
        match seen.get(&labels) {
            Some(earlier) if earlier.name.value == subset.name.value => {}
            // Argo Rollouts writes both alike, and adds the hash of each replica set to the labels in the cluster.
            Some(earlier) if are_of_a_rollout(earlier, subset) => {}
            Some(earlier) => reports.push(
                Diagnostic::new(
                    Code::SAME_LABELS,
                    span,
                    format!(
                        "subset `{}` selects the same workloads as `{}`",
                        subset.name.value, earlier.name.value
                    ),
                )
                .related(earlier.name.span, "the other subset")
                .consequence("traffic for one subset would go to the workloads of the other")
                .help("correct the labels, or keep one of the two"),
            ),
            None => _ = seen.insert(labels, subset),
        }
    }
}

/// Whether one is the stable version and the other the canary, as tools that change the labels in the cluster name them.
fn are_of_a_rollout(left: &Subset, right: &Subset) -> bool {
    let names = [left.name.value.as_str(), right.name.value.as_str()];
    names.iter().any(|name| name.contains("stable")) && names.iter().any(|name| name.contains("canary"))
}

/// Without labels a subset is the whole service. With a policy of its own that may be meant; without one, it stands for a subset
/// that somebody else declares, and takes its place.
fn subsets_select_something(called: &Called<'_>, reports: &mut Vec<Diagnostic>) {
    if called.faulty || called.in_front {
        return;
    }
    // One of another project may be in front of its gateway, too: its subsets are names of what leaves through that.
    let is_named_so = called.name.contains("gateway");
    if is_named_so && called.subsets.iter().all(|subset| labels_of(subset).is_empty()) {
        return;
    }
    for subset in called.subsets {
        if !labels_of(subset).is_empty() || !subset.body.traffic.is_empty() {
            continue;
        }
        let name = &subset.name.value;
        let message =
            format!("subset `{name}` has no labels: it selects every workload of `{}`", called.name);
        reports.push(
            Diagnostic::new(Code::SUBSET_OF_ALL, subset.name.span, message)
                .consequence(
                    "requests for this subset would go to workloads of all versions, even where another destination rule gives it labels",
                )
                .help(format!("give it the labels of its workloads: `subset {name} {{ labels version={name} }}`")),
        );
    }
}

fn subset_labels_stand_once(called: &Called<'_>, reports: &mut Vec<Diagnostic>) {
    for subset in called.subsets {
        labels_stand_once(labels_of(subset), reports);
    }
}

/// A workload has one value for a label.
pub(super) fn labels_stand_once(labels: &[Spanned<Label>], reports: &mut Vec<Diagnostic>) {
    for (at, label) in labels.iter().enumerate() {
        if let Some(earlier) = labels.iter().take(at).find(|earlier| earlier.value.key() == label.value.key())
        {
            reports.push(
                Diagnostic::new(
                    Code::DUPLICATE_DECLARATION,
                    label.span,
                    format!("label `{}` is given twice", label.value.key()),
                )
                .related(earlier.span, "first given here")
                .consequence("only one of the two would be written")
                .help("keep one of them"),
            );
        }
    }
}
