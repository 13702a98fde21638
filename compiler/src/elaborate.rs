//! From statements to the model: unfold templates and loops, read items, have their names resolved.

use crate::declared::{Bindings, Host, Raw};
use crate::model::{DestinationId, External, Gateway, HostOf, Mesh, Model, Port, Resource, Service, Subset};
use crate::policy::TrafficPolicy;
use crate::project::{Definitions, ModuleId, item_budget};
use crate::reading::{Accepted, Application, Degradation, Keyword, Reader, Scope};
use crate::resolve::Resolver;
use crate::values::Word;
use meshc_language::{Applicability, Code, Diagnostic, Span, Spanned, Statement};
use rayon::prelude::*;
use rustc_hash::FxHashSet;
use smol_str::SmolStr;
use std::sync::Arc;

/// The kinds of item, by keyword.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ItemKind {
    Gateway,
    Host,
    Service,
    External,
    Raw,
    Bindings,
}

/// An item after templates and loops have been unfolded.
struct Instance<'p> {
    kind: ItemKind,
    statement: Statement<'p>,
    module: ModuleId,
    scope: Option<Arc<Scope>>,
}

/// What elaboration returns beside the model.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) reports: Vec<Diagnostic>,
    pub(crate) accepted: Vec<Accepted>,
    pub(crate) degradations: Vec<Degradation>,
    pub(crate) applications: Vec<Application>,
    /// Whether an item or a route was lost: absences then prove nothing.
    pub(crate) lost: bool,
    /// The first statement that was lost.
    pub(crate) lost_at: Option<Span>,
    /// Namespace and name of what starts with a word that no item starts with: it may be whatever is not found.
    unread: Vec<(Option<SmolStr>, SmolStr)>,
}

/// Builds the model of one environment.
pub(crate) fn elaborate(definitions: &Definitions<'_>, cluster_domain: &str, found: &mut Found) -> Model {
    let instances = instances(definitions, found);
    let mut model = Model { environment: definitions.environment.clone(), ..Model::default() };
    model.mesh.cluster_domain = SmolStr::new(cluster_domain);
    read_destinations(definitions, &instances, &mut model.mesh, found);
    let hosts = read_all::<Host>(definitions, &instances, ItemKind::Host, found);
    for host in resolve_all(definitions, &model.mesh, hosts, |resolver, host| resolver.host(host), found) {
        model.hosts.add(host);
    }
    let raw = read_all::<Raw>(definitions, &instances, ItemKind::Raw, found);
    model.raw = raw.into_iter().filter_map(|(_, raw)| raw).collect();
    let bindings = read_all::<Bindings>(definitions, &instances, ItemKind::Bindings, found);
    model.bindings =
        resolve_all(definitions, &model.mesh, bindings, |resolver, one| resolver.bindings(one), found);
    model.degradations = definitions.degradations.clone();
    model.degradations.append(&mut found.degradations);
    // A loop applies a template often, at one place.
    let mut known: FxHashSet<(Span, Span)> = FxHashSet::default();
    model.applications =
        found.applications.drain(..).filter(|one| known.insert((one.at, one.template))).collect();
    model
}

/// All items in order: files by name, statements as they stand, templates where they are applied.
fn instances<'p>(definitions: &Definitions<'p>, found: &mut Found) -> Vec<Instance<'p>> {
    let mut instances = Vec::new();
    let mut unread = Vec::new();
    for (index, module) in definitions.modules.iter().enumerate() {
        let id = ModuleId(index as u32);
        let mut cx = Reader::new(definitions, id, None);
        cx.each(module.items.iter().copied(), &mut |statement, cx| {
            let keyword = statement.keyword().and_then(|keyword| keyword.word()).unwrap_or_default();
            let Some(kind) = item_kind(keyword) else {
                report_unknown_item(keyword, statement, cx);
                let name = statement.arguments().next().map_or("", |name| name.written());
                let namespace = cx.namespace().map(|namespace| SmolStr::new(namespace.as_str()));
                unread.push((namespace, SmolStr::new(name)));
                return;
            };
            // An item belongs to the namespace of the file that applies the template, not of the template.
            let scope = (!cx.scope.is_empty()).then(|| Arc::new(cx.scope.clone()));
            instances.push(Instance { kind, statement, module: cx.module, scope });
        });
        found.lost |= cx.lost;
        found.reports.append(&mut cx.reports);
        found.accepted.append(&mut cx.accepted);
        found.degradations.append(&mut cx.degradations);
        found.applications.append(&mut cx.applications);
    }
    found.unread = unread;
    instances
}

fn item_kind(keyword: &str) -> Option<ItemKind> {
    Some(match keyword {
        "gateway" => ItemKind::Gateway,
        "host" => ItemKind::Host,
        "service" => ItemKind::Service,
        "external" => ItemKind::External,
        "raw" => ItemKind::Raw,
        "bindings" => ItemKind::Bindings,
        _ => return None,
    })
}

#[cold]
fn report_unknown_item(keyword: &str, statement: Statement<'_>, cx: &mut Reader<'_, '_>) {
    cx.lost = true;
    let span = statement.keyword().map_or(statement.head(), |keyword| keyword.span());
    if crate::reference::LATER.contains(&keyword) {
        let message = format!("`{keyword}` is not built yet");
        let report = Diagnostic::new(Code::NOT_YET, span, message);
        cx.report(
            report
                .consequence("nothing is compiled while it is here")
                .help("remove it until a later version has it"),
        );
        return;
    }
    if !cx.scope.applied.is_empty() && crate::reference::is_definition(keyword) {
        let message = format!("a template cannot hold `{keyword}`");
        cx.report(
            Diagnostic::new(Code::UNKNOWN_KEYWORD, span, message).help("declare it at the top of a file"),
        );
        return;
    }
    if let Some(right) = crate::reference::foreign_item(keyword).filter(|right| *right != keyword) {
        let example = crate::reference::example(right).unwrap_or(right);
        let edit = meshc_language::Edit { span, replacement: right.to_owned() };
        cx.foreign(span, example, Applicability::Unsafe, vec![edit]);
        return;
    }
    if crate::reference::is_definition(keyword) {
        cx.report(definition_in_block(keyword, span));
        return;
    }
    if keyword.is_empty() {
        let report = Diagnostic::new(Code::UNKNOWN_KEYWORD, span, "an item begins with a word");
        let items = crate::reading::listed(&crate::reference::item_keywords());
        cx.report(report.consequence("it is not compiled").help(format!("an item is one of {items}")));
        return;
    }
    let items = crate::reference::item_keywords();
    let homes = crate::reference::homes(keyword);
    let report = Diagnostic::new(Code::UNKNOWN_KEYWORD, span, format!("there is no item `{keyword}`"))
        .consequence("it is not compiled");
    cx.report(match crate::values::did_you_mean(keyword, items.iter().copied()) {
        Some(meant) => {
            report.help(format!("did you mean `{meant}`?")).edit(Applicability::Unsafe, span, meant)
        }
        None if !homes.is_empty() => {
            report.help(format!("`{keyword}` belongs inside {}", crate::reading::listed(&homes)))
        }
        None => report.help(format!("an item is one of {}", crate::reading::listed(&items))),
    });
}

/// The report for a definition, or what shapes a file, inside of `in` or `for`.
fn definition_in_block(keyword: &str, span: meshc_language::Span) -> Diagnostic {
    let message = format!("`{keyword}` is allowed at the top of a file only");
    Diagnostic::new(Code::UNKNOWN_KEYWORD, span, message).consequence("it is not compiled").help(
        match keyword {
            "namespace" => {
                "make it a parameter: `param $ns: namespace`, `namespace $ns`, and a value in each `env`"
            }
            "const" | "param" => {
                "declare a parameter at the top: `param $limit: duration`, and a value in each `env`"
            }
            _ => "declare it at the top of a file, and use it in the block",
        },
    )
}

/// Reads all items of one kind, in parallel. `None` where one could not be read.
fn read_all<'i, 'p, T: Keyword + Send>(
    definitions: &Definitions<'p>,
    instances: &'i [Instance<'p>],
    kind: ItemKind,
    found: &mut Found,
) -> Vec<(&'i Instance<'p>, Option<Resource<T>>)> {
    let chosen: Vec<&Instance<'p>> = instances.iter().filter(|instance| instance.kind == kind).collect();
    let made = instances.iter().filter(|instance| instance.scope.is_some()).count();
    let read: Vec<(Option<Resource<T>>, Found)> = chosen
        .par_iter()
        .with_min_len(8)
        .map(|instance| {
            let mut cx = Reader::new(definitions, instance.module, instance.scope.clone());
            cx.budget = item_budget(instance.scope.as_ref().map(|_| made));
            let declared = T::read_statement(instance.statement, &mut cx);
            let resource = declared.map(|declared| Resource {
                declared,
                namespace: cx.namespace().cloned(),
                module: instance.module,
                applied: instance.scope.as_ref().map_or(Vec::new(), |scope| scope.applied.clone()),
                incomplete: cx.lost,
                faulty: cx.lost || cx.reports.iter().any(Diagnostic::leaves_a_hole),
            });
            let lost = cx.lost || resource.is_none();
            let head = resource.is_none().then(|| instance.statement.head());
            let found = Found {
                reports: cx.reports,
                accepted: cx.accepted,
                degradations: cx.degradations,
                applications: cx.applications,
                lost,
                lost_at: cx.lost_at.or(head),
                unread: Vec::new(),
            };
            (resource, found)
        })
        .collect();
    let mut resources = Vec::with_capacity(read.len());
    for (instance, (resource, one)) in chosen.into_iter().zip(read) {
        found.lost |= one.lost;
        found.lost_at = found.lost_at.or(one.lost_at);
        found.reports.extend(one.reports);
        found.accepted.extend(one.accepted);
        found.degradations.extend(one.degradations);
        found.applications.extend(one.applications);
        resources.push((instance, resource));
    }
    resources
}

/// Resolves what items name, in parallel.
fn resolve_all<D: Send, T: Send>(
    definitions: &Definitions<'_>,
    mesh: &Mesh,
    declared: Vec<(&Instance<'_>, Option<Resource<D>>)>,
    resolve: fn(&mut Resolver<'_, '_>, D) -> T,
    found: &mut Found,
) -> Vec<Resource<T>> {
    let resolved: Vec<(Resource<T>, Vec<Diagnostic>, bool)> = declared
        .into_iter()
        .filter_map(|(_, resource)| resource)
        .collect::<Vec<_>>()
        .into_par_iter()
        .with_min_len(8)
        .map(|resource| {
            let (place, declared) = resource.with(());
            let mut resolver = Resolver::new(definitions, mesh, &place);
            let item = resolve(&mut resolver, declared);
            let Resolver { reports, lost, .. } = resolver;
            let is_faulty = lost || reports.iter().any(Diagnostic::leaves_a_hole);
            let (mut resource, ()) = place.with(item);
            resource.incomplete |= lost;
            resource.faulty |= is_faulty;
            (resource, reports, lost)
        })
        .collect();
    let mut resources = Vec::with_capacity(resolved.len());
    for (resource, reports, lost) in resolved {
        found.lost |= lost;
        found.reports.extend(reports);
        resources.push(resource);
    }
    resources
}

fn read_destinations<'p>(
    definitions: &Definitions<'p>,
    instances: &[Instance<'p>],
    mesh: &mut Mesh,
    found: &mut Found,
) {
    for name in std::mem::take(&mut found.unread) {
        mesh.directory.add_broken(name);
    }
    read_named::<Gateway>(definitions, instances, ItemKind::Gateway, add_gateway, mesh, found);
    read_named::<Service>(definitions, instances, ItemKind::Service, add_service, mesh, found);
    read_named::<External>(definitions, instances, ItemKind::External, add_external, mesh, found);
    link(definitions, mesh, found);
}

/// Reads all items of one kind and enters their names; also the name of one that could not be read, so that it is not
/// reported a second time where it is used.
fn read_named<'p, T: Keyword + Send>(
    definitions: &Definitions<'p>,
    instances: &[Instance<'p>],
    kind: ItemKind,
    add: fn(Resource<T>, &mut Mesh, &mut Found),
    mesh: &mut Mesh,
    found: &mut Found,
) {
    for (instance, read) in read_all::<T>(definitions, instances, kind, found) {
        match read {
            Some(resource) => add(resource, mesh, found),
            None => {
                let cx = Reader::new(definitions, instance.module, instance.scope.clone());
                let namespace = cx.namespace().map(|namespace| SmolStr::new(namespace.as_str()));
                let name = instance.statement.arguments().next().map_or("", |name| name.written());
                mesh.directory.add_broken((namespace, SmolStr::new(name)));
                mesh.directory.has_broken_external |= kind == ItemKind::External;
            }
        }
    }
}

fn key<T>(resource: &Resource<T>, name: &str) -> (Option<SmolStr>, SmolStr) {
    (resource.namespace_name().map(SmolStr::new), SmolStr::new(name))
}

fn declared_twice(
    what: &str,
    name: &Spanned<crate::values::DnsLabel>,
    earlier: meshc_language::Span,
) -> Diagnostic {
    let message = format!("{what} `{}` is declared twice", name.value);
    Diagnostic::new(Code::DUPLICATE_DECLARATION, name.span, message)
        .related(earlier, "first declared here")
        .consequence("Istio would merge the two in an order that is not yours")
        .help("merge the two declarations")
}

fn add_gateway(gateway: Resource<Gateway>, mesh: &mut Mesh, found: &mut Found) {
    let name = gateway.name.clone();
    let key = key(&gateway, name.value.as_str());
    let id = mesh.gateways.add(gateway);
    if let Some(earlier) = mesh.directory.add_gateway(key, id, name.span) {
        found.reports.push(declared_twice("gateway", &name, earlier));
    }
}

fn add_service(service: Resource<Service>, mesh: &mut Mesh, found: &mut Found) {
    let name = service.name.clone();
    let key = key(&service, name.value.as_str());
    let host = mesh.service_host(&service);
    let is_full = host.contains('.');
    let ports = service.body.ports.iter().map(|port| port.number.value.get()).collect();
    let namespace = service.namespace_name().map(SmolStr::new);
    let id = DestinationId::Service(mesh.services.add(service));
    let known = HostOf { id, namespace, ports };
    if let Some(earlier) = mesh.directory.add(key, id, name.span) {
        found.reports.push(declared_twice("service or external", &name, earlier));
    } else if is_full {
        mesh.directory.add_host(host, known);
    }
}

fn add_external(external: Resource<External>, mesh: &mut Mesh, found: &mut Found) {
    let name = external.name.clone();
    let key = key(&external, name.value.as_str());
    let hosts = external.body.hosts.clone().map_or(Vec::new(), |hosts| hosts.0);
    let ports: Vec<u16> = external.body.ports.iter().map(|port| port.number.value.get()).collect();
    let namespace = external.namespace_name().map(SmolStr::new);
    let id = DestinationId::External(mesh.externals.add(external));
    if let Some(earlier) = mesh.directory.add(key, id, name.span) {
        found.reports.push(declared_twice("service or external", &name, earlier));
    }
    for host in hosts {
        let known = HostOf { id, namespace: namespace.clone(), ports: ports.clone() };
        mesh.directory.add_host(SmolStr::new(host.value.as_str()), known);
    }
}

/// Resolves what services, externals and gateways say of each other, and puts in the policies that they name.
fn link(definitions: &Definitions<'_>, mesh: &mut Mesh, found: &mut Found) {
    let mut services = std::mem::take(&mut mesh.services);
    for service in services.iter_mut() {
        let place = service.place();
        let mut resolver = Resolver::new(definitions, mesh, &place);
        let body = &mut service.declared.body;
        put_policies(&mut body.traffic, &mut body.policies, &mut resolver);
        put_subset_policies(&mut body.subsets, &mut resolver);
        complete_ports(&mut body.ports, &body.traffic);
        finish(resolver, found);
    }
    mesh.services = services;
    let mut externals = std::mem::take(&mut mesh.externals);
    for external in externals.iter_mut() {
        let place = external.place();
        let mut resolver = Resolver::new(definitions, mesh, &place);
        let body = &mut external.declared.body;
        put_policies(&mut body.traffic, &mut body.policies, &mut resolver);
        put_subset_policies(&mut body.subsets, &mut resolver);
        complete_ports(&mut body.ports, &body.traffic);
        if let Some(via) = &body.via {
            external.declared.egress = resolver.egress(via);
        }
        finish(resolver, found);
    }
    mesh.externals = externals;
    let mut gateways = std::mem::take(&mut mesh.gateways);
    for gateway in gateways.iter_mut() {
        let place = gateway.place();
        let mut resolver = Resolver::new(definitions, mesh, &place);
        if let Some(service) = &gateway.declared.body.service {
            gateway.declared.front = resolver.front(service);
        }
        finish(resolver, found);
    }
    mesh.gateways = gateways;
}

fn finish(resolver: Resolver<'_, '_>, found: &mut Found) {
    found.lost |= resolver.reports.iter().any(Diagnostic::leaves_a_hole);
    found.reports.extend(resolver.reports);
}

fn put_subset_policies(subsets: &mut [Subset], resolver: &mut Resolver<'_, '_>) {
    for subset in subsets {
        put_policies(&mut subset.body.traffic, &mut subset.body.policies, resolver);
    }
}

/// What a port does not say of itself holds as its service says. Istio would take the policy of a port as a whole.
fn complete_ports(ports: &mut [Port], traffic: &TrafficPolicy) {
    for port in ports.iter_mut().filter(|port| !port.traffic.is_empty()) {
        port.traffic.inherit(traffic);
    }
}

fn put_policies(
    traffic: &mut TrafficPolicy,
    policies: &mut Vec<Spanned<Word>>,
    resolver: &mut Resolver<'_, '_>,
) {
    let names = std::mem::take(policies);
    crate::resolve::put_policies(
        traffic,
        &names,
        |body| &body.traffic,
        resolver,
        |name, body, resolver| {
            if !body.route.is_empty() {
                let message =
                    format!("policy `{}` has statements of routes, not of destinations", name.value);
                let report = Diagnostic::new(Code::WRONG_SIDE, name.span, message);
                resolver.report(report.help("use it in a `route`"));
            }
        },
    );
}
