//! Network ports.

use super::integer::integer;
use super::newtype::number_value;
use super::{Form, Literal, ValueError};

/// A TCP or UDP port, 1 to 65535 (rule C4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Port(u16);

number_value!(Port, u16, "The port number.");

impl Port {
    /// The port of a number; none for 0.
    #[must_use]
    pub const fn new(number: u16) -> Option<Self> {
        if number == 0 { None } else { Some(Self(number)) }
    }
}

impl Literal for Port {
    const NAME: &'static str = "port";
    const DOC: &'static str = "a port number from 1 to 65535, such as `443`";
    const FORM: Form = Form::Bare;

    fn parse(text: &str) -> Result<Self, ValueError> {
        let number = integer(text, Self::NAME, 1, u32::from(u16::MAX))?;
        // In range by the line above.
        Ok(Self(u16::try_from(number).unwrap_or(u16::MAX)))
    }
}
