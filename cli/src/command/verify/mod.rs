//! `meshc verify`: runs the real proxy on this machine and holds it to what the sources say.

mod outcome;
mod place;
mod show;

use crate::activity;
use crate::args::{Format, ListFormat, Reporting, Verify};
use crate::compilation::{Answer, Fit, choose_environments, compile, fit_all, set, target_options};
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::project_files::ProjectFiles;
use crate::report::{self, Counts, Extent, Sources};
use crate::rig::trial::Trial;
use crate::rig::{Kind, NotServing, Server, World};
use meshc_compiler::routing::Proxy;
use meshc_language::{Diagnostic, Severity};
use meshc_targets::{Fitted, Options, Rig};
use outcome::{Outcome, Tried};
use place::Place;
use show::Wanted;
use std::mem::ManuallyDrop;
use std::path::Path;
use std::time::{Duration, Instant};

pub(super) fn run(verify: &Verify, console: &Console) -> Result<Exit, Failure> {
    let kind = kind(&verify.target)?;
    let wanted: Vec<Wanted> = verify.show.iter().map(|text| Wanted::parse(text)).collect::<Result<_, _>>()?;
    let server = server(kind, verify)?;
    let mut files = ProjectFiles::find(&verify.paths)?;
    files.manifest.overrule_targets(vec![kind.target()]);
    // A large mesh takes long to take down, and the process ends anyway.
    let mut project = ManuallyDrop::new(files.project(files.read()?));
    set(&mut project, &verify.settings)?;
    let environments = choose_environments(&verify.env, &project, &files.manifest)?;
    let mut compilation = ManuallyDrop::new(compile(&project, &environments, &files.manifest));
    let mut options = target_options(&project, &files.manifest);
    options.rig = Some(Rig::default());
    let Fit { reports, answers, emulated: _ } = fit_all(&mut compilation, &files.manifest.targets, &options);
    let sources = Sources::new(&project.files, files.sources.iter().map(|source| source.shown.clone()));
    let fitted: Option<Vec<(Option<String>, Fitted<'_>)>> = answers
        .into_iter()
        .map(|Answer { environment, target: _, fitted }| Some((environment, fitted?)))
        .collect();
    let Some(fitted) = fitted.filter(|_| !Counts::of(reports).fail(None)) else {
        let extent = Extent { files: files.sources.len(), ..Extent::default() };
        let reporting = Reporting { deny: None, format: Format::Human };
        // What does not stand in the way is for `check` and `build` to say.
        let errors: Vec<Diagnostic> =
            reports.iter().filter(|report| report.severity == Severity::Error).cloned().collect();
        report::publish(console, &sources, &errors, extent, reporting)?;
        return Ok(Exit::Findings);
    };
    let interrupt = Interrupt::watch()?;
    let place = Place::new(verify.keep.as_deref())?;
    let several = fitted.len() > 1;
    let mut outcomes = Vec::with_capacity(fitted.len());
    for (environment, fitted) in &fitted {
        let place = match environment {
            Some(name) if several => place.below(name),
            Some(_) | None => place.folder().to_owned(),
        };
        let attempt = Attempt {
            verify,
            wanted: &wanted,
            server: &server,
            fitted,
            options: &options,
            interrupt: &interrupt,
            place: &place,
        };
        let outcome = attempt.run(environment.clone());
        let failed = outcome.is_err();
        outcomes.push(outcome);
        if failed {
            break;
        }
    }
    drop(place);
    // Everything that was started is gone by now.
    interrupt.obey();
    let outcomes: Vec<Outcome> = outcomes.into_iter().collect::<Result<_, _>>()?;
    tell(verify, &wanted, &outcomes, &sources, console)
}

/// Writes what was found, one environment after another.
fn tell(
    verify: &Verify,
    wanted: &[Wanted],
    outcomes: &[Outcome],
    sources: &Sources<'_>,
    console: &Console,
) -> Result<Exit, Failure> {
    let mut fine = true;
    for outcome in outcomes {
        fine &= !outcome.differs();
        let environment = outcome.environment.as_deref().filter(|_| outcomes.len() > 1);
        if !wanted.is_empty() {
            if let Some(environment) = environment {
                console.product(format!("environment {environment}:\n").as_bytes())?;
            }
            console.product(show::text(wanted, &outcome.tried, sources).as_bytes())?;
            console.report(outcome.taken_as_plain(sources).as_bytes());
            outcome.report_differences(console, sources);
            fine &= show::all_served(wanted, &outcome.tried);
        } else if verify.format == ListFormat::Human {
            if let Some(environment) = environment {
                console.report(format!("environment {environment}:\n").as_bytes());
            }
            outcome.report(console, sources);
        }
    }
    if verify.format == ListFormat::Json {
        let records: Vec<_> = outcomes.iter().map(|outcome| outcome.record(sources)).collect();
        console.product(&report::json_text(&records)?)?;
    }
    Ok(if fine { Exit::Clean } else { Exit::Findings })
}

fn kind(target: &str) -> Result<Kind, Failure> {
    let known = Kind::ALL.into_iter().find(|kind| kind.name() == target);
    known.ok_or_else(|| {
        Failure::new(format!("`{target}` is not a proxy that can run by itself"))
            .help("verify `envoy` or `nginx`: the sources mean the same for every target")
    })
}

fn server(kind: Kind, verify: &Verify) -> Result<Server, Failure> {
    let name = kind.name();
    let mut server = match &verify.program {
        Some(program) if program.is_file() => {
            let whole =
                std::path::absolute(program).map_err(|error| Failure::file("find", program, error))?;
            Server::at(kind, whole)
        }
        Some(program) => {
            return Err(Failure::new(format!("there is no program `{}`", program.display()))
                .help(format!("give the path of {name}")));
        }
        None => Server::find(kind).ok_or_else(|| {
            Failure::new(format!("`{name}` is not installed: it is in no folder of PATH"))
                .help(format!("install {name}, or say where it is with `--program PATH`"))
        })?,
    };
    server.patience = Duration::from_secs(verify.patience);
    Ok(server)
}

/// One run against a program.
struct Attempt<'a> {
    verify: &'a Verify,
    /// The requests of `--show`.
    wanted: &'a [Wanted],
    server: &'a Server,
    fitted: &'a Fitted<'a>,
    options: &'a Options<'a>,
    interrupt: &'a Interrupt,
    /// The folder of this environment.
    place: &'a Path,
}

impl Attempt<'_> {
    fn run(&self, environment: Option<String>) -> Result<Outcome, Failure> {
        let start = Instant::now();
        let proxies = self.fitted.proxies();
        activity::begin("making certificates");
        std::fs::create_dir_all(self.place).map_err(|error| Failure::file("make", self.place, error))?;
        let world = World::new(self.place, proxies)
            .map_err(|error| Failure::new(format!("cannot make certificates and upstreams: {error}")))?;
        let mut tried = Vec::new();
        for (number, proxy) in proxies.iter().enumerate() {
            tried.push(self.try_out(proxy, &place::of_proxy(self.place, number)?, &world)?);
        }
        Ok(Outcome { server: self.server.clone(), environment, tried, took: start.elapsed() })
    }

    fn try_out(&self, proxy: &Proxy, folder: &Path, world: &World) -> Result<Tried, Failure> {
        let name = outcome::name_of(proxy);
        activity::begin(format!("starting {} for {name}", self.server.kind.name()));
        let mut options = self.options.clone();
        options.envoy.root = folder.to_string_lossy().into_owned();
        let stop = || self.interrupt.told();
        let model = self.fitted.checked().model();
        let rig = || world.rig(proxy.clone());
        let (rigged, mut process) = self
            .server
            .start(model, &options, folder, rig, stop)
            .map_err(|why| self.not_serving(&name, folder, why))?;
        activity::begin(format!("asking {name}"));
        let trial = Trial {
            kind: self.server.kind,
            rigged: &rigged,
            world,
            samples: self.verify.requests,
            stop: &stop,
        };
        let (findings, shown) = if self.wanted.is_empty() {
            (trial.run(), Vec::new())
        } else {
            show::show(self.wanted, &rigged, &trial)
        };
        // A proxy that fell over answers nothing: its own words say more than the differences.
        if let Ok(Some(_)) = process.ended() {
            return Err(self.not_serving(&name, folder, NotServing::Refused(process.output())));
        }
        process.stop().map_err(|error| Failure::new(format!("cannot stop {name}: {error}")))?;
        Ok(Tried::new(name, &rigged, findings, shown))
    }

    fn not_serving(&self, name: &str, folder: &Path, why: NotServing) -> Failure {
        let program = self.server.kind.name();
        let help = match &self.verify.keep {
            Some(_) => format!("see `{}`", folder.display()),
            None => "`--keep DIR` keeps the configuration".to_owned(),
        };
        match why {
            NotServing::Io(what, error) => Failure::new(format!("cannot {what} for {name}: {error}")),
            NotServing::Refused(said) => {
                Failure::new(format!("{program} exited for {name}, and printed{}", outcome::last(&said)))
                    .help(help)
            }
            NotServing::TimedOut(said) => Failure::new(format!(
                "{program} did not serve {name} within {} s, and printed{}",
                self.server.patience.as_secs(),
                outcome::last(&said)
            ))
            .help(help),
            NotServing::Stopped => Failure::new("stopped"),
        }
    }
}
