//! Constants and parameters: their declarations, and their values in one environment.

use super::ModuleId;
use super::collect::Binding;
use super::definitions::{Definition, DefinitionKind, Definitions};
use super::parameter::ParameterType;
use crate::reading::{Args, Reader, Value};
use crate::values::Literal;
use meshc_language::{Arg, Arguments, Code, Diagnostic, Kind, Span, Statement, text};
use rustc_hash::{FxHashMap, FxHashSet};
use smol_str::SmolStr;
use std::collections::hash_map::Entry;

/// A declaration whose value is not known yet.
pub(super) struct Declared<'p> {
    pub(super) kind: DefinitionKind<'p>,
    /// With its `$`.
    pub(super) name: &'p str,
    pub(super) span: Span,
}

/// Reads `const $x = v` or `param $x: type [= v]`.
pub(super) fn declare<'p>(
    module: ModuleId,
    is_parameter: bool,
    statement: Statement<'p>,
    name: Option<Arg<'p>>,
    mut rest: Arguments<'p>,
    reports: &mut Vec<Diagnostic>,
) -> Option<Declared<'p>> {
    let form = if is_parameter {
        "`param $name: type` or `param $name: type = value`"
    } else {
        "`const $name = value`"
    };
    let malformed = |span: Span| {
        Diagnostic::new(Code::MISSING_ARGUMENT, span, "this declaration is not complete")
            .help(format!("write {form}"))
    };
    let Some((written, span)) = name.and_then(|name| Some((name.word()?, name.span()))) else {
        reports.push(malformed(statement.head()));
        return None;
    };
    let name = written.strip_suffix(':').unwrap_or(written);
    if !name.starts_with('$') || (name.len() != written.len()) != is_parameter {
        reports.push(malformed(span));
        return None;
    }
    let mut parameter = None;
    if is_parameter {
        let Some(kind) = rest.next() else {
            reports.push(malformed(span));
            return None;
        };
        match ParameterType::parse(kind.written()) {
            Ok(kind) => parameter = Some(kind),
            Err(error) => {
                reports.push(
                    Diagnostic::new(Code::BAD_LITERAL, kind.span(), error.message).maybe_help(error.help),
                );
            }
        }
    }
    let source = match rest.next() {
        Some(equals) if equals.word() == Some("=") && rest.next().is_some() => {
            let mut behind = statement.all_arguments();
            behind.find(|arg| arg.word() == Some("="));
            Some((module, behind))
        }
        None if is_parameter => None,
        Some(other) => {
            reports.push(malformed(other.span()));
            return None;
        }
        None => {
            reports.push(malformed(span));
            return None;
        }
    };
    let kind = DefinitionKind::Variable { parameter, source, value: None, known: false };
    Some(Declared { kind, name, span: Span { end: span.start + name.len() as u32, ..span } })
}

/// A variable: its module, and its position among the definitions of it.
pub(super) type Place = (usize, usize);

/// The values that environments give: for each variable, the place of the name in each environment that gives one.
#[derive(Default)]
pub(super) struct Given<'p>(FxHashMap<Place, FxHashMap<&'p str, Span>>);

impl<'p> Definitions<'p> {
    /// Gives every variable its value: that of the environment, else its default. Variables may use each other in any
    /// order: each is read when those that it mentions are known; what is left depends on itself.
    pub(super) fn evaluate(
        &mut self,
        bindings: &[Binding<'p>],
        settings: &[Binding<'p>],
        reports: &mut Vec<Diagnostic>,
    ) {
        let given = self.bind(bindings, reports);
        let set = self.bind_settings(settings, reports);
        let places = self.variables();
        let ids: FxHashMap<Place, usize> =
            places.iter().enumerate().map(|(id, place)| (*place, id)).collect();
        let mut waiting: Vec<usize> = Vec::with_capacity(places.len());
        let mut users: Vec<Vec<usize>> = vec![Vec::new(); places.len()];
        for (id, place) in places.iter().enumerate() {
            let mentioned = self.mentioned_by(*place);
            let mut needs = 0;
            for other in mentioned.iter().filter_map(|place| ids.get(place)) {
                if let Some(users) = users.get_mut(*other) {
                    users.push(id);
                    needs += 1;
                }
            }
            waiting.push(needs);
        }
        let mut ready: Vec<usize> = (0..places.len()).filter(|id| waiting.get(*id) == Some(&0)).collect();
        while let Some(id) = ready.pop() {
            let Some(place) = places.get(id) else { break };
            self.read_variable(*place, reports);
            for user in users.get_mut(id).map(std::mem::take).unwrap_or_default() {
                let Some(needs) = waiting.get_mut(user) else { continue };
                *needs -= 1;
                if *needs == 0 {
                    ready.push(user);
                }
            }
        }
        self.report_circular(reports);
        self.report_without_value(&given, &set, reports);
        self.read_other_defaults(&given, reports);
    }

    fn definition(&self, (module, at): Place) -> Option<(&SmolStr, &Definition<'p>)> {
        self.modules.get(module)?.definitions.get_index(at)
    }

    fn place(&self, module: ModuleId, name: &str) -> Option<Place> {
        let (home, _) = self.find(module, name)?;
        let at = self.module(home)?.definitions.get_index_of(name)?;
        Some((home.0 as usize, at))
    }

    /// The variables that have something to read.
    fn variables(&self) -> Vec<Place> {
        self.places().filter(|place| self.source(*place).is_some()).collect()
    }

    /// All definitions.
    fn places(&self) -> impl Iterator<Item = Place> + '_ {
        let modules = self.modules.iter().enumerate();
        modules.flat_map(|(module, own)| (0..own.definitions.len()).map(move |at| (module, at)))
    }

    fn source(&self, place: Place) -> Option<(ModuleId, Arguments<'p>)> {
        match &self.definition(place)?.1.kind {
            DefinitionKind::Variable { parameter: _, source, value: _, known: _ } => *source,
            DefinitionKind::Policy(_) | DefinitionKind::Retry(_) | DefinitionKind::Template => None,
        }
    }

    /// The variables that the value of one mentions. One that does not exist is reported when it is read.
    fn mentioned_by(&self, place: Place) -> Vec<Place> {
        let Some((module, source)) = self.source(place) else { return Vec::new() };
        let mut names = Vec::new();
        mentioned(source, &mut names);
        names.into_iter().filter_map(|name| self.place(module, &name)).collect()
    }

    fn read_variable(&mut self, place: Place, reports: &mut Vec<Diagnostic>) {
        let Some((home, source)) = self.source(place) else { return };
        let Some((_, definition)) = self.definition(place) else { return };
        let DefinitionKind::Variable { parameter, .. } = &definition.kind else { return };
        let mut cx = Reader::new(self, home, None);
        let new = read_value(source, *parameter, definition.span, &mut cx);
        reports.append(&mut cx.reports);
        let definitions = self.modules.get_mut(place.0).map(|module| &mut module.definitions);
        let definition = definitions.and_then(|all| all.get_index_mut(place.1)).map(|(_, found)| found);
        if let Some(DefinitionKind::Variable { value, known, .. }) = definition.map(|found| &mut found.kind) {
            (*value, *known) = (new, true);
        }
    }

    /// Defaults that this environment does not use are read all the same: whoever wrote them hears what is wrong.
    fn read_other_defaults(&self, given: &Given<'p>, reports: &mut Vec<Diagnostic>) {
        let Some(environment) = self.environment.as_deref() else { return };
        for place in self.places() {
            let Some((environments, (_, definition))) = given.0.get(&place).zip(self.definition(place))
            else {
                continue;
            };
            let DefinitionKind::Variable { parameter, .. } = &definition.kind else { continue };
            let mut default = definition.statement.all_arguments();
            if !environments.contains_key(environment) || !default.any(|arg| arg.word() == Some("=")) {
                continue;
            }
            let mut cx = Reader::new(self, ModuleId(place.0 as u32), None);
            read_value(default, *parameter, definition.span, &mut cx);
            reports.append(&mut cx.reports);
        }
    }

    /// Puts the values of the chosen environment in place of the defaults.
    fn bind(&mut self, bindings: &[Binding<'p>], reports: &mut Vec<Diagnostic>) -> Given<'p> {
        let mut given = Given::default();
        for binding in bindings {
            let statement = binding.statement;
            reports.extend(
                statement
                    .block()
                    .map(|block| not_of_a_binding(Code::UNEXPECTED_BLOCK, "block", block.span().part(0, 1))),
            );
            let attributes = statement.attributes();
            reports
                .extend(attributes.map(|one| not_of_a_binding(Code::BAD_ATTRIBUTE, "attribute", one.span())));
            let mut arguments = statement.all_arguments();
            let (Some(name), Some(equals)) = (arguments.next(), arguments.next()) else {
                reports.push(not_a_binding(binding));
                continue;
            };
            if equals.word() != Some("=") || { arguments }.next().is_none() {
                reports.push(not_a_binding(binding));
                continue;
            }
            let written = name.written();
            let Some(place) = self.parameter(binding.module, written) else {
                let message = format!("there is no parameter `{written}`");
                let report = Diagnostic::new(Code::UNKNOWN_VARIABLE, name.span(), message);
                let meant = format!("${written}");
                let is_known = self.parameter(binding.module, &meant).is_some();
                reports.push(if is_known {
                    report.help(format!("write `{meant}`"))
                } else {
                    let name = written.trim_start_matches('$');
                    report.help(format!("declare it with `param ${name}: type`, or bring it in with `use`"))
                });
                continue;
            };
            match given.0.entry(place).or_default().entry(binding.environment) {
                Entry::Occupied(earlier) => {
                    let message =
                        format!("environment `{}` gives `{written}` two values", binding.environment);
                    reports.push(
                        Diagnostic::new(Code::DUPLICATE_DECLARATION, name.span(), message)
                            .related(*earlier.get(), "first given here")
                            .help("keep one of them"),
                    );
                    continue;
                }
                Entry::Vacant(free) => _ = free.insert(name.span()),
            }
            if self.environment.as_deref() == Some(binding.environment) {
                self.set_source(place, (binding.module, arguments));
            }
        }
        given
    }

    /// The parameter that `name` means in a module.
    fn parameter(&self, module: ModuleId, name: &str) -> Option<Place> {
        let place = self.place(module, name)?;
        let (_, definition) = self.definition(place)?;
        matches!(definition.kind, DefinitionKind::Variable { parameter: Some(_), .. }).then_some(place)
    }

    pub(super) fn set_source(&mut self, (module, at): Place, new: (ModuleId, Arguments<'p>)) {
        let definitions = self.modules.get_mut(module).map(|module| &mut module.definitions);
        let definition = definitions.and_then(|all| all.get_index_mut(at)).map(|(_, found)| found);
        if let Some(DefinitionKind::Variable { source, .. }) = definition.map(|found| &mut found.kind) {
            *source = Some(new);
        }
    }

    fn report_circular(&self, reports: &mut Vec<Diagnostic>) {
        let mut stuck =
            self.modules.iter().flat_map(|module| &module.definitions).filter(|(_, definition)| {
                matches!(definition.kind, DefinitionKind::Variable { source: Some(_), known: false, .. })
            });
        if let Some((name, definition)) = stuck.next() {
            let message = format!("the value of `{name}` depends on itself");
            let mut report = Diagnostic::new(Code::ENDLESS_TEMPLATE, definition.span, message)
                .help("give one of them a value of its own");
            for (_, other) in stuck.take(4) {
                report = report.related(other.span, "also part of the cycle");
            }
            reports.push(report);
        }
    }

    /// A parameter needs a default or a value in every environment.
    fn report_without_value(&self, given: &Given<'p>, set: &FxHashSet<Place>, reports: &mut Vec<Diagnostic>) {
        for place in self.places().filter(|place| !set.contains(place)) {
            let Some((name, definition)) = self.definition(place) else { continue };
            let is_parameter = matches!(definition.kind, DefinitionKind::Variable { parameter: Some(_), .. });
            let has_default = || definition.statement.all_arguments().any(|arg| arg.word() == Some("="));
            if !is_parameter || has_default() {
                continue;
            }
            if self.environments.is_empty() {
                let message = format!("parameter `{name}` has no value, and the project has no environments");
                let report = Diagnostic::new(Code::PARAMETER_WITHOUT_VALUE, definition.span, message);
                reports.push(
                    report.help(format!("give it a default, or declare `env prod {{ {name} = ... }}`")),
                );
                continue;
            }
            let gives = |environment: &SmolStr| {
                given
                    .0
                    .get(&place)
                    .is_some_and(|environments| environments.contains_key(environment.as_str()))
            };
            let without: Vec<String> = self
                .environment_names()
                .filter(|environment| !gives(environment))
                .map(|name| format!("`{name}`"))
                .collect();
            if !without.is_empty() {
                let message = format!("parameter `{name}` has no value in {}", without.join(", "));
                let report = Diagnostic::new(Code::PARAMETER_WITHOUT_VALUE, definition.span, message);
                reports.push(report.help("give it a default, or a value in each environment"));
            }
        }
    }
}

fn not_of_a_binding(code: Code, what: &str, span: Span) -> Diagnostic {
    let message = format!("a value of an environment takes no {what}");
    Diagnostic::new(code, span, message)
        .consequence("it is not compiled")
        .help("remove it; for example `$name = value`")
}

fn not_a_binding(binding: &Binding<'_>) -> Diagnostic {
    Diagnostic::new(
        Code::UNEXPECTED_ARGUMENT,
        binding.statement.head(),
        "an environment gives values to parameters",
    )
    .help("write `$name = value`")
}

fn read_value<'p>(
    source: Arguments<'p>,
    parameter: Option<ParameterType>,
    declared: Span,
    cx: &mut Reader<'_, 'p>,
) -> Option<Value> {
    let mut args = Args::over(source, "=", declared);
    let written = args.expect("a value", cx)?;
    // `secret staging-tls` names the kind of a value; it is the type of the parameter, said again.
    let term = match (parameter, args.peek(cx).is_some()) {
        (Some(kind), true) if written.word() == Some(kind.word()) => args.next(cx)?,
        _ => written,
    };
    args.finish(&[], cx);
    let value = cx.value(&term)?;
    if let Some(Err(error)) = parameter.map(|kind| kind.check(&value)) {
        let mut report = Diagnostic::new(Code::BAD_LITERAL, term.span, error.message)
            .related(declared, "the parameter is declared here")
            .maybe_help(error.help);
        if let Some(replacement) = error.replacement.filter(|_| term.word().is_some()) {
            report = report.edit(meshc_language::Applicability::Unsafe, term.span, replacement);
        }
        cx.report(report);
        return None;
    }
    Some(value)
}

/// The variable, with `$`, that starts at a `$`.
fn variable_at(text: &str, dollar: usize) -> Option<String> {
    let rest = text.get(dollar + 1..)?;
    let name = rest.strip_prefix('{').unwrap_or(rest);
    let name = name.split(|char: char| !(char.is_ascii_alphanumeric() || char == '-')).next()?;
    Some(format!("${name}"))
}

/// The variables, with `$`, that arguments mention.
fn mentioned(arguments: Arguments<'_>, names: &mut Vec<String>) {
    for arg in arguments {
        match arg.kind {
            Kind::Word => {
                let written = arg.written();
                names.extend(written.match_indices('$').filter_map(|(at, _)| variable_at(written, at)));
            }
            Kind::Text => {
                let read = text::unquote(arg.written());
                names.extend(read.dollars.into_iter().filter_map(|at| variable_at(&read.text, at)));
            }
            Kind::List | Kind::Group => mentioned(arg.elements(), names),
            Kind::Statement
            | Kind::Attribute
            | Kind::Doc
            | Kind::Comment
            | Kind::Raw
            | Kind::TextBlock
            | Kind::Arrow
            | Kind::Comma
            | Kind::Block => {}
        }
    }
}
