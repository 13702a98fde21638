//! Lengths of time.

use std::fmt;

use super::error::Shown;
use super::integer::digits;
use super::{Form, Literal, ValueError};

/// A length of time of at least 1ms, in whole milliseconds (rule C5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(u64);

/// A length of time that may be zero, where Istio takes 0 as "never" (`tcp.idleTimeout`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DurationOrZero(u64);

/// A length of time in whole seconds, at least 1s (`CorsPolicy.maxAge`, rule V21; of `TcpKeepalive` istiod cuts off the rest, and
/// Linux takes its own 2 hours for 0).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WholeSeconds(u64);

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
/// Ten years. The API goes to 10,000, but a longer time in a mesh is a wrong unit.
const MOST: u64 = 87_600 * HOUR;

/// What stops a text from being a duration.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    NotANumber,
    NoUnit,
    UnknownUnit,
    /// A larger or equal unit after a smaller one.
    Order,
    /// Decimals with a unit other than seconds.
    Fraction,
    /// Finer than a millisecond.
    TooFine,
    TooLong,
}

/// The milliseconds of `1m30s`, `250ms`, `0.5s`: parts from large to small units, decimals with seconds only.
fn millis(text: &str) -> Result<u64, Fault> {
    let mut rest = text.as_bytes();
    let mut total = 0_u64;
    let mut previous = u64::MAX;
    loop {
        let whole = number(&mut rest, 12)?.ok_or(if previous == u64::MAX {
            Fault::NotANumber
        } else {
            Fault::UnknownUnit
        })?;
        let fraction = thousandths(&mut rest)?;
        let (unit, after) = match rest {
            [b'm', b's', after @ ..] => (1, after),
            [b's', after @ ..] => (SECOND, after),
            [b'm', after @ ..] => (MINUTE, after),
            [b'h', after @ ..] => (HOUR, after),
            [] => return Err(Fault::NoUnit),
            _ => return Err(Fault::UnknownUnit),
        };
        let part = match fraction {
            Some(_) if unit != SECOND => return Err(Fault::Fraction),
            fraction => whole * unit + fraction.unwrap_or(0),
        };
        if unit >= previous {
            return Err(Fault::Order);
        }
        total += part;
        if total > MOST {
            return Err(Fault::TooLong);
        }
        if after.is_empty() {
            return Ok(total);
        }
        previous = unit;
        rest = after;
    }
}

/// Takes leading digits off; none if there are none. `most` digits keep the sums below 64 bits.
fn number(rest: &mut &[u8], most: usize) -> Result<Option<u64>, Fault> {
    let mut value = 0_u64;
    let mut count = 0;
    while let [digit @ b'0'..=b'9', after @ ..] = *rest {
        value = value * 10 + u64::from(digit - b'0');
        count += 1;
        if count > most {
            return Err(Fault::TooLong);
        }
        *rest = after;
    }
    Ok((count > 0).then_some(value))
}

/// Takes `.25` off as 250; none if there is no point.
fn thousandths(rest: &mut &[u8]) -> Result<Option<u64>, Fault> {
    let [b'.', decimals @ ..] = *rest else { return Ok(None) };
    *rest = decimals;
    let mut value = 0;
    let mut place = 100;
    let mut any = false;
    while let [digit @ b'0'..=b'9', after @ ..] = *rest {
        let digit = u64::from(digit - b'0');
        if place == 0 && digit != 0 {
            return Err(Fault::TooFine);
        }
        value += digit * place;
        place /= 10;
        any = true;
        *rest = after;
    }
    if any { Ok(Some(value)) } else { Err(Fault::NotANumber) }
}

#[cold]
fn refuse(text: &str, fault: Fault) -> ValueError {
    const UNITS: &str = "write a number with `ms`, `s`, `m` or `h`, such as `4s`, `250ms` or `1m30s`";
    let shown = Shown(text);
    match fault {
        Fault::NoUnit => {
            let error = ValueError::new(format!("{shown} has no unit"))
                .help("add the unit: `ms`, `s`, `m` or `h`; a unit is never guessed");
            let seconds = format!("{text}s");
            if millis(&seconds).is_ok() { error.guess(seconds) } else { error }
        }
        Fault::TooFine => ValueError::new(format!("{shown} is not a whole number of milliseconds"))
            .help("round it to whole milliseconds: Istio refuses anything finer"),
        Fault::TooLong => ValueError::new(format!("{shown} is longer than ten years"))
            .help("write at most `87600h`; check the unit"),
        Fault::Order => ValueError::new(format!("the units of {shown} are out of order"))
            .help("write larger units first, each once, such as `1h30m`"),
        Fault::Fraction => {
            let error =
                ValueError::new(format!("{shown} has decimals; only seconds may have them")).help(UNITS);
            match in_smaller_units(text) {
                Some(duration) => error.guess(duration.to_string()),
                None => error,
            }
        }
        Fault::UnknownUnit | Fault::NotANumber => refuse_spelling(text, fault).help(UNITS),
    }
}

/// `4S`, `4 s`, `4sec`, `1d`: respelt where the meaning is plain.
fn refuse_spelling(text: &str, fault: Fault) -> ValueError {
    if text.starts_with('-') && text.as_bytes().get(1).is_some_and(u8::is_ascii_digit) {
        return ValueError::new(format!("duration {} is negative", Shown(text)));
    }
    let lower: String = text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_lowercase()).collect();
    let at = lower.bytes().position(|b| !b.is_ascii_digit()).unwrap_or(lower.len());
    let (amount, unit) = lower.split_at_checked(at).unwrap_or((&lower, ""));
    let error = match fault {
        Fault::UnknownUnit => ValueError::new(format!("{} has an unknown unit", Shown(text))),
        Fault::NotANumber
        | Fault::NoUnit
        | Fault::Order
        | Fault::Fraction
        | Fault::TooFine
        | Fault::TooLong => ValueError::new(format!("{} is not a duration", Shown(text))),
    };
    let respelt = match unit {
        "sec" | "secs" | "second" | "seconds" => format!("{amount}s"),
        "min" | "mins" | "minute" | "minutes" => format!("{amount}m"),
        "hr" | "hrs" | "hour" | "hours" => format!("{amount}h"),
        "msec" | "millis" | "millisecond" | "milliseconds" => format!("{amount}ms"),
        "d" | "day" | "days" => {
            digits(amount).map_or(String::new(), |days| format!("{}h", days.saturating_mul(24)))
        }
        _ => lower.clone(),
    };
    if respelt == text || millis(&respelt).is_err() {
        return error;
    }
    // A `d` may be a slip for `s`.
    if unit.starts_with('d') { error.guess(respelt) } else { error.respell(respelt) }
}

/// `1.5m` as the duration it means, if that is whole milliseconds.
fn in_smaller_units(text: &str) -> Option<DurationOrZero> {
    let at = text.bytes().position(|b| b.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at_checked(at)?;
    let factor = match unit {
        "ms" => 1,
        "m" => MINUTE,
        "h" => HOUR,
        _ => return None,
    };
    let (whole, decimals) = number.split_once('.')?;
    let scale = 10_u64.checked_pow(u32::try_from(decimals.len()).ok()?)?;
    let parts =
        digits(whole)?.checked_mul(scale)?.checked_add(decimals.parse().ok()?)?.checked_mul(factor)?;
    (parts % scale == 0 && parts / scale <= MOST).then_some(DurationOrZero(parts / scale))
}

impl Literal for Duration {
    const NAME: &'static str = "duration";
    const DOC: &'static str =
        "a length of time from 1ms to ten years, in `ms`, `s`, `m`, `h`, such as `4s`, `250ms` or `1m30s`";
    const FORM: Form = Form::Bare;

    fn parse(text: &str) -> Result<Self, ValueError> {
        match millis(text) {
            Ok(0) => {
                Err(ValueError::new(format!("{} is too short: a duration is at least 1ms", Shown(text)))
                    .help("write `1ms` or more"))
            }
            Ok(millis) => Ok(Self(millis)),
            Err(fault) => Err(refuse(text, fault).checked::<Self>()),
        }
    }
}

impl Literal for DurationOrZero {
    const NAME: &'static str = "duration or zero";
    const DOC: &'static str = "a length of time from `0s` to ten years, in `ms`, `s`, `m`, `h`, such as `1h`";
    const FORM: Form = Form::Bare;

    fn parse(text: &str) -> Result<Self, ValueError> {
        millis(text).map(Self).map_err(|fault| refuse(text, fault))
    }
}

impl Literal for WholeSeconds {
    const NAME: &'static str = "duration in whole seconds";
    const DOC: &'static str = "a length of time from 1s to ten years in whole seconds, such as `1s` or `24h`";
    const FORM: Form = Form::Bare;

    fn parse(text: &str) -> Result<Self, ValueError> {
        match millis(text) {
            Ok(millis) if millis >= SECOND && millis.is_multiple_of(SECOND) => Ok(Self(millis)),
            Ok(_) => Err(ValueError::new(format!("{} is not a whole number of seconds", Shown(text)))
                .help("write at least `1s`, without a part of a second: Istio takes nothing finer here")),
            Err(fault) => Err(refuse(text, fault).checked::<Self>()),
        }
    }
}

macro_rules! duration_value {
    ($($name:ident),+) => {$(
        impl $name {
            /// The length in milliseconds.
            #[must_use]
            pub const fn as_millis(self) -> u64 {
                self.0
            }

            /// The spelling of protobuf's JSON mapping: seconds with up to three decimals, such as `4s` or
            /// `0.25s`.
            #[must_use]
            pub fn to_proto(self) -> String {
                let (seconds, millis) = (self.0 / SECOND, self.0 % SECOND);
                if millis == 0 {
                    return format!("{seconds}s");
                }
                let decimals = format!("{millis:03}");
                format!("{seconds}.{}s", decimals.trim_end_matches('0'))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_millis(self.0, f)
            }
        }
    )+};
}
duration_value!(Duration, DurationOrZero, WholeSeconds);

/// Canonical: `500ms` and `1500ms` below a minute, else the parts that are not zero, such as `1m30s` or `1h`.
fn write_millis(total: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if total == 0 {
        return f.write_str("0s");
    }
    if total < MINUTE && !total.is_multiple_of(SECOND) {
        return write!(f, "{total}ms");
    }
    let parts = [
        (total / HOUR, "h"),
        (total % HOUR / MINUTE, "m"),
        (total % MINUTE / SECOND, "s"),
        (total % SECOND, "ms"),
    ];
    for (amount, unit) in parts {
        if amount > 0 {
            write!(f, "{amount}{unit}")?;
        }
    }
    Ok(())
}

impl Duration {
    /// 10s.
    pub(crate) const TEN_SECONDS: Self = Self(10 * SECOND);

    /// The duration of a number of milliseconds; none for 0 and above ten years.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Option<Self> {
        if 1 <= millis && millis <= MOST { Some(Self(millis)) } else { None }
    }
}

impl DurationOrZero {
    /// 1h.
    pub(crate) const AN_HOUR: Self = Self(HOUR);
}

impl From<Duration> for DurationOrZero {
    fn from(duration: Duration) -> Self {
        Self(duration.0)
    }
}

impl From<WholeSeconds> for Duration {
    fn from(seconds: WholeSeconds) -> Self {
        Self(seconds.0)
    }
}

impl WholeSeconds {
    /// The length in seconds.
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0 / SECOND
    }
}
