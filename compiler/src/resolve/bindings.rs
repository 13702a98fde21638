//! `bindings`: what addresses are bound to.

use super::Resolver;
use crate::declared;
use crate::model::{AddressBinding, AddressKind, Bindings, BindingsBody};
use meshc_language::{Code, Diagnostic};

impl Resolver<'_, '_> {
    /// A block of bindings, without the addresses of what is not there.
    pub(crate) fn bindings(&mut self, declared: declared::Bindings) -> Bindings {
        let declared::Bindings { body, span, attributes } = declared;
        let declared::BindingsBody { addresses, default, secrets, deploy } = body;
        let mut found = Vec::with_capacity(addresses.len());
        for address in addresses {
            match self.address(address) {
                Some(address) => found.push(address),
                None => self.lost = true,
            }
        }
        Bindings { body: BindingsBody { addresses: found, default, secrets, deploy }, span, attributes }
    }

    fn address(&mut self, declared: declared::AddressStatement) -> Option<AddressBinding> {
        let declared::AddressStatement { reference, kind } = declared;
        let (target, port) = self.bound(&reference)?;
        let several = self.mesh.ports(target).len() > 1;
        if several && port.is_none() && !matches!(kind, AddressKind::Kubernetes { .. }) {
            let message = format!("`{}` has several ports; choose one", reference.name);
            self.report(
                Diagnostic::new(Code::PORT_NEEDED, reference.span, message)
                    .consequence("requests for one port would be sent to another")
                    .help(format!("write one `address {}:PORT` for each", reference.name)),
            );
            return None;
        }
        let subset = reference.subset.as_ref().map(|subset| subset.value.clone());
        Some(AddressBinding { target, port, subset, kind, span: reference.span })
    }
}
