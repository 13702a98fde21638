//! What modules define: constants, parameters, policies, retries, templates; and how names lead to them.

use super::imports::Use;
use super::parameter::ParameterType;
use super::{ModuleId, Project, variables};
use crate::policy::{RetryPolicy, SharedRouteOptions, TrafficPolicy};
use crate::reading::{Accepted, Degradation, Reader, Value, section};
use crate::values::{Literal, Namespace, Word};
use indexmap::IndexMap;
use meshc_language::{Applicability, Arguments, Code, Diagnostic, Span, Spanned, Statement};
use rustc_hash::FxHashMap;
use smol_str::SmolStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

section! {
    /// The statements of a `policy`: those of one side, routing or calling.
    pub struct PolicyBody {}
    flatten { route: SharedRouteOptions, traffic: TrafficPolicy }
}

/// What a definition is.
#[derive(Clone, Debug)]
pub enum DefinitionKind<'p> {
    /// `const $x = v` or `param $x: type = v`, and its value once it is known.
    Variable {
        /// The type of a parameter.
        parameter: Option<ParameterType>,
        /// What stands behind `=`, and the module whose names it uses.
        source: Option<(ModuleId, Arguments<'p>)>,
        /// The value; `None` also if it could not be read.
        value: Option<Value>,
        /// Whether `value` is final.
        known: bool,
    },
    /// `policy NAME { ... }`.
    Policy(Option<Arc<PolicyBody>>),
    /// `retry NAME { ... }`.
    Retry(Option<Arc<RetryPolicy>>),
    /// `template NAME(...) { ... }`.
    Template,
}

/// A definition of a module.
#[derive(Debug)]
pub struct Definition<'p> {
    /// What it is.
    pub kind: DefinitionKind<'p>,
    /// Whether other modules may use it.
    pub public: bool,
    /// Its statement, `pub` included.
    pub statement: Statement<'p>,
    /// Its name.
    pub span: Span,
    pub(crate) used: AtomicBool,
}

/// A name brought in by `use`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Import {
    pub(crate) module: ModuleId,
    pub(crate) span: Span,
}

/// A module: its namespace, its imports and its definitions. Variables are listed with their `$`.
#[derive(Debug, Default)]
pub struct Module<'p> {
    /// `namespace NAME`.
    pub namespace: Option<Spanned<Namespace>>,
    pub(crate) imports: IndexMap<SmolStr, Import>,
    /// Names brought in from a module that does not exist: reported there, not again where they are used.
    pub(crate) broken: Vec<SmolStr>,
    /// The definitions by name.
    pub definitions: IndexMap<SmolStr, Definition<'p>>,
    pub(crate) items: Vec<Statement<'p>>,
}

/// All definitions of a project in one environment.
#[derive(Debug)]
pub struct Definitions<'p> {
    /// The project.
    pub project: &'p Project,
    /// The environment, if the project has any.
    pub environment: Option<SmolStr>,
    /// Its modules.
    pub modules: Vec<Module<'p>>,
    /// The environments of the project, with each place that declares them.
    pub environments: IndexMap<SmolStr, Vec<Span>>,
    /// Exemptions in front of definitions.
    pub(crate) accepted: Vec<Accepted>,
    /// Losses that definitions accept.
    pub(crate) degradations: Vec<Degradation>,
    pub(crate) expanded: AtomicU32,
    pub(super) module_names: FxHashMap<&'p str, ModuleId>,
}

impl<'p> Definitions<'p> {
    /// Reads the definitions of a project for one environment.
    #[must_use]
    pub fn read(project: &'p Project, environment: Option<SmolStr>, reports: &mut Vec<Diagnostic>) -> Self {
        let module_names = project
            .modules
            .iter()
            .enumerate()
            .map(|(index, name)| (name.as_str(), ModuleId(index as u32)))
            .collect();
        let mut definitions = Self {
            project,
            environment,
            modules: Vec::new(),
            environments: IndexMap::new(),
            accepted: Vec::new(),
            degradations: Vec::new(),
            expanded: AtomicU32::new(0),
            module_names,
        };
        let mut bindings = Vec::new();
        for (index, (tree, file)) in project.trees.iter().zip(&project.files).enumerate() {
            let mut collector = Collector {
                id: ModuleId(index as u32),
                module: Module::default(),
                uses: Vec::new(),
                environments: &mut definitions.environments,
                bindings: &mut bindings,
                reports,
            };
            for statement in tree.statements(&file.text) {
                collector.statement(statement);
            }
            let Collector { module, uses, .. } = collector;
            definitions.modules.push(module);
            definitions.collect_uses(ModuleId(index as u32), uses, reports);
        }
        definitions.check_imports(reports);
        definitions.evaluate(&bindings, reports);
        definitions.read_attributes(reports);
        definitions.read_bodies(reports);
        definitions
    }

    /// The names of the environments that a project declares, in order.
    pub(crate) fn environment_list(project: &Project) -> Vec<SmolStr> {
        let mut names: Vec<SmolStr> = Vec::new();
        for (tree, file) in project.trees.iter().zip(&project.files) {
            for statement in tree.statements(&file.text).filter(|statement| statement.is("env")) {
                let name = statement.arguments().next().and_then(|name| name.word()).map(SmolStr::new);
                names.extend(name.filter(|name| Word::parse(name).is_ok() && !names.contains(name)));
            }
        }
        names
    }

    /// The environments by name, in the order of declaration.
    pub fn environment_names(&self) -> impl Iterator<Item = &SmolStr> {
        self.environments.keys()
    }

    /// The module, if the number is one.
    #[must_use]
    pub fn module(&self, id: ModuleId) -> Option<&Module<'p>> {
        self.modules.get(id.0 as usize)
    }

    /// The definition that `name` means in a module.
    pub(crate) fn find(&self, module: ModuleId, name: &str) -> Option<(ModuleId, &Definition<'p>)> {
        let own = self.module(module)?;
        let (home, definition) = match own.definitions.get(name) {
            Some(definition) => (module, definition),
            None => {
                let home = own.imports.get(name)?.module;
                (home, self.module(home)?.definitions.get(name)?)
            }
        };
        definition.used.store(true, Ordering::Relaxed);
        Some((home, definition))
    }

    /// Whether a name was brought in from where it does not exist, which has been reported.
    pub(crate) fn is_broken(&self, module: ModuleId, name: &str) -> bool {
        self.module(module).is_some_and(|own| {
            own.broken.iter().any(|broken| broken == name)
                || (own.imports.contains_key(name) && self.find(module, name).is_none())
        })
    }

    /// The value of a constant or parameter (without `$`).
    ///
    /// # Errors
    ///
    /// The names that could have been meant.
    pub(crate) fn variable(&self, module: ModuleId, name: &str) -> Result<Option<&Value>, Vec<String>> {
        let mut key = String::with_capacity(name.len() + 1);
        key.push('$');
        key.push_str(name);
        match self.find(module, &key).map(|(_, definition)| &definition.kind) {
            Some(DefinitionKind::Variable { value, .. }) => Ok(value.as_ref()),
            _ if self.is_broken(module, &key) => Ok(None),
            _ => Err(self.names(module, |kind| matches!(kind, DefinitionKind::Variable { .. }))),
        }
    }

    /// The names in a module of definitions of one kind; variables without `$`.
    pub(crate) fn names(&self, module: ModuleId, of: impl Fn(&DefinitionKind<'p>) -> bool) -> Vec<String> {
        let Some(own) = self.module(module) else { return Vec::new() };
        let all = own.definitions.keys().chain(own.imports.keys());
        all.filter(|name| self.find(module, name).is_some_and(|(_, definition)| of(&definition.kind)))
            .map(|name| name.trim_start_matches('$').to_owned())
            .collect()
    }

    fn read_attributes(&mut self, reports: &mut Vec<Diagnostic>) {
        let mut accepted = Vec::new();
        for (index, module) in self.modules.iter().enumerate().take(self.project.own) {
            let mut cx = Reader::new(self, ModuleId(index as u32), None);
            for definition in module.definitions.values() {
                cx.attributes(definition.statement);
            }
            accepted.append(&mut cx.accepted);
            reports.append(&mut cx.reports);
        }
        self.accepted = accepted;
    }

    /// Reads retries and policies, each once.
    fn read_bodies(&mut self, reports: &mut Vec<Diagnostic>) {
        self.read_each(reports, |statement, kind, cx| {
            matches!(kind, DefinitionKind::Retry(_))
                .then(|| DefinitionKind::Retry(cx.required_section::<RetryPolicy>(statement).map(Arc::new)))
        });
        // Policies name retries, which are known now.
        self.read_each(reports, |statement, kind, cx| {
            matches!(kind, DefinitionKind::Policy(_)).then(|| {
                let body = cx.required_section::<PolicyBody>(statement);
                if let Some(body) = &body {
                    one_side_only(statement, body, cx);
                }
                DefinitionKind::Policy(body.map(Arc::new))
            })
        });
    }

    fn read_each(
        &mut self,
        reports: &mut Vec<Diagnostic>,
        read: impl Fn(Statement<'p>, &DefinitionKind<'p>, &mut Reader<'_, 'p>) -> Option<DefinitionKind<'p>>,
    ) {
        let mut results = Vec::new();
        let mut degradations = Vec::new();
        for (index, module) in self.modules.iter().enumerate() {
            for (name, definition) in &module.definitions {
                let mut cx = Reader::new(self, ModuleId(index as u32), None);
                if let Some(kind) = read(definition.statement, &definition.kind, &mut cx) {
                    reports.append(&mut cx.reports);
                    degradations.append(&mut cx.degradations);
                    results.push((index, name.clone(), kind));
                }
            }
        }
        self.degradations.append(&mut degradations);
        for (index, name, kind) in results {
            if let Some(definition) =
                self.modules.get_mut(index).and_then(|module| module.definitions.get_mut(&name))
            {
                definition.kind = kind;
            }
        }
    }

    /// Reports private definitions that nothing uses.
    pub(crate) fn unused(&self) -> Vec<Diagnostic> {
        let own = self.modules.iter().take(self.project.own);
        own.flat_map(|module| &module.definitions)
            .filter(|(_, definition)| !definition.public && !definition.used.load(Ordering::Relaxed))
            .map(|(name, definition)| {
                Diagnostic::new(Code::UNUSED_DEFINITION, definition.span, format!("`{name}` is never used"))
                    .help("remove it, or make it public with `pub`")
            })
            .collect()
    }
}

fn one_side_only<'p>(statement: Statement<'p>, body: &PolicyBody, cx: &mut Reader<'_, 'p>) {
    let (route, traffic) = (!body.route.is_empty(), !body.traffic.is_empty());
    if !route && !traffic && !cx.lost && cx.reports.is_empty() {
        let report = Diagnostic::new(Code::EMPTY_POLICY, statement.head(), "this policy says nothing");
        cx.report(report.help("add a statement, or remove it"));
    }
    if route && traffic {
        let message = "this policy mixes statements of routes with statements of destinations";
        cx.report(
            Diagnostic::new(Code::WRONG_SIDE, statement.head(), message)
                .help("make two policies of it: routes take `timeout`, `retry`, `cors`, ...; destinations take `lb`, `pool`, `eject`, `tls`"),
        );
    }
}

/// A value that an environment gives to a parameter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Binding<'p> {
    pub(crate) module: ModuleId,
    pub(crate) environment: &'p str,
    pub(crate) statement: Statement<'p>,
}

/// Sorts the statements of one file.
struct Collector<'a, 'p> {
    id: ModuleId,
    module: Module<'p>,
    uses: Vec<Use<'p>>,
    environments: &'a mut IndexMap<SmolStr, Vec<Span>>,
    bindings: &'a mut Vec<Binding<'p>>,
    reports: &'a mut Vec<Diagnostic>,
}

impl<'p> Collector<'_, 'p> {
    fn statement(&mut self, statement: Statement<'p>) {
        let mut words = statement.all_arguments();
        let mut keyword = words.next().and_then(|arg| arg.word()).unwrap_or_default();
        let public = keyword == "pub";
        if public {
            keyword = words.next().and_then(|arg| arg.word()).unwrap_or_default();
        }
        let name = words.next();
        let named = name.and_then(|name| Some((name.word()?, name.span())));
        match keyword {
            "const" | "param" => {
                if let Some(declared) =
                    variables::declare(self.id, keyword == "param", statement, name, words, self.reports)
                {
                    self.define(declared.kind, public, statement, Some((declared.name, declared.span)));
                }
            }
            "policy" => {
                self.refuse_more(keyword, words);
                self.define(DefinitionKind::Policy(None), public, statement, named);
            }
            "retry" => {
                self.refuse_more(keyword, words);
                self.define(DefinitionKind::Retry(None), public, statement, named);
            }
            "template" => {
                words.next_if_group();
                self.refuse_more(keyword, words);
                self.define(DefinitionKind::Template, public, statement, named);
            }
            _ if public => {
                let span = statement.keyword().map_or(statement.head(), |keyword| keyword.span());
                let message = "only definitions can be public";
                self.reports.push(
                    Diagnostic::new(Code::UNEXPECTED_ARGUMENT, span, message)
                        .help("remove `pub`: resources of the mesh are visible everywhere")
                        .edit(Applicability::Safe, Span { end: span.end + 1, ..span }, ""),
                );
            }
            "namespace" => {
                self.refuse_more(keyword, words);
                self.namespace(statement, name);
            }
            "use" => self.import(statement, name, words),
            "env" => {
                self.refuse_more(keyword, words);
                self.environment(statement, name);
            }
            _ => self.module.items.push(statement),
        }
    }

    /// Reports what stands behind all that a statement takes.
    fn refuse_more(&mut self, keyword: &str, mut rest: Arguments<'p>) {
        if let Some(surplus) = rest.next() {
            let message = format!("`{keyword}` takes nothing more here");
            let report = Diagnostic::new(Code::UNEXPECTED_ARGUMENT, surplus.span(), message);
            self.reports.push(report.help("remove it, or start a new statement on the next line"));
        }
    }

    fn define(
        &mut self,
        kind: DefinitionKind<'p>,
        public: bool,
        statement: Statement<'p>,
        name: Option<(&'p str, Span)>,
    ) {
        let Some((name, span)) = name else {
            let message = "a definition needs a name";
            self.reports
                .push(Diagnostic::new(Code::MISSING_ARGUMENT, statement.head(), message).help("add a name"));
            return;
        };
        let bare = name.strip_prefix('$').unwrap_or(name);
        if let Err(error) = Word::parse(bare) {
            let mut report = Diagnostic::new(Code::BAD_LITERAL, span, error.message).maybe_help(error.help);
            if let Some(replacement) = error.replacement {
                report = report.edit(
                    Applicability::Unsafe,
                    span.part(name.len() - bare.len(), bare.len()),
                    replacement,
                );
            }
            self.reports.push(report);
        }
        let definition = Definition { kind, public, statement, span, used: AtomicBool::new(false) };
        if let Some(earlier) = self.module.definitions.get(name) {
            let message = format!("`{name}` is declared twice");
            let report = Diagnostic::new(Code::DUPLICATE_DECLARATION, span, message)
                .related(earlier.span, "first declared here")
                .help("rename one of them");
            self.reports.push(report);
            return;
        }
        self.module.definitions.insert(SmolStr::new(name), definition);
    }

    fn namespace(&mut self, statement: Statement<'p>, name: Option<meshc_language::Arg<'p>>) {
        let Some(name) = name else {
            let message = "`namespace` needs a name";
            self.reports.push(
                Diagnostic::new(Code::MISSING_ARGUMENT, statement.head(), message).help("add the namespace"),
            );
            return;
        };
        match Namespace::parse(name.written()) {
            Ok(_) if self.module.namespace.is_some() => {
                let message = "a file has one namespace";
                let report = Diagnostic::new(Code::REPEATED_STATEMENT, statement.head(), message)
                    .help("move what belongs to the other namespace into a file of its own");
                self.reports.push(match &self.module.namespace {
                    Some(first) => report.related(first.span, "first given here"),
                    None => report,
                });
            }
            Ok(namespace) => self.module.namespace = Some(Spanned::new(namespace, name.span())),
            Err(error) => {
                let mut report =
                    Diagnostic::new(Code::BAD_LITERAL, name.span(), error.message).maybe_help(error.help);
                if let Some(replacement) = error.replacement {
                    report = report.edit(Applicability::Unsafe, name.span(), replacement);
                }
                self.reports.push(report);
            }
        }
    }

    /// `use platform.defaults (slow-retry, $timeouts)`.
    fn import(
        &mut self,
        statement: Statement<'p>,
        module: Option<meshc_language::Arg<'p>>,
        mut rest: Arguments<'p>,
    ) {
        let names = rest.next_if_group();
        let (Some(module), Some(names)) =
            (module.and_then(|module| Some((module.word()?, module.span()))), names)
        else {
            let message = "`use` needs a module and the names to bring in";
            let help = "write `use platform.defaults (slow-retry, $limit)`";
            self.reports.push(Diagnostic::new(Code::MISSING_ARGUMENT, statement.head(), message).help(help));
            return;
        };
        let names: Vec<(SmolStr, Span)> =
            names.elements().filter_map(|name| Some((SmolStr::new(name.word()?), name.span()))).collect();
        for (name, span) in &names {
            if self.uses.iter().flat_map(|one| &one.names).any(|(earlier, _)| earlier == name) {
                let message = format!("`{name}` is brought in twice");
                self.reports.push(
                    Diagnostic::new(Code::DUPLICATE_DECLARATION, *span, message).help("remove one of them"),
                );
            }
        }
        self.uses.push(Use { module: module.0, names, span: module.1 });
    }

    fn environment(&mut self, statement: Statement<'p>, name: Option<meshc_language::Arg<'p>>) {
        let Some((name, span)) = name.and_then(|name| Some((name.word()?, name.span()))) else {
            let message = "`env` needs a name";
            self.reports.push(
                Diagnostic::new(Code::MISSING_ARGUMENT, statement.head(), message)
                    .help("add the environment's name"),
            );
            return;
        };
        if let Err(error) = Word::parse(name) {
            self.reports.push(Diagnostic::new(Code::BAD_LITERAL, span, error.message).maybe_help(error.help));
            return;
        }
        self.environments.entry(SmolStr::new(name)).or_default().push(span);
        let Some(block) = statement.block() else { return };
        for statement in block.statements() {
            self.bindings.push(Binding { module: self.id, environment: name, statement });
        }
    }
}
