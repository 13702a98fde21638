//! `gateway`: the workload that carries traffic into, out of or across the mesh.

use super::Resource;
use super::destination::FrontService;
use crate::declared::{Listener, Workload, default_port_name};
use crate::reading::{Attributes, wherever_written};
use crate::values::{Controller, DnsLabel};
use meshc_language::{Span, Spanned};
use rustc_hash::{FxHashMap, FxHashSet};
use smol_str::SmolStr;

/// A workload that carries traffic into, out of or across the mesh (Istio `Gateway`).
#[derive(Clone, Debug)]
pub struct Gateway {
    /// Its name.
    pub name: Spanned<DnsLabel>,
    /// What it says of itself.
    pub body: GatewayBody,
    /// The service of its workloads, for traffic that is sent through it.
    pub service: Option<Spanned<FrontService>>,
    /// The statement without its block.
    pub span: Span,
    /// What stands in front of it.
    pub attributes: Option<Box<Attributes>>,
}

wherever_written!(Gateway { name, body, service, attributes } at { span });

/// What a gateway says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct GatewayBody {
    /// Who implements it; Istio if nothing is said.
    pub controller: Option<Spanned<Controller>>,
    /// The labels of the workloads that carry it. Istio: Gateway.selector.
    pub workload: Option<Workload>,
    /// The ports that it listens on. Istio: Gateway.servers.
    pub listeners: Vec<Listener>,
}

impl Resource<Gateway> {
    /// The namespace of the pods that carry it: by it go visibility, policies and `source ns`.
    #[must_use]
    pub fn pods_namespace(&self) -> Option<&str> {
        let said = self.declared.body.workload.as_ref().and_then(|workload| workload.namespace.as_ref());
        said.map(|namespace| namespace.value.as_str()).or(self.namespace_name())
    }
}

impl Gateway {
    /// The service of its workloads.
    #[must_use]
    pub fn front(&self) -> Option<&FrontService> {
        self.service.as_ref().map(|service| &service.value)
    }

    /// The names of the listeners' ports, as Istio gets them: the given ones, else protocol and number. Where several
    /// listeners share a port, as with a certificate each, the second and later ones are numbered.
    #[must_use]
    pub fn port_names(&self) -> Vec<SmolStr> {
        let mut taken: FxHashSet<SmolStr> = FxHashSet::default();
        // From which number on a name may be free.
        let mut next: FxHashMap<SmolStr, usize> = FxHashMap::default();
        let mut names = Vec::with_capacity(self.body.listeners.len());
        for listener in &self.body.listeners {
            let given = listener.body.port_name.as_ref().map(|name| SmolStr::new(name.value.as_str()));
            let name = given.unwrap_or_else(|| {
                let default = default_port_name(listener.protocol.value, listener.port.value);
                let number = next.entry(default.clone()).or_insert(1);
                loop {
                    let name = if *number == 1 {
                        default.clone()
                    } else {
                        SmolStr::new(format!("{default}-{number}"))
                    };
                    if !taken.contains(&name) {
                        return name;
                    }
                    *number += 1;
                }
            });
            taken.insert(name.clone());
            names.push(name);
        }
        names
    }

    /// Who implements the gateway.
    #[must_use]
    pub fn controller(&self) -> Controller {
        self.body.controller.map_or(Controller::Istio, |controller| controller.value)
    }
}
