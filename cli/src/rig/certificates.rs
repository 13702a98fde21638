//! Certificates for everybody on the loopback, signed by an authority that lives as long as the rig.

use rcgen::string::Ia5String;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DistinguishedName, DnType, IsCa,
    Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, RevokedCertParams, SanType,
    SerialNumber, date_time_ymd,
};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::{
    ClientConfig, DigitallySignedStruct, DistinguishedName as Issuers, RootCertStore, ServerConfig,
    SignatureScheme,
};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// A certificate and its key, in memory and in files.
#[derive(Debug)]
pub struct Identity {
    /// Its name: the subject's common name, and the stem of its files.
    pub name: String,
    /// The file of the certificate, PEM.
    pub cert: PathBuf,
    /// The file of the key, PEM.
    pub key: PathBuf,
    der: CertificateDer<'static>,
    private: PrivateKeyDer<'static>,
    serial: u64,
}

/// An authority that signs certificates, into a folder.
pub struct Authority {
    /// The file of its own certificate, PEM.
    pub ca: PathBuf,
    folder: PathBuf,
    issuer: Issuer<'static, KeyPair>,
    der: CertificateDer<'static>,
    names: Names,
    /// The number of the certificate that is signed next.
    next: AtomicU64,
}

/// Whose certificates are whose.
#[derive(Clone, Default)]
pub(super) struct Names(Arc<Mutex<Vec<(CertificateDer<'static>, String)>>>);

impl Names {
    fn add(&self, certificate: CertificateDer<'static>, name: &str) {
        if let Ok(mut names) = self.0.lock() {
            names.push((certificate, name.to_owned()));
        }
    }

    pub(super) fn name_of(&self, certificate: &CertificateDer<'_>) -> String {
        let Ok(names) = self.0.lock() else { return String::new() };
        let found = names.iter().find(|(known, _)| known == certificate);
        found.map_or("unknown", |(_, name)| name).to_owned()
    }
}

impl Authority {
    /// Makes an authority; `NAME.pem` in the folder is its certificate.
    pub fn new(folder: &Path, name: &str) -> io::Result<Self> {
        let key = new_key()?;
        let mut params = params(name, &[])?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let own = params.self_signed(&key).map_err(io::Error::other)?;
        let ca = folder.join(format!("{name}.pem"));
        std::fs::write(&ca, own.pem())?;
        Ok(Self {
            ca,
            folder: folder.to_owned(),
            der: own.der().clone(),
            issuer: Issuer::new(params, key),
            names: Names::default(),
            next: AtomicU64::new(1),
        })
    }

    /// Signs a certificate for these DNS names (which may be wildcards), addresses, and URIs; what can't stand in a certificate
    /// is left out. `NAME.pem` and `NAME.key` in the folder hold it.
    pub fn issue(&self, name: &str, names: &[String]) -> io::Result<Identity> {
        let key = new_key()?;
        let serial = self.next.fetch_add(1, Ordering::Relaxed);
        let mut params = params(name, names)?;
        params.serial_number = Some(SerialNumber::from(serial));
        let signed = params.signed_by(&key, &self.issuer).map_err(io::Error::other)?;
        let file = |ending: &str| self.folder.join(format!("{name}.{ending}"));
        let identity = Identity {
            name: name.to_owned(),
            cert: file("pem"),
            key: file("key"),
            der: signed.der().clone(),
            private: PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
            serial,
        };
        std::fs::write(&identity.cert, signed.pem())?;
        std::fs::write(&identity.key, key.serialize_pem())?;
        self.names.add(identity.der.clone(), name);
        Ok(identity)
    }

    /// Writes the list of these certificates, PEM: they are no longer good.
    pub fn revoke(&self, identities: &[&Identity], file: &Path) -> io::Result<()> {
        let (from, until) = (date_time_ymd(2000, 1, 1), date_time_ymd(2100, 1, 1));
        let revoked = |identity: &&Identity| RevokedCertParams {
            serial_number: SerialNumber::from(identity.serial),
            revocation_time: from,
            reason_code: None,
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: from,
            next_update: until,
            crl_number: SerialNumber::from(1_u64),
            issuing_distribution_point: None,
            revoked_certs: identities.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let signed = list.signed_by(&self.issuer).map_err(io::Error::other)?;
        std::fs::write(file, signed.pem().map_err(io::Error::other)?)
    }

    /// Whose certificate this is; `unknown` if it was not signed here.
    #[must_use]
    pub fn name_of(&self, certificate: &CertificateDer<'_>) -> String {
        self.names.name_of(certificate)
    }

    pub(super) fn names(&self) -> Names {
        self.names.clone()
    }

    /// TLS of a server that shows this certificate, and asks callers for theirs without insisting. It offers HTTP/2 and HTTP/1.1.
    pub(super) fn server(&self, identity: &Identity) -> io::Result<ServerConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.der.clone()).map_err(io::Error::other)?;
        let provider = Arc::new(ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .allow_unauthenticated()
            .build()
            .map_err(io::Error::other)?;
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![identity.der.clone()], identity.private.clone_key())
            .map_err(io::Error::other)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }
}

/// TLS of a client that takes every server for what it says, and shows this certificate if it is asked.
pub(super) fn client(identity: Option<&Identity>) -> io::Result<ClientConfig> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyServer(provider)));
    match identity {
        None => Ok(builder.with_no_client_auth()),
        Some(identity) => builder
            .with_client_auth_cert(vec![identity.der.clone()], identity.private.clone_key())
            .map_err(io::Error::other),
    }
}

/// Which certificate a server shows is looked at by who asks, not by the handshake.
#[derive(Debug)]
struct AnyServer(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }

    fn root_hint_subjects(&self) -> Option<&[Issuers]> {
        None
    }
}

fn new_key() -> io::Result<KeyPair> {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(io::Error::other)
}

fn params(name: &str, names: &[String]) -> io::Result<CertificateParams> {
    let mut params = CertificateParams::new(Vec::new()).map_err(io::Error::other)?;
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, name);
    params.distinguished_name = subject;
    for name in names {
        params.subject_alt_names.extend(alternative(name));
    }
    Ok(params)
}

fn alternative(name: &str) -> Option<SanType> {
    if let Ok(address) = name.parse() {
        return Some(SanType::IpAddress(address));
    }
    let text = Ia5String::try_from(name).ok()?;
    if name.contains("://") {
        return Some(SanType::URI(text));
    }
    // A wildcard alone is no name.
    (name != "*" && !name.is_empty()).then_some(SanType::DnsName(text))
}
