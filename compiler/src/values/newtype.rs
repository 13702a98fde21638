//! Accessors that all values kept as text share.

/// Gives a struct with a `text: SmolStr` field `as_str`, `Display` and `AsRef<str>`.
macro_rules! text_value {
    ($($name:ident),+) => {$(
        impl $name {
            /// The canonical text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                self.text.as_str()
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.text.as_str())
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.text.as_str()
            }
        }
    )+};
}
pub(super) use text_value;

/// Gives a single-field number `get` and `Display`.
macro_rules! number_value {
    ($name:ident, $inner:ty, $what:literal) => {
        impl $name {
            #[doc = $what]
            #[must_use]
            pub const fn get(self) -> $inner {
                self.0
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}
pub(super) use number_value;
