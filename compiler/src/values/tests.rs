//! Each literal against its canonical spelling, or against what its error says.

#![expect(clippy::unwrap_used, clippy::panic, clippy::string_slice, reason = "tests")]

use std::fmt::{Debug, Display};

use super::*;

/// Each text is read, and written canonically; the canonical text is read as the same value.
fn reads<T: Literal + Display + PartialEq + Debug>(rows: &[(&str, &str)]) {
    for (text, canonical) in rows {
        let value = T::parse(text).unwrap_or_else(|error| panic!("{}: `{text}`: {error}", T::NAME));
        assert_eq!(value.to_string(), *canonical, "{}: `{text}`", T::NAME);
        assert_eq!(T::parse(canonical).as_ref(), Ok(&value), "{}: `{canonical}`", T::NAME);
    }
}

/// Each text is written as it is read.
fn keeps<T: Literal + Display + PartialEq + Debug>(texts: &[&str]) {
    let rows: Vec<_> = texts.iter().map(|text| (*text, *text)).collect();
    reads::<T>(&rows);
}

/// Each text is refused with a part of a message, and with a replacement that is read in its turn.
fn refuses<T: Literal + Debug>(rows: &[(&str, &str, Option<&str>)]) {
    for (text, message, replacement) in rows {
        let error =
            T::parse(text).map(|value| panic!("{}: `{text}` is read as {value:?}", T::NAME)).unwrap_err();
        assert!(error.message.contains(message), "{}: `{text}`: {}", T::NAME, error.message);
        assert_eq!(error.replacement.as_deref(), *replacement, "{}: `{text}`: {error:?}", T::NAME);
        if let Some(replacement) = replacement {
            assert!(T::parse(replacement).is_ok(), "{}: `{text}`: {replacement}", T::NAME);
        }
        well_said(text, &error);
    }
}

/// The house style of messages: lower case, no full stop, one line, an offset inside the text.
fn well_said(text: &str, error: &ValueError) {
    for line in [Some(&error.message), error.help.as_ref()].into_iter().flatten() {
        let acronym = line.chars().nth(1).is_some_and(char::is_uppercase);
        let lower = !line.starts_with(char::is_uppercase) || acronym || line.starts_with("Unix");
        assert!(lower, "`{text}`: {line}");
        assert!(!line.ends_with('.') && !line.contains('\n'), "`{text}`: {line}");
        assert_eq!(line.matches('`').count() % 2, 0, "`{text}`: {line}");
    }
    assert!(error.offset.is_none_or(|offset| text.is_char_boundary(offset)), "`{text}`: {error:?}");
}

#[test]
fn ports() {
    keeps::<Port>(&["1", "443", "65535"]);
    refuses::<Port>(&[
        ("0", "not in the range 1 to 65535", None),
        ("65536", "not in the range", None),
        ("99999999999999999999", "not in the range", None),
        ("-1", "not in the range", None),
        ("0443", "leading zero", Some("443")),
        ("8_080", "is not a whole number", Some("8080")),
        ("http", "is not a whole number", None),
        ("80.0", "is not a whole number", None),
        ("", "empty port", None),
        ("٤٤٣", "is not a whole number", None),
    ]);
    assert_eq!(Port::parse("443").unwrap().get(), 443);
    assert_eq!(Port::new(0), None);
}

#[test]
fn counts() {
    keeps::<Count>(&["0", "7", "2147483647"]);
    refuses::<Count>(&[
        ("2147483648", "not in the range", None),
        ("1,000", "is not a whole number", Some("1000")),
    ]);
    keeps::<PositiveCount>(&["1", "2147483647"]);
    refuses::<PositiveCount>(&[
        ("0", "not in the range 1 to 2147483647", None),
        ("00", "not in the range", None),
    ]);
    assert_eq!(Count::from(PositiveCount::new(3).unwrap()), Count::new(3).unwrap());
}

#[test]
fn statuses() {
    keeps::<StatusCode>(&["200", "404", "599"]);
    refuses::<StatusCode>(&[("600", "not in the range 200 to 599", None), ("199", "not in the range", None)]);
    keeps::<ErrorCode>(&["100", "599"]);
    refuses::<ErrorCode>(&[("99", "not in the range", None), ("5xx", "is not a whole number", None)]);
    keeps::<RedirectCode>(&["301", "302", "303", "307", "308"]);
    refuses::<RedirectCode>(&[
        ("300", "a route without an action", None),
        ("304", "a route without an action", None),
        ("200", "is not a redirect status", None),
        ("moved", "is not an HTTP status", None),
    ]);
    assert!(RedirectCode::ALL.iter().all(|code| RedirectCode::parse(&code.to_string()) == Ok(*code)));
}

#[test]
fn durations() {
    reads::<Duration>(&[
        ("4s", "4s"),
        ("0.5s", "500ms"),
        ("1.25s", "1250ms"),
        ("1.500s", "1500ms"),
        ("1.0s", "1s"),
        ("250ms", "250ms"),
        ("1000ms", "1s"),
        ("60s", "1m"),
        ("90s", "1m30s"),
        ("90m", "1h30m"),
        ("1h30m", "1h30m"),
        ("1m1.5s", "1m1s500ms"),
        ("1h0m1ms", "1h1ms"),
        ("87600h", "87600h"),
    ]);
    refuses::<Duration>(&[
        ("4", "has no unit", Some("4s")),
        ("0", "has no unit", None),
        ("1m30", "has no unit", Some("1m30s")),
        ("0s", "at least 1ms", None),
        ("0.0005s", "whole number of milliseconds", None),
        ("2.000000005s", "whole number of milliseconds", None),
        ("0.5ms", "only seconds may have", None),
        ("1.5m", "only seconds may have", Some("1m30s")),
        ("0.5h", "only seconds may have", Some("30m")),
        ("30m1h", "out of order", None),
        ("1s1s", "out of order", None),
        ("87601h", "longer than ten years", None),
        ("9999999999999s", "longer than ten years", None),
        ("4S", "unknown unit", Some("4s")),
        ("4 s", "unknown unit", Some("4s")),
        ("4sec", "unknown unit", Some("4s")),
        ("10min", "unknown unit", Some("10m")),
        ("1d", "unknown unit", Some("24h")),
        ("1us", "unknown unit", None),
        ("-1s", "is negative", None),
        ("s", "is not a duration", None),
        (".5s", "is not a duration", None),
        ("5.s", "is not a duration", None),
        ("", "is not a duration", None),
        ("soon", "is not a duration", None),
    ]);
    keeps::<DurationOrZero>(&["0s", "1ms", "1h"]);
    refuses::<DurationOrZero>(&[("0", "has no unit", Some("0s"))]);
    reads::<WholeSeconds>(&[("1s", "1s"), ("24h", "24h"), ("1000ms", "1s")]);
    refuses::<WholeSeconds>(&[
        ("0s", "whole number of seconds", None),
        ("1.5s", "whole number of seconds", None),
    ]);
    assert_eq!(WholeSeconds::parse("2m").unwrap().as_secs(), 120);
}

#[test]
fn durations_for_istio() {
    let rows = [
        ("4s", "4s"),
        ("250ms", "0.25s"),
        ("1ms", "0.001s"),
        ("1m", "60s"),
        ("1m1.5s", "61.5s"),
        ("1h", "3600s"),
    ];
    for (text, proto) in rows {
        assert_eq!(Duration::parse(text).unwrap().to_proto(), proto);
        assert_eq!(Duration::parse(proto).unwrap(), Duration::parse(text).unwrap());
    }
    assert_eq!(DurationOrZero::parse("0s").unwrap().to_proto(), "0s");
}

#[test]
fn percentages() {
    reads::<Percent>(&[
        ("0%", "0%"),
        ("100%", "100%"),
        ("12.5%", "12.5%"),
        ("12.50%", "12.5%"),
        ("0.0001%", "0.0001%"),
        ("99.9999%", "99.9999%"),
        ("100.0%", "100%"),
    ]);
    refuses::<Percent>(&[
        ("10", "has no `%`", Some("10%")),
        ("0.5", "has no `%`", Some("0.5%")),
        ("100.0001%", "not in the range", None),
        ("101%", "not in the range", None),
        ("-1%", "not in the range", None),
        ("0.00001%", "more than 4 decimals", None),
        (".5%", "is not a percentage", Some("0.5%")),
        ("10 %", "is not a percentage", Some("10%")),
        ("05%", "not in the range", None),
        ("1.2.3%", "is not a percentage", None),
        ("%", "is not a percentage", None),
    ]);
    let share = Percent::parse("12.5%").unwrap();
    assert_eq!((share.ppm(), share.rest().ppm()), (125_000, 875_000));
    assert!((share.as_f64_percent() - 12.5).abs() < f64::EPSILON);
    assert_eq!(share.checked_add(share.rest()), Some(Percent::HUNDRED));
    assert_eq!(Percent::HUNDRED.checked_add(Percent::from_ppm(1).unwrap()), None);
}

#[test]
fn sizes() {
    reads::<Size>(&[
        ("64KiB", "64KiB"),
        ("1024KiB", "1MiB"),
        ("100B", "100B"),
        ("0B", "0B"),
        ("1GiB", "1GiB"),
    ]);
    refuses::<Size>(&[
        ("64", "has no unit", Some("64B")),
        ("64KB", "unknown unit of size `KB`", Some("64KiB")),
        ("64 kib", "unknown unit", Some("64KiB")),
        ("1025GiB", "more than 1024GiB", None),
        ("99999999999GiB", "more than 1024GiB", None),
        ("1.5KiB", "is not a size", None),
        ("big", "is not a size", None),
    ]);
    assert_eq!(Size::parse("64KiB").unwrap().bytes(), 65_536);
}

#[test]
fn dates() {
    keeps::<Date>(&["2027-01-31", "2028-02-29", "2000-02-29", "0001-01-01", "9999-12-31"]);
    refuses::<Date>(&[
        ("2027-02-29", "there is no day", None),
        ("1900-02-29", "there is no day", None),
        ("2027-13-01", "there is no day", None),
        ("2027-04-31", "there is no day", None),
        ("2027-01-00", "there is no day", None),
        ("2027/01/31", "is not a date", Some("2027-01-31")),
        ("2027-1-3", "is not a date", Some("2027-01-03")),
        ("31.01.2027", "is not a date", None),
        ("tomorrow", "is not a date", None),
    ]);
    assert!(Date::parse("2027-01-31").unwrap() < Date::parse("2027-02-01").unwrap());
    for (days, date) in
        [(0, "1970-01-01"), (-1, "1969-12-31"), (11_016, "2000-02-29"), (20_849, "2027-01-31")]
    {
        assert_eq!(Date::from_unix_days(days).unwrap().to_string(), date);
    }
    assert_eq!(Date::from_unix_days(i64::MAX), None);
}

#[test]
fn names() {
    let long = "a".repeat(64);
    keeps::<DnsLabel>(&["v1", "1", "a-b", &long[..63]]);
    refuses::<DnsLabel>(&[
        (&long, "the limit is 63", None),
        ("V1", "upper-case", Some("v1")),
        ("a_b", "an underscore", Some("a-b")),
        ("-a", "wrong place", Some("a")),
        ("a.b", "a dot", Some("a-b")),
        ("", "empty DNS label", None),
        ("é", "the character `é`", None),
    ]);
    refuses::<Namespace>(&[("Prod", "namespace `Prod` has upper-case letters", Some("prod"))]);
    keeps::<ResourceName>(&["bookinfo", "bookinfo.v1", &long]);
    refuses::<ResourceName>(&[
        ("a..b", "wrong place", None),
        ("A_b", "upper-case", Some("a-b")),
        (&"a.".repeat(130), "the limit is 253", None),
    ]);
    keeps::<Word>(&["a", "slow-retry", "v2", "a1-2"]);
    refuses::<Word>(&[
        ("slowRetry", "upper-case", Some("slow-retry")),
        ("slow_retry", "an underscore", Some("slow-retry")),
        ("Slow Retry", "upper-case", Some("slow-retry")),
        ("2fast", "does not start with a letter", None),
        ("a--b", "wrong place", Some("a-b")),
        ("a-", "wrong place", Some("a")),
        (&long, "the limit is 63", None),
        ("", "empty name", None),
    ]);
}

#[test]
fn labels() {
    let (long, prefix) = ("a".repeat(64), "a.".repeat(127));
    keeps::<LabelKey>(&["app", "app.kubernetes.io/name", "K8s.IO/Key_1"]);
    refuses::<LabelKey>(&[
        ("", "empty label key", None),
        ("a/b/c", "the character `/`", None),
        ("istio./key", "bad DNS name", None),
        ("/key", "bad DNS name", None),
        ("key_", "begin and end", None),
        (&long, "the limit is 63", None),
        (&format!("{prefix}a/key"), "bad DNS name", None),
    ]);
    keeps::<LabelValue>(&["", "v1", "A.b_c-d"]);
    refuses::<LabelValue>(&[
        ("-v1", "begin and end", None),
        ("v 1", "the character ` `", None),
        (&long, "63", None),
    ]);
    keeps::<Label>(&["version=v1", "app=", "a.b/c=d"]);
    refuses::<Label>(&[
        ("version: v1", "has no `=`", Some("version=v1")),
        ("version", "has no `=`", None),
        ("a=b=c", "`=`", None),
    ]);
    assert_eq!(Label::parse("a/b=c").unwrap().key().as_str(), "a/b");
}

#[test]
fn hosts() {
    let long = format!("{}.com", "a".repeat(64));
    reads::<HostPattern>(&[
        ("reviews", "reviews"),
        ("Reviews.Prod.svc.cluster.local", "reviews.prod.svc.cluster.local"),
        ("*.Foo.com", "*.foo.com"),
        ("*foo.com", "*foo.com"),
        ("*-x.foo.com", "*-x.foo.com"),
        ("*", "*"),
        ("10.0.0.1", "10.0.0.1"),
        ("2001:DB8::0:1", "2001:db8::1"),
        ("istio.io.", "istio.io"),
        ("*.Istio.io.", "*.istio.io"),
        ("istio.", "istio."),
        ("1foo.2bar", "1foo.2bar"),
        ("outbound_.80_.v1_.foo.com", "outbound_.80_.v1_.foo.com"),
        ("outbound_.80_._.foo.com", "outbound_.80_._.foo.com"),
    ]);
    refuses::<HostPattern>(&[
        ("", "empty host", None),
        (&"a.".repeat(200), "the limit is 255", None),
        (&long, "more than 63", None),
        ("a..b", "an empty part", None),
        (".a", "an empty part", None),
        ("*.", "an empty part", None),
        ("-a.com", "hyphen", None),
        ("a-.com", "hyphen", None),
        ("*--a.com", "hyphen", None),
        ("foo.*.com", "wildcard inside", None),
        ("foo*.com", "wildcard inside", None),
        ("**.com", "wildcard inside", None),
        ("foo.123", "is a number", None),
        ("10.0.0.256", "is not an IP address", None),
        ("10.0.0.01", "is not an IP address", Some("10.0.0.1")),
        ("a_{b}.com", "the character `{`", None),
        ("my_host.com", "an underscore", Some("my-host.com")),
        ("https://foo.com/x", "is a URL", Some("foo.com")),
        ("foo.com:8080", "has a port", Some("foo.com")),
        ("foo.com/x", "has a slash", Some("foo.com")),
        ("*/foo.com", "has a slash", None),
        ("[::1]", "is not a host", Some("::1")),
        ("föö.com", "the character `ö`", None),
        ("a b", "the character ` `", None),
        ("outbound_.x_._.foo.com", "an underscore", None),
    ]);
}

#[test]
fn host_shapes() {
    let host = |text| HostPattern::parse(text).unwrap();
    // text, wildcard, partial, any, ip, short, generated
    let rows = [
        ("reviews", [false, false, false, false, true, false]),
        ("reviews.", [false, false, false, false, false, false]),
        ("a.b", [false, false, false, false, false, false]),
        ("*", [true, false, true, false, false, false]),
        ("*.a.b", [true, false, false, false, false, false]),
        ("*-a.b", [true, true, false, false, false, false]),
        ("1.1.1.1", [false, false, false, true, false, false]),
        ("::1", [false, false, false, true, false, false]),
        ("outbound_.80_._.a", [false, false, false, false, false, true]),
    ];
    for (text, expected) in rows {
        let h = host(text);
        let shape =
            [h.is_wildcard(), h.is_partial_wildcard(), h.is_any(), h.is_ip(), h.is_short(), h.is_generated()];
        assert_eq!(shape, expected, "`{text}`");
        assert_eq!(h.ip().is_some(), h.is_ip(), "`{text}`");
    }
}

#[test]
fn hosts_cover() {
    let rows = [
        ("*.foo.com", "a.foo.com", true),
        ("*.foo.com", "a.b.foo.com", true),
        ("*.foo.com", "*.a.foo.com", true),
        ("*.foo.com", "*.foo.com", true),
        ("*.foo.com", "foo.com", false),
        ("*.foo.com", "*foo.com", false),
        ("*foo.com", "foo.com", true),
        ("*foo.com", "*.foo.com", true),
        ("*", "1.1.1.1", true),
        ("*", "*", true),
        ("*.com", "*", false),
        ("foo.com", "FOO.com", true),
        ("foo.com", "*.com", false),
        ("foo.com", "foo.com.", true),
    ];
    for (wide, narrow, expected) in rows {
        let (a, b) = (HostPattern::parse(wide).unwrap(), HostPattern::parse(narrow).unwrap());
        assert_eq!(a.covers(&b), expected, "`{wide}` covers `{narrow}`");
        assert_eq!(a.overlaps(&b), expected || b.covers(&a), "`{wide}` overlaps `{narrow}`");
        // A name may cover more than a data plane takes: Istio's `*foo.com` covers `foo.com`, Envoy's does not take it.
        if !b.is_wildcard() && (wide, narrow) != ("*foo.com", "foo.com") {
            assert_eq!(a.takes(b.as_str()), expected, "`{wide}` takes `{narrow}`");
        }
    }
    let takes = |wide: &str, host: &str| HostPattern::parse(wide).unwrap().takes(host);
    assert!(!takes("*foo.com", "foo.com") && takes("*foo.com", "barfoo.com"));
    assert!(!takes("*.foo.com", ".foo.com") && takes("*.foo.com", "A.b.FOO.com"));
    assert!(takes("*", ""));
    assert!(!HostPattern::parse("*.é".replace('é', "e").as_str()).unwrap().takes("é"));
}

#[test]
fn host_names() {
    reads::<Fqdn>(&[("Reviews", "reviews"), ("a.b.", "a.b"), ("a.", "a.")]);
    refuses::<Fqdn>(&[
        ("*.a.b", "is a wildcard", None),
        ("*", "is a wildcard", None),
        ("1.1.1.1", "is an address", None),
        ("::1", "is an address", None),
        ("a:80", "has a port", Some("a")),
    ]);
    assert!(Fqdn::parse("reviews").unwrap().is_short());
    keeps::<SniHost>(&["a.b", "*.a.b", "*", "outbound_.80_._.a.b"]);
    refuses::<SniHost>(&[("1.1.1.1", "names only (SNI)", None), ("a_b", "an underscore", Some("a-b"))]);
}

#[test]
fn header_names() {
    reads::<HeaderName>(&[("X-Request-ID", "x-request-id"), (":authority", ":authority"), ("a_b", "a_b")]);
    refuses::<HeaderName>(&[
        ("", "empty header name", None),
        (":Path", "unknown pseudo header", Some(":path")),
        (":host", "unknown pseudo header", None),
        ("x y", "the character ` `", None),
        ("cookie:", "ends with a colon", Some("cookie")),
        ("x-é", "the character `é`", None),
        ("@request.auth.claims.sub", "in conditions only", None),
    ]);
    let name = HeaderName::parse("HOST").unwrap();
    assert_eq!(
        (name.as_str(), name.as_written(), name.is_host(), name.is_pseudo()),
        ("host", "HOST", true, false)
    );
    assert_eq!(name, HeaderName::parse("host").unwrap());
    assert!(HeaderName::parse(":authority").unwrap().is_host());

    reads::<MatchHeaderName>(&[
        ("Cookie", "cookie"),
        (":path", ":path"),
        ("@Request.auth.claims.Sub", "@request.auth.claims.Sub"),
        ("@request.auth.claims[a][b.c]", "@request.auth.claims[a][b.c]"),
    ]);
    refuses::<MatchHeaderName>(&[
        ("@request.auth.claims", "is not a JWT claim", None),
        ("@request.auth.claims[]", "is not a JWT claim", None),
        ("@request.auth.claims.a..b", "is not a JWT claim", None),
        ("@é", "is not a JWT claim", None),
        ("x y", "the character", None),
    ]);
    let claim = MatchHeaderName::parse("@request.auth.claims[a][b.c]").unwrap();
    assert_eq!(claim.claims(), Some(vec!["a", "b.c"]));
}

#[test]
fn header_values() {
    keeps::<HeaderValue>(&[
        "",
        "plain",
        "a\tb",
        "é",
        "%HOSTNAME%",
        "100%%",
        "a %REQ(x-id)% b %%",
        "%REQ(x-a?:authority):3%",
        "%UPSTREAM_METADATA([\"a\", \"b\"])%",
        "%UPSTREAM_METADATA([\"a)\"])%",
        "%START_TIME%%START_TIME(%s.%3f)%",
        "%PROTOCOL()%",
        "%FILTER_STATE(a:FIELD:b):9%",
        "%METADATA(ROUTE:a:b)%",
        "%COMMON_DURATION(DS_RX_BEG:US_RX_END:ms)%",
        "%PATH(WQ:ORIG):3%",
        "%REQUESTED_SERVER_NAME(SNI_FIRST:HOST)%",
    ]);
    refuses::<HeaderValue>(&[
        ("a\nb", "control character `\\n`", None),
        ("\u{7f}", "control character", None),
        ("50% off", "starts no variable", Some("50%% off")),
        ("%", "starts no variable", Some("%%")),
        ("%HOSTNAME%%", "starts no variable", None),
        ("%req(x)%", "written in capitals", Some("%REQ(x)%")),
        ("%NOPE%", "there is no variable `NOPE`", None),
        ("%2F%", "there is no variable `2F`", None),
        ("%REQ(x) %", "starts no variable", None),
        ("%REQ(x):%", "starts no variable", None),
        ("%REQ(x):18446744073709551616%", "starts no variable", None),
        ("%REQ%", "`REQ` needs arguments", None),
        ("%REQ()%", "`REQ` needs arguments", None),
        ("%REQ(x y)%", "does not take `x y`", None),
        ("%REQ(x?y?z)%", "does not take", None),
        ("%HOSTNAME(x)%", "takes no arguments", None),
        ("%DURATION:3%", "takes no length", None),
        ("%GRPC_STATUS(x)%", "does not take `x`", None),
        ("%START_TIME(%Y%n)%", "does not take", None),
        ("%PER_REQUEST_STATE(a:PLAIN)%", "does not take", None),
        ("%METADATA(x)%", "does not take", None),
        ("%CEL(x)%", "cannot be checked", None),
    ]);
    for (value, admitted) in [
        ("%REQ(x)%", true),
        ("100%%", true),
        ("%REQ(x):3%", false),
        ("%UPSTREAM_METADATA(a:b)%", true),
        ("%UPSTREAM_METADATA([\"a\", \"b\"])%", true),
        ("%UPSTREAM_METADATA([\"a)\"])%", false),
        ("%UPSTREAM_METADATA([1])%", false),
    ] {
        assert_eq!(HeaderValue::parse(value).unwrap().is_admitted(), admitted, "{value}");
    }
    let value = HeaderValue::parse("%REQ(a?B)%%RESP(c)%%REQUEST_HEADER(d_e):1%%REQ(f)%%").unwrap_err();
    assert!(value.message.contains("starts no variable"), "{value}");
    let value = HeaderValue::parse("%REQ(a?B)%%RESP(c)%%REQUEST_HEADER(d_e):1%%%REQ(f)%%").unwrap();
    assert_eq!(value.headers_read().collect::<Vec<_>>(), ["a", "B", "d_e"]);
}

#[test]
fn cookie_names() {
    keeps::<CookieName>(&["user", "Session-ID", "__Host-a"]);
    refuses::<CookieName>(&[
        ("", "is not the name", None),
        ("a b", "is not the name", None),
        ("a; Path=/", "is not the name", None),
        ("a=b", "is not the name", None),
        ("é", "is not the name", None),
    ]);
}

#[test]
fn origins() {
    keeps::<Origin>(&[
        "*",
        "null",
        "https://a.com",
        "http://a.com:8080",
        "http://[::1]:3000",
        "app+x://local",
    ]);
    refuses::<Origin>(&[
        ("a.com", "has no scheme", Some("https://a.com")),
        ("https://a.com/", "has no path", Some("https://a.com")),
        ("https://a.com/x?y", "has no path", Some("https://a.com")),
        ("https://*.a.com", "no wildcard", None),
        ("https://A.com", "in lower case", Some("https://a.com")),
        ("https://a.com:443", "the default port", Some("https://a.com")),
        ("https://a b", "that no host name has", None),
        ("", "empty origin", None),
    ]);
}

#[test]
fn queries() {
    keeps::<Query>(&["a=b&c", "a=%20", "x?y/z", "100%"]);
    refuses::<Query>(&[
        ("", "empty query", None),
        ("?a=b", "starts with `?`", Some("a=b")),
        ("a b", "no query has", Some("a%20b")),
        ("a=é|", "no query has", Some("a=%C3%A9%7C")),
        ("a#b", "no query has", None),
    ]);
}

#[test]
fn replacements() {
    keeps::<Replacement>(&["", "/", "/new/\\1", "\\2-\\0", "N", "/a%20b$"]);
    refuses::<Replacement>(&[
        ("a\nb", "control character `\\n`", None),
        ("/w?a=b", "no query", None),
        ("x#y", "no query and no fragment", None),
        ("$1", "not written with `$`", Some("\\1")),
        ("${x}", "not written with `$`", None),
        ("a b", "the character ` `", Some("a%20b")),
        ("/é|", "the character `é`", Some("/%C3%A9%7C")),
        ("a\\", "followed by no number", None),
        ("a\\\\b", "followed by no number", None),
        ("\\x", "followed by no number", None),
    ]);
    let replacement = Replacement::parse("/a\\2b\\0").unwrap();
    let parts: Vec<ReplacementPart<'_>> = replacement.parts().collect();
    let wanted = [
        ReplacementPart::Text("/a"),
        ReplacementPart::Group(2),
        ReplacementPart::Text("b"),
        ReplacementPart::Group(0),
    ];
    assert_eq!((parts.as_slice(), replacement.highest_group()), (&wanted[..], 2));
}

#[test]
fn methods() {
    keeps::<Method>(&["GET", "PURGE", "M-SEARCH"]);
    refuses::<Method>(&[
        ("get", "lower-case", Some("GET")),
        ("", "empty method", None),
        ("G T", "is not an HTTP method", None),
    ]);
    assert!(Method::parse("PATCH").unwrap().is_standard() && !Method::parse("PURGE").unwrap().is_standard());
    keeps::<CorsMethod>(&["GET", "*"]);
    refuses::<CorsMethod>(&[
        ("post", "unknown CORS method", Some("POST")),
        ("PURGE", "unknown CORS method", None),
    ]);
}

#[test]
fn paths() {
    keeps::<Path>(&["/", "/reviews/1", "/a%20b", "/*", "/a;b=c", "/~!$&'()*+,:@[]"]);
    refuses::<Path>(&[
        ("", "empty path", None),
        ("reviews", "does not start with `/`", Some("/reviews")),
        ("https://a/b", "does not start with `/`", None),
        ("/a?b=c", "a query or a fragment", Some("/a")),
        ("/a#b", "a query or a fragment", Some("/a")),
        ("/a b", "the character ` `", Some("/a%20b")),
        ("/a\tb", "which no request's path has", None),
        ("/a\u{a0}b", "which no request's path has", Some("/a%C2%A0b")),
        ("/é", "the character `é`", Some("/%C3%A9")),
        ("/a|b", "the character `|`", Some("/a%7Cb")),
        ("/{a}", "the character `{`", Some("/%7Ba%7D")),
        ("/<\"^>", "the character `<`", Some("/%3C%22%5E%3E")),
        ("/a\\b", "the character `\\`", Some("/a/b")),
        (&format!("/{}", "a".repeat(4096)), "the limit is 4096", None),
    ]);
    let prefix = PathPrefix::parse("/a").unwrap();
    // path, begins, is above
    for (path, begins, above) in
        [("/a", true, true), ("/a/b", true, true), ("/ab", true, false), ("/b", false, false)]
    {
        assert_eq!((prefix.begins(path), prefix.is_above(path)), (begins, above), "`{path}`");
    }
    let root = PathPrefix::parse("/").unwrap();
    assert!(root.is_root() && root.is_above("/x") && root.begins("/"));
}

#[test]
fn addresses() {
    reads::<IpAddress>(&[("10.0.0.1", "10.0.0.1"), ("2001:DB8:0:0::1", "2001:db8::1")]);
    refuses::<IpAddress>(&[
        ("10.0.0.256", "is not an IP address", None),
        ("010.0.0.1", "is not an IP address", None),
        ("10.0.0.1/8", "is not an IP address", Some("10.0.0.1")),
        ("[::1]", "is not an IP address", Some("::1")),
        ("a.b", "is not an IP address", None),
    ]);
    reads::<Cidr>(&[
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("10.0.0.1/32", "10.0.0.1/32"),
        ("2001:DB8::/32", "2001:db8::/32"),
    ]);
    refuses::<Cidr>(&[
        ("10.0.0.1/8", "address bits after its prefix", Some("10.0.0.0/8")),
        ("10.1.2.3/0", "address bits after its prefix", Some("0.0.0.0/0")),
        ("10.0.0.0/33", "is too long", None),
        ("::/129", "is too long", None),
        ("10.0.0.0/08", "is not an address range", None),
        ("010.0.0.0/8", "is not an address range", None),
        ("10.0.0.0", "is not an address range", Some("10.0.0.0/32")),
        ("10.0.0.0//8", "is not an address range", None),
    ]);
    keeps::<IpOrCidr>(&["10.0.0.1", "10.0.0.0/8"]);
    let range = Cidr::parse("10.0.0.0/8").unwrap();
    assert!(range.contains("10.1.2.3".parse().unwrap()) && !range.contains("11.0.0.0".parse().unwrap()));
    assert!(
        range.covers(Cidr::parse("10.1.0.0/16").unwrap()) && !range.covers(Cidr::parse("0.0.0.0/0").unwrap())
    );
    keeps::<EndpointAddress>(&["10.0.0.1", "::1", "db.example.com", "unix:///run/app.sock", "unix://@app"]);
    keeps::<EndpointAddress>(&[
        &format!("unix:///{}", "s".repeat(106)),
        &format!("unix://@{}", "s".repeat(106)),
    ]);
    refuses::<EndpointAddress>(&[
        ("unix://run/app.sock", "not the path of a Unix socket", None),
        ("unix:///run/", "not the path of a Unix socket", None),
        ("unix:///", "not the path of a Unix socket", None),
        ("unix://@", "not the path of a Unix socket", None),
        ("unix://", "not the path of a Unix socket", None),
        (&format!("unix:///{}", "s".repeat(107)), "has more than 107 bytes", None),
        (&format!("unix://@{}", "s".repeat(107)), "has more than 107 bytes", None),
        ("*.a.b", "is a wildcard", None),
        ("a.b:80", "has a port", Some("a.b")),
    ]);
}

#[test]
fn credentials() {
    keeps::<FilePath>(&["/etc/certs/ca.pem", "/a b"]);
    refuses::<FilePath>(&[
        ("", "absolute path", None),
        ("ca.pem", "absolute path", None),
        ("/etc/", "absolute path", None),
        ("/", "absolute path", None),
        ("/a\n", "control character", None),
    ]);
    keeps::<SecretName>(&[
        "bookinfo-tls",
        "kubernetes://bookinfo-tls",
        "kubernetes://prod/bookinfo-tls",
        "kubernetes-gateway://prod/cert",
        "configmap://default/auth-cert",
        "configmap://auth-cert",
        "sds://my-credential",
        "builtin://",
    ]);
    refuses::<SecretName>(&[
        ("", "empty resource name", None),
        ("Bookinfo", "upper-case", Some("bookinfo")),
        ("some credential", "a space", None),
        ("prod/cert", "has a slash", Some("kubernetes://prod/cert")),
        ("kubernetes-gateway://cert", "names no namespace", None),
        ("invalid://", "unknown kind of credential", None),
        ("secret://a", "a Secret has no prefix", Some("a")),
        ("sds://", "has no name", None),
        ("kubernetes://Prod/x", "namespace `Prod` has upper-case", Some("kubernetes://prod/x")),
        ("kubernetes://prod/X_y", "upper-case", Some("kubernetes://prod/x-y")),
        ("Kubernetes://x", "unknown kind of credential", Some("kubernetes://x")),
        ("kubernets://x", "unknown kind of credential", Some("kubernetes://x")),
        ("kubernets://x/Y/z", "unknown kind of credential", None),
        ("builtin://a", "has a name", Some("builtin://")),
    ]);
    let secret = SecretName::parse("configmap://prod/ca").unwrap();
    assert_eq!((secret.source(), secret.name()), (SecretSource::ConfigMap, "ca"));
    assert_eq!(secret.namespace().map(Namespace::as_str), Some("prod"));
    keeps::<SubjectAltName>(&["spiffe://cluster.local/ns/a/sa/b", "*.a.b"]);
    refuses::<SubjectAltName>(&[("", "empty", None), ("a\n", "control character", None)]);
    let spki = format!("{}w=", "A+/z".repeat(10) + "ab");
    keeps::<Spki>(&[&spki]);
    refuses::<Spki>(&[
        (&spki[1..], "hash of a public key", None),
        (&spki.replace("w=", "x="), "hash of a public key", None),
    ]);
    let (plain, pairs) = ("0aF9".repeat(16), vec!["0a"; 32].join(":"));
    keeps::<CertHash>(&[&plain, &pairs]);
    refuses::<CertHash>(&[
        (&plain[1..], "hash of a certificate", None),
        (&pairs.replace(':', "-"), "hash of a certificate", None),
    ]);
}

#[test]
fn words_of_enumerations() {
    keeps::<Protocol>(&["http", "grpc-web", "http-proxy"]);
    refuses::<Protocol>(&[
        ("HTTP", "unknown protocol `HTTP`", Some("http")),
        ("http_proxy", "unknown protocol", Some("http-proxy")),
        ("htpp", "unknown protocol", Some("http")),
        ("kafka", "unknown protocol", None),
        ("", "unknown protocol", None),
    ]);
    refuses::<Scheme>(&[("HTTPS", "unknown scheme", Some("https"))]);
    refuses::<TlsVersion>(&[
        ("1.4", "unknown TLS version", Some("1.0")),
        ("TLSV1_2", "unknown TLS version", Some("1.2")),
    ]);
    keeps::<CipherSuite>(&["ECDHE-RSA-AES128-GCM-SHA256", "ALL"]);
    refuses::<CipherSuite>(&[
        ("ecdhe-rsa-aes128-sha", "unknown cipher suite", Some("ECDHE-RSA-AES128-SHA")),
        ("ECDHE-RSA-AES128-GCM-SHA265", "unknown cipher suite", Some("ECDHE-RSA-AES128-GCM-SHA256")),
        ("TLS_AES_128_GCM_SHA256", "unknown cipher suite", Some("AES128-GCM-SHA256")),
        ("rot13", "unknown cipher suite", None),
    ]);
    refuses::<GrpcStatus>(&[
        ("not-found", "unknown gRPC status", Some("NOT_FOUND")),
        ("CANCELED", "unknown gRPC status", Some("CANCELLED")),
        ("BAD_STATUS", "unknown gRPC status", None),
    ]);
    assert_eq!((GrpcStatus::ALL.len(), GrpcStatus::Unauthenticated.code()), (17, 16));
    assert_eq!((CipherSuite::ALL.len(), RetryName::ALL.len(), Protocol::ALL.len()), (16, 16, 12));
    keeps::<RetryCondition>(&["5xx", "connect-failure", "503", "429"]);
    refuses::<RetryCondition>(&[
        ("599", "not an HTTP status that Istio retries on", None),
        ("1000", "not an HTTP status", None),
        ("5XX", "unknown retry condition", Some("5xx")),
        ("connect-failures", "unknown retry condition", Some("connect-failure")),
    ]);
    keeps::<Switch>(&["on", "off"]);
    refuses::<Switch>(&[
        ("true", "unknown switch", Some("on")),
        ("No", "unknown switch", Some("off")),
        ("maybe", "unknown switch", None),
    ]);
    assert!(bool::from(Switch::On));
}

#[test]
fn protocols_of_istio() {
    for protocol in Protocol::ALL {
        assert_eq!(Protocol::from_istio(protocol.istio()), Some(*protocol));
        assert_eq!(Protocol::from_istio(&protocol.istio().to_lowercase()), Some(*protocol));
        let families = [protocol.is_http_family(), protocol.is_tcp_family(), *protocol == Protocol::Udp];
        assert_eq!(families.iter().filter(|family| **family).count(), 1, "{protocol}");
        assert!(!protocol.is_tls_family() || protocol.is_tcp_family(), "{protocol}");
        assert!(!protocol.without_tls().is_tls_family(), "{protocol}");
    }
}

#[test]
fn texts() {
    keeps::<Text>(&["", "a\tb\nc", "é\u{1f600}"]);
    refuses::<Text>(&[
        ("a\u{7}", "control character `\\u{7}`", None),
        ("a\u{85}", "control character", None),
        ("\r\n", "`\\r`", None),
    ]);
    let text = Text::parse("four").unwrap();
    assert!(text.at_most(4, "body").is_ok());
    assert_eq!(text.at_most(3, "body").unwrap_err().message, "the body has 4 bytes; the limit is 3");
}

#[test]
fn suggestions() {
    let words = ["timeout", "retry", "rewrite", "redirect", "mirror", "fault", "cors", "round-robin", "on"];
    let rows = [
        ("timeuot", Some("timeout")),
        ("tiemout", Some("timeout")),
        ("time", Some("timeout")),
        ("rety", Some("retry")),
        ("rewrit", Some("rewrite")),
        ("Redirect", Some("redirect")),
        ("redirekt", Some("redirect")),
        ("roundrobin", Some("round-robin")),
        ("corse", Some("cors")),
        ("no", Some("on")),
        ("x", None),
        ("banana", None),
        ("", None),
    ];
    for (word, expected) in rows {
        assert_eq!(did_you_mean(word, words.into_iter()), expected, "`{word}`");
    }
    // Of equals the first wins, and a nearer word beats an earlier one.
    assert_eq!(did_you_mean("bat", ["cat", "bad"].into_iter()), Some("cat"));
    assert_eq!(did_you_mean("retryy", ["retrial", "retry"].into_iter()), Some("retry"));
    assert_eq!(did_you_mean(&"a".repeat(100), ["a"].into_iter()), None);
}

#[test]
fn long_texts_are_clipped_in_messages() {
    let error = Port::parse(&"x".repeat(1000)).unwrap_err();
    assert!(error.message.len() < 100, "{}", error.message);
}

/// Every type, so that each documents itself and none breaks on odd texts.
#[test]
fn all_types_document_themselves_and_read_anything() {
    fn one<T: Literal + Debug>(names: &mut Vec<&'static str>) {
        const ODD: [&str; 12] =
            ["", " ", "é", "\0", "%", "*", "/", "0", "-", "{{{", "1.1.1.1.1.1", "\u{10ffff}\u{10ffff}"];
        assert!(
            !T::DOC.is_empty() && !T::DOC.ends_with('.') && !T::DOC.contains('\n'),
            "{}: {}",
            T::NAME,
            T::DOC
        );
        assert_eq!(T::DOC.matches('`').count() % 2, 0, "{}: {}", T::NAME, T::DOC);
        for text in ODD {
            if let Err(error) = T::parse(text) {
                well_said(text, &error);
            }
        }
        names.push(T::NAME);
    }
    macro_rules! every {
        ($($type:ident)+) => {{
            let mut names = Vec::new();
            $(one::<$type>(&mut names);)+
            names
        }};
    }
    let mut names = every!(
        Cidr EndpointAddress IpAddress IpOrCidr UnixAddress Count PositiveCount CertHash FilePath
        SecretName SecretSource Spki SubjectAltName Date Duration DurationOrZero WholeSeconds HeaderName
        HeaderValue CookieName Origin Query Replacement MatchHeaderName Fqdn HostPattern SniHost Label LabelKey LabelValue CorsMethod Method
        DnsLabel Namespace ResourceName Word Path PathPrefix Pattern Percent Port Protocol Scheme
        GrpcStatus RetryCondition Size ErrorCode RedirectCode StatusCode Switch Text CipherSuite
        TlsVersion
    );
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count, "two types have one name");
}
