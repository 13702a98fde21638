//! Policies of wildcard hosts, which hold for the hosts that they cover where these say nothing of how they are called.

use super::{DestinationId, External, Id, Mesh, Resource};
use crate::values::{HostMap, HostPattern};
use rustc_hash::FxHashMap;
use smol_str::SmolStr;

/// The externals with a wildcard host and a policy, by namespace and host (Istio: DestinationRule.host).
#[derive(Clone, Debug, Default)]
pub(crate) struct Wildcards {
    namespaces: FxHashMap<Option<SmolStr>, HostMap<Id<Resource<External>>>>,
}

impl Wildcards {
    pub(crate) fn new(mesh: &Mesh) -> Self {
        let mut wildcards = Self::default();
        for (id, external) in mesh.externals.iter() {
            if !mesh.says_how_it_is_called(DestinationId::External(id)) {
                continue;
            }
            let hosts = external.body.hosts.iter().flat_map(|hosts| hosts.iter());
            for host in hosts.filter(|host| host.value.is_wildcard()) {
                let namespace = external.namespace_name().map(SmolStr::new);
                wildcards.namespaces.entry(namespace).or_default().add(host.value.clone(), id);
            }
        }
        wildcards
    }

    /// The externals of a namespace whose policies a host may have, the most specific first.
    pub(crate) fn policies(
        &self,
        namespace: Option<&str>,
        host: &HostPattern,
    ) -> Vec<Id<Resource<External>>> {
        let hosts = self.namespaces.get(&namespace.map(SmolStr::new));
        hosts.map(|hosts| hosts.covering(host).map(|(_, id)| *id).collect()).unwrap_or_default()
    }
}

impl Mesh {
    /// Whether a service or an external says anything of how it is called: Istio has a DestinationRule for its host then.
    #[must_use]
    pub fn says_how_it_is_called(&self, target: DestinationId) -> bool {
        let (ports, subsets, traffic) = match target {
            DestinationId::Service(id) => match self.services.get(id) {
                Some(service) => (&service.body.ports, &service.body.subsets, &service.body.traffic),
                None => return false,
            },
            DestinationId::External(id) => match self.externals.get(id) {
                Some(external) => (&external.body.ports, &external.body.subsets, &external.body.traffic),
                None => return false,
            },
        };
        !traffic.is_empty() || !subsets.is_empty() || ports.iter().any(|port| !port.traffic.is_empty())
    }

    /// The namespace of a service or an external.
    #[must_use]
    pub fn namespace_of(&self, target: DestinationId) -> Option<&str> {
        match target {
            DestinationId::Service(id) => self.services.get(id)?.namespace_name(),
            DestinationId::External(id) => self.externals.get(id)?.namespace_name(),
        }
    }
}
