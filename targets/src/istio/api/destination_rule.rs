//! `DestinationRule`: what happens to traffic for a service after routing: subsets, load balancing, limits, TLS to the upstream.
//! Source: `networking/v1alpha3/destination_rule.proto`.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::common::{Duration, PortSelector, Spec, StringMap, messages};
use crate::yaml::Sourced;

impl Spec for DestinationRule {
    const KIND: &'static str = "DestinationRule";
}

messages! {
    /// Subsets and traffic policy of one service.
    pub struct DestinationRule {
        /// Service in the registry, or a wildcard; a name without dots belongs to the resource's namespace; required.
        /// `DestinationRule.host`.
        pub host: SmolStr,
        /// Policy for every subset and port without one of its own. `DestinationRule.traffic_policy`.
        pub traffic_policy: Option<Box<Sourced<TrafficPolicy>>>,
        /// Named parts of the service. `DestinationRule.subsets`.
        pub subsets: Vec<Sourced<Subset>>,
        /// Namespaces that see it: names, `.` for its own, `*` for all; empty: the mesh's default.
        /// `DestinationRule.export_to`.
        pub export_to: Vec<SmolStr>,
        /// Callers, in the rule's namespace, that it is for; absent: all. `DestinationRule.workload_selector`.
        pub workload_selector: Option<Box<PolicyWorkloadSelector>>,
    }

    /// Picks workloads of the rule's namespace by label. This is the selector of Istio's policies, `istio.type.v1beta1.WorkloadSelector`,
    /// and not [`super::WorkloadSelector`], whose field is `labels`.
    pub struct PolicyWorkloadSelector {
        /// Labels that a workload must all carry with these values; no wildcards. `WorkloadSelector.match_labels`.
        pub match_labels: StringMap<SmolStr>,
    }

    /// How connections to a service are balanced, limited, watched and encrypted.
    pub struct TrafficPolicy {
        /// Choice of the endpoint. `TrafficPolicy.load_balancer`.
        pub load_balancer: Option<Box<LoadBalancerSettings>>,
        /// Limits of connections and requests. `TrafficPolicy.connection_pool`.
        pub connection_pool: Option<Box<ConnectionPoolSettings>>,
        /// When a failing endpoint is left out. `TrafficPolicy.outlier_detection`.
        pub outlier_detection: Option<Box<OutlierDetection>>,
        /// TLS to the endpoints; absent: mutual TLS where the endpoint can. `TrafficPolicy.tls`.
        pub tls: Option<Box<ClientTlsSettings>>,
        /// Policies of single ports; each replaces this one whole. `TrafficPolicy.port_level_settings`.
        pub port_level_settings: Vec<Sourced<PortTrafficPolicy>>,
        /// Tunnel of TCP and TLS routes through HTTP CONNECT or POST. `TrafficPolicy.tunnel`.
        pub tunnel: Option<Box<TunnelSettings>>,
        /// PROXY protocol header towards the endpoints. `TrafficPolicy.proxy_protocol`.
        pub proxy_protocol: Option<ProxyProtocol>,
        /// How many retries may be under way at once. `TrafficPolicy.retry_budget`.
        pub retry_budget: Option<Box<RetryBudget>>,
    }

    /// The policy of one port; what it leaves out takes Istio's default, not the rule's.
    pub struct PortTrafficPolicy {
        /// Port of the service. `TrafficPolicy.PortTrafficPolicy.port`.
        pub port: Option<PortSelector>,
        /// Choice of the endpoint. `TrafficPolicy.PortTrafficPolicy.load_balancer`.
        pub load_balancer: Option<Box<LoadBalancerSettings>>,
        /// Limits of connections and requests. `TrafficPolicy.PortTrafficPolicy.connection_pool`.
        pub connection_pool: Option<Box<ConnectionPoolSettings>>,
        /// When a failing endpoint is left out. `TrafficPolicy.PortTrafficPolicy.outlier_detection`.
        pub outlier_detection: Option<Box<OutlierDetection>>,
        /// TLS to the endpoints. `TrafficPolicy.PortTrafficPolicy.tls`.
        pub tls: Option<Box<ClientTlsSettings>>,
    }

    /// A tunnel to a host behind an HTTP proxy.
    pub struct TunnelSettings {
        /// `CONNECT` or `POST`; default `CONNECT`. `TrafficPolicy.TunnelSettings.protocol`.
        pub protocol: Option<SmolStr>,
        /// Host at the far end; required. `TrafficPolicy.TunnelSettings.target_host`.
        pub target_host: SmolStr,
        /// Port at the far end; required. `TrafficPolicy.TunnelSettings.target_port`.
        pub target_port: u32,
    }

    /// PROXY protocol towards the endpoints.
    pub struct ProxyProtocol {
        /// Version of the header; default `V1`. `TrafficPolicy.ProxyProtocol.version`.
        pub version: Option<ProxyProtocolVersion>,
    }

    /// A limit of concurrent retries relative to the requests under way.
    pub struct RetryBudget {
        /// Percent of active requests, 0 to 100; default 20. `TrafficPolicy.RetryBudget.percent`.
        pub percent: Option<f64>,
        /// Retries that are always allowed; default 3. `TrafficPolicy.RetryBudget.min_retry_concurrency`.
        pub min_retry_concurrency: Option<u32>,
        /// Window in which requests are counted. `TrafficPolicy.RetryBudget.budget_interval`.
        pub budget_interval: Option<Duration>,
    }

    /// A named part of a service, such as a version.
    pub struct Subset {
        /// Name that routes refer to; required. `Subset.name`.
        pub name: SmolStr,
        /// Labels that its endpoints carry. `Subset.labels`.
        pub labels: StringMap<SmolStr>,
        /// Policy that overrides the rule's, block by block. `Subset.traffic_policy`.
        pub traffic_policy: Option<Box<TrafficPolicy>>,
    }

    /// How an endpoint is chosen; `simple` and `consistentHash` exclude each other.
    pub struct LoadBalancerSettings {
        /// One of the plain algorithms; default least request. `LoadBalancerSettings.simple`.
        pub simple: Option<SimpleLb>,
        /// Requests with one key go to one endpoint. `LoadBalancerSettings.consistent_hash`.
        pub consistent_hash: Option<Box<ConsistentHashLb>>,
        /// Preference by region, zone and sub-zone, overriding the mesh's. `LoadBalancerSettings.locality_lb_setting`.
        pub locality_lb_setting: Option<Box<LocalityLoadBalancerSetting>>,
        /// Even load over zones while preferring the own one. `LoadBalancerSettings.zone_aware_lb_setting`.
        pub zone_aware_lb_setting: Option<Box<ZoneAwareLoadBalancerSetting>>,
        /// Time over which a new endpoint's load rises; deprecated for `warmup`.
        /// `LoadBalancerSettings.warmup_duration_secs`.
        pub warmup_duration_secs: Option<Duration>,
        /// How a new endpoint's load rises. `LoadBalancerSettings.warmup`.
        pub warmup: Option<Box<WarmupConfiguration>>,
    }

    /// Stickiness: one hash key (first four fields), one algorithm (`ringHash` or `maglev`; default ring hash).
    pub struct ConsistentHashLb {
        /// Key: value of this header. `LoadBalancerSettings.ConsistentHashLB.http_header_name`.
        pub http_header_name: Option<SmolStr>,
        /// Key: value of this cookie. `LoadBalancerSettings.ConsistentHashLB.http_cookie`.
        pub http_cookie: Option<Box<HttpCookie>>,
        /// Key: address of the caller. `LoadBalancerSettings.ConsistentHashLB.use_source_ip`.
        pub use_source_ip: Option<bool>,
        /// Key: value of this query parameter. `LoadBalancerSettings.ConsistentHashLB.http_query_parameter_name`.
        pub http_query_parameter_name: Option<SmolStr>,
        /// Ring hash. `LoadBalancerSettings.ConsistentHashLB.ring_hash`.
        pub ring_hash: Option<RingHash>,
        /// Maglev. `LoadBalancerSettings.ConsistentHashLB.maglev`.
        pub maglev: Option<MagLev>,
        /// Least size of the ring; deprecated for `ringHash`.
        /// `LoadBalancerSettings.ConsistentHashLB.minimum_ring_size`.
        pub minimum_ring_size: Option<u64>,
    }

    /// Ring hash.
    pub struct RingHash {
        /// Least number of points on the ring; default 1024.
        /// `LoadBalancerSettings.ConsistentHashLB.RingHash.minimum_ring_size`.
        pub minimum_ring_size: Option<u64>,
    }

    /// Maglev hash.
    pub struct MagLev {
        /// Size of the table, a prime below 5000011; default 65537.
        /// `LoadBalancerSettings.ConsistentHashLB.MagLev.table_size`.
        pub table_size: Option<u64>,
    }

    /// The cookie that carries a hash key; the proxy sets it when missing and `ttl` is given.
    pub struct HttpCookie {
        /// Name; required. `LoadBalancerSettings.ConsistentHashLB.HTTPCookie.name`.
        pub name: SmolStr,
        /// Path to set. `LoadBalancerSettings.ConsistentHashLB.HTTPCookie.path`.
        pub path: Option<SmolStr>,
        /// Lifetime to set; `0s`: until the browser closes. `LoadBalancerSettings.ConsistentHashLB.HTTPCookie.ttl`.
        pub ttl: Option<Duration>,
        /// Further attributes to set. `LoadBalancerSettings.ConsistentHashLB.HTTPCookie.attributes`.
        pub attributes: Vec<HttpCookieAttribute>,
    }

    /// An attribute of a cookie, such as `SameSite`.
    pub struct HttpCookieAttribute {
        /// Name; required. `LoadBalancerSettings.ConsistentHashLB.HTTPCookie.Attribute.name`.
        pub name: SmolStr,
        /// Value; absent: the bare name. `LoadBalancerSettings.ConsistentHashLB.HTTPCookie.Attribute.value`.
        pub value: Option<SmolStr>,
    }

    /// How the load of a new endpoint rises.
    pub struct WarmupConfiguration {
        /// Time until it carries its full share; required. `WarmupConfiguration.duration`.
        pub duration: Duration,
        /// Percent of its share at the beginning, 0 to 100; default 10. `WarmupConfiguration.minimum_percent`.
        pub minimum_percent: Option<f64>,
        /// Exponent of the rise, at least 0; default 1: linear. `WarmupConfiguration.aggression`.
        pub aggression: Option<f64>,
    }

    /// Limits of connections and requests.
    pub struct ConnectionPoolSettings {
        /// For every connection. `ConnectionPoolSettings.tcp`.
        pub tcp: Option<TcpSettings>,
        /// For HTTP. `ConnectionPoolSettings.http`.
        pub http: Option<HttpSettings>,
    }

    /// Limits and times of connections.
    pub struct TcpSettings {
        /// Most connections to an endpoint set; default 2^32-1. `ConnectionPoolSettings.TCPSettings.max_connections`.
        pub max_connections: Option<i32>,
        /// Time to connect; default 10s, set for the mesh. `ConnectionPoolSettings.TCPSettings.connect_timeout`.
        pub connect_timeout: Option<Duration>,
        /// Probes on idle connections; absent: the system's setting.
        /// `ConnectionPoolSettings.TCPSettings.tcp_keepalive`.
        pub tcp_keepalive: Option<Box<TcpKeepalive>>,
        /// Longest life of a connection; absent: unlimited.
        /// `ConnectionPoolSettings.TCPSettings.max_connection_duration`.
        pub max_connection_duration: Option<Duration>,
        /// Idle time after which a connection is closed; default 1h; `0s`: never.
        /// `ConnectionPoolSettings.TCPSettings.idle_timeout`.
        pub idle_timeout: Option<Duration>,
    }

    /// TCP keep-alive; what is absent is the system's setting.
    pub struct TcpKeepalive {
        /// Unanswered probes until the connection is dead; Linux: 9.
        /// `ConnectionPoolSettings.TCPSettings.TcpKeepalive.probes`.
        pub probes: Option<u32>,
        /// Idle time before the first probe; Linux: 2h. `ConnectionPoolSettings.TCPSettings.TcpKeepalive.time`.
        pub time: Option<Duration>,
        /// Time between probes; Linux: 75s. `ConnectionPoolSettings.TCPSettings.TcpKeepalive.interval`.
        pub interval: Option<Duration>,
    }

    /// Limits of HTTP requests.
    pub struct HttpSettings {
        /// Most requests that wait for a connection; default 2^32-1.
        /// `ConnectionPoolSettings.HTTPSettings.http1_max_pending_requests`.
        pub http1_max_pending_requests: Option<i32>,
        /// Most requests under way; default 2^32-1. `ConnectionPoolSettings.HTTPSettings.http2_max_requests`.
        pub http2_max_requests: Option<i32>,
        /// Most requests over one connection; 1: no keep-alive; default 0: unlimited.
        /// `ConnectionPoolSettings.HTTPSettings.max_requests_per_connection`.
        pub max_requests_per_connection: Option<i32>,
        /// Most retries under way; default 2^32-1. `ConnectionPoolSettings.HTTPSettings.max_retries`.
        pub max_retries: Option<i32>,
        /// Time without requests after which a connection is closed; default 1h.
        /// `ConnectionPoolSettings.HTTPSettings.idle_timeout`.
        pub idle_timeout: Option<Duration>,
        /// Whether HTTP/1.1 is forwarded as HTTP/2. `ConnectionPoolSettings.HTTPSettings.h2_upgrade_policy`.
        pub h2_upgrade_policy: Option<H2UpgradePolicy>,
        /// Forward with the protocol that the client used; excludes `h2UpgradePolicy`; default false.
        /// `ConnectionPoolSettings.HTTPSettings.use_client_protocol`.
        pub use_client_protocol: Option<bool>,
        /// Most streams over one HTTP/2 connection; default 2^31-1.
        /// `ConnectionPoolSettings.HTTPSettings.max_concurrent_streams`.
        pub max_concurrent_streams: Option<i32>,
        /// HTTP/2 pings on idle connections. `ConnectionPoolSettings.HTTPSettings.http2_keep_alive`.
        pub http2_keep_alive: Option<Box<ConnectionKeepalive>>,
    }

    /// HTTP/2 keep-alive.
    pub struct ConnectionKeepalive {
        /// Time between pings. `ConnectionPoolSettings.HTTPSettings.ConnectionKeepalive.interval`.
        pub interval: Option<Duration>,
        /// Time for the answer. `ConnectionPoolSettings.HTTPSettings.ConnectionKeepalive.timeout`.
        pub timeout: Option<Duration>,
    }

    /// When an endpoint that fails is left out for a while.
    pub struct OutlierDetection {
        /// Failures in a row; deprecated for the two below. `OutlierDetection.consecutive_errors`.
        pub consecutive_errors: Option<i32>,
        /// Tell failures to connect from failures answered; default false.
        /// `OutlierDetection.split_external_local_origin_errors`.
        pub split_external_local_origin_errors: Option<bool>,
        /// Failures to connect in a row, if told apart; default 5.
        /// `OutlierDetection.consecutive_local_origin_failures`.
        pub consecutive_local_origin_failures: Option<u32>,
        /// 502, 503 and 504 in a row; 0: off; default off. `OutlierDetection.consecutive_gateway_errors`.
        pub consecutive_gateway_errors: Option<u32>,
        /// Answers of 500 and above in a row; 0: off; default 5. `OutlierDetection.consecutive_5xx_errors`.
        pub consecutive_5xx_errors: Option<u32>,
        /// Time between two looks; default 10s. `OutlierDetection.interval`.
        pub interval: Option<Duration>,
        /// First time out, multiplied by the number of times out; default 30s. `OutlierDetection.base_ejection_time`.
        pub base_ejection_time: Option<Duration>,
        /// Most percent of the endpoints that may be out; default 10. `OutlierDetection.max_ejection_percent`.
        pub max_ejection_percent: Option<i32>,
        /// Percent of healthy endpoints below which nothing is left out; default 0.
        /// `OutlierDetection.min_health_percent`.
        pub min_health_percent: Option<i32>,
        /// HTTP statuses, 100 to 599, that count as failures instead of 5xx.
        /// `OutlierDetection.outlier_detection_http_error_codes`.
        pub outlier_detection_http_error_codes: Vec<u32>,
    }

    /// TLS towards the endpoints.
    pub struct ClientTlsSettings {
        /// Whether TLS is used and who shows a certificate; default `DISABLE`. `ClientTLSSettings.mode`.
        pub mode: Option<ClientTlsMode>,
        /// File with the own certificate chain, PEM; for `MUTUAL`. `ClientTLSSettings.client_certificate`.
        pub client_certificate: Option<SmolStr>,
        /// File with the own private key, PEM; for `MUTUAL`. `ClientTLSSettings.private_key`.
        pub private_key: Option<SmolStr>,
        /// File with the authorities for server certificates; default the system's.
        /// `ClientTLSSettings.ca_certificates`.
        pub ca_certificates: Option<SmolStr>,
        /// Secret that holds them instead of files; for gateways. `ClientTLSSettings.credential_name`.
        pub credential_name: Option<SmolStr>,
        /// Names of which the server certificate must carry one; default the service entry's.
        /// `ClientTLSSettings.subject_alt_names`.
        pub subject_alt_names: Vec<SmolStr>,
        /// SNI name to send; default the request's host. `ClientTLSSettings.sni`.
        pub sni: Option<SmolStr>,
        /// Accept server certificates unverified; default false. `ClientTLSSettings.insecure_skip_verify`.
        pub insecure_skip_verify: Option<bool>,
        /// File with the list of revoked server certificates. `ClientTLSSettings.ca_crl`.
        pub ca_crl: Option<SmolStr>,
    }

    /// Preference by locality; `distribute`, `failover` and `failoverPriority` have each their rules of combination.
    pub struct LocalityLoadBalancerSetting {
        /// Fixed shares by origin. `LocalityLoadBalancerSetting.distribute`.
        pub distribute: Vec<LocalityDistribute>,
        /// Where traffic goes when a region fails. `LocalityLoadBalancerSetting.failover`.
        pub failover: Vec<LocalityFailover>,
        /// Labels by which endpoints are ranked: the more agree with the caller's, from the first on, the better.
        /// `LocalityLoadBalancerSetting.failover_priority`.
        pub failover_priority: Vec<SmolStr>,
        /// Whether locality counts at all; default the mesh's. `LocalityLoadBalancerSetting.enabled`.
        pub enabled: Option<bool>,
    }

    /// Shares of traffic from one locality.
    pub struct LocalityDistribute {
        /// Origin, `region/zone/sub-zone` with `*`. `LocalityLoadBalancerSetting.Distribute.from`.
        pub from: Option<SmolStr>,
        /// Whole percents by locality, 100 in sum. `LocalityLoadBalancerSetting.Distribute.to`.
        pub to: StringMap<u32>,
    }

    /// A fallback between regions.
    pub struct LocalityFailover {
        /// Region that fails. `LocalityLoadBalancerSetting.Failover.from`.
        pub from: Option<SmolStr>,
        /// Region that takes over. `LocalityLoadBalancerSetting.Failover.to`.
        pub to: Option<SmolStr>,
    }

    /// Even load over zones while preferring the own one.
    pub struct ZoneAwareLoadBalancerSetting {
        /// Whether it is on. `ZoneAwareLoadBalancerSetting.enabled`.
        pub enabled: Option<bool>,
        /// Where traffic goes when a region fails. `ZoneAwareLoadBalancerSetting.failover`.
        pub failover: Vec<ZoneAwareFailover>,
        /// Labels by which endpoints are ranked. `ZoneAwareLoadBalancerSetting.failover_priority`.
        pub failover_priority: Vec<SmolStr>,
        /// Endpoints below which zones do not count, at least 1; default 6.
        /// `ZoneAwareLoadBalancerSetting.min_cluster_size`.
        pub min_cluster_size: Option<u64>,
    }

    /// A fallback between regions.
    pub struct ZoneAwareFailover {
        /// Region that fails. `ZoneAwareLoadBalancerSetting.Failover.from`.
        pub from: Option<SmolStr>,
        /// Region that takes over. `ZoneAwareLoadBalancerSetting.Failover.to`.
        pub to: Option<SmolStr>,
    }
}

/// Version of the PROXY protocol. `TrafficPolicy.ProxyProtocol.VERSION`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ProxyProtocolVersion {
    /// The readable one.
    #[default]
    V1,
    /// The binary one.
    V2,
}

/// A load-balancing algorithm without key. `LoadBalancerSettings.SimpleLB`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SimpleLb {
    /// Istio's default: least request.
    #[default]
    Unspecified,
    /// Deprecated name of `LeastRequest`.
    LeastConn,
    /// Any healthy endpoint.
    Random,
    /// The address that the caller asked for.
    Passthrough,
    /// Each in turn.
    RoundRobin,
    /// Of two random endpoints the one with fewer requests.
    LeastRequest,
}

/// Whether HTTP/1.1 is forwarded as HTTP/2. `ConnectionPoolSettings.HTTPSettings.H2UpgradePolicy`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum H2UpgradePolicy {
    /// What the mesh says.
    #[default]
    Default,
    /// No.
    DoNotUpgrade,
    /// Yes.
    Upgrade,
}

/// TLS towards an endpoint. `ClientTLSSettings.TLSmode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ClientTlsMode {
    /// None.
    #[default]
    Disable,
    /// TLS; only the server shows a certificate.
    Simple,
    /// TLS; both show certificates from files or a Secret.
    Mutual,
    /// TLS; both show certificates that Istio issues.
    IstioMutual,
}
