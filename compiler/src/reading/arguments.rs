//! The arguments of one statement, read from left to right.

use super::reader::Reader;
use super::term::{Shape, Term};
use meshc_language::{Arguments, Code, Diagnostic, Span, Statement};

/// Where arguments come from.
#[derive(Clone, Debug)]
enum Source<'p> {
    /// The tree.
    Tree(Arguments<'p>),
    /// What has been read before, such as the elements of a list.
    Terms(std::vec::IntoIter<Term<'p>>),
}

/// A cursor over arguments. Variables are put in as they are met.
#[derive(Clone, Debug)]
pub struct Args<'p> {
    source: Source<'p>,
    /// Terms that have been looked at, or put back; the next one last.
    ahead: Vec<Term<'p>>,
    /// Whether nothing has been taken yet.
    at_start: bool,
    /// What is being read, for messages: `timeout`, `route default`.
    pub owner: &'p str,
    /// Where the last argument ended: the place of one that is missing.
    pub last: Span,
}

impl<'p> Args<'p> {
    /// The arguments behind the keyword of a statement.
    #[must_use]
    pub fn of(statement: Statement<'p>) -> Self {
        let keyword = statement.keyword();
        Self {
            source: Source::Tree(statement.arguments()),
            ahead: Vec::new(),
            at_start: true,
            owner: keyword.map_or("", |keyword| keyword.written()),
            last: keyword.map_or(statement.head(), |keyword| keyword.span()),
        }
    }

    /// Other arguments: those of an attribute or the elements of a list.
    #[must_use]
    pub fn over(source: Arguments<'p>, owner: &'p str, last: Span) -> Self {
        Self { source: Source::Tree(source), ahead: Vec::new(), at_start: false, owner, last }
    }

    /// Arguments that have been read before, such as the elements of a list.
    #[must_use]
    pub fn from_terms(terms: Vec<Term<'p>>, owner: &'p str, last: Span) -> Self {
        Self { source: Source::Terms(terms.into_iter()), ahead: Vec::new(), at_start: false, owner, last }
    }

    fn pull(&mut self, cx: &mut Reader<'_, 'p>) -> Option<Term<'p>> {
        match &mut self.source {
            Source::Tree(arguments) => arguments.next().map(|next| cx.term(next)),
            Source::Terms(terms) => terms.next(),
        }
    }

    /// The next argument, without taking it.
    pub fn peek(&mut self, cx: &mut Reader<'_, 'p>) -> Option<&Term<'p>> {
        if self.at_start {
            self.at_start = false;
            self.skip_sign(cx);
        }
        if self.ahead.is_empty() {
            let next = self.pull(cx)?;
            self.ahead.push(next);
        }
        self.ahead.last()
    }

    /// Puts a term back: it comes next.
    pub(crate) fn put_back(&mut self, term: Term<'p>) {
        self.ahead.push(term);
    }

    /// Where the next argument stands; the place of the last one if there is none.
    pub fn start(&mut self, cx: &mut Reader<'_, 'p>) -> Span {
        let last = self.last;
        self.peek(cx).map_or(last, |term| term.span)
    }

    /// Takes the next argument.
    pub fn next(&mut self, cx: &mut Reader<'_, 'p>) -> Option<Term<'p>> {
        self.peek(cx)?;
        let term = self.ahead.pop()?;
        self.last = term.span;
        Some(term)
    }

    /// Takes the next argument; its absence is a report that says what should stand there.
    pub fn expect(&mut self, what: &str, cx: &mut Reader<'_, 'p>) -> Option<Term<'p>> {
        if let Some(term) = self.next(cx) {
            return Some(term);
        }
        self.missing(what, cx);
        None
    }

    /// Reports that `what` should stand behind the last argument.
    pub fn missing(&self, what: &str, cx: &mut Reader<'_, 'p>) {
        let message = format!("`{}` needs {what}", self.owner);
        let help = match cx.vocabulary().example(self.owner) {
            Some(example) => format!("for example `{example}`"),
            None => format!("write {what} after it"),
        };
        cx.report(Diagnostic::new(Code::MISSING_ARGUMENT, self.last, message).help(help));
    }

    /// Whether the next argument is this bare word.
    pub fn is_word(&mut self, word: &str, cx: &mut Reader<'_, 'p>) -> bool {
        self.peek(cx).and_then(Term::word) == Some(word)
    }

    /// Takes the next argument if it is this bare word.
    pub fn take_word(&mut self, word: &str, cx: &mut Reader<'_, 'p>) -> Option<Span> {
        if self.is_word(word, cx) { self.next(cx).map(|term| term.span) } else { None }
    }

    /// Takes the next argument if it is a comma.
    pub fn take_comma(&mut self, cx: &mut Reader<'_, 'p>) -> bool {
        let comma = self.peek(cx).is_some_and(|term| matches!(term.shape, Shape::Comma));
        if comma {
            self.next(cx);
        }
        comma
    }

    /// Whether nothing is left.
    pub fn at_end(&mut self, cx: &mut Reader<'_, 'p>) -> bool {
        self.peek(cx).is_none()
    }

    /// Reports what is left. `labels` are the words that could have stood here.
    pub fn finish(&mut self, labels: &[&str], cx: &mut Reader<'_, 'p>) {
        let Some(term) = self.next(cx) else { return };
        // One report for all that is left.
        while self.next(cx).is_some() {}
        self.last = term.span;
        if matches!(term.shape, Shape::Unknown) {
            return;
        }
        let message = format!("`{}` has no place for {} here", self.owner, term.describe());
        let mut report = Diagnostic::new(Code::UNEXPECTED_ARGUMENT, term.span, message);
        let word = term.word().unwrap_or_default();
        let is_again = labels.contains(&word);
        let meant = crate::values::did_you_mean(word, labels.iter().copied()).filter(|_| !is_again);
        report = match meant {
            None if is_again => report.help(format!("write `{word}` once, in its place")),
            Some(label) => report.help(format!("did you mean `{label}`?")).edit(
                meshc_language::Applicability::Unsafe,
                term.span,
                label,
            ),
            None if labels.is_empty() => report.help("remove it, or start a new statement on the next line"),
            None => report.help(format!("remove it, or use one of {}", super::keyword::listed(labels))),
        };
        cx.report(report);
    }
}
