//! Where certificates and keys are, and what a peer's certificate must show.

use std::fmt;

use smol_str::SmolStr;

use super::error::Shown;
use super::newtype::text_value;
use super::text::control_character;
use super::words::words;
use super::{Form, Literal, Namespace, ResourceName, ValueError};

/// The absolute path of a file in the proxy's container.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FilePath {
    text: SmolStr,
}

/// A name that a certificate must carry: a DNS name, a URI such as `spiffe://...`, an address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubjectAltName {
    text: SmolStr,
}

/// The SHA-256 of a certificate's public key, in base64 (`verifyCertificateSpki`): 44 characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Spki {
    text: SmolStr,
}

/// The SHA-256 of a certificate, in hex, with or without colons (`verifyCertificateHash`): 64 or 95
/// characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CertHash {
    text: SmolStr,
}

text_value!(FilePath, SubjectAltName, Spki, CertHash);

/// A credential by name (`credentialName`): where it is kept, and what it is called there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretName {
    source: SecretSource,
    namespace: Option<Namespace>,
    name: SmolStr,
}

words! {
    /// Where a credential is kept; all but `secret` are written as a prefix with `://`.
    pub enum SecretSource: "kind of credential" {
        Secret = "secret" "a Kubernetes Secret in the namespace of the proxy, written as its plain name",
        Kubernetes = "kubernetes" "a Kubernetes Secret, `kubernetes://[NAMESPACE/]NAME`",
        Gateway = "kubernetes-gateway" "a Secret of the config cluster, `kubernetes-gateway://NAMESPACE/NAME`",
        ConfigMap = "configmap" "a CA certificate in a ConfigMap, `configmap://[NAMESPACE/]NAME`",
        Sds = "sds" "a certificate of an external provider, `sds://NAME`",
        Builtin = "builtin" "the workload's own mesh certificate, `builtin://`",
    }
}

impl Literal for FilePath {
    const NAME: &'static str = "file path";
    const DOC: &'static str =
        "the absolute path of a file in the proxy's container, such as `\"/etc/certs/ca.pem\"`";
    const FORM: Form = Form::Quoted;

    fn parse(text: &str) -> Result<Self, ValueError> {
        if let Some(error) = control_character(text, &[]) {
            return Err(error);
        }
        match text.as_bytes() {
            [b'/', .., last] if *last != b'/' => Ok(Self { text: text.into() }),
            _ => Err(ValueError::new(format!("{} is not the absolute path of a file", Shown(text)))
                .help("write a path from the root, such as `/etc/certs/ca.pem`")),
        }
    }
}

impl Literal for SubjectAltName {
    const NAME: &'static str = "subject alternative name";
    const DOC: &'static str = "a name that the peer's certificate must carry, such as \
         `\"spiffe://cluster.local/ns/prod/sa/db\"`";
    const FORM: Form = Form::Either;

    fn parse(text: &str) -> Result<Self, ValueError> {
        if text.is_empty() {
            return Err(ValueError::new("empty subject alternative name").help("write a DNS name or a URI"));
        }
        match control_character(text, &[]) {
            None => Ok(Self { text: text.into() }),
            Some(error) => Err(error),
        }
    }
}

impl Literal for Spki {
    const NAME: &'static str = "public key hash";
    const DOC: &'static str = "the SHA-256 of a certificate's public key in base64, 44 characters";
    const FORM: Form = Form::Quoted;

    fn parse(text: &str) -> Result<Self, ValueError> {
        let base64 = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/');
        match text.as_bytes() {
            // 32 bytes are 43 digits and one pad; the last digit carries four bits, so its lower two are
            // zero.
            [digits @ .., last, b'=']
                if digits.len() == 42 && digits.iter().all(base64) && is_even_base64(*last) =>
            {
                Ok(Self { text: text.into() })
            }
            _ => Err(ValueError::new(format!("{} is not the hash of a public key", Shown(text)))
                .help("write the SHA-256 in base64: 44 characters that end with `=`")),
        }
    }
}

/// Whether the base64 digit's lower two bits are zero.
const fn is_even_base64(digit: u8) -> bool {
    matches!(
        digit,
        b'A' | b'E'
            | b'I'
            | b'M'
            | b'Q'
            | b'U'
            | b'Y'
            | b'c'
            | b'g'
            | b'k'
            | b'o'
            | b's'
            | b'w'
            | b'0'
            | b'4'
            | b'8'
    )
}

impl Literal for CertHash {
    const NAME: &'static str = "certificate hash";
    const DOC: &'static str = "the SHA-256 of a certificate in hex, 64 digits, or 32 pairs joined by colons";
    const FORM: Form = Form::Quoted;

    fn parse(text: &str) -> Result<Self, ValueError> {
        let valid = match text.len() {
            64 => text.bytes().all(|b| b.is_ascii_hexdigit()),
            95 => text
                .bytes()
                .enumerate()
                .all(|(at, b)| if at % 3 == 2 { b == b':' } else { b.is_ascii_hexdigit() }),
            _ => false,
        };
        if valid {
            return Ok(Self { text: text.into() });
        }
        Err(ValueError::new(format!("{} is not the hash of a certificate", Shown(text)))
            .help("write the SHA-256 in hex: 64 digits, or 32 pairs joined by colons"))
    }
}

impl SecretName {
    /// Where it is kept.
    #[must_use]
    pub const fn source(&self) -> SecretSource {
        self.source
    }

    /// Its namespace, where one is written.
    #[must_use]
    pub const fn namespace(&self) -> Option<&Namespace> {
        self.namespace.as_ref()
    }

    /// What it is called there; empty for `builtin://`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// A name with an optional namespace; `text` is the whole literal, which ends with `path`.
    fn of_kubernetes(source: SecretSource, text: &str, path: &str) -> Result<Self, ValueError> {
        let before = text.strip_suffix(path).unwrap_or_default();
        let (namespace, name) = match path.split_once('/') {
            Some((namespace, name)) => {
                let whole = |error: ValueError| {
                    error
                        .of_part(before.len(), |namespace| format!("{before}{namespace}/{name}"))
                        .checked::<Self>()
                };
                (Some(Namespace::parse(namespace).map_err(whole)?), name)
            }
            None => (None, path),
        };
        if source == SecretSource::Gateway && namespace.is_none() {
            return Err(ValueError::new(format!("credential {} names no namespace", Shown(text)))
                .help("write `kubernetes-gateway://NAMESPACE/NAME`"));
        }
        let before = text.strip_suffix(name).unwrap_or_default();
        let whole = |error: ValueError| {
            error.of_part(before.len(), |name| format!("{before}{name}")).checked::<Self>()
        };
        let name = ResourceName::parse(name).map_err(whole)?;
        Ok(Self { source, namespace, name: SmolStr::new(name.as_str()) })
    }
}

impl Literal for SecretName {
    const NAME: &'static str = "credential";
    const DOC: &'static str = "the name of a Kubernetes Secret, or a name with `kubernetes://`, `kubernetes-gateway://`, \
         `configmap://`, `sds://` or `builtin://`, such as `bookinfo-tls`";
    const FORM: Form = Form::Either;

    fn parse(text: &str) -> Result<Self, ValueError> {
        let Some((prefix, path)) = text.split_once("://") else {
            if text.contains('/') {
                return Err(refuse_slash(text));
            }
            return Self::of_kubernetes(SecretSource::Secret, text, text);
        };
        let whole =
            |error: ValueError| error.of_part(0, |prefix| format!("{prefix}://{path}")).checked::<Self>();
        match SecretSource::parse(prefix).map_err(whole)? {
            SecretSource::Secret => Err(unprefixed(text, path)),
            source @ SecretSource::Builtin if path.is_empty() => {
                Ok(Self { source, namespace: None, name: SmolStr::default() })
            }
            SecretSource::Builtin => {
                Err(ValueError::new(format!("credential {} has a name", Shown(text))).guess("builtin://"))
            }
            source @ SecretSource::Sds => match control_character(path, &[]) {
                Some(error) => Err(error.of_part(text.len() - path.len(), str::to_owned)),
                None if path.is_empty() => {
                    Err(ValueError::new("credential `sds://` has no name").help("write `sds://NAME`"))
                }
                None => Ok(Self { source, namespace: None, name: path.into() }),
            },
            source @ (SecretSource::Kubernetes | SecretSource::Gateway | SecretSource::ConfigMap) => {
                Self::of_kubernetes(source, text, path)
            }
        }
    }
}

#[cold]
fn unprefixed(text: &str, path: &str) -> ValueError {
    let error = ValueError::new(format!("a Secret has no prefix, unlike {}", Shown(text)));
    if path.contains('/') { error.help("write `kubernetes://NAMESPACE/NAME`") } else { error.respell(path) }
}

#[cold]
fn refuse_slash(text: &str) -> ValueError {
    let error = ValueError::new(format!("credential {} has a slash", Shown(text)))
        .help("write the Secret's name, or `kubernetes://NAMESPACE/NAME`");
    let respelt = format!("kubernetes://{text}");
    if SecretName::parse(&respelt).is_ok() { error.guess(respelt) } else { error }
}

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.source != SecretSource::Secret {
            write!(f, "{}://", self.source)?;
        }
        if let Some(namespace) = &self.namespace {
            write!(f, "{namespace}/")?;
        }
        f.write_str(&self.name)
    }
}
