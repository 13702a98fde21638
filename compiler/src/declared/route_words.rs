//! Destinations, mirrors, redirects and comparisons in the order and the words of others: read as what they mean, and reported.

use super::condition::{PathTest, Subject};
use super::reference::Reference;
use super::shares::Share;
use crate::reading::{Args, Reader, Shape, Syntax, Term};
use crate::values::{DnsLabel, Literal, Method, Percent, Port};
use meshc_language::{Applicability, Code, Diagnostic, Edit, Span, Spanned};

/// `10% to reviews@v3`; without `to`, or with the share last, reported.
pub(super) fn read_mirrored<'p>(
    args: &mut Args<'p>,
    cx: &mut Reader<'_, 'p>,
) -> Option<(Option<Spanned<Percent>>, Reference)> {
    let start = args.start(cx);
    let is_share = |args: &mut Args<'p>, cx: &mut Reader<'_, 'p>| {
        args.peek(cx).and_then(|term| term.word()).is_some_and(is_share)
    };
    let mut share = None;
    if is_share(args, cx) {
        share = Some(Spanned::<Percent>::read(args, cx)?);
    }
    let has_to = args.take_word("to", cx).is_some();
    if args.at_end(cx) {
        args.missing("`to` and a destination", cx);
        return None;
    }
    let reference = Reference::read(args, cx)?;
    let whole = start.to(reference.span);
    let destination = cx.written(reference.span).unwrap_or_default();
    if share.is_none() && is_share(args, cx) {
        let last = Spanned::<Percent>::read(args, cx)?;
        let right = format!("{} to {destination}", last.value);
        let place = whole.to(last.span);
        cx.foreign(
            place,
            &right,
            Applicability::Safe,
            vec![Edit { span: place, replacement: right.clone() }],
        );
        share = Some(last);
    } else if !has_to {
        let right = format!("to {destination}");
        let edit = Edit { span: reference.span.before(), replacement: "to ".to_owned() };
        cx.foreign(reference.span, &right, Applicability::Safe, vec![edit]);
    }
    Some((share, reference))
}

/// A share ends with `%`; a number alone is a share that lacks it.
pub(super) fn is_share(word: &str) -> bool {
    word.ends_with('%')
        || (!word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'))
}

/// `redirect "/y"`, `redirect "https://x/y"`: the parts of what stands there, in words; the words come next.
pub(super) fn redirect_parts<'p>(place: Span, args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) {
    let Some(text) =
        args.peek(cx).filter(|term| term.origin.is_none()).and_then(|term| term.text()).map(str::to_owned)
    else {
        return;
    };
    let (scheme, rest) =
        text.split_once("://").map_or((None, text.as_str()), |(scheme, rest)| (Some(scheme), rest));
    let (host, path) = match (scheme, rest.find('/')) {
        (Some(_), Some(at)) => rest.split_at_checked(at).unwrap_or((rest, "")),
        (Some(_), None) => (rest, ""),
        (None, _) => ("", rest),
    };
    let mut words = Vec::new();
    words.extend(scheme.map(|scheme| ("scheme", scheme, false)));
    words.extend((!host.is_empty()).then_some(("host", host, false)));
    words.extend((path.starts_with('/')).then_some(("path", path, true)));
    let parts = |(word, value, quoted): &(&str, &str, bool)| {
        if *quoted {
            format!("{word} {}", meshc_language::text::quote(value))
        } else {
            format!("{word} {value}")
        }
    };
    if words.is_empty() || text.contains('$') {
        return;
    }
    let right = words.iter().map(parts).collect::<Vec<String>>().join(" ");
    args.next(cx);
    let edits = vec![Edit { span: place, replacement: right.clone() }];
    cx.foreign(place, &format!("redirect {right}"), Applicability::Unsafe, edits);
    for (word, value, quoted) in words.into_iter().rev() {
        let value = value.to_owned().into();
        let shape = if quoted { Shape::Text(value) } else { Shape::Word(value) };
        args.put_back(Term { shape, span: place, origin: None });
        args.put_back(Term { shape: Shape::Word(word.into()), span: place, origin: None });
    }
}

/// `web subset v1 port 80 weight 90`: what others write after a destination, which stands in it, or before it.
pub(super) fn trailing_words<'p>(
    mut share: Share,
    reference: &mut Reference,
    args: &mut Args<'p>,
    cx: &mut Reader<'_, 'p>,
) -> Option<Share> {
    if args.peek(cx).is_none_or(|term| term.word().is_none() || term.origin.is_some())
        || reference.used.is_some()
    {
        return Some(share);
    }
    let start = reference.span;
    let written = cx.written(start).unwrap_or_default().to_owned();
    let (mut port, mut subset, mut weight) = (String::new(), String::new(), None);
    let mut applicability = Applicability::Safe;
    while let Some(word) = args.peek(cx).and_then(|term| term.word()) {
        let has_value = match word.trim_end_matches(':') {
            "subset" | "version" if reference.subset.is_none() => true,
            "port" if reference.port.is_none() => true,
            "weight" if matches!(share, Share::None) => true,
            _ if is_share(word) && matches!(share, Share::None) && weight.is_none() => false,
            _ => break,
        };
        let name = word.trim_end_matches(':').to_owned();
        if has_value {
            args.next(cx)?;
        }
        let value = args.peek(cx).and_then(|term| term.word()).unwrap_or_default().to_owned();
        match name.as_str() {
            "port" => {
                port = format!(":{value}");
                reference.port = Some(Spanned::<Port>::read(args, cx)?);
            }
            "subset" | "version" => {
                subset = format!("@{value}");
                let name = Spanned::<DnsLabel>::read(args, cx)?;
                reference.subset = Some(Spanned::new(name.value.as_str().into(), name.span));
            }
            _ => {
                let term = args.next(cx)?;
                let text = if value.ends_with('%') { value.clone() } else { format!("{value}%") };
                match (Percent::parse(&text), Port::parse(&value)) {
                    (Ok(percent), _) => {
                        weight = Some(text);
                        share = Share::Percent(Spanned::new(percent, term.span));
                    }
                    // More than all of it is no share.
                    (Err(_), Ok(number)) if !has_value && reference.port.is_none() => {
                        port = format!(":{value}");
                        reference.port = Some(Spanned::new(number, term.span));
                        applicability = Applicability::Unsafe;
                    }
                    (Err(error), _) => {
                        let report = Diagnostic::new(Code::BAD_LITERAL, term.span, error.message);
                        cx.report_at(&term, report.maybe_help(error.help));
                        return None;
                    }
                }
            }
        }
    }
    let Some(before) = weight
        .map(|weight| format!("{weight} "))
        .or((!port.is_empty() || !subset.is_empty()).then(String::new))
    else {
        return Some(share);
    };
    let (name, own_subset) = written
        .split_once('@')
        .map_or((written.as_str(), String::new()), |(name, own)| (name, format!("@{own}")));
    let right = format!("{before}{name}{port}{own_subset}{subset}");
    let place = start.to(args.last);
    cx.foreign(place, &right, applicability, vec![Edit { span: place, replacement: right.clone() }]);
    Some(share)
}

/// Whether a value stands where the comparison should; reports it if so.
pub(super) fn lacks_comparison<'p>(start: Span, args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> bool {
    let before = args.last;
    let Some(term) = args.peek(cx).filter(|term| term.origin.is_none()) else { return false };
    let is_text = matches!(term.shape, Shape::Text(_) | Shape::Raw(_));
    let is_path = term.word().is_some_and(|word| word.starts_with('/'));
    if !is_text && !is_path {
        return false;
    }
    let word = if matches!(term.shape, Shape::Raw(_)) { "matches" } else { "is" };
    let place = term.span;
    let subject = cx.written(start.to(before)).unwrap_or_default();
    let mut value = cx.written(place).unwrap_or_default().to_owned();
    if is_path && let Some(term) = args.next(cx) {
        // It lacks its quotes, too.
        let text = term.word().unwrap_or_default().to_owned();
        value = meshc_language::text::quote(&text);
        args.put_back(Term { shape: Shape::Text(text.into()), ..term });
        args.last = before;
    }
    let message = format!("`{subject}` needs a comparison before `{value}`");
    let help = format!(
        "write `{subject} {word} {value}`, or `prefix`, `matches` or another comparison in place of `{word}`"
    );
    let report = Diagnostic::new(Code::FOREIGN_SPELLING, place, message).help(help);
    cx.report(report.edit(Applicability::Unsafe, place, format!("{word} {value}")));
    true
}

/// `method is GET or POST`, `path is "/a" or "/b"`: values alone after `or`, which are reported with the list that is meant.
pub(super) fn bare_values<'p>(last: Span, args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<()> {
    let is_value = |term: &Term<'_>| match &term.shape {
        Shape::Text(_) | Shape::Raw(_) => true,
        Shape::Word(word) => {
            word.starts_with('/') || Method::parse(word).is_ok_and(|_| Subject::parse(word).is_err())
        }
        Shape::TextBlock(_)
        | Shape::Arrow
        | Shape::Comma
        | Shape::List(_)
        | Shape::Group(_)
        | Shape::Block(_)
        | Shape::Unknown => false,
    };
    let Some(first) = args.peek(cx).filter(|term| term.origin.is_none() && is_value(term)) else {
        return Some(());
    };
    let first = first.span;
    let mut values = Vec::new();
    while args.peek(cx).is_some_and(is_value)
        && let Some(term) = args.next(cx)
    {
        values.push(cx.written(term.span).unwrap_or_default());
        if !args.is_word("or", cx) {
            break;
        }
        args.next(cx);
    }
    let test = cx.written(last).unwrap_or_default();
    let message = format!("after `or` a condition says what it compares, not only `{}`", values.join("`, `"));
    let mut report = Diagnostic::new(Code::FOREIGN_SPELLING, first, message);
    report = match test.rsplit_once(" is ") {
        Some((subject, value)) if !subject.contains([' ', '"']) || subject.split(' ').count() == 2 => {
            let right = format!("{subject} in [{value}, {}]", values.join(", "));
            let place = last.to(args.last);
            report.help(format!("write `{right}`")).edit(Applicability::Unsafe, place, right)
        }
        _ => report.help("write the whole comparison again after `or`"),
    };
    cx.report(report);
    while args.next(cx).is_some() {}
    None
}

/// A part of a request that nothing is compared with.
pub(super) fn uncompared<'p>(start: Span, args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) {
    if args.peek(cx).is_some_and(|term| matches!(term.shape, Shape::Unknown)) {
        return;
    }
    let whole = start.to(args.last);
    let subject = cx.written(whole).unwrap_or_default();
    let message = format!("`{subject}` needs a comparison");
    let help = format!("write `{subject} present`, or `is`, `prefix` or `matches` and a text after it");
    let report = Diagnostic::new(Code::MISSING_ARGUMENT, args.last, message).help(help);
    cx.report(report.edit(Applicability::Unsafe, whole.after(), " present"));
}

/// A path with signs of a regular expression, or an expression that others read as the beginning of a path.
pub(super) fn report_odd_texts(test: &PathTest, place: Span, cx: &mut Reader<'_, '_>) {
    let (comparison, text) = match test {
        PathTest::Exact(text) => ("is", text.as_str()),
        PathTest::Prefix(text) => ("prefix", text.as_str()),
        PathTest::Under(text) => ("under", text.as_str()),
        PathTest::Pattern(pattern) => return report_open_end(pattern.as_str(), place, cx),
    };
    let is_pattern = [".*", ".+", "[^", "[0-9", "[a-z", "(?", "\\"].iter().any(|sign| text.contains(sign));
    let start = text.trim_end_matches('*').trim_end_matches('/');
    let is_glob = !is_pattern && text.ends_with("/*") && !start.contains('*');
    if !is_pattern && !is_glob && !text.contains("/*/") {
        return;
    }
    let message = format!("`path {comparison} \"{text}\"` compares these signs as they are");
    let report = Diagnostic::new(Code::PATTERN_AS_TEXT, place, message)
        .consequence("only a path that has these very characters is matched");
    let start = if start.is_empty() { "/" } else { start };
    let right = if is_glob { format!("path under \"{start}\"") } else { format!("path matches r\"{text}\"") };
    cx.report(report.help(match is_pattern || is_glob {
        true => format!("write `{right}`"),
        false => "write `path matches` with a regular expression, in which `[^/]+` is one segment".to_owned(),
    }));
}

/// `matches "^/find"`: in nginx and in most programs any path that begins so; here, and in Istio and Envoy, this path alone.
fn report_open_end(pattern: &str, place: Span, cx: &mut Reader<'_, '_>) {
    let Some(rest) = pattern.strip_prefix('^') else { return };
    if !rest.ends_with(|char: char| char.is_ascii_alphanumeric() || matches!(char, '/' | '-' | '_')) {
        return;
    }
    let message = format!("`{pattern}` has to match the whole path, to its end");
    let report = Diagnostic::new(Code::PATTERN_WITHOUT_END, place, message)
        .consequence("a longer path is not matched: `matches` always begins with `^` and ends with `$`");
    cx.report(report.help(format!("write `matches r\"{rest}\"`, or `{rest}.*` if more may follow")));
}
