//! Which Istio the clusters run, and where they are ambient.

use meshc_compiler::values::ValueError;
use std::fmt;

/// A minor release of Istio 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Release(u8);

impl Release {
    /// The oldest whose API is known.
    pub const OLDEST: Self = Self(8);
    /// The newest that is known: its code judges the tests.
    pub const NEWEST: Self = Self(31);

    /// Release 1.`minor`.
    pub(super) const fn minor(minor: u8) -> Self {
        Self(minor)
    }

    fn parse(text: &str) -> Result<Self, ValueError> {
        let malformed = || {
            ValueError::new(format!("`{text}` is not a release of Istio")).help(format!(
                "write a release such as `\"{}\"`, or a range such as `\"1.24..1.28\"`",
                Self::NEWEST
            ))
        };
        let mut parts = text.trim().trim_start_matches('v').split('.');
        let minor = match (parts.next(), parts.next(), parts.next(), parts.next()) {
            // What a patch release changes is never part of the API.
            (Some("1"), Some(minor), patch, None) if patch.is_none_or(is_number) && is_number(minor) => minor,
            _ => return Err(malformed()),
        };
        let release = minor.parse().map(Self).map_err(|_| malformed())?;
        if release < Self::OLDEST {
            let message = format!("Istio {release} is older than {}, the oldest that is known", Self::OLDEST);
            return Err(ValueError::new(message).help(format!("write at least `\"{}\"`", Self::OLDEST)));
        }
        Ok(release)
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1.{}", self.0)
    }
}

/// The releases that the clusters of a project run, or will run: all of them have to understand its output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Releases {
    /// The oldest of them.
    pub oldest: Release,
    /// The newest of them.
    pub newest: Release,
}

impl Default for Releases {
    fn default() -> Self {
        Self { oldest: Release::NEWEST, newest: Release::NEWEST }
    }
}

impl Releases {
    /// Reads `1.28`, or a range such as `1.24..1.28`, both ends included. A release that is newer than the newest known is taken
    /// for one that knows all that the newest known does.
    ///
    /// # Errors
    ///
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let Some((oldest, newest)) = text.split_once("..") else {
            return match text.split_once('-') {
                Some((oldest, newest)) if Release::parse(oldest).and(Release::parse(newest)).is_ok() => {
                    Err(ValueError::new(format!("`{text}` is not a release of Istio")).help(format!(
                        "write a range with two dots: `\"{}..{}\"`",
                        oldest.trim(),
                        newest.trim()
                    )))
                }
                _ => Release::parse(text).map(|release| Self { oldest: release, newest: release }),
            };
        };
        let (oldest, newest) = (Release::parse(oldest)?, Release::parse(newest.trim_start_matches('='))?);
        if newest < oldest {
            return Err(ValueError::new(format!(
                "the range ends before it begins: {newest} is older than {oldest}"
            ))
            .help(format!("write the older release first: `\"{newest}..{oldest}\"`")));
        }
        Ok(Self { oldest, newest })
    }

    /// Whether some of them are older than this one, and some are not.
    pub(super) fn cross(self, release: Release) -> bool {
        self.oldest < release && release <= self.newest
    }
}

/// Where requests are routed by waypoints instead of sidecars.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Ambient {
    /// Nowhere.
    #[default]
    Nowhere,
    /// In every namespace.
    Everywhere,
    /// In these namespaces.
    In(Vec<String>),
}

impl Ambient {
    /// Whether services of this namespace are behind waypoints.
    pub(super) fn has(&self, namespace: Option<&str>) -> bool {
        match self {
            Self::Nowhere => false,
            Self::Everywhere => true,
            Self::In(namespaces) => namespaces.iter().any(|known| Some(known.as_str()) == namespace),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_release_or_a_range_is_read() {
        let read = |text: &str| Releases::parse(text).map(|read| format!("{}..{}", read.oldest, read.newest));
        for (text, shown) in [
            ("1.28", "1.28..1.28"),
            ("v1.28.3", "1.28..1.28"),
            ("1.24..1.28", "1.24..1.28"),
            ("1.24 .. 1.28", "1.24..1.28"),
            ("1.24..=1.28", "1.24..1.28"),
            ("1.30..1.40", "1.30..1.40"),
        ] {
            assert_eq!(read(text).unwrap(), shown, "{text}");
        }
        for (text, said) in [
            ("1.7", "write at least `\"1.8\"`"),
            ("2.0", "such as"),
            ("1", "such as"),
            ("1.x", "such as"),
            ("1.999", "such as"),
            ("latest", "such as"),
            ("1.24-1.28", "`\"1.24..1.28\"`"),
            ("1.28..1.24", "`\"1.24..1.28\"`"),
            ("1.28..", "such as"),
        ] {
            assert!(read(text).unwrap_err().help.unwrap().contains(said), "{text}");
        }
    }
}
