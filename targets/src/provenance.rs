//! Where something comes from: `from shop.mesh, host cart, route beta`.
//!
//! Names only, no numbers of lines: a line that is added above changes no comment, and so no output.

use meshc_compiler::model::{
    AnchorKind, DestinationId, External, Gateway, Host, HostName, HostNameKind, Mesh, Model, Resource,
    Service,
};
use meshc_compiler::routing::{ConnectionRule, Origin, Rule, RuleAction, Upstream, VirtualHost};
use meshc_language::{SourceFile, Span};
use smol_str::SmolStr;
use std::fmt::{Display, Write};

/// An item of the sources, as comments name it.
#[derive(Clone)]
pub(crate) struct Item {
    keyword: &'static str,
    name: SmolStr,
    span: Span,
    /// Where the outermost template around it was applied.
    applied: Option<Span>,
}

impl Item {
    fn new<T>(kind: AnchorKind, name: &str, resource: &Resource<T>, span: Span) -> Self {
        let applied = resource.applied.first().copied();
        Self { keyword: kind.word(), name: SmolStr::new(name), span, applied }
    }

    pub(crate) fn gateway(gateway: &Resource<Gateway>) -> Self {
        Self::new(AnchorKind::Gateway, gateway.name.value.as_str(), gateway, gateway.span)
    }

    pub(crate) fn service(service: &Resource<Service>) -> Self {
        Self::new(AnchorKind::Service, service.name.value.as_str(), service, service.span)
    }

    pub(crate) fn external(external: &Resource<External>) -> Self {
        Self::new(AnchorKind::External, external.name.value.as_str(), external, external.span)
    }

    /// A host block, by the first of its names.
    pub(crate) fn host(mesh: &Mesh, host: &Resource<Host>) -> Self {
        let name = host.names.first().map(|HostName { kind, patterns: _, span: _ }| match kind {
            HostNameKind::Destination(id) => mesh.destination_name(*id),
            HostNameKind::Pattern(pattern) => pattern.as_str(),
            HostNameKind::Delegate(name) => name.as_str(),
        });
        Self::new(AnchorKind::Host, name.unwrap_or_default(), host, host.span)
    }

    pub(crate) fn destination(mesh: &Mesh, target: DestinationId) -> Option<Self> {
        match target {
            DestinationId::Service(id) => mesh.services.get(id).map(Self::service),
            DestinationId::External(id) => mesh.externals.get(id).map(Self::external),
        }
    }

    fn origin(model: &Model, origin: Origin) -> Option<Self> {
        match origin {
            Origin::Host(id) => model.hosts.get(id).map(|host| Self::host(&model.mesh, host)),
            Origin::Gateway(id) => model.mesh.gateways.get(id).map(Self::gateway),
            Origin::Destination(target) => Self::destination(&model.mesh, target),
        }
    }
}

/// Where the parts of one item come from.
#[derive(Clone)]
pub(crate) struct Source<'p> {
    provenance: &'p Provenance<'p>,
    item: Item,
}

impl Source<'_> {
    /// The source of another item.
    pub(crate) fn other(&self, item: Item) -> Self {
        Self { provenance: self.provenance, item }
    }

    /// The comment for the item itself.
    pub(crate) fn whole(&self) -> SmolStr {
        self.provenance.item(&self.item)
    }

    /// The comment for a part of it, such as `route beta`, that was written at `span`.
    pub(crate) fn part(&self, span: Span, part: impl Display) -> SmolStr {
        self.provenance.part(&self.item, span, part)
    }
}

/// The sources, for comments.
pub(crate) struct Provenance<'s> {
    files: &'s [SourceFile],
}

impl<'s> Provenance<'s> {
    pub(crate) const fn new(files: &'s [SourceFile]) -> Self {
        Self { files }
    }

    /// The source of an item.
    pub(crate) fn source<'p>(&'p self, item: Item) -> Source<'p> {
        Source { provenance: self, item }
    }

    /// The comment for an item. Of one that comes out of a template, it names the file that applies the template.
    pub(crate) fn item(&self, item: &Item) -> SmolStr {
        SmolStr::new(self.begin(item))
    }

    /// The comment for a part of an item. What a template of another file puts into the item names that file too.
    pub(crate) fn part(&self, item: &Item, span: Span, part: impl Display) -> SmolStr {
        let mut text = self.begin(item);
        // Writing into a string cannot fail.
        _ = write!(text, ", {part}");
        if item.applied.is_none() && span.file != item.span.file {
            _ = write!(text, " by {}", self.file(span));
        }
        SmolStr::new(text)
    }

    fn begin(&self, item: &Item) -> String {
        let Item { keyword, name, span, applied } = item;
        match applied {
            None => format!("from {}, {keyword} {name}", self.file(*span)),
            Some(applied) => {
                format!("from {}, {}, {keyword} {name}", self.file(*applied), self.application(*applied))
            }
        }
    }

    fn file(&self, span: Span) -> &'s str {
        self.files.get(span.file.0 as usize).map_or("", |file| file.name.as_str())
    }

    /// `apply NAME`, as it is written, without its arguments.
    fn application(&self, applied: Span) -> &'s str {
        let written = self.files.get(applied.file.0 as usize).map_or("", |file| file.slice(applied));
        written.split(['(', '\n', '#']).next().unwrap_or_default().trim_end()
    }
}

/// Comments for what the plan of raw proxies holds.
impl Provenance<'_> {
    /// The comment for an upstream: the destination, with its subset if it has one.
    pub(crate) fn upstream(&self, model: &Model, upstream: &Upstream) -> Option<SmolStr> {
        let item = Item::destination(&model.mesh, upstream.target)?;
        Some(match &upstream.subset {
            None => self.item(&item),
            Some(subset) => self.part(&item, item.span, format_args!("subset {subset}")),
        })
    }

    /// The comment for a rule for requests: its route. For one that nobody wrote, the destination.
    pub(crate) fn rule(&self, model: &Model, rule: &Rule, upstreams: &[Upstream]) -> Option<SmolStr> {
        if let Some((id, at)) = rule.declared {
            let host = model.hosts.get(id)?;
            let route = host.routes.get(at)?;
            let part = format_args!("{} {}", route.kind.word(), route.name.value).to_string();
            return Some(self.part(&Item::host(&model.mesh, host), route.span, part));
        }
        let RuleAction::Forward(to) = &rule.action else { return None };
        let upstream = upstreams.get(to.first()?.upstream.index())?;
        Some(self.item(&Item::destination(&model.mesh, upstream.target)?))
    }

    /// The comment for a rule for connections.
    pub(crate) fn connection_rule(&self, model: &Model, rule: &ConnectionRule) -> Option<SmolStr> {
        let item = Item::origin(model, rule.origin)?;
        let Origin::Host(id) = rule.origin else { return Some(self.item(&item)) };
        let routes = model.hosts.get(id).map(|host| host.routes.as_slice()).unwrap_or_default();
        let route =
            routes.iter().find(|route| route.span == rule.span && route.name.value.as_str() == rule.name);
        Some(match route {
            None => self.item(&item),
            Some(route) => self.part(&item, route.span, format_args!("{} {}", route.kind.word(), rule.name)),
        })
    }

    /// The comment for a virtual host.
    pub(crate) fn virtual_host(&self, model: &Model, host: &VirtualHost) -> Option<SmolStr> {
        self.origin(model, host.origin, host.span)
    }

    /// The comment for what was made from an item at `span`. Of a gateway, that is one of its listeners.
    pub(crate) fn origin(&self, model: &Model, origin: Origin, span: Span) -> Option<SmolStr> {
        let item = Item::origin(model, origin)?;
        let Origin::Gateway(id) = origin else { return Some(self.item(&item)) };
        let gateway = model.mesh.gateways.get(id)?;
        let mut here = gateway.body.listeners.iter().filter(|listener| listener.span == span);
        // Listeners that a loop has made have one place.
        Some(match (here.next(), here.next()) {
            (Some(one), None) => self.part(&item, span, listener(one)),
            (None | Some(_), _) => self.item(&item),
        })
    }
}

/// `listen https 443`.
pub(crate) fn listener(listener: &meshc_compiler::model::Listener) -> String {
    format!("listen {} {}", listener.protocol.value.word(), listener.port.value.get())
}
