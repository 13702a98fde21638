//! Where the files of a proxy are below the output folder.

use meshc_compiler::Model;
use meshc_compiler::routing::{Proxy, Role};

/// The folder of manifests for Kubernetes, which no proxy's files may be mixed with.
const RESERVED: &str = "kubernetes";

/// What the paths of a proxy's files start with: `NAMESPACE/NAME`, or `NAME`.
///
/// A name with `_` cannot be that of a namespace or a gateway, so no two proxies have a file in common.
pub(crate) fn stem(model: &Model, proxy: &Proxy<'_>) -> String {
    let name = match proxy.role {
        Role::Outbound if has_gateway_of_that_name(model, proxy) => format!("_{}", proxy.name),
        Role::Outbound | Role::Gateway(_) => proxy.name.to_string(),
    };
    match proxy.namespace.as_deref() {
        None if name == RESERVED => format!("_{name}"),
        None => name,
        Some(RESERVED) => format!("_{RESERVED}/{name}"),
        Some(namespace) => format!("{namespace}/{name}"),
    }
}

/// Whether a gateway in the namespace of an outbound proxy has its name.
fn has_gateway_of_that_name(model: &Model, proxy: &Proxy<'_>) -> bool {
    model.mesh.gateways.as_slice().iter().any(|gateway| {
        gateway.namespace_name() == proxy.namespace.as_deref() && gateway.name.value.as_str() == proxy.name
    })
}
