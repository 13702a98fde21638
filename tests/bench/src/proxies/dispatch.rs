//! The work of nginx to find the route of a request, in time on a processor of its one worker.

use super::client::{Client, Request};
use super::project::{Paths, Rule};
use super::server::{Server, free_port, nginx};
use super::{Options, build, naive, project};
use crate::tree;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Requests before the measurement.
const WARM_UP: usize = 2_000;

pub(super) fn table(options: &Options, folder: &Path) -> io::Result<String> {
    let mut text = String::from(
        "| rules | paths | configuration | us per request | against plain |\n|---:|---|---|---:|---:|\n",
    );
    let bench = |layout, count, paths| Bench { options, folder, layout, count, paths }.measure();
    let plain = bench(Layout::Plain, 1, Paths::Literal)?;
    let mut row = |rules: usize, paths: &str, layout: &str, cost: f64| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "| {rules} | {paths} | {layout} | {cost:.1} | {:.2} x |", cost / plain);
    };
    row(1, "any", "plain location", plain);
    for (paths, name) in [(Paths::Literal, "exact, prefix"), (Paths::Regex, "regex")] {
        for count in [10, 100, 1_000] {
            row(count, name, "ours", bench(Layout::Ours, count, paths)?);
            row(count, name, "regex locations in order", bench(Layout::Naive, count, paths)?);
        }
    }
    Ok(text)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Layout {
    Plain,
    Ours,
    Naive,
}

/// One server that is asked.
struct Bench<'a> {
    options: &'a Options,
    folder: &'a Path,
    layout: Layout,
    /// Of rules.
    count: usize,
    paths: Paths,
}

impl Bench<'_> {
    /// Microseconds of the worker's processor time per request; every rule is asked for in turn.
    fn measure(&self) -> io::Result<f64> {
        tree::remove(self.folder)?;
        let port = free_port()?;
        let main = self.write(port)?;
        let requests: Vec<Request> = self.rules().map(|rule| request(&rule)).collect();
        let server = Server::start(nginx(self.options, &main))?;
        let mut client = Client::connect(port)?;
        client.send(&requests, WARM_UP)?;
        let before = server.cpu_time()?;
        client.send(&requests, self.options.requests)?;
        let spent = server.cpu_time()?.saturating_sub(before);
        Ok(spent.as_secs_f64() * 1e6 / self.options.requests as f64)
    }

    fn rules(&self) -> impl Iterator<Item = Rule> {
        Rule::all(self.count, self.paths)
    }

    /// Writes the configuration; its main file.
    fn write(&self, port: u16) -> io::Result<PathBuf> {
        let text = match self.layout {
            Layout::Plain => naive::plain(port),
            Layout::Naive => naive::rules(self.rules(), port),
            Layout::Ours => return self.build(port),
        };
        let main = self.folder.join("nginx.conf");
        tree::write(&main, text.as_bytes())?;
        Ok(main)
    }

    fn build(&self, port: u16) -> io::Result<PathBuf> {
        let source = self.folder.join("source");
        tree::write(&source.join("mesh.toml"), project::MANIFEST.as_bytes())?;
        tree::write(&source.join("mesh.mesh"), project::rules(self.rules(), port).as_bytes())?;
        let made = build(self.options, &source, "nginx", &[], &self.folder.join("out"))?;
        let main = made.join("edge/nginx.conf");
        // Writing the log is no part of the dispatch, and the other layouts write none.
        let text = fs::read_to_string(&main)?;
        let silent = text.replace("access_log /dev/stdout;", "access_log off;");
        if silent == text {
            return Err(io::Error::other(format!("{} has another access log", main.display())));
        }
        fs::write(&main, silent)?;
        Ok(main)
    }
}

/// A request that the rule answers, and no other.
fn request(rule: &Rule) -> Request {
    let (path, number) = (rule.sample(), rule.number);
    let header = if rule.wants_header() { format!("x-rule: {number}\r\n") } else { String::new() };
    Request {
        bytes: format!("GET {path} HTTP/1.1\r\nhost: shop.example.com\r\n{header}\r\n").into_bytes(),
        answer: format!("rule {number}").into_bytes(),
    }
}
