//! References to destinations and gateways: `[namespace/]name[:port][@subset]`.

use super::arena::Id;
use super::directory::Found;
use super::external::External;
use super::gateway::Gateway;
use super::service::{Port, Service, Subset};
use super::{Mesh, Resource};
use crate::checks::deprecated_use;
use crate::reading::{Args, Attributes, Deprecation, Reader, Shape, Syntax, Term, TypeDoc, wherever_written};
use crate::values::{Literal, Port as Number, did_you_mean};
use meshc_language::{Applicability, Code, Diagnostic, Span, Spanned};
use smol_str::SmolStr;
use std::borrow::Cow;

/// A reference as it was written.
#[derive(Clone, Debug)]
pub struct Reference {
    /// `namespace/`.
    pub namespace: Option<SmolStr>,
    /// The name; with dots it is a full host name.
    pub name: SmolStr,
    /// `:port`.
    pub port: Option<Spanned<Number>>,
    /// `@subset`.
    pub subset: Option<Spanned<SmolStr>>,
    /// Where `[namespace/]name` stands.
    pub name_span: Span,
    /// Where the reference is used, if its value was written elsewhere: then no edit may touch it.
    pub used: Option<Span>,
    /// The whole reference.
    pub span: Span,
}

wherever_written!(Reference { namespace, name, port, subset } at { name_span, used, span });

impl Reference {
    /// The report as it may be given: where the value was written elsewhere, without edits.
    fn settle(&self, mut report: Diagnostic) -> Diagnostic {
        if let Some(used) = self.used {
            report.fix = None;
            report = report.related(used, "used here");
        }
        report
    }

    fn parse(term: &Term<'_>, cx: &mut Reader<'_, '_>) -> Option<Self> {
        // A value that came from elsewhere is to be mended there.
        let span = term.origin.unwrap_or(term.span);
        let Shape::Word(text) = &term.shape else {
            if !matches!(term.shape, Shape::Unknown) {
                let message = format!("expected a service or external, found {}", term.describe());
                let help = "write `[namespace/]name[:port][@subset]`, without quotes";
                cx.report_at(term, Diagnostic::new(Code::WRONG_FORM, span, message).help(help));
            }
            return None;
        };
        // Places inside the reference can be shown only where it was written as it is.
        let part = |offset: usize, length: usize| {
            if term.origin.is_none() && span.range().len() == text.len() {
                span.part(offset, length)
            } else {
                span
            }
        };
        let (rest, subset) = match text.split_once('@') {
            Some((rest, subset)) => {
                (rest, Some(Spanned::new(SmolStr::new(subset), part(rest.len() + 1, subset.len()))))
            }
            None => (text.as_ref(), None),
        };
        let (path, port) = match rest.split_once(':') {
            None => (rest, None),
            Some((path, port)) => match Number::parse(port) {
                Ok(number) => (path, Some(Spanned::new(number, part(path.len() + 1, port.len())))),
                Err(error) => {
                    let span = part(path.len() + 1, port.len());
                    cx.report_at(
                        term,
                        Diagnostic::new(Code::BAD_LITERAL, span, error.message).maybe_help(error.help),
                    );
                    return None;
                }
            },
        };
        let (namespace, name) = match path.split_once('/') {
            Some((namespace, name)) => (Some(SmolStr::new(namespace)), name),
            None => (None, path),
        };
        if name.is_empty()
            || name.contains('/')
            || subset.as_ref().is_some_and(|subset| subset.value.is_empty())
        {
            let message = format!("`{text}` is not a reference to a destination");
            let help = "write `[namespace/]name[:port][@subset]`";
            cx.report_at(term, Diagnostic::new(Code::BAD_LITERAL, span, message).help(help));
            return None;
        }
        Some(Self {
            namespace,
            name: SmolStr::new(name),
            port,
            subset,
            name_span: part(0, path.len()),
            used: term.origin.map(|_| term.span),
            span,
        })
    }
}

impl Syntax for Reference {
    fn read<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<Self> {
        let term = args.expect("a service or external", cx)?;
        Self::parse(&term, cx)
    }

    fn signature() -> String {
        "<destination>".to_owned()
    }

    fn types(types: &mut Vec<TypeDoc>) {
        types.push(TypeDoc {
            name: "destination",
            doc: "`[namespace/]name[:port][@subset]` of a declared service or external, such as `reviews@v2`; a name with dots is a full host name",
            words: &[],
        });
    }
}

/// `via edge`: a gateway, `[namespace/]name`, as it was written.
#[derive(Clone, Debug)]
pub struct GatewayReference {
    /// `namespace/`.
    pub namespace: Option<SmolStr>,
    /// The name.
    pub name: SmolStr,
    /// Where it was written.
    pub span: Span,
}

wherever_written!(GatewayReference { namespace, name } at { span });

impl Syntax for GatewayReference {
    fn read<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<Self> {
        let term = args.expect("a gateway", cx)?;
        let Shape::Word(text) = &term.shape else {
            if !matches!(term.shape, Shape::Unknown) {
                let message = format!("expected a gateway, found {}", term.describe());
                cx.report_at(
                    &term,
                    Diagnostic::new(Code::WRONG_FORM, term.span, message)
                        .help("write its name without quotes"),
                );
            }
            return None;
        };
        let (namespace, name) = match text.split_once('/') {
            Some((namespace, name)) => (Some(SmolStr::new(namespace)), name),
            None => (None, text.as_ref()),
        };
        Some(Self { namespace, name: SmolStr::new(name), span: term.span })
    }

    fn signature() -> String {
        "<gateway>".to_owned()
    }

    fn types(types: &mut Vec<TypeDoc>) {
        types.push(TypeDoc { name: "gateway", doc: "`[namespace/]name` of a declared gateway", words: &[] });
    }
}

/// A subset that is on its way out is still bound to addresses, but no route should go there.
fn deprecated_subset(reference: &Reference, known: &Known<'_>, cx: &mut Reader<'_, '_>) {
    let Some(subset) = &reference.subset else { return };
    let declared = known.subsets.iter().find(|known| known.name.value.as_str() == subset.value);
    if let Some(deprecation) = declared.and_then(|declared| deprecation(declared.attributes.as_deref())) {
        cx.report(deprecated_use("subset", &subset.value, deprecation, subset.span));
    }
}

/// A service or an external.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DestinationId {
    /// A service.
    Service(Id<Resource<Service>>),
    /// An external.
    External(Id<Resource<External>>),
}

/// A resolved destination of a route, a mirror.
#[derive(Clone, Debug)]
pub struct Destination {
    /// What it is.
    pub target: DestinationId,
    /// Which host of an external; `None` for its only one, and for services.
    pub host: Option<SmolStr>,
    /// Which port; `None` for the only one, or in the host block of a service in the mesh for the one that is called.
    pub port: Option<Spanned<Number>>,
    /// Which subset.
    pub subset: Option<Spanned<SmolStr>>,
    /// Where it was written.
    pub span: Span,
}

wherever_written!(Destination { target, host, port, subset } at { span });

/// What routes need to know of a service or an external.
struct Known<'m> {
    what: &'static str,
    name: &'m str,
    span: Span,
    ports: &'m [Port],
    subsets: &'m [Subset],
    deprecation: Option<&'m Deprecation>,
    incomplete: bool,
}

fn deprecation(attributes: Option<&Attributes>) -> Option<&Deprecation> {
    attributes.and_then(|attributes| attributes.deprecated.as_ref())
}

impl Mesh {
    fn known(&self, target: DestinationId) -> Option<Known<'_>> {
        Some(match target {
            DestinationId::Service(id) => {
                let service = self.services.get(id)?;
                Known {
                    what: "service",
                    name: service.name.value.as_str(),
                    span: service.name.span,
                    ports: &service.body.ports,
                    subsets: &service.body.subsets,
                    deprecation: deprecation(service.attributes.as_deref()),
                    incomplete: service.incomplete,
                }
            }
            DestinationId::External(id) => {
                let external = self.externals.get(id)?;
                Known {
                    what: "external",
                    name: external.name.value.as_str(),
                    span: external.name.span,
                    ports: &external.body.ports,
                    subsets: &external.body.subsets,
                    deprecation: deprecation(external.attributes.as_deref()),
                    incomplete: external.incomplete,
                }
            }
        })
    }

    /// The ports of a destination.
    #[must_use]
    pub fn ports(&self, target: DestinationId) -> &[Port] {
        self.known(target).map_or(&[], |known| known.ports)
    }

    /// Whether a destination declares a subset.
    #[must_use]
    pub fn has_subset(&self, target: DestinationId, name: &str) -> bool {
        let subsets = self.known(target).map_or(&[][..], |known| known.subsets);
        subsets.iter().any(|subset| subset.name.value.as_str() == name)
    }

    /// The port that a destination is called on: the one that is named, or the only one.
    #[must_use]
    pub fn port_of(&self, destination: &Destination) -> Option<&Port> {
        let ports = self.ports(destination.target);
        match destination.port {
            Some(number) => ports.iter().find(|port| port.number.value == number.value),
            None => ports.first(),
        }
    }

    /// A destination as it is meant where requests come in on a port: without a port of its own, a service in its own host block
    /// is called on the port that the caller has chosen.
    #[must_use]
    pub fn met<'d>(&self, destination: &'d Destination, port: u16) -> Cow<'d, Destination> {
        let ports = self.ports(destination.target);
        let own = ports.iter().find(|own| own.number.value.get() == port);
        match own.filter(|_| destination.port.is_none() && ports.len() > 1) {
            Some(own) => Cow::Owned(Destination { port: Some(own.number), ..destination.clone() }),
            None => Cow::Borrowed(destination),
        }
    }

    /// Resolves a reference; reports what is wrong with it.
    pub fn resolve(&self, reference: &Reference, cx: &mut Reader<'_, '_>) -> Option<Destination> {
        let own = cx.namespace();
        let own = own.map(|namespace| namespace.as_str());
        let (target, host) = match self.directory.find(reference, own) {
            Found::Destination(target, host) => (target, host),
            Found::Broken => return None,
            Found::Nothing => {
                cx.report(reference.settle(self.directory.unknown(reference, own)));
                return None;
            }
        };
        let known = self.known(target)?;
        if let Some(deprecation) = known.deprecation {
            cx.report(deprecated_use(known.what, known.name, deprecation, reference.name_span));
        }
        let port_is_known = self.check_port(reference, target, &known, cx);
        // One that somebody else declares can be accepted: Istio is told its name.
        self.check_subset(reference, &known, cx);
        deprecated_subset(reference, &known, cx);
        let host = self.check_host(reference, target, host, cx);
        port_is_known.then_some(())?;
        Some(Destination {
            target,
            host: host?,
            port: reference.port,
            subset: reference.subset.clone(),
            span: reference.span,
        })
    }

    /// Resolves a reference of `bindings`, which may stand for all ports; reports what is wrong with it.
    pub(crate) fn resolve_bound(
        &self,
        reference: &Reference,
        cx: &mut Reader<'_, '_>,
    ) -> Option<(DestinationId, Option<Number>)> {
        let own = cx.namespace().map(|namespace| namespace.as_str());
        let target = match self.directory.find(reference, own) {
            Found::Destination(target, _) => target,
            Found::Broken => return None,
            Found::Nothing => {
                let mut report = reference.settle(self.directory.unknown(reference, own));
                report.consequence = Some("its addresses would never be used".to_owned());
                cx.report(report);
                return None;
            }
        };
        let known = self.known(target)?;
        let port_is_known = reference.port.is_none() || self.check_port(reference, target, &known, cx);
        let subset_is_known = self.check_subset(reference, &known, cx);
        (port_is_known && subset_is_known).then_some((target, reference.port.map(|port| port.value)))
    }

    fn check_port(
        &self,
        reference: &Reference,
        target: DestinationId,
        known: &Known<'_>,
        cx: &mut Reader<'_, '_>,
    ) -> bool {
        if known.incomplete {
            return true;
        }
        let numbers = || {
            let mut numbers: Vec<String> = Vec::new();
            // One number may be that of a port for TCP and of one for UDP.
            for number in known.ports.iter().map(|port| format!("`{}`", port.number.value)) {
                if !numbers.contains(&number) {
                    numbers.push(number);
                }
            }
            numbers.join(", ")
        };
        match reference.port {
            Some(port) if !known.ports.iter().any(|known| known.number.value == port.value) => {
                let message = format!("{} `{}` has no port {}", known.what, known.name, port.value);
                let mut report = Diagnostic::new(Code::UNKNOWN_PORT, port.span, message)
                    .related(known.span, "declared here")
                    .consequence("Istio would send these requests to a cluster that does not exist: 503")
                    .help(if known.ports.is_empty() {
                        "it has no ports".to_owned()
                    } else {
                        format!("it has {}", numbers())
                    });
                if let [only] = known.ports {
                    report = report.edit(Applicability::Unsafe, port.span, only.number.value.to_string());
                }
                cx.report(reference.settle(report));
                false
            }
            // Each port leads to its own.
            None if known.ports.len() > 1 && cx.own_host == Some(target) => true,
            None if known.ports.len() > 1 => {
                let message = format!("{} `{}` has several ports; choose one", known.what, known.name);
                cx.report(
                    Diagnostic::new(Code::PORT_NEEDED, reference.span, message)
                        .related(known.span, "declared here")
                        .consequence("Istio would use the port of the listener")
                        .help(format!(
                            "name one of {}, as in `{}:{}`",
                            numbers(),
                            reference.name,
                            known.ports.first().map_or(0, |port| port.number.value.get())
                        )),
                );
                false
            }
            _ => true,
        }
    }

    fn check_subset(&self, reference: &Reference, known: &Known<'_>, cx: &mut Reader<'_, '_>) -> bool {
        let Some(subset) = &reference.subset else { return true };
        let names = known.subsets.iter().map(|subset| subset.name.value.as_str());
        if known.incomplete {
            return true;
        }
        if known.subsets.iter().any(|known| known.name.value.as_str() == subset.value) {
            return true;
        }
        let message = format!("{} `{}` has no subset `{}`", known.what, known.name, subset.value);
        let report = Diagnostic::new(Code::UNKNOWN_SUBSET, subset.span, message)
            .related(known.span, "declared here")
            .consequence("Istio would answer these requests with 503");
        let listed: Vec<&str> = names.clone().collect();
        // `v2` for `v1` is no slip of the key: it is another version.
        let digits_apart = |other: &&str| {
            let letters = |text: &str| text.chars().filter(|char| !char.is_ascii_digit()).collect::<String>();
            letters(other) == letters(&subset.value)
        };
        let report = match did_you_mean(&subset.value, names).filter(|meant| !digits_apart(meant)) {
            Some(meant) => report.help(format!("did you mean `{meant}`?")).edit(
                Applicability::Unsafe,
                subset.span,
                meant.to_owned(),
            ),
            None if listed.is_empty() => {
                report.help(format!("it has no subsets; declare `subset {}`", subset.value))
            }
            None => report.help(format!(
                "it has {}; declare `subset {}`, or use one of them",
                crate::reading::listed(&listed),
                subset.value
            )),
        };
        cx.report(reference.settle(report));
        false
    }

    /// An external with several hosts is addressed by one of them.
    fn check_host(
        &self,
        reference: &Reference,
        target: DestinationId,
        host: Option<SmolStr>,
        cx: &mut Reader<'_, '_>,
    ) -> Option<Option<SmolStr>> {
        let DestinationId::External(id) = target else { return Some(None) };
        let external = self.externals.get(id)?;
        let hosts = external.body.hosts.as_ref().map_or(&[][..], |hosts| hosts);
        if host.is_some() || hosts.len() == 1 {
            return Some(host);
        }
        let names: Vec<String> = hosts.iter().map(|host| host.value.to_string()).collect();
        if !external.incomplete {
            let message = format!("external `{}` has several hosts; choose one", reference.name);
            cx.report(
                Diagnostic::new(Code::UNKNOWN_DESTINATION, reference.span, message)
                    .related(external.name.span, "declared here")
                    .help(format!("name one of {}", crate::reading::listed(&names))),
            );
        }
        None
    }

    /// Resolves a reference to a gateway; reports it if there is none.
    pub fn gateway(
        &self,
        reference: &GatewayReference,
        cx: &mut Reader<'_, '_>,
    ) -> Option<Id<Resource<Gateway>>> {
        let own = cx.namespace();
        let own = own.map(|namespace| namespace.as_str());
        match self.directory.gateway(reference, own) {
            Some(Ok(id)) => {
                let attributes = self.gateways.get(id).and_then(|gateway| gateway.attributes.as_deref());
                if let Some(deprecation) = deprecation(attributes) {
                    cx.report(deprecated_use("gateway", &reference.name, deprecation, reference.span));
                }
                Some(id)
            }
            Some(Err(())) => None,
            None => {
                cx.report(self.directory.unknown_gateway(reference, own));
                None
            }
        }
    }

    /// Resolves a reference to the service in front of a gateway: a declared one, or a full host name as it is.
    pub(crate) fn resolve_service(
        &self,
        reference: &Reference,
        cx: &mut Reader<'_, '_>,
    ) -> Option<FrontService> {
        let own = cx.namespace().map(|namespace| namespace.as_str());
        match self.directory.find(reference, own) {
            Found::Destination(DestinationId::Service(id), _) => Some(FrontService::Declared(id)),
            Found::Nothing if reference.namespace.is_none() && reference.name.matches('.').count() > 1 => {
                Some(FrontService::Outside(reference.name.clone()))
            }
            Found::Broken => None,
            Found::Destination(DestinationId::External(_), _) => {
                let message =
                    format!("`{}` is an external and cannot be the service of a gateway", reference.name);
                let report = Diagnostic::new(Code::UNKNOWN_DESTINATION, reference.span, message);
                cx.report(report.help("use the service of the gateway's workloads"));
                None
            }
            Found::Nothing => {
                cx.report(self.directory.unknown(reference, own));
                None
            }
        }
    }

    /// Whether a service is the one in front of a gateway.
    #[must_use]
    pub fn is_in_front(&self, service: Id<Resource<Service>>) -> bool {
        let is_it = |front: &FrontService| *front == FrontService::Declared(service);
        self.gateways.as_slice().iter().any(|gateway| gateway.front.as_ref().is_some_and(is_it))
    }

    /// The name under which a destination was declared.
    #[must_use]
    pub fn destination_name(&self, target: DestinationId) -> &str {
        self.known(target).map_or("", |known| known.name)
    }

    /// The host name of a destination, as Istio gets it.
    #[must_use]
    pub fn destination_host(&self, destination: &Destination) -> SmolStr {
        if let Some(host) = &destination.host {
            return host.clone();
        }
        let host = match destination.target {
            DestinationId::Service(id) => self.services.get(id).map(|service| self.service_host(service)),
            DestinationId::External(id) => {
                let hosts = self.externals.get(id).and_then(|external| external.body.hosts.as_ref());
                hosts.and_then(|hosts| hosts.first()).map(|host| SmolStr::new(host.value.as_str()))
            }
        };
        host.unwrap_or_default()
    }

    /// The statement that declares a destination, without its block.
    #[must_use]
    pub fn declaration(&self, target: DestinationId) -> Option<Span> {
        match target {
            DestinationId::Service(id) => self.services.get(id).map(|service| service.declared.span),
            DestinationId::External(id) => self.externals.get(id).map(|external| external.declared.span),
        }
    }

    /// Where the name of a destination stands in its declaration.
    #[must_use]
    pub fn name_span(&self, target: DestinationId) -> Option<Span> {
        self.known(target).map(|known| known.span)
    }
}

/// The service in front of a gateway's workloads.
#[derive(Clone, Debug, PartialEq)]
pub enum FrontService {
    /// A declared one.
    Declared(Id<Resource<Service>>),
    /// A full host name that is not declared.
    Outside(SmolStr),
}
