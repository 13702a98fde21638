//! Kubernetes around raw proxies, for Envoy and nginx alike.
//!
//! - [`headless_services`]: what endpoints are found by that `bindings` leave to Kubernetes. A target writes them whenever it writes
//!   anything.
//! - [`workload`]: a ConfigMap, a Deployment and a Service for one proxy, if `bindings` say `deploy kubernetes`. A target calls it
//!   for each of its proxies, with the files that it has made and what its program needs ([`Workload`]).
//!
//! ```text
//! kubernetes/NAMESPACE.yaml        headless Services
//! kubernetes/NAMESPACE/NAME.yaml   ConfigMap, Deployment, Service
//! ```

mod api;
mod chosen;
mod deployment;
mod files;
mod headless;
mod name;
mod registry;
mod size;
mod workload;

pub(crate) use chosen::chosen_gateways;
pub(crate) use headless::headless_services;
pub(crate) use registry::clashes;
pub(crate) use size::beyond;
pub(crate) use workload::{Workload, workload};

use crate::yaml;
use serde::Serialize;

/// Appends a document.
fn append<T: Serialize>(text: &mut String, document: &T) {
    text.push_str("---\n");
    let written = yaml::write_document(text, document);
    debug_assert!(written.is_ok(), "the types of the API can always be written");
}
