//! The rules that Envoy's fields carry in their options (protoc-gen-validate, extension `validate.rules`), which Envoy
//! itself enforces on what it loads. Walks a whole message, through `Any` too.
//!
//! A rule that is not known here fails the test instead of holding. A deprecated field is a fault as well: a later
//! release refuses it.

#![expect(clippy::wildcard_enum_match_arm, reason = "values have many kinds, and each rule is of a few")]
#![expect(clippy::iter_over_hash_type, reason = "what is reported is sorted in the end")]

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MapKey, ReflectMessage, Value};
use regex::Regex;
use std::borrow::Cow;

/// Deprecated fields that nothing takes the place of. `max_stream_duration` would put the `timeout` of its route out of force for
/// all requests that bring no deadline; istiod writes the old field too.
const WITHOUT_SUCCESSOR: &[&str] = &["envoy.config.route.v3.RouteAction.max_grpc_timeout"];

/// Takes the path of a field and what is wrong with it.
type Report<'a> = &'a mut dyn FnMut(String, String);

/// Reports what breaks a rule in `message`, at any depth.
pub(super) fn check(message: &DynamicMessage, report: Report<'_>) {
    check_message("", message, report);
}

fn check_message(path: &str, message: &DynamicMessage, report: Report<'_>) {
    let descriptor = message.descriptor();
    if descriptor.full_name() == "google.protobuf.Any" {
        return check_message(path, &unpacked(message), report);
    }
    for oneof in descriptor.oneofs() {
        let required = extension(&oneof.options(), "validate.required").is_some();
        if required && !oneof.fields().any(|field| message.has_field(&field)) {
            let choices: Vec<_> = oneof.fields().map(|field| field.name().to_owned()).collect();
            report(path.to_owned(), format!("one of {} is required", choices.join(", ")));
        }
    }
    for field in descriptor.fields() {
        let place =
            if path.is_empty() { field.name().to_owned() } else { format!("{path}.{}", field.name()) };
        check_field(&place, message, &field, report);
    }
}

fn check_field(path: &str, message: &DynamicMessage, field: &FieldDescriptor, report: Report<'_>) {
    let set = message.has_field(field);
    let rules = rules_of(field);
    let options = field.options();
    let deprecated = options.get_field_by_name("deprecated").is_some_and(|value| *value == Value::Bool(true));
    if set && deprecated && !WITHOUT_SUCCESSOR.contains(&field.full_name()) {
        report(path.to_owned(), "deprecated".to_owned());
    }
    // A field of a choice that was not taken has no value; one without presence has its default.
    if let Some(rules) = &rules {
        if set || !field.supports_presence() {
            check_value(path, field, &message.get_field(field), rules, report);
        } else if field.containing_oneof().is_none() && is_required(rules) {
            report(path.to_owned(), "is required".to_owned());
        }
    }
    if set && !rules.is_some_and(|rules| is_skipped(&rules)) {
        descend(path, &message.get_field(field), report);
    }
}

fn descend(path: &str, value: &Value, report: Report<'_>) {
    match value {
        Value::Message(message) => check_message(path, message, report),
        Value::List(values) => {
            for (at, value) in values.iter().enumerate() {
                descend(&format!("{path}[{at}]"), value, report);
            }
        }
        Value::Map(entries) => {
            for (key, value) in entries {
                descend(&format!("{path}[{}]", key_text(key)), value, report);
            }
        }
        _ => {}
    }
}

fn unpacked(any: &DynamicMessage) -> DynamicMessage {
    let url = any.get_field_by_name("type_url").unwrap();
    let encoded = any.get_field_by_name("value").unwrap();
    let name = url.as_str().unwrap().rsplit('/').next().unwrap_or_default();
    // The reader has resolved the type before, so that it is known.
    let descriptor = any.descriptor().parent_pool().get_message_by_name(name).unwrap();
    DynamicMessage::decode(descriptor, encoded.as_bytes().unwrap().clone()).unwrap()
}

fn rules_of(field: &FieldDescriptor) -> Option<DynamicMessage> {
    match extension(&field.options(), "validate.rules")? {
        Value::Message(rules) => Some(rules),
        other => panic!("validate.rules is a message, not {other:?}"),
    }
}

fn extension(options: &DynamicMessage, name: &str) -> Option<Value> {
    let extension = options.descriptor().get_extension_by_full_name(name)?;
    options.has_extension(&extension).then(|| options.get_extension(&extension).into_owned())
}

/// `message.required`, `any.required` or `duration.required`.
fn is_required(rules: &DynamicMessage) -> bool {
    rules_by_kind(rules).any(|kind| flag(&kind, "required"))
}

/// `message.skip`: what is below is not looked at.
fn is_skipped(rules: &DynamicMessage) -> bool {
    rules_by_kind(rules).any(|kind| flag(&kind, "skip"))
}

/// The messages of the kinds of rules that are set: `string`, `uint32`, `repeated`...
fn rules_by_kind(rules: &DynamicMessage) -> impl Iterator<Item = DynamicMessage> + '_ {
    rules.fields().filter_map(|(_, value)| value.as_message().cloned())
}

fn flag(rules: &DynamicMessage, name: &str) -> bool {
    rules.get_field_by_name(name).is_some_and(|value| *value == Value::Bool(true))
}

/// Checks a value against all rules of its field, those of its items included.
fn check_value(
    path: &str,
    field: &FieldDescriptor,
    value: &Value,
    rules: &DynamicMessage,
    report: Report<'_>,
) {
    // A wrapper such as UInt32Value stands for the value within it.
    let value = &*wrapped(value);
    for kind in rules_by_kind(rules) {
        if flag(&kind, "ignore_empty") && value.as_str() == Some("") {
            continue;
        }
        for (rule, bound) in kind.fields() {
            match (rule.name(), value) {
                ("items", Value::List(items)) => {
                    let rules = bound.as_message().unwrap();
                    for (at, item) in items.iter().enumerate() {
                        check_value(&format!("{path}[{at}]"), field, item, rules, report);
                    }
                }
                ("keys", Value::Map(entries)) => {
                    let rules = bound.as_message().unwrap();
                    for key in entries.keys() {
                        check_value(path, field, &Value::from(key.clone()), rules, report);
                    }
                }
                (name, _) => {
                    if !holds(name, bound, value, field, &kind) {
                        report(path.to_owned(), format!("breaks the rule {name} {}", shown(bound)));
                    }
                }
            }
        }
    }
}

fn wrapped(value: &Value) -> Cow<'_, Value> {
    match value {
        Value::Message(message) if message.descriptor().full_name().ends_with("Value") => {
            message.get_field_by_name("value").unwrap_or(Cow::Borrowed(value))
        }
        _ => Cow::Borrowed(value),
    }
}

/// Whether `value` keeps one rule.
fn holds(rule: &str, bound: &Value, value: &Value, field: &FieldDescriptor, kind: &DynamicMessage) -> bool {
    match rule {
        // These say how other rules are meant, or were asked before.
        "required" | "skip" | "ignore_empty" | "strict" => true,
        "const" => value == bound,
        "in" => bound.as_list().unwrap().contains(value),
        "not_in" => !bound.as_list().unwrap().iter().any(|bound| number(bound) == number(value)),
        "gt" => number(value) > number(bound),
        "gte" => number(value) >= number(bound),
        "lt" => number(value) < number(bound),
        "lte" => number(value) <= number(bound),
        "min_len" | "min_items" | "min_pairs" => length(value) >= count(bound),
        "max_len" | "max_items" => length(value) <= count(bound),
        "max_bytes" => value.as_str().unwrap().len() <= count(bound),
        "prefix" => value.as_str().unwrap().starts_with(bound.as_str().unwrap()),
        "suffix" => value.as_str().unwrap().ends_with(bound.as_str().unwrap()),
        "pattern" => matches(bound.as_str().unwrap(), value),
        "well_known_regex" => matches(well_known(bound, !is_false(kind, "strict")), value),
        "unique" => {
            let items = value.as_list().unwrap();
            items.iter().enumerate().all(|(at, item)| !items.iter().take(at).any(|before| before == item))
        }
        "defined_only" => match field.kind() {
            Kind::Enum(known) => known.get_value(value.as_enum_number().unwrap()).is_some(),
            other => panic!("defined_only is a rule of enums, not of {other:?}"),
        },
        unknown => panic!("the rule {unknown} of {} is not covered", field.full_name()),
    }
}

/// A number, or a duration in nanoseconds. Sixty-four bits lose their last ones, which no bound of a rule has.
fn number(value: &Value) -> f64 {
    match value {
        Value::U32(number) => f64::from(*number),
        Value::I32(number) | Value::EnumNumber(number) => f64::from(*number),
        Value::U64(number) => *number as f64,
        Value::I64(number) => *number as f64,
        Value::F32(number) => f64::from(*number),
        Value::F64(number) => *number,
        Value::Message(duration) => {
            let part = |name: &str| number(&duration.get_field_by_name(name).unwrap());
            part("seconds") * 1e9 + part("nanos")
        }
        other => panic!("{other:?} has no size"),
    }
}

fn length(value: &Value) -> usize {
    match value {
        Value::String(text) => text.chars().count(),
        Value::Bytes(bytes) => bytes.len(),
        Value::List(items) => items.len(),
        Value::Map(entries) => entries.len(),
        other => panic!("{other:?} has no length"),
    }
}

fn count(bound: &Value) -> usize {
    usize::try_from(bound.as_u64().unwrap()).unwrap()
}

/// The expressions of protoc-gen-validate for `KnownRegex`: 1 is the name of a header, 2 its value.
fn well_known(bound: &Value, strict: bool) -> &'static str {
    match (bound.as_enum_number(), strict) {
        (_, false) => "^[^\u{0}\u{A}\u{D}]*$",
        (Some(1), true) => "^:?[0-9a-zA-Z!#$%&'*+.^_|~\u{60}-]+$",
        (Some(2), true) => "^[^\u{0}-\u{8}\u{A}-\u{1F}\u{7F}]*$",
        other => panic!("no expression is known for {other:?}"),
    }
}

fn matches(pattern: &str, value: &Value) -> bool {
    Regex::new(pattern).unwrap().is_match(value.as_str().unwrap())
}

/// Whether a flag that is on by default was switched off.
fn is_false(rules: &DynamicMessage, name: &str) -> bool {
    rules.has_field_by_name(name) && !flag(rules, name)
}

fn shown(bound: &Value) -> String {
    match bound {
        Value::Message(_) => format!("{}ns", number(bound)),
        other => other.to_string(),
    }
}

fn key_text(key: &MapKey) -> String {
    match key {
        MapKey::String(text) => format!("{text:?}"),
        other => format!("{other:?}"),
    }
}
