//! Texts that are rendered from templates inside the binary.

use crate::exit::Failure;
use serde::Serialize;
use tera::{Context, Tera};

/// Renders a template.
///
/// # Errors
///
/// The template does not fit its data, which a test would have shown.
pub(crate) fn render(name: &str, template: &str, data: &impl Serialize) -> Result<String, Failure> {
    let fault = |error: tera::Error| Failure::new(format!("the template `{name}` is at fault: {error}"));
    let mut tera = Tera::new();
    tera.autoescape_on(Vec::<&str>::new());
    tera.add_raw_template(name, template).map_err(fault)?;
    tera.render(name, &Context::from_serialize(data).map_err(fault)?).map_err(fault)
}
