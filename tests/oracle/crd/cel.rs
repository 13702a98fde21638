//! The CEL rules of the definitions, by their text: each of the few distinct texts has a predicate here, while place
//! and message come from the definition.

use serde::Deserialize;
use serde_yaml::{Mapping, Value};

/// One entry of `x-kubernetes-validations`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    pub(super) rule: String,
    pub(super) message: String,
}

impl Rule {
    /// Whether the rule holds for the value it stands on; `None` when its text is not covered below.
    pub(super) fn holds(&self, value: &Value) -> Option<bool> {
        self.predicate().map(|predicate| predicate(value))
    }

    pub(super) fn is_covered(&self) -> bool {
        self.predicate().is_some()
    }

    fn predicate(&self) -> Option<Predicate> {
        PREDICATES.iter().find(|(rule, _)| *rule == self.rule).map(|(_, predicate)| *predicate)
    }
}

type Predicate = fn(&Value) -> bool;

const PREDICATES: &[(&str, Predicate)] = &[
    ("duration(self) >= duration('1ms')", |it| {
        it.as_str().and_then(nanoseconds).is_some_and(|duration| duration >= 1e6)
    }),
    ("0 < self && self <= 65535", |it| it.as_i64().is_some_and(|port| (1..=65_535).contains(&port))),
    // Label selectors.
    (r#"self.all(key, !key.contains("*"))"#, |it| keys(it).all(|key| !key.contains('*'))),
    ("self.all(key, key.size() != 0)", |it| keys(it).all(|key| !key.is_empty())),
    (r#"!self.contains("*")"#, |it| !text(it).contains('*')),
    // Gateway: the sources of a server's certificate.
    ("(has(self.tlsCertificates) ? 1 : 0) + (has(self.credentialNames) ? 1 : 0) <= 1", |it| {
        !(has(it, "tlsCertificates") && has(it, "credentialNames"))
    }),
    ("(has(self.credentialName) ? 1 : 0) + (has(self.credentialNames) ? 1 : 0) <= 1", |it| {
        !(has(it, "credentialName") && has(it, "credentialNames"))
    }),
    ("(has(self.credentialNames) ? 1 : 0) + (has(self.tlsCertificates) ? 1 : 0) <= 1", |it| {
        !(has(it, "tlsCertificates") && has(it, "credentialNames"))
    }),
    // ServiceEntry: how its addresses are found.
    ("(has(self.workloadSelector) ? 1 : 0) + (has(self.endpoints) ? 1 : 0) <= 1", |it| {
        !(has(it, "workloadSelector") && has(it, "endpoints"))
    }),
    (
        r#"!((has(self.addresses) ? self.addresses : []).exists(k, k.contains("/")) && !((has(self.resolution) ? self.resolution : "NONE") in ["STATIC", "NONE"]))"#,
        |it| {
            let by_block = list(it, "addresses").iter().any(|address| text(address).contains('/'));
            !by_block || ["STATIC", "NONE"].contains(&resolution(it))
        },
    ),
    (
        r#"((has(self.resolution) ? self.resolution : "NONE") == "NONE") ? !has(self.endpoints) : true"#,
        |it| resolution(it) != "NONE" || !has(it, "endpoints"),
    ),
    (
        r#"((has(self.resolution) ? self.resolution : "") == "DNS_ROUND_ROBIN") ? ((has(self.endpoints) ? self.endpoints : []).size() <= 1) : true"#,
        |it| resolution(it) != "DNS_ROUND_ROBIN" || list(it, "endpoints").len() <= 1,
    ),
    // ServiceEntry: endpoints, ports and hosts.
    ("has(self.address) || has(self.network)", |it| has(it, "address") || has(it, "network")),
    (r#"(has(self.address) ? self.address : "").startsWith("unix://") ? !has(self.ports) : true"#, |it| {
        let is_socket = it.get("address").is_some_and(|address| socket_path(address).is_some());
        !is_socket || !has(it, "ports")
    }),
    (
        r#"self.startsWith("unix://") ? (self.substring(7, 8) == "/" || self.substring(7, 8) == "@") : true"#,
        |it| socket_path(it).is_none_or(|path| path.starts_with(['/', '@'])),
    ),
    (r#"self.startsWith("unix://") ? !self.endsWith("/") : true"#, |it| {
        socket_path(it).is_none() || !text(it).ends_with('/')
    }),
    (r#"self.all(key, size(key) < 63 && key.matches("^[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?$"))"#, |it| {
        keys(it).all(is_port_name)
    }),
    (r#"self != "*""#, |it| text(it) != "*"),
    ("self.all(l1, self.exists_one(l2, l1.number == l2.number))", |it| {
        let ports = it.as_sequence().map(Vec::as_slice).unwrap_or_default();
        let same =
            |one: &Value| ports.iter().filter(|other| other.get("number") == one.get("number")).count();
        ports.iter().all(|port| same(port) == 1)
    }),
];

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn has(value: &Value, field: &str) -> bool {
    value.get(field).is_some()
}

fn list<'v>(value: &'v Value, field: &str) -> &'v [Value] {
    value.get(field).and_then(Value::as_sequence).map(Vec::as_slice).unwrap_or_default()
}

fn keys(value: &Value) -> impl Iterator<Item = &str> {
    value.as_mapping().into_iter().flat_map(Mapping::keys).map(text)
}

fn resolution(entry: &Value) -> &str {
    entry.get("resolution").map_or("NONE", text)
}

fn socket_path(address: &Value) -> Option<&str> {
    text(address).strip_prefix("unix://")
}

fn is_port_name(name: &str) -> bool {
    let inside = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    let hyphen = |letter: Option<char>| letter == Some('-');
    (1..63).contains(&name.len())
        && name.chars().all(inside)
        && !hyphen(name.chars().next())
        && !hyphen(name.chars().next_back())
}

/// CEL's `duration()`, which is Go's `time.ParseDuration`: numbers with units, such as `1h1m1s` or `-1.5ms`.
fn nanoseconds(text: &str) -> Option<f64> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0.0);
    }
    let mut total = 0.0;
    // At least one number with its unit has to be there.
    loop {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
        let (number, unit_and_rest) = rest.split_at_checked(digits)?;
        let (unit, after) =
            UNITS.iter().find_map(|(unit, factor)| Some((factor, unit_and_rest.strip_prefix(unit)?)))?;
        total += number.parse::<f64>().ok()? * unit;
        rest = after;
        if rest.is_empty() {
            return Some(sign * total);
        }
    }
}

/// Longer spellings stand before the ones that they start with.
const UNITS: &[(&str, f64)] = &[
    ("ns", 1.0),
    ("us", 1e3),
    ("µs", 1e3),
    ("μs", 1e3),
    ("ms", 1e6),
    ("s", 1e9),
    ("m", 6e10),
    ("h", 3.6e12),
];

#[test]
fn durations_are_read_as_go_does() {
    let cases = [
        ("1ms", Some(1e6)),
        ("999us", Some(999e3)),
        ("1h1m1s", Some(3_661e9)),
        ("1.5s", Some(1.5e9)),
        ("-1s", Some(-1e9)),
        ("0", Some(0.0)),
        ("", None),
        ("-", None),
        ("5", None),
        ("5x", None),
        ("1.2.3s", None),
        (".s", None),
    ];
    for (text, expected) in cases {
        assert_eq!(nanoseconds(text), expected, "{text:?}");
    }
}
