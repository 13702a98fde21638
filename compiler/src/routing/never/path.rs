//! Paths in the one form in which they are compared.

use super::Reading;
use super::space::Space;

/// The paths that conditions see.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paths {
    pub(super) reading: Reading,
    /// Whether a query may follow, as in `:path`.
    pub(super) with_query: bool,
}

/// Why no path goes on like this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Paths begin with `/`.
    NoSlash,
    /// It is a query or a fragment.
    Query,
    /// A character that is written percent-encoded.
    Foreign,
    /// Double slashes are merged.
    EmptySegment,
    /// `.` and `..` are resolved.
    Dots,
    /// An escaped slash or backslash: such requests are refused.
    EscapedSlash,
    /// `%00`: such requests are refused.
    Null,
    /// An escape of a character that needs none: it is decoded.
    Decoded(u8),
}

/// What the segment at hand is so far.
const NOTHING: u16 = 0;
const EMPTY: u16 = 1;
const DOT: u16 = 2;
const DOTS: u16 = 3;
const OTHER: u16 = 4;
const IN_QUERY: u16 = 5;
/// A state is the segment, and where in an escape it is: nowhere, behind `%`, or behind `%` and a digit.
const SEGMENTS: u16 = 6;

const fn state(segment: u16, escape: u16) -> u16 {
    segment + escape * SEGMENTS
}

impl Paths {
    /// The state behind a byte.
    fn go(self, at: u16, byte: u8) -> Result<u16, End> {
        let (segment, escape) = (at % SEGMENTS, at / SEGMENTS);
        let digit = char::from(byte).to_digit(16).and_then(|digit| u16::try_from(digit).ok());
        match (segment, escape, digit) {
            (NOTHING, ..) if byte == b'/' => Ok(state(EMPTY, 0)),
            (NOTHING, ..) => Err(End::NoSlash),
            (IN_QUERY, ..) => {
                if byte.is_ascii_graphic() && byte != b'#' {
                    Ok(at)
                } else {
                    Err(End::Foreign)
                }
            }
            (_, 1, Some(high)) => Ok(state(OTHER, 2 + high)),
            (_, 2.., Some(low)) => {
                let byte = u8::try_from((escape - 2) * 16 + low).unwrap_or(0);
                self.escaped(byte).map(|()| state(OTHER, 0))
            }
            // A percent sign that encodes nothing stays.
            _ => self.plain(segment, byte),
        }
    }

    fn escaped(self, byte: u8) -> Result<(), End> {
        match byte {
            0 => Err(End::Null),
            b'/' | b'\\' if self.reading == Reading::Raw => Err(End::EscapedSlash),
            b'-' | b'.' | b'_' | b'~' => Err(End::Decoded(byte)),
            _ if byte.is_ascii_alphanumeric() => Err(End::Decoded(byte)),
            _ => Ok(()),
        }
    }

    fn plain(self, segment: u16, byte: u8) -> Result<u16, End> {
        match (byte, segment) {
            (b'/', DOT | DOTS) => Err(End::Dots),
            (b'/', EMPTY) if self.reading == Reading::Raw => Err(End::EmptySegment),
            (b'/', _) => Ok(state(EMPTY, 0)),
            (b'.', EMPTY) => Ok(state(DOT, 0)),
            (b'.', DOT) => Ok(state(DOTS, 0)),
            (b'%', _) => Ok(state(OTHER, 1)),
            (b'?', DOT | DOTS) => Err(End::Dots),
            (b'?', _) if self.with_query => Ok(state(IN_QUERY, 0)),
            (b'?' | b'#', _) => Err(End::Query),
            (b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}', _) => Err(End::Foreign),
            _ if byte.is_ascii_graphic() => Ok(state(OTHER, 0)),
            _ => Err(End::Foreign),
        }
    }

    /// Why no path is this text, or with `more`, begins with it.
    pub(super) fn refuses(self, text: &str, more: bool) -> Option<End> {
        let reached = text.bytes().try_fold(Self::START, |state, byte| self.go(state, byte));
        match reached {
            Err(end) => Some(end),
            Ok(state) if more || self.accepts(state) => None,
            Ok(Self::START) => Some(End::NoSlash),
            Ok(_) => Some(End::Dots),
        }
    }
}

impl Space for Paths {
    const START: u16 = NOTHING;

    fn step(&self, state: u16, byte: u8) -> Option<u16> {
        self.go(state, byte).ok()
    }

    fn accepts(&self, state: u16) -> bool {
        !matches!(state % SEGMENTS, NOTHING | DOT | DOTS)
    }
}
