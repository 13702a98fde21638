//! Large meshes for benchmarks: the same number of services always gives the same bytes.

mod mesh;
mod random;
mod writer;

pub use mesh::{Layout, SourceFile, files};
