//! `gateway`: the service in front of its workloads.

use super::Resolver;
use crate::declared;
use crate::model::{Gateway, GatewayBody};
use meshc_language::Spanned;

impl Resolver<'_, '_> {
    /// A gateway with its service.
    pub(super) fn gateway_item(&mut self, declared: declared::Gateway) -> Gateway {
        let declared::Gateway { name, body, span, attributes } = declared;
        let declared::GatewayBody { controller, workload, service, listeners } = body;
        let service = service.and_then(|reference| {
            let front = self.front_service(&reference);
            self.lost |= front.is_none();
            Some(Spanned::new(front?, reference.span))
        });
        Gateway { name, body: GatewayBody { controller, workload, listeners }, service, span, attributes }
    }
}
