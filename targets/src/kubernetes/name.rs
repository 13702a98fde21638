//! The names of manifests and of the resources in them.

use crate::raw_proxy::{KUBERNETES, NO_NAMESPACE};
use meshc_compiler::Model;
use meshc_compiler::model::{FrontService, Gateway, Id, Resource, Service, full_name};
use meshc_compiler::routing::{Proxy, Role};
use meshc_language::{Code, Diagnostic};
use smol_str::SmolStr;
use std::sync::Arc;

/// The namespace of what has none, where Kubernetes needs one.
pub(super) const DEFAULT_NAMESPACE: &str = "default";

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
                mesh.gateways.as_slice().iter().any(is_it) || service_named(model, namespace, name).is_some()
            };
            let mut name = OUTBOUND.to_owned();
            while is_taken(&name) {
                name.push_str("-proxy");
            }
            SmolStr::new(name)
        }
    }
}

/// Reports gateways that would be deployed by the name of a service that the sources declare: the Service of the gateway would take
/// its place. The service in front of the gateway is the one that is meant.
pub(crate) fn clashes(model: &Model, proxies: &[Arc<Proxy>]) -> Vec<Diagnostic> {
    let clash = |proxy: &Arc<Proxy>| {
        let Role::Gateway(id) = proxy.role else { return None };
        let gateway = model.mesh.gateways.get(id)?;
        let name = gateway.name.value.as_str();
        let (service_id, service) = service_named(model, gateway.namespace_name(), name)?;
        if gateway.front.as_ref().is_some_and(|front| *front == FrontService::Declared(service_id)) {
            return None;
        }
        let message = format!("the Service of gateway `{name}` would replace the service `{name}`");
        Some(
            Diagnostic::new(Code::RESOURCE_NAME_CLASH, gateway.name.span, message)
                .related(service.name.span, "the service")
                .consequence("`kubectl apply` would send its callers to the gateway's pods")
                .help(format!(
                    "rename the gateway, for example `gateway {name}-edge`; if the service is the one before the \
                     gateway's pods, write `service {name}` in the gateway"
                )),
        )
    };
    proxies.iter().filter_map(clash).collect()
}

/// The declared service that is the Service of this name in a namespace.
fn service_named<'m>(
    model: &'m Model,
    namespace: Option<&str>,
    name: &str,
) -> Option<(Id<Resource<Service>>, &'m Resource<Service>)> {
    let mesh = &model.mesh;
    let host = namespace.map(|namespace| full_name(name, namespace, &mesh.cluster_domain));
    mesh.services.iter().find(|(_, service)| match &service.body.host {
        Some(written) => host.as_ref().is_some_and(|host| written.value.as_str() == host.as_str()),
        None => service.name.value.as_str() == name && is_same(service.namespace_name(), namespace),
    })
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
