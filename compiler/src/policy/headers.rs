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
        many "set" | "overwrite" set: HeaderSetting;
        /// Adds this value to those that a header has. Istio: HeaderOperations.add.
        many "add" | "append" add: HeaderSetting;
        /// Removes a header. Istio: HeaderOperations.remove.
        many "remove" | "delete" | "unset" remove: Spanned<HeaderName>;
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

impl HeaderOperations {
    /// Whether both change the same headers in the same way, in whatever order.
    #[must_use]
    pub fn does_the_same(&self, other: &Self) -> bool {
        let settings = |all: &[HeaderSetting]| {
            let mut all: Vec<(HeaderName, HeaderValue)> =
                all.iter().map(|one| (one.name.value.clone(), one.value.value.clone())).collect();
            all.sort_by(|(one, _), (other, _)| one.as_str().cmp(other.as_str()));
            all
        };
        let names = |all: &[Spanned<HeaderName>]| {
            let mut all: Vec<HeaderName> = all.iter().map(|one| one.value.clone()).collect();
            all.sort_by(|one, other| one.as_str().cmp(other.as_str()));
            all
        };
        let (HeaderOperationsBody { set, add, remove }, theirs) = (&self.body, &other.body);
        settings(set) == settings(&theirs.set)
            && settings(add) == settings(&theirs.add)
            && names(remove) == names(&theirs.remove)
    }

    /// Whether a header has no other values than these give it.
    #[must_use]
    pub fn replaces(&self, name: &HeaderName) -> bool {
        let HeaderOperationsBody { set, add: _, remove } = &self.body;
        set.iter().any(|one| one.name.value == *name) || remove.iter().any(|one| one.value == *name)
    }

    /// These operations beside nearer ones: without the values of headers that those replace.
    #[must_use]
    pub fn beside(&self, nearer: Option<&Self>) -> Self {
        let mut left = self.clone();
        if let Some(nearer) = nearer {
            left.body.set.retain(|one| !nearer.replaces(&one.name.value));
            left.body.add.retain(|one| !nearer.replaces(&one.name.value));
        }
        left
    }

    /// Both operations as one. Where both speak of a header, the inner one holds; what both add stays, that of the inner one first.
    #[must_use]
    pub fn joined(outer: Option<&Self>, inner: Option<&Self>) -> Option<Self> {
        let (Some(outer), Some(inner)) = (outer, inner) else { return outer.or(inner).cloned() };
        let mut joined = inner.clone();
        let HeaderOperationsBody { set, add, mut remove } = outer.beside(Some(inner)).body;
        joined.body.set.extend(set);
        joined.body.add.extend(add);
        remove.retain(|one| inner.body.remove.iter().all(|other| other.value != one.value));
        joined.body.remove.extend(remove);
        Some(joined)
    }
}
