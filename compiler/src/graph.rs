//! The mesh as a graph.
