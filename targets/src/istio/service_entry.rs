//! ServiceEntries: what the platform does not know.

use super::api;
use super::visibility::export_to;
use crate::provenance::Source;
use crate::yaml::Sourced;
use meshc_compiler::model::{
    Endpoint, EndpointBody, EndpointPort, External, ExternalBody, Location, Port, Resolution,
};
use meshc_compiler::reading::Comma;
use meshc_compiler::values::Label;
use meshc_language::Spanned;
use smol_str::SmolStr;

pub(super) fn spec(external: &External, from: &Source<'_>) -> api::ServiceEntry {
    let External { name: _, body, via: _, span: _, attributes: _ } = external;
    let ExternalBody {
        hosts,
        addresses,
        ports,
        resolution,
        endpoints,
        workload,
        location,
        names,
        subsets: _,
        visibility,
        traffic: _,
    } = body;
    let sourced = |one: &Endpoint| {
        Sourced::new(from.part(one.span, format_args!("endpoint {}", one.address.value)), endpoint(one))
    };
    api::ServiceEntry {
        hosts: hosts
            .iter()
            .flat_map(|hosts| hosts.iter())
            .map(|host| SmolStr::new(host.value.as_str()))
            .collect(),
        addresses: addresses.iter().flatten().map(|one| SmolStr::new(one.value.to_string())).collect(),
        ports: ports.iter().map(|port| Sourced::from(service_port(port))).collect(),
        location: location.and_then(|location| match location.value {
            Location::External => None,
            Location::Internal => Some(api::Location::MeshInternal),
        }),
        resolution: resolution.and_then(|resolution| match resolution.value {
            Resolution::None => None,
            Resolution::Static => Some(api::Resolution::Static),
            Resolution::Dns => Some(api::Resolution::Dns),
            Resolution::DnsRoundRobin => Some(api::Resolution::DnsRoundRobin),
            Resolution::DynamicDns => Some(api::Resolution::DynamicDns),
        }),
        endpoints: endpoints.iter().map(sourced).collect(),
        workload_selector: workload
            .as_ref()
            .map(|labels| Box::new(api::WorkloadSelector { labels: label_map(Some(labels)) })),
        export_to: export_to(visibility.as_ref()),
        subject_alt_names: names.iter().flatten().map(|name| SmolStr::new(name.value.as_str())).collect(),
    }
}

fn service_port(port: &Port) -> api::ServicePort {
    let Port { protocol, number, name: _, target, traffic: _, span: _, attributes: _ } = port;
    api::ServicePort {
        number: u32::from(number.value.get()),
        name: port.port_name(),
        protocol: Some(SmolStr::new_static(protocol.value.istio())),
        target_port: target.map(|target| u32::from(target.value.get())),
    }
}

fn endpoint(endpoint: &Endpoint) -> api::WorkloadEntry {
    let Endpoint { address, body, span: _, attributes: _ } = endpoint;
    let EndpointBody { ports, labels, network, locality, weight, service_account } = body;
    let number = |EndpointPort { name, number, span: _, attributes: _ }: &EndpointPort| {
        (SmolStr::new(name.value.as_str()), u32::from(number.value.get()))
    };
    api::WorkloadEntry {
        address: Some(SmolStr::new(address.value.to_string())),
        ports: ports.iter().map(number).collect(),
        labels: label_map(labels.as_ref()),
        network: network.as_ref().map(|text| SmolStr::new(text.value.as_str())),
        locality: locality.as_ref().map(|text| SmolStr::new(text.value.as_str())),
        weight: weight.map(|weight| weight.value.get()),
        service_account: service_account.as_ref().map(|text| SmolStr::new(text.value.as_str())),
    }
}

fn label_map(labels: Option<&Comma<Spanned<Label>>>) -> api::StringMap<SmolStr> {
    let labels = labels.into_iter().flat_map(|labels| labels.iter());
    labels.map(|label| (label.value.key().as_str(), SmolStr::new(label.value.value().as_str()))).collect()
}
