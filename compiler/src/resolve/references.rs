//! References to destinations and gateways, looked up: what they name, or a report of what is wrong with them.

use super::Resolver;
use super::deprecation::deprecated_use;
use crate::declared::{GatewayReference, Reference};
use crate::model::{
    Destination, DestinationId, Found, FrontService, Gateway, Id, Known, Resource, deprecation,
};
use crate::values::{Port as Number, Protocol, did_you_mean};
use meshc_language::{Applicability, Code, Diagnostic};
use smol_str::SmolStr;

impl Resolver<'_, '_> {
    /// What a reference names.
    pub(super) fn destination(&mut self, reference: &Reference) -> Option<Destination> {
        let mesh = self.mesh;
        let own = self.namespace_name();
        let (target, host) = match mesh.directory.find(reference, own) {
            Found::Destination(target, host) => (target, host),
            Found::Broken => return None,
            Found::Nothing => {
                self.report(reference.settle(mesh.directory.unknown(reference, own)));
                return None;
            }
        };
        let known = mesh.known(target)?;
        if let Some(deprecation) = known.deprecation {
            self.report(deprecated_use(known.what, known.name, deprecation, reference.name_span));
        }
        let port_is_known = self.check_port(reference, target, &known);
        // One that somebody else declares can be accepted: Istio is told its name.
        self.check_subset(reference, &known);
        self.report_deprecated_subset(reference, &known);
        let host = self.check_host(reference, target, host);
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
    pub(super) fn bound(&mut self, reference: &Reference) -> Option<(DestinationId, Option<Number>)> {
        let mesh = self.mesh;
        let own = self.namespace_name();
        let target = match mesh.directory.find(reference, own) {
            Found::Destination(target, _) => target,
            Found::Broken => return None,
            Found::Nothing => {
                let mut report = reference.settle(mesh.directory.unknown(reference, own));
                report.consequence = Some("its addresses would never be used".to_owned());
                self.report(report);
                return None;
            }
        };
        let known = mesh.known(target)?;
        let port_is_known = reference.port.is_none() || self.check_port(reference, target, &known);
        let subset_is_known = self.check_subset(reference, &known);
        (port_is_known && subset_is_known).then_some((target, reference.port.map(|port| port.value)))
    }

    fn check_port(&mut self, reference: &Reference, target: DestinationId, known: &Known<'_>) -> bool {
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
                self.report(reference.settle(report));
                false
            }
            // Each port leads to its own.
            None if known.ports.len() > 1 && self.own_host == Some(target) => true,
            // A port that is declared twice is reported as that.
            None if is_one_port(known) => true,
            None if known.ports.len() > 1 => {
                let message = format!("{} `{}` has several ports; choose one", known.what, known.name);
                self.report(
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

    fn check_subset(&mut self, reference: &Reference, known: &Known<'_>) -> bool {
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
        self.report(reference.settle(report));
        false
    }

    /// An external with several hosts is addressed by one of them.
    fn check_host(
        &mut self,
        reference: &Reference,
        target: DestinationId,
        host: Option<SmolStr>,
    ) -> Option<Option<SmolStr>> {
        let DestinationId::External(id) = target else { return Some(None) };
        let mesh = self.mesh;
        let external = mesh.externals.get(id)?;
        let hosts = external.body.hosts.as_ref().map_or(&[][..], |hosts| hosts);
        if host.is_some() || hosts.len() == 1 {
            return Some(host);
        }
        let names: Vec<String> = hosts.iter().map(|host| host.value.to_string()).collect();
        if !external.incomplete {
            let message = format!("external `{}` has several hosts; choose one", reference.name);
            self.report(
                Diagnostic::new(Code::UNKNOWN_DESTINATION, reference.span, message)
                    .related(external.name.span, "declared here")
                    .help(format!("name one of {}", crate::reading::listed(&names))),
            );
        }
        None
    }

    /// Resolves a reference to a gateway; reports it if there is none.
    pub(super) fn gateway(&mut self, reference: &GatewayReference) -> Option<Id<Resource<Gateway>>> {
        let mesh = self.mesh;
        let own = self.namespace_name();
        match mesh.directory.gateway(reference, own) {
            Some(Ok(id)) => {
                let attributes = mesh.gateways.get(id).and_then(|gateway| gateway.attributes.as_deref());
                if let Some(deprecation) = deprecation(attributes) {
                    self.report(deprecated_use("gateway", &reference.name, deprecation, reference.span));
                }
                Some(id)
            }
            Some(Err(())) => None,
            None => {
                self.report(mesh.directory.unknown_gateway(reference, own));
                None
            }
        }
    }

    /// Resolves a reference to the service in front of a gateway: a declared one, or a full host name as it is.
    pub(super) fn front_service(&mut self, reference: &Reference) -> Option<FrontService> {
        let mesh = self.mesh;
        let own = self.namespace_name();
        match mesh.directory.find(reference, own) {
            Found::Destination(DestinationId::Service(id), _) => Some(FrontService::Declared(id)),
            Found::Nothing if reference.namespace.is_none() && reference.name.matches('.').count() > 1 => {
                Some(FrontService::Outside(reference.name.clone()))
            }
            Found::Broken => None,
            Found::Destination(DestinationId::External(_), _) => {
                let message =
                    format!("`{}` is an external and cannot be the service of a gateway", reference.name);
                let report = Diagnostic::new(Code::UNKNOWN_DESTINATION, reference.span, message);
                self.report(report.help("use the service of the gateway's workloads"));
                None
            }
            Found::Nothing => {
                self.report(mesh.directory.unknown(reference, own));
                None
            }
        }
    }

    /// A subset that is on its way out is still bound to addresses, but no route should go there.
    fn report_deprecated_subset(&mut self, reference: &Reference, known: &Known<'_>) {
        let Some(subset) = &reference.subset else { return };
        let declared = known.subsets.iter().find(|known| known.name.value.as_str() == subset.value);
        if let Some(deprecation) = declared.and_then(|declared| deprecation(declared.attributes.as_deref())) {
            self.report(deprecated_use("subset", &subset.value, deprecation, subset.span));
        }
    }
}

/// Whether all ports of a destination are the same one, however often it is declared.
fn is_one_port(known: &Known<'_>) -> bool {
    let Some(first) = known.ports.first() else { return false };
    let is_datagram = |port: &crate::model::Port| port.protocol.value == Protocol::Udp;
    known
        .ports
        .iter()
        .all(|port| port.number.value == first.number.value && is_datagram(port) == is_datagram(first))
}
