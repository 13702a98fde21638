//! What items say, each by its own text alone: names as they are written, values typed, conditions as they stand.
//!
//! In: a statement, and the [`Reader`](crate::reading::Reader) with the variables around it. Out: an item that knows of no other; what
//! its names stand for is found in [`resolve`](crate::resolve). A source of another form becomes the same items.

mod bindings;
mod condition;
mod declare;
mod external;
mod gateway;
mod host;
mod raw;
mod reference;
mod resource;
mod route;
mod route_words;
mod service;
mod shares;
mod unknown_item;
mod visibility;

pub use bindings::{
    AddressKind, AddressStatement, Bindings, BindingsBody, BoundAddress, Deploy, DeployBody, Image, Platform,
    RawProxy, SecretBinding, SecretFiles,
};
pub use condition::{
    CONDITION_SYNTAX, Condition, Entrance, HeaderTest, PathMatch, PathTest, Side, Test, Written,
};
pub(crate) use declare::declare;
pub use declare::{Declared, Unread};
pub use external::{Endpoint, EndpointBody, EndpointPort, External, ExternalBody, Location, Resolution};
pub use gateway::{
    Certificate, CertificateBody, Gateway, GatewayBody, HostNamespace, HttpsRedirect, Listener, ListenerBody,
    RedirectTarget, ServerHost, ServerTls, ServerTlsBody, ServerTlsMode, Workload,
};
pub use host::{Host, HostBody, HostName, HostNameKind, Via};
pub use raw::{Anchor, AnchorKind, Raw, RawTarget, RawText};
pub use reference::{GatewayReference, Reference};
pub use resource::Resource;
pub use route::{
    Action, Delegate, DestinationHeaders, Mirror, Redirect, RedirectPort, RedirectQuery, Respond, Route,
    RouteKind, RouteOptions, WeightedReference,
};
pub use service::{Labels, Port, Service, ServiceBody, Subset, SubsetBody, default_port_name};
pub use visibility::{Visibility, Visible};
