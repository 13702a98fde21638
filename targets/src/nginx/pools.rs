//! Upstream blocks and the files of their endpoints.
//!
//! Each is made for one way of calling: TLS identity, balancing, limits. nginx keeps connections by upstream block and asks
//! nobody what they were opened for, so what differs in any of that never shares a block. What does not differ does: nginx
//! looks through all blocks for each one that it reads.

use super::conditions::{header_variable, query_value};
use super::directive::{Directive, line, print};
use super::site::Site;
use super::text;
use meshc_compiler::model::Id;
use meshc_compiler::policy::RetryChoice;
use meshc_compiler::policy::{Ejection, HashKey, Method, Pool, PoolBody, SimpleBalancing};
use meshc_compiler::routing::{Addresses, Proxy, RuleAction, Upstream, WeightedAddress};
use meshc_compiler::values::EndpointAddress;
use rustc_hash::FxHashMap;

/// Connections without requests that a worker keeps open to an upstream.
const KEPT: &str = "64";

/// Where the blocks are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Part {
    Http,
    Stream,
}

/// The upstream blocks of one proxy.
#[derive(Debug, Default)]
pub(super) struct Pools {
    /// How often a request to an upstream may be tried, by its position.
    tries: FxHashMap<usize, u32>,
    known: FxHashMap<(Part, String), String>,
    names: FxHashMap<(Part, String), usize>,
    blocks: Vec<(Part, Directive)>,
    files: Vec<(String, String)>,
}

/// How requests to an upstream reach it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Through this upstream block.
    Block(String),
    /// At this `HOST:PORT`, which has variables in it and is looked up for each request.
    Looked(String),
}

impl Place {
    /// As `proxy_pass` takes it behind the scheme.
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Block(name) | Self::Looked(name) => name,
        }
    }
}

impl Pools {
    pub(super) fn new(proxy: &Proxy<'_>) -> Self {
        Self { tries: tries(proxy), ..Self::default() }
    }

    /// The blocks of one part.
    pub(super) fn blocks(&self, part: Part) -> Vec<Directive> {
        self.blocks.iter().filter(|(of, _)| *of == part).map(|(_, block)| block.clone()).collect()
    }

    /// The files of endpoints, by their paths beside `nginx.conf`.
    pub(super) fn files(&self) -> &[(String, String)] {
        &self.files
    }

    fn name(&mut self, part: Part, wanted: &str) -> String {
        let count = self.names.entry((part, wanted.to_owned())).or_default();
        *count += 1;
        if *count == 1 { wanted.to_owned() } else { format!("{wanted}~{count}") }
    }

    fn file(&mut self, name: &str, text: String) -> String {
        let path = |number: usize| match number {
            1 => format!("endpoints/{name}.conf"),
            number => format!("endpoints/{name}~{number}.conf"),
        };
        let mut number = 1;
        loop {
            let path = path(number);
            match self.files.iter().rev().find(|(known, _)| *known == path) {
                Some((_, known)) if *known == text => return path,
                Some(_) => number += 1,
                None => {
                    self.files.push((path.clone(), text));
                    return path;
                }
            }
        }
    }
}

/// The greatest number of tries that a rule allows for each upstream.
fn tries(proxy: &Proxy<'_>) -> FxHashMap<usize, u32> {
    let mut tries = FxHashMap::default();
    for rule in proxy.http_rules() {
        let RuleAction::Forward(to) = &rule.action else { continue };
        let Some(retry) = &rule.options.retry else { continue };
        let RetryChoice::Policy(policy) = &retry.choice else { continue };
        let allowed = policy.attempts.map_or(0, |attempts| attempts.value.get()).saturating_add(1);
        for one in to {
            let known = tries.entry(one.upstream.index()).or_insert(1);
            *known = allowed.max(*known);
        }
    }
    tries
}

/// Where an upstream is found. `identity` tells apart connections that must not be mixed; `keeps` says whether connections may
/// be used again.
pub(super) fn place<'m>(
    id: Id<Upstream<'m>>,
    part: Part,
    identity: &str,
    keeps: bool,
    site: &mut Site<'_, 'm>,
) -> Option<Place> {
    let upstream = site.upstream(id)?;
    match &upstream.addresses {
        Addresses::Fixed(addresses) => {
            Some(Place::Block(block(id, upstream, addresses, part, identity, keeps, site)))
        }
        Addresses::Dns { names, first_only: _ } => Some(looked_up(names, part, site)),
        Addresses::Original | Addresses::PerRequest => {
            site.resolves = true;
            let host = match part {
                Part::Http => "$host".to_owned(),
                Part::Stream => server_name(site),
            };
            let port = upstream.port.target.unwrap_or(upstream.port.number).value;
            Some(Place::Looked(format!("{host}:{port}")))
        }
        // `fit` has reported it; a rig has put an address in its place.
        Addresses::Unknown => None,
    }
}

/// The server name that a caller asked for, if it can be a name. nginx takes it as it comes, and would read an address
/// such as `unix:PATH` out of it.
fn server_name(site: &mut Site<'_, '_>) -> String {
    let entries = vec![line!["default", ""], line!["~*^([a-z0-9._-]+)\\z", "$1"]];
    site.stream.map("$ssl_preread_server_name", entries)
}

fn looked_up(names: &[WeightedAddress], part: Part, site: &mut Site<'_, '_>) -> Place {
    site.resolves = true;
    let variables = if part == Part::Http { &mut site.http } else { &mut site.stream };
    let weights: u64 = names.iter().map(|one| u64::from(one.weight)).sum();
    let ppm = |one: &WeightedAddress| {
        u32::try_from(u64::from(one.weight) * 1_000_000 / weights.max(1)).unwrap_or(0)
    };
    let shares = super::variables::hundredths(&names.iter().map(ppm).collect::<Vec<_>>());
    let all: Vec<(String, u32)> = names.iter().map(address).zip(shares).collect();
    // In a variable, a name is looked up when it is asked for; as it stands, nginx would look it up once, or not start.
    Place::Looked(match all.as_slice() {
        [(only, _)] => variables.fixed(only),
        _ => variables.split(random(part), &all),
    })
}

/// What differs from request to request, or from connection to connection.
pub(super) fn random(part: Part) -> &'static str {
    match part {
        Part::Http => "$request_id",
        Part::Stream => "$pid.$connection.$msec.$remote_addr.$remote_port",
    }
}

fn block<'m>(
    id: Id<Upstream<'m>>,
    upstream: &Upstream<'m>,
    addresses: &[WeightedAddress],
    part: Part,
    identity: &str,
    keeps: bool,
    site: &mut Site<'_, 'm>,
) -> String {
    let pool = upstream.policy.pool.as_deref().map(|pool| &pool.body);
    // A request that is under way has a connection for itself.
    let limits =
        pool.iter().flat_map(|pool| [pool.connections, pool.requests.filter(|_| part == Part::Http)]);
    let limit = limits.flatten().map(|most| most.value.get()).min();
    let tries = site.pools.tries.get(&id.index()).copied().unwrap_or(1);
    let servers = servers(addresses, limit, upstream.policy.ejection.as_deref(), tries, site, upstream);
    let mut inside = balancing(upstream, addresses, part, site);
    let shares_counts = limit.is_some() || upstream.policy.ejection.is_some();
    let kept = if part == Part::Http && keeps { kept(upstream.policy.pool.as_deref()) } else { Vec::new() };
    let servers = print(&servers, 0);
    let key = format!("{identity}\n{}\n{}\n{servers}", print(&inside, 0), print(&kept, 0));
    if let Some(known) = site.pools.known.get(&(part, key.clone())) {
        return known.clone();
    }
    let subset = upstream.subset.as_ref().map(|subset| format!("_{subset}")).unwrap_or_default();
    let wanted = text::file_name(&format!("{}_{}{subset}", upstream.host, upstream.port.number.value));
    let name = site.pools.name(part, &wanted);
    let file = site.pools.file(&wanted, servers);
    if shares_counts {
        // Without it each worker would count by itself.
        let zone = if part == Part::Http { name.clone() } else { format!("{name}.stream") };
        inside.insert(0, line!["zone", zone, "128k"]);
    }
    inside.push(line!["include", file]);
    inside.extend(kept);
    site.pools.blocks.push((part, line!["upstream", name.clone()].block(inside).at(upstream.span)));
    site.pools.known.insert((part, key), name.clone());
    name
}

fn servers(
    addresses: &[WeightedAddress],
    limit: Option<u32>,
    ejection: Option<&Ejection>,
    tries: u32,
    site: &mut Site<'_, '_>,
    upstream: &Upstream<'_>,
) -> Vec<Directive> {
    let count = u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
    let hashes = matches!(
        upstream.policy.balancing.as_ref().map(|balancing| &balancing.method),
        Some(Method::Hash { .. })
    );
    // nginx tries each line once. What may be tried more often than there are endpoints stands there more often.
    let times = if limit.is_some() || hashes { 1 } else { tries.min(16).div_ceil(count) };
    let mut lines = Vec::new();
    for one in addresses {
        let WeightedAddress { address: place, port: _, weight } = one;
        if let EndpointAddress::Unix(path) = place
            && path.is_abstract()
        {
            site.refuse(
                upstream.span,
                "this Unix socket",
                "nginx takes paths of sockets, and no abstract names",
                "use a path or a port",
            );
        }
        let mut line = line!["server", address(one)];
        if *weight != 1 {
            line.words.push(format!("weight={weight}"));
        }
        match ejection {
            Some(ejection) => line.words.extend(ejected(ejection)),
            None => line.words.push("max_fails=0".to_owned()),
        }
        if let Some(limit) = limit {
            line.words.push(format!("max_conns={}", (limit / count).max(1)));
        }
        lines.push(line);
    }
    lines.iter().cycle().take(lines.len() * times as usize).cloned().collect()
}

fn ejected(ejection: &Ejection) -> [String; 2] {
    let Ejection { after, within: _, duration, max: _, min_healthy: _, span: _, attributes: _ } = ejection;
    let count = after.as_ref().map_or(5, |after| after.count.value.get());
    let time = duration.map_or_else(|| "30s".to_owned(), |duration| text::time(duration.value));
    [format!("max_fails={count}"), format!("fail_timeout={time}")]
}

/// An address as nginx takes it.
fn address(one: &WeightedAddress) -> String {
    let WeightedAddress { address, port, weight: _ } = one;
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    match address {
        EndpointAddress::Ip(ip) if ip.get().is_ipv6() => format!("[{ip}]{port}"),
        EndpointAddress::Ip(ip) => format!("{ip}{port}"),
        EndpointAddress::Host(name) => format!("{name}{port}"),
        EndpointAddress::Unix(path) => format!("unix:{}", path.as_str()),
    }
}

fn balancing(
    upstream: &Upstream<'_>,
    addresses: &[WeightedAddress],
    part: Part,
    site: &mut Site<'_, '_>,
) -> Vec<Directive> {
    const LEAST_REQUEST: SimpleBalancing = SimpleBalancing::LeastRequest;
    // Of two endpoints that are idle `random two` takes the one that it drew last, which is the lighter one more often.
    let weighted =
        addresses.iter().any(|one| addresses.first().is_some_and(|first| first.weight != one.weight));
    let least =
        || if weighted { vec![line!["least_conn"]] } else { vec![line!["random", "two", "least_conn"]] };
    let default = Method::Simple(LEAST_REQUEST);
    let method = upstream.policy.balancing.as_ref().map_or(&default, |balancing| &balancing.method);
    match method {
        Method::Simple(SimpleBalancing::RoundRobin) => Vec::new(),
        Method::Simple(SimpleBalancing::Random) => vec![line!["random"]],
        Method::Simple(SimpleBalancing::LeastRequest | SimpleBalancing::Passthrough) => least(),
        Method::Hash { key: HashKey::SourceIp, algorithm: _ } => {
            vec![line!["hash", "$remote_addr", "consistent"]]
        }
        Method::Hash { key, algorithm: _ } if part == Part::Http => {
            let key = hash_key(key, site);
            // A request without the key goes anywhere.
            let key = site.http.map(&key, vec![line!["default", key.clone()], line!["", "$request_id"]]);
            vec![line!["hash", key, "consistent"]]
        }
        // There is no request to take a key from.
        Method::Hash { .. } => least(),
    }
}

fn hash_key(key: &HashKey, site: &mut Site<'_, '_>) -> String {
    match key {
        HashKey::Header(name) => header_variable(&name.value).unwrap_or_else(|| {
            site.refuse(
                name.span,
                &format!("a hash of `{}`", name.value),
                "nginx reads headers whose names are letters, digits and dashes",
                "use another header",
            );
            text::EMPTY.to_owned()
        }),
        HashKey::Cookie { name, ttl: _, path: _ } => cookie(name.value.as_str(), site),
        HashKey::SourceIp => "$remote_addr".to_owned(),
        HashKey::Query(name) => query_value(name.value.as_str(), site),
    }
}

/// The value of a cookie. `$cookie_NAME` knows names of letters, digits and underscores only, and ignores their case.
pub(super) fn cookie(name: &str, site: &mut Site<'_, '_>) -> String {
    let key = format!("~(?:^|;\\s*){}=([^;]*)", meshc_compiler::values::escape_literal(name));
    site.http.map("$http_cookie", vec![line!["default", ""], line![key, "$1"]])
}

/// How long connections without requests are kept.
fn kept(pool: Option<&Pool>) -> Vec<Directive> {
    let Some(pool) = pool else { return vec![line!["keepalive", KEPT]] };
    let PoolBody {
        connections: _,
        connect_timeout: _,
        lifetime,
        tcp_idle: _,
        keepalive: _,
        pending: _,
        requests: _,
        requests_per_connection,
        retries: _,
        idle,
        upgrade: _,
        client_protocol: _,
        streams: _,
    } = &pool.body;
    let requests = requests_per_connection.map_or(0, |requests| requests.value.get());
    if requests == 1 {
        return Vec::new();
    }
    let mut lines = vec![line!["keepalive", KEPT]];
    if requests > 1 {
        lines.push(line!["keepalive_requests", requests.to_string()]);
    }
    if let Some(lifetime) = lifetime {
        lines.push(line!["keepalive_time", text::time(lifetime.value)]);
    }
    if let Some(idle) = idle {
        lines.push(line!["keepalive_timeout", text::time(idle.value)]);
    }
    lines
}
