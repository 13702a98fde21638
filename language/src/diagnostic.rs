//! Reports: what is wrong, where, what it would do in production, and the way out.

use crate::code::Code;
use crate::source::Span;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Good to know; never fails a run.
    Note,
    /// Likely a mistake; fails a run under `--deny warnings`.
    Warning,
    /// Provably wrong; nothing is written.
    Error,
}

impl Severity {
    /// The word that reports use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// A second place that explains the first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Related {
    /// Where.
    pub span: Span,
    /// What is to be seen there.
    pub text: String,
}

/// Whether a machine may apply a fix without asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Applicability {
    /// Keeps or restores what the author meant: `meshc fix` applies it.
    Safe,
    /// A guess, or changes what is sent where: `meshc fix --unsafe` applies it.
    Unsafe,
}

/// One replacement in a source file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edit {
    /// What is replaced; empty for an insertion.
    pub span: Span,
    /// The new text.
    pub replacement: String,
}

/// Edits that belong together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fix {
    /// Who may apply it.
    pub applicability: Applicability,
    /// The edits; they do not overlap.
    pub edits: Vec<Edit>,
}

/// One report. Built by the check that finds it, rendered by the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its entry in the registry.
    pub code: Code,
    /// The level after lint levels and suppression.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// Where.
    pub span: Span,
    /// What stands at that place, if the message does not say it.
    pub label: String,
    /// Other places.
    pub related: Vec<Related>,
    /// What production would do.
    pub consequence: Option<String>,
    /// What to do.
    pub help: Option<String>,
    /// How a machine would do it.
    pub fix: Option<Fix>,
    /// The environments it happens in; empty for all of them.
    pub environments: Vec<String>,
    /// The targets whose blocks it happens with; empty for all of them.
    pub targets: Vec<String>,
}

impl Diagnostic {
    /// A report of `code` at `span`, at the level that the registry gives.
    #[must_use]
    pub fn new(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.severity(),
            message: message.into(),
            span,
            label: String::new(),
            related: Vec::new(),
            consequence: None,
            help: None,
            fix: None,
            environments: Vec::new(),
            targets: Vec::new(),
        }
    }

    /// Says what stands at the place.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Points at a second place.
    #[must_use]
    pub fn related(mut self, span: Span, text: impl Into<String>) -> Self {
        self.related.push(Related { span, text: text.into() });
        self
    }

    /// Says what production would do.
    #[must_use]
    pub fn consequence(mut self, consequence: impl Into<String>) -> Self {
        self.consequence = Some(consequence.into());
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Says what to do, if there is something to say.
    #[must_use]
    pub fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help = help.or(self.help);
        self
    }

    /// Replaces the text at `span`.
    #[must_use]
    pub fn edit(mut self, applicability: Applicability, span: Span, replacement: impl Into<String>) -> Self {
        let edit = Edit { span, replacement: replacement.into() };
        match &mut self.fix {
            Some(fix) => {
                fix.applicability = fix.applicability.max(applicability);
                fix.edits.push(edit);
            }
            None => self.fix = Some(Fix { applicability, edits: vec![edit] }),
        }
        self
    }

    /// Whether what is reported leaves a hole: an error that the sources cannot accept either.
    #[must_use]
    pub fn leaves_a_hole(&self) -> bool {
        self.severity == Severity::Error && !self.code.can_be_accepted()
    }

    /// What reports are sorted by: place, then code, then text.
    #[must_use]
    pub fn order(&self) -> (Span, Code, &str) {
        (self.span, self.code, &self.message)
    }
}
