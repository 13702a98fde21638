//! `in`, `for` and `apply`: blocks that stand for other statements.

use super::ModuleId;
use super::definitions::DefinitionKind;
use super::parameter::ParameterType;
use crate::reading::{Application, Args, Comma, Reader, Scope, Shape, Syntax, Term, Value, ValueShape};
use crate::values::Controller;
use crate::values::{Literal, Word, did_you_mean};
use meshc_language::{Applicability, Arg, Code, Diagnostic, Kind, Span, Spanned, Statement};
use smol_str::SmolStr;

/// How often loops and templates may unfold at the top of one file.
pub(crate) const FILE_BUDGET: u32 = 100_000;

/// How often they may unfold in one item.
const ITEM_BUDGET: u32 = 10_000;

/// How often they may unfold in one of very many items that a loop or template has made.
const LEAST_ITEM_BUDGET: u32 = 100;

/// What one of `made` items that loops and templates have made may unfold (`None`: the item was written out). It depends on
/// nothing that other items do, so that a report stands where it stands however many are read at once; and all together
/// stay within bounds.
pub(crate) fn item_budget(made: Option<usize>) -> u32 {
    let made = u32::try_from(made.unwrap_or(1).max(1)).unwrap_or(u32::MAX);
    (FILE_BUDGET / made).clamp(LEAST_ITEM_BUDGET, ITEM_BUDGET)
}

/// Templates applied inside of each other; no circle is this long without repeating itself.
const MAX_APPLIED: usize = 64;

type Each<'a, 'd, 'p> = &'a mut dyn FnMut(Statement<'p>, &mut Reader<'d, 'p>);

impl<'d, 'p> Reader<'d, 'p> {
    /// `in prod, staging { ... }`: the block, in those environments only; `in envoy { ... }`: for that target only.
    pub(crate) fn unfold_in(&mut self, statement: Statement<'p>, f: Each<'_, 'd, 'p>) {
        self.attributes(statement);
        let mut args = Args::of(statement);
        let Some(Comma(names)) = Comma::<Spanned<Word>>::read(&mut args, self) else {
            self.lost = true;
            return;
        };
        args.finish(&[], self);
        let applies = self.applies(&names);
        let Some(block) = statement.block() else {
            self.no_block(statement);
            return;
        };
        if applies {
            self.each(block.statements(), f);
        }
    }

    /// Whether a block for these environments, or these targets, is read.
    fn applies(&mut self, names: &[Spanned<Word>]) -> bool {
        let target = |name: &Spanned<Word>| Controller::parse(name.value.as_str()).ok();
        let targets: Vec<Controller> = names.iter().filter_map(target).collect();
        if targets.is_empty() {
            return self.applies_in_environment(names);
        }
        if let Some(other) = names.iter().find(|name| target(name).is_none()) {
            self.lost = true;
            let known = self.definitions.environments.contains_key(other.value.as_str());
            let report = if known {
                mixed_block(&targets, other)
            } else {
                unknown_environment(other, self.definitions.environments.keys())
            };
            self.report(report);
            return false;
        }
        for name in names {
            let built = target(name).is_none_or(|target| self.definitions.targets.known.contains(&target));
            if !built {
                self.report(not_built(name));
            }
        }
        self.definitions.targets.applies(&targets)
    }

    fn applies_in_environment(&mut self, names: &[Spanned<Word>]) -> bool {
        let mut applies = false;
        for name in names {
            let known = self.definitions.environments.contains_key(name.value.as_str());
            if !known {
                let names = self.definitions.environments.keys();
                self.report(unknown_environment(name, names));
            }
            applies |= self.definitions.environment.as_deref() == Some(name.value.as_str());
        }
        applies
    }

    /// `for $x in [a, b] { ... }`: the block once for each element.
    pub(crate) fn unfold_for(&mut self, statement: Statement<'p>, f: Each<'_, 'd, 'p>) {
        self.attributes(statement);
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
        if !matches!(term.shape, Shape::List(_) | Shape::Unknown) {
            let message = format!("a loop runs over a list, found {}", term.describe());
            let report = Diagnostic::new(Code::WRONG_FORM, term.span, message);
            self.report_at(&term, report.help("write `[a, b]`"));
            return None;
        }
        let value = self.value(&term)?;
        match value.shape {
            ValueShape::List(values) if values.is_empty() && term.origin.is_none() => {
                let report =
                    Diagnostic::new(Code::MISSING_ARGUMENT, term.span, "this loop has an empty list");
                self.report(
                    report
                        .consequence("nothing in its block is compiled")
                        .help("add a value, or remove the loop"),
                );
                None
            }
            ValueShape::List(values) => Some((SmolStr::new(name), values)),
            ValueShape::Word(_) | ValueShape::Text(_) | ValueShape::Raw(_) | ValueShape::Unknown => None,
        }
    }

    /// `apply NAME(a, b)`: the block of the template, with its parameters set.
    pub(crate) fn unfold_apply(&mut self, statement: Statement<'p>, f: Each<'_, 'd, 'p>) {
        self.attributes(statement);
        let mut args = Args::of(statement);
        let Some(name) = args.expect("the name of a template", self) else { return };
        let arguments = match args.next(self) {
            Some(Term { shape: Shape::Group(terms), .. }) => self.template_arguments(terms),
            Some(other) => {
                let message = format!("`apply` takes its values in parentheses, found {}", other.describe());
                let report = Diagnostic::new(Code::UNEXPECTED_ARGUMENT, other.span, message);
                self.report(report.help("write `apply name(a, b)`"));
                None
            }
            None => Some(Given::default()),
        };
        args.finish(&[], self);
        self.refuse_block(statement);
        let Some(written) = name.word() else {
            self.lost = true;
            let message = format!("`apply` takes the name of a template, found {}", name.describe());
            let report = Diagnostic::new(Code::WRONG_FORM, name.span, message);
            self.report(report.help("write `apply name(a, b)`"));
            return;
        };
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
                    .consequence("it would expand without end")
                    .help("use `for` to repeat, or write the last step directly"),
            );
            return;
        }
        let locals = arguments.and_then(|given| {
            self.template_scope((home, template.statement), template.span, statement.head(), given)
        });
        let Some(locals) = locals else {
            self.lost = true;
            return;
        };
        let Some(block) = template.statement.block() else {
            self.lost = true;
            return;
        };
        // A template sees its own module and its own parameters, nothing of the place where it is applied.
        let outer = (self.module, std::mem::take(&mut self.scope));
        let mut applied = outer.1.applied.clone();
        applied.push(statement.head());
        self.module = home;
        self.scope = Scope { locals, applied };
        self.templates.push(template.span);
        self.applications.push(Application { at: statement.span(), template: template.statement.span() });
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
        (home, template): (ModuleId, Statement<'p>),
        declared: Span,
        applied: Span,
        mut given: Given,
    ) -> Option<Vec<(SmolStr, Value)>> {
        // Its defaults are written where it is declared, and see what is declared there.
        let outer = (std::mem::replace(&mut self.module, home), std::mem::take(&mut self.scope.locals));
        let parameters = self.template_parameters(template);
        (self.module, self.scope.locals) = outer;
        let parameters = parameters?;
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
            // An expression stays one where it is put into another one, however it is written.
            let value = match (parameter.kind, value) {
                (ParameterType::Pattern, Value { shape: ValueShape::Text(text), span }) => {
                    Value { shape: ValueShape::Raw(text), span }
                }
                (_, value) => value,
            };
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

    /// The parameters of a template: `$name: type [= value]`, parted by commas.
    fn template_parameters(&mut self, template: Statement<'p>) -> Option<Vec<Parameter<'p>>> {
        let group = template.all_arguments().find(|arg| arg.kind == Kind::Group);
        let mut parameters: Vec<Parameter<'p>> = Vec::new();
        let mut elements = group.map(|group| group.elements()).into_iter().flatten().peekable();
        while let Some(name) = elements.next() {
            let parameter = self.template_parameter(name, &mut elements)?;
            if let Some(earlier) = parameters.iter().find(|earlier| earlier.name == parameter.name) {
                let message = format!("the template has two parameters `${}`", parameter.name);
                let report = Diagnostic::new(Code::DUPLICATE_DECLARATION, parameter.span, message);
                self.report(report.related(earlier.span, "first declared here").help("rename one of them"));
                return None;
            }
            parameters.push(parameter);
            match elements.next() {
                Some(other) if other.kind != Kind::Comma => {
                    let message = "the parameters of a template are separated by commas";
                    let report = Diagnostic::new(Code::UNEXPECTED_ARGUMENT, other.span(), message);
                    self.report(report.help("write `$name: type, $other: type = value`"));
                    return None;
                }
                Some(_) | None => {}
            }
        }
        Some(parameters)
    }

    fn template_parameter(
        &mut self,
        name: Arg<'p>,
        rest: &mut std::iter::Peekable<impl Iterator<Item = Arg<'p>>>,
    ) -> Option<Parameter<'p>> {
        let written =
            name.word().and_then(|word| word.strip_prefix('$')).and_then(|word| word.strip_suffix(':'));
        let kind = rest.next_if(|kind| kind.kind == Kind::Word);
        let (Some(written), Some(kind)) = (written, kind) else {
            let message = "a template parameter is a name and a type";
            let report = Diagnostic::new(Code::MISSING_ARGUMENT, name.span(), message);
            self.report(report.help("write `$name: type` or `$name: type = value`"));
            return None;
        };
        let kind = match ParameterType::parse(kind.written()) {
            Ok(kind) => kind,
            Err(error) => {
                let report = Diagnostic::new(Code::BAD_LITERAL, kind.span(), error.message);
                self.report(report.maybe_help(error.help));
                return None;
            }
        };
        let mut default = None;
        if let Some(equals) = rest.next_if(|arg| arg.word() == Some("=")) {
            let Some(value) = rest.next_if(|arg| arg.kind != Kind::Comma) else {
                let message = format!("the default of `${written}` is missing");
                let report = Diagnostic::new(Code::MISSING_ARGUMENT, equals.span(), message);
                self.report(report.help("write `$name: type = value`"));
                return None;
            };
            let term = self.term(value);
            default = Some(self.value(&term)?);
        }
        Some(Parameter { name: written, kind, default, span: name.span() })
    }

    /// The arguments of `apply`: values in order and values by name, parted by commas.
    fn template_arguments(&mut self, terms: Vec<Term<'p>>) -> Option<Given> {
        let mut given = Given::default();
        let mut terms = terms.into_iter();
        while let Some(term) = terms.next() {
            match term.word().and_then(|word| word.strip_suffix(':')) {
                Some(name) => {
                    let Some(value) = terms.next() else {
                        let message = format!("the argument `{name}` has no value");
                        let report = Diagnostic::new(Code::MISSING_ARGUMENT, term.span, message);
                        self.report(report.help("write `name: value`"));
                        return None;
                    };
                    given.named.push((name.to_owned(), self.value(&value)?, term.span));
                }
                None => given.ordered.push_back((self.value(&term)?, term.span)),
            }
            match terms.next() {
                Some(other) if !matches!(other.shape, Shape::Comma) => {
                    let message = format!(
                        "the arguments of a template are separated by commas, found {}",
                        other.describe()
                    );
                    let report = Diagnostic::new(Code::UNEXPECTED_ARGUMENT, other.span, message);
                    self.report(report.help("write `apply name(a, b)`"));
                    return None;
                }
                Some(_) | None => {}
            }
        }
        Some(given)
    }

    /// Reports a policy, retry or template that does not exist.
    #[cold]
    pub(crate) fn unknown_definition(&mut self, what: &str, written: &str, span: Span, known: &[String]) {
        let unknown = self.definitions.unknown(self.module, what, written, span, known);
        unknown.into_iter().for_each(|report| self.report(report));
    }

    fn no_block(&mut self, statement: Statement<'p>) {
        self.lost = true;
        let name = statement.keyword().map_or("", |keyword| keyword.written());
        let message = format!("`{name}` needs a block");
        self.report(
            Diagnostic::new(Code::MISSING_BLOCK, statement.head(), message).help("write `{ ... }` after it"),
        );
    }

    /// Counts one unfolding; `false` once the budget is spent, which is reported once.
    fn spend(&mut self, at: Span) -> bool {
        if self.unfolded == self.budget {
            let message = format!("loops and templates expand more than {} times here", self.budget);
            self.report(
                Diagnostic::new(Code::EXPANSION_BUDGET, at, message)
                    .consequence("the rest is not expanded")
                    .help("make the lists shorter, or nest fewer loops"),
            );
        }
        self.lost |= self.unfolded >= self.budget;
        self.unfolded = self.unfolded.saturating_add(1);
        self.unfolded <= self.budget
    }
}

struct Parameter<'p> {
    name: &'p str,
    kind: ParameterType,
    default: Option<Value>,
    span: Span,
}

/// The arguments of an application: in order, then by name.
#[derive(Default)]
struct Given {
    ordered: std::collections::VecDeque<(Value, Span)>,
    named: Vec<(String, Value, Span)>,
}

impl Given {
    fn take(&mut self, name: &str) -> Option<Value> {
        match self.named.iter().position(|(named, ..)| named == name) {
            Some(at) => Some(self.named.remove(at).1),
            None => Some(self.ordered.pop_front()?.0),
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
    let message = format!("there is no environment or target `{}`", name.value.as_str());
    let known = known.map(SmolStr::as_str).chain(Controller::ALL.iter().map(|target| target.word()));
    let report = Diagnostic::new(Code::UNKNOWN_ENVIRONMENT, name.span, message)
        .consequence("the block would never be part of a build");
    match did_you_mean(name.value.as_str(), known) {
        Some(meant) => {
            report.help(format!("did you mean `{meant}`?")).edit(Applicability::Unsafe, name.span, meant)
        }
        None => report.help(format!("declare it with `env {} {{ }}`", name.value.as_str())),
    }
}

fn mixed_block(targets: &[Controller], environment: &Spanned<Word>) -> Diagnostic {
    let target = targets.first().map_or("envoy", |target| target.word());
    let environment_name = environment.value.as_str();
    let message = format!("`{environment_name}` is an environment, and `{target}` is a target");
    Diagnostic::new(Code::MIXED_BLOCK, environment.span, message)
        .consequence("it is unclear whether either or both must match")
        .help(format!(
            "nest the blocks: `in {environment_name} {{ in {target} {{ ... }} }}` applies where both match"
        ))
}

fn not_built(name: &Spanned<Word>) -> Diagnostic {
    let target = name.value.as_str();
    let message = format!("the project does not build `{target}`");
    Diagnostic::new(Code::TARGET_NOT_BUILT, name.span, message)
        .consequence("nothing in this block is compiled or checked")
        .help(format!("add \"{target}\" to `targets` in mesh.toml, or remove it here"))
}
