//! The names of gateways, services and externals across all files and namespaces.

use super::Resource;
use super::arena::Id;
use super::destination::DestinationId;
use super::gateway::Gateway;
use crate::declared::{GatewayReference, Reference};
use crate::values::{DnsLabel, Literal, did_you_mean};
use meshc_language::{Applicability, Code, Diagnostic, Span};
use rustc_hash::{FxHashMap, FxHashSet};
use smol_str::SmolStr;

/// A name in a namespace.
type Name = (Option<SmolStr>, SmolStr);

/// Names of resources. Look-ups only: nothing is ever listed in the order of a hash.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    destinations: FxHashMap<Name, (DestinationId, Span)>,
    /// Full host names of services and hosts of externals. Several may declare one, each for its own namespace or ports.
    hosts: FxHashMap<SmolStr, Vec<HostOf>>,
    gateways: FxHashMap<Name, (Id<Resource<Gateway>>, Span)>,
    /// Names whose declarations could not be read: not reported a second time where they are used.
    broken: FxHashSet<Name>,
    /// Whether one of them was an external, whose hosts nobody knows.
    has_broken_external: bool,
    /// All names in order of declaration, for "did you mean".
    listed: Vec<Name>,
    listed_gateways: Vec<Name>,
}

/// Who declares a host.
#[derive(Clone, Debug)]
pub(crate) struct HostOf {
    pub(crate) id: DestinationId,
    pub(crate) namespace: Option<SmolStr>,
    pub(crate) ports: Vec<u16>,
}

/// What a look-up finds.
pub(crate) enum Found {
    /// A destination; and which host of it, if the reference was a host name.
    Destination(DestinationId, Option<SmolStr>),
    /// Something that could not be read.
    Broken,
    /// Nothing.
    Nothing,
}

impl Directory {
    /// Enters a service or external. The earlier declaration, if there is one, stays.
    pub(crate) fn add(&mut self, name: Name, id: DestinationId, span: Span) -> Option<Span> {
        if let Some((_, earlier)) = self.destinations.get(&name) {
            return Some(*earlier);
        }
        self.listed.push(name.clone());
        self.destinations.insert(name, (id, span));
        None
    }

    /// Enters a full host name.
    pub(crate) fn add_host(&mut self, host: SmolStr, declared: HostOf) {
        self.hosts.entry(host).or_default().push(declared);
    }

    /// Who declares a host for callers in a namespace: somebody there before others, and of several who has the port.
    fn of_host(&self, host: &str, own: Option<&str>, port: Option<u16>) -> Option<DestinationId> {
        let all = self.hosts.get(host)?;
        let far = |one: &&HostOf| {
            let lacks_port = port.is_some_and(|port| !one.ports.contains(&port));
            (lacks_port, one.namespace.as_deref() != own)
        };
        all.iter().min_by_key(far).map(|one| one.id)
    }

    /// Enters a gateway. The earlier declaration, if there is one, stays.
    pub(crate) fn add_gateway(&mut self, name: Name, id: Id<Resource<Gateway>>, span: Span) -> Option<Span> {
        if let Some((_, earlier)) = self.gateways.get(&name) {
            return Some(*earlier);
        }
        self.listed_gateways.push(name.clone());
        self.gateways.insert(name, (id, span));
        None
    }

    /// Enters a name whose declaration could not be read.
    pub(crate) fn add_broken(&mut self, name: Name, is_external: bool) {
        self.broken.insert(name);
        self.has_broken_external |= is_external;
    }

    /// The first destination with this full host name.
    #[must_use]
    pub fn host(&self, host: &str) -> Option<DestinationId> {
        self.hosts.get(host)?.first().map(|one| one.id)
    }

    /// The destination of this name in a namespace.
    #[must_use]
    pub fn destination(&self, namespace: Option<&str>, name: &str) -> Option<DestinationId> {
        let key = (namespace.map(SmolStr::new), SmolStr::new(name));
        self.destinations.get(&key).map(|(id, _)| *id)
    }

    pub(crate) fn find(&self, reference: &Reference, own: Option<&str>) -> Found {
        if reference.namespace.is_none() && reference.name.contains('.') {
            let port = reference.port.map(|port| port.value.get());
            return match self.of_host(&reference.name, own, port) {
                Some(id) => Found::Destination(id, Some(reference.name.clone())),
                None if self.has_broken_external => Found::Broken,
                None => Found::Nothing,
            };
        }
        let namespace = reference.namespace.clone().or_else(|| own.map(SmolStr::new));
        let key = (namespace, reference.name.clone());
        match self.destinations.get(&key) {
            Some((id, _)) => Found::Destination(*id, None),
            None if self.broken.contains(&key) => Found::Broken,
            None => Found::Nothing,
        }
    }

    /// The report for a reference that leads nowhere.
    #[cold]
    pub(crate) fn unknown(&self, reference: &Reference, own: Option<&str>) -> Diagnostic {
        let written = match &reference.namespace {
            Some(namespace) => format!("{namespace}/{}", reference.name),
            None => reference.name.to_string(),
        };
        let span = reference.name_span;
        if let Some(report) = begun_action(reference) {
            return report;
        }
        if let Some(report) = self.half_a_name(&reference.name, span, own) {
            return report;
        }
        if let Some(report) = self.without_namespace(reference, own) {
            return report;
        }
        let dotted = reference.namespace.is_none() && reference.name.contains('.');
        let message = if dotted {
            format!("no service or external has the host `{written}`")
        } else {
            format!("there is no service or external `{written}`")
        };
        let report = Diagnostic::new(Code::UNKNOWN_DESTINATION, span, message)
            .consequence("Istio would answer these requests with 503");
        match self.meant(reference, own) {
            Some(meant) => {
                report.help(format!("did you mean `{meant}`?")).edit(Applicability::Unsafe, span, meant)
            }
            None if dotted => {
                report.help("declare it as an `external`, or as a `service` in the file of its namespace")
            }
            None => report.help(how_to_declare(reference, own)),
        }
    }

    /// A name that a file without a namespace declares, looked for from a namespace.
    fn without_namespace(&self, reference: &Reference, own: Option<&str>) -> Option<Diagnostic> {
        own.filter(|_| reference.namespace.is_none())?;
        let (_, declared) = self.destinations.get(&(None, reference.name.clone()))?;
        let message = format!("`{}` is declared in a file without a namespace", reference.name);
        Some(
            Diagnostic::new(Code::NAMESPACE_NEEDED, reference.name_span, message)
                .related(*declared, "declared here")
                .consequence("its full host name is not known, so no other namespace can address it")
                .help("write `namespace NAME` at the top of that file"),
        )
    }

    /// A name in another namespace, or the nearest one in reach.
    fn meant(&self, reference: &Reference, own: Option<&str>) -> Option<String> {
        let elsewhere = self.listed.iter().find(|(_, name)| *name == reference.name);
        if let Some((Some(namespace), name)) = elsewhere {
            return Some(format!("{namespace}/{name}"));
        }
        let namespace = reference.namespace.as_deref().or(own);
        let near = self.listed.iter().filter(|(home, _)| home.as_deref() == namespace);
        let meant = did_you_mean(&reference.name, near.map(|(_, name)| name.as_str()))?;
        Some(match &reference.namespace {
            Some(namespace) => format!("{namespace}/{meant}"),
            None => meant.to_owned(),
        })
    }

    /// `reviews.default`: a service and its namespace, which Istio takes for a full host name.
    pub(crate) fn half_a_name(&self, name: &str, span: Span, own: Option<&str>) -> Option<Diagnostic> {
        let (service, rest) = name.split_once('.')?;
        let namespace = rest.strip_suffix(".svc").unwrap_or(rest);
        let id = self.destinations.get(&(Some(SmolStr::new(namespace)), SmolStr::new(service)));
        id.filter(|_| !namespace.contains('.'))?;
        let right =
            if own == Some(namespace) { service.to_owned() } else { format!("{namespace}/{service}") };
        Some(
            Diagnostic::new(Code::HALF_A_NAME, span, format!("`{name}` is only half a host name"))
                .consequence("Istio never expands a name with a dot, and finds no such host")
                .help(format!("write `{right}`"))
                .edit(Applicability::Safe, span, right),
        )
    }

    /// The gateway of a reference; `Err` if its declaration could not be read.
    pub(crate) fn gateway(
        &self,
        reference: &GatewayReference,
        own: Option<&str>,
    ) -> Option<Result<Id<Resource<Gateway>>, ()>> {
        let namespace = reference.namespace.clone().or_else(|| own.map(SmolStr::new));
        let key = (namespace, reference.name.clone());
        match self.gateways.get(&key) {
            Some((id, _)) => Some(Ok(*id)),
            None => self.broken.contains(&key).then_some(Err(())),
        }
    }

    /// The report for a gateway that does not exist.
    #[cold]
    pub(crate) fn unknown_gateway(&self, reference: &GatewayReference, own: Option<&str>) -> Diagnostic {
        let message = format!("there is no gateway `{}`", reference.name);
        let report = Diagnostic::new(Code::UNKNOWN_GATEWAY, reference.span, message)
            .consequence("Istio would ignore the binding: no gateway would serve the host");
        let elsewhere = self.listed_gateways.iter().find(|(_, name)| *name == reference.name);
        if let Some((Some(namespace), name)) = elsewhere.filter(|(home, _)| home.as_deref() != own) {
            let meant = format!("{namespace}/{name}");
            return report.help(format!("did you mean `{meant}`?")).edit(
                Applicability::Unsafe,
                reference.span,
                meant,
            );
        }
        match did_you_mean(&reference.name, self.listed_gateways.iter().map(|(_, name)| name.as_str())) {
            Some(meant) => report.help(format!("did you mean `{meant}`?")).edit(
                Applicability::Unsafe,
                reference.span,
                meant.to_owned(),
            ),
            None if reference.name == "*" => {
                report.help("name each gateway: `via edge, mesh`; `mesh` is for clients inside the mesh")
            }
            None => match &reference.namespace {
                Some(home) if Some(home.as_str()) != own => report.help(format!(
                    "declare it in a file with `namespace {home}`: `gateway {} {{ ... }}`",
                    reference.name
                )),
                _ => report.help(format!("declare it: `gateway {} {{ ... }}`", reference.name)),
            },
        }
    }
}

/// `-> respond` where no destination is called so: an action that lacks the rest.
fn begun_action(reference: &Reference) -> Option<Diagnostic> {
    let alone = reference.namespace.is_none() && reference.port.is_none() && reference.subset.is_none();
    let name = reference.name.as_str();
    let (needs, example) = match name {
        "redirect" => ("what changes", "redirect 301 scheme https"),
        "respond" => ("an HTTP status", "respond 404"),
        "delegate" => ("the name of a host block", "delegate shop/inner"),
        _ => return None,
    };
    alone.then(|| {
        let message = format!("`{name}` needs {needs}");
        let report = Diagnostic::new(Code::MISSING_ARGUMENT, reference.name_span, message);
        report.help(format!("for example `{example}`"))
    })
}

/// What to do about a name that nothing declares.
fn how_to_declare(reference: &Reference, own: Option<&str>) -> String {
    let name = &reference.name;
    if let Err(error) = DnsLabel::parse(name) {
        let message = error.message;
        return format!("{message}; a service or external of Kubernetes or Istio cannot have it");
    }
    match &reference.namespace {
        Some(home) if Some(home.as_str()) != own => {
            format!("declare it in a file with `namespace {home}`: `service {name} {{ port http 80 }}`")
        }
        _ => format!("declare it: `service {name} {{ port http 80 }}`"),
    }
}
