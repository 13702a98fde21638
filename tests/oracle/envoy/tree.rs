//! Looking around in documents: every object with its path, and the type of one that stands in an `Any`.

use serde_json::{Map, Value};

/// Calls `visit` with every object of `value` at any depth, outermost first, and its path.
pub(super) fn each_object<'a>(value: &'a Value, visit: &mut dyn FnMut(&str, &'a Map<String, Value>)) {
    walk("", value, visit);
}

/// The same below `path`.
pub(super) fn walk<'a>(path: &str, value: &'a Value, visit: &mut dyn FnMut(&str, &'a Map<String, Value>)) {
    match value {
        Value::Object(object) => {
            visit(path, object);
            for (name, value) in object {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                walk(&path, value, visit);
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                walk(&format!("{path}[{at}]"), item, visit);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The items of a list field; none when it is not there.
pub(super) fn items<'a>(object: &'a Map<String, Value>, name: &str) -> &'a [Value] {
    object.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The text of a field; empty when it is not there.
pub(super) fn text<'a>(object: &'a Map<String, Value>, name: &str) -> &'a str {
    object.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The last part of the type of an object in an `Any`, such as `Router`; empty for any other object.
pub(super) fn type_of(object: &Map<String, Value>) -> &str {
    text(object, "@type").rsplit('.').next().unwrap_or_default()
}

/// The type of a filter by its `typed_config`.
pub(super) fn filter_type(filter: &Value) -> &str {
    filter.get("typed_config").and_then(Value::as_object).map_or("", type_of)
}
