//! On which ports sidecars take a route: whether a destination needs its port said.
//!
//! A sidecar builds the routes of one port with the services that have this port. A destination without a port is looked for
//! among them: if it has another one, the listener's own is taken, and with it a cluster that does not exist (503). Gateways see
//! all services, and find the only port of each (istiod, `GetDestinationCluster`).

use meshc_compiler::model::{
    Action, Destination, Host, HostName, HostNameKind, Id, MatchBinding, Mesh, Model, Resource, Route,
};
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

/// The port of a host that no service and no external stands for, as Istio's sidecars serve it.
const PORT_OF_UNDECLARED: u16 = 80;

/// Which routes leave requests to a host block that is reached by delegation.
pub(super) type Delegators<'m> = FxHashMap<Id<Resource<Host>>, Vec<(Id<Resource<Host>>, usize, &'m Route)>>;

/// The routes that delegate, by the host block that they delegate to, in the order of the sources.
pub(super) fn delegators(model: &Model) -> Delegators<'_> {
    let mut names = FxHashMap::default();
    for (id, host) in model.hosts.iter().filter(|(_, host)| host.is_delegate()) {
        for HostName { kind, patterns: _, span: _ } in &host.declared.names {
            if let HostNameKind::Delegate(name) = kind {
                names.insert((host.namespace_name(), name.as_str()), id);
            }
        }
    }
    let mut found = Delegators::default();
    if names.is_empty() {
        return found;
    }
    for (id, host) in model.hosts.iter() {
        for (at, route) in host.declared.routes.iter().enumerate() {
            let Action::Delegate(delegate) = &route.action else { continue };
            let namespace = delegate.namespace.as_ref().map(|namespace| namespace.as_str());
            let key = (namespace.or(host.namespace_name()), delegate.name.as_str());
            if let Some(child) = names.get(&key) {
                found.entry(*child).or_default().push((id, at, route));
            }
        }
    }
    found
}

/// On which ports sidecars take a route.
#[derive(Clone, Debug)]
pub(super) enum AskedOn {
    /// On none: gateways alone take it.
    Gateways,
    /// On these.
    Ports(BTreeSet<u16>),
    /// On ports that are not known: the host is a wildcard, or nobody delegates to the block.
    AnyPort,
}

impl AskedOn {
    /// On which ports a route of a host block is taken.
    pub(super) fn of(
        model: &Model,
        delegators: &Delegators<'_>,
        id: Id<Resource<Host>>,
        host: &Host,
        route: &Route,
    ) -> Self {
        let mesh = &model.mesh;
        if !host.is_delegate() {
            return if host.in_mesh() && sidecars_take(route) { asked(mesh, host) } else { Self::Gateways };
        }
        let Some(parents) = delegators.get(&id) else { return Self::AnyPort };
        if !sidecars_take(route) {
            return Self::Gateways;
        }
        let mut all = Self::Gateways;
        for (parent, _, root) in parents {
            let Some(parent) = model.hosts.get(*parent) else { continue };
            if parent.in_mesh() && sidecars_take(root) {
                all = all.and(asked(mesh, parent));
            }
        }
        all
    }

    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Gateways, other) | (other, Self::Gateways) => other,
            (Self::AnyPort, _) | (_, Self::AnyPort) => Self::AnyPort,
            (Self::Ports(mut left), Self::Ports(right)) => {
                left.extend(right);
                Self::Ports(left)
            }
        }
    }

    /// The port that has to be said of a destination that is written without one: the only one, where somebody asks on a port that
    /// it has not. A service of several ports is called on the one that is asked for.
    pub(super) fn port_to_say(&self, mesh: &Mesh, destination: &Destination) -> Option<u16> {
        let said = mesh.port_of(destination)?.number.value.get();
        let own = mesh.ports(destination.target);
        let found = match self {
            Self::Gateways => true,
            Self::Ports(ports) => {
                ports.iter().all(|port| own.iter().any(|own| own.number.value.get() == *port))
            }
            Self::AnyPort => false,
        };
        (!found).then_some(said)
    }
}

/// Whether some alternative of a route can hold in a sidecar.
pub(super) fn sidecars_take(route: &Route) -> bool {
    let in_mesh = |bindings: &[MatchBinding]| bindings.is_empty() || bindings.contains(&MatchBinding::Mesh);
    route.matches.is_empty() || route.matches.iter().any(|one| in_mesh(&one.bindings))
}

/// The ports on which the names of a host block are asked for in the mesh.
fn asked(mesh: &Mesh, host: &Host) -> AskedOn {
    let mut ports = BTreeSet::new();
    for HostName { kind, patterns, span: _ } in &host.names {
        let declared = match kind {
            HostNameKind::Destination(id) => Some(*id),
            HostNameKind::Delegate(_) => continue,
            HostNameKind::Pattern(pattern) if pattern.is_wildcard() => return AskedOn::AnyPort,
            HostNameKind::Pattern(_) => {
                patterns.first().and_then(|pattern| mesh.directory.host(pattern.as_str()))
            }
        };
        match declared {
            Some(id) => ports.extend(mesh.ports(id).iter().map(|port| port.number.value.get())),
            None => _ = ports.insert(PORT_OF_UNDECLARED),
        }
    }
    AskedOn::Ports(ports)
}
