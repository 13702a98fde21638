//! Versions and cipher suites of TLS.

use super::words::words;

words! {
    /// A version of TLS.
    pub enum TlsVersion: "TLS version" {
        V1_0 = "1.0" | "TLSV1_0" | "TLSv1.0" | "TLS1.0" | "v1.0" "TLS 1.0, retired by RFC 8996",
        V1_1 = "1.1" | "TLSV1_1" | "TLSv1.1" | "TLS1.1" | "v1.1" "TLS 1.1, retired by RFC 8996",
        V1_2 = "1.2" | "TLSV1_2" | "TLSv1.2" | "TLS1.2" | "v1.2" "TLS 1.2",
        V1_3 = "1.3" | "TLSV1_3" | "TLSv1.3" | "TLS1.3" | "v1.3" "TLS 1.3",
    }
}

impl TlsVersion {
    /// The name in Istio's API (`ServerTLSSettings.TLSProtocol`).
    #[must_use]
    pub const fn istio(self) -> &'static str {
        match self {
            Self::V1_0 => "TLSV1_0",
            Self::V1_1 => "TLSV1_1",
            Self::V1_2 => "TLSV1_2",
            Self::V1_3 => "TLSV1_3",
        }
    }
}

words! {
    /// A cipher suite for TLS up to 1.2, by its name in OpenSSL: the 15 that Istio knows, or all (rule G10).
    pub enum CipherSuite: "cipher suite" {
        EcdheEcdsaAes128GcmSha256 = "ECDHE-ECDSA-AES128-GCM-SHA256" "forward secret, ECDSA certificate",
        EcdheRsaAes128GcmSha256 = "ECDHE-RSA-AES128-GCM-SHA256" "forward secret, RSA certificate",
        EcdheEcdsaAes256GcmSha384 = "ECDHE-ECDSA-AES256-GCM-SHA384" "forward secret, ECDSA certificate",
        EcdheRsaAes256GcmSha384 = "ECDHE-RSA-AES256-GCM-SHA384" "forward secret, RSA certificate",
        EcdheEcdsaChacha20Poly1305 = "ECDHE-ECDSA-CHACHA20-POLY1305" "forward secret, ECDSA certificate",
        EcdheRsaChacha20Poly1305 = "ECDHE-RSA-CHACHA20-POLY1305" "forward secret, RSA certificate",
        EcdheEcdsaAes128Sha = "ECDHE-ECDSA-AES128-SHA" "forward secret, CBC mode, ECDSA certificate",
        EcdheRsaAes128Sha = "ECDHE-RSA-AES128-SHA" "forward secret, CBC mode, RSA certificate",
        EcdheEcdsaAes256Sha = "ECDHE-ECDSA-AES256-SHA" "forward secret, CBC mode, ECDSA certificate",
        EcdheRsaAes256Sha = "ECDHE-RSA-AES256-SHA" "forward secret, CBC mode, RSA certificate",
        Aes128GcmSha256 = "AES128-GCM-SHA256" "without forward secrecy",
        Aes256GcmSha384 = "AES256-GCM-SHA384" "without forward secrecy",
        Aes128Sha = "AES128-SHA" "without forward secrecy, CBC mode",
        Aes256Sha = "AES256-SHA" "without forward secrecy, CBC mode",
        DesCbc3Sha = "DES-CBC3-SHA" "triple DES, obsolete",
        All = "ALL" "every suite that the proxy supports",
    }
}

impl CipherSuite {
    /// Whether a recorded connection stays secret when the server's key leaks later.
    #[must_use]
    pub fn is_forward_secret(self) -> bool {
        self.word().starts_with("ECDHE-")
    }
}
