//! Upstream blocks, and what `proxy_pass` is told of them.
//!
//! Each is made for one way of calling: protocol, TLS identity, balancing, limits. nginx keeps connections by upstream block and asks
//! nobody what they were opened for, so what differs in any of that never shares a block.

use super::balancing::balancing;
use super::builder::Builder;
use super::directive::{Directive, line, print};
use super::endpoints::{self, Limits};
use super::module::Module;
use super::stream::SNI;
use super::text;
use super::variables::{Subsystem, hundredths};
use crate::fingerprint::fingerprint;
use indexmap::IndexMap;
use meshc_compiler::model::Id;
use meshc_compiler::policy::{Pool, PoolBody, RetryChoice};
use meshc_compiler::routing::{Addresses, Proxy, RuleAction, Upstream, WeightedAddress};
use rustc_hash::{FxHashMap, FxHashSet};

/// Connections without requests that a worker keeps open to an upstream.
const KEPT: &str = "64";

/// The upstream blocks of one proxy.
#[derive(Debug, Default)]
pub(super) struct UpstreamBlocks {
    /// How often a request to an upstream may be tried, by its position.
    tries: FxHashMap<usize, u32>,
    /// The name of each block, by all that makes it what it is.
    known: FxHashMap<(Subsystem, String), String>,
    names: FxHashSet<(Subsystem, String)>,
    blocks: Vec<(Subsystem, Directive)>,
    files: IndexMap<String, String>,
}

/// What is told to `proxy_pass`, behind the scheme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ProxyPass {
    /// The name of an upstream block.
    Block(String),
    /// A `HOST:PORT` with variables in it, which is looked up for each request.
    LookedUp(String),
}

impl ProxyPass {
    /// As it is written.
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Block(name) | Self::LookedUp(name) => name,
        }
    }
}

/// How an upstream is called.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call<'c> {
    /// By what.
    pub(super) subsystem: Subsystem,
    /// The module that speaks to it: a connection that was opened for HTTP/1.1 is no use to HTTP/2.
    pub(super) module: Module,
    /// What tells its connections from others that must not be used in their place.
    pub(super) identity: &'c str,
    /// Whether its connections may be used again.
    pub(super) keeps: bool,
}

impl UpstreamBlocks {
    pub(super) fn new(proxy: &Proxy) -> Self {
        Self { tries: tries(proxy), ..Self::default() }
    }

    /// The blocks of one subsystem.
    pub(super) fn of(&self, subsystem: Subsystem) -> Vec<Directive> {
        self.blocks.iter().filter(|(of, _)| *of == subsystem).map(|(_, block)| block.clone()).collect()
    }

    /// The files of endpoints, by their paths beside `nginx.conf`.
    pub(super) fn files(&self) -> impl Iterator<Item = (&String, &String)> {
        self.files.iter()
    }

    /// The name of a block: that of the upstream, with what tells it from other ways to call the same one. `key` is all that it is.
    fn name(&mut self, upstream: &Upstream, wanted: &str, call: Call<'_>, key: &str) -> String {
        let Call { subsystem, module, identity, keeps } = call;
        let is_usual = match subsystem {
            Subsystem::Http => keeps && module == Module::of(upstream),
            Subsystem::Stream => true,
        };
        let usual = identity.is_empty() && is_usual;
        let short = |texts: &[&str]| format!("{wanted}~{:08x}", fingerprint(texts.iter().copied()) >> 32);
        let keeping = if keeps { "kept" } else { "once" };
        let mut name = if usual {
            wanted.to_owned()
        } else {
            short(&[identity, "\n", keeping, &module.directive("pass")])
        };
        while !self.names.insert((subsystem, name.clone())) {
            name = short(&[&name, "\n", key]);
        }
        name
    }

    /// The path of a file with this text, made if there is none. The halves of nginx ask for different words beside an address.
    fn file(&mut self, subsystem: Subsystem, name: &str, text: String) -> String {
        let end = match subsystem {
            Subsystem::Http => "",
            Subsystem::Stream => ".stream",
        };
        let mut path = format!("endpoints/{name}{end}.conf");
        loop {
            match self.files.get(&path) {
                Some(known) if *known == text => return path,
                Some(_) => {
                    path = format!(
                        "endpoints/{name}{end}~{:08x}.conf",
                        fingerprint([path.as_str(), text.as_str()]) >> 32
                    )
                }
                None => {
                    self.files.insert(path.clone(), text);
                    return path;
                }
            }
        }
    }
}

/// The greatest number of tries that a rule allows for each upstream.
fn tries(proxy: &Proxy) -> FxHashMap<usize, u32> {
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

/// How an upstream is reached; its block is made if there is none.
pub(super) fn proxy_pass(id: Id<Upstream>, call: Call<'_>, builder: &mut Builder<'_>) -> Option<ProxyPass> {
    let upstream = builder.upstream(id)?;
    match &upstream.addresses {
        Addresses::Fixed(addresses) => Some(ProxyPass::Block(block(id, upstream, addresses, call, builder))),
        Addresses::Dns { names, first_only: _ } => Some(looked_up(names, call.subsystem, builder)),
        Addresses::Original | Addresses::PerRequest => {
            builder.resolves = true;
            let host = match call.subsystem {
                Subsystem::Http => "$host".to_owned(),
                Subsystem::Stream => server_name(builder),
            };
            let port = upstream.port.target.unwrap_or(upstream.port.number).value;
            Some(ProxyPass::LookedUp(format!("{host}:{port}")))
        }
        // `fit` has reported it; a rig has put an address in its place.
        Addresses::Unknown => None,
    }
}

/// The server name that a caller asked for, if it can be a name. nginx takes it as it comes, and would read an address
/// such as `unix:PATH` out of it.
fn server_name(builder: &mut Builder<'_>) -> String {
    let entries = vec![line!["default", ""], line!["~*^([a-z0-9._-]+)\\z", "$1"]];
    builder.stream.map(SNI, entries)
}

fn looked_up(names: &[WeightedAddress], subsystem: Subsystem, builder: &mut Builder<'_>) -> ProxyPass {
    builder.resolves = true;
    let weights: u64 = names.iter().map(|one| u64::from(one.weight)).sum();
    let ppm = |one: &WeightedAddress| {
        u32::try_from(u64::from(one.weight) * 1_000_000 / weights.max(1)).unwrap_or(0)
    };
    let shares = hundredths(&names.iter().map(ppm).collect::<Vec<_>>());
    let all: Vec<(String, u32)> = names.iter().map(endpoints::address).zip(shares).collect();
    let variables = builder.variables(subsystem);
    // In a variable, a name is looked up when it is asked for; as it stands, nginx would look it up once, or not start.
    ProxyPass::LookedUp(match all.as_slice() {
        [(only, _)] => variables.fixed(only),
        _ => variables.split("address", &all),
    })
}

/// The name of the block of an upstream at fixed addresses.
fn block(
    id: Id<Upstream>,
    upstream: &Upstream,
    addresses: &[WeightedAddress],
    call: Call<'_>,
    builder: &mut Builder<'_>,
) -> String {
    let Call { subsystem, module, identity, keeps } = call;
    let is_http = subsystem == Subsystem::Http;
    let tries = builder.blocks.tries.get(&id.index()).copied().unwrap_or(1);
    let limits = Limits::of(upstream, subsystem, tries);
    let servers = endpoints::servers(upstream, addresses, limits, builder);
    let mut inside = balancing(upstream, addresses, subsystem, builder);
    let kept = if is_http && keeps { kept(upstream.policy.pool.as_deref()) } else { Vec::new() };
    let servers = print(&servers, 0);
    let subset = upstream.subset.as_ref().map(|subset| format!("_{subset}")).unwrap_or_default();
    let wanted = text::file_name(&format!("{}_{}{subset}", upstream.host, upstream.port.number.value));
    // Two upstreams share no block, whatever their endpoints are: who it is named after would depend on who comes first.
    let key = format!(
        "{wanted}\n{}\n{identity}\n{}\n{}\n{servers}",
        module.directive("pass"),
        print(&inside, 0),
        print(&kept, 0)
    );
    if let Some(known) = builder.blocks.known.get(&(subsystem, key.clone())) {
        return known.clone();
    }
    let name = builder.blocks.name(upstream, &wanted, call, &key);
    let file = builder.blocks.file(subsystem, &wanted, servers);
    if limits.connections.is_some() || upstream.policy.ejection.is_some() {
        // Without it each worker would count by itself.
        let zone = if is_http { name.clone() } else { format!("{name}.stream") };
        inside.insert(0, line!["zone", zone, "128k"]);
    }
    inside.push(line!["include", file]);
    inside.extend(kept);
    builder.blocks.blocks.push((subsystem, line!["upstream", name.clone()].block(inside).at(upstream.span)));
    builder.blocks.known.insert((subsystem, key), name.clone());
    name
}

/// How long connections without requests are kept.
fn kept(pool: Option<&Pool>) -> Vec<Directive> {
    let Some(pool) = pool else { return vec![line!["keepalive", KEPT]] };
    let PoolBody {
        connections: _,
        connect_timeout: _,
        lifetime,
        tcp_idle,
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
    // Istio takes the time of connections for that of requests where the latter is not said.
    let idle =
        idle.map(|idle| idle.value.as_millis()).or_else(|| tcp_idle.map(|idle| idle.value.as_millis()));
    match idle {
        Some(0) => lines.push(line!["keepalive_timeout", text::millis(text::FOR_EVER)]),
        Some(idle) => lines.push(line!["keepalive_timeout", text::millis(idle)]),
        None => {}
    }
    lines
}
