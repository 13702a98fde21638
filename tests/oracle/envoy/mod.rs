//! Judges Envoy's configuration without starting Envoy: against the protobuf descriptors of its release with the rules
//! of their fields (unknown field, enum, duration, range), and for what the release itself lets pass in validation.
//!
//! - [`descriptors`]: the descriptors, and documents read by them.
//! - [`rules`]: the rules that fields carry (protoc-gen-validate), and what is deprecated.
//! - [`filters`], [`routes`], [`references`]: what `envoy --mode validate` does not look at, although such a
//!   configuration does something else than it says.
//! - [`inlined`]: a layout of several files as one, so that `envoy --mode validate` reads all of it.
//!
//! Not covered: a typed config in a place where its type has no business, the syntax of regular expressions and of
//! `%COMMAND%`s, which `envoy --mode validate` refuses.

mod descriptors;
mod filters;
mod inlined;
mod references;
mod routes;
mod rules;
mod tree;

#[cfg(test)]
mod proof;

pub(crate) use self::inlined::inlined;

use self::descriptors::Descriptors;
use serde_json::Value;
use std::fmt;

/// Something wrong in a document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Fault {
    /// The document's name, as given.
    pub(crate) document: String,
    /// Where in it, such as `static_resources.clusters[2].name`; empty when the document cannot be read.
    pub(crate) path: String,
    /// What is wrong.
    pub(crate) message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.document, self.path, self.message)
    }
}

/// A document that its descriptors accept, in the plain JSON mapping of protobuf: fields by their name in the `.proto`
/// file, enums by name, durations as seconds, defaults left out.
struct Document {
    name: String,
    kind: Kind,
    value: Value,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// What `envoy -c` reads.
    Bootstrap,
    /// A file that Envoy watches: `resources` of one type.
    Discovery,
}

/// What is wrong with the documents of any number of Envoys, each its path below the folder of all of them, and its
/// text, YAML or JSON: bootstraps, and the files that these lead to. Empty when nothing is. `None`, with the reason
/// printed, where the descriptors cannot be made.
pub(crate) fn check(documents: &[(&str, &str)]) -> Option<Vec<Fault>> {
    let descriptors = Descriptors::get()?;
    let mut faults = Vec::new();
    let mut read = Vec::new();
    for (name, text) in documents {
        match descriptors.read(name, text) {
            Ok((kind, message)) => {
                rules::check(&message, &mut |path, message| {
                    faults.push(Fault { document: (*name).to_owned(), path, message });
                });
                read.push(Document { name: (*name).to_owned(), kind, value: descriptors::plain(&message) });
            }
            Err(fault) => faults.push(fault),
        }
    }
    for document in &read {
        let mut report = |path: &str, message: String| {
            faults.push(Fault { document: document.name.clone(), path: path.to_owned(), message });
        };
        filters::check(&document.value, &mut report);
        routes::check(&document.value, &mut report);
    }
    faults.extend(references::check(&read));
    faults.sort();
    Some(faults)
}
