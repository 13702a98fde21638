//! `gateway`: the workload that carries traffic into, out of or across the mesh: ports, protocols, TLS; as it is written.

use super::reference::Reference;
use super::service::Labels;
use crate::policy::FileRef;
use crate::reading::{Args, Boxed, Comma, Reader, Syntax, TypeDoc, keyword, section, wherever_written};
use crate::values::{
    CertHash, CipherSuite, Controller, DnsLabel, HostPattern, IpAddress, Label, Literal, Namespace, Port,
    Protocol, RedirectCode, SecretName, Spki, SubjectAltName, Switch, TlsVersion, ValueError, words,
};
use meshc_language::{Span, Spanned};

keyword! {
    /// A workload that carries traffic into, out of or across the mesh.
    pub struct Gateway {
        /// Its name.
        pos name: Spanned<DnsLabel>;
        body required body: GatewayBody;
    }
}

section! {
    /// What a gateway says of itself.
    pub struct GatewayBody {
        /// Who implements it; `istio` by default.
        once "controller" | "gateway-class" | "class" controller: Spanned<Controller>;
        /// The labels of the workloads that carry it, or `any`; `in NAMESPACE` where the pods are in another namespace than the gateway: what they see goes by theirs. Istio: Gateway.selector.
        need "workload" | "selector" | "workload-selector" workload: Workload;
        /// The service of these workloads, for traffic that is sent through the gateway.
        once "service" service: Reference;
        /// A port that it listens on. Istio: Gateway.servers.
        many "listen" | "server" | "listener" | "servers" | "listeners" | "port" listeners: Listener;
    }
}

/// `workload istio=ingressgateway`, `workload istio=ingressgateway in istio-gateways` or `workload any`.
#[derive(Clone, Debug)]
pub struct Workload {
    /// The labels; none for any workload.
    pub labels: Vec<Spanned<Label>>,
    /// The namespace of the pods, if that is not the gateway's own. Istio takes pods of every namespace; what they see goes by
    /// theirs.
    pub namespace: Option<Spanned<Namespace>>,
    /// Where they were written.
    pub span: Span,
}

wherever_written!(Workload { labels, namespace } at { span });

impl Syntax for Workload {
    fn read<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<Self> {
        let start = args.start(cx);
        let labels = if args.take_label("any", &["all", "*", "every"], cx) {
            Vec::new()
        } else {
            Labels::read(args, cx)?.0
        };
        let namespace = match args.take_word("in", cx) {
            Some(_) => Some(Spanned::read(args, cx)?),
            None => None,
        };
        Some(Self { labels, namespace, span: start.to(args.last) })
    }

    fn signature() -> String {
        format!("(any | {}) [in <namespace>]", Labels::signature())
    }

    fn types(types: &mut Vec<TypeDoc>) {
        Labels::types(types);
        Spanned::<Namespace>::types(types);
    }
}

keyword! {
    /// A port of a gateway (Istio `Server`).
    pub struct Listener {
        /// The protocol that callers speak.
        pos protocol: Spanned<Protocol>;
        /// The number.
        pos port: Spanned<Port>;
        body required body: ListenerBody;
    }
}

section! {
    /// What a listener serves.
    pub struct ListenerBody {
        /// The names that it serves; `team-a/*.x.com` only for hosts of that namespace. Istio: Server.hosts.
        need "hosts" | "host" | "server-name" | "server-names" hosts: Comma<Spanned<ServerHost>>;
        /// TLS termination or passthrough. Istio: Server.tls.
        once "tls" tls: Boxed<ServerTls>;
        /// `redirect https`: every request is redirected to HTTPS, with 301 or the given status. Istio: ServerTLSSettings.httpsRedirect.
        once "redirect" | "https-redirect" redirect: HttpsRedirect;
        /// The address that it binds to; all addresses by default. Istio: Server.bind.
        once "bind" bind: Spanned<IpAddress>;
        /// A name for statistics. Istio: Server.name.
        once "name" name: Spanned<DnsLabel>;
        /// The name of the port; the protocol and the number by default, such as `https-443`. Istio: Port.name.
        once "port-name" port_name: Spanned<DnsLabel>;
    }
}

/// `redirect https [308]`.
#[derive(Clone, Copy, Debug, Eq)]
pub struct HttpsRedirect {
    /// Where requests are sent.
    pub target: RedirectTarget,
    /// The status; 301 by default, the only one that Istio knows here.
    pub code: RedirectCode,
    /// Where it was written.
    pub span: Span,
}

wherever_written!(HttpsRedirect { target, code } at { span });

impl Syntax for HttpsRedirect {
    fn read<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<Self> {
        let target = Spanned::<RedirectTarget>::read(args, cx)?;
        let code = match args.at_end(cx) {
            true => RedirectCode::MOVED_PERMANENTLY,
            false => Spanned::<RedirectCode>::read(args, cx)?.value,
        };
        Some(Self { target: target.value, code, span: target.span.to(args.last) })
    }

    fn signature() -> String {
        "https [<redirect status>]".to_owned()
    }

    fn types(types: &mut Vec<TypeDoc>) {
        Spanned::<RedirectTarget>::types(types);
        Spanned::<RedirectCode>::types(types);
    }
}

words! {
    /// Where a plaintext listener sends every request.
    pub enum RedirectTarget: "redirect target" {
        Https = "https" "the same address by HTTPS",
    }
}

/// `[namespace/]host` of a gateway: an exact name, a wildcard, `*` or an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerHost {
    /// Only hosts of this namespace, if it is given.
    pub namespace: Option<HostNamespace>,
    /// The name.
    pub host: HostPattern,
}

/// The namespace in front of a gateway's host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostNamespace {
    /// `./`: the gateway's own.
    Own,
    /// `*/`: any.
    Any,
    /// `name/`.
    Named(Namespace),
}

impl ServerHost {
    /// The namespace whose hosts are let in at a gateway of the namespace `home`; `None` for all namespaces.
    #[must_use]
    pub fn admitted<'s>(&'s self, home: Option<&'s str>) -> Option<Option<&'s str>> {
        match &self.namespace {
            None | Some(HostNamespace::Any) => None,
            Some(HostNamespace::Own) => Some(home),
            Some(HostNamespace::Named(namespace)) => Some(Some(namespace.as_str())),
        }
    }
}

impl Literal for ServerHost {
    const NAME: &'static str = "gateway host";
    const DOC: &'static str = "an exact host name, a wildcard such as `*.a.com`, `*` or an address, with an optional namespace before it, as in `team-a/*.a.com`";
    const FORM: crate::values::Form = crate::values::Form::Bare;

    fn parse(text: &str) -> Result<Self, ValueError> {
        let (namespace, host) = match text.split_once('/') {
            None => (None, text),
            Some((".", host)) => (Some(HostNamespace::Own), host),
            Some(("*", host)) => (Some(HostNamespace::Any), host),
            Some((namespace, host)) => {
                let whole = |namespace: &str| format!("{namespace}/{host}");
                let namespace = Namespace::parse(namespace).map_err(|error| error.of_part(0, whole))?;
                (Some(HostNamespace::Named(namespace)), host)
            }
        };
        let before = text.get(..text.len() - host.len()).unwrap_or_default();
        let whole = |host: &str| format!("{before}{host}");
        let host = HostPattern::parse(host).map_err(|error| error.of_part(before.len(), whole))?;
        if host.is_partial_wildcard() {
            return Err(ValueError::new(format!("a gateway cannot serve `{host}`"))
                .help("a wildcard covers whole labels: `*.a.com`"));
        }
        if namespace.is_none() && matches!(text, "any" | "all") {
            let message = format!("a gateway cannot serve the short name `{host}`");
            return Err(ValueError::new(message).help("every host is `*`").guess("*"));
        }
        if host.is_short() && !host.is_any() && !host.is_ip() {
            return Err(ValueError::new(format!("a gateway cannot serve the short name `{host}`"))
                .help("write the full host name"));
        }
        Ok(Self { namespace, host })
    }
}

keyword! {
    /// How TLS ends at a gateway, or passes through (Istio `ServerTLSSettings`).
    pub struct ServerTls {
        /// How.
        pos mode: Spanned<ServerTlsMode>;
        body optional body: ServerTlsBody;
    }
}

words! {
    /// How TLS ends at a gateway.
    pub enum ServerTlsMode: "TLS mode" {
        Simple = "simple" "the gateway shows a certificate",
        Mutual = "mutual" "both sides show a certificate",
        OptionalMutual = "optional-mutual" "the client may show a certificate",
        Passthrough = "passthrough" "TLS passthrough to the destination of the server name (SNI)",
        AutoPassthrough = "auto-passthrough" "TLS passthrough to the service that the server name (SNI) encodes",
        IstioMutual = "istio-mutual" "both sides show the certificates that Istio gives to workloads",
    }
}

impl ServerTlsMode {
    /// Whether callers are asked for a certificate that the gateway verifies itself.
    #[must_use]
    pub const fn asks_callers(self) -> bool {
        match self {
            Self::Mutual | Self::OptionalMutual => true,
            // TLS of the last three ends elsewhere, or with the certificates of the mesh.
            Self::Simple | Self::Passthrough | Self::AutoPassthrough | Self::IstioMutual => false,
        }
    }
}

impl ServerTlsBody {
    /// The oldest version of TLS where none is said (Istio's gateways: `TLSV1_2`).
    pub const OLDEST_VERSION: TlsVersion = TlsVersion::V1_2;

    /// The oldest version of TLS.
    #[must_use]
    pub fn oldest_version(&self) -> TlsVersion {
        self.min_version.map_or(Self::OLDEST_VERSION, |version| version.value)
    }

    /// Whether a caller's certificate is taken unseen.
    #[must_use]
    pub fn takes_unseen(&self) -> bool {
        self.skip_verify.is_some_and(|switch| switch.value.is_on())
    }
}

section! {
    /// Certificates and limits of a listener's TLS.
    pub struct ServerTlsBody {
        /// The secret with certificate and key. Istio: ServerTLSSettings.credentialName.
        once "credential" | "credential-name" | "secret" credential: Spanned<SecretName>;
        /// Two secrets, one with an RSA and one with an ECDSA certificate. Istio: ServerTLSSettings.credentialNames.
        once "credentials" credentials: Comma<Spanned<SecretName>>;
        /// The secret with the CA of client certificates. Istio: ServerTLSSettings.caCertCredentialName.
        once "ca-credential" ca_credential: Spanned<SecretName>;
        /// The certificate. Istio: ServerTLSSettings.serverCertificate.
        once "cert" | "server-certificate" | "ssl-certificate" cert: FileRef;
        /// The key of the certificate. Istio: ServerTLSSettings.privateKey.
        once "key" | "private-key" | "ssl-certificate-key" key: FileRef;
        /// The CA of client certificates. Istio: ServerTLSSettings.caCertificates.
        once "ca" | "ca-certificates" | "ssl-client-certificate" ca: FileRef;
        /// Revoked client certificates. Istio: ServerTLSSettings.caCrl.
        once "crl" crl: FileRef;
        /// One of several certificates, in files. Istio: ServerTLSSettings.tlsCertificates.
        many "certificate" certificates: Certificate;
        /// Names one of which a client certificate must have. Istio: ServerTLSSettings.subjectAltNames.
        once "names" | "subject-alt-names" names: Comma<Spanned<SubjectAltName>>;
        /// Public keys one of which a client certificate must have. Istio: ServerTLSSettings.verifyCertificateSpki.
        once "spki" spki: Comma<Spanned<Spki>>;
        /// Hashes one of which a client certificate must have. Istio: ServerTLSSettings.verifyCertificateHash.
        once "hash" hash: Comma<Spanned<CertHash>>;
        /// The oldest version of TLS; 1.2 by default. Istio: ServerTLSSettings.minProtocolVersion.
        once "min-version" | "min-protocol-version" min_version: Spanned<TlsVersion>;
        /// The newest version of TLS. Istio: ServerTLSSettings.maxProtocolVersion.
        once "max-version" | "max-protocol-version" max_version: Spanned<TlsVersion>;
        /// The cipher suites. Istio: ServerTLSSettings.cipherSuites.
        once "ciphers" | "cipher-suites" | "ssl-ciphers" ciphers: Comma<Spanned<CipherSuite>>;
        /// Whether client certificates are accepted unverified. Istio: ServerTLSSettings.insecureSkipVerify.
        once "skip-verify" skip_verify: Spanned<Switch>;
    }
}

keyword! {
    /// A certificate and its key, in files.
    pub struct Certificate {
        body required body: CertificateBody;
    }
}

section! {
    /// The two files of a certificate.
    pub struct CertificateBody {
        /// The certificate. Istio: TLSCertificate.serverCertificate.
        need "cert" cert: FileRef;
        /// Its key. Istio: TLSCertificate.privateKey.
        need "key" key: FileRef;
    }
}
