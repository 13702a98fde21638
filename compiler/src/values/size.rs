//! Amounts of data.

use std::fmt;

use super::error::Shown;
use super::integer::digits;
use super::{Form, Literal, ValueError};

/// An amount of data in bytes, up to 1024 GiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Size(u64);

/// Units from large to small, with their bytes.
const UNITS: [(&str, u64); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];
const MOST: u64 = 1 << 40;

impl Size {
    /// The size of a number of bytes; none above 1024 GiB.
    #[must_use]
    pub const fn from_bytes(bytes: u64) -> Option<Self> {
        if bytes <= MOST { Some(Self(bytes)) } else { None }
    }

    /// The number of bytes.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

impl Literal for Size {
    const NAME: &'static str = "size";
    const DOC: &'static str =
        "a whole number with `B`, `KiB`, `MiB` or `GiB`, up to 1024GiB, such as `64KiB`";
    const FORM: Form = Form::Bare;

    fn parse(text: &str) -> Result<Self, ValueError> {
        let (number, unit) = split(text);
        let bytes = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, bytes)| *bytes);
        digits(number)
            .zip(bytes)
            .and_then(|(number, bytes)| number.checked_mul(bytes))
            .and_then(Self::from_bytes)
            .ok_or_else(|| refuse(text))
    }
}

/// Digits and what follows them.
fn split(text: &str) -> (&str, &str) {
    let at = text.bytes().position(|b| !b.is_ascii_digit()).unwrap_or(text.len());
    text.split_at_checked(at).unwrap_or((text, ""))
}

#[cold]
fn refuse(text: &str) -> ValueError {
    const HELP: &str = "write a whole number with `B`, `KiB`, `MiB` or `GiB`";
    let (number, unit) = split(text);
    let Some(number) = digits(number) else {
        return ValueError::new(format!("{} is not a size", Shown(text))).help(HELP);
    };
    let meant = match unit.trim_start().to_ascii_lowercase().as_str() {
        "" => {
            return ValueError::new(format!("{} has no unit", Shown(text)))
                .help(HELP)
                .guess(format!("{number}B"));
        }
        "b" | "byte" | "bytes" => "B",
        "k" | "kb" | "ki" | "kib" => "KiB",
        "m" | "mb" | "mi" | "mib" => "MiB",
        "g" | "gb" | "gi" | "gib" => "GiB",
        _ => return ValueError::new(format!("{} is not a size", Shown(text))).help(HELP),
    };
    if meant == unit {
        return ValueError::new(format!("{} is more than 1024GiB", Shown(text))).help("write a smaller size");
    }
    ValueError::new(format!("unknown unit of size `{}`", unit.trim_start()))
        .help(HELP)
        .guess(format!("{number}{meant}"))
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |(_, bytes): &&(&str, u64)| self.0 >= *bytes && self.0.is_multiple_of(*bytes);
        let (unit, bytes) = UNITS.iter().find(fits).copied().unwrap_or(("B", 1));
        write!(f, "{}{unit}", self.0 / bytes)
    }
}
