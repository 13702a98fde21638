//! `external`: what the platform's registry does not know, as it is written.

use super::reference::GatewayReference;
use super::service::{Labels, Port, Subset};
use super::visibility::Visibility;
use crate::policy::TrafficPolicy;
use crate::reading::{Comma, keyword, section};
use crate::values::{
    Count, DnsLabel, EndpointAddress, HostPattern, IpOrCidr, Port as Number, SubjectAltName, Text, Word,
    words,
};
use meshc_language::Spanned;

keyword! {
    /// A destination that the platform's registry does not know, outside or inside the mesh.
    pub struct External {
        /// The name that routes use.
        pos name: Spanned<DnsLabel>;
        body required body: ExternalBody;
    }
}

section! {
    /// What an external says of itself.
    pub struct ExternalBody {
        /// The host names that clients use. Istio: ServiceEntry.hosts.
        need "hosts" | "host" | "endpoint-host" hosts: Comma<Spanned<HostPattern>>;
        /// Virtual addresses that clients use. Istio: ServiceEntry.addresses.
        once "addresses" | "address" addresses: Comma<Spanned<IpOrCidr>>;
        /// A port: its protocol and number. Istio: ServiceEntry.ports.
        many "port" | "ports" ports: Port;
        /// How endpoints are found; `none` by default. Istio: ServiceEntry.resolution.
        once "resolve" | "resolution" | "resolver" resolution: Spanned<Resolution>;
        /// An endpoint. Istio: ServiceEntry.endpoints.
        many "endpoint" | "endpoints" endpoints: Endpoint;
        /// Workloads that are the endpoints, chosen by labels. Istio: ServiceEntry.workloadSelector.
        once "workload" | "workload-selector" | "selector" workload: Labels;
        /// Whether it belongs to the mesh; `external` by default. Istio: ServiceEntry.location.
        once "location" location: Spanned<Location>;
        /// Names one of which the servers' certificates must have. Istio: ServiceEntry.subjectAltNames.
        once "names" | "subject-alt-names" names: Comma<Spanned<SubjectAltName>>;
        /// The gateway through which all traffic to it leaves the mesh.
        once "via" via: GatewayReference;
        /// A part of its endpoints, chosen by labels. Istio: DestinationRule.subsets.
        many "subset" | "subsets" subsets: Subset;
        /// Which namespaces see it. Istio: exportTo.
        once "visible" | "export-to" visibility: Visibility;
        /// A `policy` whose statements apply unless they are here too.
        many "policy" policies: Spanned<Word>;
    }
    flatten { traffic: TrafficPolicy }
}

words! {
    /// How endpoints are found.
    pub enum Resolution: "resolution" {
        None = "none" "the original destination address",
        Static = "static" "the addresses of the endpoints",
        Dns = "dns" | "strict-dns" "DNS; every address that it returns",
        DnsRoundRobin = "dns-round-robin" | "logical-dns" "DNS; the first address that it returns",
        DynamicDns = "dynamic-dns" "DNS, by the host of each request; for wildcard hosts",
    }
}

words! {
    /// Whether something belongs to the mesh.
    pub enum Location: "location" {
        External = "external" | "mesh-external" "outside: no mutual TLS of the mesh",
        Internal = "internal" | "mesh-internal" "inside: mutual TLS of the mesh, such as a virtual machine that joined it",
    }
}

keyword! {
    /// An endpoint of an external (Istio `WorkloadEntry`).
    pub struct Endpoint {
        /// An IP address, a host name, or `unix:///path`.
        pos address: Spanned<EndpointAddress>;
        body optional body: EndpointBody;
    }
}

section! {
    /// What is known of an endpoint.
    pub struct EndpointBody {
        /// The number of a named port on this endpoint. Istio: WorkloadEntry.ports.
        many "port" ports: EndpointPort;
        /// Its labels. Istio: WorkloadEntry.labels.
        once "labels" | "label" labels: Labels;
        /// Its network. Istio: WorkloadEntry.network.
        once "network" network: Spanned<Text>;
        /// `region/zone/subzone`. Istio: WorkloadEntry.locality.
        once "locality" locality: Spanned<Text>;
        /// Its share of the traffic, relative to the others. Istio: WorkloadEntry.weight.
        once "weight" weight: Spanned<Count>;
        /// The service account of its workload. Istio: WorkloadEntry.serviceAccount.
        once "service-account" service_account: Spanned<Text>;
    }
}

keyword! {
    /// The number of a named port on one endpoint.
    pub struct EndpointPort {
        /// The name of a port of the external.
        pos name: Spanned<DnsLabel>;
        /// The number here.
        pos number: Spanned<Number>;
    }
}
