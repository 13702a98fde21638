//! `meshc man`: manual pages.

use crate::args::{Arguments, Man};
use crate::atomic::{self, NewFile};
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::report::counted;
use clap::{Command, CommandFactory};

pub(super) fn run(man: &Man, console: &Console) -> Result<Exit, Failure> {
    let mut command = Arguments::command();
    command.build();
    let Some(folder) = &man.out else {
        console.product(&page(command)?)?;
        return Ok(Exit::Clean);
    };
    let mut pages = vec![("meshc.1".to_owned(), page(command.clone())?)];
    for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set() && inner.get_name() != "help")
    {
        let name = format!("meshc-{}", inner.get_name());
        // The display name becomes the title of the page.
        pages.push((format!("{name}.1"), page(inner.clone().display_name(name))?));
    }
    let files: Vec<NewFile<'_>> =
        pages.iter().map(|(name, bytes)| NewFile { path: folder.join(name), bytes }).collect();
    atomic::replace(&files)?;
    console.summary(&format!("wrote {} to {}\n", counted(files.len(), "page"), folder.display()));
    Ok(Exit::Clean)
}

fn page(command: Command) -> Result<Vec<u8>, Failure> {
    let mut page = Vec::new();
    let rendered = clap_mangen::Man::new(command).render(&mut page);
    rendered.map_err(|error| Failure::new(format!("cannot render a manual page: {error}")))?;
    Ok(page)
}
