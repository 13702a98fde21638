//! Generates large meshes, and measures a meshc binary on them and the proxies on what it makes. See README.md beside
//! Cargo.toml.

mod limit;
mod measure;
mod process;
mod proxies;
mod tree;

use meshc_bench::{Layout, files};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "\
usage: meshc-bench generate N DIR [--one-file | --file-per-service]
       meshc-bench limit SOURCE LIKE OUT    read all of SOURCE, write files as large as those of LIKE to OUT
       meshc-bench measure MESHC [--runs K] [--huge]
       meshc-bench proxies MESHC [--services N] [--requests N] [--envoy PROGRAM] [--nginx PROGRAM]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing can be done about a closed standard error.
            let _ = writeln!(io::stderr(), "meshc-bench: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &[&str]) -> io::Result<()> {
    match arguments {
        ["generate", services, folder] => generate(number(services)?, folder, Layout::FilePerService),
        ["generate", services, folder, "--file-per-service"] => {
            generate(number(services)?, folder, Layout::FilePerService)
        }
        ["generate", services, folder, "--one-file"] => generate(number(services)?, folder, Layout::OneFile),
        ["limit", source, like, out] => limit::read_and_write(source.as_ref(), like.as_ref(), out.as_ref()),
        ["measure", meshc, options @ ..] => measure::run(&measure_options(meshc, options)?),
        ["proxies", meshc, options @ ..] => proxies::run(&proxies_options(meshc, options)?),
        _ => Err(io::Error::other(USAGE)),
    }
}

fn proxies_options(meshc: &str, options: &[&str]) -> io::Result<proxies::Options> {
    let mut read = proxies::Options {
        meshc: PathBuf::from(meshc).canonicalize()?,
        envoy: "envoy".into(),
        nginx: "nginx".into(),
        services: 10_000,
        requests: 100_000,
    };
    let mut options = options.iter();
    while let Some(option) = options.next() {
        let value = options.next().ok_or_else(|| io::Error::other(USAGE))?;
        match *option {
            "--envoy" => read.envoy = value.into(),
            "--nginx" => read.nginx = value.into(),
            "--services" => read.services = number(value)?.max(1),
            "--requests" => read.requests = number(value)?.max(1),
            _ => return Err(io::Error::other(USAGE)),
        }
    }
    Ok(read)
}

fn measure_options(meshc: &str, options: &[&str]) -> io::Result<measure::Options> {
    // Absolute, because the measured runs start in other folders.
    let mut read = measure::Options { meshc: PathBuf::from(meshc).canonicalize()?, runs: 5, huge: false };
    let mut options = options.iter();
    while let Some(option) = options.next() {
        match *option {
            "--huge" => read.huge = true,
            "--runs" => read.runs = number(options.next().unwrap_or(&""))?.max(1),
            _ => return Err(io::Error::other(USAGE)),
        }
    }
    Ok(read)
}

fn number(text: &str) -> io::Result<usize> {
    text.parse().map_err(|_| io::Error::other(format!("`{text}` is not a number\n{USAGE}")))
}

fn generate(services: usize, folder: &str, layout: Layout) -> io::Result<()> {
    for file in files(services, layout) {
        tree::write(&Path::new(folder).join(file.path), file.text.as_bytes())?;
    }
    Ok(())
}
