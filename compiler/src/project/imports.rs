//! `use`: what modules bring in from each other.

use super::definitions::{Definitions, Import};
use super::{ModuleId, Project};
use crate::reading::listed;
use crate::values::did_you_mean;
use meshc_language::{Applicability, Code, Diagnostic, Span};
use smol_str::SmolStr;

pub(super) struct Use<'p> {
    pub(super) module: &'p str,
    pub(super) names: Vec<(SmolStr, Span)>,
    pub(super) span: Span,
}

impl<'p> Definitions<'p> {
    /// Enters what a module brings in; reports modules that do not exist.
    pub(super) fn collect_uses(&mut self, id: ModuleId, uses: Vec<Use<'p>>, reports: &mut Vec<Diagnostic>) {
        for one in uses {
            let Some(target) = self.module_names.get(one.module).copied() else {
                reports.push(self.unknown_module(one.module, one.span));
                if let Some(module) = self.modules.get_mut(id.0 as usize) {
                    module.broken.extend(one.names.into_iter().map(|(name, _)| name));
                }
                continue;
            };
            if target == id {
                reports.push(
                    Diagnostic::new(Code::IMPORT_CYCLE, one.span, "a module cannot import itself")
                        .help("remove this line: a module sees its own definitions"),
                );
                continue;
            }
            let Some(module) = self.modules.get_mut(id.0 as usize) else { continue };
            module
                .imports
                .extend(one.names.into_iter().map(|(name, span)| (name, Import { module: target, span })));
        }
    }

    /// Reports imports of what does not exist or is private, and circles of modules.
    pub(super) fn check_imports(&mut self, reports: &mut Vec<Diagnostic>) {
        let mut edges: Vec<(ModuleId, ModuleId, Span)> = Vec::new();
        for (index, module) in self.modules.iter().enumerate() {
            let id = ModuleId(index as u32);
            for (name, import) in &module.imports {
                edges.push((id, import.module, import.span));
                reports.extend(self.bad_import(name, import));
            }
        }
        reports.extend(import_cycle(&edges, self.project));
    }

    fn unknown_module(&self, name: &str, span: Span) -> Diagnostic {
        let report = Diagnostic::new(Code::UNKNOWN_MODULE, span, format!("there is no module `{name}`"));
        match did_you_mean(name, self.project.modules.iter().map(String::as_str)) {
            Some(meant) => {
                report.help(format!("did you mean `{meant}`?")).edit(Applicability::Unsafe, span, meant)
            }
            None if name.starts_with("std") => {
                let modules = self.project.modules.iter().filter(|module| module.starts_with("std."));
                let modules: Vec<&String> = modules.collect();
                report.help(format!("the standard library has {}", listed(&modules)))
            }
            None => report.help("a module is a file: `platform/defaults.mesh` is `platform.defaults`"),
        }
    }

    fn bad_import(&self, name: &str, import: &Import) -> Option<Diagnostic> {
        let target = self.module(import.module)?;
        let target_name = self.project.modules.get(import.module.0 as usize)?;
        let Some(definition) = target.definitions.get(name) else {
            let message = format!("module `{target_name}` defines no `{name}`");
            let report = Diagnostic::new(Code::UNKNOWN_DEFINITION, import.span, message);
            let public = target.definitions.iter().filter(|(_, definition)| definition.public);
            let names: Vec<&str> = public.map(|(name, _)| name.as_str()).collect();
            return Some(match did_you_mean(name, names.iter().copied()) {
                Some(meant) => report.help(format!("did you mean `{meant}`?")).edit(
                    Applicability::Unsafe,
                    import.span,
                    meant,
                ),
                None if names.is_empty() => report.help("it has no public definitions"),
                None => report.help(format!("it defines {}", names.join(", "))),
            });
        };
        if definition.public {
            return None;
        }
        let message = format!("`{name}` is private to module `{target_name}`");
        Some(
            Diagnostic::new(Code::NOT_PUBLIC, import.span, message)
                .related(definition.span, "declared here")
                .help("write `pub` before its declaration")
                .edit(Applicability::Unsafe, definition.statement.span().before(), "pub "),
        )
    }
}

/// One report for each circle of modules, at the import that closes it.
fn import_cycle(edges: &[(ModuleId, ModuleId, Span)], project: &Project) -> Vec<Diagnostic> {
    let graph = petgraph::graphmap::DiGraphMap::<u32, ()>::from_edges(
        edges.iter().map(|(from, to, _)| (from.0, to.0)),
    );
    let name = |id: u32| project.modules.get(id as usize).map_or("", String::as_str);
    // Tarjan's way would go as deep as a chain of modules is long.
    let mut cycles: Vec<Vec<u32>> =
        petgraph::algo::kosaraju_scc(&graph).into_iter().filter(|modules| modules.len() > 1).collect();
    for cycle in &mut cycles {
        cycle.sort_unstable();
    }
    cycles.sort();
    let report = |cycle: &Vec<u32>| {
        let holds = |module: ModuleId| cycle.binary_search(&module.0).is_ok();
        let inside = |edge: &&(ModuleId, ModuleId, Span)| holds(edge.0) && holds(edge.1);
        let mut places = edges.iter().filter(inside);
        let first = places.next()?;
        let names: Vec<String> = cycle.iter().map(|id| format!("`{}`", name(*id))).collect();
        let message = format!("modules {} import each other", names.join(", "));
        let mut report = Diagnostic::new(Code::IMPORT_CYCLE, first.2, message)
            .help("move what they share into a module that imports neither");
        for (_, _, span) in places.filter(|edge| edge.0 != first.0) {
            report = report.related(*span, "and back here");
        }
        Some(report)
    };
    cycles.iter().filter_map(report).collect()
}
