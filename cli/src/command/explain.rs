//! `meshc explain`: the pages of the registry.

use crate::args::{Explain, ListFormat};
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::report::json_text;
use meshc_compiler::values::did_you_mean;
use meshc_language::Code;
use meshc_language::code::{Entry, REGISTRY};
use serde::Serialize;

pub(super) fn run(explain: &Explain, console: &Console) -> Result<Exit, Failure> {
    match &explain.code {
        Some(written) => {
            let page = with_kind(find(written)?.entry());
            let page = shown(&page, console.colored_products);
            console.product(page.as_bytes())?;
        }
        None => console.product(&list(explain.format)?)?,
    }
    Ok(Exit::Clean)
}

/// The page of a code, with its level and kind below the title.
fn with_kind(entry: &Entry) -> String {
    let page = entry.page.trim_end();
    let (title, rest) = page.split_once('\n').unwrap_or((page, ""));
    let accepted = if entry.code.can_be_accepted() {
        format!("`@allow({}, because: \"...\")` accepts it.", entry.code)
    } else {
        "`@allow` does not accept it.".to_owned()
    };
    let (level, kind) = (entry.severity.name(), entry.kind);
    format!("{title}\n\n{level}, {}: {}. {accepted}\n{rest}", kind.name(), kind.meaning())
}

/// The code that is meant by `MESH0201`, `mesh0201` or `201`.
fn find(written: &str) -> Result<Code, Failure> {
    let number = written.chars().all(|char| char.is_ascii_digit()).then(|| format!("MESH{written:0>4}"));
    if let Some(code) = Code::find(number.as_deref().unwrap_or(written)) {
        return Ok(code);
    }
    let failure = Failure::new(format!("there is no code `{written}`"));
    let same: Vec<String> = REGISTRY
        .iter()
        .filter(|entry| entry.related.iter().any(|foreign| foreign.eq_ignore_ascii_case(written)))
        .map(|entry| entry.code.to_string())
        .collect();
    if !same.is_empty() {
        return Err(failure.help(format!("others use that name for {}", same.join(", "))));
    }
    let codes: Vec<String> = REGISTRY.iter().map(|entry| entry.code.to_string()).collect();
    Err(match did_you_mean(written, codes.iter().map(String::as_str)) {
        Some(meant) => {
            failure.help(format!("did you mean `{meant}`? `meshc explain --list` shows all codes"))
        }
        None => failure.help("`meshc explain --list` shows all codes"),
    })
}

/// One code, as `--list --format json` prints it.
#[derive(Serialize)]
struct Listed {
    code: String,
    severity: &'static str,
    kind: &'static str,
    title: &'static str,
    related: &'static [&'static str],
}

fn list(format: ListFormat) -> Result<Vec<u8>, Failure> {
    let listed = REGISTRY.iter().map(|entry| Listed {
        code: entry.code.to_string(),
        severity: entry.severity.name(),
        kind: entry.kind.name(),
        title: entry.title,
        related: entry.related,
    });
    match format {
        ListFormat::Json => json_text(&listed.collect::<Vec<_>>()),
        ListFormat::Human => Ok(REGISTRY.iter().map(line).collect::<String>().into_bytes()),
    }
}

fn line(entry: &Entry) -> String {
    format!("{}  {:7}  {:14}  {}\n", entry.code, entry.severity.name(), entry.kind.name(), entry.title)
}

const BOLD: &str = "\u{1b}[1m";
const FAINT: &str = "\u{1b}[2m";
const PLAIN: &str = "\u{1b}[0m";

/// How a paragraph begins that names the tests of this program that show what a page says; readers of the page need none of it.
const SHOWN_BY: &str = "Shown by: ";

/// How a paragraph begins that says from where something is known.
const THOUGHT: &str = "We think ";

/// A page for reading: indented code without fences, headings without signs; with styles, these are bold and code is faint.
fn shown(page: &str, with_styles: bool) -> String {
    let text = styled(page);
    if with_styles {
        return text;
    }
    [BOLD, FAINT, PLAIN].iter().fold(text, |text, style| text.replace(style, ""))
}

fn styled(page: &str) -> String {
    let mut text = String::new();
    let (mut code, mut evidence, mut left_out) = (false, false, false);
    for line in page.lines() {
        if line.starts_with(SHOWN_BY) || left_out {
            // The empty line behind the paragraph goes with it.
            left_out = !line.is_empty();
            continue;
        }
        evidence = !line.is_empty() && (evidence || line.starts_with(THOUGHT));
        if line.starts_with("```") {
            code = !code;
        } else if code {
            text.push_str(&format!("    {FAINT}{line}{PLAIN}\n"));
        } else if evidence {
            text.push_str(&format!("{FAINT}{line}{PLAIN}\n"));
        } else if line.starts_with('#') {
            text.push_str(&format!("{BOLD}{}{PLAIN}\n", line.trim_start_matches('#').trim_start()));
        } else {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_code_is_found_however_it_is_written() {
        for written in ["MESH0201", "mesh0201", "0201", "201"] {
            assert_eq!(find(written).unwrap(), Code::UNKNOWN_DESTINATION);
        }
        assert!(find("MESH0200").unwrap_err().text().contains("did you mean `MESH02"));
        assert!(find("ist0109").unwrap_err().text().contains("MESH0413"));
        assert!(find("20x1").unwrap_err().text().contains("--list"));
    }

    #[test]
    fn a_page_is_styled() {
        assert_eq!(
            styled("# A\ntext\n```mesh\ncode\n```"),
            "\u{1b}[1mA\u{1b}[0m\ntext\n    \u{1b}[2mcode\u{1b}[0m\n"
        );
        assert_eq!(
            styled("We think so: a,\nb.\n\nc"),
            "\u{1b}[2mWe think so: a,\u{1b}[0m\n\u{1b}[2mb.\u{1b}[0m\n\nc\n"
        );
        assert_eq!(shown("# A\n\nShown by: a,\nb.\n\n```mesh\nc\n```", false), "A\n\n    c\n");
    }
}
