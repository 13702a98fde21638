//! Whether `eject` can leave an endpoint out, where it is known how many there are.

use super::called;
use crate::checks::Context;
use crate::model::{AddressKind, Destination, DestinationId, Endpoint, ExternalBody, Resolution, Subset};
use crate::policy::Ejection;
use crate::routing::effective_policy;
use crate::values::Percent;
use meshc_language::{Code, Diagnostic, Spanned};
use rustc_hash::FxHashSet;
use smol_str::SmolStr;

/// The share of endpoints that Envoy leaves out at most where nothing is said (`OutlierDetection.max_ejection_percent`).
const DEFAULT_MAX: Option<Percent> = Percent::from_ppm(100_000);

/// Envoy leaves an endpoint out only where (those that are out + 1) / all <= `max`.
pub(super) fn can_reach_an_endpoint(context: &Context<'_>, reports: &mut Vec<Diagnostic>) {
    let mut known = FxHashSet::default();
    for called in called(context).filter(|called| called.policies().any(|policy| policy.ejection.is_some())) {
        let subsets = called.subsets.iter().map(Some);
        for subset in std::iter::once(None).chain(subsets) {
            for port in called.ports {
                let destination = Destination {
                    target: called.target,
                    host: None,
                    port: Some(port.number),
                    subset: subset.map(subset_name),
                    span: called.name_span,
                };
                let policy = effective_policy(&context.model.mesh, &destination);
                let Some(ejection) = policy.ejection else { continue };
                let Some(count) = endpoints(context, &destination, subset) else { continue };
                if !reaches(&ejection, count) && known.insert(ejection.span) {
                    reports.push(reaches_nobody(&ejection, called.name, subset, count));
                }
            }
        }
    }
}

fn reaches(ejection: &Ejection, count: u64) -> bool {
    let max = ejection.max.map(|max| max.value).or(DEFAULT_MAX).unwrap_or(Percent::ZERO);
    // `max 0%` is reported by itself.
    max.ppm() == 0 || u64::from(max.ppm()).saturating_mul(count) >= u64::from(Percent::HUNDRED.ppm())
}

/// How many endpoints a port of a destination has; `None` where a platform knows.
fn endpoints(context: &Context<'_>, destination: &Destination, subset: Option<&Subset>) -> Option<u64> {
    let port = destination.port?.value.get();
    let name = destination.subset.as_ref().map(|subset| subset.value.as_str());
    match context.model.bound_address(destination.target, port, name) {
        Some(AddressKind::Endpoints(all)) => return count(all.len()),
        Some(AddressKind::Kubernetes { .. } | AddressKind::Dns(_)) => return None,
        None => {}
    }
    let DestinationId::External(id) = destination.target else { return None };
    let external = context.model.mesh.externals.get(id).filter(|external| !external.faulty)?;
    let fixed = external.resolution() == Resolution::Static;
    fixed.then(|| own_endpoints(&external.declared.body, subset)).and_then(count)
}

fn count(number: usize) -> Option<u64> {
    u64::try_from(number).ok().filter(|number| *number > 0)
}

fn own_endpoints(body: &ExternalBody, subset: Option<&Subset>) -> usize {
    let wanted =
        || subset.iter().flat_map(|subset| subset.body.labels.iter()).flat_map(|labels| labels.iter());
    let has = |endpoint: &&Endpoint| {
        let own = || endpoint.body.labels.iter().flat_map(|labels| labels.iter());
        wanted().all(|label| own().any(|own| own.value == label.value))
    };
    body.endpoints.iter().filter(has).count()
}

fn reaches_nobody(ejection: &Ejection, name: &str, subset: Option<&Subset>, count: u64) -> Diagnostic {
    let max =
        ejection.max.map_or_else(|| "the default of 10%".to_owned(), |max| format!("`max {}`", max.value));
    let name = match subset {
        Some(subset) => SmolStr::new(format!("{name}@{}", subset.name.value)),
        None => SmolStr::new(name),
    };
    let endpoints =
        if count == 1 { "its only endpoint".to_owned() } else { format!("none of its {count} endpoints") };
    let verb = if count == 1 { "is never ejected" } else { "is ever ejected" };
    let enough = 100_u64.div_ceil(count);
    Diagnostic::new(Code::EJECTS_NOBODY, ejection.span, format!("`{name}`: {endpoints} {verb}"))
        .consequence(format!(
            "{max} allows less than one of {count}: Envoy and Istio's proxies keep sending to a failing endpoint"
        ))
        .help(format!("write `max {enough}%` or more"))
}

fn subset_name(subset: &Subset) -> Spanned<SmolStr> {
    Spanned { value: SmolStr::new(subset.name.value.as_str()), span: subset.name.span }
}
