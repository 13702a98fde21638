//! `Gateway`: the ports that a proxy at the edge of the mesh opens, their hosts, and how each terminates TLS.
//! Source: `networking/v1alpha3/gateway.proto`.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::common::{Spec, StringMap, messages};
use crate::yaml::Sourced;

impl Spec for Gateway {
    const KIND: &'static str = "Gateway";
}

messages! {
    /// A load balancer at the edge of the mesh. Which requests go where is said by virtual services that name it.
    pub struct Gateway {
        /// Labels of the proxies that serve this gateway, in any namespace; empty: every gateway proxy.
        /// `Gateway.selector`.
        pub selector: StringMap<SmolStr>,
        /// Listening ports with their hosts. `Gateway.servers`.
        pub servers: Vec<Sourced<Server>>,
    }

    /// One listening port of a gateway.
    pub struct Server {
        /// Port, protocol and name; required. `Server.port`.
        pub port: Port,
        /// Address to listen on; absent: all addresses. `Server.bind`.
        pub bind: Option<SmolStr>,
        /// Served hosts, each `[namespace/]name`, with `*`, `.` or a name as the namespace; required. `Server.hosts`.
        pub hosts: Vec<SmolStr>,
        /// TLS behaviour; required for HTTPS and TLS ports. `Server.tls`.
        pub tls: Option<Box<ServerTlsSettings>>,
        /// Address for traffic that no route takes; Istio does not implement it. `Server.default_endpoint`.
        pub default_endpoint: Option<SmolStr>,
        /// Name of this server, unique within the proxy; for reference in other configuration. `Server.name`.
        pub name: Option<SmolStr>,
    }

    /// Number, protocol and name of a listening port.
    pub struct Port {
        /// Port number, 1 to 65535; required. `Port.number`.
        pub number: u32,
        /// Label of the port, unique within the gateway; required. `Port.name`.
        pub name: SmolStr,
        /// One of HTTP, HTTPS, GRPC, GRPC-Web, HTTP2, MONGO, TCP, TLS; required. `Port.protocol`.
        pub protocol: SmolStr,
        /// Port of the proxy's container; deprecated. `Port.target_port`.
        pub target_port: Option<u32>,
    }

    /// How a server treats TLS connections.
    pub struct ServerTlsSettings {
        /// Answer every plain HTTP request with a 301 to HTTPS; default false. `ServerTLSSettings.https_redirect`.
        pub https_redirect: Option<bool>,
        /// Who terminates TLS and whether clients must show a certificate; default `PASSTHROUGH`.
        /// `ServerTLSSettings.mode`.
        pub mode: Option<ServerTlsMode>,
        /// File with the server's certificate chain, PEM; for `SIMPLE` and `MUTUAL`.
        /// `ServerTLSSettings.server_certificate`.
        pub server_certificate: Option<SmolStr>,
        /// File with the server's private key, PEM; for `SIMPLE` and `MUTUAL`. `ServerTLSSettings.private_key`.
        pub private_key: Option<SmolStr>,
        /// File with the authorities that client certificates are checked against; for `MUTUAL`.
        /// `ServerTLSSettings.ca_certificates`.
        pub ca_certificates: Option<SmolStr>,
        /// File with the list of revoked client certificates; absent: none is checked. `ServerTLSSettings.ca_crl`.
        pub ca_crl: Option<SmolStr>,
        /// Kubernetes Secret or SDS name that holds certificate and key instead of files.
        /// `ServerTLSSettings.credential_name`.
        pub credential_name: Option<SmolStr>,
        /// One or two such names, for an RSA and an ECDSA certificate. `ServerTLSSettings.credential_names`.
        pub credential_names: Vec<SmolStr>,
        /// Secret with the authorities for client certificates, apart from the server's own.
        /// `ServerTLSSettings.ca_cert_credential_name`.
        pub ca_cert_credential_name: Option<SmolStr>,
        /// One or two certificates from files. `ServerTLSSettings.tls_certificates`.
        pub tls_certificates: Vec<TlsCertificate>,
        /// Names of which a client certificate must carry one. `ServerTLSSettings.subject_alt_names`.
        pub subject_alt_names: Vec<SmolStr>,
        /// Base64 SHA-256 hashes of accepted client public keys. `ServerTLSSettings.verify_certificate_spki`.
        pub verify_certificate_spki: Vec<SmolStr>,
        /// Hex SHA-256 hashes of accepted client certificates. `ServerTLSSettings.verify_certificate_hash`.
        pub verify_certificate_hash: Vec<SmolStr>,
        /// Lowest TLS version; default TLS 1.2. `ServerTLSSettings.min_protocol_version`.
        pub min_protocol_version: Option<TlsProtocol>,
        /// Highest TLS version; default what the proxy supports. `ServerTLSSettings.max_protocol_version`.
        pub max_protocol_version: Option<TlsProtocol>,
        /// Offered cipher suites by Envoy's names; empty: Envoy's list. `ServerTLSSettings.cipher_suites`.
        pub cipher_suites: Vec<SmolStr>,
        /// Accept client certificates unverified; default false. `ServerTLSSettings.insecure_skip_verify`.
        pub insecure_skip_verify: Option<bool>,
    }

    /// A certificate and its key, from files.
    pub struct TlsCertificate {
        /// File with the certificate chain, PEM. `ServerTLSSettings.TLSCertificate.server_certificate`.
        pub server_certificate: Option<SmolStr>,
        /// File with the private key, PEM. `ServerTLSSettings.TLSCertificate.private_key`.
        pub private_key: Option<SmolStr>,
        /// File with authorities for client certificates; hidden from Istio's docs.
        /// `ServerTLSSettings.TLSCertificate.ca_certificates`.
        pub ca_certificates: Option<SmolStr>,
    }
}

/// Who terminates TLS at a server. `ServerTLSSettings.TLSmode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ServerTlsMode {
    /// Nobody here: the SNI name chooses a `tls` route.
    #[default]
    Passthrough,
    /// The server, with its certificate.
    Simple,
    /// The server, and clients must show a certificate.
    Mutual,
    /// Nobody here: the SNI name says the upstream cluster; for gateways between networks.
    AutoPassthrough,
    /// As `Mutual`, with certificates that Istio issues.
    IstioMutual,
    /// As `Mutual`, but a client without certificate passes too.
    OptionalMutual,
}

/// A TLS version. `ServerTLSSettings.TLSProtocol`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TlsProtocol {
    /// The proxy's default.
    #[default]
    #[serde(rename = "TLS_AUTO")]
    Auto,
    /// TLS 1.0
    #[serde(rename = "TLSV1_0")]
    V1_0,
    /// TLS 1.1
    #[serde(rename = "TLSV1_1")]
    V1_1,
    /// TLS 1.2
    #[serde(rename = "TLSV1_2")]
    V1_2,
    /// TLS 1.3
    #[serde(rename = "TLSV1_3")]
    V1_3,
}
