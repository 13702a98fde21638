//! `tls` of a service or an external: how the connection to it is secured.

use crate::reading::{Args, Comma, Reader, Syntax, TypeDoc, keyword, section};
use crate::values::{FilePath, Fqdn, SecretName, SubjectAltName, Switch, words};
use meshc_language::{Code, Diagnostic, Spanned};

keyword! {
    /// `tls MODE { ... }` (Istio `ClientTLSSettings`).
    pub struct ClientTls {
        /// How.
        pos mode: Spanned<ClientTlsMode>;
        body optional body: ClientTlsBody;
    }
}

words! {
    /// How a connection to a destination is secured.
    pub enum ClientTlsMode: "TLS mode" {
        Disable = "disable" | "off" | "none" | "plaintext" "plaintext, also inside the mesh",
        Simple = "simple" "TLS; the server shows a certificate",
        Mutual = "mutual" | "mtls" "TLS; both sides show a certificate, from files or a secret",
        IstioMutual = "istio-mutual" "TLS with the certificates that Istio gives to workloads",
    }
}

impl ClientTlsMode {
    /// Whether TLS begins that a server outside of the mesh can end.
    #[must_use]
    pub const fn begins_tls(self) -> bool {
        matches!(self, Self::Simple | Self::Mutual)
    }
}

section! {
    /// Certificates and names for a connection.
    pub struct ClientTlsBody {
        /// The client's certificate. Istio: ClientTLSSettings.clientCertificate.
        once "cert" | "client-certificate" | "certificate" cert: FileRef;
        /// The key of the client's certificate. Istio: ClientTLSSettings.privateKey.
        once "key" | "private-key" key: FileRef;
        /// The CA of the server's certificate; the system's CAs by default.
        /// Istio: ClientTLSSettings.caCertificates.
        once "ca" | "ca-certificates" | "ca-cert" | "trusted-ca" ca: FileRef;
        /// Revoked certificates. Istio: ClientTLSSettings.caCrl.
        once "crl" | "ca-crl" crl: FileRef;
        /// The secret that holds certificate, key and CA. Istio: ClientTLSSettings.credentialName.
        once "credential" | "credential-name" | "secret" credential: Spanned<SecretName>;
        /// The server name (SNI); the request's host by default. Istio: ClientTLSSettings.sni.
        once "sni" | "server-name" sni: Spanned<Fqdn>;
        /// Names one of which the server's certificate must have. Istio: ClientTLSSettings.subjectAltNames.
        once "names" | "subject-alt-names" | "sans" | "san" names: Comma<Spanned<SubjectAltName>>;
        /// Whether the server's certificate is accepted unverified. Istio: ClientTLSSettings.insecureSkipVerify.
        once "skip-verify" | "insecure-skip-verify" | "insecure" skip_verify: Spanned<Switch>;
    }
}

impl ClientTls {
    /// Whether the server's certificate is verified, by an authority that is said here.
    #[must_use]
    pub fn verifies_itself(&self) -> bool {
        match self.mode.value {
            ClientTlsMode::Simple | ClientTlsMode::Mutual => !self.body.takes_unseen(),
            ClientTlsMode::Disable | ClientTlsMode::IstioMutual => false,
        }
    }
}

impl ClientTlsBody {
    /// Whether the server's certificate is accepted unverified.
    #[must_use]
    pub fn takes_unseen(&self) -> bool {
        self.skip_verify.is_some_and(|switch| switch.value.is_on())
    }
}

/// `file "/etc/certs/tls.crt"`: a file where the proxy runs.
#[derive(Clone, Debug, PartialEq)]
pub struct FileRef(pub Spanned<FilePath>);

impl Syntax for FileRef {
    fn read<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<Self> {
        if args.take_word("file", cx).is_none() {
            let message = format!("`{}` says where the file is", args.owner);
            let at = args.start(cx);
            let report = Diagnostic::new(Code::MISSING_ARGUMENT, at, message);
            cx.report(report.help("write `file \"/path/in/the/proxy\"`; for a secret use `credential`"));
            args.next(cx);
            return None;
        }
        Spanned::read(args, cx).map(Self)
    }

    fn signature() -> String {
        "file <path of a file>".to_owned()
    }

    fn types(types: &mut Vec<TypeDoc>) {
        Spanned::<FilePath>::types(types);
    }
}
