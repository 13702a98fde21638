//! The certificate files of listeners and upstreams, where a raw proxy finds them.

use super::Rig;
use super::defaults::SYSTEM_CA;
use meshc_compiler::Model;
use meshc_compiler::model::{BoundSecret, Certificate, CertificateBody, SecretFiles, ServerTlsBody};
use meshc_compiler::policy::{ClientTlsBody, FileRef};
use meshc_compiler::values::SecretName;
use meshc_language::Spanned;

/// The folder into which a platform mounts secrets, each in a folder of its own name.
pub(crate) const MOUNTED_SECRETS: &str = "/etc/mesh/secrets";

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
pub(crate) fn of_listener(model: &Model, tls: &ServerTlsBody, rig: Option<&Rig>) -> Certificates {
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
        found.add_secret(model, name);
    }
    if let Some(name) = ca_credential {
        let callers = secret(model, name);
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
pub(crate) fn of_upstream(model: &Model, tls: &ClientTlsBody, rig: Option<&Rig>) -> Certificates {
    let ClientTlsBody { cert, key, ca, crl, credential, sni: _, names: _, skip_verify: _ } = tls;
    let mut found = Certificates::default();
    if let Some(name) = credential {
        found.add_secret(model, name);
    }
    found.add_files(cert.as_ref(), key.as_ref(), ca.as_ref(), crl.as_ref());
    found.ca.get_or_insert_with(|| SYSTEM_CA.to_owned());
    match rig {
        Some(rig) => found.replaced(&rig.client, &rig.ca),
        None => found,
    }
}

impl Certificates {
    fn add_secret(&mut self, model: &Model, name: &Spanned<SecretName>) {
        let Certificates { own, ca, crl } = secret(model, name);
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
fn secret(model: &Model, name: &Spanned<SecretName>) -> Certificates {
    match model.bound_secret(&name.value) {
        Some(BoundSecret::Files(files)) => {
            let SecretFiles { cert, key, ca, crl } = files;
            let mut found = Certificates::default();
            found.add_files(cert.as_ref(), key.as_ref(), ca.as_ref(), crl.as_ref());
            found
        }
        Some(BoundSecret::Mounted) | None => {
            let folder = format!("{MOUNTED_SECRETS}/{}", name.value.name());
            Certificates {
                own: vec![KeyPair { cert: format!("{folder}/tls.crt"), key: format!("{folder}/tls.key") }],
                ca: Some(format!("{folder}/ca.crt")),
                crl: None,
            }
        }
    }
}
