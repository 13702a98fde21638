//! Envoy's protobuf descriptors: written by a Go program beside this folder, which gets them with the release's Go
//! package, and read once per test process.

use super::{Fault, Kind};
use crate::oracle::{folder, skip, works};
use prost_reflect::{DescriptorPool, DeserializeOptions, DynamicMessage, SerializeOptions};
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

pub(super) struct Descriptors {
    pool: DescriptorPool,
}

impl Descriptors {
    /// `None`, with the reason printed, without Go or its modules.
    pub(super) fn get() -> Option<&'static Self> {
        static DESCRIPTORS: OnceLock<Option<Descriptors>> = OnceLock::new();
        DESCRIPTORS.get_or_init(Self::make).as_ref()
    }

    fn make() -> Option<Self> {
        let file =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("envoy-descriptors-{}", std::process::id()));
        // Always made anew, so that they are never those of an older release; Go has built the program in about a
        // minute the first time, and in a second ever after.
        let mut write = Command::new("go");
        write.current_dir(folder().join("envoydescriptors")).args(["run", "."]).arg(&file);
        if !works(&mut write) {
            return skip("Envoy's descriptors", "`go run` failed in tests/oracle/envoydescriptors");
        }
        let encoded = std::fs::read(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        Some(Self { pool: DescriptorPool::decode(encoded.as_slice()).unwrap() })
    }

    /// Reads a document strictly: an unknown field, type or enum value, a duration that is none, a number that does
    /// not fit its type.
    ///
    /// # Errors
    /// The fault, in the words of the reader.
    pub(super) fn read(&self, name: &str, text: &str) -> Result<(Kind, DynamicMessage), Fault> {
        let fault = |message: String| Fault { document: name.to_owned(), path: String::new(), message };
        // JSON is read as YAML too, as Envoy does by the file's name only: all JSON that is emitted is YAML.
        let value: Value = serde_yaml::from_str(text).map_err(|error| fault(error.to_string()))?;
        let (kind, message) = if value.get("resources").is_some() {
            (Kind::Discovery, "envoy.service.discovery.v3.DiscoveryResponse")
        } else {
            (Kind::Bootstrap, "envoy.config.bootstrap.v3.Bootstrap")
        };
        let descriptor = self.pool.get_message_by_name(message).unwrap();
        let options = DeserializeOptions::new().deny_unknown_fields(true);
        // Read from the text once more, because the reader then says the line.
        let reader = serde_yaml::Deserializer::from_str(text);
        DynamicMessage::deserialize_with_options(descriptor, reader, &options)
            .map(|message| (kind, message))
            .map_err(|error| fault(error.to_string()))
    }
}

/// A message in the plain JSON mapping, see [`super::Document`].
pub(super) fn plain(message: &DynamicMessage) -> Value {
    let options = SerializeOptions::new().use_proto_field_name(true).stringify_64_bit_integers(false);
    message.serialize_with_options(serde_json::value::Serializer, &options).unwrap()
}
