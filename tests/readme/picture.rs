//! The picture of a report that the README shows: what the program prints on a terminal, as SVG. `UPDATE=1` draws it anew.

use super::root;
use std::fmt::Write;
use std::fs;
use std::process::Command;

const PICTURE: &str = "docs/report.svg";

/// What is wrong in it passes the admission of Istio.
const SOURCE: &str = r#"host shop.example.com {
  route api when path prefix "/api" -> api { timeout 2s }
  route login when path is "/api/login" -> login
  route web -> 10% web@v2, rest web@v1
}

service api { port http 8080 }
service login { port http 8080 }
service web {
  port http 8080
  subset v1 { labels version=v1 }
}
"#;

/// A piece of text in one style.
#[derive(Clone, Copy, Default, PartialEq)]
struct Style {
    bold: bool,
    /// Number of a colour of a terminal.
    color: Option<u8>,
}

#[test]
fn the_picture_is_what_the_program_prints() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("shop.mesh"), SOURCE).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_meshc"));
    command.args(["check", "--color", "always"]).current_dir(folder.path());
    let output = command.env("FORCE_HYPERLINK", "0").output().unwrap();
    let drawn = draw("meshc check", &String::from_utf8(output.stderr).unwrap());
    let path = root().join(PICTURE);
    if std::env::var_os("UPDATE").is_some_and(|value| value == "1") {
        fs::write(path, drawn).unwrap();
        return;
    }
    let current = fs::read_to_string(path).unwrap_or_default();
    assert_eq!(current, drawn, "`UPDATE=1 cargo test --test main readme` draws it anew");
    assert!(super::readme().contains(&format!("]({PICTURE})")), "the README does not show {PICTURE}");
}

/// Cells of a terminal, in units of the picture.
const WIDTH: f64 = 8.4;
const HEIGHT: usize = 19;

fn draw(command: &str, text: &str) -> String {
    let lines: Vec<Vec<(Style, String)>> = text.trim_end().lines().scan(Style::default(), line).collect();
    let longest = lines.iter().map(|line| line.iter().map(|(_, text)| text.chars().count()).sum::<usize>());
    let columns = longest.max().unwrap_or_default();
    let width = (columns as f64 * WIDTH) as usize + 40;
    let height = (lines.len() + 1) * HEIGHT + 36;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\">
<title>What {command} prints</title>
<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#0d1117\"/>
<g font-family=\"ui-monospace, SFMono-Regular, Menlo, Consolas, monospace\" font-size=\"14\" fill=\"#c9d1d9\">
<text x=\"20\" y=\"30\"><tspan fill=\"#8b949e\">$ </tspan>{command}</text>
"
    );
    for (number, line) in lines.iter().enumerate() {
        let y = 30 + (number + 1) * HEIGHT;
        let mut column = 0;
        for (style, text) in line {
            // Each piece has its place: fonts differ in how wide they draw the signs of a frame, readers in what they make of spaces.
            let shown = text.trim();
            let indent = text.chars().take_while(|char| *char == ' ').count();
            let x = 20.0 + (column + indent) as f64 * WIDTH;
            column += text.chars().count();
            if shown.is_empty() {
                continue;
            }
            let length = shown.chars().count();
            let _ = writeln!(
                svg,
                "<text x=\"{x:.1}\" y=\"{y}\" textLength=\"{:.1}\"{}>{}</text>",
                length as f64 * WIDTH,
                attributes(*style),
                shown.replace('&', "&amp;").replace('<', "&lt;"),
            );
        }
    }
    svg.push_str("</g>\n</svg>\n");
    svg
}

fn attributes(style: Style) -> String {
    let color = style.color.map(|color| {
        let color = match color % 8 {
            1 => "#ff7b72",
            2 => "#7ee787",
            3 => "#e3b341",
            4 => "#79c0ff",
            5 => "#d2a8ff",
            6 => "#56d4dd",
            _ => "#f0f6fc",
        };
        format!(" fill=\"{color}\"")
    });
    format!("{}{}", color.unwrap_or_default(), if style.bold { " font-weight=\"bold\"" } else { "" })
}

/// The pieces of a line; the style goes on into the next one.
fn line(style: &mut Style, line: &str) -> Option<Vec<(Style, String)>> {
    let mut pieces = Vec::new();
    let mut parts = line.split("\u{1b}[");
    pieces.push((*style, parts.next().unwrap().to_owned()));
    for part in parts {
        let (codes, text) = part.split_once('m').unwrap();
        apply(style, codes);
        pieces.push((*style, text.to_owned()));
    }
    pieces.retain(|(_, text)| !text.is_empty());
    Some(pieces)
}

/// Codes of ECMA-48, as far as reports use them.
fn apply(style: &mut Style, codes: &str) {
    let numbers: Vec<u8> = codes.split(';').map(|code| code.parse().unwrap_or_default()).collect();
    match numbers.as_slice() {
        [0] => *style = Style::default(),
        [1] => style.bold = true,
        [38, 5, color] => style.color = Some(*color),
        [color @ 30..=37] => style.color = Some(color - 30),
        [color @ 90..=97] => style.color = Some(color - 90),
        other => assert!(other.is_empty(), "the picture knows no code {other:?}"),
    }
}
