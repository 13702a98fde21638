//! `in`, `for` and `apply`: blocks that stand for other statements.

use super::definitions::DefinitionKind;
use super::parameter::ParameterType;
use crate::reading::{Args, Comma, Reader, Scope, Shape, Syntax, Value, ValueShape};
use crate::values::{Literal, Word, did_you_mean};
use meshc_language::{Applicability, Code, Diagnostic, Span, Spanned, Statement};
use smol_str::SmolStr;
use std::sync::atomic::Ordering;

/// Statements that loops and templates may unfold to in one compilation.
const EXPANSION_BUDGET: u32 = 100_000;

/// Templates applied inside of each other; no circle is this long without repeating itself.
const MAX_APPLIED: usize = 64;

type Each<'a, 'd, 'p> = &'a mut dyn FnMut(Statement<'p>, &mut Reader<'d, 'p>);

impl<'d, 'p> Reader<'d, 'p> {
    /// `in prod, staging { ... }`: the block, in those environments only.
    pub(crate) fn unfold_in(&mut self, statement: Statement<'p>, f: Each<'_, 'd, 'p>) {
        self.attributes(statement);
        let mut args = Args::of(statement);
        let Some(Comma(names)) = Comma::<Spanned<Word>>::read(&mut args, self) else {
            self.lost = true;
            return;
        };
        args.finish(&[], self);
        let mut applies = false;
        for name in &names {
            let known = self.definitions.environments.contains_key(name.value.as_str());
            if !known {
                let names = self.definitions.environments.keys();
                self.report(unknown_environment(name, names));
            }
            applies |= self.definitions.environment.as_deref() == Some(name.value.as_str());
        }
        let Some(block) = statement.block() else {
            self.no_block(statement);
            return;
        };
        if applies {
            self.each(block.statements(), f);
        }
    }

    /// `for $x in [a, b] { ... }`: the block once for each element.
    pub(crate) fn unfold_for(&mut self, statement: Statement<'p>, f: Each<'_, 'd, 'p>) {
        let Some((variable, values)) = self.loop_head(statement) else {
            self.lost = true;
            return;
        };
        let Some(block) = statement.block() else {
            self.no_block(statement);
            return;
        };
        for value in values {
            if !self.spend(statement.head()) {
                return;
            }
            self.scope.locals.push((variable.clone(), value));
            self.each(block.statements(), f);
            self.scope.locals.pop();
        }
    }

    fn loop_head(&mut self, statement: Statement<'p>) -> Option<(SmolStr, Vec<Value>)> {
        let variable = statement.arguments().next();
        let name = variable.and_then(|name| name.word()).and_then(|name| name.strip_prefix('$'));
        let Some(name) = name.filter(|name| Word::parse(name).is_ok()) else {
            let message = "a loop needs a variable and a list";
            let help = "write `for $name in [a, b] { ... }`";
            self.report(Diagnostic::new(Code::MISSING_ARGUMENT, statement.head(), message).help(help));
            return None;
        };
        let mut arguments = statement.arguments();
        arguments.next();
        let mut args = Args::over(arguments, "for", variable.map_or(statement.head(), |name| name.span()));
        if args.take_word("in", self).is_none() {
            args.missing("`in` and a list", self);
            return None;
        }
        let term = args.expect("a list", self)?;
        args.finish(&[], self);
        match Value::from_term(&term).map(|value| value.shape) {
            Some(ValueShape::List(values)) => Some((SmolStr::new(name), values)),
            _ if matches!(term.shape, Shape::Unknown) => None,
            _ => {
                let message = format!("a loop runs over a list, found {}", term.describe());
                self.report_at(
                    &term,
                    Diagnostic::new(Code::WRONG_FORM, term.span, message).help("write `[a, b]`"),
                );
                None
            }
        }
    }

    /// `apply NAME(a, b)`: the block of the template, with its parameters set.
    pub(crate) fn unfold_apply(&mut self, statement: Statement<'p>, f: Each<'_, 'd, 'p>) {
        self.attributes(statement);
        let mut args = Args::of(statement);
        let Some(name) = args.expect("the name of a template", self) else { return };
        let arguments = args
            .next(self)
            .map_or(Vec::new(), |term| if let Shape::Group(terms) = term.shape { terms } else { vec![term] });
        args.finish(&[], self);
        self.refuse_block(statement);
        let Some(written) = name.word() else { return };
        let found = self.definitions.find(self.module, written);
        let Some((home, template)) =
            found.filter(|(_, found)| matches!(found.kind, DefinitionKind::Template))
        else {
            let names = self.definitions.names(self.module, |kind| matches!(kind, DefinitionKind::Template));
            self.unknown_definition("template", written, name.span, &names);
            self.lost = true;
            return;
        };
        let depth = self.scope.applied.len();
        if depth >= MAX_APPLIED || self.templates.contains(&template.span) {
            self.lost = true;
            let message = format!("template `{written}` applies itself");
            self.report(
                Diagnostic::new(Code::ENDLESS_TEMPLATE, statement.head(), message)
                    .consequence("it would unfold without end")
                    .help("use `for` to repeat, or write the last step out"),
            );
            return;
        }
        let Some(locals) =
            self.template_scope(template.statement, template.span, statement.head(), arguments)
        else {
            self.lost = true;
            return;
        };
        let Some(block) = template.statement.block() else { return };
        // A template sees its own module and its own parameters, nothing of the place where it is applied.
        let outer = (self.module, std::mem::take(&mut self.scope));
        let mut applied = outer.1.applied.clone();
        applied.push(statement.head());
        self.module = home;
        self.scope = Scope { locals, applied };
        self.templates.push(template.span);
        self.each_within_budget(block, statement.head(), f);
        self.templates.pop();
        (self.module, self.scope) = outer;
    }

    fn each_within_budget(&mut self, block: meshc_language::Block<'p>, at: Span, f: Each<'_, 'd, 'p>) {
        if self.spend(at) {
            self.each(block.statements(), f);
        }
    }

    /// The variables of a template that is applied: `template NAME($a: type, $b: type = v)`.
    fn template_scope(
        &mut self,
        template: Statement<'p>,
        declared: Span,
        applied: Span,
        arguments: Vec<crate::reading::Term<'p>>,
    ) -> Option<Vec<(SmolStr, Value)>> {
        let parameters = self.template_parameters(template)?;
        let mut given = Given::sort(arguments);
        self.correct_names(&mut given, &parameters);
        let mut locals = Vec::with_capacity(parameters.len());
        let mut complete = true;
        for parameter in &parameters {
            let value = given.take(parameter.name).or_else(|| parameter.default.clone());
            let Some(value) = value else {
                let message = format!("the template needs a value for `${}`", parameter.name);
                self.report(
                    Diagnostic::new(Code::WRONG_TEMPLATE_ARGUMENTS, applied, message)
                        .related(parameter.span, "declared here")
                        .help(format!("add `{}: ...`", parameter.name)),
                );
                complete = false;
                continue;
            };
            if let Err(error) = parameter.kind.check(&value) {
                self.report(
                    Diagnostic::new(Code::BAD_LITERAL, value.span, error.message)
                        .related(parameter.span, "the parameter is declared here")
                        .maybe_help(error.help),
                );
                complete = false;
            }
            locals.push((SmolStr::new(parameter.name), value));
        }
        for surplus in given.rest() {
            let names: Vec<&str> = parameters.iter().map(|parameter| parameter.name).collect();
            self.report(
                Diagnostic::new(
                    Code::WRONG_TEMPLATE_ARGUMENTS,
                    surplus,
                    "the template takes no such argument",
                )
                .related(declared, "the template is declared here")
                .help(format!("it takes {}", crate::reading::listed(&names))),
            );
            complete = false;
        }
        complete.then_some(locals)
    }

    /// A misspelt name of an argument is one report, not a missing and a surplus argument.
    fn correct_names(&mut self, given: &mut Given, parameters: &[Parameter<'_>]) {
        let known = || parameters.iter().map(|parameter| parameter.name);
        for (name, _, span) in &mut given.named {
            if known().any(|known| known == name) {
                continue;
            }
            if let Some(meant) = did_you_mean(name, known()) {
                let message = format!("the template takes no argument `{name}`");
                self.report(
                    Diagnostic::new(Code::WRONG_TEMPLATE_ARGUMENTS, *span, message)
                        .help(format!("did you mean `{meant}`?"))
                        .edit(Applicability::Unsafe, *span, format!("{meant}:")),
                );
                meant.clone_into(name);
            }
        }
    }

    fn template_parameters(&mut self, template: Statement<'p>) -> Option<Vec<Parameter<'p>>> {
        let group = template.all_arguments().find(|arg| arg.kind == meshc_language::Kind::Group);
        let mut parameters = Vec::new();
        let mut elements = group.map(|group| group.elements()).into_iter().flatten().peekable();
        while let Some(name) = elements.next() {
            let written =
                name.word().and_then(|word| word.strip_prefix('$')).and_then(|word| word.strip_suffix(':'));
            let kind = elements.next().map(|kind| (ParameterType::parse(kind.written()), kind.span()));
            let (Some(written), Some((kind, kind_span))) = (written, kind) else {
                let message = "a template parameter is a name and a type";
                let report = Diagnostic::new(Code::MISSING_ARGUMENT, name.span(), message);
                self.report(report.help("write `$name: type` or `$name: type = value`"));
                return None;
            };
            let kind = match kind {
                Ok(kind) => kind,
                Err(error) => {
                    self.report(
                        Diagnostic::new(Code::BAD_LITERAL, kind_span, error.message).maybe_help(error.help),
                    );
                    return None;
                }
            };
            let mut default = None;
            if elements.next_if(|arg| arg.word() == Some("=")).is_some()
                && let Some(value) = elements.next()
            {
                default = Value::from_term(&self.term(value));
            }
            parameters.push(Parameter { name: written, kind, default, span: name.span() });
            elements.next_if(|arg| arg.kind == meshc_language::Kind::Comma);
        }
        Some(parameters)
    }

    /// Reports a policy, retry or template that does not exist.
    #[cold]
    pub(crate) fn unknown_definition(&mut self, what: &str, written: &str, span: Span, known: &[String]) {
        if self.definitions.is_broken(self.module, written) {
            return;
        }
        let report =
            Diagnostic::new(Code::UNKNOWN_DEFINITION, span, format!("there is no {what} `{written}`"));
        self.report(match did_you_mean(written, known.iter().map(String::as_str)) {
            Some(meant) => report.help(format!("did you mean `{meant}`?")).edit(
                Applicability::Unsafe,
                span,
                meant.to_owned(),
            ),
            None => report.help(format!("declare it with `{what} {written}`, or bring it in with `use`")),
        });
    }

    fn no_block(&mut self, statement: Statement<'p>) {
        self.lost = true;
        let name = statement.keyword().map_or("", |keyword| keyword.written());
        let message = format!("`{name}` needs a block");
        self.report(
            Diagnostic::new(Code::MISSING_BLOCK, statement.head(), message).help("write `{ ... }` behind it"),
        );
    }

    /// Counts one unfolding; `false` once the budget is spent, which is reported once.
    fn spend(&mut self, at: Span) -> bool {
        let spent = self.definitions.expanded.fetch_add(1, Ordering::Relaxed);
        if spent == EXPANSION_BUDGET {
            let message = format!("loops and templates unfold more than {EXPANSION_BUDGET} times");
            self.report(
                Diagnostic::new(Code::EXPANSION_BUDGET, at, message)
                    .consequence("the rest is not unfolded")
                    .help("make the lists shorter, or nest fewer loops"),
            );
        }
        spent < EXPANSION_BUDGET
    }
}

struct Parameter<'p> {
    name: &'p str,
    kind: ParameterType,
    default: Option<Value>,
    span: Span,
}

/// The arguments of an application: in order, then by name.
struct Given {
    ordered: std::collections::VecDeque<(Option<Value>, Span)>,
    named: Vec<(String, Option<Value>, Span)>,
}

impl Given {
    fn sort(terms: Vec<crate::reading::Term<'_>>) -> Self {
        let mut given = Self { ordered: Default::default(), named: Vec::new() };
        let mut terms = terms.into_iter();
        while let Some(term) = terms.next() {
            if matches!(term.shape, Shape::Comma) {
                continue;
            }
            match term.word().and_then(|word| word.strip_suffix(':')) {
                Some(name) => {
                    let value = terms.next().and_then(|value| Value::from_term(&value));
                    given.named.push((name.to_owned(), value, term.span));
                }
                None => given.ordered.push_back((Value::from_term(&term), term.span)),
            }
        }
        given
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        match self.named.iter().position(|(named, ..)| named == name) {
            Some(at) => self.named.remove(at).1,
            None => self.ordered.pop_front()?.0,
        }
    }

    fn rest(self) -> impl Iterator<Item = Span> {
        self.ordered.into_iter().map(|(_, span)| span).chain(self.named.into_iter().map(|(.., span)| span))
    }
}

fn unknown_environment<'a>(
    name: &Spanned<Word>,
    known: impl Iterator<Item = &'a SmolStr> + Clone,
) -> Diagnostic {
    let message = format!("there is no environment `{}`", name.value.as_str());
    let report = Diagnostic::new(Code::UNKNOWN_ENVIRONMENT, name.span, message)
        .consequence("the block would never be part of a build");
    match did_you_mean(name.value.as_str(), known.map(SmolStr::as_str)) {
        Some(meant) => {
            report.help(format!("did you mean `{meant}`?")).edit(Applicability::Unsafe, name.span, meant)
        }
        None => report.help(format!("declare it with `env {} {{ }}`", name.value.as_str())),
    }
}
