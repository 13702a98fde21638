//! What `bindings` say, found: the endpoints of a destination, the files of a certificate, the names of generated Services.
//!
//! ```text
//! bindings of all files -once-> BoundPlaces -> bound_address, bound_secret, headless
//! ```
//!
//! What is found by a name must be found by all that makes it one thing. A Secret is one of a namespace, so two namespaces may have
//! a Secret of the same name; a Service is one of a namespace, whatever it was made for.

use super::bindings::BindingsBody;
use super::destination::DestinationId;
use super::{Model, Subset};
use crate::declared::{AddressKind, Deploy, SecretBinding, SecretFiles};
use crate::fingerprint::fingerprint;
use crate::values::{Label, Namespace, SecretName, SecretSource};
use meshc_language::{Span, Spanned};
use rustc_hash::FxHashMap;
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// The namespace of what has none, where Kubernetes needs one.
pub const DEFAULT_NAMESPACE: &str = "default";

/// Most characters of the name of a Service.
const LONGEST: usize = 63;

/// Characters of a fingerprint in a name, with the hyphen before it.
const MARK: usize = 9;

/// What `bindings` say, found once.
#[derive(Clone, Debug, Default)]
pub(crate) struct BoundPlaces {
    /// The addresses of each destination: the position of the `bindings`, and of the `address` in them, in order.
    addresses: FxHashMap<DestinationId, Vec<(usize, usize)>>,
    /// The first `secret` of each identity: the position of the `bindings`, and of the `secret` in them.
    secrets: FxHashMap<SecretId, (usize, usize)>,
    /// Whether a platform finds everything else.
    by_default: bool,
    /// How many things would have this name as a Service of this namespace: what is declared, and headless Services.
    names: FxHashMap<(SmolStr, SmolStr), usize>,
}

/// What a credential names, as one thing: `credential web` of a proxy in `shop` and `kubernetes://shop/web` are the same Secret, and
/// `credential web` of a proxy elsewhere is another one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SecretId {
    source: SecretSource,
    namespace: Option<SmolStr>,
    name: SmolStr,
}

impl SecretId {
    /// What `name` means in a namespace.
    pub(crate) fn new(name: &SecretName, home: Option<&str>) -> Self {
        let (source, home) = match name.source() {
            SecretSource::Secret | SecretSource::Kubernetes => (SecretSource::Kubernetes, home),
            source @ (SecretSource::Gateway | SecretSource::ConfigMap) => (source, home),
            // These belong to no namespace.
            source @ (SecretSource::Sds | SecretSource::Builtin) => (source, None),
        };
        let namespace = name.namespace().map(Namespace::as_str).or(home);
        Self { source, namespace: namespace.map(SmolStr::new), name: SmolStr::new(name.name()) }
    }
}

/// Who looks for a certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seeker<'m> {
    /// The namespace of the proxy, in which its platform looks for a plain name.
    pub proxy: Option<&'m str>,
    /// The namespace of the destination whose TLS names it, if one does: it counts for a proxy without a namespace.
    pub destination: Option<&'m str>,
}

impl Model {
    fn bound_places(&self) -> &BoundPlaces {
        self.bound.get_or_init(|| {
            let mut places = BoundPlaces::default();
            for (at, bindings) in self.bindings.iter().enumerate() {
                let BindingsBody { addresses, default, secrets, deploy: _ } = &bindings.declared.body;
                for (position, address) in addresses.iter().enumerate() {
                    places.addresses.entry(address.target).or_default().push((at, position));
                }
                for (position, secret) in secrets.iter().enumerate() {
                    let id = SecretId::new(&secret.name.value, bindings.namespace_name());
                    places.secrets.entry(id).or_insert((at, position));
                }
                places.by_default |= default.is_some();
            }
            places.names = self.service_names();
            places
        })
    }

    fn all_bindings(&self) -> impl Iterator<Item = &BindingsBody> {
        self.bindings.iter().map(|bindings| &bindings.declared.body)
    }

    /// How the endpoints of one port of a destination, or of a subset of it, are found; `None` if nothing says.
    ///
    /// What is said of a port holds over what is said of all ports. A subset is not found by what is said of its whole service,
    /// unless that is a platform, which knows the subset's labels.
    #[must_use]
    pub fn bound_address(
        &self,
        target: DestinationId,
        port: u16,
        subset: Option<&str>,
    ) -> Option<&AddressKind> {
        const DEFAULT: &AddressKind = &AddressKind::Kubernetes { labels: Vec::new() };
        let bound = self.bound_places();
        let places = bound.addresses.get(&target);
        let of_target = || {
            let places = places.into_iter().flatten();
            places.filter_map(|(at, position)| self.bindings.get(*at)?.body.addresses.get(*position))
        };
        let best = |subset: Option<&str>| {
            let mut fitting = of_target().filter(|one| {
                one.subset.as_deref() == subset && one.port.is_none_or(|number| number.get() == port)
            });
            let mut whole = None;
            fitting
                .find(|one| {
                    whole = whole.or(one.port.is_none().then_some(&one.kind));
                    one.port.is_some()
                })
                .map(|one| &one.kind)
                .or(whole)
        };
        let by_platform = |kind: &&AddressKind| matches!(kind, AddressKind::Kubernetes { .. });
        let inherited = || subset.and_then(|_| best(None)).filter(by_platform);
        let by_default = || {
            let is_service = matches!(target, DestinationId::Service(_));
            (is_service && bound.by_default).then_some(DEFAULT)
        };
        best(subset).or_else(inherited).or_else(by_default)
    }

    /// Where a certificate is found; `None` if nothing says, or a platform was told to mount what it cannot.
    ///
    /// A plain name is that of the proxy's namespace, as for Istio. What a file without a namespace says holds for every proxy whose
    /// own namespace says nothing.
    #[must_use]
    pub fn bound_secret(&self, name: &SecretName, seeker: Seeker<'_>) -> Option<BoundSecret<'_>> {
        match self.secret_binding(name, seeker) {
            Some(secret) if secret.from.is_none() => Some(BoundSecret::Files(&secret.files)),
            Some(_) | None => {
                let mounted = self.is_bound_to_platform(name, seeker) && is_mountable(name, seeker);
                mounted.then_some(BoundSecret::Mounted)
            }
        }
    }

    /// Whether `bindings` leave this secret to a platform, whether or not that can mount it.
    #[must_use]
    pub fn is_bound_to_platform(&self, name: &SecretName, seeker: Seeker<'_>) -> bool {
        self.secret_binding(name, seeker)
            .map_or(self.bound_places().by_default, |secret| secret.from.is_some())
    }

    /// Where secrets with the plain name of this one are bound, of whatever namespace.
    #[must_use]
    pub fn secrets_elsewhere(&self, name: &SecretName) -> Vec<Span> {
        let secrets = self.all_bindings().flat_map(|body| &body.secrets);
        let same = secrets.filter(|secret| {
            let other = &secret.name.value;
            SecretId::new(other, None).source == SecretId::new(name, None).source
                && other.name() == name.name()
        });
        same.map(|secret| secret.name.span).collect()
    }

    fn secret_binding(&self, name: &SecretName, seeker: Seeker<'_>) -> Option<&SecretBinding> {
        let secrets = &self.bound_places().secrets;
        let homes = [seeker.proxy.or(seeker.destination), None];
        let (at, position) = homes.iter().find_map(|home| secrets.get(&SecretId::new(name, *home)))?;
        self.bindings.get(*at)?.body.secrets.get(*position)
    }

    /// How proxies are deployed, if they are.
    #[must_use]
    pub fn deploy(&self) -> Option<&Deploy> {
        self.all_bindings().find_map(|body| body.deploy.as_ref())
    }

    /// The headless Service by which one port of a destination, or of a subset of it, is found; `None` if no platform finds it.
    ///
    /// It is called `reviews-endpoints`, `reviews-v1-endpoints`. Where that could be the name of something else, as with a service
    /// `reviews-v1` or with a port that has labels of its own, or is too long, the name ends with a fingerprint of what it stands for.
    #[must_use]
    pub fn headless(&self, target: DestinationId, port: u16, subset: Option<&str>) -> Option<Headless> {
        let AddressKind::Kubernetes { labels } = self.bound_address(target, port, subset)? else {
            return None;
        };
        let (namespace, app) = self.home(target);
        let mut selector: BTreeMap<SmolStr, SmolStr> = BTreeMap::new();
        if labels.is_empty() {
            selector.insert(SmolStr::new_static("app"), SmolStr::new(app));
        }
        for Spanned { value, span: _ } in labels.iter().chain(self.subset_labels(target, subset)) {
            selector.insert(SmolStr::new(value.key().as_str()), SmolStr::new(value.value().as_str()));
        }
        let namespace = SmolStr::new(namespace);
        let name = self.headless_name(target, subset, &namespace, self.own_labels(target, labels, subset));
        Some(Headless { namespace, name, selector, is_guessed: labels.is_empty() })
    }

    /// The namespace of a destination's pods, and its name there: a service may be of another namespace than its file.
    #[must_use]
    pub fn home(&self, target: DestinationId) -> (&str, &str) {
        let mesh = &self.mesh;
        let elsewhere = match target {
            DestinationId::Service(id) => {
                mesh.services.get(id).and_then(|service| service.body.host.as_ref())
            }
            DestinationId::External(_) => None,
        };
        let elsewhere = elsewhere.and_then(|host| mesh.of_cluster(host.value.as_str()));
        let (namespace, name) = match elsewhere {
            Some((namespace, name)) => (Some(namespace), name),
            None => (mesh.namespace_of(target), mesh.destination_name(target)),
        };
        (namespace.unwrap_or(DEFAULT_NAMESPACE), name)
    }

    fn subset_labels(&self, target: DestinationId, subset: Option<&str>) -> &[Spanned<Label>] {
        let subset = subset.and_then(|name| match target {
            DestinationId::Service(id) => self.mesh.services.get(id)?.subset(name),
            DestinationId::External(id) => self.mesh.externals.get(id)?.subset(name),
        });
        subset.and_then(|subset| subset.body.labels.as_ref()).map_or(&[], |labels| &labels.0)
    }

    /// The labels of a port, where another port has others and the destination as a whole does not have these.
    fn own_labels<'m>(
        &'m self,
        target: DestinationId,
        labels: &'m [Spanned<Label>],
        subset: Option<&str>,
    ) -> Vec<&'m Label> {
        let sorted = |labels: &'m [Spanned<Label>]| {
            let mut all: Vec<&Label> = labels.iter().map(|label| &label.value).collect();
            all.sort_unstable();
            all
        };
        let own = sorted(labels);
        let is_own = |kind: Option<&'m AddressKind>| match kind {
            Some(AddressKind::Kubernetes { labels }) => Some(sorted(labels) == own),
            Some(AddressKind::Dns(_) | AddressKind::Endpoints(_)) | None => None,
        };
        // No port has this number.
        let as_a_whole = is_own(self.bound_address(target, 0, subset)) == Some(true);
        let of_ports = self.mesh.ports(target).iter();
        let mut of_ports = of_ports.map(|port| self.bound_address(target, port.number.value.get(), subset));
        let alone = of_ports.all(|kind| is_own(kind) != Some(false));
        if as_a_whole || alone { Vec::new() } else { own }
    }

    fn headless_name(
        &self,
        target: DestinationId,
        subset: Option<&str>,
        namespace: &SmolStr,
        labels: Vec<&Label>,
    ) -> SmolStr {
        let own = self.mesh.destination_name(target);
        let base = headless_base(own, subset);
        let names = &self.bound_places().names;
        let claims = |name: &str| names.get(&(namespace.clone(), SmolStr::new(name))).copied().unwrap_or(0);
        // A subset that is declared nowhere has made no claim of its own.
        let own_claims = usize::from(subset.is_none_or(|name| self.mesh.has_subset(target, name)));
        if claims(&base) <= own_claims && base.len() <= LONGEST && labels.is_empty() {
            return SmolStr::new(base);
        }
        let short: String = base.chars().take(LONGEST - MARK).collect();
        let short = short.trim_end_matches('-');
        let declared = self.mesh.namespace_of(target).unwrap_or_default();
        let identity = [declared, "/", own, "@", subset.unwrap_or_default()].into_iter();
        let labels =
            labels.into_iter().flat_map(|label| [",", label.key().as_str(), "=", label.value().as_str()]);
        let mut hash = fingerprint(identity.chain(labels));
        loop {
            let name = format!("{short}-{:08x}", hash >> 32);
            if claims(&name) == 0 {
                return SmolStr::new(name);
            }
            hash = hash.wrapping_mul(31).wrapping_add(1);
        }
    }

    /// What Services of each namespace are called: those of the sources, those of deployed proxies, and the headless ones of all
    /// destinations as they would be called without others.
    fn service_names(&self) -> FxHashMap<(SmolStr, SmolStr), usize> {
        let mut names: FxHashMap<(SmolStr, SmolStr), usize> = FxHashMap::default();
        let mut claim = |namespace: &str, name: String| {
            *names.entry((SmolStr::new(namespace), SmolStr::new(name))).or_default() += 1;
        };
        let subset_name = |subset: &Subset| subset.name.value.as_str().to_owned();
        for (id, service) in self.mesh.services.iter() {
            let (namespace, name) = self.home(DestinationId::Service(id));
            claim(namespace, name.to_owned());
            let declared = service.name.value.as_str();
            claim(namespace, headless_base(declared, None));
            for subset in service.body.subsets.iter().map(subset_name) {
                claim(namespace, headless_base(declared, Some(&subset)));
            }
        }
        for (id, external) in self.mesh.externals.iter() {
            let (namespace, name) = self.home(DestinationId::External(id));
            claim(namespace, headless_base(name, None));
            for subset in external.body.subsets.iter().map(subset_name) {
                claim(namespace, headless_base(name, Some(&subset)));
            }
        }
        if self.deploy().is_some() {
            for gateway in self.mesh.gateways.as_slice() {
                let namespace = gateway.namespace_name().unwrap_or(DEFAULT_NAMESPACE);
                claim(namespace, gateway.name.value.as_str().to_owned());
            }
        }
        names
    }
}

fn headless_base(name: &str, subset: Option<&str>) -> String {
    match subset {
        Some(subset) => format!("{name}-{subset}-endpoints"),
        None => format!("{name}-endpoints"),
    }
}

/// Whether a platform can put this into a pod of the proxy: its own namespace's Secrets and ConfigMaps alone.
fn is_mountable(name: &SecretName, seeker: Seeker<'_>) -> bool {
    match name.source() {
        SecretSource::Secret | SecretSource::Kubernetes | SecretSource::Gateway | SecretSource::ConfigMap => {
            name.namespace().is_none_or(|namespace| seeker.proxy == Some(namespace.as_str()))
        }
        // These are no resources of a cluster.
        SecretSource::Sds | SecretSource::Builtin => false,
    }
}

/// A headless Service, whose name stands in DNS for the pods themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headless {
    /// The namespace of the pods.
    pub namespace: SmolStr,
    /// Its name, at most 63 characters.
    pub name: SmolStr,
    /// The labels of the pods.
    pub selector: BTreeMap<SmolStr, SmolStr>,
    /// Whether nothing says which labels they have.
    pub is_guessed: bool,
}

/// Where a certificate is found.
#[derive(Clone, Copy, Debug)]
pub enum BoundSecret<'m> {
    /// In these files.
    Files(&'m SecretFiles),
    /// In a folder into which the platform mounts the Secret of that name.
    Mounted,
}
