//! From statements to declared items: templates and loops unfolded, each item read by its own text.

use super::unknown_item::report_unknown_item;
use super::{Bindings, External, Gateway, Host, Raw, Resource, Service};
use crate::project::{Definitions, ModuleId, item_budget};
use crate::reading::{Findings, Keyword, Reader, Scope};
use meshc_language::{Diagnostic, Statement};
use rayon::prelude::*;
use smol_str::SmolStr;
use std::sync::Arc;

/// All items of a project in one environment, each as it is written.
#[derive(Clone, Debug, Default)]
pub struct Declared {
    /// Gateways, in order of declaration, as all the others.
    pub gateways: Vec<Resource<Gateway>>,
    /// Services inside the mesh.
    pub services: Vec<Resource<Service>>,
    /// What the platform does not know.
    pub externals: Vec<Resource<External>>,
    /// Hosts with their routes.
    pub hosts: Vec<Resource<Host>>,
    /// Raw configuration.
    pub raw: Vec<Resource<Raw>>,
    /// Addresses and certificates for raw proxies.
    pub bindings: Vec<Resource<Bindings>>,
    /// Items that could not be read: their names are not reported a second time where they are used.
    pub unread: Vec<Unread>,
}

/// What is known of an item that could not be read.
#[derive(Clone, Debug)]
pub struct Unread {
    /// Its namespace.
    pub namespace: Option<SmolStr>,
    /// Its name, as it is written.
    pub name: SmolStr,
    /// Whether it is an external, whose hosts nobody knows then.
    pub is_external: bool,
}

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

impl ItemKind {
    fn of_keyword(keyword: &str) -> Option<Self> {
        Some(match keyword {
            "gateway" => Self::Gateway,
            "host" => Self::Host,
            "service" => Self::Service,
            "external" => Self::External,
            "raw" => Self::Raw,
            "bindings" => Self::Bindings,
            _ => return None,
        })
    }
}

/// An item after templates and loops have been unfolded.
struct Instance<'p> {
    kind: ItemKind,
    statement: Statement<'p>,
    module: ModuleId,
    scope: Option<Arc<Scope>>,
}

/// Reads all items of a project in one environment.
pub(crate) fn declare(definitions: &Definitions<'_>, findings: &mut Findings) -> Declared {
    let mut unread = Vec::new();
    let instances = instances(definitions, &mut unread, findings);
    let mut items = Items { definitions, instances: &instances, unread, findings };
    Declared {
        gateways: items.of_kind::<Gateway>(ItemKind::Gateway),
        services: items.of_kind::<Service>(ItemKind::Service),
        externals: items.of_kind::<External>(ItemKind::External),
        hosts: items.of_kind::<Host>(ItemKind::Host),
        raw: items.of_kind::<Raw>(ItemKind::Raw),
        bindings: items.of_kind::<Bindings>(ItemKind::Bindings),
        unread: items.unread,
    }
}

/// All items in order: files by name, statements as they stand, templates where they are applied.
fn instances<'p>(
    definitions: &Definitions<'p>,
    unread: &mut Vec<Unread>,
    findings: &mut Findings,
) -> Vec<Instance<'p>> {
    let mut instances = Vec::new();
    for (index, module) in definitions.modules.iter().enumerate() {
        let id = ModuleId(index as u32);
        let mut cx = Reader::new(definitions, id, None);
        cx.each(module.items.iter().copied(), &mut |statement, cx| {
            let keyword = statement.keyword().and_then(|keyword| keyword.word()).unwrap_or_default();
            let Some(kind) = ItemKind::of_keyword(keyword) else {
                report_unknown_item(keyword, statement, cx);
                // It may be whatever is not found.
                unread.push(unread_item(statement, false, cx));
                return;
            };
            // An item belongs to the namespace of the file that applies the template, not of the template.
            let scope = (!cx.scope.is_empty()).then(|| Arc::new(cx.scope.clone()));
            instances.push(Instance { kind, statement, module: cx.module, scope });
        });
        findings.take(cx);
    }
    instances
}

fn unread_item(statement: Statement<'_>, is_external: bool, cx: &Reader<'_, '_>) -> Unread {
    let name = statement.arguments().next().map_or("", |name| name.written());
    let namespace = cx.namespace().map(|namespace| SmolStr::new(namespace.as_str()));
    Unread { namespace, name: SmolStr::new(name), is_external }
}

/// The items of a project, while they are read.
struct Items<'i, 'p> {
    definitions: &'i Definitions<'p>,
    instances: &'i [Instance<'p>],
    unread: Vec<Unread>,
    findings: &'i mut Findings,
}

impl<'p> Items<'_, 'p> {
    /// Reads all items of one kind, in parallel.
    fn of_kind<T: Keyword + Send>(&mut self, kind: ItemKind) -> Vec<Resource<T>> {
        let chosen: Vec<&Instance<'p>> =
            self.instances.iter().filter(|instance| instance.kind == kind).collect();
        let made = self.instances.iter().filter(|instance| instance.scope.is_some()).count();
        let definitions = self.definitions;
        let read: Vec<(Result<Resource<T>, Unread>, Findings)> = chosen
            .par_iter()
            .with_min_len(8)
            .map(|instance| read_item(definitions, instance, made))
            .collect();
        let mut resources = Vec::with_capacity(read.len());
        for (item, findings) in read {
            self.findings.add(findings);
            match item {
                Ok(resource) => resources.push(resource),
                Err(unread) => self.unread.push(unread),
            }
        }
        resources
    }
}

/// Reads one item; `made` is how many of all items are made by templates and loops.
fn read_item<'p, T: Keyword>(
    definitions: &Definitions<'p>,
    instance: &Instance<'p>,
    made: usize,
) -> (Result<Resource<T>, Unread>, Findings) {
    let mut cx = Reader::new(definitions, instance.module, instance.scope.clone());
    cx.budget = item_budget(instance.scope.as_ref().map(|_| made));
    let item = match T::read_statement(instance.statement, &mut cx) {
        Some(declared) => Ok(Resource {
            declared,
            namespace: cx.namespace().cloned(),
            module: instance.module,
            applied: instance.scope.as_ref().map_or(Vec::new(), |scope| scope.applied.clone()),
            incomplete: cx.lost,
            faulty: cx.lost || cx.reports.iter().any(Diagnostic::leaves_a_hole),
        }),
        None => {
            cx.lose(instance.statement);
            Err(unread_item(instance.statement, instance.kind == ItemKind::External, &cx))
        }
    };
    let mut findings = Findings::default();
    findings.take(cx);
    (item, findings)
}
