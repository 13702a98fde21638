//! `service` and `external`: the policies that they name put in, and the gateway that an external leaves through.

use super::{Resolver, put_policies};
use crate::declared::{self, Port};
use crate::model::{External, ExternalBody, Service, ServiceBody, Subset, SubsetBody};
use crate::policy::TrafficPolicy;
use crate::values::Word;
use meshc_language::{Code, Diagnostic, Spanned};

impl Resolver<'_, '_> {
    /// A service with its policies.
    pub(super) fn service(&mut self, declared: declared::Service) -> Service {
        let declared::Service { name, body, span, attributes } = declared;
        let declared::ServiceBody { ports, host, subsets, visibility, policies, traffic } = body;
        let traffic = self.traffic(traffic, &policies);
        let subsets = self.subsets(subsets);
        let ports = complete(ports, &traffic);
        Service { name, body: ServiceBody { ports, host, subsets, visibility, traffic }, span, attributes }
    }

    /// An external with its policies.
    pub(super) fn external(&mut self, declared: declared::External) -> External {
        let declared::External { name, body, span, attributes } = declared;
        let declared::ExternalBody {
            hosts,
            addresses,
            ports,
            resolution,
            endpoints,
            workload,
            location,
            names,
            via,
            subsets,
            visibility,
            policies,
            traffic,
        } = body;
        let traffic = self.traffic(traffic, &policies);
        let subsets = self.subsets(subsets);
        let ports = complete(ports, &traffic);
        let via = via.and_then(|reference| {
            let gateway = self.gateway(&reference);
            self.lost |= gateway.is_none();
            Some(Spanned::new(gateway?, reference.span))
        });
        let body = ExternalBody {
            hosts,
            addresses,
            ports,
            resolution,
            endpoints,
            workload,
            location,
            names,
            subsets,
            visibility,
            traffic,
        };
        External { name, body, via, span, attributes }
    }

    fn subsets(&mut self, declared: Vec<declared::Subset>) -> Vec<Subset> {
        let subset = |declared| {
            let declared::Subset { name, body, span, attributes } = declared;
            let declared::SubsetBody { labels, policies, traffic } = body;
            let traffic = self.traffic(traffic, &policies);
            Subset { name, body: SubsetBody { labels, traffic }, span, attributes }
        };
        declared.into_iter().map(subset).collect()
    }

    fn traffic(&mut self, mut traffic: TrafficPolicy, policies: &[Spanned<Word>]) -> TrafficPolicy {
        put_policies(
            &mut traffic,
            policies,
            |body| &body.traffic,
            self,
            |name, body, resolver| {
                if !body.route.is_empty() {
                    let message =
                        format!("policy `{}` has statements of routes, not of destinations", name.value);
                    let report = Diagnostic::new(Code::WRONG_SIDE, name.span, message);
                    resolver.report(report.help("use it in a `route`"));
                }
            },
        );
        traffic
    }
}

/// What a port does not say of itself holds as its destination says. Istio would take the policy of a port as a whole.
fn complete(mut ports: Vec<Port>, traffic: &TrafficPolicy) -> Vec<Port> {
    for port in ports.iter_mut().filter(|port| !port.traffic.is_empty()) {
        port.traffic.inherit(traffic);
    }
    ports
}
