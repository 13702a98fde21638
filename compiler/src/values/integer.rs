//! Whole numbers: the part that ports, counts and status codes share.

use super::ValueError;
use super::error::Shown;

/// The number of plain decimal digits without sign, separator or leading zero; none for any other text.
pub(super) fn digits(text: &str) -> Option<u64> {
    let bytes = text.as_bytes();
    // 18 digits always fit in 64 bits.
    if bytes.is_empty() || bytes.len() > 18 || (bytes.len() > 1 && bytes.first() == Some(&b'0')) {
        return None;
    }
    let mut number = 0_u64;
    for byte in bytes {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number * 10 + u64::from(digit);
    }
    Some(number)
}

/// Reads a whole number from `least` to `most`; `kind` names it in messages.
pub(super) fn integer(text: &str, kind: &str, least: u32, most: u32) -> Result<u32, ValueError> {
    match digits(text).and_then(|number| u32::try_from(number).ok()) {
        Some(number) if least <= number && number <= most => Ok(number),
        _ => Err(refuse(text, kind, least, most)),
    }
}

#[cold]
fn refuse(text: &str, kind: &str, least: u32, most: u32) -> ValueError {
    let range = format!("write a whole number from {least} to {most}");
    if text.is_empty() {
        return ValueError::new(format!("empty {kind}")).help(range);
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !unsigned.is_empty() && unsigned.bytes().all(|b| b.is_ascii_digit()) {
        if let Some(plain) = without_zeros(text).filter(|plain| in_range(plain, least, most)) {
            return ValueError::new(format!("{kind} {} has a leading zero", Shown(text))).guess(plain);
        }
        return ValueError::new(format!("{kind} {} is not in the range {least} to {most}", Shown(text)))
            .help(range);
    }
    let error = ValueError::new(format!("{kind} {} is not a whole number", Shown(text))).help(range);
    let joined: String = text.chars().filter(|c| !matches!(c, '_' | ',' | '\'' | ' ')).collect();
    if joined != text && in_range(&joined, least, most) { error.guess(joined) } else { error }
}

/// The digits without leading zeros, if there were any.
fn without_zeros(text: &str) -> Option<&str> {
    let plain = text.trim_start_matches('0');
    let plain = if plain.is_empty() { "0" } else { plain };
    (plain.len() < text.len()).then_some(plain)
}

fn in_range(text: &str, least: u32, most: u32) -> bool {
    digits(text).is_some_and(|number| u64::from(least) <= number && number <= u64::from(most))
}
