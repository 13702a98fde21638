//! The keywords of the language as data: what the reference page, completion and "did you mean" are made of.

use crate::model::{Bindings, External, Gateway, Host, Raw, Service};
use crate::policy::{RetryPolicy, SharedRouteOptions, TrafficPolicy};
use crate::project::PolicyBody;
use crate::reading::{Entry, Keyword, Repeat, Section, Spec};
use meshc_language::{Code, Diagnostic, Span};

/// Items of the language that later versions bring.
pub const LATER: &[&str] = &["extend", "guard", "allow", "test"];

/// Keywords of definitions and of what shapes a file, which have no section of their own: keyword, form, meaning.
pub const SHAPING: &[(&str, &str, &str)] = &[
    (
        "namespace",
        "namespace <name>",
        "The Kubernetes namespace of what the file declares. It may hold variables: `namespace $ns`, `namespace shop-$stage`.",
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
        "Statements that hold in these environments only, or for these targets (`istio`, `envoy`, `nginx`) only, at the top of a file or in any block. `in prod { in nginx { ... } }` holds where both do.",
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

fn section_spec<S: Section>(signature: &str) -> Spec {
    let mut entries = Vec::new();
    S::entries(&mut entries);
    Spec { signature: signature.to_owned(), types: Vec::new(), block: Some(entries) }
}

/// The items of a file, and the definitions that have statements.
pub const ITEMS: &[Entry] = &[
    Entry {
        key: "gateway",
        docs: &[
            "A workload that carries traffic into, out of or across the mesh: ports, protocols, TLS. Istio: Gateway.",
        ],
        repeat: Repeat::Many,
        spec: Gateway::spec,
    },
    Entry {
        key: "host",
        docs: &[
            "The ordered routes of one or more hosts; the first that matches is taken. Istio: VirtualService.",
        ],
        repeat: Repeat::Many,
        spec: Host::spec,
    },
    Entry {
        key: "service",
        docs: &["A destination inside the mesh and how it is called. Istio: DestinationRule."],
        repeat: Repeat::Many,
        spec: Service::spec,
    },
    Entry {
        key: "external",
        docs: &[
            "A destination that the platform does not know, outside or inside the mesh. Istio: ServiceEntry and DestinationRule.",
        ],
        repeat: Repeat::Many,
        spec: External::spec,
    },
    Entry {
        key: "raw",
        docs: &["Configuration in the words of a target, merged into one item. It may add, never override."],
        repeat: Repeat::Many,
        spec: Raw::spec,
    },
    Entry {
        key: "bindings",
        docs: &[
            "Where raw proxies (Envoy and nginx without Istio) find endpoints and certificates; usually in a file of its own, inside `in ENVIRONMENT`.",
        ],
        repeat: Repeat::Many,
        spec: Bindings::spec,
    },
    Entry {
        key: "policy",
        docs: &[
            "A bundle of statements, of routes or of destinations, to be named with `policy NAME`. What stands at the place itself wins.",
        ],
        repeat: Repeat::Many,
        spec: || section_spec::<PolicyBody>("<name>"),
    },
    Entry {
        key: "retry",
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
        format!("`{key}` says how a destination is called; it stands in the `service` or `external`")
    } else if matches!(owner, "service" | "subset" | "external" | "port") && (has(routing) || key == "mirror")
    {
        format!("`{key}` says how requests are routed; it stands in a `route` of a `host`")
    } else {
        return None;
    };
    let places = crate::reading::listed(homes);
    Some(Diagnostic::new(Code::WRONG_SIDE, span, message).help(format!("move it into {places}")))
}
