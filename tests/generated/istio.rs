//! A mesh of three namespaces for Istio: that of the raw proxies, and two more that share a gateway's workload with it, take part
//! of its hosts over, ask who calls, hide what is theirs, and call what is outside.

use super::conditions::Place;
use super::mesh::{self, Draft, connection};
use super::random::Random;
use super::routes::{Route, inherited, routes};

/// Hosts at the second gateway of the workload, one of each, and whether TLS serves them too.
const HOSTS: [(&str, &str); 4] = [
    ("shop.test", "shop.test"),
    ("*.shop.test", "a.shop.test"),
    ("b.shop.test, c.shop.test", "b.shop.test"),
    ("*.teams.test", "x.teams.test"),
];

/// The files of a seed: module and draft.
pub(super) fn drafts(seed: u64) -> Vec<(&'static str, Draft)> {
    let mut random = Random::new(seed ^ 0x15_710);
    vec![("gen", mesh::draft(seed)), ("shop", shop(&mut random)), ("team", team(&mut random))]
}

/// The second gateway of the workload, host blocks of it that delegate, services of two ports, and TCP that depends on the caller.
fn shop(random: &mut Random) -> Draft {
    let mut head = "namespace shop\n\ngateway second {\n  workload app=edge\n".to_owned();
    head.push_str("  listen http 80 { hosts *.shop.test, shop.test, *.teams.test }\n");
    let mut ports = vec![80];
    if random.one_in(2) {
        head.push_str("  listen http 8080 { hosts *.shop.test, shop.test }\n");
        ports.push(8080);
    }
    if random.one_in(2) {
        head.push_str(
            "  listen https 9443 { hosts *.shop.test, shop.test; tls simple { credential shop-cert } }\n",
        );
        head.push_str("  listen tls 9443 { port-name tls-safe; hosts *.safe.test; tls passthrough }\n");
        ports.push(9443);
    } else if random.one_in(2) {
        head.push_str("  listen tls 9443 { hosts *.safe.test; tls passthrough }\n");
    }
    let safe = head.contains("tls passthrough");
    head.push_str("}\n\n");
    let mut hosts = at_gateway(random, &ports);
    if safe {
        hosts.push(("host *.safe.test via second".to_owned(), safes(random)));
    }
    hosts.extend(in_mesh(random));
    hosts.push(("host store".to_owned(), by_caller(random)));
    Draft { head, hosts, tail: SHOP.to_owned() }
}

const SHOP: &str = "service web {
  port http 80
  port http 8088
}

service cart {
  port http 8080
  subset v1 { labels version=v1 }
  subset v2 { labels version=v2 }
}

service store {
  port tcp 5432
  subset old { labels age=old }
}

service log { port tcp 5432 }

service safe { port tls 8443 }
";

fn at_gateway(random: &mut Random, ports: &[u16]) -> Vec<(String, Vec<Route>)> {
    let mut all = Vec::new();
    let count = 1 + random.below(3);
    for (names, host) in random.some(&HOSTS, count) {
        let served: Vec<u16> = if host.ends_with("teams.test") { vec![80] } else { ports.to_vec() };
        let place = Place { below: "", ports: &served, host, services: "gen/" };
        let count = 1 + random.below(4);
        let mut own = routes(random, place, count, false);
        if all.is_empty() && random.one_in(2) {
            let head = "when path under \"/pay\" -> delegate team/pay".to_owned();
            let options = inherited(random);
            let left = Route { keyword: "route", name: "left".to_owned(), head, options };
            own.insert(0, left);
        }
        all.push((format!("host {names} via second"), own));
    }
    all
}

fn safes(random: &mut Random) -> Vec<Route> {
    let name = random.pick(&["a.safe.test", "b.safe.test"]);
    vec![
        connection("tls route", "exact", &format!("when sni {name} -> safe")),
        connection("tls route", "wide", "when sni *.safe.test -> safe"),
    ]
}

/// Host blocks for callers of the mesh: one of a service with two ports, one that nobody declares, one for many.
fn in_mesh(random: &mut Random) -> Vec<(String, Vec<Route>)> {
    let mut all = Vec::new();
    let place = Place { below: "", ports: &[80, 8088], host: "web.shop.svc.cluster.local", services: "gen/" };
    let count = 1 + random.below(3);
    let mut web = routes(random, place, count, false);
    let callers = [
        "source ns team",
        "source ns gen",
        "source labels app=batch",
        "source ns shop and source labels app=batch",
    ];
    for (number, caller) in random.some(&callers, 2).into_iter().enumerate() {
        let to = random.pick(&["cart@v1", "cart@v2", "gen/two", "50% cart@v1, rest gen/one"]);
        let head = format!("when {caller} and path under \"/{number}\" -> {to}");
        let route = Route { keyword: "route", name: format!("caller-{number}"), head, options: Vec::new() };
        web.insert(0, route);
    }
    all.push(("host web".to_owned(), web));
    let count = 1 + random.below(2);
    for (host, one) in
        random.some(&[("*.inner.test", "a.inner.test"), ("b.inner.test", "b.inner.test")], count)
    {
        let place = Place { below: "", ports: &[80], host: one, services: "gen/" };
        let count = 1 + random.below(3);
        all.push((format!("host {host}"), routes(random, place, count, false)));
    }
    all
}

fn by_caller(random: &mut Random) -> Vec<Route> {
    let caller = random.pick(&["source labels app=batch", "source ns team"]);
    vec![
        connection("tcp route", "some", &format!("when {caller} -> store@old")),
        connection("tcp route", "rest", random.pick(&["-> store", "-> 25% store@old, rest store"])),
    ]
}

/// What other namespaces delegate to this one, what it hides, and what is outside.
fn team(random: &mut Random) -> Draft {
    let place = Place { below: "/pay", ports: &[80], host: "shop.test", services: "gen/" };
    let count = 1 + random.below(3);
    let mut hosts = vec![("host pay via delegate".to_owned(), routes(random, place, count, false))];
    let hidden = random.one_in(2);
    let place = Place { below: "", ports: &[8085], host: "own.team.svc.cluster.local", services: "gen/" };
    let mut own = routes(random, place, 1, false);
    if hidden {
        // A statement of the block, written as what it is.
        own.push(Route {
            keyword: "visible here",
            name: String::new(),
            head: String::new(),
            options: Vec::new(),
        });
    }
    hosts.push(("host own".to_owned(), own));
    let mut ranges = Vec::new();
    for (name, range, to) in random.some(
        &[("r", "10.20.1.0/24", "old@a"), ("s", "10.20.2.7/32", "old@b"), ("t", "10.20.3.0/24", "old@b")],
        2,
    ) {
        ranges.push(connection("tcp route", name, &format!("when destination in [{range}] -> {to}")));
    }
    ranges.push(connection("tcp route", "other", "-> old@a"));
    hosts.push(("host old.test".to_owned(), ranges));
    Draft { head: TEAM.to_owned(), hosts, tail: String::new() }
}

const TEAM: &str = "namespace team

gateway out {
  workload app=out
  service way-out
}

service way-out {
  port http 80
  port tls 443
}

service own { port http 8085 }

external maps {
  hosts maps.test
  port http 80
  port https 443
  resolve dns
  via out
}

external direct {
  hosts direct.test, *.direct.test
  port http 80
  resolve none
}

external old {
  hosts old.test
  addresses 10.20.0.0/16
  port tcp 1521
  resolve static
  endpoint 192.168.9.1 { labels db=a }
  endpoint 192.168.9.2 { labels db=b }
  subset a { labels db=a }
  subset b { labels db=b }
}

";
