//! The names of manifests and of the resources in them.

use crate::raw_proxy::{KUBERNETES, NO_NAMESPACE};
use meshc_compiler::Model;
use meshc_compiler::routing::{Proxy, Role};
use smol_str::SmolStr;

const OUTBOUND: &str = "mesh-outbound";

/// The name of a proxy's resources: that of its gateway, or one that no gateway of the namespace has.
pub(super) fn of_proxy(model: &Model, proxy: &Proxy) -> SmolStr {
    match proxy.role {
        Role::Gateway(_) => proxy.name.clone(),
        Role::Outbound => {
            let gateways = model.mesh.gateways.as_slice().iter();
            let here = gateways.filter(|gateway| gateway.namespace_name() == proxy.namespace.as_deref());
            let taken: Vec<&str> = here.map(|gateway| gateway.name.value.as_str()).collect();
            let mut name = OUTBOUND.to_owned();
            while taken.contains(&name.as_str()) {
                name.push_str("-proxy");
            }
            SmolStr::new(name)
        }
    }
}

/// The file of a namespace's headless Services.
pub(super) fn of_services(namespace: &str) -> String {
    format!("{KUBERNETES}/{namespace}.yaml")
}

/// The file of a proxy's resources.
pub(super) fn of_workload(namespace: Option<&str>, name: &str) -> String {
    format!("{KUBERNETES}/{}/{name}.yaml", namespace.unwrap_or(NO_NAMESPACE))
}
