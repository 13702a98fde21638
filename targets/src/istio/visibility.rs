//! `exportTo`.

use meshc_compiler::model::{Visibility, Visible};
use smol_str::SmolStr;

/// The namespaces that see a resource, in Istio's signs.
pub(super) fn export_to(visibility: Option<&Visibility>) -> Vec<SmolStr> {
    let Some(Visibility { to, places: _, span: _ }) = visibility else { return Vec::new() };
    to.iter()
        .map(|visible| match visible {
            Visible::Here => SmolStr::new_static("."),
            Visible::Everywhere => SmolStr::new_static("*"),
            Visible::Nowhere => SmolStr::new_static("~"),
            Visible::In(namespace) => SmolStr::new(namespace.as_str()),
        })
        .collect()
}
