//! The plan of a whole mesh: each proxy is made once, when it is first asked for, and shared by all who ask.

use super::index::Index;
use super::omitted::Omitted;
use super::{Dropped, Plan, Proxy, gateway, outbound};
use crate::model::{Gateway, Id, Model, Resource};
use rayon::prelude::*;
use std::sync::{Arc, OnceLock};

/// The plan of a mesh. It belongs to one model, which each question has to name.
#[derive(Clone, Debug, Default)]
pub struct Plans {
    index: OnceLock<Arc<Index>>,
    gateways: OnceLock<Vec<OnceLock<Arc<Proxy>>>>,
    outbound: OnceLock<Vec<Arc<Proxy>>>,
}

impl Plans {
    /// The proxies of the mesh: gateways in order of declaration, then the outbound ones.
    #[must_use]
    pub fn proxies(&self, model: &Model) -> Vec<Arc<Proxy>> {
        let ids: Vec<Id<Resource<Gateway>>> = model.mesh.gateways.iter().map(|(id, _)| id).collect();
        let gateways = || ids.par_iter().filter_map(|id| self.gateway(model, *id)).collect::<Vec<_>>();
        let outbound =
            || self.outbound.get_or_init(|| outbound::proxies(&self.plan(model, &Omitted::default())));
        let (mut all, outbound) = rayon::join(gateways, outbound);
        all.extend(outbound.iter().cloned());
        all
    }

    /// The same without the statements inside of `dropped`: made anew where there are any.
    #[must_use]
    pub fn proxies_without(&self, model: &Model, dropped: &[Dropped]) -> Vec<Arc<Proxy>> {
        if dropped.is_empty() {
            return self.proxies(model);
        }
        let omitted = Omitted::new(dropped);
        let plan = self.plan(model, &omitted);
        let declared: Vec<_> = model.mesh.gateways.iter().collect();
        let gateway = |(id, gateway): &(Id<Resource<Gateway>>, &Resource<Gateway>)| {
            Arc::new(gateway::proxy(&plan, *id, gateway))
        };
        let mut all: Vec<Arc<Proxy>> = declared.par_iter().map(gateway).collect();
        all.extend(outbound::proxies(&plan));
        all
    }

    /// The proxy of one gateway.
    pub(crate) fn gateway(&self, model: &Model, id: Id<Resource<Gateway>>) -> Option<Arc<Proxy>> {
        let gateways = || model.mesh.gateways.iter().map(|_| OnceLock::new()).collect();
        let place = self.gateways.get_or_init(gateways).get(id.index())?;
        let declared = model.mesh.gateways.get(id)?;
        let made = || Arc::new(gateway::proxy(&self.plan(model, &Omitted::default()), id, declared));
        Some(Arc::clone(place.get_or_init(made)))
    }

    fn plan<'m, 'd>(&'d self, model: &'m Model, dropped: &'d Omitted) -> Plan<'m, 'd> {
        let index = self.index.get_or_init(|| Arc::new(Index::of(model)));
        Plan { model, index, dropped, sidecar: None }
    }
}

/// The proxies of a mesh, without the statements inside of `dropped`.
#[must_use]
pub fn proxies(model: &Model, dropped: &[Dropped]) -> Vec<Arc<Proxy>> {
    Plans::default().proxies_without(model, dropped)
}
