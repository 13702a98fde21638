//! The structural schemas of custom resource definitions (OpenAPI v3 with Kubernetes' extensions).

use super::cel;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_yaml::{Mapping, Value};
use std::collections::BTreeMap;
use std::collections::btree_map::Values;

/// One node of a schema. Unknown keywords fail to load, so that none is ignored by mistake.
#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Schema {
    #[serde(rename = "description")]
    _description: Option<IgnoredAny>,
    r#type: Option<Type>,
    format: Option<Format>,
    nullable: bool,
    r#enum: Option<Vec<Value>>,
    minimum: Option<f64>,
    maximum: Option<f64>,
    max_length: Option<usize>,
    min_items: Option<usize>,
    max_items: Option<usize>,
    max_properties: Option<usize>,
    properties: BTreeMap<String, Schema>,
    additional_properties: Option<Box<Schema>>,
    required: Vec<String>,
    items: Option<Box<Schema>>,
    all_of: Vec<Schema>,
    any_of: Vec<Schema>,
    one_of: Vec<Schema>,
    not: Option<Box<Schema>>,
    #[serde(rename = "x-kubernetes-int-or-string")]
    int_or_string: bool,
    #[serde(rename = "x-kubernetes-preserve-unknown-fields")]
    preserve_unknown_fields: bool,
    #[serde(rename = "x-kubernetes-list-type")]
    list_type: Option<ListType>,
    #[serde(rename = "x-kubernetes-list-map-keys")]
    list_map_keys: Vec<String>,
    #[serde(rename = "x-kubernetes-validations")]
    validations: Vec<cel::Rule>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Debug)]
#[serde(rename_all = "camelCase")]
enum Type {
    Object,
    Array,
    String,
    Boolean,
    Integer,
    Number,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
enum Format {
    Int32,
    Double,
    Byte,
    DateTime,
}

#[derive(Deserialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "camelCase")]
enum ListType {
    Map,
}

impl Schema {
    /// Validates a whole resource; `apiVersion`, `kind` and `metadata` belong to every object and to no schema.
    pub(super) fn check_resource(&self, resource: &Value, faults: &mut Vec<String>) {
        let Some(mut fields) = resource.as_mapping().cloned() else {
            faults.push("the document is not an object".to_owned());
            return;
        };
        for every_object_has in ["apiVersion", "kind", "metadata"] {
            fields.shift_remove(every_object_has);
        }
        self.check("", &Value::Mapping(fields), faults);
    }

    fn check(&self, path: &str, value: &Value, faults: &mut Vec<String>) {
        if value.is_null() && self.nullable {
            return;
        }
        if !self.type_allows(value) {
            faults.push(format!("{path}: Invalid value: {value:?}: must be of type {}", self.type_name()));
            return;
        }
        self.check_scalar(path, value, faults);
        if let Some(fields) = value.as_mapping() {
            self.check_fields(path, fields, faults);
        }
        if let Some(items) = value.as_sequence() {
            self.check_items(path, items, faults);
        }
        self.check_combinations(path, value, faults);
        for rule in &self.validations {
            if rule.holds(value) == Some(false) {
                faults.push(format!("{path}: Invalid value: {}", rule.message));
            }
        }
    }

    fn type_allows(&self, value: &Value) -> bool {
        if self.int_or_string {
            return value.is_string() || is_integer(value);
        }
        match self.r#type {
            None => true,
            Some(Type::Object) => value.is_mapping(),
            Some(Type::Array) => value.is_sequence(),
            Some(Type::String) => value.is_string(),
            Some(Type::Boolean) => value.is_bool(),
            Some(Type::Integer) => is_integer(value),
            Some(Type::Number) => value.as_f64().is_some_and(f64::is_finite),
        }
    }

    fn type_name(&self) -> String {
        match self.r#type {
            Some(name) => format!("{name:?}").to_lowercase(),
            None => "integer or string".to_owned(),
        }
    }

    fn check_scalar(&self, path: &str, value: &Value, faults: &mut Vec<String>) {
        if let Some(allowed) = &self.r#enum
            && !allowed.contains(value)
        {
            faults.push(format!("{path}: Unsupported value: {value:?}"));
        }
        if let Some(number) = value.as_f64() {
            if let Some(minimum) = self.minimum.filter(|minimum| number < *minimum) {
                faults.push(format!("{path}: Invalid value: {number}: must be at least {minimum}"));
            }
            if let Some(maximum) = self.maximum.filter(|maximum| number > *maximum) {
                faults.push(format!("{path}: Invalid value: {number}: must be at most {maximum}"));
            }
        }
        let length = value.as_str().map_or(0, |text| text.chars().count());
        if let Some(most) = self.max_length.filter(|most| length > *most) {
            faults.push(format!("{path}: Too long: must have at most {most} characters"));
        }
        if !self.format_allows(value) {
            faults.push(format!("{path}: Invalid value: {value:?}: not in the format of the field"));
        }
    }

    fn format_allows(&self, value: &Value) -> bool {
        match self.format {
            None | Some(Format::Double) => true,
            Some(Format::Int32) => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
            Some(Format::Byte) => value.as_str().is_some_and(is_base64),
            Some(Format::DateTime) => value.as_str().is_some_and(is_date_time),
        }
    }

    fn check_fields(&self, path: &str, fields: &Mapping, faults: &mut Vec<String>) {
        for name in &self.required {
            if !fields.contains_key(name.as_str()) {
                faults.push(format!("{}: Required value", joined(path, name)));
            }
        }
        if let Some(most) = self.max_properties.filter(|most| fields.len() > *most) {
            faults.push(format!("{path}: Too many: must have at most {most} items"));
        }
        for (key, value) in fields {
            let Some(name) = key.as_str() else {
                faults.push(format!("{path}: the key {key:?} is not a string"));
                continue;
            };
            let field = joined(path, name);
            match self.properties.get(name).or(self.additional_properties.as_deref()) {
                Some(schema) => schema.check(&field, value, faults),
                None if self.preserve_unknown_fields || self.is_untyped() => {}
                None => faults.push(format!("{field}: unknown field")),
            }
        }
    }

    /// A branch of `oneOf`, `anyOf`, `allOf` or `not` names fields without declaring them.
    fn is_untyped(&self) -> bool {
        self.r#type.is_none()
    }

    fn check_items(&self, path: &str, items: &[Value], faults: &mut Vec<String>) {
        if let Some(least) = self.min_items.filter(|least| items.len() < *least) {
            faults.push(format!("{path}: Invalid value: must have at least {least} items"));
        }
        if let Some(most) = self.max_items.filter(|most| items.len() > *most) {
            faults.push(format!("{path}: Too many: must have at most {most} items"));
        }
        if let Some(schema) = &self.items {
            for (index, item) in items.iter().enumerate() {
                schema.check(&format!("{path}[{index}]"), item, faults);
            }
        }
        if self.list_type == Some(ListType::Map) {
            self.check_list_map(path, items, faults);
        }
    }

    fn check_list_map(&self, path: &str, items: &[Value], faults: &mut Vec<String>) {
        let keys = |item: &Value| -> Vec<Option<Value>> {
            self.list_map_keys.iter().map(|key| item.get(key.as_str()).cloned()).collect()
        };
        let mut seen = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let key = keys(item);
            if seen.contains(&key) {
                faults.push(format!("{path}[{index}]: Duplicate value: {key:?}"));
            }
            seen.push(key);
        }
    }

    fn check_combinations(&self, path: &str, value: &Value, faults: &mut Vec<String>) {
        for part in &self.all_of {
            part.check(path, value, faults);
        }
        let accepting = |parts: &[Schema]| parts.iter().filter(|part| part.accepts(value)).count();
        if !self.any_of.is_empty() && accepting(&self.any_of) == 0 {
            faults.push(format!("{path}: Invalid value: must validate at least one schema (anyOf)"));
        }
        if !self.one_of.is_empty() && accepting(&self.one_of) != 1 {
            let names = self.one_of.iter().flat_map(|part| part.required.iter().map(String::as_str));
            let names = names.collect::<Vec<_>>().join(", ");
            faults.push(format!("{path}: Invalid value: must validate one schema only (oneOf {names})"));
        }
        if self.not.as_ref().is_some_and(|part| part.accepts(value)) {
            faults.push(format!("{path}: Invalid value: must not validate the schema (not)"));
        }
    }

    fn accepts(&self, value: &Value) -> bool {
        let mut faults = Vec::new();
        self.check("", value, &mut faults);
        faults.is_empty()
    }

    /// The rules of this node and of all below it.
    pub(super) fn rules(&self) -> Vec<&cel::Rule> {
        let parts: Values<'_, String, Schema> = self.properties.values();
        let below = parts.chain(self.items.as_deref()).chain(self.additional_properties.as_deref());
        self.validations.iter().chain(below.flat_map(Schema::rules)).collect()
    }
}

fn joined(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn is_integer(value: &Value) -> bool {
    value.is_i64() || value.is_u64()
}

/// Standard alphabet with padding (RFC 4648, section 4).
fn is_base64(text: &str) -> bool {
    let data = text.trim_end_matches('=');
    let padding = text.len() - data.len();
    let in_alphabet = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
    text.len().is_multiple_of(4) && padding <= 2 && data.bytes().all(in_alphabet)
}

/// The shape of RFC 3339's `date-time`; only status fields have it, which the compiler never writes.
fn is_date_time(text: &str) -> bool {
    let shape: String =
        text.chars().map(|letter| if letter.is_ascii_digit() { '0' } else { letter }).collect();
    shape.starts_with("0000-00-00T00:00:00") && (shape.ends_with('Z') || shape.ends_with("00:00"))
}
