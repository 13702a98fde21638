//! From syntax to typed values: the machinery that every keyword is read with.
//!
//! A keyword is a struct declared by [`section!`](section) or [`keyword!`](keyword): its arguments, their types, which
//! statements its block holds, and its documentation stand there once. Reading, "did you mean", the reference page and
//! completion all come from that declaration.

mod arguments;
mod attributes;
mod findings;
mod foreign;
mod keyword;
mod layouts;
mod lists;
mod origins;
mod places;
mod reader;
mod scopes;
mod term;
mod vocabulary;

pub use arguments::Args;
pub use attributes::{Accepted, Application, Attributes, Degradation, Deprecation, Loss};
pub(crate) use findings::Findings;
pub(crate) use foreign::{Sign, is_called};
pub use keyword::{Boxed, Entry, Keyword, Repeat, Section, Spec, Syntax, TypeDoc};
pub(crate) use keyword::{keyword, listed, literal, section};
pub(crate) use lists::surplus_brackets;
pub use lists::{Comma, List};
pub(crate) use origins::{applied, of_value};
pub(crate) use places::wherever_written;
pub use reader::{Misplaced, Reader, Scope};
pub use scopes::Scopes;
pub use term::{Shape, Term, Value, ValueShape};
pub use vocabulary::Vocabulary;
