//! Calendar dates, for exemptions that expire.

use std::fmt;

use super::error::Shown;
use super::{Form, Literal, ValueError};

/// A day of the Gregorian calendar, written `2027-01-31`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    /// The date of its parts; none unless the day exists. Years are 1 to 9999.
    #[must_use]
    pub const fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let exists =
            1 <= year && year <= 9999 && 1 <= month && month <= 12 && 1 <= day && day <= days_in(year, month);
        if exists { Some(Self { year, month, day }) } else { None }
    }

    /// The date that lies `days` after 1970-01-01; none outside the years 1 to 9999.
    #[must_use]
    pub fn from_unix_days(days: i64) -> Option<Self> {
        // Counts years from 1 March, so that the leap day is the last of its year.
        let shifted = days.checked_add(719_468)?;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Self::new(u16::try_from(year).ok()?, u8::try_from(month).ok()?, u8::try_from(day).ok()?)
    }

    /// The year, 1 to 9999.
    #[must_use]
    pub const fn year(self) -> u16 {
        self.year
    }

    /// The month, 1 to 12.
    #[must_use]
    pub const fn month(self) -> u8 {
        self.month
    }

    /// The day of the month, 1 to 31.
    #[must_use]
    pub const fn day(self) -> u8 {
        self.day
    }
}

const fn days_in(year: u16, month: u8) -> u8 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl Literal for Date {
    const NAME: &'static str = "date";
    const DOC: &'static str = "a day as year, month and day, such as `2027-01-31`";
    const FORM: Form = Form::Bare;

    fn parse(text: &str) -> Result<Self, ValueError> {
        parts(text).and_then(|(year, month, day)| Self::new(year, month, day)).ok_or_else(|| refuse(text))
    }
}

/// The numbers of `YYYY-MM-DD`; none for any other shape.
fn parts(text: &str) -> Option<(u16, u8, u8)> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text.as_bytes() else { return None };
    let digit = |byte: &u8| byte.is_ascii_digit().then_some(byte.wrapping_sub(b'0'));
    let two = |high: &u8, low: &u8| Some(digit(high)? * 10 + digit(low)?);
    Some((u16::from(two(y1, y2)?) * 100 + u16::from(two(y3, y4)?), two(m1, m2)?, two(d1, d2)?))
}

#[cold]
fn refuse(text: &str) -> ValueError {
    const HELP: &str = "write the date as year, month and day, such as `2027-01-31`";
    if let Some((year, month, day)) = parts(text) {
        let error = ValueError::new(format!("there is no day {}", Shown(text)));
        return match month {
            1..=12 if day > days_in(year, month) => {
                error.help(format!("that month has {} days", days_in(year, month)))
            }
            1..=12 => error.help("days count from 01"),
            _ => error.help("months are 01 to 12"),
        };
    }
    let error = ValueError::new(format!("{} is not a date", Shown(text))).help(HELP);
    let numbers: Vec<&str> = text.split(['-', '/', '.']).collect();
    let respelt = match numbers.as_slice() {
        [year, month, day] if year.len() == 4 => format!("{year}-{month:0>2}-{day:0>2}"),
        _ => return error,
    };
    if !Date::parse_quietly(&respelt) {
        return error;
    }
    // A digit that is missing may have been another than 0.
    if respelt.len() == text.len() { error.respell(respelt) } else { error.guess(respelt) }
}

impl Date {
    fn parse_quietly(text: &str) -> bool {
        parts(text).is_some_and(|(year, month, day)| Self::new(year, month, day).is_some())
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}
