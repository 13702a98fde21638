//! The keywords of the language as data: what the reference page, completion and "did you mean" are made of.

use crate::declared::{Bindings, External, Gateway, Host, Raw, Service};
use crate::policy::{RetryPolicy, SharedRouteOptions, TrafficPolicy};
use crate::project::PolicyBody;
use crate::reading::{Entry, Keyword, Repeat, Section, Spec, Vocabulary};
use meshc_language::{Code, Diagnostic, Span};

/// The words of the language, for those who read single statements.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words;

impl Vocabulary for Words {
    fn example(&self, key: &str) -> Option<&'static str> {
        example(key)
    }

    fn known<'w>(&self, word: &'w str) -> &'w str {
        known(word)
    }

    fn homes(&self, key: &str) -> Vec<&'static str> {
        homes(key)
    }

    fn wrong_side(&self, key: &str, owner: &str, homes: &[&str], span: Span) -> Option<Diagnostic> {
        wrong_side(key, owner, homes, span)
    }

    fn items(&self) -> Vec<&'static str> {
        item_keywords()
    }

    fn foreign_item(&self, word: &str) -> Option<&'static str> {
        foreign_item(word)
    }

    fn is_definition(&self, word: &str) -> bool {
        is_definition(word)
    }

    fn is_later(&self, word: &str) -> bool {
        LATER.contains(&word)
    }
}

/// Items of the language that later versions bring.
pub const LATER: &[&str] = &["extend", "guard", "allow", "test"];

/// Keywords of definitions and of what shapes a file, which have no section of their own: keyword, form, meaning.
pub const SHAPING: &[(&str, &str, &str)] = &[
    (
        "namespace",
        "namespace <name>",
        "The Kubernetes namespace of what the file declares. It may have variables: `namespace $ns`, `namespace shop-$stage`.",
    ),
    ("use", "use <module> (<name>, $<name>, ...)", "Brings in public definitions of another module."),
    ("const", "const $<name> = <value>", "A name for a value."),
    (
        "param",
        "param $<name>: <type> [= <value>]",
        "A name for a value that each environment sets; the value is the default. `--set '$<name>=<value>'` sets it for one run.",
    ),
    ("env", "env <name> { $<name> = <value> }", "An environment and the values that it gives to parameters."),
    (
        "in",
        "in <environment>|<target>, ... { ... }",
        "Statements for these environments only, or for these targets (`istio`, `envoy`, `nginx`) only, at the top of a file or in any block. `in prod { in nginx { ... } }` applies where both match.",
    ),
    (
        "template",
        "template <name>($<name>: <type> [= <value>], ...) { ... }",
        "Statements with parameters. It sees nothing of the place where it is applied.",
    ),
    (
        "apply",
        "apply <name>(<value>, <name>: <value>, ...)",
        "Puts in the statements of a template, in the namespace of this file.",
    ),
    ("for", "for $<name> in [<value>, ...] { ... }", "Repeats statements for each element of a list."),
];

/// What others call the words of [`SHAPING`].
const SHAPING_SYNONYMS: &[(&str, &[&str])] = &[
    ("const", &["let", "var", "set", "constant", "val"]),
    ("param", &["parameter", "variable", "input"]),
    ("env", &["environment"]),
    ("use", &["import", "include", "require"]),
    ("namespace", &["ns", "package"]),
    ("apply", &["call"]),
    ("in", &["when-env"]),
    ("template", &["macro", "function", "def", "module"]),
    ("for", &["foreach", "each"]),
];

/// A statement as it is written, for reports that show the right form: keyword, example.
const EXAMPLES: &[(&str, &str)] = &[
    ("timeout", "timeout 5s"),
    ("retry", "retry 3 per-try 2s on [5xx, connect-failure]"),
    ("rewrite", "rewrite prefix \"/\""),
    ("fault", "fault delay 5s for 10%"),
    ("cors", "cors { origin is \"https://a.com\"; methods GET, POST }"),
    ("request-headers", "request-headers { set x-team \"a\"; remove x-debug }"),
    ("response-headers", "response-headers { set x-team \"a\"; remove server }"),
    ("mirror", "mirror 10% to web@v2"),
    ("lb", "lb least-request"),
    ("pool", "pool { connections 100; pending 50 }"),
    ("eject", "eject after 5 consecutive errors every 30s for 1m max 10%"),
    ("tls", "tls istio-mutual"),
    ("subset", "subset v1 { labels version=v1 }"),
    ("labels", "labels version=v1"),
    ("port", "port http 80"),
    ("hosts", "hosts a.com, b.com"),
    ("workload", "workload istio=ingressgateway"),
    ("listen", "listen https 443 { hosts a.com; tls simple { credential \"a-cert\" } }"),
    ("route", "route default when path under \"/a\" -> web"),
    ("host", "host web via edge { route default -> web }"),
    ("service", "service web { port http 80 }"),
    ("external", "external maps { hosts maps.example.com; port https 443; resolve dns }"),
    ("gateway", "gateway edge { workload istio=ingressgateway; listen http 80 { hosts * } }"),
    ("resolve", "resolve dns"),
    ("endpoint", "endpoint 10.0.0.1"),
    ("visible", "visible here"),
    ("origin", "origin is \"https://a.com\""),
    ("methods", "methods GET, POST"),
    ("headers", "headers x-token, x-trace"),
    ("credential", "credential \"a-cert\""),
    ("const", "const $limit = 5s"),
    ("param", "param $share: percent = 10%"),
    ("env", "env prod { $share = 10% }"),
    ("use", "use platform.defaults (slow-retry)"),
    ("namespace", "namespace shop"),
    ("template", "template canary($name: word) { service $name { port http 80 } }"),
    ("apply", "apply canary(web)"),
    ("for", "for $name in [a, b] { service $name { port http 80 } }"),
    ("attempts", "attempts 3"),
    ("per-try", "per-try 2s"),
];

/// How a statement is written, by its keyword.
#[must_use]
pub(crate) fn example(key: &str) -> Option<&'static str> {
    EXAMPLES.iter().find(|(keyword, _)| *keyword == key).map(|(_, example)| *example)
}

/// The item that a word of another language stands for.
#[must_use]
pub(crate) fn foreign_item(word: &str) -> Option<&'static str> {
    let items = ITEMS.iter().map(|entry| (entry.key, entry.synonyms)).chain(SHAPING_SYNONYMS.iter().copied());
    items
        .into_iter()
        .find(|(key, synonyms)| crate::reading::is_called(word, key, synonyms))
        .map(|(key, _)| key)
}

/// The keyword that a word stands for, wherever it may stand; the word itself if there is none.
#[must_use]
pub(crate) fn known(word: &str) -> &str {
    if !homes(word).is_empty() {
        return word;
    }
    ITEMS.iter().find_map(|item| find_known(word, item, 0)).unwrap_or(word)
}

fn find_known(word: &str, owner: &Entry, depth: usize) -> Option<&'static str> {
    let entries = (owner.spec)().block.unwrap_or_default();
    let found = entries.iter().find(|entry| crate::reading::is_called(word, entry.key, entry.synonyms));
    found.map(|entry| entry.key).or_else(|| {
        if depth >= 4 { None } else { entries.iter().find_map(|entry| find_known(word, entry, depth + 1)) }
    })
}

fn section_spec<S: Section>(signature: &str) -> Spec {
    let mut entries = Vec::new();
    S::entries(&mut entries);
    Spec { signature: signature.to_owned(), types: Vec::new(), block: Some(entries) }
}

/// The items of a file, and the definitions that have statements.
pub const ITEMS: &[Entry] = &[
    Entry {
        key: "gateway",
        synonyms: &["ingress", "ingress-gateway", "listener"],
        docs: &[
            "A workload that carries traffic into, out of or across the mesh: ports, protocols, TLS. Istio: Gateway.",
        ],
        repeat: Repeat::Many,
        spec: Gateway::spec,
    },
    Entry {
        key: "host",
        synonyms: &["virtual-service", "virtual-host", "http-route", "vhost", "server"],
        docs: &["The ordered routes of one or more hosts; the first match is used. Istio: VirtualService."],
        repeat: Repeat::Many,
        spec: Host::spec,
    },
    Entry {
        key: "service",
        synonyms: &["destination-rule", "upstream", "cluster", "backend", "destination"],
        docs: &["A destination inside the mesh and how it is called. Istio: DestinationRule."],
        repeat: Repeat::Many,
        spec: Service::spec,
    },
    Entry {
        key: "external",
        synonyms: &["service-entry", "external-service"],
        docs: &[
            "A destination that the platform does not know, outside or inside the mesh. Istio: ServiceEntry and DestinationRule.",
        ],
        repeat: Repeat::Many,
        spec: External::spec,
    },
    Entry {
        key: "raw",
        synonyms: &["envoy-filter"],
        docs: &["Configuration in the words of a target, merged into one item. It may add, never override."],
        repeat: Repeat::Many,
        spec: Raw::spec,
    },
    Entry {
        key: "bindings",
        synonyms: &["binding"],
        docs: &[
            "Where raw proxies (Envoy and nginx without Istio) find endpoints and certificates; usually in a file of its own, inside `in ENVIRONMENT`.",
        ],
        repeat: Repeat::Many,
        spec: Bindings::spec,
    },
    Entry {
        key: "policy",
        synonyms: &["traffic-policy"],
        docs: &[
            "A bundle of statements, of routes or of destinations, to be named with `policy NAME`. What the place itself says wins, statement by statement, and in `pool`, `request-headers` and `response-headers` line by line. Of two policies that say the same statement, the first one that is named holds.",
        ],
        repeat: Repeat::Many,
        spec: || section_spec::<PolicyBody>("<name>"),
    },
    Entry {
        key: "retry",
        synonyms: &["retries", "retry-policy"],
        docs: &["A way to retry, to be named with `retry NAME`."],
        repeat: Repeat::Many,
        spec: || section_spec::<RetryPolicy>("<name>"),
    },
];

/// Whether a word starts something that stands at the top of a file only.
pub(crate) fn is_definition(keyword: &str) -> bool {
    let shapes_a_file =
        SHAPING.iter().any(|(key, ..)| *key == keyword) && !matches!(keyword, "in" | "for" | "apply");
    shapes_a_file || matches!(keyword, "policy" | "retry")
}

/// Every word that may start a statement at the top of a file; what later versions bring is not among them.
#[must_use]
pub fn item_keywords() -> Vec<&'static str> {
    ITEMS.iter().map(|entry| entry.key).chain(SHAPING.iter().map(|(key, ..)| *key)).collect()
}

/// The statements in whose blocks `key` may stand, outermost names first.
#[must_use]
pub fn homes(key: &str) -> Vec<&'static str> {
    let mut homes = Vec::new();
    for item in ITEMS {
        find_homes(key, item, 0, &mut homes);
    }
    homes.sort_unstable();
    homes.dedup();
    homes
}

fn find_homes(key: &str, owner: &Entry, depth: usize, homes: &mut Vec<&'static str>) {
    for entry in (owner.spec)().block.unwrap_or_default() {
        if entry.key == key {
            homes.push(owner.key);
        }
        if depth < 4 {
            find_homes(key, &entry, depth + 1, homes);
        }
    }
}

/// The report for a statement that stands on the wrong side: routing in a destination, or calling in a route.
pub(crate) fn wrong_side(key: &str, owner: &str, homes: &[&str], span: Span) -> Option<Diagnostic> {
    let has = |entries: Vec<Entry>| entries.iter().any(|entry| entry.key == key);
    let mut routing = Vec::new();
    SharedRouteOptions::entries(&mut routing);
    let mut calling = Vec::new();
    TrafficPolicy::entries(&mut calling);
    let in_route = matches!(owner, "route" | "host");
    let message = if in_route && has(calling) {
        format!("`{key}` is a statement of destinations; it belongs in the `service` or `external`")
    } else if matches!(owner, "service" | "subset" | "external" | "port") && (has(routing) || key == "mirror")
    {
        format!("`{key}` is a statement of routes; it belongs in a `route` of a `host`")
    } else {
        return None;
    };
    let places = crate::reading::listed(homes);
    Some(Diagnostic::new(Code::WRONG_SIDE, span, message).help(format!("move it into {places}")))
}
