//! `pool`: how many connections and requests at once.

use crate::reading::{keyword, section};
use crate::values::{Count, Duration, DurationOrZero, PositiveCount, Switch, WholeSeconds, words};
use meshc_language::Spanned;

keyword! {
    /// `pool { ... }` (Istio `ConnectionPoolSettings`).
    pub struct Pool {
        body required body: PoolBody;
    }
}

section! {
    /// The limits of a pool. What is not set is unlimited unless it says otherwise.
    pub struct PoolBody {
        /// Most connections to one destination. Istio: TCPSettings.maxConnections.
        once "connections" | "max-connections" connections: Spanned<PositiveCount>;
        /// How long a connection may take to open; 10s by default. Istio: TCPSettings.connectTimeout.
        once "connect-timeout" | "proxy-connect-timeout" connect_timeout: Spanned<Duration>;
        /// How long a connection may live. Istio: TCPSettings.maxConnectionDuration.
        once "lifetime" | "max-connection-duration" lifetime: Spanned<Duration>;
        /// How long a TCP connection may be silent; 1h by default, `0s` for ever. Also an HTTP connection, where `idle` is not said.
        /// Istio: TCPSettings.idleTimeout.
        once "tcp-idle" | "tcp-idle-timeout" tcp_idle: Spanned<DurationOrZero>;
        /// Probes of the operating system on silent connections. Istio: TCPSettings.tcpKeepalive.
        once "keepalive" | "tcp-keepalive" keepalive: Keepalive;
        /// Most requests that wait for a connection, those for which one is being opened included.
        /// Istio: HTTPSettings.http1MaxPendingRequests.
        once "pending" | "max-pending-requests" | "http1-max-pending-requests" pending: Spanned<PositiveCount>;
        /// Most requests at once. Istio: HTTPSettings.http2MaxRequests.
        once "requests" | "max-requests" | "http2-max-requests" requests: Spanned<PositiveCount>;
        /// Requests after which a connection is closed; 0 for no limit. Istio: HTTPSettings.maxRequestsPerConnection.
        once "requests-per-connection" | "max-requests-per-connection" | "keepalive-requests" requests_per_connection: Spanned<Count>;
        /// Most retries at once, 1 or more. Istio: HTTPSettings.maxRetries.
        once "retries" | "max-retries" retries: Spanned<Count>;
        /// How long an HTTP connection may be without requests; 1h by default. Istio: HTTPSettings.idleTimeout.
        once "idle" | "idle-timeout" | "keepalive-timeout" idle: Spanned<Duration>;
        /// Whether HTTP/1.1 connections are upgraded to HTTP/2. Istio: HTTPSettings.h2UpgradePolicy.
        once "http2" | "h2-upgrade-policy" upgrade: Spanned<Upgrade>;
        /// Whether the client's protocol is used for the destination. Istio: HTTPSettings.useClientProtocol.
        once "client-protocol" | "use-client-protocol" client_protocol: Spanned<Switch>;
        /// Most streams on one HTTP/2 connection. Nothing beside `client-protocol`. Istio: HTTPSettings.maxConcurrentStreams.
        once "streams" | "max-concurrent-streams" streams: Spanned<PositiveCount>;
    }
}

impl PoolBody {
    /// How long a connection may take to open where nothing is said (Istio: `MeshConfig.connectTimeout`).
    pub const CONNECT_TIMEOUT: Duration = Duration::TEN_SECONDS;
    /// How long a TCP connection may be silent where nothing is said (Envoy: `TcpProxy.idle_timeout`).
    pub const TCP_IDLE: DurationOrZero = DurationOrZero::AN_HOUR;

    /// Takes over the settings that are not said here.
    pub fn complete(&mut self, from: &Self) {
        let Self {
            connections,
            connect_timeout,
            lifetime,
            tcp_idle,
            keepalive,
            pending,
            requests,
            requests_per_connection,
            retries,
            idle,
            upgrade,
            client_protocol,
            streams,
        } = from;
        self.connections = self.connections.or(*connections);
        self.connect_timeout = self.connect_timeout.or(*connect_timeout);
        self.lifetime = self.lifetime.or(*lifetime);
        self.tcp_idle = self.tcp_idle.or(*tcp_idle);
        self.keepalive = self.keepalive.take().or_else(|| keepalive.clone());
        self.pending = self.pending.or(*pending);
        self.requests = self.requests.or(*requests);
        self.requests_per_connection = self.requests_per_connection.or(*requests_per_connection);
        self.retries = self.retries.or(*retries);
        self.idle = self.idle.or(*idle);
        self.upgrade = self.upgrade.or(*upgrade);
        self.client_protocol = self.client_protocol.or(*client_protocol);
        self.streams = self.streams.or(*streams);
    }
}

keyword! {
    /// `keepalive [probes 3] [time 2h] [interval 75s]` (Istio `TcpKeepalive`).
    pub struct Keepalive {
        /// Unanswered probes after which a connection is dead.
        label "probes" probes: Spanned<PositiveCount>;
        /// Silence before the first probe.
        label "time" time: Spanned<WholeSeconds>;
        /// Time between probes.
        label "interval" interval: Spanned<WholeSeconds>;
    }
}

words! {
    /// Whether connections are upgraded to HTTP/2.
    pub enum Upgrade: "upgrade policy" {
        Default = "default" "what the mesh says",
        Never = "never" "HTTP/1.1 stays HTTP/1.1",
        Always = "always" "HTTP/1.1 becomes HTTP/2",
    }
}
