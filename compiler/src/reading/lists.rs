//! Several values of one type: `a, b, c` or `[a, b, c]`.

use super::arguments::Args;
use super::keyword::{Syntax, TypeDoc};
use super::reader::Reader;
use super::term::Shape;
use meshc_language::{Code, Diagnostic};
use std::ops::Deref;

/// `a, b, c` or `[a, b, c]`; at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comma<T>(pub Vec<T>);

/// `[a, b, c]`; a single value may stand without brackets.
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
        loop {
            read_element(&mut values, args, cx)?;
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
        read_element(&mut values, args, cx)?;
        (!values.is_empty()).then_some(Self(values))
    }

    fn signature() -> String {
        format!("[{}, ...]", T::signature())
    }

    fn types(types: &mut Vec<TypeDoc>) {
        T::types(types);
    }
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
