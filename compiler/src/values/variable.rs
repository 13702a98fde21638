//! Variables in header values: the operators that Envoy 1.40 knows, and what each takes.
//!
//! ```text
//! %NAME%   %NAME(ARGUMENTS)%   %NAME(ARGUMENTS):LENGTH%   %%
//! ```
//!
//! The list is what `envoy --mode validate` takes: one value that it does not know makes it refuse all of its configuration, and
//! makes Istio's proxies refuse each later change. Whether Istio's admission reads a value is a second question: [`admission`].

use super::ValueError;
use super::error::Shown;
use super::header::is_token_byte;
use super::suggest::did_you_mean;

/// What may stand in the parentheses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Arguments {
    /// Nothing, and no length.
    None,
    /// Any text.
    Text,
    /// A key, without `:`.
    Key,
    /// A header, and another one in case that it is not there: `x`, `x?y`.
    Headers,
    /// A format of time, as `strftime` reads it, without ends of lines.
    Time,
    /// A key, and how its value is written: `key`, `key:PLAIN`, `key:TYPED`, `key:FIELD:name`.
    State,
    /// The kind of metadata, and the path in it.
    Metadata,
    /// Two points of time and a unit: `DS_RX_BEG:US_RX_END:ms`.
    Span,
    /// One of these words; behind `:` one of the second list, if there is one.
    Words(&'static [&'static str], &'static [&'static str]),
    /// What only Envoy can check.
    Unchecked,
}

/// What an operator takes.
struct Operator {
    arguments: Arguments,
    /// Whether it must have arguments.
    required: bool,
    /// Whether `:LENGTH` may follow, which cuts the value.
    length: bool,
}

/// Operators that take neither arguments nor a length.
const PLAIN: &str = "\
    ACCESS_LOG_TYPE BYTES_RECEIVED BYTES_RETRANSMITTED BYTES_SENT CONNECTION_ID \
    CONNECTION_TERMINATION_DETAILS CUSTOM_FLAGS DOWNSTREAM_CX_RTT \
    DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_SENT \
    DOWNSTREAM_DETECTED_CLOSE_TYPE DOWNSTREAM_DIRECT_LOCAL_ADDRESS \
    DOWNSTREAM_DIRECT_LOCAL_ADDRESS_ENDPOINT_ID DOWNSTREAM_DIRECT_LOCAL_PORT \
    DOWNSTREAM_DIRECT_REMOTE_ADDRESS DOWNSTREAM_DIRECT_REMOTE_PORT DOWNSTREAM_HANDSHAKE_DURATION \
    DOWNSTREAM_HEADER_BYTES_RECEIVED DOWNSTREAM_HEADER_BYTES_SENT DOWNSTREAM_LOCAL_ADDRESS \
    DOWNSTREAM_LOCAL_ADDRESS_ENDPOINT_ID DOWNSTREAM_LOCAL_CLOSE_REASON DOWNSTREAM_LOCAL_DNS_SAN \
    DOWNSTREAM_LOCAL_EMAIL_SAN DOWNSTREAM_LOCAL_IP_SAN DOWNSTREAM_LOCAL_OTHERNAME_SAN \
    DOWNSTREAM_LOCAL_PORT DOWNSTREAM_LOCAL_SUBJECT DOWNSTREAM_LOCAL_URI_SAN DOWNSTREAM_PEER_CERT \
    DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_1 DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_256 \
    DOWNSTREAM_PEER_CHAIN_SERIALS DOWNSTREAM_PEER_DNS_SAN DOWNSTREAM_PEER_EMAIL_SAN \
    DOWNSTREAM_PEER_FINGERPRINT_1 DOWNSTREAM_PEER_FINGERPRINT_256 DOWNSTREAM_PEER_IP_SAN \
    DOWNSTREAM_PEER_ISSUER DOWNSTREAM_PEER_ISSUER_FINGERPRINT_256 DOWNSTREAM_PEER_ISSUER_SERIAL \
    DOWNSTREAM_PEER_OTHERNAME_SAN DOWNSTREAM_PEER_SERIAL DOWNSTREAM_PEER_SUBJECT DOWNSTREAM_PEER_URI_SAN \
    DOWNSTREAM_REMOTE_ADDRESS DOWNSTREAM_REMOTE_PORT DOWNSTREAM_TLS_CIPHER DOWNSTREAM_TLS_GROUP \
    DOWNSTREAM_TLS_SESSION_ID DOWNSTREAM_TLS_VERSION DOWNSTREAM_TRANSPORT_FAILURE_REASON \
    DOWNSTREAM_WIRE_BYTES_RECEIVED DOWNSTREAM_WIRE_BYTES_SENT DURATION FILTER_CHAIN_NAME \
    GRPC_STATUS_NUMBER HOSTNAME LISTENER_NAME LOCAL_REPLY_BODY PACKETS_RETRANSMITTED PROTOCOL \
    REQUEST_DURATION REQUEST_HEADERS_BYTES REQUEST_TX_DURATION RESPONSE_CODE RESPONSE_DURATION \
    RESPONSE_FLAGS RESPONSE_FLAGS_LONG RESPONSE_HEADERS_BYTES RESPONSE_TRAILERS_BYTES \
    RESPONSE_TX_DURATION ROUNDTRIP_DURATION ROUTE_NAME ROUTE_RESOLUTION_COUNT ROUTE_RESOLUTION_TIME_US \
    SPAN_ID STREAM_ID TLS_JA3_FINGERPRINT TLS_JA4_FINGERPRINT TRACE_ID UNIQUE_ID UPSTREAM_CLUSTER \
    UPSTREAM_CLUSTER_RAW UPSTREAM_CONNECTION_ID UPSTREAM_CONNECTION_IDS_ATTEMPTED \
    UPSTREAM_CONNECTION_POOL_READY_DURATION UPSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED \
    UPSTREAM_DECOMPRESSED_HEADER_BYTES_SENT UPSTREAM_DETECTED_CLOSE_TYPE UPSTREAM_HEADER_BYTES_RECEIVED \
    UPSTREAM_HEADER_BYTES_SENT UPSTREAM_HOST UPSTREAM_HOSTS_ATTEMPTED \
    UPSTREAM_HOSTS_ATTEMPTED_WITHOUT_PORT UPSTREAM_HOST_NAME UPSTREAM_HOST_NAMES_ATTEMPTED \
    UPSTREAM_HOST_NAMES_ATTEMPTED_WITHOUT_PORT UPSTREAM_HOST_NAME_WITHOUT_PORT UPSTREAM_LOCAL_ADDRESS \
    UPSTREAM_LOCAL_CLOSE_REASON UPSTREAM_LOCAL_DNS_SAN UPSTREAM_LOCAL_IP_SAN UPSTREAM_LOCAL_PORT \
    UPSTREAM_LOCAL_URI_SAN UPSTREAM_PEER_CERT UPSTREAM_PEER_DNS_SAN UPSTREAM_PEER_IP_SAN \
    UPSTREAM_PEER_ISSUER UPSTREAM_PEER_SUBJECT UPSTREAM_PEER_URI_SAN UPSTREAM_PROTOCOL \
    UPSTREAM_REMOTE_ADDRESS UPSTREAM_REMOTE_ADDRESS_ENDPOINT_ID UPSTREAM_REMOTE_PORT \
    UPSTREAM_REQUEST_ATTEMPT_COUNT UPSTREAM_SERVER_NAME UPSTREAM_TLS_CIPHER UPSTREAM_TLS_GROUP \
    UPSTREAM_TLS_SESSION_ID UPSTREAM_TLS_VERSION UPSTREAM_TRANSPORT_FAILURE_REASON \
    UPSTREAM_WIRE_BYTES_RECEIVED UPSTREAM_WIRE_BYTES_SENT VIRTUAL_CLUSTER_NAME";
const ADDRESSES: &str = "\
    DOWNSTREAM_DIRECT_LOCAL_ADDRESS_WITHOUT_PORT DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT \
    DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT RESPONSE_CODE_DETAILS \
    UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT";
const TIMES: &str = "\
    DOWNSTREAM_PEER_CERT_V_END DOWNSTREAM_PEER_CERT_V_START EMIT_TIME EMIT_TIME_LOCAL START_TIME START_TIME_LOCAL \
    UPSTREAM_PEER_CERT_V_END UPSTREAM_PEER_CERT_V_START";
const HEADERS: &str = "REQ REQUEST_HEADER RESP RESPONSE_HEADER RESPONSE_TRAILER STREAM_INFO_REQ TRAILER";
const SIZED_TEXTS: &str = "DYNAMIC_METADATA ENVIRONMENT QUERY_PARAM";
const TEXTS: &str = "CLUSTER_METADATA UPSTREAM_METADATA";
const STATES: &str = "FILTER_STATE UPSTREAM_FILTER_STATE";
const METADATA: [&str; 7] =
    ["CLUSTER", "DYNAMIC", "LISTENER", "LISTENER_FILTER_CHAIN", "ROUTE", "UPSTREAM_HOST", "VIRTUAL_HOST"];
const PATH_FORMS: &[&str] = &["WQ", "NQ"];
const PATH_SOURCES: &[&str] = &["ORIG", "PATH", "ORIG_OR_PATH"];
const SERVER_NAMES: &[&str] = &["SNI_ONLY", "SNI_FIRST", "HOST_FIRST"];
const HOST_SOURCES: &[&str] = &["ORIG", "HOST", "ORIG_OR_HOST"];

fn operator(name: &str) -> Option<Operator> {
    let among = |list: &str| list.split_ascii_whitespace().any(|known| known == name);
    let of = |arguments, required, length| Some(Operator { arguments, required, length });
    match name {
        "CEL" | "COALESCE" => of(Arguments::Unchecked, true, true),
        "COMMON_DURATION" => of(Arguments::Span, true, false),
        "GRPC_STATUS" => of(Arguments::Words(&["CAMEL_STRING", "SNAKE_STRING", "NUMBER"], &[]), false, false),
        "METADATA" => of(Arguments::Metadata, true, true),
        "PATH" => of(Arguments::Words(PATH_FORMS, PATH_SOURCES), false, true),
        "PER_REQUEST_STATE" => of(Arguments::Key, true, false),
        "QUERY_PARAMS" => of(Arguments::Words(&["ORIG", "DECODED"], &[]), false, true),
        "REQUESTED_SERVER_NAME" => of(Arguments::Words(SERVER_NAMES, HOST_SOURCES), false, false),
        _ if among(PLAIN) => of(Arguments::None, false, false),
        _ if among(ADDRESSES) => of(Arguments::Text, false, false),
        _ if among(TIMES) => of(Arguments::Time, false, false),
        _ if among(HEADERS) => of(Arguments::Headers, true, true),
        _ if among(SIZED_TEXTS) => of(Arguments::Text, true, true),
        _ if among(TEXTS) => of(Arguments::Text, true, false),
        _ if among(STATES) => of(Arguments::State, true, true),
        _ => None,
    }
}

/// Every operator, for suggestions.
fn names() -> impl Iterator<Item = &'static str> {
    let single = "CEL COALESCE COMMON_DURATION GRPC_STATUS METADATA PATH PER_REQUEST_STATE QUERY_PARAMS REQUESTED_SERVER_NAME";
    [single, PLAIN, ADDRESSES, TIMES, HEADERS, SIZED_TEXTS, TEXTS, STATES]
        .into_iter()
        .flat_map(str::split_ascii_whitespace)
}

/// A variable as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Variable<'v> {
    name: &'v str,
    arguments: &'v str,
    length: bool,
}

impl<'v> Variable<'v> {
    /// Reads a variable that begins at the first percent sign of `text`, and its length in bytes.
    fn read(text: &'v str) -> Option<(Self, usize)> {
        let inner = text.get(1..)?;
        let end = inner.bytes().take_while(|byte| is_name_byte(*byte)).count();
        let (name, rest) = inner.split_at_checked(end).filter(|(name, _)| !name.is_empty())?;
        if let Some((length, taken)) = closing(rest) {
            return Some((Self { name, arguments: "", length }, 1 + end + taken));
        }
        // The first `)` that lets the variable end, as Envoy looks for it.
        let opened = rest.strip_prefix('(')?;
        opened.match_indices(')').find_map(|(at, _)| {
            let (length, taken) = closing(opened.get(at + 1..)?)?;
            let arguments = opened.get(..at)?;
            Some((Self { name, arguments, length }, 1 + end + 1 + at + 1 + taken))
        })
    }

    /// The request headers that it reads.
    fn headers(&self) -> impl Iterator<Item = &'v str> + use<'v> {
        let reads = matches!(self.name, "REQ" | "REQUEST_HEADER" | "STREAM_INFO_REQ");
        self.arguments.split('?').filter(move |name| reads && !name.is_empty())
    }
}

const fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_'
}

/// What closes a variable: `%`, or `:3%`. Whether it has a length, and how many bytes that takes.
fn closing(text: &str) -> Option<(bool, usize)> {
    if text.starts_with('%') {
        return Some((false, 1));
    }
    let number = text.strip_prefix(':')?;
    let digits = number.bytes().take_while(u8::is_ascii_digit).count();
    let fits = number.get(..digits).is_some_and(|digits| digits.parse::<u64>().is_ok());
    (fits && number.get(digits..)?.starts_with('%')).then_some((true, digits + 2))
}

/// The parts of a header value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part<'v> {
    Variable(Variable<'v>, usize),
    /// A percent sign that begins nothing.
    Stray(usize),
}

/// The variables of a value, with their place, up to the first percent sign that begins none.
fn parts(text: &str) -> impl Iterator<Item = Part<'_>> {
    let mut at = 0;
    let mut broken = false;
    std::iter::from_fn(move || {
        while !broken {
            let start = at + text.get(at..)?.find('%')?;
            let rest = text.get(start..)?;
            if rest.starts_with("%%") {
                at = start + 2;
                continue;
            }
            let Some((variable, length)) = Variable::read(rest) else {
                broken = true;
                return Some(Part::Stray(start));
            };
            at = start + length;
            return Some(Part::Variable(variable, start));
        }
        None
    })
}

/// The request headers that the variables of a value read: `x` and `y` of `%REQ(x?y)%`.
pub(super) fn headers_read(text: &str) -> impl Iterator<Item = &str> {
    let variables = parts(text).filter_map(|part| match part {
        Part::Variable(variable, _) => Some(variable),
        Part::Stray(_) => None,
    });
    variables.flat_map(|variable| variable.headers())
}

/// Refuses what Envoy would not read.
pub(super) fn check(text: &str) -> Result<(), ValueError> {
    parts(text).try_for_each(|part| match part {
        Part::Stray(at) => Err(stray(text, at)),
        Part::Variable(variable, at) => check_one(variable).map_err(|error| error.at(at)),
    })
}

fn check_one(variable: Variable<'_>) -> Result<(), ValueError> {
    let Variable { name, arguments, length } = variable;
    let Some(operator) = operator(name) else {
        let error = ValueError::new(format!("there is no variable `{name}` in Envoy"));
        let lower: Vec<String> = names().map(str::to_ascii_lowercase).collect();
        return Err(
            match did_you_mean(name, lower.iter().map(String::as_str)).map(str::to_ascii_uppercase) {
                Some(near) => error.help(format!("did you mean `%{near}%`? write `%%` for a percent sign")),
                None => error
                    .help("name a variable of Envoy, such as `%REQ(x-id)%`; write `%%` for a percent sign"),
            },
        );
    };
    if arguments.is_empty() && operator.required {
        return Err(ValueError::new(format!("the variable `{name}` needs arguments"))
            .help(format!("write `%{name}({})%`", example(operator.arguments))));
    }
    if length && !operator.length {
        return Err(ValueError::new(format!("the variable `{name}` takes no length"))
            .help(format!("write `%{name}%` without `:` and a number")));
    }
    if arguments.is_empty() || takes(operator.arguments, arguments) {
        return Ok(());
    }
    let shown = Shown(arguments);
    Err(match operator.arguments {
        Arguments::None => ValueError::new(format!("the variable `{name}` takes no arguments"))
            .help(format!("write `%{name}%`")),
        Arguments::Unchecked => {
            ValueError::new(format!("the arguments of `{name}(...)` cannot be checked here"))
                .help("use other variables: a mistake in it would make Envoy refuse all of its configuration")
        }
        Arguments::Words(first, _) => ValueError::new(format!("the variable `{name}` does not take {shown}"))
            .help(format!("write one of {}", first.join(", "))),
        Arguments::Text
        | Arguments::Key
        | Arguments::Headers
        | Arguments::Time
        | Arguments::State
        | Arguments::Metadata
        | Arguments::Span => ValueError::new(format!("the variable `{name}` does not take {shown}"))
            .help(format!("write `%{name}({})%`", example(operator.arguments))),
    })
}

fn takes(kind: Arguments, text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    match kind {
        Arguments::None | Arguments::Unchecked => false,
        Arguments::Text => true,
        Arguments::Key => !text.contains(':'),
        Arguments::Headers => text.split('?').count() <= 2 && text.split('?').all(is_header),
        Arguments::Time => !text.match_indices('%').any(|(at, _)| is_end_of_line(text.get(at + 1..))),
        Arguments::State => match parts.as_slice() {
            [key] | [key, "" | "PLAIN" | "TYPED"] => !key.is_empty(),
            [key, "FIELD", field] => !key.is_empty() && !field.is_empty(),
            _ => false,
        },
        Arguments::Metadata => parts.first().is_some_and(|kind| METADATA.contains(kind)),
        Arguments::Span => matches!(parts.as_slice(), [_, _] | [_, _, "ms" | "us" | "ns"]),
        Arguments::Words(first, second) => {
            let is_one = |at: usize, words: &[&str]| {
                parts.get(at).is_none_or(|part| part.is_empty() || words.contains(part))
            };
            parts.len() <= if second.is_empty() { 1 } else { 2 } && is_one(0, first) && is_one(1, second)
        }
    }
}

/// A header or pseudo header, or nothing.
fn is_header(name: &str) -> bool {
    let token = name.strip_prefix(':').unwrap_or(name);
    token.bytes().all(is_token_byte) && name != ":"
}

/// Whether a conversion of `strftime` that begins here is the end of a line.
fn is_end_of_line(conversion: Option<&str>) -> bool {
    let flags = |char: char| matches!(char, '-' | '_' | '^' | '#' | 'E' | 'O') || char.is_ascii_digit();
    conversion.is_some_and(|text| text.trim_start_matches(flags).starts_with('n'))
}

const fn example(kind: Arguments) -> &'static str {
    match kind {
        Arguments::Headers => "x-id",
        Arguments::Time => "%Y-%m-%d",
        Arguments::State => "KEY:PLAIN",
        Arguments::Metadata => "ROUTE:KEY",
        Arguments::Span => "DS_RX_BEG:US_RX_END:ms",
        Arguments::None | Arguments::Text | Arguments::Key | Arguments::Words(..) | Arguments::Unchecked => {
            "NAME"
        }
    }
}

#[cold]
fn stray(text: &str, at: usize) -> ValueError {
    let variable = text.get(at..).unwrap_or(text);
    let letters = variable.trim_start_matches('%');
    let lower = letters.split(['(', '%', ':']).next().unwrap_or_default();
    if operator(&lower.to_ascii_uppercase()).is_some() && lower.bytes().any(|byte| byte.is_ascii_lowercase())
    {
        let upper = text.replacen(&format!("%{lower}"), &format!("%{}", lower.to_ascii_uppercase()), 1);
        return ValueError::new(format!("variables are written in capitals, not `{lower}`"))
            .guess(upper)
            .at(at);
    }
    let error = ValueError::new(format!("the percent sign in {} starts no variable", Shown(variable)))
        .help("write `%%` for a percent sign, and a variable as `%NAME%` or `%NAME(ARGUMENTS)%`")
        .at(at);
    // A lone percent sign, as in "50% off", can only mean itself.
    if text.bytes().filter(|byte| *byte == b'%').count() == 1 {
        error.guess(text.replace('%', "%%"))
    } else {
        error
    }
}

/// Where a reader of Istio's admission stands, which reads an older form of the language: arguments are a list of quoted strings,
/// `%VAR(["a", "b"])%`, or plain text, `%VAR(a)%`, and there is no length.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Literal,
    Name,
    Arguments,
    Text,
    Item,
    AfterItem,
    AfterList,
    AfterArguments,
}

/// Whether Istio's admission reads a value (`validateHeaderValue` of its validation).
pub(super) fn admission(text: &str) -> bool {
    let mut place = Place::Literal;
    let mut bytes = text.bytes().peekable();
    while let Some(byte) = bytes.next() {
        place = match (place, byte) {
            (Place::Literal, b'%') if bytes.peek() == Some(&b'%') => {
                bytes.next();
                Place::Literal
            }
            (Place::Literal, b'%') => Place::Name,
            (Place::Literal, _) => Place::Literal,
            (Place::Name | Place::AfterArguments, b'%') => Place::Literal,
            (Place::Name, b'(') => Place::Arguments,
            (Place::Name, _) => Place::Name,
            (Place::Arguments, b'[') => Place::Item,
            (Place::Item, b'"') => Place::Text,
            (Place::Text, b'\\') => {
                bytes.next();
                Place::Text
            }
            (Place::Text, b')') | (Place::AfterList, b')') => Place::AfterArguments,
            (Place::Text, b'"') => Place::AfterItem,
            (Place::Text, _) => Place::Text,
            (Place::AfterItem, b',') => Place::Item,
            (Place::AfterItem, b']') => Place::AfterList,
            (_, b' ') => place,
            (Place::Arguments, _) => Place::Text,
            (Place::Item | Place::AfterItem | Place::AfterList | Place::AfterArguments, _) => return false,
        };
    }
    place == Place::Literal
}
