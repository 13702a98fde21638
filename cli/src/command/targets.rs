//! `meshc targets`: what each target can carry.

use crate::args::{TableFormat, Targets};
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::report::json_text;
use meshc_targets::{Feature, Named, Support, TARGETS};
use serde::Serialize;
use std::collections::BTreeMap;

pub(super) fn run(targets: &Targets, console: &Console) -> Result<Exit, Failure> {
    match targets.format {
        TableFormat::Human => console.product(human(targets.brief).as_bytes())?,
        TableFormat::Markdown => console.product(markdown(targets.brief).as_bytes())?,
        TableFormat::Json => console.product(&json_text(&rows())?)?,
    }
    Ok(Exit::Clean)
}

/// A feature and how each target carries it.
#[derive(Serialize)]
struct Row {
    feature: &'static str,
    targets: BTreeMap<&'static str, Cell>,
}

/// How a target carries a feature.
#[derive(Serialize)]
#[serde(tag = "support", rename_all = "lowercase")]
enum Cell {
    Native,
    Emulated { how: &'static str, caveat: &'static str },
    Unsupported { reason: &'static str },
}

fn cell(support: Support) -> Cell {
    match support {
        Support::Native => Cell::Native,
        Support::Emulated { how, caveat } => Cell::Emulated { how, caveat },
        Support::Unsupported { reason } => Cell::Unsupported { reason },
    }
}

fn rows() -> Vec<Row> {
    let row = |feature: &Feature| Row {
        feature: feature.title(),
        targets: TARGETS.iter().map(|target| (target.name(), cell(target.support(*feature)))).collect(),
    };
    Feature::ALL.iter().map(row).collect()
}

fn words(support: Support, brief: bool) -> String {
    match support {
        Support::Native => "native".to_owned(),
        Support::Emulated { .. } if brief => "emulated".to_owned(),
        Support::Unsupported { .. } if brief => "-".to_owned(),
        Support::Emulated { how, caveat } => format!("emulated by {how}: {caveat}"),
        Support::Unsupported { reason } => format!("unsupported: {reason}"),
    }
}

/// The matrix by feature; below it, unless it is brief, what is not native, target by target, and what differs beside features.
fn human(brief: bool) -> String {
    let width = Feature::ALL.iter().map(|feature| feature.title().chars().count()).max().unwrap_or_default();
    let line = |first: &str, cells: Vec<String>| {
        let mut line = format!("{first:width$}");
        for cell in cells {
            line.push_str(&format!("  {cell:10}"));
        }
        line.trim_end().to_owned() + "\n"
    };
    let mut text = line("feature", TARGETS.iter().map(|target| target.name().to_owned()).collect());
    for feature in Feature::ALL {
        text += &line(
            feature.title(),
            TARGETS.iter().map(|target| words(target.support(*feature), true)).collect(),
        );
    }
    for target in TARGETS.iter().filter(|_| !brief) {
        let partial = Feature::ALL.iter().filter(|feature| target.support(**feature) != Support::Native);
        for (at, feature) in partial.enumerate() {
            if at == 0 {
                text.push_str(&format!("\n{}\n", target.name()));
            }
            text.push_str(&format!("  {}: {}\n", feature.title(), words(target.support(*feature), false)));
        }
    }
    if !brief {
        text.push_str("\ndifferences that no configuration removes\n");
    }
    for account in Named::ALL.iter().filter(|_| !brief).map(|named| named.account()) {
        let cells: Vec<String> = TARGETS
            .iter()
            .map(|target| format!("{}: {}", target.name(), account.of(target.name())))
            .collect();
        text.push_str(&format!("  {}: {} ({})\n", account.what, cells.join("; "), account.reason));
    }
    text
}

fn markdown(brief: bool) -> String {
    let names: Vec<&str> = TARGETS.iter().map(|target| target.name()).collect();
    let mut text = format!("| feature | {} |\n|---|{}\n", names.join(" | "), "---|".repeat(names.len()));
    for feature in Feature::ALL {
        let cells: Vec<String> =
            TARGETS.iter().map(|target| words(target.support(*feature), brief).replace('|', "\\|")).collect();
        text.push_str(&format!("| {} | {} |\n", feature.title(), cells.join(" | ")));
    }
    text.push_str(&differences(&names, brief));
    text
}

/// The differences that no configuration removes, as a table of its own; the reasons are left out where it is brief.
fn differences(names: &[&str], brief: bool) -> String {
    let (why, rule) = if brief { ("", "") } else { (" why |", "---|") };
    let head = names.join(" | ");
    let mut text = format!(
        "<!-- and -->\n| difference that no configuration removes | {head} |{why}\n|---|{}{rule}\n",
        "---|".repeat(names.len())
    );
    for account in Named::ALL.iter().map(|named| named.account()) {
        let why = (!brief).then_some(account.reason);
        let cells = std::iter::once(account.what).chain(names.iter().map(|name| account.of(name))).chain(why);
        let row: Vec<String> = cells.map(|cell| cell.replace('|', "\\|")).collect();
        text.push_str(&format!("| {} |\n", row.join(" | ")));
    }
    text
}
