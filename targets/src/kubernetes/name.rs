//! The names of manifests and of the resources in them.

use crate::raw_proxy::{KUBERNETES, NO_NAMESPACE};
use meshc_compiler::Model;
use meshc_compiler::model::{DEFAULT_NAMESPACE, DestinationId, Gateway, Resource};
use meshc_compiler::routing::{Proxy, Role};
use smol_str::SmolStr;

const OUTBOUND: &str = "mesh-outbound";

/// The name of a proxy's resources: that of its gateway, or one that no gateway and no service of the namespace has.
pub(super) fn of_proxy(model: &Model, proxy: &Proxy) -> SmolStr {
    match proxy.role {
        Role::Gateway(_) => proxy.name.clone(),
        Role::Outbound => {
            let namespace = proxy.namespace.as_deref();
            let mesh = &model.mesh;
            let is_taken = |name: &str| {
                let is_it = |gateway: &Resource<Gateway>| {
                    gateway.name.value.as_str() == name && is_same(gateway.namespace_name(), namespace)
                };
                mesh.gateways.as_slice().iter().any(is_it) || is_service(model, namespace, name)
            };
            let mut name = OUTBOUND.to_owned();
            while is_taken(&name) {
                name.push_str("-proxy");
            }
            SmolStr::new(name)
        }
    }
}

/// Whether the sources declare a service that is the Service of this name in a namespace.
fn is_service(model: &Model, namespace: Option<&str>, name: &str) -> bool {
    let namespace = namespace.unwrap_or(DEFAULT_NAMESPACE);
    let mut services = model.mesh.services.iter();
    services.any(|(id, _)| model.home(DestinationId::Service(id)) == (namespace, name))
}

fn is_same(left: Option<&str>, right: Option<&str>) -> bool {
    left.unwrap_or(DEFAULT_NAMESPACE) == right.unwrap_or(DEFAULT_NAMESPACE)
}

/// The file of a namespace's headless Services.
pub(super) fn of_services(namespace: &str) -> String {
    format!("{KUBERNETES}/{namespace}.yaml")
}

/// The file of a proxy's resources.
pub(super) fn of_workload(namespace: Option<&str>, name: &str) -> String {
    format!("{KUBERNETES}/{}/{name}.yaml", namespace.unwrap_or(NO_NAMESPACE))
}
