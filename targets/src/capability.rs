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
    SimpleTls "TLS that ends at a listener";
    MutualTls "certificates of callers";
    CallerIdentity "names, keys and hashes of callers' certificates";
    MeshTls "TLS with the certificates of the mesh";
    AutoPassthrough "passthrough by the server names of the mesh";
    Passthrough "TLS passthrough by server name";
    MixedTls "TLS passthrough beside TLS that ends, on one port";
    TcpListener "TCP listeners";
    RedirectToHttps "redirect of a listener to HTTPS";
    PathMatch "path exact, prefix, under, letter case";
    MethodMatch "method, scheme, authority, port";
    HeaderMatch "header exact, prefix, present";
    HeaderAbsent "header absent or different";
    UnderscoreHeader "headers with an underscore in their names";
    ProxyHeaderMatch "conditions on headers that a gateway writes itself";
    QueryMatch "query parameters";
    PatternMatch "regular expressions that all engines read alike";
    AnyPattern "all other regular expressions of RE2";
    UnicodePattern "regular expressions with classes of characters beyond ASCII";
    ClaimMatch "claims of a caller's token";
    SourceMatch "namespace and labels of the caller";
    DestinationMatch "address that a connection was made to";
    WeightedDestinations "weighted destinations";
    Redirect "redirect";
    Respond "direct response";
    Delegation "delegation to another host block";
    RewritePath "rewrite of path, prefix, host";
    RewritePattern "rewrite by a regular expression";
    Timeout "timeout of the whole response";
    Retries "retries with conditions";
    RetryPerTry "time and wait of each retry";
    RetryStatuses "retries on any status";
    RetryGrpc "retries on a gRPC status or a cancelled stream";
    RetryLocalities "retries in other localities";
    FaultDelay "injected delay";
    FaultAbort "injected failure";
    FaultGrpc "injected gRPC failure";
    Cors "CORS";
    Mirror "mirror with percentage";
    HeaderOperations "header operations";
    HeaderVariables "variables of Envoy in header values";
    EmptyHeaders "headers without a value";
    DestinationHeaders "header operations per destination";
    TlsRoutes "TLS routes";
    TcpRoutes "TCP routes";
    SimpleBalancing "least request, round robin, random";
    PassthroughBalancing "the endpoint that the caller asked for";
    ConsistentHash "consistent hash";
    HashCookie "cookie that is made for consistent hash";
    ConnectionPool "connection limits and connect timeout";
    RequestLimits "limits of requests, waiting requests and retries";
    ConnectionLifetime "lifetime and idle time of connections";
    Keepalive "keep-alive probes";
    Http2Destination "HTTP/2 and gRPC destinations";
    GrpcWeb "gRPC-web";
    Ejection "outlier ejection";
    UpstreamTls "TLS to the destination";
    UpstreamIdentity "several names, or URIs, in the destination's certificate";
    FixedExternal "externals at fixed addresses";
    DnsExternal "externals found by DNS";
    OriginalExternal "externals at the address that was asked for";
    PerRequestExternal "externals found by the host of each request";
    EgressGateway "egress through a gateway";
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
