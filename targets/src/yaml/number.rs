//! Numbers as text.

use std::fmt::Write as _;

/// Writes an unsigned integer in decimal.
pub(super) fn write_u64(out: &mut String, number: u64) {
    if number >= 10 {
        write_u64(out, number / 10);
    }
    out.push(char::from_digit((number % 10) as u32, 10).unwrap_or('0'));
}

/// Writes a signed integer in decimal.
pub(super) fn write_i64(out: &mut String, number: i64) {
    if number < 0 {
        out.push('-');
    }
    write_u64(out, number.unsigned_abs());
}

/// Writes the shortest text that reads back as `number`: `50` for 50.0, because that is how people write a percentage, and a point
/// and a signed exponent in very large and very small numbers, because YAML 1.1 takes `1e300` for text.
pub(super) fn write_f64(out: &mut String, number: f64) {
    /// From here on every double is an integer.
    const ALL_WHOLE: f64 = 9_007_199_254_740_992.0;
    let size = number.abs();
    if number.is_nan() {
        out.push_str(".nan");
    } else if number.is_infinite() {
        out.push_str(if number > 0.0 { ".inf" } else { "-.inf" });
    } else if number == 0.0 {
        out.push_str(if number.is_sign_negative() { "-0.0" } else { "0" });
    } else if size < ALL_WHOLE && number.fract() == 0.0 {
        write_i64(out, number as i64);
    } else if (1e-5..ALL_WHOLE).contains(&size) {
        // Writing into a `String` cannot fail.
        let _ = write!(out, "{number}");
    } else {
        write_scientific(out, number);
    }
}

fn write_scientific(out: &mut String, number: f64) {
    let text = format!("{number:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    out.push_str(mantissa);
    if !mantissa.contains('.') {
        out.push_str(".0");
    }
    out.push_str(if exponent.starts_with('-') { "e" } else { "e+" });
    out.push_str(exponent);
}
