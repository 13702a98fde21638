//! `host`: what its names and bindings stand for.

use super::Resolver;
use crate::declared::{self, Via};
use crate::model::{Binding, BindingKind, DestinationId, Found, Host, HostName, HostNameKind};
use crate::values::{HostPattern, Literal};
use meshc_language::{Applicability, Code, Diagnostic, Span, Spanned};
use smol_str::SmolStr;

impl Resolver<'_, '_> {
    /// A host block with its routes, without the names, bindings and routes that lead nowhere.
    pub(crate) fn host(&mut self, declared: declared::Host) -> Host {
        let declared::Host { names, via, body, routes: declared_routes, span, attributes } = declared;
        let via = self.entrances(via);
        let written: Vec<SmolStr> = names.iter().filter_map(written).collect();
        let names: Vec<HostName> =
            names.into_iter().filter_map(|name| self.host_name(name, &written)).collect();
        self.own_host = own_service(&names, &via);
        let mut routes = Vec::with_capacity(declared_routes.len());
        for route in declared_routes {
            match self.route(route) {
                Some(route) => routes.push(route),
                None => self.lost = true,
            }
        }
        self.own_host = None;
        Host { names, via, body, routes, span, attributes }
    }

    fn entrances(&mut self, via: Vec<Spanned<Via>>) -> Vec<Binding> {
        let mut bindings: Vec<Binding> = Vec::with_capacity(via.len());
        for Spanned { value, span } in via {
            let kind = match value {
                Via::Mesh => Some(BindingKind::Mesh),
                Via::Delegate => Some(BindingKind::Delegate),
                Via::Gateway(reference) => self.gateway(&reference).map(BindingKind::Gateway),
            };
            match kind {
                Some(kind) if bindings.iter().any(|earlier| earlier.kind == kind) => {
                    let message = "this binding is given twice";
                    let report = Diagnostic::new(Code::REPEATED_STATEMENT, span, message);
                    self.report(report.help("remove one of them"));
                }
                Some(kind) => bindings.push(Binding { kind, span }),
                None => self.lost = true,
            }
        }
        if bindings.len() > 1
            && let Some(delegate) = bindings.iter().find(|binding| binding.kind == BindingKind::Delegate)
        {
            let message = "a delegate has no other binding";
            let report = Diagnostic::new(Code::BAD_DELEGATION, delegate.span, message);
            self.report(
                report
                    .consequence("Istio would refuse it")
                    .help("make a host block of its own for the delegation"),
            );
        }
        bindings
    }

    /// What a name stands for. `all` are the names of its block.
    fn host_name(&mut self, declared: declared::HostName, all: &[SmolStr]) -> Option<HostName> {
        let declared::HostName { kind, span, origin } = declared;
        match kind {
            declared::HostNameKind::Delegate(name) => {
                Some(HostName { kind: HostNameKind::Delegate(name), patterns: Vec::new(), span })
            }
            declared::HostNameKind::Pattern(pattern, written) => {
                let half = self.mesh.directory.half_a_name(&written, span, self.namespace_name());
                // Beside the whole name it is one more way to ask for the service.
                let is_beside = all.iter().any(|other| is_whole_of(&written, other));
                if let Some(report) = half.filter(|_| !is_beside) {
                    self.report_at(origin, half_a_host(&written, report));
                }
                Some(HostName::pattern(pattern, span))
            }
            declared::HostNameKind::Reference(reference) if reference.name == "*" => {
                Some(HostName::pattern(HostPattern::parse("*").ok()?, span))
            }
            declared::HostNameKind::Reference(reference) => self.host_of(&reference, span, origin),
        }
    }

    fn host_of(
        &mut self,
        reference: &declared::Reference,
        span: Span,
        origin: Option<Span>,
    ) -> Option<HostName> {
        let mesh = self.mesh;
        let own = self.namespace_name();
        match mesh.directory.find(reference, own) {
            Found::Destination(id, _) => Some(HostName::destination(id, mesh, span)),
            Found::Broken => None,
            Found::Nothing => {
                let mut report = mesh.directory.unknown(reference, own);
                report.consequence = Some("Istio would route a host that no client can address".to_owned());
                if let Some(fix) = &mut report.fix {
                    fix.applicability = Applicability::Unsafe;
                } else if reference.namespace.is_none() && matches!(reference.name.as_str(), "any" | "all") {
                    report.help = Some(
                        "every host of a gateway is `*`; a service of this name has to be declared"
                            .to_owned(),
                    );
                }
                self.report_at(origin, report);
                self.lost = true;
                None
            }
        }
    }
}

/// A name of a host block as it was written.
fn written(name: &declared::HostName) -> Option<SmolStr> {
    match &name.kind {
        declared::HostNameKind::Pattern(_, written) => Some(written.clone()),
        declared::HostNameKind::Reference(reference) => Some(reference.name.clone()),
        declared::HostNameKind::Delegate(_) => None,
    }
}

/// Whether a name goes on where another ends: `hello.default` in `hello.default.svc.cluster.local`, or is its short form, `hello`.
fn is_whole_of(half: &str, other: &str) -> bool {
    let goes_on = other
        .strip_prefix(half)
        .is_some_and(|rest| rest.matches('.').count() > 2 || rest.starts_with(".svc."));
    let is_short = !other.contains('.') && half.split('.').next() == Some(other);
    goes_on || other.strip_prefix(half).is_some_and(|rest| rest.starts_with(".cluster.")) || is_short
}

/// The service that a host block is for, if it is for one alone and inside the mesh: callers choose the port.
fn own_service(names: &[HostName], via: &[Binding]) -> Option<DestinationId> {
    let in_mesh = via.iter().all(|binding| binding.kind == BindingKind::Mesh);
    match names {
        [
            HostName {
                kind: HostNameKind::Destination(id @ DestinationId::Service(_)),
                patterns: _,
                span: _,
            },
        ] if in_mesh => Some(*id),
        _ => None,
    }
}

/// A host that ends in the middle of a service's name is one that Istio serves as it stands, on the port of hosts that it does not
/// know.
#[cold]
fn half_a_host(name: &str, half: Diagnostic) -> Diagnostic {
    let mut report = Diagnostic::new(Code::ONLY_PORT_80, half.span, half.message).consequence(format!(
        "Istio would route requests for `{name}` itself, on port 80 only, and none for the service"
    ));
    report.help = half.help;
    report.fix = half.fix;
    if let Some(fix) = &mut report.fix {
        fix.applicability = Applicability::Unsafe;
    }
    report
}
