//! A mesh of one file: a gateway with HTTP, perhaps TLS and TCP, host blocks that overlap, services, and where they are.

use super::conditions::Place;
use super::random::Random;
use super::routes::{Route, routes};

/// A mesh before it is written.
pub(super) struct Draft {
    pub(super) head: String,
    /// Host blocks: their first line and their routes.
    pub(super) hosts: Vec<(String, Vec<Route>)>,
    pub(super) tail: String,
}

impl Draft {
    pub(super) fn text(&self) -> String {
        let mut text = self.head.clone();
        for (head, routes) in &self.hosts {
            text.push_str(head);
            text.push_str(" {\n");
            text.extend(routes.iter().map(Route::text));
            text.push_str("}\n\n");
        }
        text + &self.tail
    }

    /// Takes out routes of the host block whose first line this is.
    pub(super) fn remove(&mut self, host: usize, route: &str) {
        if let Some((_, routes)) = self.hosts.get_mut(host) {
            routes.retain(|own| own.name != route);
        }
    }
}

/// Names of host blocks at the gateway, a host of each, and whether TLS serves them.
const HOSTS: [(&str, &str); 5] = [
    ("shop.example.com", "shop.example.com"),
    ("*.example.com", "a.example.com"),
    ("*.eu.example.com", "b.eu.example.com"),
    ("api.example.org, www.example.org", "api.example.org"),
    ("*", "anybody.example.net"),
];

const SERVICES: &str = "service one { port http 8080 }

service two { port http 8080 }

service three {
  port http 8081
  subset v1 { labels version=v1 }
  subset v2 { labels version=v2 }
}

service four {
  port http 8082
  subset blue { labels color=blue }
}

";

const ADDRESSES: &str = "  address one endpoints [10.0.1.1:8080]
  address two endpoints [10.0.2.1:8080, 10.0.2.2:8080]
  address three endpoints [10.0.3.1:8081]
  address three@v1 endpoints [10.0.3.2:8081]
  address three@v2 endpoints [10.0.3.3:8081 weight 2, 10.0.3.4:8081]
  address four endpoints [10.0.4.1:8082]
  address four@blue endpoints [10.0.4.2:8082]
";

pub(super) fn draft(seed: u64) -> Draft {
    let mut random = Random::new(seed);
    let (tls, tcp, second) = (random.one_in(3), random.one_in(3), random.one_in(2));
    let mut head =
        "namespace gen\n\ngateway edge {\n  workload app=edge\n  listen http 80 { hosts * }\n".to_owned();
    let mut ports = vec![80];
    let mut tail = SERVICES.to_owned();
    let mut addresses = ADDRESSES.to_owned();
    let mut hosts = Vec::new();
    if second {
        head.push_str("  listen http 8080 { hosts *.example.com, api.example.org }\n");
        ports.push(8080);
    }
    if tls {
        head.push_str(TLS_LISTENERS);
        ports.push(443);
        hosts.push(("host *.vault.test via edge".to_owned(), passthrough(&mut random)));
        tail.push_str("service vault { port tls 8443 }\n\n");
        addresses.push_str("  address vault endpoints [10.0.5.1:8443]\n");
        addresses.push_str(
            "  secret edge-cert { cert file \"/etc/edge/cert.pem\"; key file \"/etc/edge/key.pem\" }\n",
        );
    }
    if tcp {
        head.push_str("  listen tcp 5432 { hosts db.example.com }\n");
        hosts.push(("host db.example.com via edge".to_owned(), database(&mut random)));
        tail.push_str("service db {\n  port tcp 5432\n  subset old { labels v=1 }\n}\n\n");
        addresses
            .push_str("  address db endpoints [10.0.6.1:5432]\n  address db@old endpoints [10.0.6.2:5432]\n");
    }
    head.push_str("}\n\n");
    hosts.extend(gateway_hosts(&mut random, &ports));
    hosts.extend(mesh_hosts(&mut random));
    tail.push_str(&format!("bindings {{\n{addresses}}}\n"));
    Draft { head, hosts, tail }
}

const TLS_LISTENERS: &str = "  listen https 443 {
    hosts *.example.com
    tls simple { credential edge-cert }
  }
  listen tls 443 {
    port-name tls-vault
    hosts *.vault.test
    tls passthrough
  }
";

fn gateway_hosts(random: &mut Random, ports: &[u16]) -> Vec<(String, Vec<Route>)> {
    let mut all = Vec::new();
    let count = 2 + random.below(3);
    // Istio would join the routes of `*` with those of a narrower block at a listener for the narrower name; the compiler says so.
    let any = if ports.len() == 1 { HOSTS.len() } else { HOSTS.len() - 1 };
    for (names, host) in random.some(&HOSTS[..any], count) {
        // A port that does not serve the host would never hold.
        let served: Vec<u16> = match names {
            "*" | "api.example.org, www.example.org" => {
                ports.iter().copied().filter(|port| *port != 443).collect()
            }
            _ => ports.to_vec(),
        };
        let place = Place { below: "", ports: &served, host, services: "" };
        let count = 2 + random.below(8);
        let open = random.one_in(3);
        let mut own = routes(random, place, count, open);
        if all.is_empty() && random.one_in(2) {
            let delegated = Route {
                keyword: "route",
                name: "left".to_owned(),
                head: "when path under \"/team\" -> delegate team".to_owned(),
                options: Vec::new(),
            };
            own.insert(random.below(own.len()), delegated);
            let place = Place { below: "/team", ..place };
            let children = 1 + random.below(3);
            all.push(("host team via delegate".to_owned(), routes(random, place, children, false)));
        }
        all.push((format!("host {names} via edge"), own));
    }
    all
}

fn mesh_hosts(random: &mut Random) -> Vec<(String, Vec<Route>)> {
    let mut all = Vec::new();
    for (name, port) in random.some(&[("one", 8080), ("three", 8081)], 1) {
        let host = format!("{name}.gen.svc.cluster.local");
        let place = Place { below: "", ports: &[port], host: &host, services: "" };
        let count = 1 + random.below(5);
        all.push((format!("host {name}"), routes(random, place, count, false)));
    }
    all
}

fn passthrough(random: &mut Random) -> Vec<Route> {
    let mut all = Vec::new();
    for name in random.some(&["pass.vault.test", "b.vault.test"], 1) {
        all.push(connection("tls route", "exact", &format!("when sni {name} -> vault")));
    }
    all.push(connection("tls route", "wide", "when sni *.vault.test -> vault"));
    all
}

fn database(random: &mut Random) -> Vec<Route> {
    let to = random.pick(&["db", "25% db@old, rest db"]);
    vec![connection("tcp route", "db", &format!("when port 5432 -> {to}"))]
}

pub(super) fn connection(keyword: &'static str, name: &str, head: &str) -> Route {
    Route { keyword, name: name.to_owned(), head: head.to_owned(), options: Vec::new() }
}
