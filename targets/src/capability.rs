//! What a target may or may not be able to carry.

/// How a target carries a feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// With the same meaning.
    Native,
    /// With the same meaning within a caveat.
    Emulated {
        /// By what means.
        how: &'static str,
        /// Where the meaning differs.
        caveat: &'static str,
    },
    /// Not at all.
    Unsupported {
        /// Why.
        reason: &'static str,
    },
}

impl Support {
    pub(crate) const fn emulated(how: &'static str, caveat: &'static str) -> Self {
        Self::Emulated { how, caveat }
    }

    pub(crate) const fn unsupported(reason: &'static str) -> Self {
        Self::Unsupported { reason }
    }
}

macro_rules! features {
    ($($name:ident $title:literal;)*) => {
        /// What a mesh may ask of a target. A new one stops each target from compiling until it answers.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Feature {
            $(#[doc = $title] $name,)*
        }

        impl Feature {
            /// Every feature, in the order of the matrix.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// What it is, in a few words.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self {
                    $(Self::$name => $title,)*
                }
            }
        }
    };
}

features! {
    HttpListener "HTTP and HTTPS listeners";
    Http2Listener "HTTP/2 and gRPC listeners without TLS";
    SimpleTls "TLS termination";
    MutualTls "client certificates (mTLS)";
    CallerIdentity "client certificates by name, key or hash";
    MeshTls "mutual TLS of the mesh (`istio-mutual`)";
    AutoPassthrough "TLS auto-passthrough";
    Passthrough "TLS passthrough by server name (SNI)";
    MixedTls "TLS passthrough and termination on one port";
    TcpListener "TCP listeners";
    RedirectToHttps "redirect to HTTPS at a listener";
    PathMatch "path exact, prefix, under, letter case";
    MethodMatch "method, scheme, authority, port";
    HeaderMatch "header exact, prefix, present";
    HeaderAbsent "header absent or different";
    UnderscoreHeader "headers with an underscore in their names";
    ProxyHeaderMatch "conditions on headers that a gateway writes itself";
    QueryMatch "query parameters";
    PatternMatch "portable regular expressions";
    AnyPattern "regular expressions that need RE2";
    UnicodePattern "regular expressions with non-ASCII character classes";
    ClaimMatch "JWT claims";
    SourceMatch "source namespace and labels";
    DestinationMatch "original destination address";
    WeightedDestinations "weighted routing";
    Redirect "redirect";
    Respond "direct response";
    Delegation "delegation";
    RewritePath "rewrite of path, prefix, host";
    RewritePattern "regular expression rewrites";
    Timeout "`timeout`";
    Retries "retries with conditions";
    RetryPerTry "`per-try` and `backoff` of retries";
    RetryStatuses "retries on any HTTP status";
    RetryGrpc "retries on a gRPC status or a cancelled stream";
    RetryLocalities "retries in other localities";
    FaultDelay "fault injection: delay";
    FaultAbort "fault injection: abort";
    FaultGrpc "fault injection: gRPC abort";
    Cors "CORS";
    Mirror "mirroring with a percentage";
    MirrorGrpc "mirroring of gRPC calls";
    HeaderOperations "header operations";
    HeaderVariables "Envoy's variables in header values";
    EmptyHeaders "headers without a value";
    DestinationHeaders "header operations per destination";
    TlsRoutes "TLS routes";
    TcpRoutes "TCP routes";
    SimpleBalancing "least request, round robin, random";
    PassthroughBalancing "original destination as endpoint (`lb passthrough`)";
    ConsistentHash "consistent hashing";
    HashCookie "generated cookies for consistent hashing";
    ConnectionPool "connection limits and connect timeout";
    RequestLimits "circuit breaking by requests, pending requests and retries";
    ConnectionLifetime "lifetime and idle timeout of connections";
    Keepalive "TCP keepalive";
    Http2Destination "HTTP/2 and gRPC destinations";
    GrpcWeb "gRPC-web";
    Ejection "outlier detection (`eject`)";
    UpstreamTls "TLS origination";
    UpstreamIdentity "several names, or URIs, of a server certificate";
    FixedExternal "externals with fixed addresses";
    DnsExternal "externals resolved by DNS";
    OriginalExternal "externals at the original destination (`resolve none`)";
    PerRequestExternal "externals resolved per request (`resolve dynamic-dns`)";
    EgressGateway "egress gateways";
    Visibility "visibility per namespace";
    RawConfiguration "raw configuration";
}

impl Feature {
    /// Whether it keeps callers out or traffic private: no loss of it can be accepted.
    #[must_use]
    pub fn guards(self) -> bool {
        matches!(
            self,
            Self::SimpleTls
                | Self::MutualTls
                | Self::CallerIdentity
                | Self::MeshTls
                | Self::AutoPassthrough
                | Self::Passthrough
                | Self::MixedTls
                | Self::ClaimMatch
                | Self::RedirectToHttps
                | Self::UpstreamTls
                | Self::UpstreamIdentity
                | Self::Visibility
        )
    }
}
