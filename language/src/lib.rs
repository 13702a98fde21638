//! Text and tree of the mesh-policy language.
//!
//! ```text
//! text -cut, join-> pieces -repair-> text that fits -pest-> nodes -> Tree
//!                                 -> reports
//! Tree -format-> text
//! ```
//!
//! Invariants:
//! - Reading never fails: [`parse()`] returns a tree of whatever could be read and a report for each fault.
//! - The tree holds no keyword: words, literals, lists, groups, blocks. What they mean is the compiler's.
//! - Every node has its place in the file; comments are nodes.
//! - Pure: no file is read, nothing is printed.

// The parser that pest generates without `std` names it.
extern crate alloc;

mod balance;
mod blanks;
mod chunk;
pub mod code;
pub mod diagnostic;
mod faults;
pub mod format;
mod grammar;
mod join;
mod lexis;
pub mod parse;
mod quotes;
pub mod source;
mod stray;
pub mod text;
pub mod tree;

pub use code::Code;
pub use diagnostic::{Applicability, Diagnostic, Edit, Fix, Related, Severity};
pub use format::{Formatted, format};
pub use parse::{Parsed, decode, parse};
pub use source::{FileId, SourceFile, Span, Spanned};
pub use tree::{Arg, Arguments, Attribute, Block, Chunk, Kind, Statement, Statements, Tree};
