//! Shares of traffic.

use std::fmt;

use super::error::Shown;
use super::integer::digits;
use super::{Form, Literal, ValueError};

/// A share from 0% to 100% in steps of 0.0001%, the finest that Istio takes (rule V22) and that Envoy can
/// count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent {
    ppm: u32,
}

/// Parts per million in one percent.
const PPM_PER_PERCENT: u32 = 10_000;
/// Decimals of a percentage.
const DECIMALS: usize = 4;

impl Percent {
    /// 0%.
    pub const ZERO: Self = Self { ppm: 0 };
    /// 100%.
    pub const HUNDRED: Self = Self { ppm: 100 * PPM_PER_PERCENT };

    /// The share of a number of parts per million; none above 1,000,000.
    #[must_use]
    pub const fn from_ppm(ppm: u32) -> Option<Self> {
        if ppm <= Self::HUNDRED.ppm { Some(Self { ppm }) } else { None }
    }

    /// The share in parts per million: 1% is 10,000.
    #[must_use]
    pub const fn ppm(self) -> u32 {
        self.ppm
    }

    /// The share in percent, 0.0 to 100.0 (Istio's `Percent.value`).
    #[must_use]
    pub fn as_f64_percent(self) -> f64 {
        f64::from(self.ppm) / f64::from(PPM_PER_PERCENT)
    }

    /// What is left up to 100%.
    #[must_use]
    pub const fn rest(self) -> Self {
        Self { ppm: Self::HUNDRED.ppm - self.ppm }
    }

    /// The sum; none above 100%.
    #[must_use]
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        Self::from_ppm(self.ppm + other.ppm)
    }
}

impl Literal for Percent {
    const NAME: &'static str = "percentage";
    const DOC: &'static str = "a share from `0%` to `100%` with up to 4 decimals, such as `12.5%`";
    const FORM: Form = Form::Bare;

    fn parse(text: &str) -> Result<Self, ValueError> {
        text.strip_suffix('%').and_then(ppm_of).and_then(Self::from_ppm).ok_or_else(|| refuse(text))
    }
}

/// Parts per million of a decimal number of percent; none if it is not one or has too many decimals.
fn ppm_of(number: &str) -> Option<u32> {
    let (whole, decimals) = match number.split_once('.') {
        Some((_, decimals)) if decimals.is_empty() || decimals.len() > DECIMALS => return None,
        Some(parts) => parts,
        None => (number, ""),
    };
    let mut fraction = 0;
    for place in 0..DECIMALS {
        let digit = decimals.as_bytes().get(place).map_or(0, |byte| byte.wrapping_sub(b'0'));
        if digit > 9 {
            return None;
        }
        fraction = fraction * 10 + u32::from(digit);
    }
    u32::try_from(digits(whole)?).ok()?.checked_mul(PPM_PER_PERCENT)?.checked_add(fraction)
}

#[cold]
fn refuse(text: &str) -> ValueError {
    const HELP: &str = "write a share from `0%` to `100%` with up to 4 decimals";
    let number = text.strip_suffix('%').unwrap_or(text).trim();
    let spelt = format!("{}{number}", if number.starts_with('.') { "0" } else { "" });
    let valid = ppm_of(&spelt).and_then(Percent::from_ppm);
    match valid {
        Some(percent) if !text.ends_with('%') => {
            ValueError::new(format!("{} has no `%`", Shown(text))).help(HELP).guess(percent.to_string())
        }
        Some(percent) => {
            let error = ValueError::new(format!("{} is not a percentage", Shown(text)));
            if number.starts_with('.') {
                error.guess(percent.to_string())
            } else {
                error.respell(percent.to_string())
            }
        }
        None if is_decimal(number.trim_start_matches(['-', '+'])) => match number.split_once('.') {
            Some((_, decimals)) if decimals.len() > DECIMALS && !number.starts_with(['-', '+']) => {
                ValueError::new(format!("{} has more than 4 decimals", Shown(text)))
                    .help("round it: 0.0001% is the smallest step of a proxy")
            }
            _ => ValueError::new(format!("{} is not in the range 0% to 100%", Shown(text))).help(HELP),
        },
        None => ValueError::new(format!("{} is not a percentage", Shown(text))).help(HELP),
    }
}

fn is_decimal(text: &str) -> bool {
    text.bytes().any(|b| b.is_ascii_digit())
        && text.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && text.bytes().filter(|b| *b == b'.').count() <= 1
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.ppm / PPM_PER_PERCENT, self.ppm % PPM_PER_PERCENT);
        if fraction == 0 {
            return write!(f, "{whole}%");
        }
        let decimals = format!("{fraction:04}");
        write!(f, "{whole}.{}%", decimals.trim_end_matches('0'))
    }
}
