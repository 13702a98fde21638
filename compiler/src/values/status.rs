//! HTTP status codes, one type per use.

use super::error::Shown;
use super::integer::{digits, integer};
use super::newtype::number_value;
use super::{Form, Literal, ValueError};

/// A status that a proxy may answer with, 200 to 599. Istio's validation lets 600 pass (hole H17); here it is
/// refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatusCode(u16);

/// A redirect status: 301, 302, 303, 307 or 308. For other 3xx codes istiod emits a route without an action
/// (hole H16).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RedirectCode(u16);

/// A status that counts as an error of an endpoint, 100 to 599
/// (`OutlierDetection.outlierDetectionHttpErrorCodes`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ErrorCode(u16);

number_value!(StatusCode, u16, "The status, from 200 to 599.");
number_value!(RedirectCode, u16, "The status: 301, 302, 303, 307 or 308.");
number_value!(ErrorCode, u16, "The status, from 100 to 599.");

impl RedirectCode {
    /// 301, which istiod writes when no code is given.
    pub const MOVED_PERMANENTLY: Self = Self(301);
    /// Every code that has an action.
    pub const ALL: [Self; 5] = [Self(301), Self(302), Self(303), Self(307), Self(308)];
}

impl Literal for StatusCode {
    const NAME: &'static str = "HTTP status";
    const DOC: &'static str = "an HTTP status from 200 to 599, such as `503`";
    const FORM: Form = Form::Bare;

    fn parse(text: &str) -> Result<Self, ValueError> {
        integer(text, Self::NAME, 200, 599).map(|number| Self(narrow(number)))
    }
}

impl Literal for ErrorCode {
    const NAME: &'static str = "error status";
    const DOC: &'static str = "an HTTP status from 100 to 599, such as `502`";
    const FORM: Form = Form::Bare;

    fn parse(text: &str) -> Result<Self, ValueError> {
        integer(text, Self::NAME, 100, 599).map(|number| Self(narrow(number)))
    }
}

impl Literal for RedirectCode {
    const NAME: &'static str = "redirect status";
    const DOC: &'static str = "a redirect status: `301`, `302`, `303`, `307` or `308`";
    const FORM: Form = Form::Bare;

    fn parse(text: &str) -> Result<Self, ValueError> {
        match text {
            "301" => Ok(Self(301)),
            "302" => Ok(Self(302)),
            "303" => Ok(Self(303)),
            "307" => Ok(Self(307)),
            "308" => Ok(Self(308)),
            _ => Err(refuse_redirect(text)),
        }
    }
}

#[cold]
fn refuse_redirect(text: &str) -> ValueError {
    let error = match digits(text) {
        Some(300..=399) => ValueError::new(format!(
            "{} is no redirect: Istio would emit a route without an action",
            Shown(text)
        )),
        Some(_) => ValueError::new(format!("{} is not a redirect status", Shown(text))),
        None => ValueError::new(format!("{} is not an HTTP status", Shown(text))),
    };
    error.help(
        "use 301 or 308 for a permanent redirect, 302 or 307 for a temporary one, 303 to continue with GET",
    )
}

/// The caller has checked the range.
fn narrow(number: u32) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}
