//! The types that parameters and template arguments may have.

use crate::reading::{Value, ValueShape};
use crate::values::{
    Count, Duration, HostPattern, Literal, Namespace, Path, Pattern, Percent, Port, SecretName, Size,
    StatusCode, Switch, Text, ValueError, Word, words,
};

words! {
    /// The type of a parameter.
    pub enum ParameterType: "parameter type" {
        Percent = "percent" | "percentage" | "weight" "a share, such as `5%`",
        Duration = "duration" "a length of time, such as `250ms`",
        Port = "port" "a port number",
        Count = "count" | "int" | "integer" | "number" "a whole number",
        Size = "size" "a number of bytes, such as `64KiB`",
        Status = "status" "an HTTP status",
        Switch = "switch" | "bool" | "boolean" "`on` or `off`",
        Text = "text" | "string" | "str" "a string",
        Word = "word" "a name of the language, such as that of a subset or a route",
        Host = "host" | "hostname" | "domain" "a host name or wildcard",
        Destination = "destination" "a reference `[namespace/]name[:port][@subset]`",
        Namespace = "namespace" "a Kubernetes namespace",
        Path = "path" "a URL path in quotes",
        Pattern = "pattern" | "regex" | "regexp" "a regular expression",
        Secret = "secret" "the name of a secret",
        List = "list" | "array" "a list of values",
    }
}

impl ParameterType {
    /// Whether a value is of this type.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn check(self, value: &Value) -> Result<(), ValueError> {
        let (ValueShape::Word(text) | ValueShape::Text(text) | ValueShape::Raw(text)) = &value.shape else {
            let fits = self == Self::List || value.shape == ValueShape::Unknown;
            return if fits { Ok(()) } else { Err(ValueError::new(format!("this is a list, not a {self}"))) };
        };
        match self {
            Self::Percent => drop_value(Percent::parse(text)),
            Self::Duration => drop_value(Duration::parse(text)),
            Self::Port => drop_value(Port::parse(text)),
            Self::Count => drop_value(Count::parse(text)),
            Self::Size => drop_value(Size::parse(text)),
            Self::Status => drop_value(StatusCode::parse(text)),
            Self::Switch => drop_value(Switch::parse(text)),
            Self::Text => drop_value(Text::parse(text)),
            Self::Word => drop_value(Word::parse(text)),
            Self::Host => drop_value(HostPattern::parse(text)),
            Self::Destination => Ok(()),
            Self::Namespace => drop_value(Namespace::parse(text)),
            Self::Path => drop_value(Path::parse(text)),
            Self::Pattern => drop_value(Pattern::parse(text)),
            Self::Secret => drop_value(SecretName::parse(text)),
            Self::List => {
                Err(ValueError::new("this is a single value, not a list").help("write it in brackets"))
            }
        }
    }
}

fn drop_value<T>(read: Result<T, ValueError>) -> Result<(), ValueError> {
    read.map(|_| ())
}
