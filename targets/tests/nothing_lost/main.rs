//! Whatever a source says is read or reported, and shows in what comes of it.
//!
//! - [`junk`]: a token that means nothing, at any place between the tokens of a source, is reported.
//! - [`removed`]: one statement less, or one value changed, changes the output or the reports of every target.
//!
//! - [`fuzz`]: no mistake ends the program, or takes it long.
//!
//! The sources hold every statement of the language: they are made from the declarations of the keywords ([`language`]), so
//! that a new one is tried without anybody thinking of it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

mod fuzz;
mod junk;
mod language;
mod project;
mod removed;
