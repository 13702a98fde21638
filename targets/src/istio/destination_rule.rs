//! DestinationRules: how services and externals are called.

use super::api;
use super::egress;
use super::policy::{port_traffic, traffic};
use super::visibility::export_to;
use crate::provenance::Source;
use crate::yaml::Sourced;
use meshc_compiler::model::{
    External, Id, Model, Port, Resource, Service, ServiceBody, Subset, SubsetBody, Visibility,
};
use meshc_compiler::policy::TrafficPolicy;
use smol_str::SmolStr;

/// The rule of a service; `None` if nothing is said of how it is called.
pub(super) fn of_service(
    model: &Model,
    id: Id<Resource<Service>>,
    service: &Resource<Service>,
    from: &Source<'_>,
) -> Option<api::DestinationRule> {
    let Service { name: _, body, span: _, attributes: _ } = &service.declared;
    let ServiceBody { ports, host: _, subsets, visibility, policies: _, traffic } = body;
    let host = model.mesh.service_host(service);
    let mut rule = rule(host, ports, subsets, traffic, visibility.as_ref(), from);
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
    let host = SmolStr::new(body.hosts.as_ref()?.get(host)?.value.as_str());
    let rule = rule(host, &body.ports, &body.subsets, &body.traffic, body.visibility.as_ref(), from);
    (rule.traffic_policy.is_some() || !rule.subsets.is_empty()).then_some(rule)
}

fn rule(
    host: SmolStr,
    ports: &[Port],
    subsets: &[Subset],
    policy: &TrafficPolicy,
    visibility: Option<&Visibility>,
    from: &Source<'_>,
) -> api::DestinationRule {
    let port_level_settings: Vec<Sourced<api::PortTrafficPolicy>> = ports
        .iter()
        .filter_map(|Port { protocol, number, name: _, target: _, traffic, span, attributes: _ }| {
            let policy = port_traffic(u32::from(number.value.get()), traffic)?;
            let part = format_args!("port {} {}", protocol.value.word(), number.value.get()).to_string();
            Some(Sourced::new(from.part(*span, part), policy))
        })
        .collect();
    let mut traffic_policy = traffic(policy);
    if !port_level_settings.is_empty() {
        traffic_policy.get_or_insert_default().port_level_settings = port_level_settings;
    }
    let sourced = |one: &Subset| {
        Sourced::new(from.part(one.span, format_args!("subset {}", one.name.value)), subset(one))
    };
    api::DestinationRule {
        host,
        traffic_policy: traffic_policy.map(|policy| Box::new(Sourced::from(policy))),
        subsets: subsets.iter().map(sourced).collect(),
        export_to: export_to(visibility),
        workload_selector: None,
    }
}

fn subset(subset: &Subset) -> api::Subset {
    let Subset { name, body, span: _, attributes: _ } = subset;
    let SubsetBody { labels, policies: _, traffic: policy } = body;
    let labels = labels.iter().flat_map(|labels| labels.iter());
    api::Subset {
        name: SmolStr::new(name.value.as_str()),
        labels: labels
            .map(|label| (label.value.key().as_str(), SmolStr::new(label.value.value().as_str())))
            .collect(),
        traffic_policy: traffic(policy).map(Box::new),
    }
}
