//! One host in several services and externals. Istio looks in the caller's namespace first, and joins the ports of entries that one
//! namespace sees; what they say of one port, or of how the host is called, it takes from the older.

use crate::checks::Context;
use crate::checks::gateways::as_warning;
use crate::checks::services::{Called, called};
use crate::model::{DestinationId, Port, Visibility, Visible};
use meshc_language::{Code, Diagnostic, Span};
use rustc_hash::FxHashMap;
use smol_str::SmolStr;

/// A service or an external under one of its full host names.
struct Entry<'m> {
    called: Called<'m>,
    span: Span,
}

/// Reports hosts of which something is lost.
pub(super) fn hosts_are_declared_alike(context: &Context<'_>, reports: &mut Vec<Diagnostic>) {
    let mut known: FxHashMap<SmolStr, Vec<Entry<'_>>> = FxHashMap::default();
    for target in called(context).map(|called| called.target).collect::<Vec<_>>() {
        for (host, span) in hosts(context, target) {
            let Some(called) = Called::of(context.model, target) else { continue };
            let entry = Entry { called, span };
            let earlier = known.entry(host.clone()).or_default();
            let report = earlier.iter().find_map(|earlier| clash(&host, earlier, &entry));
            reports.extend(report);
            earlier.push(entry);
        }
    }
}

/// The full host names of a destination.
fn hosts(context: &Context<'_>, target: DestinationId) -> Vec<(SmolStr, Span)> {
    let mesh = &context.model.mesh;
    match target {
        DestinationId::Service(id) => {
            let Some(service) = mesh.services.get(id) else { return Vec::new() };
            let host = mesh.service_host(service);
            if host.contains('.') { vec![(host, service.name.span)] } else { Vec::new() }
        }
        DestinationId::External(id) => {
            let hosts = mesh.externals.get(id).and_then(|external| external.declared.body.hosts.as_ref());
            let name = |host: &meshc_language::Spanned<crate::values::HostPattern>| {
                (SmolStr::new(host.value.as_str()), host.span)
            };
            hosts.into_iter().flat_map(|hosts| hosts.iter()).map(name).collect()
        }
    }
}

fn clash(host: &str, earlier: &Entry<'_>, entry: &Entry<'_>) -> Option<Diagnostic> {
    let (first, second) = (&earlier.called, &entry.called);
    // A name that is declared twice is reported as such.
    let same_name = first.name == second.name && first.namespace == second.namespace;
    if same_name
        || first.target == second.target
        || first.faulty
        || second.faulty
        || !seen_together(first, second)
    {
        return None;
    }
    let report = |message: String| {
        Diagnostic::new(Code::EXTERNAL_HOST_TWICE, entry.span, message)
            .related(earlier.span, "first declared here")
            .help("declare each host once, with all of its ports")
    };
    let same_namespace = first.namespace == second.namespace;
    let shared = second.ports.iter().find_map(|port| Some((port, same_number(port, first.ports)?)));
    if let Some((port, other)) = shared
        && port.protocol.value != other.protocol.value
    {
        let message = format!(
            "port {} of `{host}` is declared as `{}` and as `{}`",
            port.number.value, other.protocol.value, port.protocol.value
        );
        return Some(report(message).consequence("Istio would use the older one, and its protocol"));
    }
    if !same_namespace {
        return None;
    }
    if has_a_policy(first) && has_a_policy(second) {
        let message = format!("`{host}` has two policies in one namespace");
        return Some(report(message).consequence("Istio would use the older one, and drop the other"));
    }
    let (port, _) = shared?;
    let message = format!("port {} of `{host}` is declared twice", port.number.value);
    Some(as_warning(report(message).consequence("Istio would merge the endpoints of both")))
}

fn same_number<'m>(port: &Port, all: &'m [Port]) -> Option<&'m Port> {
    all.iter().find(|other| other.number.value == port.number.value)
}

fn has_a_policy(called: &Called<'_>) -> bool {
    !called.traffic.is_empty() || called.ports.iter().any(|port| !port.traffic.is_empty())
}

/// Whether some namespace sees both.
fn seen_together(first: &Called<'_>, second: &Called<'_>) -> bool {
    match (namespaces(first.visibility, first.namespace), namespaces(second.visibility, second.namespace)) {
        (None, _) | (_, None) => true,
        (Some(first), Some(second)) => first.iter().any(|namespace| second.contains(namespace)),
    }
}

/// The namespaces that see what is declared in `home`; `None` for all.
fn namespaces<'m>(visibility: Option<&'m Visibility>, home: Option<&'m str>) -> Option<Vec<Option<&'m str>>> {
    let mut seen = Vec::new();
    for visible in &visibility?.to {
        match visible {
            Visible::Everywhere => return None,
            Visible::Nowhere => {}
            Visible::Here => seen.push(home),
            Visible::In(namespace) => seen.push(Some(namespace.as_str())),
        }
    }
    Some(seen)
}
