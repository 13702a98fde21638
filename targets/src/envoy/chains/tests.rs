//! Filter chains against the matcher: Envoy's choice, by its own rules, is the first rule of the sources.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use super::{Chain, Treatment, chains};
use meshc_compiler::model::{Arena, Host, HostBody, Match, Resource};
use meshc_compiler::project::ModuleId;
use meshc_compiler::routing::matcher::{Connection, Entrance, Matcher, Passage, Security, Source};
use meshc_compiler::routing::{
    AllAddresses, ConnectionRule, Listener, Origin, Plain, Proxy, Role, TlsKind, TlsServer,
};
use meshc_compiler::values::{HostPattern, IpOrCidr, Literal, SniHost};
use meshc_language::{FileId, Span};
use smol_str::SmolStr;
use std::net::IpAddr;

const SERVED: [&str; 5] = ["*", "*.com", "*.a.com", "x.a.com", "10.0.0.1"];
const ASKED: [&str; 5] = ["*.com", "*.a.com", "*.b.a.com", "x.a.com", "y.b.a.com"];
const RANGES: [&str; 5] = ["10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "0.0.0.0/0", "2001:db8::/32"];
const CALLED: [&str; 6] = ["x.a.com", "y.b.a.com", "z.a.com", "z.com", "a.com", "z.org"];
const ADDRESSES: [&str; 5] = ["10.1.2.3", "10.1.9.9", "10.9.9.9", "192.0.2.1", "2001:db8::1"];

/// Numbers that are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % u64::try_from(bound).unwrap()).unwrap()
    }

    /// Some of these.
    fn some<T: Copy>(&mut self, all: &[T]) -> Vec<T> {
        all.iter().copied().filter(|_| self.below(3) == 0).collect()
    }
}

fn span() -> Span {
    Span { file: FileId(0), start: 0, end: 0 }
}

/// Any item: choices look at none.
fn origin() -> Origin {
    let body = HostBody::default();
    let declared =
        Host { names: Vec::new(), via: Vec::new(), body, routes: Vec::new(), span: span(), attributes: None };
    let module = ModuleId(0);
    let applied = Vec::new();
    Origin::Host(Arena::default().add(Resource {
        declared,
        namespace: None,
        module,
        applied,
        incomplete: false,
        faulty: false,
    }))
}

fn rule(dice: &mut Dice, name: String, with_names: bool) -> ConnectionRule {
    let ranges: Vec<IpOrCidr> =
        dice.some(&RANGES).iter().map(|range| IpOrCidr::parse(range).unwrap()).collect();
    let names = if with_names { dice.some(&ASKED) } else { Vec::new() };
    let alternative = Match { destinations: ranges, ..Match::default() };
    ConnectionRule {
        name: SmolStr::new(name),
        sni: names.iter().map(|name| SniHost::parse(name).unwrap()).collect(),
        matches: if alternative == Match::default() { Vec::new() } else { vec![alternative] },
        to: Vec::new(),
        origin: origin(),
        span: span(),
    }
}

fn rules(dice: &mut Dice, prefix: &str, with_names: bool) -> Vec<ConnectionRule> {
    (0..=dice.below(3)).map(|at| rule(dice, format!("{prefix}{at}"), with_names)).collect()
}

fn proxy(dice: &mut Dice) -> Proxy {
    let mut served: Vec<&str> = dice.some(&SERVED);
    let mut tls = Vec::new();
    while !served.is_empty() {
        let names = served.split_off(served.len() - 1 - dice.below(served.len()));
        let kind = TlsKind::Passthrough(rules(dice, &format!("tls{}-", tls.len()), true));
        let names = names.iter().map(|name| HostPattern::parse(name).unwrap()).collect();
        tls.push(TlsServer { names, kind, origin: origin(), span: span() });
    }
    let plain = (dice.below(2) == 0).then(|| Plain::Tcp(rules(dice, "plain", false)));
    let all = AllAddresses::default();
    let listener = Listener { bind: None, all, port: 443, plain, tls: tls.into(), conflicts: Vec::new() };
    Proxy {
        role: Role::Outbound,
        name: SmolStr::new_static("outbound"),
        namespace: None,
        listeners: vec![listener],
        upstreams: Arena::default(),
        span: None,
    }
}

/// The chain that Envoy takes: the most specific range, then the most specific name, then what is spoken; without looking back.
fn taken<'c, 'a>(
    chains: &'c [Chain<'a>],
    address: IpAddr,
    name: Option<&str>,
    tls: bool,
) -> Option<&'c Chain<'a>> {
    let lengths = chains.iter().flat_map(|chain| &chain.ranges).filter(|range| range.contains(address));
    let best = lengths.max_by_key(|range| range.prefix_length());
    let in_range = |chain: &&Chain<'_>| match best {
        Some(best) => chain.ranges.contains(best),
        None => chain.ranges.is_empty(),
    };
    let here: Vec<&Chain<'_>> = chains.iter().filter(in_range).collect();
    let known = |wanted: &str| here.iter().any(|chain| chain.names.contains(&wanted));
    let name = name.unwrap_or_default();
    let suffixes = name.char_indices().filter(|(_, char)| *char == '.').filter_map(|(at, _)| name.get(at..));
    let best = std::iter::once(name).chain(suffixes).find(|name| !name.is_empty() && known(name));
    let named = here.into_iter().filter(|chain| match best {
        Some(best) => chain.names.contains(&best),
        None => chain.names.is_empty(),
    });
    let mut spoken = named.filter(|chain| chain.choice.server.is_some() == tls);
    let first = spoken.next();
    assert!(spoken.next().is_none(), "two chains match alike: Envoy would refuse the listener");
    first
}

/// The rule of a chain; `None` for one that closes connections.
fn rule_of<'l>(listener: &'l Listener, chain: &Chain<'_>) -> Option<&'l str> {
    let rules = match chain.choice.server.map(|at| &listener.tls[at].kind) {
        Some(TlsKind::Passthrough(rules)) => rules,
        Some(TlsKind::Tcp(..) | TlsKind::Http(..)) => return None,
        None => match listener.plain.as_ref().unwrap() {
            Plain::Tcp(rules) => rules,
            Plain::Http(_) => return None,
        },
    };
    match chain.choice.treatment {
        Treatment::Rule(at) => Some(&rules[at].name),
        Treatment::Http | Treatment::Refuse => None,
    }
}

#[test]
fn the_most_specific_chain_is_the_first_rule() {
    let mut dice = Dice(7);
    let mut taken_by_rules = 0;
    for round in 0..2000 {
        let proxy = proxy(&mut dice);
        let listener = &proxy.listeners[0];
        let chains = chains(listener);
        let matcher = Matcher::new(&proxy);
        for address in ADDRESSES.map(|address| address.parse::<IpAddr>().unwrap()) {
            let named = CALLED.iter().map(|name| (Some(*name), true));
            for (name, tls) in named.chain([(None, true), (None, false)]) {
                let security = match tls {
                    true => Security::Tls { server_name: name.map(str::to_owned) },
                    false => Security::Plain,
                };
                let entrance = Entrance { port: 443, address: None, security };
                let connection =
                    Connection { entrance, destination: Some(address), source: Source::default() };
                let wanted = match matcher.connect(&connection) {
                    Passage::Taken(rule) => Some(rule.name.as_str()),
                    Passage::NoRule | Passage::Refused(_) | Passage::Http => None,
                };
                let found = taken(&chains, address, name, tls).and_then(|chain| rule_of(listener, chain));
                taken_by_rules += usize::from(wanted.is_some());
                assert_eq!(
                    found, wanted,
                    "round {round}: {address} {name:?} tls {tls}\n{listener:#?}\n{chains:#?}"
                );
            }
        }
    }
    assert!(taken_by_rules > 10_000, "{taken_by_rules} connections are taken at all");
}
