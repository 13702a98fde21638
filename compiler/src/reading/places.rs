//! Equality of what holds places: two statements are equal if they say the same, wherever each is written, as two
//! [`Spanned`](meshc_language::Spanned) values are.

/// Implements equality for structs that hold places. Every field is named, so that a new one stops this from compiling.
///
/// ```ignore
/// wherever_written!(Timeout { limit } at { span });
/// ```
macro_rules! wherever_written {
    ($name:ident { $($field:ident),* $(,)? } at { $($place:ident),+ }) => {
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                let Self { $($field,)* $($place: _),+ } = self;
                true $(&& *$field == other.$field)*
            }
        }
    };
}
pub(crate) use wherever_written;
