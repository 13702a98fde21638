//! `@allow`, `@degrade` and `@deprecated`: what stands in front of a statement.

use super::arguments::Args;
use super::keyword::literal;
use super::places::wherever_written;
use super::reader::Reader;
use super::term::Term;
use crate::values::Controller;
use crate::values::{Date, Literal, Text, words};
use meshc_language::code::Kind;
use meshc_language::{Attribute, Code, Diagnostic, Span, Spanned, Statement};

/// What stands in front of a statement, other than `@allow`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attributes {
    /// `@deprecated(...)`.
    pub deprecated: Option<Deprecation>,
}

/// `@deprecated(since: "2026.1", use: v3, until: 2027-01-31)`.
#[derive(Clone, Debug)]
pub struct Deprecation {
    /// The release or day since when.
    pub since: Option<Spanned<Text>>,
    /// What to use instead.
    pub instead: Option<Spanned<Text>>,
    /// The day it will be gone.
    pub until: Option<Spanned<Date>>,
    /// The attribute.
    pub span: Span,
}

wherever_written!(Deprecation { since, instead, until } at { span });

words! {
    /// What becomes of a statement that a target cannot carry.
    pub enum Loss: "kind of loss" {
        Drop = "drop" "what the target does not support is dropped: an option, or a route because of its condition",
        Approximate = "approximate" "approximations of the target are accepted; nothing may be dropped",
    }
}

/// `@degrade(envoy, drop, because: "...")`.
#[derive(Clone, Debug)]
pub struct Degradation {
    /// The target.
    pub target: Spanned<Controller>,
    /// What is accepted.
    pub loss: Spanned<Loss>,
    /// Why.
    pub because: Spanned<Text>,
    /// The statement, its block included, that may be lost.
    pub scope: Span,
    /// The attribute.
    pub span: Span,
}

wherever_written!(Degradation { target, loss, because } at { scope, span });

/// A template that is applied.
#[derive(Clone, Copy, Debug)]
pub struct Application {
    /// `apply NAME(...)`.
    pub at: Span,
    /// The template, whose statements stand there too.
    pub template: Span,
}

/// `@allow(MESH0608, because: "...", until: 2027-03-31)`: a report that is accepted inside one statement.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// The report.
    pub code: Code,
    /// The last day on which it holds.
    pub until: Option<Spanned<Date>>,
    /// The statement, its block included, within which reports are silenced.
    pub scope: Span,
    /// The attribute.
    pub span: Span,
}

/// Keywords of statements that may be deprecated.
const DEPRECABLE: &[&str] = &["gateway", "service", "external", "subset"];

/// Statements on TLS and access: no target may drop or approximate them.
const NEVER_DEGRADED: &[&str] = &["tls", "listen", "gateway", "visible", "credential", "bindings", "secret"];

impl<'p> Reader<'_, 'p> {
    /// Reads the attributes of a statement: exemptions are kept, the rest is returned.
    pub fn attributes(&mut self, statement: Statement<'p>) -> Option<Box<Attributes>> {
        let mut read: Option<Box<Attributes>> = None;
        for attribute in statement.attributes() {
            match attribute.name() {
                "allow" => self.allow(attribute, statement),
                "degrade" => {
                    self.refuse_loss_of_safety(attribute, statement);
                    let degradation = self.degradation(attribute, statement);
                    self.degradations.extend(degradation);
                }
                "deprecated" => {
                    let keyword = statement.keyword().map_or("", |keyword| keyword.written());
                    if !DEPRECABLE.contains(&keyword) {
                        let message = format!("`{keyword}` cannot be deprecated");
                        let help = format!("put it before one of {}", super::keyword::listed(DEPRECABLE));
                        self.report(
                            Diagnostic::new(Code::BAD_ATTRIBUTE, attribute.span(), message).help(help),
                        );
                    } else if read.is_some() {
                        let message = "`@deprecated` is given twice";
                        let report = Diagnostic::new(Code::BAD_ATTRIBUTE, attribute.span(), message);
                        self.report(report.help("keep one of them"));
                    } else if let Some(deprecation) = self.deprecation(attribute) {
                        read.get_or_insert_default().deprecated = Some(deprecation);
                    }
                }
                name => self.unknown_attribute(name, attribute.span()),
            }
        }
        read
    }

    /// Who may come in, and whether it is encrypted, is never given up.
    fn refuse_loss_of_safety(&mut self, attribute: Attribute<'p>, statement: Statement<'p>) {
        let keyword = statement.keyword().map_or("", |keyword| keyword.written());
        if NEVER_DEGRADED.contains(&keyword) {
            let message = format!("the loss of `{keyword}` cannot be accepted");
            let report = Diagnostic::new(Code::BAD_DEGRADE, attribute.span(), message);
            self.report(report.consequence("traffic would be open to unintended clients").help(
                "remove the attribute; then remove the target, or the statement that it does not support",
            ));
        }
    }

    #[cold]
    fn unknown_attribute(&mut self, name: &str, span: Span) {
        const NAMES: [&str; 3] = ["allow", "degrade", "deprecated"];
        let report = Diagnostic::new(Code::BAD_ATTRIBUTE, span, format!("unknown attribute `@{name}`"));
        let meant = crate::values::did_you_mean(name, NAMES.into_iter());
        self.report(match meant {
            Some(meant) => report.help(format!("did you mean `@{meant}`?")).edit(
                meshc_language::Applicability::Unsafe,
                span.part(1, name.len()),
                meant,
            ),
            None => report.help("use `@allow`, `@degrade` or `@deprecated`"),
        });
    }

    fn allow(&mut self, attribute: Attribute<'p>, statement: Statement<'p>) {
        let mut parts = Parts::new(attribute, "allow");
        let Some(term) = parts.positional("a code such as `MESH0608`", self) else { return };
        let named = parts.named(&["because", "until"], self);
        let code = term.word().and_then(Code::find);
        let Some(code) = code else {
            let message = format!("{} is not a code of this program", term.describe());
            let help = "run `meshc explain --list` for all codes";
            self.report(Diagnostic::new(Code::BAD_ATTRIBUTE, term.span, message).help(help));
            return;
        };
        if !code.can_be_accepted() {
            let message = format!("{code} cannot be accepted: {}", code.kind().meaning());
            let report = Diagnostic::new(Code::BAD_ATTRIBUTE, term.span, message);
            self.report(report.help(format!(
                "fix what it reports; `meshc explain {code}` shows how. Errors of the kind `{}` can be accepted, and all warnings",
                Kind::NotMeant.name()
            )));
            return;
        }
        if !named.iter().any(|(name, _)| *name == "because") {
            let message = "an exemption needs a reason";
            let help = "add `because: \"...\"`";
            self.report(Diagnostic::new(Code::BAD_ATTRIBUTE, attribute.span(), message).help(help));
        }
        let mut until = None;
        for (name, value) in named {
            match name {
                "because" => _ = literal::<Text>(&value, self),
                _ => until = literal::<Date>(&value, self),
            }
        }
        self.accepted.push(Accepted { code, until, scope: statement.span(), span: attribute.span() });
    }

    fn degradation(&mut self, attribute: Attribute<'p>, statement: Statement<'p>) -> Option<Degradation> {
        let mut parts = Parts::new(attribute, "degrade");
        let target =
            parts.positional("a target", self).and_then(|term| literal::<Controller>(&term, self))?;
        let loss = parts
            .positional("`drop` or `approximate`", self)
            .and_then(|term| literal::<Loss>(&term, self))?;
        let named = parts.named(&["because"], self);
        let Some((_, reason)) = named.into_iter().next() else {
            let message = "an accepted loss needs a reason";
            let help = "add `because: \"...\"`";
            self.report(Diagnostic::new(Code::BAD_ATTRIBUTE, attribute.span(), message).help(help));
            return None;
        };
        let because = literal::<Text>(&reason, self)?;
        Some(Degradation { target, loss, because, scope: statement.span(), span: attribute.span() })
    }

    fn deprecation(&mut self, attribute: Attribute<'p>) -> Option<Deprecation> {
        let mut parts = Parts::new(attribute, "deprecated");
        let mut deprecation = Deprecation { since: None, instead: None, until: None, span: attribute.span() };
        for (name, value) in parts.named(&["since", "use", "until"], self) {
            match name {
                "since" => deprecation.since = literal::<Text>(&value, self),
                "use" => deprecation.instead = any_text(&value, self),
                _ => deprecation.until = literal::<Date>(&value, self),
            }
        }
        Some(deprecation)
    }
}

fn any_text(term: &Term<'_>, cx: &mut Reader<'_, '_>) -> Option<Spanned<Text>> {
    match term.text().map(Text::parse) {
        Some(Ok(text)) => Some(Spanned::new(text, term.span)),
        _ => literal(term, cx),
    }
}

/// The parts of `@name(a, b, key: value)`.
struct Parts<'p> {
    args: Args<'p>,
    first: bool,
}

impl<'p> Parts<'p> {
    fn new(attribute: Attribute<'p>, owner: &'p str) -> Self {
        Self { args: Args::over(attribute.arguments(), owner, attribute.span()), first: true }
    }

    fn positional(&mut self, what: &str, cx: &mut Reader<'_, 'p>) -> Option<Term<'p>> {
        if !self.first {
            self.args.take_comma(cx);
        }
        self.first = false;
        self.args.expect(what, cx)
    }

    /// `key: value` pairs; an unknown key is reported.
    fn named(&mut self, keys: &[&'static str], cx: &mut Reader<'_, 'p>) -> Vec<(&'static str, Term<'p>)> {
        let mut pairs = Vec::new();
        loop {
            if !self.first && !self.args.take_comma(cx) {
                break;
            }
            self.first = false;
            let Some(term) = self.args.next(cx) else { break };
            let key = term.word().and_then(|word| word.strip_suffix(':')).unwrap_or_default();
            let Some(key) = keys.iter().find(|known| **known == key) else {
                let message = format!("`@{}` has no part {}", self.args.owner, term.describe());
                let help = format!("write one of {}, then `:` and a value", super::keyword::listed(keys));
                cx.report(Diagnostic::new(Code::BAD_ATTRIBUTE, term.span, message).help(help));
                return pairs;
            };
            let Some(value) = self.args.expect("a value", cx) else { break };
            if pairs.iter().any(|(earlier, _)| earlier == key) {
                let message = format!("`@{}` has `{key}` twice", self.args.owner);
                let report = Diagnostic::new(Code::BAD_ATTRIBUTE, term.span, message);
                cx.report(report.help("keep one of them"));
                continue;
            }
            pairs.push((*key, value));
        }
        self.args.finish(&[], cx);
        pairs
    }
}
