//! Certificates, in files of their own: Envoy reads them again when they are replaced, and starts before they are there.

use super::api::{self, DataSource, TypedConfig};
use super::paths::FilePaths;
use crate::fingerprint::fingerprint;
use crate::raw_proxy::{Certificates, KeyPair, Rig, is_mounted, of_listener, of_upstream};
use indexmap::IndexMap;
use meshc_compiler::Model;
use meshc_compiler::policy::ClientTlsMode;
use meshc_compiler::routing::{Proxy, TlsKind};
use smol_str::SmolStr;

/// Most characters of a name that say where it comes from.
const LONGEST: usize = 60;

/// Who may have signed a certificate of the other side, and what it may not show any more.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Authority {
    ca: SmolStr,
    crl: Option<SmolStr>,
}

/// The certificates that one proxy uses, each with the name of its file.
#[derive(Clone, Debug, Default)]
pub(super) struct Secrets {
    pairs: IndexMap<(SmolStr, SmolStr), SmolStr>,
    authorities: IndexMap<Authority, SmolStr>,
}

impl Secrets {
    pub(super) fn of(model: &Model, proxy: &Proxy, rig: Option<&Rig>) -> Self {
        let mut secrets = Self::default();
        for server in proxy.listeners.iter().flat_map(|listener| &listener.tls) {
            match &server.kind {
                TlsKind::Http(tls, _) | TlsKind::Tcp(tls, _) => {
                    let certificates = of_listener(model, proxy, &tls.body, rig);
                    secrets.add_own(&certificates);
                    if tls.mode.value.asks_callers() {
                        secrets.add_authority(&certificates);
                    }
                }
                TlsKind::Passthrough(_) => {}
            }
        }
        for upstream in proxy.upstreams.as_slice() {
            let Some(tls) = upstream.policy.tls.as_deref() else { continue };
            let certificates = of_upstream(model, proxy, upstream, &tls.body, rig);
            match tls.mode.value {
                ClientTlsMode::Mutual => secrets.add_own(&certificates),
                ClientTlsMode::Simple => {}
                ClientTlsMode::Disable | ClientTlsMode::IstioMutual => continue,
            }
            if !tls.body.takes_unseen() {
                secrets.add_authority(&certificates);
            }
        }
        secrets
    }

    fn add_own(&mut self, certificates: &Certificates) {
        for KeyPair { cert, key } in &certificates.own {
            let name = || name_of("certificate", cert, key);
            self.pairs.entry((cert.into(), key.into())).or_insert_with(name);
        }
    }

    fn add_authority(&mut self, certificates: &Certificates) {
        if let Some(authority) = authority(certificates) {
            let name = name_of("authority", &authority.ca, authority.crl.as_deref().unwrap_or_default());
            self.authorities.entry(authority).or_insert(name);
        }
    }

    /// How what the proxy shows is found.
    pub(super) fn own(&self, certificates: &Certificates, paths: &FilePaths) -> Vec<api::SdsSecretConfig> {
        let pair = |pair: &KeyPair| self.pairs.get(&(SmolStr::new(&pair.cert), SmolStr::new(&pair.key)));
        certificates.own.iter().filter_map(pair).map(|name| reference(name, paths)).collect()
    }

    /// How it is found who may have signed what the other side shows.
    pub(super) fn authority(
        &self,
        certificates: &Certificates,
        paths: &FilePaths,
    ) -> Option<api::SdsSecretConfig> {
        self.authorities.get(&authority(certificates)?).map(|name| reference(name, paths))
    }

    /// The files, by name.
    pub(super) fn files(&self) -> impl Iterator<Item = (&SmolStr, TypedConfig)> {
        let pairs = self.pairs.iter().map(|((cert, key), name)| {
            let certificate = api::TlsCertificate {
                certificate_chain: Some(DataSource::file(cert.clone())),
                private_key: Some(DataSource::file(key.clone())),
                watched_directory: mounted(cert),
            };
            let secret = api::Secret {
                name: name.clone(),
                tls_certificate: Some(certificate),
                validation_context: None,
            };
            (name, secret.into())
        });
        let authorities = self.authorities.iter().map(|(Authority { ca, crl }, name)| {
            let context = api::CertificateValidationContext {
                trusted_ca: Some(DataSource::file(ca.clone())),
                crl: crl.clone().map(DataSource::file),
                watched_directory: mounted(ca),
                ..api::CertificateValidationContext::default()
            };
            let secret =
                api::Secret { name: name.clone(), tls_certificate: None, validation_context: Some(context) };
            (name, secret.into())
        });
        pairs.chain(authorities)
    }
}

fn authority(certificates: &Certificates) -> Option<Authority> {
    let Certificates { own: _, ca, crl } = certificates;
    Some(Authority { ca: ca.as_ref()?.into(), crl: crl.as_ref().map(SmolStr::new) })
}

/// The name of a secret, and so of its file. A running Envoy watches files by names that an earlier build gave to it: what another
/// build puts under the same name must be the same identity. So it is made of the paths that stand in the file, and of nothing
/// else; what can be read in it are the last two parts of the first path.
fn name_of(kind: &str, first: &str, second: &str) -> SmolStr {
    let (folders, file) = first.rsplit_once('/').unwrap_or(("", first));
    let folder = folders.rsplit_once('/').map_or(folders, |(_, folder)| folder);
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let plain = |char: char| if char.is_ascii_alphanumeric() || char == '.' { char } else { '-' };
    let readable: String = format!("{folder}-{stem}").chars().map(plain).take(LONGEST).collect();
    let readable = readable.trim_matches(['-', '.']);
    SmolStr::new(format!("{kind}-{readable}-{:016x}", fingerprint([first, "\n", second])))
}

fn reference(name: &SmolStr, paths: &FilePaths) -> api::SdsSecretConfig {
    api::SdsSecretConfig { name: name.clone(), sds_config: Some(paths.source(&paths.file(name))) }
}

/// The folder to watch for a file that a platform has mounted: it moves links, not files.
fn mounted(file: &str) -> Option<api::WatchedDirectory> {
    let (folder, _) = file.rsplit_once('/')?;
    is_mounted(folder).then(|| api::WatchedDirectory { path: SmolStr::new(folder) })
}
