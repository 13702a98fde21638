//! Words and signs of other languages, and words in another order: Istio's, Envoy's and nginx's first. They are read as what they
//! mean, and reported with it.
//!
//! What a keyword is called elsewhere stands beside the keyword ([`section!`](super::section), [`keyword!`](super::keyword),
//! `words!`, `ITEMS`). Here is what does not go by words.

use super::arguments::Args;
use super::keyword::{Entry, Section};
use super::reader::Reader;
use super::term::{Shape, Term};
use crate::values::{HeaderValue, Label, Literal, Protocol};
use meshc_language::{Applicability, Code, Diagnostic, Edit, Severity, Span, Statement};

/// A word without what differs from one style of writing to the next: letter case, hyphens, underscores, a colon or `=` behind it.
#[must_use]
pub(crate) fn fold(word: &str) -> String {
    let word = word.trim_end_matches([':', '=']);
    word.chars().filter(|char| !matches!(char, '-' | '_')).map(|char| char.to_ascii_lowercase()).collect()
}

/// What others call like a statement of ours, though it says something else in part: no safe fix. Folded name, and what to know.
const ALIKE: &[(&str, &str)] = &[(
    "proxyreadtimeout",
    "it limits the whole response, and nginx's limits the time between two reads of it",
)];

/// Whether `written` is another spelling of `word`, or what others call it.
#[must_use]
pub(crate) fn is_called(written: &str, word: &str, synonyms: &[&str]) -> bool {
    let written = fold(written);
    !written.is_empty() && std::iter::once(&word).chain(synonyms).any(|name| fold(name) == written)
}

/// What a sign or word between the sides of a comparison means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    /// `=`, `==`, `:`.
    Is,
    /// `!=`.
    IsNot,
    /// `~`, `=~`.
    Matches,
    /// `!~`.
    MatchesNot,
    /// A `not` after the subject: the comparison follows.
    Late,
}

impl Sign {
    /// All of them, longer ones before those that they begin with.
    const ALL: &'static [(&'static str, Self)] = &[
        ("===", Self::Is),
        ("==", Self::Is),
        ("!==", Self::IsNot),
        ("!=", Self::IsNot),
        ("<>", Self::IsNot),
        ("=~", Self::Matches),
        ("!~*", Self::MatchesNot),
        ("!~", Self::MatchesNot),
        ("~*", Self::Matches),
        ("~", Self::Matches),
        ("=", Self::Is),
        (":", Self::Is),
    ];

    /// The word for it, `not` aside.
    const fn word(self) -> &'static str {
        match self {
            Self::Is | Self::IsNot | Self::Late => "is",
            Self::Matches | Self::MatchesNot => "matches",
        }
    }

    pub(crate) const fn is_negated(self) -> bool {
        matches!(self, Self::IsNot | Self::MatchesNot | Self::Late)
    }
}

/// The help of a statement of which a further place is wrong. One that shows the whole statement says the example before it, too.
fn joined(help: String, right: &str) -> String {
    let example = help.strip_prefix("write `").and_then(|rest| rest.split([' ', '`']).next());
    let is_whole = example.is_some_and(|word| right.split(' ').next() == Some(word) && right != word);
    if is_whole { format!("write `{right}`") } else { format!("{help}, and `{right}`") }
}

fn edit(span: Span, replacement: impl Into<String>) -> Edit {
    Edit { span, replacement: replacement.into() }
}

impl<'p> Reader<'_, 'p> {
    /// Reports what is spelled in another way here. Of one statement it is one report: a further place is added to it.
    pub(crate) fn foreign(
        &mut self,
        span: Span,
        right: &str,
        applicability: Applicability,
        edits: Vec<Edit>,
    ) {
        let fix = |report: Diagnostic| {
            edits
                .into_iter()
                .fold(report, |report, edit| report.edit(applicability, edit.span, edit.replacement))
        };
        if let Some(earlier) = self.reports.last()
            && earlier.code == Code::FOREIGN_SPELLING
            && earlier.span.file == span.file
            && earlier.span.end <= span.start
            && earlier.fix.is_some()
            && self.is_one_statement(earlier.span, span)
            && let Some(mut earlier) = self.reports.pop()
        {
            earlier.help = earlier.help.map(|help| joined(help, right));
            earlier = earlier.related(span, format!("and this is `{right}`"));
            self.reports.push(fix(earlier));
            return;
        }
        let written = self.written(span).unwrap_or_default().trim();
        let message = format!("`{written}` is spelled differently here");
        let report = Diagnostic::new(Code::FOREIGN_SPELLING, span, message).help(format!("write `{right}`"));
        self.report(fix(report));
    }

    /// Adds what the reader has to know to the help of the last report.
    pub(crate) fn add_to_help(&mut self, note: &str) {
        if let Some(report) = self.reports.last_mut() {
            report.help = report.help.take().map(|help| format!("{help}: {note}"));
        }
    }

    fn is_one_statement(&self, earlier: Span, later: Span) -> bool {
        let between = Span { start: earlier.end, end: later.start, ..earlier };
        self.written(between).is_some_and(|between| !between.contains([';', '{', '}', '\n']))
    }

    /// A statement that is called otherwise elsewhere, or has a sign after its keyword: read as what it is, and reported; `false`
    /// if it is nothing of this block.
    #[cold]
    pub(crate) fn foreign_statement<S: Section>(
        &mut self,
        section: &mut S,
        entries: &[Entry],
        statement: Statement<'p>,
    ) -> bool {
        let Some((keyword, word)) = statement.keyword().and_then(|keyword| Some((keyword, keyword.word()?)))
        else {
            return false;
        };
        let (name, value) = match word.split_once('=') {
            Some((name, value)) if !value.is_empty() => (name, Some(value)),
            _ => (word, None),
        };
        let entry = entries.iter().find(|entry| is_called(name, entry.key, &[]));
        let Some(entry) =
            entry.or_else(|| entries.iter().find(|entry| is_called(name, entry.key, entry.synonyms)))
        else {
            return false;
        };
        let span = keyword.span().part(0, name.trim_end_matches([':', '=']).len());
        let sign = keyword
            .span()
            .part(span.range().len(), name.len() - span.range().len() + usize::from(value.is_some()));
        let mut edits = Vec::new();
        if self.written(span) != Some(entry.key) {
            edits.push(edit(span, entry.key));
        }
        if !sign.range().is_empty() {
            let is_apart = self
                .written(Span { start: sign.end, end: sign.end + 1, ..sign })
                .is_some_and(|next| next == " ");
            edits.push(edit(sign, if is_apart { "" } else { " " }));
        }
        // A letter more or less may be a slip as well, and belong to the next word.
        let is_slip = |short: &str, long: &str| long.strip_prefix(short).is_some_and(|rest| rest.len() == 1);
        let written = self.written(span).unwrap_or_default();
        let is_doubtful =
            sign.range().is_empty() && (is_slip(written, entry.key) || is_slip(entry.key, written));
        let folded = fold(written);
        let alike = ALIKE.iter().find(|(name, _)| *name == folded).map(|(_, note)| *note);
        let is_doubtful = is_doubtful || alike.is_some();
        let applicability = if is_doubtful { Applicability::Unsafe } else { Applicability::Safe };
        let at = self.reports.len();
        let example = self.vocabulary().example(entry.key).unwrap_or(entry.key);
        let whole = if sign.range().is_empty() { span } else { span.to(sign) };
        self.foreign(whole, example, applicability, edits);
        if let Some(note) = alike {
            self.add_to_help(note);
        }
        if value.is_some() {
            self.lost = true;
            return true;
        }
        section.statement(entry.key, statement, self);
        self.settle_foreign(at);
        true
    }

    /// What was reported inside of a statement of another language after its keyword, from `at` on, becomes a part of that report:
    /// its edits where all of it can be mended, nothing where what stands there is of that language too.
    fn settle_foreign(&mut self, at: usize) {
        let inner = self.reports.split_off((at + 1).min(self.reports.len()));
        let (errors, others): (Vec<Diagnostic>, Vec<Diagnostic>) =
            inner.into_iter().partition(|report| report.severity == Severity::Error);
        let is_safe = |report: &Diagnostic| {
            report.fix.as_ref().is_some_and(|fix| fix.applicability == Applicability::Safe)
        };
        let all_safe = errors.iter().all(is_safe);
        self.lost |= !all_safe;
        if let Some(report) = self.reports.last_mut() {
            match &mut report.fix {
                Some(fix) if all_safe => {
                    fix.edits
                        .extend(errors.into_iter().filter_map(|error| error.fix).flat_map(|fix| fix.edits));
                }
                _ if all_safe => {}
                fix => *fix = None,
            }
        }
        self.reports.extend(others);
    }
}

impl<'p> Args<'p> {
    /// Takes the next argument if it is this label, or what others call it, which is reported.
    pub(crate) fn take_label(
        &mut self,
        label: &'static str,
        synonyms: &[&str],
        cx: &mut Reader<'_, 'p>,
    ) -> bool {
        let Some((word, span, origin)) =
            self.peek(cx).and_then(|term| Some((term.word()?, term.span, term.origin)))
        else {
            return false;
        };
        if word != label {
            if origin.is_some() || !is_called(word, label, synonyms) {
                return false;
            }
            cx.foreign(span, label, Applicability::Safe, vec![edit(span, label)]);
        }
        self.next(cx);
        true
    }

    /// Passes over a `=` or `:` between a keyword and its arguments.
    pub(super) fn skip_sign(&mut self, cx: &mut Reader<'_, 'p>) {
        let Some(term) = self.peek(cx) else { return };
        let (Some("=" | ":"), None) = (term.word(), term.origin) else { return };
        let sign = term.span;
        let before = self.last;
        let owner = self.owner;
        self.next(cx);
        let Some(next) = self.peek(cx).map(|next| next.span) else { return };
        let right = cx.vocabulary().example(owner).unwrap_or(owner);
        cx.foreign(sign, right, Applicability::Safe, vec![edit(Span { end: next.start, ..sign }, "")]);
        self.last = before;
    }

    /// Splits the next word at the first sign of a comparison in it, so that each part comes by itself.
    pub(crate) fn split_sign(&mut self, cx: &mut Reader<'_, 'p>) {
        let Some(term) = self.peek(cx).filter(|term| term.origin.is_none()) else { return };
        let (Some(word), whole) = (term.word().map(str::to_owned), term.span) else { return };
        let found = |at: usize| {
            let rest = word.get(at..)?;
            let (sign, _) = Sign::ALL.iter().find(|(sign, _)| rest.starts_with(sign))?;
            Some((at, sign.len()))
        };
        // A colon ends a name; inside of a word it is a part of it.
        let is_sign = |&(at, length): &(usize, usize)| {
            word.get(at..at + length) != Some(":") || at + length == word.len()
        };
        let Some((at, length)) = (0..word.len()).find_map(|at| found(at).filter(is_sign)) else { return };
        if at == 0 && length == word.len() {
            return;
        }
        self.next(cx);
        for (from, to) in [(at + length, word.len()), (at, at + length), (0, at)] {
            if from < to {
                let text = word.get(from..to).unwrap_or_default().to_owned();
                let span = whole.part(from, to - from);
                self.put_back(Term { shape: Shape::Word(text.into()), span, origin: None });
            }
        }
    }

    /// Takes a sign between the sides of a comparison whose left side starts at `start`; reports it with the word for it. Of one that
    /// negates what has no `not` nothing is said here: that there is none is reported.
    pub(crate) fn take_sign(
        &mut self,
        start: Span,
        can_negate: bool,
        cx: &mut Reader<'_, 'p>,
    ) -> Option<Sign> {
        if let Some(sign) = self.take_late_not(start, can_negate, cx) {
            return Some(sign);
        }
        self.split_sign(cx);
        let term = self.peek(cx).filter(|term| term.origin.is_none())?;
        let word = term.word()?;
        let (_, sign) = Sign::ALL.iter().find(|(sign, _)| *sign == word)?;
        let (sign, span, before) = (*sign, term.span, self.last);
        self.next(cx);
        if sign.is_negated() && !can_negate {
            return Some(sign);
        }
        let next = self.peek(cx).map(|next| next.span);
        let left = if before.end == span.start { " " } else { "" };
        let right = if next.is_some_and(|next| next.start == span.end) { " " } else { "" };
        let mut edits = vec![edit(span, format!("{left}{}{right}", sign.word()))];
        if sign.is_negated() {
            edits.push(edit(start.before(), "not "));
        }
        // A regular expression of nginx or Envoy may match a part; here it matches the whole.
        let applicability =
            if matches!(sign, Sign::Is | Sign::IsNot) { Applicability::Safe } else { Applicability::Unsafe };
        let subject = cx.written(start.to(before)).unwrap_or_default();
        let value = next.and_then(|next| cx.written(next)).unwrap_or("...");
        let not = if sign.is_negated() { "not " } else { "" };
        let right = format!("{not}{subject} {} {value}", sign.word());
        cx.foreign(span, &right, applicability, edits);
        Some(sign)
    }

    /// Takes a `not` that stands within a comparison, `header x is not "a"`, and reports it with where it belongs; the comparison
    /// itself comes next.
    fn take_late_not(&mut self, start: Span, can_negate: bool, cx: &mut Reader<'_, 'p>) -> Option<Sign> {
        const COMPARISONS: &[&str] = &["is", "in", "prefix", "under", "matches", "present"];
        let before = self.last;
        let ahead = self.ahead(2, cx);
        let is_not = |at: usize| ahead.get(at).is_some_and(|(word, is_word, _)| *is_word && word == "not");
        let is_comparison = |at: usize| {
            ahead.get(at).is_some_and(|(word, is_word, _)| *is_word && COMPARISONS.contains(&word.as_str()))
        };
        let at = if is_not(0) {
            0
        } else if is_comparison(0) && is_not(1) {
            1
        } else {
            return None;
        };
        let first = if at == 1 { self.next(cx) } else { None };
        let not = self.next(cx)?.span;
        let next = self.peek(cx).map(|next| next.span);
        // `is not in [...]`, `is not present`: the word that compares stands after it.
        let goes_on =
            self.peek(cx).and_then(|term| term.word()).is_some_and(|word| COMPARISONS.contains(&word));
        let is_missing = at == 0 && !goes_on;
        let whole = if at == 1 && goes_on { ahead.first().map_or(not, |(_, _, is)| is.to(not)) } else { not };
        let comparison =
            if at == 1 && !goes_on { ahead.first().map_or("is", |(word, ..)| word) } else { "is" };
        if can_negate {
            let subject = cx.written(start.to(before)).unwrap_or_default();
            let value = next.and_then(|next| cx.written(next)).unwrap_or("...");
            let right = if goes_on {
                format!("not {subject} {value} ...")
            } else {
                format!("not {subject} {comparison} {value}")
            };
            let right = right.replace("present ...", "present");
            let word = if is_missing { "is " } else { "" };
            let gone = next.map_or(whole, |next| Span { end: next.start, ..whole });
            let edits = vec![edit(start.before(), "not "), edit(gone, word)];
            cx.foreign(not, &right, Applicability::Safe, edits);
        }
        if let Some(first) = first.filter(|_| !goes_on) {
            self.put_back(first);
        } else if is_missing {
            let span = not;
            self.put_back(Term { shape: Shape::Word("is".into()), span, origin: None });
        }
        self.last = before;
        Some(Sign::Late)
    }

    /// Takes the operator of a condition, also in its other spellings, which are reported.
    pub(crate) fn take_operator(&mut self, word: &str, sign: &str, cx: &mut Reader<'_, 'p>) -> bool {
        let Some(term) = self.peek(cx) else { return false };
        let Some(written) = term.word() else { return false };
        if written != word {
            if term.origin.is_some() || (written != sign && !written.eq_ignore_ascii_case(word)) {
                return false;
            }
            let span = term.span;
            cx.foreign(span, word, Applicability::Safe, vec![edit(span, word)]);
        }
        self.next(cx);
        true
    }

    /// Takes a `not`; also `!`, alone or before a word, and `NOT`, which are reported.
    pub(crate) fn take_not(&mut self, cx: &mut Reader<'_, 'p>) -> Option<Span> {
        let term = self.peek(cx)?;
        let (word, span) = (term.word()?.to_owned(), term.span);
        if word == "not" {
            return self.next(cx).map(|term| term.span);
        }
        if term.origin.is_some() {
            return None;
        }
        if word.eq_ignore_ascii_case("not") {
            cx.foreign(span, "not", Applicability::Safe, vec![edit(span, "not")]);
            return self.next(cx).map(|term| term.span);
        }
        let rest = word.strip_prefix('!').filter(|rest| !rest.starts_with(['=', '~']))?;
        self.next(cx);
        let sign = span.part(0, 1);
        let goes_on = cx.written(Span { start: sign.end, end: sign.end + 1, ..sign }) == Some(" ");
        let tail = Span { start: sign.end, end: sign.end + 60, ..sign };
        let shown =
            cx.written(tail).and_then(|tail| tail.split(" ->").next()).filter(|tail| !tail.contains('\n'));
        let right = format!("not {}", shown.unwrap_or(rest).trim());
        cx.foreign(sign, &right, Applicability::Safe, vec![edit(sign, if goes_on { "not" } else { "not " })]);
        if !rest.is_empty() {
            let place = span.part(1, rest.len());
            self.put_back(Term { shape: Shape::Word(rest.to_owned().into()), span: place, origin: None });
        }
        Some(sign)
    }

    /// Passes over a word that says nothing here, with a report.
    pub(crate) fn skip_label(&mut self, words: &[&str], cx: &mut Reader<'_, 'p>) {
        let Some((first, rest)) = words.split_first() else { return };
        let Some(term) = self.peek(cx).filter(|term| term.origin.is_none()) else { return };
        if !term.word().is_some_and(|word| is_called(word, first, rest)) {
            return;
        }
        let (span, last) = (term.span, self.last);
        self.next(cx);
        let Some(next) = self.peek(cx).map(|next| next.span) else { return };
        let right = format!("{} {}", self.owner, cx.written(next).unwrap_or_default());
        cx.foreign(span, &right, Applicability::Safe, vec![edit(Span { end: next.start, ..span }, "")]);
        self.last = last;
    }

    /// The next two words as `right` of them, reported as such.
    fn respell(
        &mut self,
        count: usize,
        right: String,
        applicability: Applicability,
        cx: &mut Reader<'_, 'p>,
    ) -> Option<()> {
        let first = self.next(cx)?.span;
        for _ in 1..count {
            self.next(cx)?;
        }
        let span = first.to(self.last);
        cx.foreign(span, &right, applicability, vec![edit(span, right.clone())]);
        self.put_back(Term { shape: Shape::Word(right.into()), span, origin: None });
        Some(())
    }

    /// The next terms that were written here, as words or texts, up to `most`; they stay.
    pub(crate) fn ahead(&mut self, most: usize, cx: &mut Reader<'_, 'p>) -> Vec<(String, bool, Span)> {
        let last = self.last;
        let mut taken = Vec::new();
        while taken.len() < most
            && self.peek(cx).is_some_and(|term| term.origin.is_none() && term.text().is_some())
            && let Some(term) = self.next(cx)
        {
            taken.push(term);
        }
        let seen =
            taken.iter().filter_map(|term| Some((term.text()?.to_owned(), term.word().is_some(), term.span)));
        let seen = seen.collect();
        for term in taken.into_iter().rev() {
            self.put_back(term);
        }
        self.last = last;
        seen
    }
}

/// Puts right what people write in another way where a literal of this type stands.
pub(super) fn put_right<'p, L: Literal>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) {
    if L::NAME == <Label as Literal>::NAME {
        let _ = label(args, cx);
    } else if L::NAME == <Protocol as Literal>::NAME {
        let _ = protocol(args, cx);
    } else if L::NAME == <HeaderValue as Literal>::NAME {
        let _ = header_sign(args, cx);
    }
}

/// `set x-a = "b"` is `set x-a "b"`.
fn header_sign<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<()> {
    let name = args.last;
    let sign =
        args.peek(cx).filter(|term| term.origin.is_none() && matches!(term.word(), Some("=" | ":")))?;
    let sign = sign.span;
    args.next(cx);
    let next = args.peek(cx)?.span;
    let written = |span| cx.written(span).unwrap_or_default();
    let right = format!("{} {} {}", args.owner, written(name), written(next));
    cx.foreign(sign, &right, Applicability::Safe, vec![edit(Span { end: next.start, ..sign }, "")]);
    args.last = name;
    Some(())
}

/// `version: v1`, `version="v1"`, `version = v1` and `version v1` are `version=v1`.
fn label<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<()> {
    let first = args.peek(cx)?;
    // The common form costs no more than a look.
    if first.word().is_none_or(|word| word.contains('=') && !word.ends_with('=')) {
        return None;
    }
    let ahead = args.ahead(3, cx);
    let (key, _, _) = ahead.first()?;
    let (second, second_is_word, _) = ahead.get(1)?;
    let is_sign = *second_is_word && matches!(second.as_str(), "=" | "==" | ":");
    let has_sign = is_sign || key.ends_with([':', '=']);
    let (value, count) = match ahead.get(2) {
        Some((third, _, _)) if is_sign => (third, 3),
        _ if is_sign => return None,
        _ if *second_is_word && matches!(second.as_str(), "in" | "and" | "or") => return None,
        _ => (second, 2),
    };
    // Two words may also be one too many.
    let applicability = if has_sign { Applicability::Safe } else { Applicability::Unsafe };
    let right = format!("{}={value}", key.trim_end_matches([':', '=']));
    Label::parse(&right).ok()?;
    args.respell(count, right, applicability, cx)
}

/// `80 http`, `80/http`, `http:80` are `http 80`.
fn protocol<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<()> {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let ahead = args.ahead(2, cx);
    let (first, _, span) = ahead.first()?;
    if let Some((left, right)) = first.split_once([':', '/']) {
        let (name, number) = if is_number(left) { (right, left) } else { (left, right) };
        let protocol = Protocol::parse(name).ok().filter(|_| is_number(number))?;
        let right = format!("{protocol} {number}");
        args.next(cx);
        cx.foreign(*span, &right, Applicability::Safe, vec![edit(*span, right.clone())]);
        args.put_back(Term { shape: Shape::Word(number.to_owned().into()), span: *span, origin: None });
        args.put_back(Term { shape: Shape::Word(protocol.to_string().into()), span: *span, origin: None });
        return Some(());
    }
    if !is_number(first) {
        return None;
    }
    let second = ahead.get(1).and_then(|(second, _, place)| Some((Protocol::parse(second).ok()?, place)));
    let Some((protocol, place)) = second else {
        let protocol = usual_protocol(first);
        let right = format!("{} {protocol} {first}", args.owner);
        args.next(cx);
        cx.foreign(*span, &right, Applicability::Unsafe, vec![edit(span.before(), format!("{protocol} "))]);
        args.put_back(Term { shape: Shape::Word(first.clone().into()), span: *span, origin: None });
        args.put_back(Term { shape: Shape::Word(protocol.to_string().into()), span: *span, origin: None });
        return Some(());
    };
    let right = format!("{protocol} {first}");
    let whole = span.to(*place);
    args.next(cx);
    args.next(cx);
    cx.foreign(whole, &right, Applicability::Safe, vec![edit(whole, right.clone())]);
    args.put_back(Term { shape: Shape::Word(first.clone().into()), span: *span, origin: None });
    args.put_back(Term { shape: Shape::Word(protocol.to_string().into()), span: *place, origin: None });
    Some(())
}

/// What is usually spoken on a port of this number.
fn usual_protocol(number: &str) -> Protocol {
    match number {
        "443" | "8443" => Protocol::Https,
        "3306" => Protocol::Mysql,
        "6379" => Protocol::Redis,
        "27017" => Protocol::Mongo,
        "5432" | "9092" | "5672" => Protocol::Tcp,
        _ => Protocol::Http,
    }
}
