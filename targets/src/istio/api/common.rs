//! What the four kinds share: the resource envelope, maps, selectors, and how an absent field is read and left out.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use smol_str::SmolStr;

/// Declares message structs: each field is left out when absent, `null` reads as absent, unknown fields are refused.
macro_rules! messages {
    ($($(#[$meta:meta])* pub struct $name:ident { $($(#[$field_meta:meta])* pub $field:ident: $type:ty,)* })*) => {
        $(
            $(#[$meta])*
            #[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
            #[serde(rename_all = "camelCase", deny_unknown_fields, default)]
            pub struct $name {
                $(
                    $(#[$field_meta])*
                    #[serde(
                        skip_serializing_if = "crate::istio::api::Absent::is_absent",
                        deserialize_with = "crate::istio::api::null_as_absent"
                    )]
                    pub $field: $type,
                )*
            }
        )*
    };
}
pub(super) use messages;

/// A length of time as Istio writes it: decimal seconds, minutes, hours or milliseconds with a unit (`5s`, `0.5s`, `1h30m`, `25ms`).
/// Istio refuses values below 1ms. Source: `google.protobuf.Duration`.
pub type Duration = SmolStr;

/// One Kubernetes resource of specification `S`: what stands between two `---` lines.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Resource<S> {
    /// API group and version, for example `networking.istio.io/v1`.
    pub api_version: SmolStr,
    /// Kind name, [`Spec::KIND`] of `S`.
    pub kind: SmolStr,
    /// Name, namespace, labels, annotations.
    pub metadata: Metadata,
    /// What is asked for.
    pub spec: S,
}

/// A specification that stands under `spec:` of a resource of one kind.
pub trait Spec {
    /// The value of `kind:`.
    const KIND: &'static str;
}

impl<S: Spec> Resource<S> {
    /// A resource of `S`'s kind. `api_version` is group and version: `networking.istio.io/v1`.
    pub fn new(api_version: impl Into<SmolStr>, metadata: Metadata, spec: S) -> Self {
        Self { api_version: api_version.into(), kind: SmolStr::new_static(S::KIND), metadata, spec }
    }
}

messages! {
    /// The part of Kubernetes' `ObjectMeta` that a person writes.
    pub struct Metadata {
        /// Resource name, a DNS subdomain, unique per kind and namespace. `ObjectMeta.name`.
        pub name: SmolStr,
        /// Namespace; absent: the one that the resource is applied to. `ObjectMeta.namespace`.
        pub namespace: Option<SmolStr>,
        /// Labels of the resource itself, not of workloads. `ObjectMeta.labels`.
        pub labels: StringMap<SmolStr>,
        /// Free annotations. `ObjectMeta.annotations`.
        pub annotations: StringMap<SmolStr>,
    }

    /// Names a port of a service by its number.
    pub struct PortSelector {
        /// Port number of the service, 1 to 65535. `PortSelector.number`.
        pub number: u32,
    }

    /// Picks workloads (pods, VMs) of the resource's own namespace by label.
    pub struct WorkloadSelector {
        /// Labels that a workload must all carry with these values; no wildcards. `WorkloadSelector.labels`.
        pub labels: StringMap<SmolStr>,
    }

    /// A share of requests.
    pub struct Percent {
        /// 0 to 100; as fine as 0.0001. `Percent.value`.
        pub value: f64,
    }
}

/// A map from text to `V` that is always sorted by key: a vector, because nearly all maps in mesh configuration have one or two
/// entries and a tree node costs half a kilobyte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StringMap<V>(Vec<(SmolStr, V)>);

impl<V> StringMap<V> {
    /// An empty map; allocates nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Sets `key` to `value` and returns the value that it had.
    pub fn insert(&mut self, key: impl Into<SmolStr>, value: V) -> Option<V> {
        let key = key.into();
        match self.position(&key) {
            Ok(found) => self.0.get_mut(found).map(|entry| std::mem::replace(&mut entry.1, value)),
            Err(free) => {
                self.0.insert(free, (key, value));
                None
            }
        }
    }

    /// The value of `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&V> {
        self.position(key).ok().and_then(|found| self.0.get(found)).map(|(_, value)| value)
    }

    /// All entries, sorted by key.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&SmolStr, &V)> + DoubleEndedIterator {
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// Number of entries.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no entry.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn position(&self, key: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(present, _)| present.as_str().cmp(key))
    }
}

impl<V> Default for StringMap<V> {
    fn default() -> Self {
        Self::new()
    }
}

/// Of entries with one key the last one stays.
impl<K: Into<SmolStr>, V> FromIterator<(K, V)> for StringMap<V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut map = Self::new();
        map.extend(entries);
        map
    }
}

impl<K: Into<SmolStr>, V> Extend<(K, V)> for StringMap<V> {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        for (key, value) in entries {
            self.insert(key, value);
        }
    }
}

impl<V> IntoIterator for StringMap<V> {
    type Item = (SmolStr, V);
    type IntoIter = std::vec::IntoIter<(SmolStr, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<V: Serialize> Serialize for StringMap<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

/// A key that stands twice is an error; a `null` value is the empty value, as Kubernetes reads it.
impl<'de, V: Deserialize<'de> + Default> Deserialize<'de> for StringMap<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(StringMapVisitor(PhantomData))
    }
}

struct StringMapVisitor<V>(PhantomData<V>);

impl<'de, V: Deserialize<'de> + Default> Visitor<'de> for StringMapVisitor<V> {
    type Value = StringMap<V>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a mapping")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut map = StringMap::new();
        while let Some((key, value)) = access.next_entry::<SmolStr, Option<V>>()? {
            if map.get(&key).is_some() {
                return Err(A::Error::custom(format_args!("key `{key}` is twice in one mapping")));
            }
            map.insert(key, value.unwrap_or_default());
        }
        Ok(map)
    }
}

/// Whether a field's value stands for "not written".
pub(super) trait Absent {
    /// True for `None`, for what is empty, and for proto3's zero of a required number.
    fn is_absent(&self) -> bool;
}

impl<T> Absent for Option<T> {
    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

impl<T> Absent for Vec<T> {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

impl<V> Absent for StringMap<V> {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

impl Absent for SmolStr {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

impl Absent for u32 {
    fn is_absent(&self) -> bool {
        *self == 0
    }
}

/// A percentage of 0 is written: `percentage: {}` would only puzzle the reader.
impl Absent for f64 {
    fn is_absent(&self) -> bool {
        false
    }
}

/// A required message is written even when nobody filled it in, so that the omission shows.
macro_rules! never_absent {
    ($($message:ty),*) => {
        $(impl Absent for $message {
            fn is_absent(&self) -> bool {
                false
            }
        })*
    };
}
never_absent!(super::Destination, super::Port);

/// Reads a field that stands there as `null` like one that is not there.
pub(super) fn null_as_absent<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Default + Deserialize<'de>,
    D: Deserializer<'de>,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}
