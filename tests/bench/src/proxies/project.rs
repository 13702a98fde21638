//! The projects that the proxies are given.

use std::fmt::Write as _;

/// Where the gateway listens while nobody has to reach it.
pub(super) const PORT: u16 = 18080;

/// The endpoint of a service: an address of its own in a private network, never called.
pub(super) fn endpoint(service: usize) -> String {
    format!("10.{}.{}.{}:9080", service >> 16 & 255, service >> 8 & 255, service & 255)
}

/// The settings of every project.
pub(super) const MANIFEST: &str = "edition = \"2026\"\n";

/// `services` services, each with an endpoint and with a public host of three routes.
pub(super) fn hosts(
    services: usize,
    controller: &str,
    port: u16,
    endpoint: impl Fn(usize) -> String,
) -> String {
    let mut source = gateway(controller, port);
    for service in 0..services {
        // Writing to a string cannot fail.
        let _ = writeln!(
            source,
            "\nhost svc-{service}.example.com via edge {{\n  \
               route api when path under \"/api\" -> svc-{service}\n  \
               route item when path matches r\"/items/[0-9]+\" -> svc-{service}\n  \
               route default -> svc-{service}\n\
             }}\n\n\
             service svc-{service} {{\n  port http 9080\n}}"
        );
    }
    source.push_str("\nbindings {\n");
    for service in 0..services {
        let _ = writeln!(source, "  address svc-{service} endpoints [{}]", endpoint(service));
    }
    source.push_str("}\n");
    source
}

/// What the routes of one host test.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Paths {
    /// One exact path each, or one prefix.
    Literal,
    /// One regular expression each.
    Regex,
}

/// A route that answers by itself, with its number. Every second one also wants a header.
pub(super) struct Rule {
    pub(super) number: usize,
    pub(super) paths: Paths,
}

impl Rule {
    pub(super) fn all(count: usize, paths: Paths) -> impl Iterator<Item = Self> {
        (0..count).map(move |number| Self { number, paths })
    }

    pub(super) const fn wants_header(&self) -> bool {
        self.number % 2 == 1
    }

    pub(super) const fn is_exact(&self) -> bool {
        self.number % 4 < 2
    }

    /// A path that this rule takes, and no other.
    pub(super) fn sample(&self) -> String {
        let number = self.number;
        match self.paths {
            Paths::Literal if self.is_exact() => format!("/exact/{number}"),
            Paths::Literal => format!("/under/{number}/more"),
            Paths::Regex => format!("/regex/{number}/word"),
        }
    }

    fn condition(&self) -> String {
        let number = self.number;
        let path = match self.paths {
            Paths::Literal if self.is_exact() => format!("path is \"/exact/{number}\""),
            Paths::Literal => format!("path under \"/under/{number}\""),
            Paths::Regex => format!("path matches r\"/regex/{number}/[a-z]+\""),
        };
        if self.wants_header() { format!("{path} and header x-rule is \"{number}\"") } else { path }
    }
}

/// One host with these rules as routes.
pub(super) fn rules(rules: impl Iterator<Item = Rule>, port: u16) -> String {
    let mut source = gateway("nginx", port);
    source.push_str("\nhost shop.example.com via edge {\n");
    for rule in rules {
        let (number, condition) = (rule.number, rule.condition());
        // Writing to a string cannot fail.
        let _ = writeln!(source, "  route r{number} when {condition} -> respond 200 \"rule {number}\"");
    }
    source.push_str("}\n");
    source
}

fn gateway(controller: &str, port: u16) -> String {
    format!(
        "namespace bench\n\n\
         gateway edge {{\n  controller {controller}\n  workload istio=edge\n  \
           listen http {port} {{\n    bind 127.0.0.1\n    hosts *\n  }}\n\
         }}\n"
    )
}
