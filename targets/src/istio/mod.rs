//! The Istio target.

pub mod api;
