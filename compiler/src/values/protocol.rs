//! Protocols of ports, and schemes of URLs.

use super::words::words;

words! {
    /// The protocol of a port (rule G6).
    pub enum Protocol: "protocol" {
        Http = "http" "HTTP/1.1",
        Http2 = "http2" "HTTP/2 without TLS",
        Https = "https" "HTTP in TLS; terminated at a gateway, passed through elsewhere",
        Grpc = "grpc" "gRPC over HTTP/2",
        GrpcWeb = "grpc-web" "gRPC as browsers speak it",
        Tcp = "tcp" "any bytes over TCP",
        Tls = "tls" "TLS, routed by server name",
        Udp = "udp" "UDP; Istio's proxies do not carry it",
        Mongo = "mongo" "MongoDB over TCP",
        Redis = "redis" "Redis over TCP",
        Mysql = "mysql" "MySQL over TCP",
        HttpProxy = "http-proxy" "a forward proxy, for the outbound listener of a sidecar",
    }
}

impl Protocol {
    /// Whether routes for HTTP apply.
    #[must_use]
    pub const fn is_http_family(self) -> bool {
        matches!(self, Self::Http | Self::Http2 | Self::Grpc | Self::GrpcWeb | Self::HttpProxy)
    }

    /// Whether the bytes on the wire are TLS.
    #[must_use]
    pub const fn is_tls_family(self) -> bool {
        matches!(self, Self::Https | Self::Tls)
    }

    /// Whether a proxy sees a plain connection, TLS included.
    #[must_use]
    pub const fn is_tcp_family(self) -> bool {
        matches!(self, Self::Tcp | Self::Https | Self::Tls | Self::Mongo | Self::Redis | Self::Mysql)
    }

    /// Whether requests travel over HTTP/2.
    #[must_use]
    pub const fn is_http2_family(self) -> bool {
        matches!(self, Self::Http2 | Self::Grpc | Self::GrpcWeb)
    }

    /// What remains once TLS is terminated.
    #[must_use]
    pub fn without_tls(self) -> Self {
        if self == Self::Https {
            Self::Http
        } else if self == Self::Tls {
            Self::Tcp
        } else {
            self
        }
    }

    /// The name in Istio's API (`Port.protocol`).
    #[must_use]
    pub const fn istio(self) -> &'static str {
        match self {
            Self::Http => "HTTP",
            Self::Http2 => "HTTP2",
            Self::Https => "HTTPS",
            Self::Grpc => "GRPC",
            Self::GrpcWeb => "GRPC-Web",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Udp => "UDP",
            Self::Mongo => "MONGO",
            Self::Redis => "REDIS",
            Self::Mysql => "MYSQL",
            Self::HttpProxy => "HTTP_PROXY",
        }
    }

    /// The protocol of a name in Istio's API, which ignores letter case.
    #[must_use]
    pub fn from_istio(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|protocol| protocol.istio().eq_ignore_ascii_case(name))
    }
}

words! {
    /// The scheme of a URL.
    pub enum Scheme: "scheme" {
        Http = "http" "HTTP without TLS",
        Https = "https" "HTTP in TLS",
    }
}

impl Scheme {
    /// The port that a URL of this scheme means if it names none (RFC 9110, 4.2).
    #[must_use]
    pub const fn usual_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}
