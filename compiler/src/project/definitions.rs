//! What modules define: constants, parameters, policies, retries, templates; and how names lead to them.

use super::collect::{Binding, Collector};
use super::parameter::ParameterType;
use super::{ModuleId, Project, Targets};
use crate::policy::{RetryPolicy, SharedRouteOptions, TrafficPolicy};
use crate::reading::{Accepted, Degradation, Reader, Value, Vocabulary, literal, section};
use crate::values::{Literal, Namespace, Word, did_you_mean};
use indexmap::IndexMap;
use meshc_language::{Applicability, Arg, Arguments, Code, Diagnostic, Span, Spanned, Statement};
use rustc_hash::{FxHashMap, FxHashSet};
use smol_str::SmolStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

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
    /// `namespace NAME`, in the environment that is read.
    pub namespace: Option<Spanned<Namespace>>,
    /// The argument of `namespace`, where variables stand in it.
    pub(super) named_by: Option<Arg<'p>>,
    pub(crate) imports: IndexMap<SmolStr, Import>,
    /// Names brought in from a module that does not exist: reported there, not again where they are used.
    pub(crate) broken: Vec<SmolStr>,
    /// The definitions by name.
    pub definitions: IndexMap<SmolStr, Definition<'p>>,
    pub(crate) items: Vec<Statement<'p>>,
    /// `namespace`, `use` and `env`.
    pub(super) shaping: Vec<Statement<'p>>,
}

/// All definitions of a project in one environment.
#[derive(Debug)]
pub struct Definitions<'p> {
    /// The project.
    pub project: &'p Project,
    /// What the language knows of its words.
    pub(crate) vocabulary: &'static dyn Vocabulary,
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
    pub(super) module_names: FxHashMap<&'p str, ModuleId>,
    /// The target whose blocks are read.
    pub(crate) targets: Targets,
    /// Whether a namespace could not be read: names of its file then lead nowhere.
    pub(crate) without_namespace: bool,
}

impl Module<'_> {
    pub(super) const fn has_namespace(&self) -> bool {
        self.namespace.is_some() || self.named_by.is_some()
    }
}

impl<'p> Definitions<'p> {
    /// Reads the definitions of a project for one environment and one target.
    pub(crate) fn read(
        project: &'p Project,
        environment: Option<SmolStr>,
        targets: Targets,
        vocabulary: &'static dyn Vocabulary,
        reports: &mut Vec<Diagnostic>,
    ) -> Self {
        let module_names = project
            .modules
            .iter()
            .enumerate()
            .map(|(index, name)| (name.as_str(), ModuleId(index as u32)))
            .collect();
        let mut definitions = Self {
            project,
            vocabulary,
            environment,
            modules: Vec::new(),
            environments: IndexMap::new(),
            accepted: Vec::new(),
            degradations: Vec::new(),
            module_names,
            targets,
            without_namespace: false,
        };
        let mut bindings = Vec::new();
        let mut settings = Vec::new();
        for (index, (tree, file)) in project.trees.iter().zip(&project.files).enumerate() {
            let mut collector = Collector {
                id: ModuleId(index as u32),
                module: Module::default(),
                uses: Vec::new(),
                imported: FxHashSet::default(),
                environments: &mut definitions.environments,
                bindings: &mut bindings,
                reports,
            };
            for statement in tree.statements(&file.text) {
                let module = ModuleId(index as u32);
                if project.settings == Some(module.file()) {
                    settings.push(Binding { module, environment: "", statement });
                } else {
                    collector.statement(statement);
                }
            }
            let Collector { module, uses, .. } = collector;
            definitions.modules.push(module);
            definitions.collect_uses(ModuleId(index as u32), uses, reports);
        }
        definitions.check_imports(reports);
        definitions.evaluate(&bindings, &settings, reports);
        definitions.read_namespaces(reports);
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

    /// The report for a policy, retry or template that does not exist; none if it was brought in from where it does not.
    #[cold]
    pub(crate) fn unknown(
        &self,
        module: ModuleId,
        what: &str,
        written: &str,
        span: Span,
        known: &[String],
    ) -> Option<Diagnostic> {
        if self.is_broken(module, written) {
            return None;
        }
        let report =
            Diagnostic::new(Code::UNKNOWN_DEFINITION, span, format!("there is no {what} `{written}`"));
        Some(match did_you_mean(written, known.iter().map(String::as_str)) {
            Some(meant) => report.help(format!("did you mean `{meant}`?")).edit(
                Applicability::Unsafe,
                span,
                meant.to_owned(),
            ),
            None => report.help(format!("declare it with `{what} {written}`, or bring it in with `use`")),
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

    /// Whether a variable is a parameter whose values are regular expressions.
    pub(crate) fn is_pattern(&self, module: ModuleId, name: &str) -> bool {
        match self.find(module, &format!("${name}")).map(|(_, definition)| &definition.kind) {
            Some(DefinitionKind::Variable { parameter, .. }) => *parameter == Some(ParameterType::Pattern),
            _ => false,
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

    /// The namespaces that depend on variables.
    fn read_namespaces(&mut self, reports: &mut Vec<Diagnostic>) {
        for index in 0..self.modules.len() {
            let Some(written) = self.modules.get(index).and_then(|module| module.named_by) else { continue };
            let mut cx = Reader::new(self, ModuleId(index as u32), None);
            let term = cx.term(written);
            let namespace = literal::<Namespace>(&term, &mut cx);
            reports.append(&mut cx.reports);
            self.without_namespace |= namespace.is_none();
            if let Some(module) = self.modules.get_mut(index) {
                module.namespace = namespace;
            }
        }
    }

    fn read_attributes(&mut self, reports: &mut Vec<Diagnostic>) {
        let mut accepted = Vec::new();
        let mut degradations = Vec::new();
        for (index, module) in self.modules.iter().enumerate().take(self.project.own) {
            let mut cx = Reader::new(self, ModuleId(index as u32), None);
            for definition in module.definitions.values() {
                cx.attributes(definition.statement);
            }
            for statement in &module.shaping {
                cx.attributes(*statement);
            }
            accepted.append(&mut cx.accepted);
            degradations.append(&mut cx.degradations);
            reports.append(&mut cx.reports);
        }
        self.accepted = accepted;
        self.degradations = degradations;
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

    /// Reports private definitions that nothing uses, and public templates that nothing applies.
    pub(crate) fn unused(&self) -> Vec<Diagnostic> {
        self.use_what_templates_mention();
        let own = self.modules.iter().take(self.project.own);
        let unused = own
            .flat_map(|module| &module.definitions)
            .filter(|(_, definition)| !definition.used.load(Ordering::Relaxed));
        unused.filter_map(|(name, definition)| report_unused(name, definition)).collect()
    }
}

impl Definitions<'_> {
    /// What a public template mentions is there for those who apply it, even if nobody here does.
    fn use_what_templates_mention(&self) {
        for (index, module) in self.modules.iter().enumerate().take(self.project.own) {
            let Some(file) = self.project.files.get(index) else { continue };
            let templates = module.definitions.values().filter(|definition| {
                definition.public && matches!(definition.kind, DefinitionKind::Template)
            });
            for template in templates.filter(|template| !template.used.load(Ordering::Relaxed)) {
                let text = file.slice(template.statement.span()).replace("${", "$");
                let is_part = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '$');
                for word in text.split(|char| !is_part(char)).filter(|word| !word.is_empty()) {
                    // To find a definition is to use it; the template's own name is no use of it.
                    if module.definitions.get(word).is_none_or(|found| found.span != template.span) {
                        self.find(ModuleId(index as u32), word);
                    }
                }
            }
        }
    }
}

fn report_unused(name: &str, definition: &Definition<'_>) -> Option<Diagnostic> {
    if !definition.public {
        let message = format!("`{name}` is never used");
        let report = Diagnostic::new(Code::UNUSED_DEFINITION, definition.span, message);
        return Some(report.help("remove it, or make it public with `pub`"));
    }
    // Policies and retries are read where they are declared; what a template says is known only where it is applied.
    if !matches!(definition.kind, DefinitionKind::Template) {
        return None;
    }
    let message = format!("template `{name}` is applied nowhere in this project");
    let report = Diagnostic::new(Code::UNCHECKED_TEMPLATE, definition.span, message);
    Some(
        report
            .consequence("its statements are not checked: a mistake in them shows only where it is applied")
            .help(format!("apply it once, for example in a small project of its own: `apply {name}(...)`")),
    )
}

fn one_side_only<'p>(statement: Statement<'p>, body: &PolicyBody, cx: &mut Reader<'_, 'p>) {
    let (route, traffic) = (!body.route.is_empty(), !body.traffic.is_empty());
    if !route && !traffic && !cx.lost && cx.reports.is_empty() {
        let report = Diagnostic::new(Code::EMPTY_POLICY, statement.head(), "this policy is empty");
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
