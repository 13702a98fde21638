//! What is known while a statement is read: its module, its variables, the environment; and where reports go.

use super::attributes::{Accepted, Application, Degradation};
use super::keyword::{Entry, Repeat, Section, listed};
use super::origins::{applied, of_value};
use super::term::{Shape, Term, Value, ValueShape};
use super::vocabulary::Vocabulary;
use crate::project::{Definitions, FILE_BUDGET, ModuleId};
use crate::values::Namespace;
use meshc_language::{Applicability, Arg, Block, Code, Diagnostic, Kind, Span, Spanned, Statement, text};
use smol_str::SmolStr;
use std::borrow::Cow;
use std::sync::Arc;

/// Elements of a list, variables put in.
const MAX_ELEMENTS: usize = 10_000;

/// Bytes of a text into which variables are put.
const MAX_TEXT: usize = 1 << 20;

/// The variables of the templates and loops around a statement, and where they were applied.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// Innermost last.
    pub locals: Vec<(SmolStr, Value)>,
    /// Where the templates around it were applied, outermost first.
    pub applied: Vec<Span>,
}

impl Scope {
    /// Whether there are no variables and no templates.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.locals.is_empty() && self.applied.is_empty()
    }
}

/// Reads the statements of one module in one environment.
pub struct Reader<'d, 'p> {
    /// Constants, parameters, policies, templates of all modules.
    pub definitions: &'d Definitions<'p>,
    /// The module of the statement.
    pub module: ModuleId,
    /// Reports so far.
    pub reports: Vec<Diagnostic>,
    /// Whether a statement was lost because it could not be read: what is absent then proves nothing.
    pub lost: bool,
    /// The first statement that was.
    pub(crate) lost_at: Option<Span>,
    /// Statements that belong to the destinations of the route that is being read, if one is.
    misplaced: Option<Vec<Misplaced>>,
    /// `@allow` attributes so far.
    pub accepted: Vec<Accepted>,
    /// `@degrade` attributes so far.
    pub degradations: Vec<Degradation>,
    /// Templates that were applied so far.
    pub(crate) applications: Vec<Application>,
    pub(crate) scope: Scope,
    /// How often loops and templates have been unfolded.
    pub(crate) unfolded: u32,
    /// How often they may be.
    pub(crate) budget: u32,
    /// The templates that are being applied, by their names' places.
    pub(crate) templates: Vec<Span>,
    /// Statements of the sections that are being read: keyword and place; the current section starts at `frame`.
    seen: Vec<(&'static str, Span)>,
    frame: usize,
}

impl<'d, 'p> Reader<'d, 'p> {
    /// A reader for statements of `module`.
    #[must_use]
    pub fn new(definitions: &'d Definitions<'p>, module: ModuleId, scope: Option<Arc<Scope>>) -> Self {
        Self {
            definitions,
            module,
            lost: false,
            lost_at: None,
            misplaced: None,
            reports: Vec::new(),
            accepted: Vec::new(),
            degradations: Vec::new(),
            applications: Vec::new(),
            scope: scope.map(|scope| Scope::clone(&scope)).unwrap_or_default(),
            templates: Vec::new(),
            unfolded: 0,
            budget: FILE_BUDGET,
            seen: Vec::new(),
            frame: 0,
        }
    }

    /// The namespace of what is read: that of the file which applies the outermost template, else of the module.
    #[must_use]
    pub fn namespace(&self) -> Option<&'d Namespace> {
        let home = self.scope.applied.first().map_or(self.module, |applied| ModuleId(applied.file.0));
        self.definitions.module(home)?.namespace.as_ref().map(|namespace| &namespace.value)
    }

    /// The text at a place of the sources.
    #[must_use]
    pub fn written(&self, span: Span) -> Option<&'p str> {
        let file = self.definitions.project.files.get(span.file.0 as usize)?;
        Some(file.slice(span))
    }

    /// What the whole language knows of its words.
    pub(crate) fn vocabulary(&self) -> &'static dyn Vocabulary {
        self.definitions.vocabulary
    }

    /// Whether something follows a term without a blank.
    pub(super) fn goes_on_behind(&self, span: Span) -> bool {
        let file = self.definitions.project.files.get(span.file.0 as usize);
        let rest = file.and_then(|file| file.text.get(span.end as usize..)).unwrap_or_default();
        rest.starts_with(['[', '(', '{', '"', '\''])
    }

    /// Notes that a statement could not be read.
    pub(crate) fn lose(&mut self, statement: Statement<'p>) {
        self.lost = true;
        self.lost_at.get_or_insert(statement.head());
    }

    /// Takes a report. Inside of templates it also says where they were applied.
    pub fn report(&mut self, report: Diagnostic) {
        self.reports.push(applied(&self.scope.applied, report));
    }

    /// Takes a report about an argument. If its value came from elsewhere, that is the place to mend: it comes first, and
    /// one bad value that is used often is one report.
    pub fn report_at(&mut self, term: &Term<'_>, report: Diagnostic) {
        match term.origin {
            Some(origin) => self.reports.push(of_value(origin, report)),
            None => self.report(report),
        }
    }

    /// An argument with its variables put in.
    pub fn term(&mut self, arg: Arg<'p>) -> Term<'p> {
        let span = arg.span();
        let written = arg.written();
        let shape = match arg.kind {
            Kind::Word if written.contains('$') => return self.word_with_variables(written, span),
            Kind::Word => Shape::Word(Cow::Borrowed(written)),
            // What a string without an end holds is not what was meant; that it has none has been reported.
            Kind::Text | Kind::Raw | Kind::TextBlock if !text::is_terminated(written) => Shape::Unknown,
            Kind::Text => self.text(written, span),
            Kind::Raw => {
                self.warn_of_variables(written, span);
                let body = written.strip_prefix("r\"").unwrap_or(written);
                Shape::Raw(Cow::Borrowed(body.strip_suffix('"').unwrap_or(body)))
            }
            Kind::TextBlock => {
                self.warn_of_variables(written, span);
                Shape::TextBlock(Cow::Owned(text::unquote_block(written)))
            }
            Kind::Arrow => Shape::Arrow,
            Kind::Comma => Shape::Comma,
            Kind::List => self.elements(arg, true).map_or(Shape::Unknown, Shape::List),
            Kind::Group => self.elements(arg, false).map_or(Shape::Unknown, Shape::Group),
            Kind::Block => arg.block().map_or(Shape::Unknown, Shape::Block),
            Kind::Statement | Kind::Attribute | Kind::Doc | Kind::Comment => Shape::Unknown,
        };
        Term { shape, span, origin: None }
    }

    /// The elements of a list, into which variables that hold lists are spread, or of a group; `None`, which has been reported, if they are too many.
    fn elements(&mut self, arg: Arg<'p>, spread: bool) -> Option<Vec<Term<'p>>> {
        let mut terms = Vec::new();
        let mut elements = arg.elements().peekable();
        while let Some(element) = elements.next() {
            let term = self.term(element);
            // A variable that holds a list puts its elements into the list around it.
            if spread
                && term.origin.is_some()
                && let Shape::List(inner) = term.shape
            {
                // Nothing is no element, so the comma behind it parts nothing.
                if inner.is_empty() {
                    elements.next_if(|next| next.kind == Kind::Comma);
                }
                terms.extend(inner);
            } else {
                terms.push(term);
            }
            if terms.len() > MAX_ELEMENTS {
                self.too_much(arg.span(), &format!("this list has more than {MAX_ELEMENTS} elements"));
                return None;
            }
        }
        Some(terms)
    }

    #[cold]
    fn too_much(&mut self, span: Span, message: &str) {
        self.report(
            Diagnostic::new(Code::EXPANSION_BUDGET, span, message)
                .consequence("it is not compiled")
                .help("make it shorter; constants that repeat each other grow quickly"),
        );
    }

    fn text(&mut self, written: &'p str, span: Span) -> Shape<'p> {
        // Reported with the syntax.
        if let Some(body) = text::in_foreign_quotes(written) {
            return Shape::Text(Cow::Borrowed(body));
        }
        if !written.contains(['\\', '$']) {
            let body = written.strip_prefix('"').unwrap_or(written);
            return Shape::Text(Cow::Borrowed(body.strip_suffix('"').unwrap_or(body)));
        }
        let read = text::unquote(written);
        if let Some(offset) = read.bad_escapes.first() {
            let message = "unknown escape";
            let help =
                "use `\\n`, `\\t`, `\\\"`, `\\\\`, `\\$` or `\\u{1f600}`; `r\"...\"` keeps backslashes";
            let report = Diagnostic::new(Code::BAD_ESCAPE, span.part(*offset, 2), message).help(help);
            let body = written.trim_matches('"');
            let raw = Some(format!("r\"{body}\"")).filter(|_| !body.contains('"') && !body.contains("${"));
            self.report(match raw {
                Some(raw) => report.edit(Applicability::Unsafe, span, raw),
                None => report,
            });
            return Shape::Unknown;
        }
        let text = self.interpolate(&read.text, &read.dollars, Dollar::BracedOnly, span);
        text.map_or(Shape::Unknown, |text| Shape::Text(Cow::Owned(text)))
    }

    /// `$name` stands for its value, whatever that is; inside a longer word only scalars fit. A word has no escapes.
    fn word_with_variables(&mut self, written: &'p str, span: Span) -> Term<'p> {
        let name = written
            .strip_prefix('$')
            .map(|name| name.strip_prefix('{').and_then(|name| name.strip_suffix('}')).unwrap_or(name));
        if let Some(name) = name.filter(|name| is_name(name)) {
            return match self.variable(name, span) {
                Some(value) => value.to_term(span),
                None => Term { shape: Shape::Unknown, span, origin: None },
            };
        }
        let dollars: Vec<usize> = written.match_indices('$').map(|(at, _)| at).collect();
        let text = self.interpolate(written, &dollars, Dollar::BracedOrBare, span);
        let shape = text.map_or(Shape::Unknown, |text| Shape::Word(Cow::Owned(text)));
        // Made of several values: the place to look at is where the template was applied.
        Term { shape, span, origin: self.scope.applied.first().copied() }
    }

    /// Puts variables into a text, at those of its `$` that are no escapes; `None` if one has no value, or no place here,
    /// which has been reported.
    fn interpolate(&mut self, text: &str, dollars: &[usize], form: Dollar, span: Span) -> Option<String> {
        let mut result = String::with_capacity(text.len());
        let mut done = 0;
        let mut complete = true;
        for dollar in dollars.iter().copied() {
            let Some((plain, rest)) = text.get(done..dollar).zip(text.get(dollar + 1..)) else { continue };
            result.push_str(plain);
            if result.len() > MAX_TEXT {
                self.too_much(span, &format!("this text has more than {MAX_TEXT} bytes"));
                return None;
            }
            done = dollar + 1;
            let braced = rest.strip_prefix('{').and_then(|name| name.split_once('}'));
            let (name, after) = match braced {
                Some(parts) => parts,
                None if form == Dollar::BracedOrBare => split_name(rest),
                None => ("", rest),
            };
            if name.is_empty() {
                complete &= self.is_plain_dollar(rest, span);
                result.push('$');
                continue;
            }
            done = text.len() - after.len();
            complete &= self.push_value(name, span, &mut result);
        }
        result.push_str(text.get(done..).unwrap_or_default());
        complete.then_some(result)
    }

    /// The value of an argument; reports what no variable can hold.
    pub fn value(&mut self, term: &Term<'_>) -> Option<Value> {
        match Value::from_term(term) {
            Ok(value) => Some(value),
            Err(part) => {
                let message = format!("{} is not allowed in a value", part.describe());
                let report = Diagnostic::new(Code::WRONG_FORM, part.span, message);
                self.report(report.help("a value is a word, a string or a list such as `[a, b]`"));
                None
            }
        }
    }

    /// Puts the value of a variable behind a text; `false` if it has none that fits, which has been reported.
    fn push_value(&mut self, name: &str, span: Span, result: &mut String) -> bool {
        let Some(value) = self.variable(name, span) else { return false };
        if let Some(text) = value.to_term(span).text() {
            // Put into another expression, it stays one: its alternatives do not become those of the whole.
            let is_pattern =
                matches!(value.shape, ValueShape::Raw(_)) || self.definitions.is_pattern(self.module, name);
            let is_group = is_pattern && text.contains('|');
            result.push_str(if is_group { "(?:" } else { "" });
            result.push_str(text);
            result.push_str(if is_group { ")" } else { "" });
            return true;
        }
        if value.shape != ValueShape::Unknown {
            let message = format!("`${name}` is a list and cannot be part of a text");
            self.report(Diagnostic::new(Code::WRONG_FORM, span, message).related(value.span, "written here"));
        }
        false
    }

    /// Whether a `$` that no name follows is text. `$name` in a string is; where there is such a variable, that is hardly
    /// what was meant. `${` never is.
    fn is_plain_dollar(&mut self, rest: &str, span: Span) -> bool {
        if rest.starts_with('{') {
            let message = "`${` starts a variable that has no name or no `}`";
            let help = "write `${name}` for the value of `$name`, or `\\${` for the text";
            self.report(Diagnostic::new(Code::WRONG_FORM, span, message).help(help));
            return false;
        }
        // A hyphen may belong to the name or to the text after it: `$zone-canary` may mean `$zone`.
        let longest = split_name(rest).0;
        let ends = longest.rmatch_indices('-').filter_map(|(at, _)| longest.get(..at));
        let Some(name) = std::iter::once(longest).chain(ends).find(|name| self.is_variable(name)) else {
            return true;
        };
        let message = format!("`${name}` in a string is text, not the variable");
        let help = format!("write `${{{name}}}` for its value, or `\\${name}` for the text");
        self.report(Diagnostic::new(Code::WRONG_FORM, span, message).help(help));
        false
    }

    fn is_variable(&self, name: &str) -> bool {
        let is_local = self.scope.locals.iter().any(|(local, _)| local == name);
        is_local || (!name.is_empty() && self.definitions.variable(self.module, name).is_ok())
    }

    /// Nothing is put into raw strings and blocks of lines. Where there is a variable of that name, that is hardly what was
    /// meant.
    fn warn_of_variables(&mut self, written: &str, span: Span) {
        let mut names = written.split("${").skip(1).filter_map(|rest| Some(rest.split_once('}')?.0));
        let Some(name) = names.find(|name| is_name(name) && self.is_variable(name)) else { return };
        let message = format!("`${{{name}}}` is text here, not the variable");
        self.report(
            Diagnostic::new(Code::VARIABLE_AS_TEXT, span, message)
                .consequence("the text is used literally")
                .help(format!("variables work in `\"...\"` only; for example `\"${{{name}}}\"`")),
        );
    }

    /// The value of a variable: of a loop or template, else of the module.
    pub fn variable(&mut self, name: &str, span: Span) -> Option<Value> {
        if let Some((_, value)) = self.scope.locals.iter().rev().find(|(local, _)| local == name) {
            return Some(value.clone());
        }
        match self.definitions.variable(self.module, name) {
            Ok(value) => value.cloned(),
            Err(candidates) => {
                let locals = self.scope.locals.iter().map(|(local, _)| local.as_str());
                let all: Vec<&str> = locals.chain(candidates.iter().map(String::as_str)).collect();
                let message = format!("there is no constant or parameter `${name}`");
                let report = Diagnostic::new(Code::UNKNOWN_VARIABLE, span, message);
                let report = match crate::values::did_you_mean(name, all.into_iter()) {
                    Some(meant) => {
                        let report = report.help(format!("did you mean `${meant}`?"));
                        if span.range().len() == name.len() + 1 {
                            report.edit(Applicability::Unsafe, span, format!("${meant}"))
                        } else {
                            report
                        }
                    }
                    None => report
                        .help(format!("declare it with `const ${name} = ...`, or bring it in with `use`")),
                };
                self.report(report);
                None
            }
        }
    }

    /// The section in the block of a statement that needs one.
    pub fn required_section<S: Section>(&mut self, statement: Statement<'p>) -> Option<S> {
        if let Some(block) = statement.block() {
            return Some(self.section(statement, block));
        }
        let name = statement.keyword().map_or("", |keyword| keyword.written());
        let message = format!("`{name}` needs a block");
        let help = "write `{ ... }` after it";
        self.report(Diagnostic::new(Code::MISSING_BLOCK, statement.head(), message).help(help));
        None
    }

    /// The section in the block of a statement that may have one; empty if it has none.
    pub fn optional_section<S: Section>(&mut self, statement: Statement<'p>) -> S {
        statement.block().map_or_else(S::default, |block| self.section(statement, block))
    }

    /// Reads the statements of a block into a section.
    pub fn section<S: Section>(&mut self, owner: Statement<'p>, block: Block<'p>) -> S {
        let mut section = S::default();
        let outer = (self.frame, self.seen.len());
        self.frame = self.seen.len();
        self.each(block.statements(), &mut |statement, cx| cx.put(&mut section, owner, statement));
        let mut missing = Vec::new();
        section.missing(&mut |key| missing.push(key));
        let unread = self.seen.get(self.frame..).unwrap_or_default();
        missing.retain(|key| !unread.iter().any(|(seen, _)| seen == key));
        for key in missing {
            self.lost = true;
            self.missing_statement(owner, key);
        }
        self.frame = outer.0;
        self.seen.truncate(outer.1);
        section
    }

    fn put<S: Section>(&mut self, section: &mut S, owner: Statement<'p>, statement: Statement<'p>) {
        let key = statement.keyword().and_then(|keyword| keyword.word()).unwrap_or_default();
        if !section.statement(key, statement, self) {
            let mut entries = Vec::new();
            S::entries(&mut entries);
            if self.foreign_statement(section, &entries, statement) {
                return;
            }
            self.unknown_statement(owner, statement, &entries);
        }
    }

    #[cold]
    fn missing_statement(&mut self, owner: Statement<'p>, key: &str) {
        let name = owner.keyword().map_or("", |keyword| keyword.written());
        let message = format!("this `{name}` has no `{key}`");
        let help = match self.vocabulary().example(key) {
            Some(example) => format!("add it, for example `{example}`"),
            None => format!("add `{key} ...`"),
        };
        self.report(Diagnostic::new(Code::MISSING_STATEMENT, owner.head(), message).help(help));
    }

    #[cold]
    fn unknown_statement(&mut self, owner: Statement<'p>, statement: Statement<'p>, entries: &[Entry]) {
        let Some(keyword) = statement.keyword() else { return };
        let owner = owner.keyword().map_or("", |keyword| keyword.written());
        let Some(word) = keyword.word() else {
            let message = format!("a statement of `{owner}` starts with a word");
            self.report(Diagnostic::new(Code::UNKNOWN_KEYWORD, keyword.span(), message));
            return;
        };
        let known = self.vocabulary().known(word);
        let homes = self.vocabulary().homes(known);
        if let Some(report) = self.vocabulary().wrong_side(known, owner, &homes, keyword.span()) {
            match &mut self.misplaced {
                Some(misplaced) if known == word => {
                    misplaced.push(Misplaced { statement: statement.span(), report });
                }
                Some(_) | None => self.report(report),
            }
            return;
        }
        if owner == "host" && statement.arguments().any(|argument| argument.kind == Kind::Arrow) {
            return self.rule_without_route(statement, keyword.span());
        }
        if self.goes_on_as_yaml(keyword.span(), word) {
            self.lost = true;
            return;
        }
        if let Some(report) = super::layouts::flat_here(owner, word, statement, entries) {
            self.lost = true;
            self.report(report);
            return;
        }
        let message = format!("`{owner}` has no statement `{word}`");
        let mut report = Diagnostic::new(Code::UNKNOWN_KEYWORD, keyword.span(), message);
        let keys: Vec<&str> = entries.iter().map(|entry| entry.key).collect();
        let meant = crate::values::did_you_mean(word, keys.iter().copied());
        // One of many may be missing now, such as a subset; then a name that is not found proves nothing.
        self.lost |= match meant {
            Some(meant) => entries.iter().any(|entry| entry.key == meant && entry.repeat != Repeat::Once),
            None => entries.iter().any(|entry| entry.repeat == Repeat::Many),
        };
        // What was meant is not missing.
        let needed = entries.iter().find(|entry| entry.repeat == Repeat::Needed && Some(entry.key) == meant);
        self.seen.extend(needed.map(|entry| (entry.key, keyword.span())));
        report = match meant {
            Some(meant) => report.help(format!("did you mean `{meant}`?")).edit(
                Applicability::Unsafe,
                keyword.span(),
                meant,
            ),
            None if !homes.is_empty() => {
                report.help(format!("move it: `{known}` is a statement of {}", listed(&homes)))
            }
            None => report.help(format!("it takes {}", listed(&keys))),
        };
        self.report(report);
    }

    /// What `read` returns, and the statements in it that belong to the destinations of a route.
    pub(crate) fn with_misplaced<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> (T, Vec<Misplaced>) {
        let outer = self.misplaced.replace(Vec::new());
        let value = read(self);
        (value, std::mem::replace(&mut self.misplaced, outer).unwrap_or_default())
    }

    /// Whether a statement that may stand once stands here for the first time; reports it if not.
    pub fn first(&mut self, already: bool, key: &'static str, statement: Statement<'p>) -> bool {
        let earlier = self.seen.get(self.frame..).and_then(|seen| seen.iter().find(|(seen, _)| *seen == key));
        let earlier = earlier.map(|(_, span)| *span);
        if !already && earlier.is_none() {
            self.seen.push((key, statement.head()));
            return true;
        }
        let mut report =
            Diagnostic::new(Code::REPEATED_STATEMENT, statement.head(), format!("`{key}` is given twice"))
                .help("keep one of them");
        if let Some(earlier) = earlier {
            report = report.related(earlier, "first given here");
        }
        self.report(report);
        false
    }

    /// Reports a block behind a statement that takes none.
    pub fn refuse_block(&mut self, statement: Statement<'p>) {
        let Some(block) = statement.block() else { return };
        let name = statement.keyword().map_or("", |keyword| keyword.written());
        let message = format!("`{name}` takes no block");
        self.report(
            Diagnostic::new(Code::UNEXPECTED_BLOCK, block.span().part(0, 1), message)
                .help("remove the block, or move its statements to where they belong"),
        );
    }

    /// Calls `f` for each statement, with `in`, `for` and `apply` unfolded.
    pub fn each(
        &mut self,
        statements: impl IntoIterator<Item = Statement<'p>>,
        f: &mut dyn FnMut(Statement<'p>, &mut Self),
    ) {
        for statement in statements {
            // A block without a statement has been reported with the syntax.
            let Some(keyword) = statement.keyword() else { continue };
            match keyword.word() {
                Some("in") => self.unfold_in(statement, f),
                Some("for") => self.unfold_for(statement, f),
                Some("apply") => self.unfold_apply(statement, f),
                _ => f(statement, self),
            }
        }
    }

    /// A spanned copy of a keyword, for reports that name it.
    #[must_use]
    pub fn keyword_of(statement: Statement<'p>) -> Spanned<&'p str> {
        statement.keyword().map_or(Spanned::new("", statement.head()), |keyword| {
            Spanned::new(keyword.written(), keyword.span())
        })
    }
}

/// A statement on calling that stands in a route.
#[derive(Clone, Debug)]
pub struct Misplaced {
    /// The statement.
    pub statement: Span,
    /// What is said of it, where no more is known.
    pub report: Diagnostic,
}

/// How a `$` starts a variable.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dollar {
    /// In a string: `${name}` only.
    BracedOnly,
    /// In a word: `${name}` or `$name`.
    BracedOrBare,
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// The longest name at the start of a text, and what follows it.
fn split_name(text: &str) -> (&str, &str) {
    let length = text
        .bytes()
        .take_while(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-')
        .count();
    text.split_at_checked(length).unwrap_or((text, ""))
}
