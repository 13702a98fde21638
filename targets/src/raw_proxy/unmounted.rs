//! Files of certificates that a deployed proxy reads and no volume of its pods holds.
//!
//! `deploy kubernetes` mounts the configuration, and Secrets and ConfigMaps that `bindings` leave to Kubernetes. A path says where a
//! file is, not where it comes from.

use super::certificates::is_mounted;
use super::fit::also_here;
use super::secrets;
use meshc_compiler::Model;
use meshc_compiler::model::{BoundSecret, Certificate, CertificateBody, SecretFiles, ServerTlsBody};
use meshc_compiler::policy::{ClientTlsBody, FileRef};
use meshc_compiler::routing::{Proxy, TlsKind};
use meshc_language::{Code, Diagnostic, Span};

/// Folders of images, with the authorities of the system.
const OF_IMAGES: [&str; 3] = ["/etc/ssl/", "/etc/pki/", "/usr/"];

/// A warning for a proxy that reads files which nothing mounts, at the first of them.
pub(super) fn files(model: &Model, proxy: &Proxy) -> Option<Diagnostic> {
    model.deploy()?;
    let is_absent =
        |path: &str| !is_mounted(path) && !OF_IMAGES.iter().any(|folder| path.starts_with(folder));
    let mut places: Vec<(Span, &str)> = Vec::new();
    for FileRef(path) in read(model, proxy) {
        let place = (path.span, path.value.as_str());
        if is_absent(place.1) && !places.contains(&place) {
            places.push(place);
        }
    }
    let ((first, path), others) = places.split_first()?;
    let others: Vec<Span> = others.iter().map(|(span, _)| *span).collect();
    let whose = if proxy.is_gateway() {
        format!("gateway `{}`", proxy.name)
    } else {
        "the outbound proxy".to_owned()
    };
    let message = format!("nothing mounts `{path}` into the pods of {whose}");
    let report = Diagnostic::new(Code::FILE_NOT_MOUNTED, *first, message)
        .consequence("without the file, the proxy does not start, or closes every TLS connection");
    Some(also_here(report, &others).help(
        "leave the Secret to Kubernetes, `secret NAME kubernetes`, with `credential NAME` where it is used; or add a volume with the \
         file to the Deployment, and allow this report",
    ))
}

/// The files that a proxy reads, in the order of its listeners and upstreams.
fn read<'p>(model: &'p Model, proxy: &'p Proxy) -> Vec<&'p FileRef> {
    let mut all = Vec::new();
    for (name, seeker) in secrets(model, proxy) {
        if let Some(BoundSecret::Files(files)) = model.bound_secret(&name.value, seeker) {
            let SecretFiles { cert, key, ca, crl } = files;
            all.extend([cert, key, ca, crl].into_iter().flatten());
        }
    }
    for server in proxy.listeners.iter().flat_map(|listener| &listener.tls) {
        match &server.kind {
            TlsKind::Http(tls, _) | TlsKind::Tcp(tls, _) => of_listener(&tls.body, &mut all),
            TlsKind::Passthrough(_) => {}
        }
    }
    for tls in proxy.upstreams.as_slice().iter().filter_map(|upstream| upstream.policy.tls.as_deref()) {
        let ClientTlsBody { cert, key, ca, crl, credential: _, sni: _, names: _, skip_verify: _ } = &tls.body;
        all.extend([cert, key, ca, crl].into_iter().flatten());
    }
    all
}

fn of_listener<'p>(tls: &'p ServerTlsBody, all: &mut Vec<&'p FileRef>) {
    let ServerTlsBody {
        credential: _,
        credentials: _,
        ca_credential: _,
        cert,
        key,
        ca,
        crl,
        certificates,
        names: _,
        spki: _,
        hash: _,
        min_version: _,
        max_version: _,
        ciphers: _,
        skip_verify: _,
    } = tls;
    all.extend([cert, key, ca, crl].into_iter().flatten());
    for Certificate { body: CertificateBody { cert, key }, span: _, attributes: _ } in certificates {
        all.extend([cert, key].into_iter().flatten());
    }
}
