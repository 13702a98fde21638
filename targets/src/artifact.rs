//! What a target produces.

/// A file of configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// Path below the output folder, with `/`.
    pub path: String,
    /// The whole text.
    pub text: String,
}
