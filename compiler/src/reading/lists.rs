//! Several values of one type. Those of a statement stand without brackets, `hosts a, b`; a list inside of a statement has them,
//! `method in [GET, HEAD]`. The other form is read too, with a report.

use super::arguments::Args;
use super::keyword::{Syntax, TypeDoc};
use super::reader::Reader;
use super::term::Shape;
use meshc_language::{Applicability, Code, Diagnostic, Span};
use std::ops::Deref;

/// `a, b, c`: the values of a statement; at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comma<T>(pub Vec<T>);

/// `[a, b, c]`: a list inside of a statement; a single value may stand without brackets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List<T>(pub Vec<T>);

impl<T> Deref for Comma<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T> Deref for List<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<'l, T> IntoIterator for &'l Comma<T> {
    type Item = &'l T;
    type IntoIter = std::slice::Iter<'l, T>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<'l, T> IntoIterator for &'l List<T> {
    type Item = &'l T;
    type IntoIter = std::slice::Iter<'l, T>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<T: Syntax> Syntax for Comma<T> {
    fn read<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<Self> {
        let mut values = Vec::new();
        let mut first = true;
        loop {
            let list = args.peek(cx).filter(|term| matches!(term.shape, Shape::List(_)));
            let list = list.map(|term| (term.span, term.origin.is_some(), is_empty(&term.shape)));
            match list {
                // A variable that holds nothing is no element of a list with others.
                Some((_, true, true)) if !first || has_more(args, cx) => _ = args.next(cx),
                _ => {
                    if let Some((span, false, false)) = list {
                        surplus_brackets(span, cx);
                    }
                    if read_element(&mut values, args, cx).is_none() {
                        skip_element(args, cx)?;
                    }
                }
            }
            first = false;
            if !args.take_comma(cx) {
                break;
            }
        }
        (!values.is_empty()).then_some(Self(values))
    }

    fn signature() -> String {
        format!("{}, ...", T::signature())
    }

    fn types(types: &mut Vec<TypeDoc>) {
        T::types(types);
    }
}

impl<T: Syntax> Syntax for List<T> {
    fn read<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<Self> {
        let mut values = Vec::new();
        let (start, before) = (args.start(cx), args.last);
        let is_plain = !args.peek(cx).is_some_and(|term| matches!(term.shape, Shape::List(_)));
        read_element(&mut values, args, cx)?;
        while is_plain && args.take_comma(cx) {
            read_element(&mut values, args, cx)?;
        }
        if values.len() > 1 && is_plain {
            missing_brackets(start.to(args.last), before, cx);
        }
        (!values.is_empty()).then_some(Self(values))
    }

    fn signature() -> String {
        format!("[{}, ...]", T::signature())
    }

    fn types(types: &mut Vec<TypeDoc>) {
        T::types(types);
    }
}

/// Passes over the rest of an element that cannot be read; `None` if no other follows.
fn skip_element<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<()> {
    while !matches!(args.peek(cx)?.shape, Shape::Comma) {
        args.next(cx)?;
    }
    Some(())
}

fn is_empty(shape: &Shape<'_>) -> bool {
    matches!(shape, Shape::List(terms) if terms.is_empty())
}

/// Whether a comma follows the next argument.
fn has_more<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> bool {
    let last = args.last;
    let Some(term) = args.next(cx) else { return false };
    let more = args.peek(cx).is_some_and(|term| matches!(term.shape, Shape::Comma));
    args.put_back(term);
    args.last = last;
    more
}

/// Brackets around the values of a statement.
#[cold]
pub(crate) fn surplus_brackets(list: Span, cx: &mut Reader<'_, '_>) {
    let Some(inner) = cx.written(list).and_then(|text| text.strip_prefix('[')) else { return };
    let inner = inner.strip_suffix(']').unwrap_or(inner).trim().trim_end_matches(',').trim_end();
    let report = Diagnostic::new(Code::LIST_FORM, list, "the values of this statement need no brackets");
    if inner.contains(['#', '\n', '[']) {
        return cx.report(report.help("remove the brackets, as in `hosts a.com, b.com`"));
    }
    let report = report.help(format!("write `{inner}`"));
    cx.report(report.edit(Applicability::Safe, list, inner));
}

/// Several values where a list stands inside of a statement.
#[cold]
fn missing_brackets(values: Span, before: Span, cx: &mut Reader<'_, '_>) {
    let (Some(written), Some(word)) = (cx.written(values), cx.written(before)) else { return };
    let report = Diagnostic::new(Code::LIST_FORM, values, format!("a list after `{word}` needs brackets"))
        .help(format!("write `[{written}]`"));
    cx.report(report.edit(Applicability::Safe, values.before(), "[").edit(
        Applicability::Safe,
        values.after(),
        "]",
    ));
}

/// Reads one element, or all elements of a list in brackets. A bad element is reported and left out.
fn read_element<'p, T: Syntax>(
    values: &mut Vec<T>,
    args: &mut Args<'p>,
    cx: &mut Reader<'_, 'p>,
) -> Option<()> {
    let is_list = args.peek(cx).is_some_and(|term| matches!(term.shape, Shape::List(_)));
    if !is_list {
        values.push(T::read(args, cx)?);
        return Some(());
    }
    let term = args.next(cx)?;
    let Shape::List(terms) = term.shape else { return None };
    if terms.is_empty() {
        let message = format!("`{}` needs at least one {}", args.owner, T::signature());
        cx.report(
            Diagnostic::new(Code::MISSING_ARGUMENT, term.span, message)
                .help("add one, or remove the statement"),
        );
        return None;
    }
    let mut elements = Args::from_terms(terms, args.owner, term.span);
    while !elements.at_end(cx) {
        match T::read(&mut elements, cx) {
            Some(value) => values.push(value),
            None => {
                while !elements.at_end(cx)
                    && !elements.peek(cx).is_some_and(|term| matches!(term.shape, Shape::Comma))
                {
                    elements.next(cx);
                }
            }
        }
        if !elements.take_comma(cx) {
            elements.finish(&[], cx);
            break;
        }
    }
    Some(())
}
