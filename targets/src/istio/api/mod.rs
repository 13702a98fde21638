//! Istio's networking API as plain data: one struct per protobuf message, one enum per protobuf enum, the YAML names as field names.
//!
//! Source of names, shapes and defaults: the protobuf files of `istio/api`, package `istio.networking.v1alpha3`; `v1`, `v1beta1`
//! and `v1alpha3` share this schema. Each field's doc comment ends with the protobuf field that it stands for.
//!
//! What holds for all of them:
//! - A field that is absent in YAML is `None` or empty here and is not written. Presence is kept where it means something:
//!   `retries: {}` switches retries off, no `retries` gives Istio's default. A required text or number that is empty or 0 counts as
//!   absent, as it does in proto3.
//! - A protobuf `oneof` is several optional fields beside each other, as in YAML. That only one is set is up to who builds it.
//! - An unknown field is an error, an explicit `null` is an absent field.
//! - Fields stand, and are written, in the order in which Istio documents them; `selector` of a gateway and `name` of a port come
//!   earlier, as in Istio's examples. Maps are written sorted by key.
//! - Rare, large members are boxed: a mesh has 100,000 of these values.

mod common;
mod destination_rule;
mod gateway;
mod service_entry;
mod virtual_service;

pub use common::*;
pub use destination_rule::*;
pub use gateway::*;
pub use service_entry::*;
pub use virtual_service::*;

#[cfg(test)]
pub(super) mod tests;
