//! Arguments after constants, parameters and interpolation have been put in.

use super::places::wherever_written;
use meshc_language::{Block, Span};
use smol_str::SmolStr;
use std::borrow::Cow;

/// An argument as the keyword that takes it sees it.
#[derive(Clone, Debug)]
pub struct Term<'p> {
    /// What it is.
    pub shape: Shape<'p>,
    /// Where it stands.
    pub span: Span,
    /// Where the value was written, if it came through a constant, a parameter or a loop.
    pub origin: Option<Span>,
}

/// The kinds of argument.
#[derive(Clone, Debug)]
pub enum Shape<'p> {
    /// A bare word.
    Word(Cow<'p, str>),
    /// `"..."`, read.
    Text(Cow<'p, str>),
    /// `r"..."`, without quotes.
    Raw(Cow<'p, str>),
    /// `"""..."""`, read.
    TextBlock(Cow<'p, str>),
    /// `->`.
    Arrow,
    /// `,`.
    Comma,
    /// `[...]` with its commas.
    List(Vec<Term<'p>>),
    /// `(...)` with its commas.
    Group(Vec<Term<'p>>),
    /// A block that belongs to the argument before it.
    Block(Block<'p>),
    /// A variable that does not exist; reported where it was met.
    Unknown,
}

impl Term<'_> {
    /// The text of a bare word.
    #[must_use]
    pub fn word(&self) -> Option<&str> {
        if let Shape::Word(text) = &self.shape { Some(text) } else { None }
    }

    /// The text of a word or of any string.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.shape {
            Shape::Word(text) | Shape::Text(text) | Shape::Raw(text) | Shape::TextBlock(text) => Some(text),
            Shape::Arrow
            | Shape::Comma
            | Shape::List(_)
            | Shape::Group(_)
            | Shape::Block(_)
            | Shape::Unknown => None,
        }
    }

    /// What it is, for messages.
    #[must_use]
    pub fn describe(&self) -> String {
        match &self.shape {
            Shape::Word(text) => format!("`{text}`"),
            Shape::Text(_) | Shape::Raw(_) | Shape::TextBlock(_) => "a string".to_owned(),
            Shape::Arrow => "`->`".to_owned(),
            Shape::Comma => "`,`".to_owned(),
            Shape::List(_) => "a list".to_owned(),
            Shape::Group(_) => "a group".to_owned(),
            Shape::Block(_) => "a block".to_owned(),
            Shape::Unknown => "an unknown variable".to_owned(),
        }
    }
}

/// What a constant, a parameter, a template argument or a loop variable holds.
#[derive(Clone, Debug, Eq)]
pub struct Value {
    /// The value.
    pub shape: ValueShape,
    /// Where it was written.
    pub span: Span,
}

wherever_written!(Value { shape } at { span });

/// The kinds of value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueShape {
    /// A bare word, number, reference.
    Word(SmolStr),
    /// A string.
    Text(SmolStr),
    /// A raw string.
    Raw(SmolStr),
    /// A list.
    List(Vec<Value>),
    /// What could not be read, which has been reported, or is not known yet.
    Unknown,
}

impl Value {
    /// The value as an argument that stands at `span`.
    #[must_use]
    pub fn to_term<'p>(&self, span: Span) -> Term<'p> {
        let shape = match &self.shape {
            ValueShape::Word(text) => Shape::Word(Cow::Owned(text.to_string())),
            ValueShape::Text(text) => Shape::Text(Cow::Owned(text.to_string())),
            ValueShape::Raw(text) => Shape::Raw(Cow::Owned(text.to_string())),
            ValueShape::List(values) => {
                let mut terms = Vec::with_capacity(values.len() * 2);
                for value in values {
                    if !terms.is_empty() {
                        terms.push(Term { shape: Shape::Comma, span, origin: None });
                    }
                    terms.push(value.to_term(span));
                }
                Shape::List(terms)
            }
            ValueShape::Unknown => Shape::Unknown,
        };
        Term { shape, span, origin: Some(self.span) }
    }

    /// The value of an argument; `Err` at what no variable can hold.
    ///
    /// # Errors
    ///
    /// The argument, or the part of it, that is no value.
    pub fn from_term<'t, 'p>(term: &'t Term<'p>) -> Result<Self, &'t Term<'p>> {
        let span = term.origin.unwrap_or(term.span);
        let shape = match &term.shape {
            Shape::Word(text) => ValueShape::Word(SmolStr::new(text)),
            Shape::Text(text) | Shape::TextBlock(text) => ValueShape::Text(SmolStr::new(text)),
            Shape::Raw(text) => ValueShape::Raw(SmolStr::new(text)),
            Shape::List(terms) => ValueShape::List(Self::elements(terms)?),
            Shape::Unknown => ValueShape::Unknown,
            Shape::Arrow | Shape::Comma | Shape::Group(_) | Shape::Block(_) => return Err(term),
        };
        Ok(Self { shape, span })
    }

    /// The elements of a list, each parted from the next by a comma; one may stand behind the last.
    fn elements<'t, 'p>(terms: &'t [Term<'p>]) -> Result<Vec<Self>, &'t Term<'p>> {
        let mut values = Vec::with_capacity(terms.len() / 2 + 1);
        let mut comma_due = false;
        for term in terms {
            if comma_due != matches!(term.shape, Shape::Comma) {
                return Err(term);
            }
            if !comma_due {
                values.push(Self::from_term(term)?);
            }
            comma_due = !comma_due;
        }
        Ok(values)
    }
}
