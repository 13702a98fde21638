//! The certificate files of listeners and upstreams, where a raw proxy finds them.

use super::Rig;
use super::defaults::SYSTEM_CA;
use meshc_compiler::Model;
use meshc_compiler::model::{BoundSecret, Certificate, CertificateBody, SecretFiles, Seeker, ServerTlsBody};
use meshc_compiler::policy::{ClientTlsBody, FileRef};
use meshc_compiler::routing::{Proxy, Upstream};
use meshc_compiler::values::{SecretName, SecretSource};
use meshc_language::Spanned;

/// The folder into which a platform mounts Secrets, each in a folder of its own name.
const MOUNTED_SECRETS: &str = "/etc/mesh/secrets";

/// The same for ConfigMaps: one may have the name of a Secret.
const MOUNTED_CONFIG_MAPS: &str = "/etc/mesh/configmaps";

/// The folder into which a platform mounts what a credential names.
pub(crate) fn mounted_folder(name: &SecretName) -> String {
    let parent = match name.source() {
        SecretSource::ConfigMap => MOUNTED_CONFIG_MAPS,
        SecretSource::Secret
        | SecretSource::Kubernetes
        | SecretSource::Gateway
        | SecretSource::Sds
        | SecretSource::Builtin => MOUNTED_SECRETS,
    };
    format!("{parent}/{}", name.name())
}

/// Whether a platform has mounted this folder.
pub(crate) fn is_mounted(folder: &str) -> bool {
    [MOUNTED_SECRETS, MOUNTED_CONFIG_MAPS]
        .iter()
        .any(|parent| folder.strip_prefix(parent).is_some_and(|rest| rest.starts_with('/')))
}

/// Who looks for the certificates of a proxy's listeners.
pub(crate) fn listening(proxy: &Proxy) -> Seeker<'_> {
    Seeker { proxy: proxy.namespace.as_deref(), destination: None }
}

/// Who looks for the certificates of TLS to an upstream of a proxy.
pub(crate) fn calling<'m>(model: &'m Model, proxy: &'m Proxy, upstream: &Upstream) -> Seeker<'m> {
    Seeker { proxy: proxy.namespace.as_deref(), destination: model.mesh.namespace_of(upstream.target) }
}

/// Files of one side of TLS; all are paths where the proxy runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Certificates {
    /// What the proxy shows: certificates and their keys.
    pub(crate) own: Vec<KeyPair>,
    /// Who may have signed what the other side shows.
    pub(crate) ca: Option<String>,
    /// What the other side may not show any more.
    pub(crate) crl: Option<String>,
}

/// A certificate and its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyPair {
    pub(crate) cert: String,
    pub(crate) key: String,
}

/// The files of TLS termination.
pub(crate) fn of_listener(
    model: &Model,
    proxy: &Proxy,
    tls: &ServerTlsBody,
    rig: Option<&Rig>,
) -> Certificates {
    let seeker = listening(proxy);
    let ServerTlsBody {
        credential,
        credentials,
        ca_credential,
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
    let mut found = Certificates::default();
    for name in credential.iter().chain(credentials.iter().flatten()) {
        found.add_secret(model, name, seeker);
    }
    if let Some(name) = ca_credential {
        let callers = secret(model, name, seeker);
        (found.ca, found.crl) = (callers.ca, callers.crl);
    }
    found.add_files(cert.as_ref(), key.as_ref(), ca.as_ref(), crl.as_ref());
    for Certificate { body: CertificateBody { cert, key }, span: _, attributes: _ } in certificates {
        found.add_files(cert.as_ref(), key.as_ref(), None, None);
    }
    match rig {
        Some(rig) => found.replaced(&rig.server, &rig.ca),
        None => found,
    }
}

/// The files of TLS to an upstream, which is known by the authorities of the system if nothing else is said.
pub(crate) fn of_upstream(
    model: &Model,
    proxy: &Proxy,
    upstream: &Upstream,
    tls: &ClientTlsBody,
    rig: Option<&Rig>,
) -> Certificates {
    let ClientTlsBody { cert, key, ca, crl, credential, sni: _, names: _, skip_verify: _ } = tls;
    let mut found = Certificates::default();
    if let Some(name) = credential {
        found.add_secret(model, name, calling(model, proxy, upstream));
    }
    found.add_files(cert.as_ref(), key.as_ref(), ca.as_ref(), crl.as_ref());
    found.ca.get_or_insert_with(|| SYSTEM_CA.to_owned());
    match rig {
        Some(rig) => found.replaced(&rig.client, &rig.ca),
        None => found,
    }
}

impl Certificates {
    fn add_secret(&mut self, model: &Model, name: &Spanned<SecretName>, seeker: Seeker<'_>) {
        let Certificates { own, ca, crl } = secret(model, name, seeker);
        self.own.extend(own);
        self.ca = self.ca.take().or(ca);
        self.crl = self.crl.take().or(crl);
    }

    fn add_files(
        &mut self,
        cert: Option<&FileRef>,
        key: Option<&FileRef>,
        ca: Option<&FileRef>,
        crl: Option<&FileRef>,
    ) {
        if let (Some(cert), Some(key)) = (cert, key) {
            self.own.push(KeyPair { cert: path(cert), key: path(key) });
        }
        self.ca = self.ca.take().or(ca.map(path));
        self.crl = self.crl.take().or(crl.map(path));
    }

    /// Every certificate replaced by those of a rig, which has one for everything.
    fn replaced(self, own: &KeyPaths, ca: &str) -> Self {
        let pair = KeyPair { cert: own.cert.clone(), key: own.key.clone() };
        Self {
            own: if self.own.is_empty() { Vec::new() } else { vec![pair] },
            ca: self.ca.map(|_| ca.to_owned()),
            crl: None,
        }
    }
}

/// A certificate and its key, by their paths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyPaths {
    /// The certificate.
    pub cert: String,
    /// Its key.
    pub key: String,
}

fn path(FileRef(path): &FileRef) -> String {
    path.value.as_str().to_owned()
}

/// The files of a secret. `fit` has reported one that is bound to nothing.
fn secret(model: &Model, name: &Spanned<SecretName>, seeker: Seeker<'_>) -> Certificates {
    match model.bound_secret(&name.value, seeker) {
        Some(BoundSecret::Files(files)) => {
            let SecretFiles { cert, key, ca, crl } = files;
            let mut found = Certificates::default();
            found.add_files(cert.as_ref(), key.as_ref(), ca.as_ref(), crl.as_ref());
            found
        }
        Some(BoundSecret::Mounted) | None => {
            let folder = mounted_folder(&name.value);
            Certificates {
                own: vec![KeyPair { cert: format!("{folder}/tls.crt"), key: format!("{folder}/tls.key") }],
                ca: Some(format!("{folder}/ca.crt")),
                crl: None,
            }
        }
    }
}
