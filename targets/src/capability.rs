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
    HttpListener "HTTP and HTTPS listeners, simple and mutual TLS";
    Passthrough "TLS passthrough by server name";
    TcpListener "TCP listeners";
    RedirectToHttps "redirect of a listener to HTTPS";
    PathMatch "path exact, prefix, under, pattern, letter case";
    MethodMatch "method, scheme, authority, port";
    HeaderMatch "header exact, prefix, pattern, present";
    HeaderAbsent "header absent or different";
    QueryMatch "query parameters";
    SourceMatch "namespace and labels of the caller";
    WeightedDestinations "weighted destinations";
    Redirect "redirect";
    Respond "direct response";
    Delegation "delegation to another host block";
    RewritePath "rewrite of path, prefix, host";
    RewritePattern "rewrite by a regular expression";
    Timeout "timeout of the whole response";
    Retries "retries with conditions and time per try";
    FaultDelay "injected delay";
    FaultAbort "injected failure";
    Cors "CORS";
    Mirror "mirror with percentage";
    HeaderOperations "header operations";
    DestinationHeaders "header operations per destination";
    TlsRoutes "TLS routes";
    TcpRoutes "TCP routes";
    SimpleBalancing "least request, round robin, random";
    ConsistentHash "consistent hash";
    ConnectionPool "connection limits";
    Ejection "outlier ejection";
    UpstreamTls "TLS to the destination";
    ExternalServices "external services";
    EgressGateway "egress through a gateway";
    Visibility "visibility per namespace";
    RawConfiguration "raw configuration";
}
