//! What a plan asks of a data plane, use by use, with its place.

mod calling;
mod listening;
mod retrying;
mod routing;

pub(crate) use retrying::COMMON_RETRY_STATUSES;

use crate::capability::Feature;
use meshc_compiler::Model;
use meshc_compiler::model::{Arena, Gateway, Id, Resource};
use meshc_compiler::routing::{Proxy, Role, Upstream};
use meshc_language::Span;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// The upstreams of the proxy at hand.
type Upstreams = Arena<Upstream>;

/// One use of a feature.
#[derive(Clone, Debug)]
pub(super) struct Use {
    pub(super) feature: Feature,
    pub(super) span: Span,
    /// What uses it, as messages name it.
    pub(super) what: String,
    /// Whether its loss would let callers in or make traffic readable.
    pub(super) guards: bool,
    /// The route, service or external that it belongs to, even where a policy brings it from elsewhere.
    pub(super) owner: Option<Span>,
    /// What is left out if its loss is accepted: an option, or a route for its condition; `None` for the statement that accepts
    /// it.
    pub(super) unit: Option<Span>,
}

/// Everything that the proxies ask of a data plane, in the order of the plan.
pub(super) fn uses(model: &Model, proxies: &[Arc<Proxy>]) -> Vec<Use> {
    let mut walk = Walk {
        model,
        uses: Vec::new(),
        guards: false,
        owner: None,
        http2: false,
        sent: sent_through(model),
        hidden: false,
        at_gateway: false,
    };
    for raw in &model.raw {
        walk.add(Feature::RawConfiguration, raw.declared.span, "raw Istio configuration");
    }
    for proxy in proxies {
        walk.proxy(proxy);
    }
    walk.uses
}

struct Walk<'m> {
    model: &'m Model,
    uses: Vec<Use>,
    /// Whether the rule at hand keeps callers out.
    guards: bool,
    /// The statement at hand.
    owner: Option<Span>,
    /// Whether the rule at hand leads to destinations that speak HTTP/2.
    http2: bool,
    /// The `via` of externals, by the gateway that they name.
    sent: FxHashMap<Id<Resource<Gateway>>, Vec<Span>>,
    /// Whether what is hidden from callers has been named: it is the same for all outbound proxies.
    hidden: bool,
    /// Whether the proxy at hand is a gateway.
    at_gateway: bool,
}

/// The `via` of externals, by the gateway that they name.
fn sent_through(model: &Model) -> FxHashMap<Id<Resource<Gateway>>, Vec<Span>> {
    let mut sent: FxHashMap<_, Vec<Span>> = FxHashMap::default();
    for external in model.mesh.externals.as_slice() {
        let via = external.via.map(|via| via.span);
        if let Some((gateway, via)) = external.egress().zip(via) {
            sent.entry(gateway).or_default().push(via);
        }
    }
    sent
}

impl Walk<'_> {
    /// A use that goes with the statement around it.
    fn add(&mut self, feature: Feature, span: Span, what: impl Into<String>) {
        self.push(feature, span, None, what.into());
    }

    /// A use that is left out alone: an option, or a route for its condition.
    fn add_unit(&mut self, feature: Feature, span: Span, what: impl Into<String>) {
        self.push(feature, span, Some(span), what.into());
    }

    fn push(&mut self, feature: Feature, span: Span, unit: Option<Span>, what: String) {
        let guards = self.guards || feature.guards();
        self.uses.push(Use { feature, span, what, guards, owner: self.owner, unit });
    }

    fn proxy(&mut self, proxy: &Proxy) {
        let Proxy { role, name: _, namespace, listeners, upstreams, span: _ } = proxy;
        self.at_gateway = proxy.is_gateway();
        for listener in listeners {
            self.listener(listener, upstreams);
        }
        for upstream in upstreams.as_slice() {
            self.upstream(upstream);
        }
        match role {
            Role::Outbound => self.hidden(namespace.is_some()),
            Role::Gateway(id) => {
                self.egress(*id);
                self.declared_listeners(*id);
            }
        }
    }

    /// Who sees what.
    fn hidden(&mut self, matters: bool) {
        if !matters || std::mem::replace(&mut self.hidden, true) {
            return;
        }
        let hosts = self.model.hosts.as_slice().iter().filter_map(|host| host.body.visibility.as_ref());
        let spans: Vec<Span> = hosts.map(|visibility| visibility.span).collect();
        for span in spans {
            self.add(Feature::Visibility, span, "`visible`");
        }
    }

    fn egress(&mut self, gateway: Id<Resource<Gateway>>) {
        for span in self.sent.get(&gateway).cloned().unwrap_or_default() {
            self.add(Feature::EgressGateway, span, "`via` of an external");
        }
    }
}
