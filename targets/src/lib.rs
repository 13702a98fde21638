//! From the checked model to configuration artefacts, one module per target.
//!
//! ```text
//! Checked -fit-> reports at the source line | Fitted -emit, cannot fail-> artefacts
//! ```
//!
//! Invariants:
//! - [`Fitted`] has private fields and is made by [`fit`] alone: nothing is emitted that its target cannot carry.
//! - An emitter takes the model apart without `..`: a new field stops it from compiling until it answers.
//! - Output depends on the model and the options only; the same input gives the same bytes.
//! - Pure: artefacts are texts; writing them is the program's.

mod applied;
pub mod artifact;
pub mod capability;
pub mod difference;
pub mod envoy;
pub mod istio;
mod kubernetes;
pub mod nginx;
mod origins;
mod own_headers;
mod provenance;
mod raw_proxy;
pub mod target;
pub mod yaml;

use meshc_compiler::fingerprint;

pub use artifact::{Artifact, Turn};
pub use capability::{Feature, Support};
pub use difference::{Account, Named};
pub use raw_proxy::{EdgeOptions, KeyPaths, Rig, features};
pub use target::{Fit, Fitted, Gateways, Options, Split, TARGETS, Target, fit, target};
