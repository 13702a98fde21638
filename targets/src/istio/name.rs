//! Names of resources.

use super::layout::{Layout, Part};
use meshc_compiler::model::{
    Binding, BindingKind, External, Gateway, Host, HostName, HostNameKind, Id, Mesh, Model, Resource,
};
use rustc_hash::FxHashSet;
use smol_str::SmolStr;

/// The name of the VirtualService of a host block: the one that it gives, else the first host and the gateways.
pub(super) fn virtual_service(mesh: &Mesh, host: &Host) -> SmolStr {
    if let Some(name) = &host.body.name {
        return SmolStr::new(name.value.as_str());
    }
    let mut name = host.names.first().map_or(String::new(), |name| host_part(mesh, name));
    let gateways: Vec<&str> = host
        .gateways()
        .filter_map(|(id, _)| mesh.gateways.get(id))
        .map(|gateway| gateway.name.value.as_str())
        .collect();
    if !gateways.is_empty() {
        name.push_str("-via-");
        name.push_str(&gateways.join("-"));
    }
    name.into()
}

/// The host blocks that would have the name of an earlier one for the same first host: at one gateway several may share it, with
/// conditions that exclude each other. Their names end with that of their first route.
pub(super) fn repeated(model: &Model) -> FxHashSet<Id<Resource<Host>>> {
    let mut known: FxHashSet<(Option<&str>, SmolStr, &HostNameKind)> = FxHashSet::default();
    let mut repeated = FxHashSet::default();
    for (id, host) in model.hosts.iter().filter(|(_, host)| host.body.name.is_none()) {
        let Some(first) = host.declared.names.first() else { continue };
        let name = virtual_service(&model.mesh, &host.declared);
        if !known.insert((host.namespace_name(), name, &first.kind)) {
            repeated.insert(id);
        }
    }
    repeated
}

fn host_part(mesh: &Mesh, name: &HostName) -> String {
    match &name.kind {
        HostNameKind::Delegate(name) => name.to_string(),
        HostNameKind::Pattern(pattern) => dashed(pattern.as_str()),
        HostNameKind::Destination(id) => mesh.destination_name(*id).to_owned(),
    }
}

/// A host as a part of a name: `*.a.com` is `wildcard-a-com`.
pub(super) fn dashed(host: &str) -> String {
    let text = match host.strip_prefix('*') {
        Some(rest) => format!("wildcard{rest}"),
        None => host.to_owned(),
    };
    let dashed: String = text
        .chars()
        .map(|char| if char.is_ascii_alphanumeric() { char.to_ascii_lowercase() } else { '-' })
        .collect();
    dashed.trim_matches('-').to_owned()
}

/// The name of the DestinationRule for one host of an external: its own, or with the host if there are several.
pub(super) fn destination_rule(external: &External, host: usize) -> SmolStr {
    let hosts = external.body.hosts.as_ref().map_or(&[][..], |hosts| hosts);
    let own = external.name.value.as_str();
    match hosts.get(host) {
        Some(host) if hosts.len() > 1 => SmolStr::new(format!("{own}-{}", dashed(host.value.as_str()))),
        _ => SmolStr::new(own),
    }
}

/// The resource of a gateway: the gateway's name, with the name of the listener or its port and first host for one that has a
/// resource of its own.
pub(super) fn gateway_resource(gateway: &Gateway, part: Part) -> SmolStr {
    let own = gateway.name.value.as_str();
    let Part::Listener(at) = part else { return SmolStr::new(own) };
    let Some(listener) = gateway.body.listeners.get(at) else { return SmolStr::new(own) };
    if let Some(name) = &listener.body.name {
        return SmolStr::new(format!("{own}-{}", name.value));
    }
    let first = listener.body.hosts.iter().flat_map(|hosts| hosts.iter()).next();
    let host = first.map_or(String::new(), |host| dashed(host.value.host.as_str()));
    SmolStr::new(format!("{own}-{}-{host}", listener.port.value))
}

/// A resource of a gateway as VirtualServices name it: with its namespace if it has one.
pub(super) fn gateway(mesh: &Mesh, id: Id<Resource<Gateway>>, part: Part) -> SmolStr {
    let Some(gateway) = mesh.gateways.get(id) else { return SmolStr::default() };
    let name = gateway_resource(gateway, part);
    match gateway.namespace_name() {
        Some(namespace) => SmolStr::new(format!("{namespace}/{name}")),
        None => name,
    }
}

/// How the VirtualService of a host block names gateways.
#[derive(Clone, Copy)]
pub(super) struct GatewayNames<'m> {
    pub(super) mesh: &'m Mesh,
    pub(super) layout: &'m Layout,
    /// The block; `None` where all resources of a gateway are meant.
    pub(super) host: Option<Id<Resource<Host>>>,
}

impl GatewayNames<'_> {
    /// The resources of a gateway.
    pub(super) fn of_gateway(&self, id: Id<Resource<Gateway>>) -> Vec<SmolStr> {
        let parts = match self.host {
            Some(host) => self.layout.bound(id, host),
            None => self.layout.parts(id),
        };
        parts.into_iter().map(|part| gateway(self.mesh, id, part)).collect()
    }

    /// The `gateways` of a VirtualService; nothing for one that only sidecars use.
    pub(super) fn bindings(&self, via: &[Binding]) -> Vec<SmolStr> {
        if via.iter().all(|binding| matches!(binding.kind, BindingKind::Mesh | BindingKind::Delegate)) {
            return Vec::new();
        }
        via.iter()
            .flat_map(|binding| match binding.kind {
                BindingKind::Mesh => vec![SmolStr::new_static("mesh")],
                BindingKind::Gateway(id) => self.of_gateway(id),
                BindingKind::Delegate => Vec::new(),
            })
            .collect()
    }
}
