//! Sorts the statements at the top of each file: definitions, imports, environments, items.

use super::definitions::{Definition, DefinitionKind, Module};
use super::imports::Use;
use super::{ModuleId, variables};
use crate::values::Controller;
use crate::values::{Literal, Namespace, Word};
use indexmap::IndexMap;
use meshc_language::{Applicability, Arg, Arguments, Code, Diagnostic, Kind, Span, Spanned, Statement};
use rustc_hash::FxHashSet;
use smol_str::SmolStr;
use std::sync::atomic::AtomicBool;

/// A value that an environment gives to a parameter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Binding<'p> {
    pub(crate) module: ModuleId,
    pub(crate) environment: &'p str,
    pub(crate) statement: Statement<'p>,
}

/// Sorts the statements of one file.
pub(super) struct Collector<'a, 'p> {
    pub(super) id: ModuleId,
    pub(super) module: Module<'p>,
    pub(super) uses: Vec<Use<'p>>,
    /// The names that `uses` brings in.
    pub(super) imported: FxHashSet<&'p str>,
    pub(super) environments: &'a mut IndexMap<SmolStr, Vec<Span>>,
    pub(super) bindings: &'a mut Vec<Binding<'p>>,
    pub(super) reports: &'a mut Vec<Diagnostic>,
}

impl<'p> Collector<'_, 'p> {
    pub(super) fn statement(&mut self, statement: Statement<'p>) {
        // A block without a statement has been reported with the syntax.
        if statement.keyword().is_none() {
            return;
        }
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
                self.refuse_block(keyword, statement);
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
                self.refuse_block(keyword, statement);
                self.module.shaping.push(statement);
                self.namespace(statement, name);
            }
            "use" => {
                self.refuse_block(keyword, statement);
                self.module.shaping.push(statement);
                self.import(statement, name, words);
            }
            "env" => {
                self.refuse_more(keyword, words);
                self.module.shaping.push(statement);
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

    /// Reports a block of a statement that takes none: nothing would read it.
    fn refuse_block(&mut self, keyword: &str, statement: Statement<'p>) {
        let Some(block) = statement.block() else { return };
        let help = match keyword {
            "namespace" => "remove the braces: `namespace` holds for the whole file",
            "use" => "remove the block: imported definitions are used by name",
            _ => "remove the block: a value is a word, a string or a list",
        };
        let report = Diagnostic::new(
            Code::UNEXPECTED_BLOCK,
            block.span().part(0, 1),
            format!("`{keyword}` takes no block"),
        );
        self.reports.push(report.consequence("nothing in it is compiled").help(help));
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
        if matches!(kind, DefinitionKind::Retry(_)) && name == "off" {
            let message = "a `retry` cannot be called `off`";
            let report = Diagnostic::new(Code::RESERVED_NAME, span, message);
            let report = report.consequence("`retry off` means that nothing is tried again");
            self.reports.push(report.help("give it another name"));
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

    fn namespace(&mut self, statement: Statement<'p>, name: Option<Arg<'p>>) {
        let Some(name) = name else {
            let message = "`namespace` needs a name";
            self.reports.push(
                Diagnostic::new(Code::MISSING_ARGUMENT, statement.head(), message).help("add the namespace"),
            );
            return;
        };
        match Namespace::parse(name.written()) {
            _ if self.module.has_namespace() => {
                let message = "a file has one namespace";
                let report = Diagnostic::new(Code::REPEATED_STATEMENT, statement.head(), message)
                    .help("move the items of the other namespace into a separate file");
                let first = self.module.namespace.as_ref().map(|first| first.span);
                let first = first.or(self.module.named_by.map(|first| first.span()));
                self.reports.push(match first {
                    Some(first) => report.related(first, "first given here"),
                    None => report,
                });
            }
            // Its value is known when those of parameters are.
            _ if name.written().contains('$') => self.module.named_by = Some(name),
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
    fn import(&mut self, statement: Statement<'p>, module: Option<Arg<'p>>, mut rest: Arguments<'p>) {
        let names = rest.next_if_group();
        let (Some(module), Some(names)) =
            (module.and_then(|module| Some((module.word()?, module.span()))), names)
        else {
            let message = "`use` needs a module and the names to bring in";
            let help = "write `use platform.defaults (slow-retry, $limit)`";
            self.reports.push(Diagnostic::new(Code::MISSING_ARGUMENT, statement.head(), message).help(help));
            return;
        };
        self.refuse_more("use", rest);
        let names = self.imported_names(names);
        self.uses.push(Use { module: module.0, names, span: module.1 });
    }

    /// The names in the parentheses of `use`, parted by commas.
    fn imported_names(&mut self, group: Arg<'p>) -> Vec<(SmolStr, Span)> {
        let mut names: Vec<(SmolStr, Span)> = Vec::new();
        let mut comma_due = false;
        for element in group.elements() {
            if comma_due && element.kind == Kind::Comma {
                comma_due = false;
                continue;
            }
            let Some(name) = element.word().filter(|_| !comma_due) else {
                let message = "`use` needs names separated by commas";
                let report = Diagnostic::new(Code::UNEXPECTED_ARGUMENT, element.span(), message);
                self.reports.push(report.help("write `use platform.defaults (slow-retry, $limit)`"));
                return names;
            };
            comma_due = true;
            let span = element.span();
            if !self.imported.insert(name) {
                let message = format!("`{name}` is brought in twice");
                self.reports.push(
                    Diagnostic::new(Code::DUPLICATE_DECLARATION, span, message).help("remove one of them"),
                );
            } else {
                names.push((SmolStr::new(name), span));
            }
        }
        if names.is_empty() {
            let message = "`use` needs a name to bring in";
            let report = Diagnostic::new(Code::MISSING_ARGUMENT, group.span(), message);
            self.reports.push(report.help("add one, or remove the line"));
        }
        names
    }

    fn environment(&mut self, statement: Statement<'p>, name: Option<Arg<'p>>) {
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
        if let Some(report) = reserved_environment(name, span) {
            self.reports.push(report);
        }
        self.environments.entry(SmolStr::new(name)).or_default().push(span);
        let Some(block) = statement.block() else { return };
        for statement in block.statements().filter(|statement| statement.keyword().is_some()) {
            self.bindings.push(Binding { module: self.id, environment: name, statement });
        }
    }
}

/// Reports an environment that could not be told from all of them, or from a target.
fn reserved_environment(name: &str, span: Span) -> Option<Diagnostic> {
    let (message, consequence) = if name == "all" {
        (
            "`all` cannot be the name of an environment".to_owned(),
            "`--env all` means every environment".to_owned(),
        )
    } else {
        Controller::parse(name).ok()?;
        (
            format!("an environment cannot have the name of the target `{name}`"),
            format!("`in {name} {{ ... }}` holds for the target, in every environment"),
        )
    };
    Some(
        Diagnostic::new(Code::RESERVED_NAME, span, message)
            .consequence(consequence)
            .help("give the environment another name, for example `prod`"),
    )
}
