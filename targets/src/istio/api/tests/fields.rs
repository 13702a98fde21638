//! The structs against the field list extracted from Istio's protobuf descriptors.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::{DeserializeOwned, Deserializer, Error as _, Visitor, value};
use serde::{Serialize, forward_to_deserialize_any};
use serde_json::{Value, json};

use super::super::*;
use super::shared_file;

/// Protobuf files whose messages all have a struct here.
const FILES: [&str; 5] = [
    "gateway.proto",
    "virtual_service.proto",
    "destination_rule.proto",
    "service_entry.proto",
    "workload_entry.proto",
];

/// What controllers write and nobody else.
const STATUS: [&str; 2] = ["ServiceEntryStatus", "ServiceEntryAddress"];

/// Messages whose fields we write in the order of Istio's examples instead of that of its protobuf files.
const OTHER_ORDER: [&str; 3] = ["Gateway", "Port", "ServicePort"];

/// The extraction knows networking's `WorkloadSelector` alone and takes the one of this other package for it.
const POLICY_SELECTOR: &str = "istio.type.v1beta1.WorkloadSelector";

/// The one field that the CRD has under two names; the second one.
const SECOND_NAME: &str = "mirror_percent";

/// A deserializer that tells which struct fields or enum variants a type asks for.
struct NameProbe;

impl<'de> Deserializer<'de> for NameProbe {
    type Error = value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(value::Error::custom("neither a struct nor an enum"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Self::Error> {
        Err(value::Error::custom(fields.join(" ")))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Self::Error> {
        Err(value::Error::custom(variants.join(" ")))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct newtype_struct seq
        tuple tuple_struct map identifier ignored_any
    }
}

/// Field names or variant names of `T`, in order.
fn names<T: DeserializeOwned + fmt::Debug>() -> Vec<String> {
    let names = T::deserialize(NameProbe).unwrap_err().to_string();
    names.split(' ').filter(|name| *name != SECOND_NAME).map(str::to_owned).collect()
}

/// Reads `value` as a `T` and writes it again.
fn round_trip<T: DeserializeOwned + Serialize>(value: Value) -> Result<Value, String> {
    let read: T = serde_json::from_value(value).map_err(|error| error.to_string())?;
    serde_json::to_value(read).map_err(|error| error.to_string())
}

struct Type {
    names: Vec<String>,
    round_trip: fn(Value) -> Result<Value, String>,
}

macro_rules! types {
    ($($protobuf:expr => $type:ty,)*) => {
        BTreeMap::from([$(($protobuf, Type { names: names::<$type>(), round_trip: round_trip::<$type> }),)*])
    };
}

fn messages() -> BTreeMap<&'static str, Type> {
    types! {
        "Gateway" => Gateway,
        "Server" => Server,
        "Port" => Port,
        "ServerTLSSettings" => ServerTlsSettings,
        "ServerTLSSettings.TLSCertificate" => TlsCertificate,
        "VirtualService" => VirtualService,
        "Destination" => Destination,
        "HTTPRoute" => HttpRoute,
        "Delegate" => Delegate,
        "Headers" => Headers,
        "Headers.HeaderOperations" => HeaderOperations,
        "TLSRoute" => TlsRoute,
        "TCPRoute" => TcpRoute,
        "HTTPMatchRequest" => HttpMatchRequest,
        "HTTPRouteDestination" => HttpRouteDestination,
        "RouteDestination" => RouteDestination,
        "L4MatchAttributes" => L4MatchAttributes,
        "TLSMatchAttributes" => TlsMatchAttributes,
        "HTTPRedirect" => HttpRedirect,
        "HTTPDirectResponse" => HttpDirectResponse,
        "HTTPBody" => HttpBody,
        "HTTPRewrite" => HttpRewrite,
        "RegexRewrite" => RegexRewrite,
        "StringMatch" => StringMatch,
        "HTTPRetry" => HttpRetry,
        "CorsPolicy" => CorsPolicy,
        "HTTPFaultInjection" => HttpFaultInjection,
        "HTTPFaultInjection.Delay" => FaultDelay,
        "HTTPFaultInjection.Abort" => FaultAbort,
        "HTTPMirrorPolicy" => HttpMirrorPolicy,
        "PortSelector" => PortSelector,
        "Percent" => Percent,
        "DestinationRule" => DestinationRule,
        "TrafficPolicy" => TrafficPolicy,
        "TrafficPolicy.PortTrafficPolicy" => PortTrafficPolicy,
        "TrafficPolicy.TunnelSettings" => TunnelSettings,
        "TrafficPolicy.ProxyProtocol" => ProxyProtocol,
        "TrafficPolicy.RetryBudget" => RetryBudget,
        "Subset" => Subset,
        "LoadBalancerSettings" => LoadBalancerSettings,
        "LoadBalancerSettings.ConsistentHashLB" => ConsistentHashLb,
        "LoadBalancerSettings.ConsistentHashLB.RingHash" => RingHash,
        "LoadBalancerSettings.ConsistentHashLB.MagLev" => MagLev,
        "LoadBalancerSettings.ConsistentHashLB.HTTPCookie" => HttpCookie,
        "LoadBalancerSettings.ConsistentHashLB.HTTPCookie.Attribute" => HttpCookieAttribute,
        "WarmupConfiguration" => WarmupConfiguration,
        "ConnectionPoolSettings" => ConnectionPoolSettings,
        "ConnectionPoolSettings.TCPSettings" => TcpSettings,
        "ConnectionPoolSettings.TCPSettings.TcpKeepalive" => TcpKeepalive,
        "ConnectionPoolSettings.HTTPSettings" => HttpSettings,
        "ConnectionPoolSettings.HTTPSettings.ConnectionKeepalive" => ConnectionKeepalive,
        "OutlierDetection" => OutlierDetection,
        "ClientTLSSettings" => ClientTlsSettings,
        "LocalityLoadBalancerSetting" => LocalityLoadBalancerSetting,
        "LocalityLoadBalancerSetting.Distribute" => LocalityDistribute,
        "LocalityLoadBalancerSetting.Failover" => LocalityFailover,
        "ZoneAwareLoadBalancerSetting" => ZoneAwareLoadBalancerSetting,
        "ZoneAwareLoadBalancerSetting.Failover" => ZoneAwareFailover,
        "ServiceEntry" => ServiceEntry,
        "ServicePort" => ServicePort,
        "WorkloadEntry" => WorkloadEntry,
        "WorkloadSelector" => WorkloadSelector,
        POLICY_SELECTOR => PolicyWorkloadSelector,
    }
}

fn enums() -> BTreeMap<&'static str, Type> {
    types! {
        "ServerTLSSettings.TLSmode" => ServerTlsMode,
        "ServerTLSSettings.TLSProtocol" => TlsProtocol,
        "HTTPRedirect.RedirectPortSelection" => RedirectPortSelection,
        "CorsPolicy.UnmatchedPreflights" => UnmatchedPreflights,
        "TrafficPolicy.ProxyProtocol.VERSION" => ProxyProtocolVersion,
        "LoadBalancerSettings.SimpleLB" => SimpleLb,
        "ConnectionPoolSettings.HTTPSettings.H2UpgradePolicy" => H2UpgradePolicy,
        "ClientTLSSettings.TLSmode" => ClientTlsMode,
        "ServiceEntry.Location" => Location,
        "ServiceEntry.Resolution" => Resolution,
    }
}

/// The parts of the extracted schema that this test needs.
struct Schema {
    /// Message to its fields' YAML names and types, in the order of the protobuf file.
    messages: BTreeMap<String, Vec<(String, String)>>,
    /// Enum to its values.
    enums: BTreeMap<String, Vec<String>>,
}

impl Schema {
    fn read() -> Option<Self> {
        let text = std::fs::read_to_string(shared_file("istio/api/fields-head.json")?).unwrap();
        let data: Value = serde_json::from_str(&text).unwrap();
        let mut schema = Self { messages: BTreeMap::new(), enums: BTreeMap::new() };
        let ours = |row: &Value| FILES.iter().any(|file| text_of(row, "file").ends_with(&format!("/{file}")));
        for row in data["fields"].as_array().unwrap() {
            let message = text_of(row, "message");
            if message == "WorkloadSelector" || ours(row) && !STATUS.contains(&message.as_str()) {
                let of = if text_of(row, "type") == "WorkloadSelector" && message == "DestinationRule" {
                    POLICY_SELECTOR.to_owned()
                } else {
                    text_of(row, "type")
                };
                schema.messages.entry(message).or_default().push((text_of(row, "json"), of));
            }
        }
        let labels = ("matchLabels".to_owned(), "map<string,string>".to_owned());
        schema.messages.insert(POLICY_SELECTOR.to_owned(), vec![labels]);
        for row in data["enums"].as_array().unwrap().iter().filter(|row| ours(row)) {
            let values =
                row["values"].as_array().unwrap().iter().map(|value| text_of(value, "name")).collect();
            schema.enums.insert(text_of(row, "enum"), values);
        }
        Some(schema)
    }

    /// A JSON value of a protobuf type with every field of every message in it.
    fn sample(&self, of: &str) -> Value {
        if let Some(element) = of.strip_prefix("[]") {
            return json!([self.sample(element), self.sample(element)]);
        }
        if let Some((_, value)) =
            of.strip_prefix("map<").and_then(|entry| entry.strip_suffix('>')?.split_once(','))
        {
            return json!({"b-key": self.sample(value), "a-key": self.sample(value)});
        }
        if let Some(fields) = self.messages.get(of) {
            return fields.iter().map(|(name, of)| (name.clone(), self.sample(of))).collect();
        }
        if let Some(values) = self.enums.get(of) {
            return json!(values.last());
        }
        match of {
            "string" | "bytes" => json!("some text"),
            "Duration" => json!("1.5s"),
            "bool" | "BoolValue" => json!(false),
            "int32" => json!(i32::MIN),
            "uint32" | "UInt32Value" => json!(u32::MAX),
            "uint64" | "UInt64Value" => json!(u64::MAX),
            "double" | "DoubleValue" => json!(0.1),
            _ => panic!("the schema has a type that the test does not know: {of}"),
        }
    }
}

fn text_of(row: &Value, key: &str) -> String {
    row[key].as_str().unwrap_or_else(|| panic!("no `{key}` in {row}")).to_owned()
}

#[test]
fn fields_are_those_of_the_protobuf_messages() {
    let Some(schema) = Schema::read() else { return };
    let ours = messages();
    assert!(ours.keys().eq(schema.messages.keys()), "messages differ");
    for (message, fields) in &schema.messages {
        let mut theirs: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
        let mut names: Vec<&str> = ours[message.as_str()].names.iter().map(String::as_str).collect();
        if OTHER_ORDER.contains(&message.as_str()) {
            assert_ne!(names, theirs, "{message} has Istio's order now");
            theirs.sort_unstable();
            names.sort_unstable();
        }
        assert_eq!(names, theirs, "fields of {message}");
    }
    assert_eq!(
        schema.messages.values().map(Vec::len).sum::<usize>(),
        274,
        "fields of the four kinds, endpoint and selectors"
    );
}

#[test]
fn enum_values_are_those_of_the_protobuf_enums() {
    let Some(schema) = Schema::read() else { return };
    let ours = enums();
    assert!(ours.keys().eq(schema.enums.keys()), "enums differ");
    for (name, values) in &schema.enums {
        let ours = &ours[name.as_str()];
        assert_eq!(&ours.names, values, "values of {name}");
        for value in values {
            assert_eq!((ours.round_trip)(json!(value)), Ok(json!(value)), "{name}");
        }
    }
}

#[test]
fn fully_populated_messages_survive() {
    let Some(schema) = Schema::read() else { return };
    for (name, message) in messages() {
        let sample = schema.sample(name);
        assert_eq!((message.round_trip)(sample.clone()), Ok(sample), "{name}");
    }
}

#[test]
fn unknown_fields_are_refused() {
    for (name, message) in messages() {
        let refused = (message.round_trip)(json!({"noSuchField": 1})).unwrap_err();
        assert!(refused.starts_with("unknown field `noSuchField`"), "{name}: {refused}");
    }
}

/// Adds to `paths` the path of every property of a CRD schema; a map's keys and a list's elements are `*`.
fn schema_paths(schema: &Value, path: &str, paths: &mut BTreeSet<String>) {
    if let Some(properties) = schema["properties"].as_object() {
        for (name, property) in properties {
            let path = format!("{path}.{name}");
            schema_paths(property, &path, paths);
            paths.insert(path);
        }
    }
    for element in ["items", "additionalProperties"] {
        if schema[element].is_object() {
            schema_paths(&schema[element], &format!("{path}.*"), paths);
        }
    }
}

/// Adds to `paths` the path of every field of type `of` and of the messages in it.
fn message_paths(schema: &Schema, of: &str, path: &str, paths: &mut BTreeSet<String>) {
    let element =
        of.strip_prefix("[]").or_else(|| of.strip_prefix("map<string,").and_then(|of| of.strip_suffix('>')));
    if let Some(element) = element {
        return message_paths(schema, element, &format!("{path}.*"), paths);
    }
    for (name, of) in schema.messages.get(of).into_iter().flatten() {
        let path = format!("{path}.{name}");
        message_paths(schema, of, &path, paths);
        paths.insert(path);
    }
}

/// The CRDs come from the same protobuf files by another way, so they would show a slip of the extraction.
#[test]
fn fields_are_those_of_the_crds() {
    let Some(schema) = Schema::read() else { return };
    for kind in ["Gateway", "VirtualService", "DestinationRule", "ServiceEntry"] {
        let Some(path) = shared_file(&format!("istio/crd/{kind}.crd.yaml")) else { return };
        let crd: Value = serde_yaml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        for version in crd["spec"]["versions"].as_array().unwrap() {
            let (mut theirs, mut ours) = (BTreeSet::new(), BTreeSet::new());
            schema_paths(&version["schema"]["openAPIV3Schema"]["properties"]["spec"], "spec", &mut theirs);
            theirs.retain(|path| !path.ends_with(&format!(".{SECOND_NAME}")));
            message_paths(&schema, kind, "spec", &mut ours);
            assert_eq!(ours, theirs, "{kind} {}", version["name"]);
        }
    }
}
