//! `ServiceEntry`: a service that Istio's registry does not know by itself, and its endpoints.
//! Source: `networking/v1alpha3/service_entry.proto` and `workload_entry.proto`.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::common::{Spec, StringMap, WorkloadSelector, messages};
use crate::yaml::Sourced;

impl Spec for ServiceEntry {
    const KIND: &'static str = "ServiceEntry";
}

messages! {
    /// A service to add to the registry.
    pub struct ServiceEntry {
        /// Host names, wildcards allowed but not `*` alone; required. `ServiceEntry.hosts`.
        pub hosts: Vec<SmolStr>,
        /// Virtual addresses, IP or CIDR. `ServiceEntry.addresses`.
        pub addresses: Vec<SmolStr>,
        /// Ports. `ServiceEntry.ports`.
        pub ports: Vec<Sourced<ServicePort>>,
        /// Whether it belongs to the mesh; default `MESH_EXTERNAL`. `ServiceEntry.location`.
        pub location: Option<Location>,
        /// How endpoint addresses are found; default `NONE`. `ServiceEntry.resolution`.
        pub resolution: Option<Resolution>,
        /// Endpoints; excludes `workloadSelector`. `ServiceEntry.endpoints`.
        pub endpoints: Vec<Sourced<WorkloadEntry>>,
        /// Labels of the workloads that are its endpoints. `ServiceEntry.workload_selector`.
        pub workload_selector: Option<Box<WorkloadSelector>>,
        /// Namespaces that see it: names, `.`, `*`, or `~` for none; empty: the mesh's default.
        /// `ServiceEntry.export_to`.
        pub export_to: Vec<SmolStr>,
        /// Names of which a server certificate must carry one. `ServiceEntry.subject_alt_names`.
        pub subject_alt_names: Vec<SmolStr>,
    }

    /// A port of a service.
    pub struct ServicePort {
        /// Port number, 1 to 65535, unique within the entry; required. `ServicePort.number`.
        pub number: u32,
        /// Label of the port; required. `ServicePort.name`.
        pub name: SmolStr,
        /// One of HTTP, HTTPS, GRPC, HTTP2, MONGO, TCP, TLS; absent: detected. `ServicePort.protocol`.
        pub protocol: Option<SmolStr>,
        /// Port of the endpoints; default `number`. `ServicePort.target_port`.
        pub target_port: Option<u32>,
    }

    /// One endpoint: a machine or pod that serves.
    pub struct WorkloadEntry {
        /// IP address, DNS name (for DNS resolution) or `unix://` path. `WorkloadEntry.address`.
        pub address: Option<SmolStr>,
        /// Port numbers of the endpoint by port name of the service. `WorkloadEntry.ports`.
        pub ports: StringMap<u32>,
        /// Labels, which subsets select by. `WorkloadEntry.labels`.
        pub labels: StringMap<SmolStr>,
        /// Network that it is in; endpoints of another one are reached through gateways. `WorkloadEntry.network`.
        pub network: Option<SmolStr>,
        /// `region/zone/sub-zone`. `WorkloadEntry.locality`.
        pub locality: Option<SmolStr>,
        /// Share of load relative to the others. `WorkloadEntry.weight`.
        pub weight: Option<u32>,
        /// Service account that it runs as. `WorkloadEntry.service_account`.
        pub service_account: Option<SmolStr>,
    }
}

/// Whether a service belongs to the mesh. `ServiceEntry.Location`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Location {
    /// It does not: no mutual TLS.
    #[default]
    MeshExternal,
    /// It does.
    MeshInternal,
}

/// How endpoint addresses are found. `ServiceEntry.Resolution`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Resolution {
    /// Not at all: the address that the caller asked for.
    #[default]
    None,
    /// They are given as IP addresses.
    Static,
    /// By DNS, all answers being endpoints.
    Dns,
    /// By DNS, one answer at a time.
    DnsRoundRobin,
    /// By DNS at the time of the request, for wildcard hosts.
    DynamicDns,
}
