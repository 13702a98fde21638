//! Object metadata, which belongs to Kubernetes rather than to a definition.

use serde_yaml::Value;

/// What a client may write; the rest (`uid`, `generation`, ...) is the server's.
const CLIENT_FIELDS: [&str; 4] = ["name", "namespace", "labels", "annotations"];

/// Faults of `metadata` for a resource of `kind`. Istio's admission takes only a DNS label as a Gateway's name.
pub(super) fn check(kind: &str, metadata: Option<&Value>) -> Vec<String> {
    let mut faults = Vec::new();
    let Some(fields) = metadata.and_then(Value::as_mapping) else {
        return vec!["metadata: Required value".to_owned()];
    };
    for key in fields.keys().filter_map(Value::as_str).filter(|key| !CLIENT_FIELDS.contains(key)) {
        faults.push(format!("metadata.{key}: not for a client to set"));
    }
    match fields.get("name").and_then(Value::as_str) {
        None => faults.push("metadata.name: Required value".to_owned()),
        Some(name) if kind == "Gateway" && !is_label(name) => {
            faults.push(format!("metadata.name: Invalid value: {name:?}: not a DNS label"));
        }
        Some(name) if !is_subdomain(name) => {
            faults.push(format!("metadata.name: Invalid value: {name:?}: not a DNS-1123 subdomain"));
        }
        Some(_) => {}
    }
    if let Some(namespace) = fields.get("namespace")
        && !namespace.as_str().is_some_and(is_label)
    {
        faults.push(format!("metadata.namespace: Invalid value: {namespace:?}: not a DNS label"));
    }
    for map in ["labels", "annotations"] {
        check_map(map, fields.get(map), &mut faults);
    }
    faults
}

fn check_map(name: &str, map: Option<&Value>, faults: &mut Vec<String>) {
    let Some(map) = map else { return };
    let Some(map) = map.as_mapping() else {
        faults.push(format!("metadata.{name}: Invalid value: not an object"));
        return;
    };
    for (key, value) in map {
        if !key.as_str().is_some_and(is_qualified_name) {
            faults.push(format!("metadata.{name}: Invalid value: {key:?}: not a qualified name"));
        }
        let fits = match value.as_str() {
            Some(text) => name != "labels" || is_label_value(text),
            None => false,
        };
        if !fits {
            faults.push(format!("metadata.{name}.{key:?}: Invalid value: {value:?}"));
        }
    }
}

/// RFC 1123 label: 1 to 63 lower-case letters, digits and hyphens, no hyphen at either end.
fn is_label(name: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&name.len()) && is_dotless_label(name, inside)
}

/// DNS-1123 subdomain, as Kubernetes has it: up to 253 bytes, labels of any length.
fn is_subdomain(name: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    name.len() <= 253 && name.split('.').all(|label| !label.is_empty() && is_dotless_label(label, inside))
}

fn is_dotless_label(label: &str, inside: impl Fn(u8) -> bool) -> bool {
    label.bytes().all(inside) && !label.starts_with('-') && !label.ends_with('-')
}

/// Key of a label or an annotation: `[prefix/]name`.
fn is_qualified_name(key: &str) -> bool {
    let (prefix, name) = key.split_once('/').map_or((None, key), |(prefix, name)| (Some(prefix), name));
    prefix.is_none_or(is_subdomain) && !name.is_empty() && is_label_value(name)
}

/// Value of a label: empty, or up to 63 letters, digits, `-`, `_` and `.` with a letter or digit at both ends.
fn is_label_value(text: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let edge = |byte: Option<u8>| byte.is_none_or(|byte| byte.is_ascii_alphanumeric());
    text.len() <= 63
        && text.bytes().all(inside)
        && edge(text.bytes().next())
        && edge(text.bytes().next_back())
}

#[test]
fn names_are_dns_names() {
    for (name, label, subdomain) in [
        ("reviews", true, true),
        ("bookinfo.com", false, true),
        ("Reviews", false, false),
        ("-a", false, false),
        ("a..b", false, false),
        ("", false, false),
        ("a_b", false, false),
    ] {
        assert_eq!((is_label(name), is_subdomain(name)), (label, subdomain), "{name:?}");
    }
    assert!(!is_label(&"a".repeat(64)) && is_subdomain(&"a".repeat(64)) && !is_subdomain(&"a".repeat(254)));
}
