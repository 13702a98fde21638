//! DestinationRules: how services and externals are called.

use super::api;
use super::egress;
use super::policy::{Carried, Server, is_own, port_traffic, traffic};
use super::visibility::export_to;
use crate::provenance::Source;
use crate::yaml::Sourced;
use meshc_compiler::model::{
    External, Id, Model, Port, Resource, Service, ServiceBody, Subset, SubsetBody, Visibility,
};
use meshc_compiler::policy::TrafficPolicy;
use meshc_compiler::values::{HostPattern, Literal, Protocol};
use smol_str::SmolStr;

/// The rule of a service; `None` if nothing is said of how it is called.
pub(super) fn of_service(
    model: &Model,
    id: Id<Resource<Service>>,
    service: &Resource<Service>,
    from: &Source<'_>,
) -> Option<api::DestinationRule> {
    let Service { name: _, body, span: _, attributes: _ } = &service.declared;
    let ServiceBody { ports, host: _, subsets, visibility, traffic } = body;
    let called = Called {
        host: model.mesh.service_host(service),
        ports,
        subsets,
        policy: traffic,
        visibility: visibility.as_ref(),
        named: false,
    };
    let mut rule = rule(&called, from);
    rule.subsets.extend(egress::subsets(model, id, from));
    (rule.traffic_policy.is_some() || !rule.subsets.is_empty()).then_some(rule)
}

/// The rule for one host of an external; `None` if nothing is said of how it is called.
pub(super) fn of_external(
    external: &External,
    host: usize,
    from: &Source<'_>,
) -> Option<api::DestinationRule> {
    let body = &external.body;
    let called = Called {
        host: SmolStr::new(body.hosts.as_ref()?.get(host)?.value.as_str()),
        ports: &body.ports,
        subsets: &body.subsets,
        policy: &body.traffic,
        visibility: body.visibility.as_ref(),
        named: body.names.is_some(),
    };
    let rule = rule(&called, from);
    (rule.traffic_policy.is_some() || !rule.subsets.is_empty()).then_some(rule)
}

/// A destination as its rule sees it.
struct Called<'m> {
    host: SmolStr,
    ports: &'m [Port],
    subsets: &'m [Subset],
    policy: &'m TrafficPolicy,
    visibility: Option<&'m Visibility>,
    /// Whether its ServiceEntry names the servers' certificates.
    named: bool,
}

impl Called<'_> {
    fn server(&self) -> Server<'_> {
        let pattern = HostPattern::parse(&self.host).ok();
        let is_name = pattern.is_some_and(|host| !host.is_wildcard() && !host.is_ip());
        Server { name: is_name.then_some(self.host.as_str()), named_elsewhere: self.named }
    }

    /// What goes over the connections of a policy that holds on all ports without one of their own.
    fn carried(&self) -> Carried {
        let mut shared = self.ports.iter().filter(|port| port.traffic.is_empty()).map(carried).peekable();
        if shared.peek().is_some() && shared.all(|carried| carried == Carried::Bytes) {
            Carried::Bytes
        } else {
            Carried::Requests
        }
    }

    /// Whether a policy holds for requests and for bytes, and needs a name for the latter alone.
    fn differs_by_port(&self, policy: &TrafficPolicy) -> bool {
        let nameless = policy.tls.as_deref().is_some_and(|tls| is_own(tls) && tls.body.sni.is_none());
        nameless && self.carried() == Carried::Requests
    }
}

/// Requests travel over a port for `https` as well: whoever sends them there begins the TLS.
fn carried(port: &Port) -> Carried {
    let protocol = port.protocol.value;
    let requests = protocol.is_http_family() || protocol == Protocol::Https;
    if requests { Carried::Requests } else { Carried::Bytes }
}

fn rule(called: &Called<'_>, from: &Source<'_>) -> api::DestinationRule {
    let (server, shared) = (called.server(), called.carried());
    let port_level_settings: Vec<Sourced<api::PortTrafficPolicy>> = called
        .ports
        .iter()
        .filter_map(|port| {
            let Port { protocol, number, name: _, target: _, traffic, span, attributes: _ } = port;
            let differs = carried(port) == Carried::Bytes && called.differs_by_port(called.policy);
            // A port's policy takes the place of the destination's, so all of that is repeated.
            let policy = if traffic.is_empty() && differs { called.policy } else { traffic };
            let policy = port_traffic(u32::from(number.value.get()), policy, server, carried(port))?;
            let part = format_args!("port {} {}", protocol.value.word(), number.value.get()).to_string();
            Some(Sourced::new(from.part(*span, part), policy))
        })
        .collect();
    let mut traffic_policy = traffic(called.policy, server, shared);
    if !port_level_settings.is_empty() {
        traffic_policy.get_or_insert_default().port_level_settings = port_level_settings;
    }
    api::DestinationRule {
        host: called.host.clone(),
        traffic_policy: traffic_policy.map(|policy| Box::new(Sourced::from(policy))),
        subsets: called
            .subsets
            .iter()
            .map(|one| {
                let comment = from.part(one.span, format_args!("subset {}", one.name.value));
                Sourced::new(comment, subset(called, one))
            })
            .collect(),
        export_to: export_to(called.visibility),
        workload_selector: None,
    }
}

fn subset(called: &Called<'_>, subset: &Subset) -> api::Subset {
    let Subset { name, body, span: _, attributes: _ } = subset;
    let SubsetBody { labels, traffic: policy } = body;
    let labels = labels.iter().flat_map(|labels| labels.iter());
    api::Subset {
        name: SmolStr::new(name.value.as_str()),
        labels: labels
            .map(|label| (label.value.key().as_str(), SmolStr::new(label.value.value().as_str())))
            .collect(),
        traffic_policy: subset_policy(called, policy).map(Box::new),
    }
}

/// A subset's policy holds on every port, whatever the port says.
fn subset_policy(called: &Called<'_>, policy: &TrafficPolicy) -> Option<api::TrafficPolicy> {
    let server = called.server();
    let all_bytes = called.ports.iter().all(|port| carried(port) == Carried::Bytes);
    let on_all = if all_bytes && !called.ports.is_empty() { Carried::Bytes } else { Carried::Requests };
    let mut on_all_ports = traffic(policy, server, on_all)?;
    let nameless = policy.tls.as_deref().is_some_and(|tls| is_own(tls) && tls.body.sni.is_none());
    if nameless && on_all == Carried::Requests {
        let bytes = called.ports.iter().filter(|port| carried(port) == Carried::Bytes);
        on_all_ports.port_level_settings = bytes
            .filter_map(|port| {
                port_traffic(u32::from(port.number.value.get()), policy, server, Carried::Bytes)
            })
            .map(Sourced::from)
            .collect();
    }
    Some(on_all_ports)
}
