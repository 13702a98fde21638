//! The modules of nginx that pass on what came in.

use meshc_compiler::routing::Upstream;

/// A module, by what its directives begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Module {
    /// `proxy_...`: HTTP/1.1, and connections.
    Proxy,
    /// `grpc_...`: HTTP/2, which nginx speaks to destinations by the module that was made for gRPC.
    Grpc,
}

impl Module {
    /// The one that speaks an upstream's HTTP.
    pub(super) fn of(upstream: &Upstream) -> Self {
        if upstream.speaks_http2() { Self::Grpc } else { Self::Proxy }
    }

    /// Its name.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Proxy => "proxy",
            Self::Grpc => "grpc",
        }
    }

    /// The name of one of its directives: `pass` is `proxy_pass` or `grpc_pass`.
    pub(super) fn directive(self, name: &str) -> String {
        format!("{}_{name}", self.name())
    }

    /// The scheme of the addresses that it passes requests to.
    pub(super) const fn scheme(self, in_tls: bool) -> &'static str {
        match (self, in_tls) {
            (Self::Proxy, false) => "http",
            (Self::Proxy, true) => "https",
            (Self::Grpc, false) => "grpc",
            (Self::Grpc, true) => "grpcs",
        }
    }
}
