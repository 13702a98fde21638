//! Which addresses a listener takes that is bound to none of its own.
//!
//! `bind` says one address, all of IPv4 (`0.0.0.0`), all of IPv6 (`::`), or is not there. The last three are one place of a port:
//! no two sockets can take them apart on every machine, and Istio's merge treats them alike (see `checks::gateways`). So listeners
//! that say them are one listener of the plan, which takes what any of them takes.

use std::net::IpAddr;

/// How the sources say that a listener takes all addresses: each way that one of its declarations has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AllAddresses {
    /// Nothing is said: what that means is the target's.
    pub unsaid: bool,
    /// `0.0.0.0`: every address of IPv4.
    pub v4: bool,
    /// `::`: every address of IPv6.
    pub v6: bool,
}

impl AllAddresses {
    /// What one `bind` says; nothing where it is an address of its own.
    pub(super) fn of(bind: Option<IpAddr>) -> Self {
        match bind {
            None => Self { unsaid: true, ..Self::default() },
            Some(IpAddr::V4(address)) => Self { v4: address.is_unspecified(), ..Self::default() },
            Some(IpAddr::V6(address)) => Self { v6: address.is_unspecified(), ..Self::default() },
        }
    }

    /// Takes what another takes, too.
    pub(super) fn join(&mut self, other: Self) {
        let Self { unsaid, v4, v6 } = other;
        self.unsaid |= unsaid;
        self.v4 |= v4;
        self.v6 |= v6;
    }
}

/// The address that a listener has for itself; `None` for one on all addresses, in whatever way that is said.
#[must_use]
pub fn own_address(bind: Option<IpAddr>) -> Option<IpAddr> {
    bind.filter(|address| !address.is_unspecified())
}
