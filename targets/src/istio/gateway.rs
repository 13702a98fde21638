//! Gateways, with the listeners that egress needs.

use super::api;
use super::egress;
use super::layout::{Layout, Part, kept_hosts};
use super::policy::path;
use crate::provenance::{self, Source};
use crate::yaml::Sourced;
use meshc_compiler::model::{
    Certificate, CertificateBody, Gateway, GatewayBody, HostNamespace, Id, Listener, ListenerBody, Model,
    RedirectTarget, Resource, ServerHost, ServerTls, ServerTlsBody, ServerTlsMode, Workload,
};
use meshc_compiler::values::TlsVersion;
use smol_str::SmolStr;

pub(super) fn spec(
    model: &Model,
    layout: &Layout,
    (id, part): (Id<Resource<Gateway>>, Part),
    gateway: &Resource<Gateway>,
    from: &Source<'_>,
) -> api::Gateway {
    let Gateway { name: _, body, service: _, span: _, attributes: _ } = &gateway.declared;
    let GatewayBody { controller: _, workload, listeners } = body;
    // The selector takes pods of every namespace.
    let labels = workload.as_ref().map_or(&[][..], |Workload { labels, namespace: _, span: _ }| labels);
    let home = gateway.namespace_name();
    let named = listeners.iter().zip(gateway.port_names()).enumerate();
    let mut servers: Vec<Sourced<api::Server>> = named
        .filter(|(at, _)| layout.part_of(id, *at) == part)
        .map(|(_, (listener, name))| {
            let comment = from.part(listener.span, provenance::listener(listener));
            Sourced::new(comment, server(listener, name, home))
        })
        .collect();
    if part == Part::Main {
        servers.extend(egress::servers(model, id, from));
    }
    api::Gateway {
        selector: labels
            .iter()
            .map(|label| (label.value.key().as_str(), SmolStr::new(label.value.value().as_str())))
            .collect(),
        servers,
    }
}

fn server(listener: &Listener, port_name: SmolStr, home: Option<&str>) -> api::Server {
    let Listener { protocol, port, body, span: _, attributes: _ } = listener;
    let ListenerBody { hosts: _, tls, redirect, bind, name, port_name: _ } = body;
    api::Server {
        port: api::Port {
            number: u32::from(port.value.get()),
            name: port_name,
            protocol: SmolStr::new_static(protocol.value.istio()),
            target_port: None,
        },
        bind: bind.as_ref().map(|address| SmolStr::new(address.value.bound().to_string())),
        hosts: kept_hosts(listener, home).map(server_host).collect(),
        tls: tls_settings(tls.as_deref(), redirect.map(|redirect| redirect.target)).map(Box::new),
        default_endpoint: None,
        name: name.as_ref().map(|name| SmolStr::new(name.value.as_str())),
    }
}

fn server_host(host: &ServerHost) -> SmolStr {
    let ServerHost { namespace, host } = host;
    match namespace {
        None => SmolStr::new(host.as_str()),
        Some(HostNamespace::Own) => SmolStr::new(format!("./{host}")),
        Some(HostNamespace::Any) => SmolStr::new(format!("*/{host}")),
        Some(HostNamespace::Named(namespace)) => SmolStr::new(format!("{namespace}/{host}")),
    }
}

fn tls_settings(tls: Option<&ServerTls>, redirect: Option<RedirectTarget>) -> Option<api::ServerTlsSettings> {
    let https_redirect = redirect.map(|RedirectTarget::Https| true);
    let Some(tls) = tls else {
        https_redirect?;
        return Some(api::ServerTlsSettings { https_redirect, ..api::ServerTlsSettings::default() });
    };
    let ServerTls { mode, body, span: _, attributes: _ } = tls;
    let ServerTlsBody {
        credential,
        credentials,
        ca_credential,
        cert,
        key,
        ca,
        crl,
        certificates,
        names,
        spki,
        hash,
        min_version,
        max_version,
        ciphers,
        skip_verify,
    } = body;
    Some(api::ServerTlsSettings {
        https_redirect,
        mode: Some(match mode.value {
            ServerTlsMode::Simple => api::ServerTlsMode::Simple,
            ServerTlsMode::Mutual => api::ServerTlsMode::Mutual,
            ServerTlsMode::OptionalMutual => api::ServerTlsMode::OptionalMutual,
            ServerTlsMode::Passthrough => api::ServerTlsMode::Passthrough,
            ServerTlsMode::AutoPassthrough => api::ServerTlsMode::AutoPassthrough,
            ServerTlsMode::IstioMutual => api::ServerTlsMode::IstioMutual,
        }),
        server_certificate: path(cert.as_ref()),
        private_key: path(key.as_ref()),
        ca_certificates: path(ca.as_ref()),
        ca_crl: path(crl.as_ref()),
        credential_name: credential.as_ref().map(|name| SmolStr::new(name.value.to_string())),
        credential_names: texts(credentials.as_deref()),
        ca_cert_credential_name: ca_credential.as_ref().map(|name| SmolStr::new(name.value.to_string())),
        tls_certificates: certificates.iter().map(certificate).collect(),
        subject_alt_names: texts(names.as_deref()),
        verify_certificate_spki: texts(spki.as_deref()),
        verify_certificate_hash: texts(hash.as_deref()),
        min_protocol_version: min_version.map(|version| tls_version(version.value)),
        max_protocol_version: max_version.map(|version| tls_version(version.value)),
        cipher_suites: ciphers
            .iter()
            .flat_map(|suites| suites.iter())
            .map(|suite| SmolStr::new(suite.value.to_string()))
            .collect(),
        insecure_skip_verify: skip_verify.map(|skip| skip.value.is_on()),
    })
}

fn texts<T: std::fmt::Display>(values: Option<&[meshc_language::Spanned<T>]>) -> Vec<SmolStr> {
    values.unwrap_or_default().iter().map(|value| SmolStr::new(value.value.to_string())).collect()
}

fn certificate(certificate: &Certificate) -> api::TlsCertificate {
    let Certificate { body: CertificateBody { cert, key }, span: _, attributes: _ } = certificate;
    api::TlsCertificate {
        server_certificate: path(cert.as_ref()),
        private_key: path(key.as_ref()),
        ca_certificates: None,
    }
}

fn tls_version(version: TlsVersion) -> api::TlsProtocol {
    match version {
        TlsVersion::V1_0 => api::TlsProtocol::V1_0,
        TlsVersion::V1_1 => api::TlsProtocol::V1_1,
        TlsVersion::V1_2 => api::TlsProtocol::V1_2,
        TlsVersion::V1_3 => api::TlsProtocol::V1_3,
    }
}
