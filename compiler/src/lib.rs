//! Meaning of the mesh-policy language.
//!
//! ```text
//! files -Project::read-> trees -Definitions::read-> constants, parameters, policies, templates of one environment
//! trees + definitions -read-> declared items (names as they are written)
//! declared items -resolve-> Model (arenas, typed ids, a place on everything)
//! Model -checks-> Checked
//! ```
//!
//! Invariants:
//! - A keyword is declared once, on the struct that holds it (`section!`, `keyword!` in [`reading`]).
//! - A value that exists is valid ([`values`]); what is [`declared`] knows of no other item; a name in the [`model`] is resolved.
//! - Each stage returns what it could make and reports for the rest; later stages run on what survived.
//! - [`Checked`] has private fields: a target cannot be given what has not been checked.
//! - Pure: no file is read, no clock is asked. The day is an argument.

mod causes;
pub mod checks;
mod compile;
pub mod declared;
pub mod fingerprint;
mod fixes;
pub mod graph;
pub mod model;
pub mod policy;
pub mod project;
pub mod reading;
pub mod reference;
mod resolve;
pub mod routing;
pub mod values;

pub use compile::{Checked, Compilation, Level, Levels, Options, check, environments};
pub use model::Model;
pub use project::{Input, Project};
