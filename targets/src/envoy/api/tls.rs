//! TLS (`envoy.extensions.transport_sockets.tls.v3`).

use super::{ConfigSource, DataSource, StringMatcher, WatchedDirectory, messages};
use smol_str::SmolStr;

messages! {
    /// `DownstreamTlsContext`.
    struct DownstreamTlsContext {
        common_tls_context: CommonTlsContext,
        require_client_certificate: Option<bool>,
    }

    /// `UpstreamTlsContext`.
    struct UpstreamTlsContext {
        common_tls_context: CommonTlsContext,
        sni: SmolStr,
    }

    /// `CommonTlsContext`; one of the two validation contexts.
    struct CommonTlsContext {
        tls_params: Option<TlsParameters>,
        tls_certificate_sds_secret_configs: Vec<SdsSecretConfig>,
        validation_context: Option<CertificateValidationContext>,
        combined_validation_context: Option<CombinedValidationContext>,
        alpn_protocols: Vec<&'static str>,
    }

    /// `TlsParameters`.
    struct TlsParameters {
        tls_minimum_protocol_version: Option<&'static str>,
        tls_maximum_protocol_version: Option<&'static str>,
        cipher_suites: Vec<&'static str>,
    }

    /// `SdsSecretConfig`.
    struct SdsSecretConfig {
        name: SmolStr,
        sds_config: Option<ConfigSource>,
    }

    /// `CommonTlsContext.CombinedCertificateValidationContext`: the second completes the first.
    struct CombinedValidationContext {
        default_validation_context: Option<CertificateValidationContext>,
        validation_context_sds_secret_config: Option<SdsSecretConfig>,
    }

    /// `CertificateValidationContext`.
    struct CertificateValidationContext {
        trusted_ca: Option<DataSource>,
        crl: Option<DataSource>,
        verify_certificate_spki: Vec<SmolStr>,
        verify_certificate_hash: Vec<SmolStr>,
        match_typed_subject_alt_names: Vec<SubjectAltNameMatcher>,
        trust_chain_verification: Option<&'static str>,
        watched_directory: Option<WatchedDirectory>,
    }

    /// `SubjectAltNameMatcher`.
    struct SubjectAltNameMatcher {
        san_type: &'static str,
        matcher: StringMatcher,
    }

    /// `Secret`; one of the fields.
    struct Secret {
        name: SmolStr,
        tls_certificate: Option<TlsCertificate>,
        validation_context: Option<CertificateValidationContext>,
    }

    /// `TlsCertificate`.
    struct TlsCertificate {
        certificate_chain: Option<DataSource>,
        private_key: Option<DataSource>,
        watched_directory: Option<WatchedDirectory>,
    }
}
