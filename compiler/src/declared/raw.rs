//! `raw istio on service reviews """..."""`: the escape hatch.

use super::reference::Reference;
use crate::reading::{Args, Reader, Syntax, TypeDoc, keyword};
use crate::values::{Text, words};
use meshc_language::Spanned;
use smol_str::SmolStr;

keyword! {
    /// Configuration in the words of a target, merged into one item.
    pub struct Raw {
        /// The target.
        pos target: Spanned<RawTarget>;
        /// `on ITEM`.
        pos anchor: Anchor;
        /// The configuration, in a `"""` block.
        pos text: Spanned<RawText>;
    }
}

words! {
    /// A target that takes raw configuration.
    pub enum RawTarget: "target" {
        Istio = "istio" "YAML that is merged into the resource of the item",
    }
}

words! {
    /// A kind of item.
    pub enum AnchorKind: "kind of item" {
        Gateway = "gateway" "its Gateway",
        Host = "host" "its VirtualService",
        Service = "service" "its DestinationRule",
        External = "external" "its ServiceEntry",
    }
}

/// The item that raw configuration belongs to.
#[derive(Clone, Debug, PartialEq)]
pub struct Anchor {
    /// What it is.
    pub kind: Spanned<AnchorKind>,
    /// Its name as it was declared; for a host, its first name or that of its resource, which tells several blocks of one host apart.
    pub name: Spanned<SmolStr>,
}

impl Syntax for Anchor {
    fn read<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<Self> {
        if args.take_word("on", cx).is_none() {
            args.missing("`on` and an item, such as `on service reviews`,", cx);
            return None;
        }
        let kind = Spanned::read(args, cx)?;
        let Reference { namespace: None, name, port: None, subset: None, name_span, .. } =
            Reference::read(args, cx)?
        else {
            args.missing("the name of an item of this file", cx);
            return None;
        };
        Some(Self { kind, name: Spanned::new(name, name_span) })
    }

    fn signature() -> String {
        "on (gateway | host | service | external) <name>".to_owned()
    }

    fn types(types: &mut Vec<TypeDoc>) {
        Spanned::<AnchorKind>::types(types);
    }
}

/// Text of any kind, lines included.
pub type RawText = Text;
