//! What the targets for raw proxies share: the plan of what is emitted, what it asks of a data plane, and the answer.

mod accepted;
mod certificates;
mod defaults;
mod edge;
mod egress;
mod elsewhere;
mod file_stem;
mod fit;
mod guessed;
mod missing;
mod never;
mod secrets;
mod short_names;
pub(crate) mod support;
mod unmounted;
mod usage;
mod without_effect;

pub use certificates::KeyPaths;
pub(crate) use certificates::{Certificates, KeyPair, is_mounted, mounted_folder, of_listener, of_upstream};
pub(crate) use defaults::{Place, UPSTREAM_TLS, place};
pub use edge::EdgeOptions;
pub(crate) use file_stem::{KUBERNETES, NO_NAMESPACE, file_stem};
pub(crate) use fit::{fit, unused_degradation};
pub(crate) use never::refused_method;
pub(crate) use secrets::secrets;
pub(crate) use usage::COMMON_RETRY_STATUSES;

use crate::capability::Feature;
use crate::target::{Gateways, Options};
use meshc_compiler::model::Controller;
use meshc_compiler::routing::{Dropped, Proxy, Role};
use meshc_compiler::{Checked, Model};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What stands in for the world around a proxy while it is tried out on one machine. Addresses are put into the plan.
#[derive(Clone, Debug, Default)]
pub struct Rig {
    /// The port of Envoy's administration, on loopback.
    pub admin: u16,
    /// The certificate of every listener.
    pub server: KeyPaths,
    /// The certificate that every upstream is shown.
    pub client: KeyPaths,
    /// The CA of everybody.
    pub ca: String,
}

/// The proxies of a target, without the statements inside of `dropped`.
pub(crate) fn chosen(
    checked: &Checked,
    controller: Controller,
    dropped: &[Dropped],
    options: &Options<'_>,
) -> Vec<Arc<Proxy>> {
    let mut all = checked.proxies(dropped);
    all.retain(|proxy| match proxy.role {
        Role::Outbound => true,
        Role::Gateway(id) => {
            let gateway = checked.model().mesh.gateways.get(id);
            options.gateways == Gateways::All || gateway.is_some_and(|one| one.controller() == controller)
        }
    });
    all
}

/// What proxies ask of a data plane.
#[must_use]
pub fn features(model: &Model, proxies: &[Arc<Proxy>]) -> BTreeSet<Feature> {
    usage::uses(model, proxies).into_iter().map(|one| one.feature).collect()
}
