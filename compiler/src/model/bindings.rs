//! Where a raw proxy finds endpoints and certificates. Istio knows both from its platform; routes stay free of them.
//! What is found by them: [`super::bound`].

use super::destination::DestinationId;
use crate::declared::{AddressKind, Deploy, Platform, SecretBinding};
use crate::reading::{Attributes, wherever_written};
use crate::values::Port as Number;
use meshc_language::{Span, Spanned};
use smol_str::SmolStr;

/// Where raw proxies find endpoints and certificates, and whether they are deployed.
#[derive(Clone, Debug)]
pub struct Bindings {
    /// What it says.
    pub body: BindingsBody,
    /// The statement without its block.
    pub span: Span,
    /// What stands in front of it.
    pub attributes: Option<Box<Attributes>>,
}

wherever_written!(Bindings { body, attributes } at { span });

/// Addresses and files. Istio needs none of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BindingsBody {
    /// Where the endpoints of a service, an external or a subset are.
    pub addresses: Vec<AddressBinding>,
    /// Where everything is that has no address.
    pub default: Option<Spanned<Platform>>,
    /// Where the raw proxies of this namespace find certificates.
    pub secrets: Vec<SecretBinding>,
    /// Whether the proxies are wrapped for a platform.
    pub deploy: Option<Deploy>,
}

/// `address reviews@v1 endpoints [10.0.0.1:9080 weight 3]`.
#[derive(Clone, Debug)]
pub struct AddressBinding {
    /// What is bound.
    pub target: DestinationId,
    /// One port of it; `None` for all.
    pub port: Option<Number>,
    /// A subset of it.
    pub subset: Option<SmolStr>,
    /// Where it is.
    pub kind: AddressKind,
    /// Where the destination was written.
    pub span: Span,
}

wherever_written!(AddressBinding { target, port, subset, kind } at { span });
