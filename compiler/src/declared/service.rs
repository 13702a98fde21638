//! `service`: a destination inside the mesh, and how it is called; as it is written.

use super::visibility::Visibility;
use crate::policy::TrafficPolicy;
use crate::reading::{keyword, section};
use crate::values::{DnsLabel, Fqdn, Label, Port as Number, Protocol, Word};
use meshc_language::Spanned;
use smol_str::SmolStr;

keyword! {
    /// A destination inside the mesh and how it is called.
    pub struct Service {
        /// The name of its Kubernetes service.
        pos name: Spanned<DnsLabel>;
        body required body: ServiceBody;
    }
}

section! {
    /// What a service says of itself.
    pub struct ServiceBody {
        /// A port that it listens on: its protocol and number.
        many "port" | "ports" ports: Port;
        /// Its full name, if that is not NAME.NAMESPACE.svc.CLUSTER-DOMAIN.
        once "host" | "hostname" | "fqdn" host: Spanned<Fqdn>;
        /// A part of its workloads, chosen by labels. Istio: DestinationRule.subsets.
        many "subset" | "subsets" | "version" subsets: Subset;
        /// Which namespaces see its policy. Istio: DestinationRule.exportTo.
        once "visible" | "export-to" visibility: Visibility;
        /// A `policy` whose statements apply unless they are here too.
        many "policy" policies: Spanned<Word>;
    }
    flatten { traffic: TrafficPolicy }
}

keyword! {
    /// A port of a service or an external.
    pub struct Port {
        /// The protocol that is spoken on it.
        pos protocol: Spanned<Protocol>;
        /// The number.
        pos number: Spanned<Number>;
        /// The name; the protocol and the number by default, such as `http-80`.
        label "name" name: Spanned<DnsLabel>;
        /// The port of the endpoints, if that is another one. Of a service, Istio takes it from Kubernetes; raw proxies dial it where
        /// `bindings` say `kubernetes`. Istio: ServicePort.targetPort.
        label "target" | "target-port" target: Spanned<Number>;
        body optional traffic: TrafficPolicy;
    }
}

keyword! {
    /// A part of a service's workloads, and how it is called.
    pub struct Subset {
        /// The name that routes use.
        pos name: Spanned<DnsLabel>;
        body optional body: SubsetBody;
    }
}

section! {
    /// What a subset says of itself. What it does not say holds as the service says.
    pub struct SubsetBody {
        /// The labels of its workloads: `labels version=v1`. Istio: Subset.labels.
        once "labels" | "selector" | "label" labels: Labels;
        /// A `policy` whose statements apply unless they are here too.
        many "policy" policies: Spanned<Word>;
    }
    flatten { traffic: TrafficPolicy }
}

/// The name of a port that is given none: protocol and number, such as `http-80`.
#[must_use]
pub fn default_port_name(protocol: Protocol, number: Number) -> SmolStr {
    SmolStr::new(format!("{}-{number}", protocol.word()))
}

impl Port {
    /// Its name, as Istio gets it.
    #[must_use]
    pub fn port_name(&self) -> SmolStr {
        let default = || default_port_name(self.protocol.value, self.number.value);
        self.name.as_ref().map_or_else(default, |name| SmolStr::new(name.value.as_str()))
    }
}

/// `version=v1, track=stable`.
pub type Labels = crate::reading::Comma<Spanned<Label>>;
