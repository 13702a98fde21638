//! Writing YAML: any `serde` value, as block-style text that every reader takes for that very value.
//!
//! Kubernetes tools read YAML with three parsers that follow YAML 1.1 (go-yaml 2 and 3, sigs.k8s.io/yaml), scripts read it with
//! PyYAML. To them `on`, `1_000`, `1:30` or `2020-01-01` without quotes are a boolean, numbers and a date, whatever the writer meant.
//! So text stands plainly where all of them read it back as the same text, and in double quotes otherwise. Text aside, the output
//! looks as kubectl's: two spaces per level, list items as far to the left as their key, nothing in flow style but `{}` and `[]`.
//!
//! A [`Sourced`] value carries a comment, which becomes a line of its own above the line where the value starts.

mod number;
mod scalar;
mod sourced;
mod writer;

pub use sourced::Sourced;
pub use writer::{Error, write_document};

#[cfg(test)]
mod tests;
