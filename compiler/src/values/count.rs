//! Counts of things: connections, attempts, errors.

use super::integer::integer;
use super::newtype::number_value;
use super::{Form, Literal, ValueError};

/// Istio's API keeps counts as int32.
const MOST: u32 = i32::MAX.unsigned_abs();

/// A count from 0 to 2147483647.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Count(u32);

/// A count from 1 to 2147483647.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PositiveCount(u32);

number_value!(Count, u32, "The count, at most 2147483647.");
number_value!(PositiveCount, u32, "The count, from 1 to 2147483647.");

impl Count {
    /// The count of a number; none above 2147483647.
    #[must_use]
    pub const fn new(number: u32) -> Option<Self> {
        if number <= MOST { Some(Self(number)) } else { None }
    }
}

impl PositiveCount {
    /// The count of a number; none for 0 and above 2147483647.
    #[must_use]
    pub const fn new(number: u32) -> Option<Self> {
        if 1 <= number && number <= MOST { Some(Self(number)) } else { None }
    }
}

impl Literal for Count {
    const NAME: &'static str = "count";
    const DOC: &'static str = "a whole number from 0 to 2147483647, such as `100`";
    const FORM: Form = Form::Bare;

    fn parse(text: &str) -> Result<Self, ValueError> {
        integer(text, Self::NAME, 0, MOST).map(Self)
    }
}

impl Literal for PositiveCount {
    const NAME: &'static str = "positive count";
    const DOC: &'static str = "a whole number from 1 to 2147483647, such as `5`";
    const FORM: Form = Form::Bare;

    fn parse(text: &str) -> Result<Self, ValueError> {
        integer(text, Self::NAME, 1, MOST).map(Self)
    }
}

impl From<PositiveCount> for Count {
    fn from(count: PositiveCount) -> Self {
        Self(count.0)
    }
}
