//! `bindings`: where a raw proxy finds endpoints and certificates. Istio knows both from its platform; routes stay free of them.

use super::reference::Reference;
use crate::policy::FileRef;
use crate::reading::{Args, Comma, List, Reader, Syntax, TypeDoc, keyword, section, wherever_written};
use crate::values::{HostPort, Label, PositiveCount, SecretName, SocketAddress, Text, words};
use meshc_language::{Span, Spanned};

keyword! {
    /// Where raw proxies find endpoints and certificates, and whether they are deployed.
    pub struct Bindings {
        body required body: BindingsBody;
    }
}

section! {
    /// Addresses and files. Istio needs none of them.
    pub struct BindingsBody {
        /// Where the endpoints of a service, an external or a subset are.
        many "address" addresses: AddressStatement;
        /// Where everything is that has no `address`.
        once "default" default: Spanned<Platform>;
        /// Where the raw proxies of this namespace find a certificate that gateways and destinations name with `credential`. In a file without a namespace: those of all namespaces that have no such `secret` of their own.
        many "secret" secrets: SecretBinding;
        /// Whether the proxies are wrapped for a platform: a ConfigMap, a Deployment and a Service each.
        once "deploy" deploy: Deploy;
    }
}

words! {
    /// A platform that finds endpoints and mounts secrets.
    pub enum Platform: "platform" {
        Kubernetes = "kubernetes" "a headless Service for each service and subset, made by the compiler; certificates from Secrets",
    }
}

/// `address reviews@v1 endpoints [10.0.0.1:9080 weight 3]`.
#[derive(Clone, Debug, PartialEq)]
pub struct AddressStatement {
    /// What is bound.
    pub reference: Reference,
    /// Where it is.
    pub kind: AddressKind,
}

/// How endpoints are found.
#[derive(Clone, Debug, PartialEq)]
pub enum AddressKind {
    /// By a headless Service over the pods with these labels and those of the subset; `app=NAME` if none are given.
    Kubernetes {
        /// The labels.
        labels: Vec<Spanned<Label>>,
    },
    /// By DNS.
    Dns(HostPort),
    /// At these addresses.
    Endpoints(Vec<BoundAddress>),
}

/// `10.0.0.1:9080 weight 3`.
#[derive(Clone, Debug)]
pub struct BoundAddress {
    /// The address.
    pub place: Spanned<SocketAddress>,
    /// Its share of the traffic, relative to the others; 1 by default.
    pub weight: Option<Spanned<PositiveCount>>,
    /// Where it was written.
    pub span: Span,
}

wherever_written!(BoundAddress { place, weight } at { span });

impl Syntax for BoundAddress {
    fn read<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<Self> {
        let place: Spanned<SocketAddress> = Spanned::read(args, cx)?;
        let weight = match args.take_word("weight", cx) {
            Some(_) => Some(Spanned::read(args, cx)?),
            None => None,
        };
        Some(Self { span: place.span.to(args.last), place, weight })
    }

    fn signature() -> String {
        format!("{} [weight <count>]", Spanned::<SocketAddress>::signature())
    }

    fn types(types: &mut Vec<TypeDoc>) {
        Spanned::<SocketAddress>::types(types);
        Spanned::<PositiveCount>::types(types);
    }
}

words! {
    /// How endpoints are found.
    enum Finder: "way to find endpoints" {
        Kubernetes = "kubernetes" "a headless Service that the compiler makes, with optional `labels` if they are not `app=NAME`",
        Dns = "dns" "every address that DNS returns for a name",
        Endpoints = "endpoints" "fixed addresses",
    }
}

impl Syntax for AddressStatement {
    fn read<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<Self> {
        let reference = Reference::read(args, cx)?;
        let finder = Spanned::<Finder>::read(args, cx)?;
        let kind = match finder.value {
            Finder::Kubernetes => AddressKind::Kubernetes {
                labels: match args.take_word("labels", cx) {
                    Some(_) => super::Labels::read(args, cx)?.0,
                    None => Vec::new(),
                },
            },
            Finder::Dns => AddressKind::Dns(Spanned::<HostPort>::read(args, cx)?.value),
            Finder::Endpoints => AddressKind::Endpoints(List::<BoundAddress>::read(args, cx)?.0),
        };
        Some(Self { reference, kind })
    }

    fn signature() -> String {
        format!(
            "<destination> kubernetes [labels {}] | <destination> dns {} | <destination> endpoints [{}, ...]",
            Comma::<Spanned<Label>>::signature(),
            Spanned::<HostPort>::signature(),
            BoundAddress::signature()
        )
    }

    fn types(types: &mut Vec<TypeDoc>) {
        Reference::types(types);
        Spanned::<HostPort>::types(types);
        BoundAddress::types(types);
    }
}

keyword! {
    /// Where a raw proxy finds a certificate: in files, or mounted from a Secret of the platform. `kubernetes://NAMESPACE/NAME` is that of another namespace.
    pub struct SecretBinding {
        /// The name that gateways and destinations use.
        pos name: Spanned<SecretName>;
        /// The platform that mounts it.
        opt from: Spanned<Platform>;
        body optional files: SecretFiles;
    }
}

section! {
    /// Files where the proxy runs.
    pub struct SecretFiles {
        /// The certificate chain.
        once "cert" cert: FileRef;
        /// Its key.
        once "key" key: FileRef;
        /// The CA of the other side's certificates.
        once "ca" ca: FileRef;
        /// Revoked certificates of the other side.
        once "crl" crl: FileRef;
    }
}

keyword! {
    /// `deploy kubernetes { ... }`.
    pub struct Deploy {
        /// The platform.
        pos platform: Spanned<Platform>;
        body optional body: DeployBody;
    }
}

section! {
    /// How proxies are deployed.
    pub struct DeployBody {
        /// The image of a data plane, in place of the usual one.
        many "image" images: Image;
        /// How many of each proxy; 1 by default.
        once "replicas" replicas: Spanned<PositiveCount>;
    }
}

keyword! {
    /// `image envoy "registry.example.com/envoy:v1.40.0"`.
    pub struct Image {
        /// The data plane.
        pos target: Spanned<RawProxy>;
        /// The image.
        pos image: Spanned<Text>;
    }
}

words! {
    /// A data plane that is configured without Istio.
    pub enum RawProxy: "data plane" {
        Envoy = "envoy" "Envoy",
        Nginx = "nginx" "nginx",
    }
}
