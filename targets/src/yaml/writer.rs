//! The serializer that writes block-style YAML straight into a string.

use std::fmt;

use serde::ser::{self, Serialize, Serializer};

use super::number::{write_f64, write_i64, write_u64};
use super::scalar::{write_comment, write_text};
use super::sourced::MARKER;

/// Why a value cannot be written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// A mapping key is a list or a mapping. No Kubernetes tool could read it.
    CollectionAsKey,
    /// A value is raw bytes, which YAML has no plain form for.
    Bytes,
    /// The value's own `Serialize` gave up; its message.
    Custom(String),
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CollectionAsKey => formatter.write_str("a list or mapping cannot be a YAML key"),
            Self::Bytes => formatter.write_str("raw bytes cannot be written as YAML"),
            Self::Custom(message) => formatter.write_str(message),
        }
    }
}

impl std::error::Error for Error {}

impl ser::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Custom(message.to_string())
    }
}

/// Appends `value` to `out` as one document that ends with a line break; `---` between documents is the caller's.
///
/// # Errors
/// The three of [`Error`], and then `out` is as before. None can happen for values of [`crate::istio::api`]: their keys are field
/// names and text, they hold no raw bytes, and their `Serialize` is derived, which never gives up.
pub fn write_document<T: Serialize + ?Sized>(out: &mut String, value: &T) -> Result<(), Error> {
    let before = out.len();
    if !(out.is_empty() || out.ends_with('\n')) {
        out.push('\n');
    }
    let mut writer = Writer { line: Line { start: out.len(), column: 0 }, comment: String::new(), out };
    let written = value.serialize(Node { writer: &mut writer, slot: Slot::Document, column: 0, pair: false });
    if written.is_err() {
        out.truncate(before);
    }
    written
}

/// The text so far.
struct Writer<'o> {
    out: &'o mut String,
    line: Line,
    /// Reused for each comment line.
    comment: String,
}

/// The line that is being written: the byte where it starts, and its indentation in spaces.
struct Line {
    start: usize,
    column: usize,
}

impl Writer<'_> {
    /// Starts a line that is indented by `column` spaces.
    fn start_line(&mut self, column: usize) {
        self.line = Line { start: self.out.len(), column };
        push_spaces(self.out, column);
    }

    /// Puts a comment above the current line.
    fn comment(&mut self, text: &str) {
        self.comment.clear();
        push_spaces(&mut self.comment, self.line.column);
        write_comment(&mut self.comment, text);
        self.comment.push('\n');
        self.out.insert_str(self.line.start, &self.comment);
        self.line.start += self.comment.len();
    }
}

fn push_spaces(out: &mut String, count: usize) {
    const SPACES: &str = "                                ";
    match SPACES.get(..count) {
        Some(spaces) => out.push_str(spaces),
        None => out.extend(std::iter::repeat_n(' ', count)),
    }
}

/// Where a value stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Slot {
    /// At the beginning of the document.
    Document,
    /// Behind `key:`.
    AfterKey,
    /// Behind `-`.
    AfterDash,
    /// In front of the colon.
    Key,
    /// Above the current line, as a comment.
    Comment,
}

/// The place of the next value.
struct Node<'w, 'o> {
    writer: &'w mut Writer<'o>,
    slot: Slot,
    /// Column of the key or dash in front.
    column: usize,
    /// A comment and the value come as a pair.
    pair: bool,
}

impl<'w, 'o> Node<'w, 'o> {
    fn scalar(self, write: impl FnOnce(&mut String)) -> Result<(), Error> {
        let out = &mut *self.writer.out;
        match self.slot {
            Slot::Document => {}
            Slot::AfterKey | Slot::AfterDash => out.push(' '),
            Slot::Key | Slot::Comment => {
                write(out);
                return Ok(());
            }
        }
        write(out);
        out.push('\n');
        Ok(())
    }

    fn integer(self, number: i64) -> Result<(), Error> {
        self.scalar(|out| write_i64(out, number))
    }

    fn list(self) -> Result<Block<'w, 'o>, Error> {
        let column = match self.slot {
            Slot::Document => 0,
            Slot::AfterKey => self.column,
            Slot::AfterDash => self.column + INDENT,
            Slot::Key | Slot::Comment => return Err(Error::CollectionAsKey),
        };
        Ok(Block { writer: self.writer, slot: self.slot, column, empty: "[]", begun: false, pair: false })
    }

    fn mapping(self) -> Result<Block<'w, 'o>, Error> {
        let column = match self.slot {
            Slot::Document => 0,
            Slot::AfterKey | Slot::AfterDash => self.column + INDENT,
            Slot::Key | Slot::Comment => return Err(Error::CollectionAsKey),
        };
        Ok(Block { writer: self.writer, slot: self.slot, column, empty: "{}", begun: false, pair: false })
    }

    /// A mapping whose only key is an enum variant, with the place of its value.
    fn variant(self, name: &str) -> Result<Node<'w, 'o>, Error> {
        let mut mapping = self.mapping()?;
        mapping.key(name)?;
        Ok(Node { writer: mapping.writer, slot: Slot::AfterKey, column: mapping.column, pair: false })
    }
}

/// Spaces per level.
const INDENT: usize = 2;

/// Readers give up on a `key:` that is longer than 1,024 characters; `? key` may have any length.
const LONG_KEY: usize = 1_000;

/// A list or mapping under way.
struct Block<'w, 'o> {
    writer: &'w mut Writer<'o>,
    slot: Slot,
    /// Column of the keys or dashes.
    column: usize,
    /// What stands there if no entry comes.
    empty: &'static str,
    begun: bool,
    /// The elements are a comment and then the value that it is about, which stands in place of the list.
    pair: bool,
}

impl<'o> Block<'_, 'o> {
    /// Goes to where the next entry starts.
    fn start_entry(&mut self) {
        if self.begun {
            return self.writer.start_line(self.column);
        }
        self.begun = true;
        match self.slot {
            Slot::AfterDash => self.writer.out.push(' '),
            Slot::AfterKey => {
                self.writer.out.push('\n');
                self.writer.start_line(self.column);
            }
            Slot::Document | Slot::Key | Slot::Comment => self.writer.start_line(self.column),
        }
    }

    fn key<K: Serialize + ?Sized>(&mut self, key: &K) -> Result<(), Error> {
        self.start_entry();
        let start = self.writer.out.len();
        key.serialize(Node { writer: self.writer, slot: Slot::Key, column: self.column, pair: false })?;
        if self.writer.out.len() - start > LONG_KEY {
            self.writer.out.insert_str(start, "? ");
            self.writer.out.push('\n');
            push_spaces(self.writer.out, self.column);
        }
        self.writer.out.push(':');
        Ok(())
    }

    fn field(&mut self, name: &'static str, value: &(impl Serialize + ?Sized)) -> Result<(), Error> {
        self.start_entry();
        write_text(self.writer.out, name);
        self.writer.out.push(':');
        value.serialize(self.node(Slot::AfterKey))
    }

    fn element(&mut self, value: &(impl Serialize + ?Sized)) -> Result<(), Error> {
        if self.pair {
            let slot = if self.begun { self.slot } else { Slot::Comment };
            self.begun = true;
            return value.serialize(self.node(slot));
        }
        self.start_entry();
        self.writer.out.push('-');
        value.serialize(self.node(Slot::AfterDash))
    }

    const fn node(&mut self, slot: Slot) -> Node<'_, 'o> {
        Node { writer: self.writer, slot, column: self.column, pair: false }
    }

    fn finish(self) {
        if self.begun {
            return;
        }
        if self.slot != Slot::Document {
            self.writer.out.push(' ');
        }
        self.writer.out.push_str(self.empty);
        self.writer.out.push('\n');
    }
}

impl<'w, 'o> Serializer for Node<'w, 'o> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Block<'w, 'o>;
    type SerializeTuple = Block<'w, 'o>;
    type SerializeTupleStruct = Block<'w, 'o>;
    type SerializeTupleVariant = Block<'w, 'o>;
    type SerializeMap = Block<'w, 'o>;
    type SerializeStruct = Block<'w, 'o>;
    type SerializeStructVariant = Block<'w, 'o>;

    fn is_human_readable(&self) -> bool {
        !self.pair
    }

    fn serialize_bool(self, value: bool) -> Result<(), Error> {
        self.scalar(|out| out.push_str(if value { "true" } else { "false" }))
    }

    fn serialize_i8(self, value: i8) -> Result<(), Error> {
        self.integer(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<(), Error> {
        self.integer(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result<(), Error> {
        self.integer(value.into())
    }

    fn serialize_i64(self, value: i64) -> Result<(), Error> {
        self.integer(value)
    }

    fn serialize_i128(self, value: i128) -> Result<(), Error> {
        self.scalar(|out| out.push_str(&value.to_string()))
    }

    fn serialize_u8(self, value: u8) -> Result<(), Error> {
        self.serialize_u64(value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<(), Error> {
        self.serialize_u64(value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<(), Error> {
        self.serialize_u64(value.into())
    }

    fn serialize_u64(self, value: u64) -> Result<(), Error> {
        self.scalar(|out| write_u64(out, value))
    }

    fn serialize_u128(self, value: u128) -> Result<(), Error> {
        self.scalar(|out| out.push_str(&value.to_string()))
    }

    fn serialize_f32(self, value: f32) -> Result<(), Error> {
        // By way of its own shortest text, so that 0.1 does not become 0.10000000149011612.
        self.serialize_f64(value.to_string().parse().unwrap_or(f64::from(value)))
    }

    fn serialize_f64(self, value: f64) -> Result<(), Error> {
        self.scalar(|out| write_f64(out, value))
    }

    fn serialize_char(self, value: char) -> Result<(), Error> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), Error> {
        if self.slot == Slot::Comment {
            self.writer.comment(value);
            return Ok(());
        }
        self.scalar(|out| write_text(out, value))
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<(), Error> {
        Err(Error::Bytes)
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.scalar(|out| out.push_str("null"))
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Error> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(Node { pair: name == MARKER, ..self })
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self.variant(variant)?)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Block<'w, 'o>, Error> {
        self.list()
    }

    fn serialize_tuple(self, _: usize) -> Result<Block<'w, 'o>, Error> {
        if self.pair {
            let Self { writer, slot, column, pair } = self;
            return Ok(Block { writer, slot, column, empty: "", begun: false, pair });
        }
        self.list()
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Block<'w, 'o>, Error> {
        self.list()
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Block<'w, 'o>, Error> {
        self.variant(variant)?.list()
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Block<'w, 'o>, Error> {
        self.mapping()
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Block<'w, 'o>, Error> {
        self.mapping()
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Block<'w, 'o>, Error> {
        self.variant(variant)?.mapping()
    }
}

/// The `serde` traits of lists: each hands its elements to [`Block::element`].
macro_rules! list_traits {
    ($($name:ident $method:ident),*) => {
        $(impl ser::$name for Block<'_, '_> {
            type Ok = ();
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                self.element(value)
            }

            fn end(self) -> Result<(), Error> {
                self.finish();
                Ok(())
            }
        })*
    };
}
list_traits!(
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field
);

/// The `serde` traits of structs: each hands its fields to [`Block::field`].
macro_rules! struct_traits {
    ($($name:ident),*) => {
        $(impl ser::$name for Block<'_, '_> {
            type Ok = ();
            type Error = Error;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Error> {
                self.field(name, value)
            }

            fn end(self) -> Result<(), Error> {
                self.finish();
                Ok(())
            }
        })*
    };
}
struct_traits!(SerializeStruct, SerializeStructVariant);

impl ser::SerializeMap for Block<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.key(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        value.serialize(self.node(Slot::AfterKey))
    }

    fn end(self) -> Result<(), Error> {
        self.finish();
        Ok(())
    }
}
