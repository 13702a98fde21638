//! The declaration of keywords: one macro for blocks, one for statements with arguments and a block.

use super::arguments::Args;
use super::reader::Reader;
use super::term::{Shape, Term};
use crate::values::{Form, Literal, ValueError};
use meshc_language::{Applicability, Code, Diagnostic, Spanned, Statement};
use std::ops::{Deref, DerefMut};

/// A type that can be read from arguments.
pub trait Syntax: Sized {
    /// Reads it; reports and returns `None` if it cannot.
    fn read<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<Self>;
    /// How it is written, for the reference page and messages: `<duration>`, `off | <duration>`.
    fn signature() -> String;
    /// The literal types it is made of, for the reference page.
    fn types(types: &mut Vec<TypeDoc>);
}

/// A literal type in the reference page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TypeDoc {
    /// Its name.
    pub name: &'static str,
    /// Spelling, unit, range, an example.
    pub doc: &'static str,
    /// The words of an enumeration with their documentation.
    pub words: &'static [(&'static str, &'static str)],
}

/// A type that can be read from a statement: its arguments and its block.
pub trait Keyword: Sized {
    /// Reads it; reports and returns `None` if it cannot.
    fn read_statement<'p>(statement: Statement<'p>, cx: &mut Reader<'_, 'p>) -> Option<Self>;
    /// What the reference page says of it.
    fn spec() -> Spec;
}

/// A set of statements that may stand in a block.
pub trait Section: Default {
    /// Takes a statement whose keyword is `key`; `false` if there is none such here.
    fn statement<'p>(&mut self, key: &str, statement: Statement<'p>, cx: &mut Reader<'_, 'p>) -> bool;
    /// Names the statements that must stand here and do not.
    fn missing(&self, found: &mut dyn FnMut(&'static str));
    /// The statements that may stand here.
    fn entries(entries: &mut Vec<Entry>);
}

/// How often a statement may stand in its block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// At most once.
    Once,
    /// Exactly once.
    Needed,
    /// Any number of times.
    Many,
}

/// One statement of a block, as the reference page shows it.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The keyword.
    pub key: &'static str,
    /// What others call it, for reports: it is not read so. Letter case, hyphens and underscores do not count.
    pub synonyms: &'static [&'static str],
    /// What it says, in lines.
    pub docs: &'static [&'static str],
    /// How often it may stand.
    pub repeat: Repeat,
    /// Its arguments and its block.
    pub spec: fn() -> Spec,
}

/// A statement's arguments and block.
#[derive(Clone, Debug, Default)]
pub struct Spec {
    /// The arguments, written out.
    pub signature: String,
    /// The literal types in them.
    pub types: Vec<TypeDoc>,
    /// The statements of its block, if it takes one.
    pub block: Option<Vec<Entry>>,
}

impl<T: Syntax> Keyword for T {
    fn read_statement<'p>(statement: Statement<'p>, cx: &mut Reader<'_, 'p>) -> Option<Self> {
        cx.attributes(statement);
        let mut args = Args::of(statement);
        let value = T::read(&mut args, cx)?;
        args.finish(&[], cx);
        cx.refuse_block(statement);
        Some(value)
    }

    fn spec() -> Spec {
        let mut types = Vec::new();
        T::types(&mut types);
        Spec { signature: T::signature(), types, block: None }
    }
}

/// A large statement, kept behind a pointer.
#[derive(Clone, Debug, PartialEq)]
pub struct Boxed<T>(Box<T>);

impl<T> Boxed<T> {
    /// Boxes a value that was made, not read.
    pub(crate) fn new(value: T) -> Self {
        Self(Box::new(value))
    }
}

impl<T> Deref for Boxed<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Boxed<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T: Keyword> Keyword for Boxed<T> {
    fn read_statement<'p>(statement: Statement<'p>, cx: &mut Reader<'_, 'p>) -> Option<Self> {
        T::read_statement(statement, cx).map(|value| Self(Box::new(value)))
    }

    fn spec() -> Spec {
        T::spec()
    }
}

impl<L: Literal> Syntax for Spanned<L> {
    fn read<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<Self> {
        super::foreign::put_right::<L>(args, cx);
        let Some(term) = args.next(cx) else {
            args.missing(&described::<L>(), cx);
            return None;
        };
        literal(&term, cx)
    }

    fn signature() -> String {
        if L::WORDS.is_empty() || L::WORDS.len() > 6 {
            return format!("<{}>", L::NAME);
        }
        L::WORDS.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(" | ")
    }

    fn types(types: &mut Vec<TypeDoc>) {
        types.push(TypeDoc { name: L::NAME, doc: L::DOC, words: L::WORDS });
    }
}

/// What should stand in a place: its type, or the word where there is but one.
fn described<L: Literal>() -> String {
    match L::WORDS {
        [(word, _)] => format!("`{word}`"),
        _ => with_article(L::NAME),
    }
}

/// Reads one term as a literal.
pub(crate) fn literal<L: Literal>(term: &Term<'_>, cx: &mut Reader<'_, '_>) -> Option<Spanned<L>> {
    let (text, quoted) = match &term.shape {
        Shape::Word(text) => (text, false),
        Shape::Text(text) | Shape::Raw(text) | Shape::TextBlock(text) => (text, true),
        Shape::Unknown => return None,
        Shape::Arrow | Shape::Comma | Shape::List(_) | Shape::Group(_) | Shape::Block(_) => {
            let message = format!("expected {}, found {}", with_article(L::NAME), term.describe());
            cx.report_at(term, Diagnostic::new(Code::WRONG_FORM, term.span, message).help(L::DOC));
            return None;
        }
    };
    match L::parse(text) {
        Ok(value) => {
            let right = match L::FORM {
                Form::Either => true,
                Form::Bare => !quoted,
                Form::Quoted => quoted,
            };
            // A string in quotes of another language has been reported as such.
            let written = cx.written(term.span).filter(|_| term.origin.is_none()).unwrap_or_default();
            if !right && meshc_language::text::in_foreign_quotes(written).is_none() {
                let mut report = wrong_form::<L>(term, text, written);
                // A word ends where a sign begins that no word has: what was meant is longer.
                if !quoted && term.origin.is_none() && cx.goes_on_behind(term.span) {
                    report.fix = None;
                }
                cx.report_at(term, report);
            }
            Some(Spanned::new(value, term.span))
        }
        // An invisible character, or a quote of another language, has been reported as such.
        Err(_) if has_invisible(term, cx) => None,
        Err(error) => {
            // Another spelling of a value is that value: what else is wrong is reported too, and nothing is missed for it.
            let meant = error
                .replacement
                .as_deref()
                .filter(|_| !error.guessed)
                .and_then(|meant| L::parse(meant).ok());
            cx.report_at(term, bad_literal::<L>(term, text, quoted, error));
            meant.map(|meant| Spanned::new(meant, term.span))
        }
    }
}

#[cold]
fn has_invisible(term: &Term<'_>, cx: &Reader<'_, '_>) -> bool {
    let written = cx.written(term.origin.unwrap_or(term.span));
    written.is_some_and(|written| {
        written.chars().any(meshc_language::parse::is_invisible)
            || meshc_language::text::opens_foreign_quote(written)
    })
}

#[cold]
fn wrong_form<L: Literal>(term: &Term<'_>, text: &str, written: &str) -> Diagnostic {
    let quoted = term.word().is_none();
    let right = match (quoted, written.contains('$')) {
        (true, false) => Some(text.to_owned()),
        (true, true) => unquoted(written),
        (false, false) => Some(meshc_language::text::quote(text)),
        (false, true) => braced(written),
    };
    let form = if quoted { "without quotes" } else { "in quotes" };
    let message = format!("{} must be {form}", with_article(L::NAME));
    let report = Diagnostic::new(Code::WRONG_FORM, term.span, message);
    let Some(right) = right else { return report.help(L::DOC) };
    let report = report.help(format!("write `{right}`"));
    // A word that goes on with the statement may have lost the text before it.
    let is_doubtful = GO_ON.contains(&text) || (!quoted && text.ends_with([':', '=']));
    let applicability = if is_doubtful { Applicability::Unsafe } else { Applicability::Safe };
    if term.origin.is_some() { report } else { report.edit(applicability, term.span, right) }
}

/// Words that may follow a text within its statement.
const GO_ON: &[&str] = &[
    "absent",
    "and",
    "for",
    "host",
    "ignoring-case",
    "in",
    "is",
    "matches",
    "not",
    "on",
    "or",
    "path",
    "port",
    "prefix",
    "present",
    "query",
    "ring",
    "maglev",
    "scheme",
    "to",
    "ttl",
    "under",
    "when",
];

/// `"www.${domain}"` as the word `www.$domain`, where it is one.
fn unquoted(written: &str) -> Option<String> {
    let inner = written.strip_prefix('"')?.strip_suffix('"')?;
    let mut word = String::with_capacity(inner.len());
    let mut parts = inner.split("${");
    word.push_str(parts.next()?);
    for part in parts {
        let (name, after) = part.split_once('}')?;
        let goes_on =
            after.starts_with(|char: char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '-');
        word.push_str(&if goes_on { format!("${{{name}}}") } else { format!("${name}") });
        word.push_str(after);
    }
    // In a string `$name` without braces is text.
    let plain = inner.matches('$').count() == inner.matches("${").count();
    let is_word = !word.starts_with('@')
        && !word.contains([' ', '\t', '"', '\\', ',', ';', '(', ')', '[', ']', '#', '\'', '`']);
    (plain && is_word && !word.contains("->")).then_some(word)
}

/// `/a/$name` as the string `"/a/${name}"`.
fn braced(written: &str) -> Option<String> {
    let mut string = String::with_capacity(written.len() + 4);
    let mut parts = written.split('$');
    string.push_str(parts.next()?);
    for part in parts {
        let (name, after) = match part.strip_prefix('{') {
            Some(rest) => rest.split_once('}')?,
            None => {
                let is_name = |char: char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '-';
                part.split_at_checked(part.find(|char| !is_name(char)).unwrap_or(part.len()))?
            }
        };
        if name.is_empty() {
            return None;
        }
        string.push_str(&format!("${{{name}}}{after}"));
    }
    (!string.contains(['"', '\\'])).then(|| format!("\"{string}\""))
}

#[cold]
fn bad_literal<L: Literal>(term: &Term<'_>, text: &str, quoted: bool, error: ValueError) -> Diagnostic {
    let code = if L::NAME == <crate::values::Pattern as Literal>::NAME {
        Code::BAD_PATTERN
    } else {
        Code::BAD_LITERAL
    };
    // Escapes shift what stands behind them; only a text without any can be pointed into.
    let span = match error.offset {
        Some(offset) if term.origin.is_none() && !quoted => term.span.part(offset, 1),
        Some(offset) if term.origin.is_none() && matches!(term.shape, Shape::Raw(_)) => {
            term.span.part(offset + 2, 1)
        }
        _ => term.span,
    };
    let help = error.help.unwrap_or_else(|| L::DOC.to_owned());
    let report = Diagnostic::new(code, span, error.message)
        .label(format!("expected {}", with_article(L::NAME)))
        .help(help);
    let Some(replacement) = error.replacement.filter(|replacement| replacement != text) else {
        return report;
    };
    if term.origin.is_some() {
        return report;
    }
    let applicability = if error.guessed { Applicability::Unsafe } else { Applicability::Safe };
    let written = if quoted { meshc_language::text::quote(&replacement) } else { replacement };
    report.edit(applicability, term.span, written)
}

/// `a duration`, `an address`.
pub(crate) fn with_article(name: &str) -> String {
    let article = if name.starts_with(['a', 'e', 'i', 'o', 'H']) { "an" } else { "a" };
    format!("{article} {name}")
}

/// `` `a`, `b`, `c` ``.
pub(crate) fn listed<S: AsRef<str>>(words: &[S]) -> String {
    words.iter().map(|word| format!("`{}`", word.as_ref())).collect::<Vec<_>>().join(", ")
}

/// Declares a struct whose fields are the statements of a block.
///
/// ```ignore
/// section! {
///     /// Limits.
///     pub struct Pool {
///         /// most connections to one endpoint
///         once "connections" connections: Spanned<PositiveCount>;
///         many "port" ports: ServicePort;
///         need "workload" workload: Workload;
///     }
///     flatten { policy: TrafficPolicy }
/// }
/// ```
///
/// `once` and `need` make an `Option`, `many` a `Vec`; `flatten` takes in the statements of another section. What stands after `|`
/// is what others call the statement: it is reported with the right word, in any letter case, with hyphens, underscores or neither.
macro_rules! section {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            $($(#[doc = $doc:literal])+ $repeat:ident $key:literal $(| $synonym:literal)* $field:ident: $type:ty;)*
        }
        $(flatten { $($inner:ident: $section:ty),* $(,)? })?
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $name {
            $($(#[doc = $doc])+ pub $field: $crate::reading::section!(@field $repeat $type),)*
            $($(#[doc = "The statements of that section, which are directly in this block."] pub $inner: $section,)*)?
        }

        impl $crate::reading::Section for $name {
            #[allow(unused_variables, reason = "a section may be made of other sections only")]
            fn statement<'p>(
                &mut self,
                key: &str,
                statement: meshc_language::Statement<'p>,
                cx: &mut $crate::reading::Reader<'_, 'p>,
            ) -> bool {
                match key {
                    $($key => {
                        $crate::reading::section!(@take $repeat self.$field, $key, statement, cx);
                        true
                    })*
                    _ => false $($(|| $crate::reading::Section::statement(&mut self.$inner, key, statement, cx))*)?,
                }
            }

            #[allow(unused_variables, reason = "most sections need nothing")]
            fn missing(&self, found: &mut dyn FnMut(&'static str)) {
                $($crate::reading::section!(@missing $repeat self.$field, $key, found);)*
                $($($crate::reading::Section::missing(&self.$inner, found);)*)?
            }

            fn entries(entries: &mut Vec<$crate::reading::Entry>) {
                $(entries.push($crate::reading::Entry {
                    key: $key,
                    synonyms: &[$($synonym),*],
                    docs: &[$($doc),+],
                    repeat: $crate::reading::section!(@repeat $repeat),
                    spec: <$type as $crate::reading::Keyword>::spec,
                });)*
                $($(<$section as $crate::reading::Section>::entries(entries);)*)?
            }
        }
    };
    (@field once $type:ty) => { Option<$type> };
    (@field need $type:ty) => { Option<$type> };
    (@field many $type:ty) => { Vec<$type> };
    (@take many $place:expr, $key:literal, $statement:ident, $cx:ident) => {
        match $crate::reading::Keyword::read_statement($statement, $cx) {
            Some(value) => $place.push(value),
            None => $cx.lose($statement),
        }
    };
    (@take $once:ident $place:expr, $key:literal, $statement:ident, $cx:ident) => {
        if $cx.first($place.is_some(), $key, $statement) {
            $place = $crate::reading::Keyword::read_statement($statement, $cx);
            if $place.is_none() {
                $cx.lose($statement);
            }
        }
    };
    (@missing need $place:expr, $key:literal, $found:ident) => {
        if $place.is_none() {
            $found($key);
        }
    };
    (@missing $other:ident $place:expr, $key:literal, $found:ident) => {};
    (@repeat once) => { $crate::reading::Repeat::Once };
    (@repeat need) => { $crate::reading::Repeat::Needed };
    (@repeat many) => { $crate::reading::Repeat::Many };
}
pub(crate) use section;

/// Declares a statement: its arguments, and the section that its block holds.
///
/// ```ignore
/// keyword! {
///     /// A port of a service.
///     pub struct ServicePort {
///         pos protocol: Spanned<Protocol>;
///         pos number: Spanned<Port>;
///         label "target" target: Spanned<Port>;
///         body optional policy: PortPolicy;
///     }
/// }
/// ```
///
/// `pos` must stand in its place; `opt` may; `label "word"` stands behind its word, in any order with other labels. A
/// body is `required` or `optional`, or there is none. The struct also gets `span` (the statement without its block) and
/// `attributes`.
macro_rules! keyword {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            $($(#[doc = $doc:literal])+ $kind:ident $($label:literal $(| $synonym:literal)*)? $field:ident: $type:ty;)*
            $(body $need:ident $body:ident: $section:ty;)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug)]
        pub struct $name {
            $($(#[doc = $doc])+ pub $field: $crate::reading::keyword!(@field $kind $type),)*
            $(#[doc = "The statements of its block."] pub $body: $section,)?
            /// The statement without its block.
            pub span: meshc_language::Span,
            /// What stands in front of it.
            pub attributes: Option<Box<$crate::reading::Attributes>>,
        }

        $crate::reading::wherever_written!(
            $name { $($field,)* $($body,)? attributes } at { span }
        );

        impl $crate::reading::Keyword for $name {
            fn read_statement<'p>(
                statement: meshc_language::Statement<'p>,
                cx: &mut $crate::reading::Reader<'_, 'p>,
            ) -> Option<Self> {
                const LABELS: &[&str] = &[$($($label,)?)*];
                let attributes = cx.attributes(statement);
                #[allow(unused_mut, reason = "a keyword may have no arguments")]
                let mut args = $crate::reading::Args::of(statement);
                $(#[allow(unused_mut, unused_assignments, reason = "what is read in its place is never read again")]
                let mut $field: Option<$type> = None;)*
                $($crate::reading::keyword!(@positional $kind $field, $type, LABELS, args, cx);)*
                loop {
                    $($crate::reading::keyword!(@label $kind $($label [$($synonym)*])? $field, $type, args, cx);)*
                    break;
                }
                args.finish(LABELS, cx);
                $crate::reading::keyword!(@body $($need $body $section)?, statement, cx);
                $(let $field = $crate::reading::keyword!(@finish $kind $field);)*
                Some(Self { $($field,)* $($body,)? span: statement.head(), attributes })
            }

            fn spec() -> $crate::reading::Spec {
                #[allow(unused_mut, reason = "a keyword may have no arguments")]
                let mut types = Vec::new();
                $(<$type as $crate::reading::Syntax>::types(&mut types);)*
                let parts: Vec<String> = vec![$($crate::reading::keyword!(@signature $kind $($label)? $type)),*];
                $crate::reading::Spec {
                    signature: parts.join(" "),
                    types,
                    block: $crate::reading::keyword!(@entries $($section)?),
                }
            }
        }
    };
    (@field pos $type:ty) => { $type };
    (@field $other:ident $type:ty) => { Option<$type> };
    (@positional pos $field:ident, $type:ty, $labels:ident, $args:ident, $cx:ident) => {
        $field = Some(<$type as $crate::reading::Syntax>::read(&mut $args, $cx)?);
    };
    (@positional opt $field:ident, $type:ty, $labels:ident, $args:ident, $cx:ident) => {
        if $args.peek($cx).is_some_and(|term| !term.word().is_some_and(|word| $labels.contains(&word))) {
            $field = Some(<$type as $crate::reading::Syntax>::read(&mut $args, $cx)?);
        }
    };
    (@positional label $field:ident, $type:ty, $labels:ident, $args:ident, $cx:ident) => {};
    (@label label $label:literal [$($synonym:literal)*] $field:ident, $type:ty, $args:ident, $cx:ident) => {
        if $field.is_none() && $args.take_label($label, &[$($synonym),*], $cx) {
            $field = Some(<$type as $crate::reading::Syntax>::read(&mut $args, $cx)?);
            continue;
        }
    };
    (@label $other:ident $field:ident, $type:ty, $args:ident, $cx:ident) => {};
    (@finish pos $field:ident) => { $field? };
    (@finish $other:ident $field:ident) => { $field };
    (@body , $statement:ident, $cx:ident) => { $cx.refuse_block($statement); };
    (@body required $body:ident $section:ty, $statement:ident, $cx:ident) => {
        let $body: $section = $cx.required_section($statement)?;
    };
    (@body optional $body:ident $section:ty, $statement:ident, $cx:ident) => {
        let $body: $section = $cx.optional_section($statement);
    };
    (@signature pos $type:ty) => { <$type as $crate::reading::Syntax>::signature() };
    (@signature opt $type:ty) => { format!("[{}]", <$type as $crate::reading::Syntax>::signature()) };
    (@signature label $label:literal $type:ty) => {
        format!("[{} {}]", $label, <$type as $crate::reading::Syntax>::signature())
    };
    (@entries) => { None };
    (@entries $section:ty) => {{
        let mut entries = Vec::new();
        <$section as $crate::reading::Section>::entries(&mut entries);
        Some(entries)
    }};
}
pub(crate) use keyword;
