//! The fields and values that not every release of Istio has.

use crate::istio::release::Release;

/// A field, or a value of one, that not every release has.
pub(super) struct Field {
    /// The kind of resource.
    pub(super) kind: &'static str,
    /// The path in the specification; in a DestinationRule that in a traffic policy, which may stand at a port or a subset.
    pub(super) path: &'static str,
    /// The value, where the field itself is older.
    pub(super) value: Option<&'static str>,
    /// The first release that has it.
    pub(super) since: Release,
    /// The statement that needs it.
    pub(super) statement: &'static str,
    /// What an older release does without the field.
    pub(super) without: &'static str,
    /// What to write instead.
    pub(super) instead: Option<&'static str>,
}

const fn field(
    kind: &'static str,
    path: &'static str,
    since: u8,
    statement: &'static str,
    without: &'static str,
) -> Field {
    Field { kind, path, value: None, since: Release::minor(since), statement, without, instead: None }
}

const fn value(
    kind: &'static str,
    path: &'static str,
    value: &'static str,
    since: u8,
    statement: &'static str,
) -> Field {
    Field { value: Some(value), ..field(kind, path, since, statement, "") }
}

const fn instead(field: Field, instead: &'static str) -> Field {
    Field { instead: Some(instead), ..field }
}

pub(super) const GATEWAY: &str = "Gateway";
pub(super) const ROUTES: &str = "VirtualService";
pub(super) const RULE: &str = "DestinationRule";
pub(super) const ENTRY: &str = "ServiceEntry";

/// Every field and value that a release from 1.9 on has brought and that can be written, by typed statements or by `raw`.
pub(super) static FIELDS: &[Field] = &[
    value(GATEWAY, "servers[].tls.mode", "OPTIONAL_MUTUAL", 19, "tls optional-mutual"),
    field(
        GATEWAY,
        "servers[].tls.caCertCredentialName",
        28,
        "ca-credential",
        "client certificates are verified by the CA in `credential`, or by none",
    ),
    field(GATEWAY, "servers[].tls.caCrl", 22, "crl", "revoked client certificates are accepted"),
    instead(
        field(GATEWAY, "servers[].tls.credentialNames", 26, "credentials", "the listener has no certificate"),
        "name one secret with `credential`",
    ),
    field(GATEWAY, "servers[].tls.insecureSkipVerify", 31, "skip-verify", "client certificates are verified"),
    instead(
        field(GATEWAY, "servers[].tls.tlsCertificates", 26, "certificate", "the listener has no certificate"),
        "name one certificate with `cert` and `key`",
    ),
    instead(
        field(
            ROUTES,
            "http[].redirect.prefixRewrite",
            31,
            "redirect prefix",
            "the redirect keeps the path of the request",
        ),
        "redirect each path by its own route: `route old when path is \"/old/a\" -> redirect 301 path \"/new/a\"`",
    ),
    field(
        ROUTES,
        "http[].redirect.scheme",
        12,
        "redirect scheme",
        "the redirect keeps the scheme of the request",
    ),
    field(ROUTES, "http[].redirect.port", 12, "redirect port", "the redirect keeps the port of the request"),
    field(
        ROUTES,
        "http[].redirect.derivePort",
        12,
        "redirect port",
        "the redirect uses the default port of the scheme",
    ),
    field(
        ROUTES,
        "http[].directResponse",
        15,
        "respond",
        "the route has no action, and the resource is refused",
    ),
    field(ROUTES, "http[].match[].statPrefix", 15, "statistics", "the statistics have no name"),
    field(ROUTES, "http[].mirrors", 19, "mirror", "nothing is mirrored"),
    field(ROUTES, "http[].retries.backoff", 26, "retry backoff", "the first retry waits 25ms at most"),
    field(
        ROUTES,
        "http[].retries.retryIgnorePreviousHosts",
        26,
        "previous-hosts",
        "an endpoint that failed is not tried again",
    ),
    field(ROUTES, "http[].rewrite.uriRegexRewrite", 19, "rewrite", "the path is not rewritten"),
    field(
        ROUTES,
        "http[].corsPolicy.unmatchedPreflights",
        23,
        "unmatched-preflights",
        "preflights from other origins go to the destination",
    ),
    value(RULE, "loadBalancer.simple", "LEAST_REQUEST", 14, "lb least-request"),
    field(
        RULE,
        "loadBalancer.consistentHash.httpCookie.attributes",
        28,
        "lb hash cookie",
        "the cookie has no attributes",
    ),
    field(RULE, "loadBalancer.consistentHash.maglev", 16, "lb hash with maglev", "a ring hash is used"),
    field(
        RULE,
        "loadBalancer.consistentHash.ringHash",
        16,
        "lb hash with ring",
        "the ring has its default size",
    ),
    field(
        RULE,
        "loadBalancer.localityLbSetting.failoverPriority",
        12,
        "locality priority",
        "endpoints have no priorities by label",
    ),
    field(RULE, "loadBalancer.warmup", 24, "warm-up", "new endpoints get their full share at once"),
    field(
        RULE,
        "loadBalancer.warmupDurationSecs",
        14,
        "warm-up",
        "new endpoints get their full share at once",
    ),
    field(RULE, "loadBalancer.zoneAwareLbSetting", 31, "zone-aware", "zones are not looked at"),
    field(RULE, "connectionPool.tcp.idleTimeout", 21, "tcp-idle", "idle connections stay open for 1h"),
    field(
        RULE,
        "connectionPool.tcp.maxConnectionDuration",
        15,
        "lifetime",
        "connections live without a limit",
    ),
    field(
        RULE,
        "connectionPool.http.maxConcurrentStreams",
        21,
        "streams",
        "streams of a connection have no limit",
    ),
    field(
        RULE,
        "connectionPool.http.http2KeepAlive",
        31,
        "http2-keepalive",
        "idle connections are not probed",
    ),
    field(
        RULE,
        "outlierDetection.consecutiveLocalOriginFailures",
        11,
        "eject after local-errors",
        "connection failures do not eject endpoints",
    ),
    field(
        RULE,
        "outlierDetection.splitExternalLocalOriginErrors",
        11,
        "eject after local-errors",
        "connection failures count as 5xx responses",
    ),
    field(RULE, "outlierDetection.outlierDetectionHttpErrorCodes", 31, "eject on", "any 5xx response counts"),
    field(RULE, "tls.caCrl", 22, "crl", "revoked server certificates are accepted"),
    field(RULE, "tls.insecureSkipVerify", 12, "skip-verify", "the server's certificate is verified"),
    field(RULE, "proxyProtocol", 21, "proxy-protocol", "the destination does not see the client's address"),
    field(RULE, "retryBudget", 27, "retry-budget", "retries have no budget"),
    field(
        RULE,
        "retryBudget.budgetInterval",
        31,
        "retry-budget within",
        "the budget has its default interval",
    ),
    field(RULE, "tunnel", 14, "tunnel", "connections are not tunnelled"),
    field(RULE, "workloadSelector", 14, "workload", "the rule applies to every client"),
    value(ENTRY, "resolution", "DNS_ROUND_ROBIN", 12, "resolve dns-round-robin"),
    value(ENTRY, "resolution", "DYNAMIC_DNS", 28, "resolve dynamic-dns"),
];
