//! HTTP/1.1 as bytes: what both ends of the rig read.

use std::io;

/// Longest head of a message, and longest body: what is longer is a fault of the other side.
pub(super) const LONGEST_HEAD: usize = 1 << 18;
const LONGEST_BODY: usize = 1 << 24;
const MOST_HEADERS: usize = 256;

/// Header fields in the order and letter case of the wire; bytes are the characters of Latin-1.
pub type Headers = Vec<(String, String)>;

/// Bytes as text, one character of Latin-1 each, so that nothing is lost.
#[must_use]
pub fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// The bytes of such a text; a character beyond Latin-1 stands for its UTF-8.
#[must_use]
pub fn bytes(text: &str) -> Vec<u8> {
    let mut all = Vec::with_capacity(text.len());
    for char in text.chars() {
        match u8::try_from(u32::from(char)) {
            Ok(byte) => all.push(byte),
            Err(_) => all.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    all
}

/// The first value of a header, whatever its letter case.
#[must_use]
pub fn header<'h>(headers: &'h [(String, String)], name: &str) -> Option<&'h str> {
    headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// The head of a request.
pub(super) struct RequestHead {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) keeps: bool,
    pub(super) headers: Headers,
}

/// The head of a response.
pub(super) struct ResponseHead {
    pub(super) status: u16,
    pub(super) headers: Headers,
}

/// Takes the head of a request from the front of a buffer; `None` if it is not all there. The line of the request is taken apart
/// here: `httparse` refuses targets that are not UTF-8, which proxies may well pass on.
pub(super) fn take_request(buffer: &mut Vec<u8>) -> io::Result<Option<RequestHead>> {
    let Some(end) = buffer.iter().position(|byte| *byte == b'\n') else {
        return if buffer.len() > LONGEST_HEAD {
            Err(invalid("the header section is too long"))
        } else {
            Ok(None)
        };
    };
    let (line, rest) = buffer.split_at_checked(end + 1).unwrap_or_default();
    let mut words = line.trim_ascii_end().split(|byte| *byte == b' ');
    let (Some(method), Some(target), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(invalid("not HTTP/1.1: the line of a request has three words"));
    };
    let keeps = match version {
        b"HTTP/1.1" => true,
        b"HTTP/1.0" => false,
        _ => return Err(invalid("not HTTP/1.1: another version")),
    };
    let mut fields = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let (parsed, headers) = match httparse::parse_headers(rest, &mut fields) {
        Ok(httparse::Status::Complete((length, headers))) => {
            (Ok(httparse::Status::Complete(length)), owned(headers))
        }
        Ok(httparse::Status::Partial) => (Ok(httparse::Status::Partial), Headers::new()),
        Err(error) => (Err(error), Headers::new()),
    };
    let head = RequestHead { method: latin1(method), target: latin1(target), keeps, headers };
    let Some(length) = complete(parsed, rest)? else { return Ok(None) };
    buffer.drain(..end + 1 + length);
    Ok(Some(head))
}

/// Takes the head of a response from the front of a buffer; `None` if it is not all there.
pub(super) fn take_response(buffer: &mut Vec<u8>) -> io::Result<Option<ResponseHead>> {
    let mut fields = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut response = httparse::Response::new(&mut fields);
    let Some(length) = complete(response.parse(buffer), buffer)? else { return Ok(None) };
    let head = ResponseHead { status: response.code.unwrap_or_default(), headers: owned(response.headers) };
    buffer.drain(..length);
    Ok(Some(head))
}

fn complete(parsed: httparse::Result<usize>, buffer: &[u8]) -> io::Result<Option<usize>> {
    match parsed {
        Ok(httparse::Status::Complete(length)) => Ok(Some(length)),
        Ok(httparse::Status::Partial) if buffer.len() > LONGEST_HEAD => {
            Err(invalid("the header section is too long"))
        }
        Ok(httparse::Status::Partial) => Ok(None),
        Err(error) => Err(invalid(&format!("not HTTP/1.1: {error}"))),
    }
}

fn owned(fields: &[httparse::Header<'_>]) -> Headers {
    fields.iter().map(|field| (field.name.to_owned(), latin1(field.value))).collect()
}

/// How the end of a body is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// It has this many bytes.
    Length(usize),
    /// It comes in chunks.
    Chunked,
    /// It ends with the connection.
    UntilClose,
}

impl Framing {
    /// What headers say; a request without any of them has no body, a response without ends with the connection.
    pub(super) fn of(headers: &Headers, silent: Self) -> io::Result<Self> {
        let coding = header(headers, "transfer-encoding");
        if coding.is_some_and(|coding| coding.to_ascii_lowercase().contains("chunked")) {
            return Ok(Self::Chunked);
        }
        match header(headers, "content-length").map(|length| length.trim().parse()) {
            Some(Ok(length)) if length <= LONGEST_BODY => Ok(Self::Length(length)),
            Some(_) => Err(invalid("invalid Content-Length")),
            None => Ok(silent),
        }
    }

    /// Takes the body from the front of a buffer; `None` if it is not all there.
    pub(super) fn take(self, buffer: &mut Vec<u8>, closed: bool) -> io::Result<Option<Vec<u8>>> {
        if buffer.len() > LONGEST_BODY + LONGEST_HEAD {
            return Err(invalid("the chunked body has no end"));
        }
        match self {
            Self::Length(length) if buffer.len() >= length => Ok(Some(buffer.drain(..length).collect())),
            Self::Length(_) => Ok(None),
            Self::UntilClose => Ok(closed.then(|| std::mem::take(buffer))),
            Self::Chunked => take_chunks(buffer),
        }
    }
}

fn take_chunks(buffer: &mut Vec<u8>) -> io::Result<Option<Vec<u8>>> {
    let mut body = Vec::new();
    let mut at = 0;
    loop {
        let rest = buffer.get(at..).unwrap_or_default();
        let (start, size) = match httparse::parse_chunk_size(rest) {
            Ok(httparse::Status::Complete((start, size))) => {
                (start, usize::try_from(size).unwrap_or(usize::MAX))
            }
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(_) => return Err(invalid("a chunk without size")),
        };
        if size == 0 {
            // Trailers end with an empty line; without them it is the first.
            let Some(trailers) = rest.get(start..) else { return Ok(None) };
            let Some(length) = end_of_trailers(trailers) else { return Ok(None) };
            buffer.drain(..at + start + length);
            return Ok(Some(body));
        }
        let Some(chunk) = start.checked_add(size).and_then(|end| rest.get(start..end)) else {
            return Ok(None);
        };
        body.extend_from_slice(chunk);
        at += start + size + 2;
    }
}

fn end_of_trailers(trailers: &[u8]) -> Option<usize> {
    if trailers.starts_with(b"\r\n") {
        return Some(2);
    }
    trailers.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4)
}

pub(super) fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn every_byte_survives() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(bytes(&latin1(&all)), all);
    }

    #[test]
    fn a_request_is_taken_as_it_was_written() {
        let mut buffer = b"GET /a%2f//b?x=|y HTTP/1.1\r\nHost: a\r\nX-B: 1\r\nx-b: 2\r\n\r\nrest".to_vec();
        let head = take_request(&mut buffer).unwrap().unwrap();
        assert_eq!((head.method.as_str(), head.target.as_str()), ("GET", "/a%2f//b?x=|y"));
        let wanted = [("Host", "a"), ("X-B", "1"), ("x-b", "2")];
        assert_eq!(head.headers, wanted.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(buffer, b"rest");
    }

    #[test]
    fn a_body_ends_where_it_says() {
        let whole = b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: 1\r\n\r\nnext";
        for length in 0..whole.len() - 4 {
            let mut buffer = whole.get(..length).unwrap().to_vec();
            assert_eq!(Framing::Chunked.take(&mut buffer, false).unwrap(), None, "{length}");
        }
        let mut buffer = whole.to_vec();
        assert_eq!(Framing::Chunked.take(&mut buffer, false).unwrap().unwrap(), b"abcde");
        assert_eq!(buffer, b"next");
        assert_eq!(Framing::Length(2).take(&mut buffer, false).unwrap().unwrap(), b"ne");
        assert_eq!(Framing::UntilClose.take(&mut buffer, false).unwrap(), None);
        assert_eq!(Framing::UntilClose.take(&mut buffer, true).unwrap().unwrap(), b"xt");
    }

    #[test]
    fn what_is_not_http_is_an_error() {
        assert!(take_request(&mut b"\x16\x03\x01 no\r\n\r\n".to_vec()).is_err());
        let lies = vec![("Content-Length".to_owned(), "-1".to_owned())];
        assert!(Framing::of(&lies, Framing::UntilClose).is_err());
        assert!(Framing::Chunked.take(&mut b"zz\r\n".to_vec(), false).is_err());
    }
}
