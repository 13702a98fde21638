//! How a destination is called, in the words of Istio's TrafficPolicy.

use super::api;
use meshc_compiler::policy::{
    Balancing, ClientTls, ClientTlsBody, ClientTlsMode, Ejection, FailureKind, FileRef, HashAlgorithm,
    HashKey, Keepalive, Method, Pool, PoolBody, SimpleBalancing, TrafficPolicy, Upgrade,
};
use meshc_compiler::values::{Count, Duration, Percent, PositiveCount};
use meshc_language::Spanned;
use smol_str::SmolStr;

/// A duration as protobuf's JSON writes it: `4s`, `0.25s`.
pub(super) fn duration(value: Duration) -> SmolStr {
    SmolStr::new(value.to_proto())
}

/// Counts are at most 2^31 - 1, which the type of the literal guarantees.
pub(super) fn int32(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

fn positive(value: Option<&Spanned<PositiveCount>>) -> Option<i32> {
    value.map(|count| int32(count.value.get()))
}

fn count(value: Option<&Spanned<Count>>) -> Option<i32> {
    value.map(|count| int32(count.value.get()))
}

fn time<T: Copy + Into<Duration>>(value: Option<&Spanned<T>>) -> Option<SmolStr> {
    value.map(|value| duration(value.value.into()))
}

/// Whole percent; `check` has refused fractions where Istio takes none.
fn whole_percent(value: Option<&Spanned<Percent>>) -> Option<i32> {
    value.map(|percent| int32(percent.value.ppm() / 10_000))
}

/// Whom TLS to a destination is for, where its `tls` does not say.
#[derive(Clone, Copy)]
pub(super) struct Server<'n> {
    /// Its host, if that is one name.
    pub(super) name: Option<&'n str>,
    /// Whether its ServiceEntry names the certificates: Istio checks for those where the rule names none.
    pub(super) named_elsewhere: bool,
}

/// What is sent over connections of a policy.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Carried {
    /// Requests. Istio asks for the host of each, and checks the certificate for it, where no `sni` is given.
    Requests,
    /// Bytes that name no host. Istio would ask for no name and check none.
    Bytes,
}

/// The policy of a destination, without ports; `None` if it says nothing.
pub(super) fn traffic(
    policy: &TrafficPolicy,
    server: Server<'_>,
    carried: Carried,
) -> Option<api::TrafficPolicy> {
    let TrafficPolicy { balancing, pool, ejection, tls } = policy;
    if policy.is_empty() {
        return None;
    }
    Some(api::TrafficPolicy {
        load_balancer: balancing.as_ref().map(|balancing| Box::new(load_balancer(balancing))),
        connection_pool: pool.as_ref().map(|pool| Box::new(connection_pool(pool))),
        outlier_detection: ejection.as_ref().map(|ejection| Box::new(outlier_detection(ejection))),
        tls: tls.as_ref().map(|tls| Box::new(client_tls(tls, server, carried))),
        port_level_settings: Vec::new(),
        tunnel: None,
        proxy_protocol: None,
        retry_budget: None,
    })
}

/// The policy of one port; `None` if it says nothing.
pub(super) fn port_traffic(
    number: u32,
    policy: &TrafficPolicy,
    server: Server<'_>,
    carried: Carried,
) -> Option<api::PortTrafficPolicy> {
    let TrafficPolicy { balancing, pool, ejection, tls } = policy;
    if policy.is_empty() {
        return None;
    }
    Some(api::PortTrafficPolicy {
        port: Some(api::PortSelector { number }),
        load_balancer: balancing.as_ref().map(|balancing| Box::new(load_balancer(balancing))),
        connection_pool: pool.as_ref().map(|pool| Box::new(connection_pool(pool))),
        outlier_detection: ejection.as_ref().map(|ejection| Box::new(outlier_detection(ejection))),
        tls: tls.as_ref().map(|tls| Box::new(client_tls(tls, server, carried))),
    })
}

fn load_balancer(balancing: &Balancing) -> api::LoadBalancerSettings {
    let Balancing { method, span: _ } = balancing;
    let (simple, consistent_hash) = match method {
        Method::Simple(simple) => (
            Some(match simple {
                SimpleBalancing::LeastRequest => api::SimpleLb::LeastRequest,
                SimpleBalancing::RoundRobin => api::SimpleLb::RoundRobin,
                SimpleBalancing::Random => api::SimpleLb::Random,
                SimpleBalancing::Passthrough => api::SimpleLb::Passthrough,
            }),
            None,
        ),
        Method::Hash { key, algorithm } => (None, Some(Box::new(consistent_hash(key, algorithm.as_ref())))),
    };
    api::LoadBalancerSettings {
        simple,
        consistent_hash,
        locality_lb_setting: None,
        zone_aware_lb_setting: None,
        warmup_duration_secs: None,
        warmup: None,
    }
}

fn consistent_hash(key: &HashKey, algorithm: Option<&HashAlgorithm>) -> api::ConsistentHashLb {
    let mut hash = api::ConsistentHashLb::default();
    match key {
        HashKey::Header(name) => hash.http_header_name = Some(SmolStr::new(name.value.as_written())),
        HashKey::Cookie { name, ttl, path } => {
            hash.http_cookie = Some(Box::new(api::HttpCookie {
                name: SmolStr::new(name.value.as_str()),
                path: path.as_ref().map(|path| SmolStr::new(path.value.as_str())),
                ttl: Some(ttl.map_or(SmolStr::new_static("0s"), |ttl| SmolStr::new(ttl.value.to_proto()))),
                attributes: Vec::new(),
            }));
        }
        HashKey::SourceIp => hash.use_source_ip = Some(true),
        HashKey::Query(name) => hash.http_query_parameter_name = Some(SmolStr::new(name.value.as_str())),
    }
    match algorithm {
        Some(HashAlgorithm::Ring(size)) => {
            hash.ring_hash = Some(api::RingHash { minimum_ring_size: Some(u64::from(size.value.get())) });
        }
        Some(HashAlgorithm::Maglev(size)) => {
            hash.maglev = Some(api::MagLev { table_size: Some(u64::from(size.value.get())) });
        }
        None => {}
    }
    hash
}

fn connection_pool(pool: &Pool) -> api::ConnectionPoolSettings {
    let Pool { body, span: _, attributes: _ } = pool;
    let PoolBody {
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
    } = body;
    let tcp = api::TcpSettings {
        max_connections: positive(connections.as_ref()),
        connect_timeout: time(connect_timeout.as_ref()),
        tcp_keepalive: keepalive.as_ref().map(|keepalive| {
            let Keepalive { probes, time: after, interval, span: _, attributes: _ } = keepalive;
            Box::new(api::TcpKeepalive {
                probes: probes.map(|probes| probes.value.get()),
                time: time(after.as_ref()),
                interval: time(interval.as_ref()),
            })
        }),
        max_connection_duration: time(lifetime.as_ref()),
        idle_timeout: tcp_idle.map(|idle| SmolStr::new(idle.value.to_proto())),
    };
    let http = api::HttpSettings {
        http1_max_pending_requests: positive(pending.as_ref()),
        http2_max_requests: positive(requests.as_ref()),
        max_requests_per_connection: count(requests_per_connection.as_ref()),
        max_retries: count(retries.as_ref()),
        idle_timeout: time(idle.as_ref()),
        h2_upgrade_policy: upgrade.map(|upgrade| match upgrade.value {
            Upgrade::Default => api::H2UpgradePolicy::Default,
            Upgrade::Never => api::H2UpgradePolicy::DoNotUpgrade,
            Upgrade::Always => api::H2UpgradePolicy::Upgrade,
        }),
        use_client_protocol: client_protocol.map(|switch| switch.value.is_on()),
        max_concurrent_streams: positive(streams.as_ref()),
        http2_keep_alive: None,
    };
    api::ConnectionPoolSettings {
        tcp: (tcp != api::TcpSettings::default()).then_some(tcp),
        http: (http != api::HttpSettings::default()).then_some(http),
    }
}

fn outlier_detection(ejection: &Ejection) -> api::OutlierDetection {
    let Ejection { after, within, duration: base, max, min_healthy, span: _, attributes: _ } = ejection;
    let mut detection = api::OutlierDetection {
        interval: time(within.as_ref()),
        base_ejection_time: time(base.as_ref()),
        max_ejection_percent: whole_percent(max.as_ref()),
        min_health_percent: whole_percent(min_healthy.as_ref()),
        ..api::OutlierDetection::default()
    };
    if let Some(after) = after {
        let number = after.count.value.get();
        match after.kind.value {
            FailureKind::Errors => detection.consecutive_5xx_errors = Some(number),
            // Envoy counts any five 5xx in a row as well unless it is told not to: 0 has to be written.
            FailureKind::GatewayErrors => {
                detection.consecutive_gateway_errors = Some(number);
                detection.consecutive_5xx_errors = Some(0);
            }
            FailureKind::LocalErrors => {
                detection.split_external_local_origin_errors = Some(true);
                detection.consecutive_local_origin_failures = Some(number);
                detection.consecutive_5xx_errors = Some(0);
            }
        }
    }
    detection
}

pub(super) fn path(file: Option<&FileRef>) -> Option<SmolStr> {
    file.map(|FileRef(path)| SmolStr::new(path.value.as_str()))
}

fn client_tls(tls: &ClientTls, server: Server<'_>, carried: Carried) -> api::ClientTlsSettings {
    let ClientTls { mode, body, span: _, attributes: _ } = tls;
    let ClientTlsBody { cert, key, ca, crl, credential, sni: _, names, skip_verify } = body;
    let sni = server_name(tls, server, carried);
    let expected = names.iter().flat_map(|names| names.iter()).map(|name| SmolStr::new(name.value.as_str()));
    api::ClientTlsSettings {
        mode: Some(match mode.value {
            ClientTlsMode::Disable => api::ClientTlsMode::Disable,
            ClientTlsMode::Simple => api::ClientTlsMode::Simple,
            ClientTlsMode::Mutual => api::ClientTlsMode::Mutual,
            ClientTlsMode::IstioMutual => api::ClientTlsMode::IstioMutual,
        }),
        client_certificate: path(cert.as_ref()),
        private_key: path(key.as_ref()),
        ca_certificates: path(ca.as_ref()),
        credential_name: credential.as_ref().map(|name| SmolStr::new(name.value.to_string())),
        subject_alt_names: if names.is_some() || server.named_elsewhere || !is_verified(tls) {
            expected.collect()
        } else {
            // Istio checks for the host of a request only where no `sni` is given, and else for nothing.
            sni.iter().cloned().collect()
        },
        sni,
        insecure_skip_verify: skip_verify.map(|skip| skip.value.is_on()),
        ca_crl: path(crl.as_ref()),
    }
}

/// Whether the mode and its settings let the server's certificate be verified by names that the sources can give.
fn is_verified(tls: &ClientTls) -> bool {
    is_own(tls) && !tls.body.takes_unseen()
}

/// Whether TLS is not that of the mesh, which knows whom to ask for and whom to expect.
pub(super) fn is_own(tls: &ClientTls) -> bool {
    tls.mode.value.begins_tls()
}

/// The name that is asked for; `None` for the host of each request.
fn server_name(tls: &ClientTls, server: Server<'_>, carried: Carried) -> Option<SmolStr> {
    let said = tls.body.sni.as_ref().map(|sni| SmolStr::new(sni.value.as_str()));
    let of_host = || server.name.filter(|_| carried == Carried::Bytes && is_own(tls)).map(SmolStr::new);
    said.or_else(of_host)
}
