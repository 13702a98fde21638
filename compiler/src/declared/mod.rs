//! What items say, each by its own text alone: names as they are written, values typed, conditions as they stand.
//!
//! In: a statement, and the [`Reader`](crate::reading::Reader) with the variables around it. Out: an item that knows of no other; what
//! its names stand for is found in [`resolve`](crate::resolve). A source of another form becomes the same items.

mod bindings;
mod condition;
mod host;
mod raw;
mod reference;
mod route;
mod route_words;
mod shares;

pub use bindings::{
    AddressKind, AddressStatement, Bindings, BindingsBody, BoundAddress, Deploy, DeployBody, Image, Platform,
    RawProxy, SecretBinding, SecretFiles,
};
pub use condition::{
    CONDITION_SYNTAX, Condition, Entrance, HeaderTest, PathMatch, PathTest, Side, Test, Written,
};
pub use host::{Host, HostBody, HostName, HostNameKind, Via};
pub use raw::{Anchor, AnchorKind, Raw, RawTarget, RawText};
pub use reference::{GatewayReference, Reference};
pub use route::{
    Action, Delegate, DestinationHeaders, Mirror, Redirect, RedirectPort, RedirectQuery, Respond, Route,
    RouteKind, RouteOptions, WeightedReference,
};
