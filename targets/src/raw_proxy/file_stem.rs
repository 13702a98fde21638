//! What the paths of a proxy's files start with, below the output folder. No two proxies have a file in common.
//!
//! ```text
//! NAMESPACE/NAME      a gateway, or the outbound proxy of a namespace's callers (`outbound`)
//! NAME                the same without a namespace
//! ```
//!
//! A proxy has files at its stem (`STEM.yaml`) and below it (`STEM/...`), so three names need another one: that of a namespace
//! where a proxy has none, that of a gateway for the outbound proxy beside it, and the folder of manifests. They get one with
//! `_`, which no namespace and no gateway can have.

use meshc_compiler::Model;
use meshc_compiler::model::Resource;
use meshc_compiler::routing::{Proxy, Role};

/// The folder of manifests for Kubernetes.
pub(crate) const KUBERNETES: &str = "kubernetes";

/// The folder of what has no namespace, where it must not be taken for a namespace.
pub(crate) const NO_NAMESPACE: &str = "_no-namespace";

/// What the paths of a proxy's files start with.
pub(crate) fn file_stem(model: &Model, proxy: &Proxy) -> String {
    let name = match proxy.role {
        Role::Outbound if has_gateway_of_that_name(model, proxy) => format!("_{}", proxy.name),
        Role::Outbound | Role::Gateway(_) => proxy.name.to_string(),
    };
    match proxy.namespace.as_deref() {
        None if name == KUBERNETES || is_namespace(model, &name) => format!("{NO_NAMESPACE}/{name}"),
        None => name,
        Some(KUBERNETES) => format!("_{KUBERNETES}/{name}"),
        Some(namespace) => format!("{namespace}/{name}"),
    }
}

/// Whether a gateway in the namespace of an outbound proxy has its name.
fn has_gateway_of_that_name(model: &Model, proxy: &Proxy) -> bool {
    model.mesh.gateways.as_slice().iter().any(|gateway| {
        gateway.namespace_name() == proxy.namespace.as_deref() && gateway.name.value.as_str() == proxy.name
    })
}

/// Whether something is declared in a namespace of this name: a proxy may be in it.
fn is_namespace(model: &Model, name: &str) -> bool {
    fn stands_in<T>(all: &[Resource<T>], name: &str) -> bool {
        all.iter().any(|resource| resource.namespace_name() == Some(name))
    }
    let mesh = &model.mesh;
    stands_in(mesh.gateways.as_slice(), name)
        || stands_in(mesh.services.as_slice(), name)
        || stands_in(mesh.externals.as_slice(), name)
        || stands_in(model.hosts.as_slice(), name)
}
