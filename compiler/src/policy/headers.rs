//! `request-headers` and `response-headers`: what is set, added and removed on the way.

use crate::reading::{keyword, section};
use crate::values::{HeaderName, HeaderValue};
use meshc_language::Spanned;

keyword! {
    /// `request-headers { set x "1"; add y "2"; remove z }` (Istio `Headers.HeaderOperations`).
    pub struct HeaderOperations {
        body required body: HeaderOperationsBody;
    }
}

section! {
    /// Operations on headers. Headers are removed first, then set, then added to (Envoy, and so Istio), in the order of the names.
    pub struct HeaderOperationsBody {
        /// Gives a header this value, whatever it had. Istio: HeaderOperations.set.
        many "set" set: HeaderSetting;
        /// Adds this value to those that a header has. Istio: HeaderOperations.add.
        many "add" add: HeaderSetting;
        /// Removes a header. Istio: HeaderOperations.remove.
        many "remove" remove: Spanned<HeaderName>;
    }
}

keyword! {
    /// A header and its value.
    pub struct HeaderSetting {
        /// The header.
        pos name: Spanned<HeaderName>;
        /// The value; `%NAME%` is a variable of Envoy, `%%` a percent sign.
        pos value: Spanned<HeaderValue>;
    }
}
