//! `meshc targets`: what each target can carry.

use crate::args::{TableFormat, Targets};
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::report::json_text;
use meshc_targets::{Feature, Support, TARGETS};
use serde::Serialize;
use std::collections::BTreeMap;

pub(super) fn run(targets: &Targets, console: &Console) -> Result<Exit, Failure> {
    match targets.format {
        TableFormat::Human => console.product(human().as_bytes())?,
        TableFormat::Markdown => console.product(markdown().as_bytes())?,
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

fn words(support: Support) -> String {
    match support {
        Support::Native => "native".to_owned(),
        Support::Emulated { how, caveat } => format!("emulated by {how}: {caveat}"),
        Support::Unsupported { reason } => format!("unsupported: {reason}"),
    }
}

fn human() -> String {
    let width = Feature::ALL.iter().map(|feature| feature.title().chars().count()).max().unwrap_or_default();
    let mut text = format!("{:width$}", "feature");
    for target in TARGETS {
        text.push_str(&format!("  {:12}", target.name()));
    }
    text = text.trim_end().to_owned() + "\n";
    for feature in Feature::ALL {
        let mut line = format!("{:width$}", feature.title());
        for target in TARGETS {
            line.push_str(&format!("  {:12}", words(target.support(*feature))));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn markdown() -> String {
    let names: Vec<&str> = TARGETS.iter().map(|target| target.name()).collect();
    let mut text = format!("| feature | {} |\n|---|{}\n", names.join(" | "), "---|".repeat(names.len()));
    for feature in Feature::ALL {
        let cells: Vec<String> =
            TARGETS.iter().map(|target| words(target.support(*feature)).replace('|', "\\|")).collect();
        text.push_str(&format!("| {} | {} |\n", feature.title(), cells.join(" | ")));
    }
    text
}
