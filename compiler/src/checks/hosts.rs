//! Host blocks: who claims which host, where it comes in, and whether somebody serves it there.

use super::Context;
use super::names::Names;
use crate::model::{
    External, Gateway, Host, HostNameKind, Id, Match, Resource, RouteKind, Visibility, Visible,
    exclude_each_other,
};
use crate::values::{HostMap, HostPattern, did_you_mean};
use meshc_language::{Code, Diagnostic, Span};
use rustc_hash::FxHashMap;

/// Claims and bindings.
pub(super) fn check(context: &Context<'_>, reports: &mut Vec<Diagnostic>) {
    for (_, host) in context.model.hosts.iter() {
        has_routes(host, reports);
        names_do_not_overlap(host, reports);
        any_host_only_at_gateways(host, reports);
        visibility_is_possible(host, reports);
    }
    claimed_once(context, reports);
}

/// V7.
fn has_routes(host: &Resource<Host>, reports: &mut Vec<Diagnostic>) {
    if host.routes.is_empty() && !host.incomplete {
        reports.push(
            Diagnostic::new(Code::NO_ROUTES, host.span, "this host has no routes")
                .consequence("Istio would refuse the virtual service")
                .help("add `route NAME -> DESTINATION`, or remove the host"),
        );
    }
}

/// V6: inside one host block no name may cover another.
fn names_do_not_overlap(host: &Host, reports: &mut Vec<Diagnostic>) {
    let names: HostMap<(usize, Span)> =
        host.patterns().enumerate().map(|(at, (pattern, span))| (pattern.clone(), (at, span))).collect();
    for (at, (pattern, span)) in host.patterns().enumerate() {
        let other = names.overlapping(pattern).next().filter(|(_, (other, _))| *other < at);
        if let Some((other, (_, other_span))) = other {
            let message = format!("`{pattern}` and `{other}` overlap");
            reports.push(
                Diagnostic::new(Code::HOST_OVERLAP, span, message)
                    .related(*other_span, "the other name")
                    .consequence("Istio would refuse the virtual service")
                    .help("remove the narrower one"),
            );
        }
        if pattern.is_generated() {
            let message = format!("`{pattern}` is a name that Istio makes itself");
            let report = Diagnostic::new(Code::BAD_LITERAL, span, message);
            reports.push(report.help("use the service that it belongs to"));
        }
    }
}

/// V5: inside the mesh `*` would take over every host.
fn any_host_only_at_gateways(host: &Host, reports: &mut Vec<Diagnostic>) {
    if !host.in_mesh() {
        return;
    }
    let is_any = |kind: &HostNameKind| matches!(kind, HostNameKind::Pattern(pattern) if pattern.is_any());
    if let Some(name) = host.names.iter().find(|name| is_any(&name.kind)) {
        reports.push(
            Diagnostic::new(Code::ANY_HOST_IN_MESH, name.span, "`*` cannot be claimed inside the mesh")
                .consequence("Istio would refuse the virtual service")
                .help("bind it to a gateway with `via`, or name hosts"),
        );
    }
}

/// C7: only an external can be hidden from every namespace.
fn visibility_is_possible(host: &Host, reports: &mut Vec<Diagnostic>) {
    let Some(visibility) = &host.body.visibility else { return };
    if visibility.to.contains(&Visible::Nowhere) {
        reports.push(
            Diagnostic::new(Code::BAD_LITERAL, visibility.span, "only an external can be visible `nowhere`")
                .consequence("Istio would refuse the virtual service")
                .help("write `here`, or remove it"),
        );
    }
}

/// Where a claim holds.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Place {
    Mesh,
    Gateway(Id<Resource<Gateway>>),
}

/// A claim of a host at a place.
struct Claim<'m> {
    span: Span,
    /// The block; `None` for what an external that leaves through a gateway makes.
    host: Option<&'m Host>,
    /// That external.
    external: Option<&'m Resource<External>>,
    namespace: Option<&'m str>,
    visibility: Option<&'m Visibility>,
}

/// Two host blocks that claim one host in one place. Inside the mesh Istio takes the older one. At a gateway it puts the routes of both
/// into one list, the older first and what takes every request last: where the conditions exclude each other, the order says nothing.
fn claimed_once(context: &Context<'_>, reports: &mut Vec<Diagnostic>) {
    let mut claims: FxHashMap<(Place, &HostPattern), Vec<Claim<'_>>> = FxHashMap::default();
    for (place, pattern, new) in all_claims(context) {
        let earlier = claims.entry((place, pattern)).or_default();
        let clashes = |first: &&Claim<'_>| match place {
            Place::Mesh => seen_together(first, &new),
            Place::Gateway(_) => !is_joined_in_any_order(first, &new),
        };
        // Names of one block that cover each other are reported as that.
        let is_own = |first: &&Claim<'_>| match (first.host, new.host) {
            (Some(first), Some(new)) => std::ptr::eq(first, new),
            _ => false,
        };
        if let Some(first) = earlier.iter().filter(|first| !is_own(first)).find(clashes) {
            let report = claimed_twice(pattern, place, first.span, new.span);
            reports.push(match first.external.or(new.external) {
                Some(external) => beside_an_external(report, external, pattern, place),
                None => report,
            });
            continue;
        }
        earlier.push(new);
    }
}

/// All claims in the order of the sources.
fn all_claims<'m>(context: &Context<'m>) -> Vec<(Place, &'m HostPattern, Claim<'m>)> {
    let mesh = &context.model.mesh;
    let mut all = Vec::new();
    for (_, host) in context.model.hosts.iter().filter(|(_, host)| !host.is_delegate()) {
        let mut places: Vec<Place> = host.gateways().map(|(id, _)| Place::Gateway(id)).collect();
        if host.in_mesh() {
            places.push(Place::Mesh);
        }
        let visibility = host.declared.body.visibility.as_ref();
        for (pattern, span) in host.declared.patterns() {
            let claim = |place: &Place| {
                let namespace = host.namespace_name();
                let host = Some(&host.declared);
                (*place, pattern, Claim { span, host, external: None, namespace, visibility })
            };
            all.extend(places.iter().map(claim));
        }
    }
    // What is sent through an egress gateway is routed by a virtual service of its own.
    for (_, external) in mesh.externals.iter() {
        let Some(gateway) = external.egress() else { continue };
        for host in external.declared.body.hosts.iter().flat_map(|hosts| hosts.iter()) {
            for place in [Place::Mesh, Place::Gateway(gateway)] {
                let visibility = external.declared.body.visibility.as_ref();
                let namespace = external.namespace_name();
                let external = Some(external);
                let claim = Claim { span: host.span, host: None, external, namespace, visibility };
                all.push((place, &host.value, claim));
            }
        }
    }
    all
}

/// Whether two blocks at one gateway mean the same in whatever order their routes are joined.
fn is_joined_in_any_order(first: &Claim<'_>, second: &Claim<'_>) -> bool {
    let (Some(first), Some(second)) = (first.host, second.host) else { return false };
    let everything = [Match::default()];
    let alternatives = |host: &'_ Host| -> Vec<Match> {
        let http = host.routes.iter().filter(|route| route.kind == RouteKind::Http && !route.incomplete);
        http.flat_map(|route| if route.condition.is_none() { &everything[..] } else { &route.matches })
            .cloned()
            .collect()
    };
    let (first, second) = (alternatives(first), alternatives(second));
    let fits = |one: &Match, other: &Match| {
        (one.is_catch_all() != other.is_catch_all()) || exclude_each_other(one, other)
    };
    first.iter().all(|one| second.iter().all(|other| fits(one, other)))
}

/// Whether some namespace sees both.
fn seen_together(left: &Claim<'_>, right: &Claim<'_>) -> bool {
    match (namespaces(left), namespaces(right)) {
        (None, _) | (_, None) => true,
        (Some(left), Some(right)) => left.iter().any(|namespace| right.contains(namespace)),
    }
}

/// The namespaces that see a claim; `None` for all.
fn namespaces<'m>(claim: &Claim<'m>) -> Option<Vec<Option<&'m str>>> {
    let mut seen = Vec::new();
    for visible in &claim.visibility?.to {
        match visible {
            Visible::Everywhere => return None,
            Visible::Nowhere => {}
            Visible::Here => seen.push(claim.namespace),
            Visible::In(namespace) => seen.push(Some(namespace.as_str())),
        }
    }
    Some(seen)
}

fn claimed_twice(pattern: &HostPattern, place: Place, first: Span, second: Span) -> Diagnostic {
    let (place, consequence) = match place {
        Place::Mesh => {
            ("inside the mesh", "Istio would use the older of the two and ignore the other (IST0109)")
        }
        Place::Gateway(_) => (
            "at the same gateway",
            "Istio would merge their routes, oldest first and catch-all routes last; some of \
                 these conditions match the same requests",
        ),
    };
    Diagnostic::new(Code::HOST_CLAIMED_TWICE, second, format!("`{pattern}` is claimed twice {place}"))
        .related(first, "first claimed here")
        .consequence(consequence)
        .help("move all routes of a host into one block")
}

/// How options are given to what `via` of an external routes by itself.
fn beside_an_external(
    report: Diagnostic,
    external: &Resource<External>,
    pattern: &HostPattern,
    place: Place,
) -> Diagnostic {
    let name = &external.name.value;
    match place {
        Place::Mesh => report.help(format!(
            "`via` of external `{name}` routes this host; for a timeout, retries or other options, give clients another name: \
             `host {name}.internal {{ route all -> {name} {{ rewrite host {pattern}; timeout 5s }} }}`"
        )),
        Place::Gateway(_) => report.help(format!(
            "remove this host: `via` of external `{name}` makes its routes at the gateway"
        )),
    }
}

/// H12: every name must be served by some gateway that the host is bound to. Where the block is called inside the mesh too, or another
/// of its gateways serves the name, nobody asks the others for it. A gateway that serves none of the names gets nothing of the block.
pub(super) fn coverage(context: &Context<'_>, reports: &mut Vec<Diagnostic>) {
    let mut served: FxHashMap<Id<Resource<Gateway>>, Names> = FxHashMap::default();
    for (_, host) in context.model.hosts.iter() {
        let bound = bound(context, host);
        for one in &bound {
            served.entry(one.id).or_insert_with(|| names_of(one.gateway));
        }
        let own = Some(host.namespace_name());
        let serves = |one: &Bound<'_>, pattern: &HostPattern| {
            let names = served.get(&one.id);
            names.is_some_and(|names| names.overlap(None, pattern) || names.overlap(own, pattern))
        };
        let is_whole = bound.iter().all(|one| !one.gateway.incomplete);
        let before = reports.len();
        if let Some(first) = bound.first().filter(|_| is_whole && !host.in_mesh()) {
            let lost = |(pattern, _): &(&HostPattern, Span)| !bound.iter().any(|one| serves(one, pattern));
            let all = host.patterns().filter(lost);
            reports.extend(all.map(|(pattern, span)| not_served(first.gateway, pattern, span)));
        }
        if reports.len() > before {
            continue;
        }
        // One whose names lead nowhere is reported as that.
        if host.patterns().next().is_none() {
            continue;
        }
        for one in bound.iter().filter(|one| !one.gateway.incomplete) {
            if !host.patterns().any(|(pattern, _)| serves(one, pattern)) {
                reports.push(serves_nothing(one.gateway, host, one.span));
            }
        }
    }
}

/// A gateway that a host block is bound to.
struct Bound<'m> {
    id: Id<Resource<Gateway>>,
    gateway: &'m Resource<Gateway>,
    /// The binding.
    span: Span,
}

fn bound<'m>(context: &Context<'m>, host: &Host) -> Vec<Bound<'m>> {
    let gateways = &context.model.mesh.gateways;
    host.gateways().filter_map(|(id, span)| Some(Bound { id, gateway: gateways.get(id)?, span })).collect()
}

fn serves_nothing(gateway: &Resource<Gateway>, host: &Host, span: Span) -> Diagnostic {
    let name = &gateway.name.value;
    let message = format!("gateway `{name}` serves none of the names of this host");
    let report = Diagnostic::new(Code::HOST_NOT_SERVED, span, message)
        .related(gateway.name.span, "the gateway")
        .consequence("requests for them would get 404 there");
    match host.patterns().next() {
        Some((pattern, _)) => report
            .help(format!("add `{pattern}` to the `hosts` of one of its listeners, or remove the gateway")),
        None => report.help("remove the gateway"),
    }
}

/// The names that a gateway serves.
fn names_of(gateway: &Resource<Gateway>) -> Names {
    let mut names = Names::default();
    let listeners = gateway.body.listeners.iter();
    for served in listeners.flat_map(|listener| listener.body.hosts.iter().flat_map(|hosts| hosts.iter())) {
        names.add(served.value.admitted(gateway.namespace_name()), &served.value.host);
    }
    names
}

fn not_served(gateway: &Resource<Gateway>, pattern: &HostPattern, span: Span) -> Diagnostic {
    let listeners = gateway.body.listeners.iter();
    let served: Vec<String> = listeners
        .flat_map(|listener| listener.body.hosts.iter().flat_map(|hosts| hosts.iter()))
        .map(|served| served.value.host.to_string())
        .collect();
    let message = format!("gateway `{}` does not serve `{pattern}`", gateway.name.value);
    let report = Diagnostic::new(Code::HOST_NOT_SERVED, span, message)
        .related(gateway.name.span, "the gateway")
        .consequence("requests for it would get 404 there");
    match did_you_mean(pattern.as_str(), served.iter().map(String::as_str)) {
        Some(near) => report.help(format!("it serves `{near}`: is one of the two misspelt?")),
        None => report
            .help(format!("add `{pattern}` to the `hosts` of one of its listeners, or remove the gateway")),
    }
}
