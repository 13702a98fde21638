//! Values that carry a comment on where they come from.

use std::ops::{Deref, DerefMut};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use smol_str::SmolStr;

/// The newtype name by which a `Sourced` makes itself known to the writer.
pub(super) const MARKER: &str = "meshc::yaml::Sourced";

/// A value with a comment for the YAML reader, such as `from shop.mesh, host cart`.
///
/// The comment becomes one line above the line where the value starts, at that line's indentation: above the document, above
/// `- ` of a list element, above `key:` of a mapping entry. Line breaks and control characters in it become spaces.
///
/// It is no part of the value: equality ignores it, [`Deref`] looks through it, reading yields none. For other human-readable serde
/// formats the value is written as if it stood alone; binary formats write a pair.
#[derive(Clone, Debug, Default)]
pub struct Sourced<T> {
    /// The text after `# `; `None`: no line.
    pub comment: Option<SmolStr>,
    /// The value.
    pub value: T,
}

impl<T> Sourced<T> {
    /// `value` with the line `# comment` above it.
    pub fn new(comment: impl Into<SmolStr>, value: T) -> Self {
        Self { comment: Some(comment.into()), value }
    }
}

/// Without a comment.
impl<T> From<T> for Sourced<T> {
    fn from(value: T) -> Self {
        Self { comment: None, value }
    }
}

impl<T> Deref for Sourced<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Sourced<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T: PartialEq> PartialEq for Sourced<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Eq> Eq for Sourced<T> {}

impl<T: Serialize> Serialize for Sourced<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.comment {
            _ if !serializer.is_human_readable() => (&self.comment, &self.value).serialize(serializer),
            Some(comment) => {
                serializer.serialize_newtype_struct(MARKER, &Pair { comment, value: &self.value })
            }
            None => self.value.serialize(serializer),
        }
    }
}

/// What stands under the marker. Our writer asks for the pair by saying that it is not human-readable; every other human-readable
/// format sees a transparent newtype around the value.
struct Pair<'a, T> {
    comment: &'a str,
    value: &'a T,
}

impl<T: Serialize> Serialize for Pair<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            self.value.serialize(serializer)
        } else {
            (self.comment, self.value).serialize(serializer)
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Sourced<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            T::deserialize(deserializer).map(Self::from)
        } else {
            <(Option<SmolStr>, T)>::deserialize(deserializer).map(|(comment, value)| Self { comment, value })
        }
    }
}
