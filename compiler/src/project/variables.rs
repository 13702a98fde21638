//! Constants and parameters: their declarations, and their values in one environment.

use super::ModuleId;
use super::definitions::{Binding, DefinitionKind, Definitions};
use super::parameter::ParameterType;
use crate::reading::{Args, Reader, Value};
use crate::values::Literal;
use meshc_language::{Arg, Arguments, Code, Diagnostic, Kind, Span, Statement};
use smol_str::SmolStr;

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

impl<'p> Definitions<'p> {
    /// Gives every variable its value: that of the environment, else its default. Variables may use each other in any
    /// order, so rounds go on until nothing new becomes known; what is left depends on itself.
    pub(super) fn evaluate(&mut self, bindings: &[Binding<'p>], reports: &mut Vec<Diagnostic>) {
        self.bind(bindings, reports);
        loop {
            let known = self.evaluate_round(reports);
            if known.is_empty() {
                break;
            }
            for (index, name, new) in known {
                if let Some(DefinitionKind::Variable { value, known, .. }) = self.variable_mut(index, &name) {
                    *value = new;
                    *known = true;
                }
            }
        }
        self.report_circular(reports);
        self.report_without_value(bindings, reports);
    }

    fn variable_mut(&mut self, index: usize, name: &str) -> Option<&mut DefinitionKind<'p>> {
        self.modules.get_mut(index)?.definitions.get_mut(name).map(|definition| &mut definition.kind)
    }

    /// Puts the values of the chosen environment in place of the defaults.
    fn bind(&mut self, bindings: &[Binding<'p>], reports: &mut Vec<Diagnostic>) {
        let mut bound: Vec<(ModuleId, SmolStr, &str, Span)> = Vec::new();
        for binding in bindings {
            let mut arguments = binding.statement.all_arguments();
            let (Some(name), Some(equals)) = (arguments.next(), arguments.next()) else {
                reports.push(not_a_binding(binding));
                continue;
            };
            if equals.word() != Some("=") || { arguments }.next().is_none() {
                reports.push(not_a_binding(binding));
                continue;
            }
            let written = name.written();
            let home =
                match self.find(binding.module, written) {
                    Some((home, definition))
                        if matches!(definition.kind, DefinitionKind::Variable { parameter: Some(_), .. }) =>
                    {
                        home
                    }
                    _ => {
                        let message = format!("there is no parameter `{written}`");
                        reports.push(Diagnostic::new(Code::UNKNOWN_VARIABLE, name.span(), message).help(
                            format!("declare it with `param {written}: type`, or bring it in with `use`"),
                        ));
                        continue;
                    }
                };
            let key = (home, SmolStr::new(written), binding.environment);
            if let Some(earlier) = bound.iter().find(|(module, name, environment, _)| {
                (*module, name, *environment) == (key.0, &key.1, key.2)
            }) {
                let message = format!("environment `{}` gives `{written}` two values", binding.environment);
                reports.push(
                    Diagnostic::new(Code::DUPLICATE_DECLARATION, name.span(), message)
                        .related(earlier.3, "first given here")
                        .help("keep one of them"),
                );
                continue;
            }
            bound.push((key.0, key.1, key.2, name.span()));
            if self.environment.as_deref() == Some(binding.environment)
                && let Some(DefinitionKind::Variable { source, .. }) =
                    self.variable_mut(home.0 as usize, written)
            {
                *source = Some((binding.module, arguments));
            }
        }
    }

    fn evaluate_round(&self, reports: &mut Vec<Diagnostic>) -> Vec<(usize, SmolStr, Option<Value>)> {
        let mut known = Vec::new();
        for (index, module) in self.modules.iter().enumerate() {
            for (name, definition) in &module.definitions {
                let DefinitionKind::Variable {
                    parameter, source: Some((home, source)), known: false, ..
                } = &definition.kind
                else {
                    continue;
                };
                if !self.depends_on(*home, *source).all(|ready| ready) {
                    continue;
                }
                let mut cx = Reader::new(self, *home, None);
                let value = read_value(*source, *parameter, definition.span, &mut cx);
                reports.append(&mut cx.reports);
                known.push((index, name.clone(), value));
            }
        }
        known
    }

    /// For each variable that `source` mentions: whether its value is known. One that does not exist counts as known;
    /// it is reported when it is read.
    fn depends_on(&self, module: ModuleId, source: Arguments<'p>) -> impl Iterator<Item = bool> {
        let mut names = Vec::new();
        mentioned(source, &mut names);
        names.into_iter().map(move |name| {
            match self.find(module, &name).map(|(_, definition)| &definition.kind) {
                Some(DefinitionKind::Variable { known, source, .. }) => *known || source.is_none(),
                _ => true,
            }
        })
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
                report = report.related(other.span, "also part of the circle");
            }
            reports.push(report);
        }
    }

    /// A parameter needs a default or a value in every environment.
    fn report_without_value(&self, bindings: &[Binding<'p>], reports: &mut Vec<Diagnostic>) {
        for (index, module) in self.modules.iter().enumerate() {
            for (name, definition) in &module.definitions {
                let statement = definition.statement;
                let is_parameter =
                    matches!(definition.kind, DefinitionKind::Variable { parameter: Some(_), .. });
                let has_default = statement.all_arguments().any(|arg| arg.word() == Some("="));
                if !is_parameter || has_default {
                    continue;
                }
                let gives = |environment: &str| {
                    bindings.iter().any(|binding| {
                        binding.environment == environment
                            && binding.statement.keyword().and_then(|key| key.word()) == Some(name)
                            && self
                                .find(binding.module, name)
                                .is_some_and(|(home, _)| home.0 as usize == index)
                    })
                };
                let without: Vec<String> = self
                    .environment_names()
                    .filter(|environment| !gives(environment))
                    .map(|name| format!("`{name}`"))
                    .collect();
                if self.environments.is_empty() {
                    let message =
                        format!("parameter `{name}` has no value, and the project has no environments");
                    let report = Diagnostic::new(Code::PARAMETER_WITHOUT_VALUE, definition.span, message);
                    reports.push(
                        report.help(format!("give it a default, or declare `env prod {{ {name} = ... }}`")),
                    );
                } else if !without.is_empty() {
                    let message = format!("parameter `{name}` has no value in {}", without.join(", "));
                    let report = Diagnostic::new(Code::PARAMETER_WITHOUT_VALUE, definition.span, message);
                    reports.push(report.help("give it a default, or a value in each environment"));
                }
            }
        }
    }
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
    let Some(value) = Value::from_term(&term) else {
        if !matches!(term.shape, crate::reading::Shape::Unknown) {
            let message = format!("{} cannot be a value", term.describe());
            cx.report(
                Diagnostic::new(Code::WRONG_FORM, term.span, message).help("use a word, a string or a list"),
            );
        }
        return None;
    };
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

/// The variables, with `$`, that arguments mention.
fn mentioned(arguments: Arguments<'_>, names: &mut Vec<String>) {
    for arg in arguments {
        match arg.kind {
            Kind::Word | Kind::Text => {
                for part in arg.written().split('$').skip(1) {
                    let part = part.strip_prefix('{').unwrap_or(part);
                    let name = part.split(|char: char| !(char.is_ascii_alphanumeric() || char == '-')).next();
                    names.push(format!("${}", name.unwrap_or_default()));
                }
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
