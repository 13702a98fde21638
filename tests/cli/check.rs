//! `meshc check`: which files are taken, what is said, how it ends.

use super::{CLEAN, ERROR, Folder, WARNING};
use std::os::unix::fs::symlink;

#[test]
fn the_exit_code_tells_the_outcome() {
    let folder = Folder::new(&[("clean.mesh", CLEAN), ("warning.mesh", WARNING), ("error.mesh", ERROR)]);
    folder.run_to(0, &["check", "clean.mesh"]);
    folder.run_to(0, &["check", "warning.mesh"]);
    let denied = folder.run_to(1, &["check", "warning.mesh", "--deny", "warnings"]);
    assert!(denied.err.ends_with("1 warning in 1 file; warnings are denied\n"), "{}", denied.err);
    folder.run_to(1, &["check", "error.mesh"]);
    folder.run_to(2, &["check", "--no-such-option"]);
    folder.run_to(2, &[]);
    folder.run_to(0, &["--help"]);
    folder.run_to(0, &["--version"]);
}

#[test]
fn a_clean_project_is_one_line_on_standard_error() {
    let folder =
        Folder::new(&[("mesh.toml", ""), ("a.mesh", CLEAN), ("b/c.mesh", "env prod {}\nenv test {}\n")]);
    let run = folder.run_to(0, &["check"]);
    assert_eq!((run.out.as_str(), run.err.as_str()), ("", "checked 2 files, 2 environments: no findings\n"));
}

#[test]
fn a_report_names_the_place_the_consequence_and_the_way_out() {
    let folder = Folder::new(&[("a.mesh", ERROR)]);
    let run = folder.run_to(1, &["check"]);
    assert_eq!(run.out, "");
    for part in [
        "error[MESH0201]: ",
        "─ a.mesh:6:16\n",
        "6 │   route all -> wbe\n",
        "^^^",
        "did you mean `web`?",
        "1 error in 1 file\n",
    ] {
        assert!(run.err.contains(part), "{part}: {}", run.err);
    }
}

#[test]
fn what_cannot_be_read_is_said_with_its_path() {
    let folder = Folder::new(&[("notes.txt", ""), ("vs.yaml", ""), ("empty/notes.txt", "")]);
    for (path, said) in [
        ("nowhere", "cannot read `nowhere`: No such file"),
        ("nowhere.mesh", "cannot read `nowhere.mesh`"),
        ("notes.txt", "`notes.txt` is not a `.mesh` source"),
        ("vs.yaml", "later version"),
        ("empty", "there is no `.mesh` source in `empty`"),
    ] {
        let run = folder.run_to(2, &["check", path]);
        assert!(run.err.contains(said) && run.out.is_empty(), "{path}: {run:?}");
    }
}

#[test]
fn a_file_is_checked_with_its_project() {
    let host = "host web {\n  route all -> web\n}\n";
    let service = "service web {\n  port http 80\n}\n";
    let folder = Folder::new(&[("mesh.toml", ""), ("deep/host.mesh", host), ("service.mesh", service)]);
    let run = folder.run_to(0, &["check", "deep/host.mesh"]);
    assert!(run.err.contains("checked 2 files"), "{}", run.err);
    std::fs::remove_file(folder.path("mesh.toml")).unwrap();
    let run = folder.run_to(1, &["check", "deep/host.mesh"]);
    assert!(run.err.contains("MESH0201"), "{}", run.err);
    folder.run_to(0, &["check", "deep/host.mesh", "service.mesh"]);
}

#[test]
fn some_files_are_not_sources() {
    let folder = Folder::new(&[
        ("mesh.toml", "out = \"built/{env}\""),
        ("a.mesh", CLEAN),
        (".hidden/b.mesh", ERROR),
        (".gitignore", "/ignored\n"),
        ("ignored/c.mesh", ERROR),
        ("built/d.mesh", ERROR),
        ("other/mesh.toml", ""),
        ("other/e.mesh", ERROR),
    ]);
    let run = folder.run_to(0, &["check"]);
    assert!(run.err.contains("checked 1 file:"), "{}", run.err);
    folder.run_to(1, &["check", "other"]);
    let run = folder.run_to(2, &["check", "other", "a.mesh"]);
    assert!(run.err.contains("is not part of the project in `other`"), "{}", run.err);
}

/// A service with a name of its own.
fn service(name: &str) -> String {
    format!("namespace n\n\nservice {name} {{\n  port http 80\n  lb random\n}}\n")
}

/// The services of a build.
fn built(folder: &Folder) -> Vec<String> {
    let run = folder.run_to(0, &["build", "project", "--out", "-"]);
    let hosts = run.out.lines().filter_map(|line| line.trim().strip_prefix("host: "));
    let mut hosts: Vec<String> =
        hosts.map(|host| host.trim_matches('"').split('.').next().unwrap().to_owned()).collect();
    hosts.sort();
    hosts
}

#[test]
fn a_link_is_what_it_leads_to() {
    let folder = Folder::new(&[
        ("project/mesh.toml", "edition = \"2026\"\n"),
        ("project/a.mesh", &service("a")),
        ("shared/b.mesh", &service("b")),
        ("more/c.mesh", &service("c")),
        ("project/.data/d.mesh", &service("d")),
    ]);
    assert_eq!(built(&folder), ["a"]);
    symlink("../shared/b.mesh", folder.path("project/b.mesh")).unwrap();
    symlink("../more", folder.path("project/more")).unwrap();
    // As Kubernetes mounts a ConfigMap.
    symlink(".data/d.mesh", folder.path("project/d.mesh")).unwrap();
    assert_eq!(built(&folder), ["a", "b", "c", "d"]);
    // One file is one source, and no cycle is entered.
    symlink("a.mesh", folder.path("project/again.mesh")).unwrap();
    symlink("../more", folder.path("project/once-more")).unwrap();
    symlink(".", folder.path("project/here")).unwrap();
    symlink("..", folder.path("project/above")).unwrap();
    symlink("../project", folder.path("more/back")).unwrap();
    // What is no source may lead nowhere, as the lock of an editor does.
    symlink("somebody@somewhere", folder.path("project/.#a.mesh")).unwrap();
    symlink("nowhere", folder.path("project/link")).unwrap();
    assert_eq!(built(&folder), ["a", "b", "c", "d"]);
}

#[test]
fn a_source_that_leads_nowhere_is_an_error() {
    let folder = Folder::new(&[("a.mesh", CLEAN)]);
    symlink("nowhere.mesh", folder.path("b.mesh")).unwrap();
    let run = folder.run_to(2, &["check"]);
    assert!(run.err.contains("cannot follow the symbolic link `b.mesh`"), "{}", run.err);
}

#[test]
fn any_file_name_can_be_compiled() {
    let folder = Folder::new(&[("mesh.toml", ""), ("Über uns/A b.mesh", CLEAN)]);
    folder.run_to(0, &["check"]);
    folder.run_to(0, &["check", "Über uns/A b.mesh"]);
}

#[test]
fn the_standard_library_cannot_be_shadowed() {
    let folder = Folder::new(&[("mesh.toml", ""), ("std/http.mesh", "pub policy fast { timeout 9s }\n")]);
    let run = folder.run_to(2, &["check"]);
    assert!(run.err.contains("`std/http.mesh` would be the module `std.http`"), "{}", run.err);
}

#[test]
fn an_environment_can_be_chosen() {
    let folder = Folder::new(&[("a.mesh", &format!("env prod {}\nenv test {}\n{CLEAN}", "{}", "{}"))]);
    folder.write("b.mesh", "in test {\n  host other {\n    route all -> gone\n  }\n}\n");
    let run = folder.run_to(1, &["check"]);
    assert!(run.err.contains("= only in: test\n"), "{}", run.err);
    let run = folder.run_to(0, &["check", "--env", "prod"]);
    assert!(run.err.contains("2 files, 1 environment:"), "{}", run.err);
    folder.run_to(1, &["check", "--env", "test"]);
    folder.run_to(1, &["check", "--env", "prod", "--env", "test"]);
    folder.run_to(1, &["check", "--env", "all"]);
    let run = folder.run_to(2, &["check", "--env", "prd"]);
    assert!(run.err.contains("did you mean `prod`?"), "{}", run.err);
}

#[test]
fn the_project_file_sets_levels() {
    let folder = Folder::new(&[("mesh.toml", "[lints]\nMESH0219 = \"error\"\n"), ("a.mesh", WARNING)]);
    let run = folder.run_to(1, &["check"]);
    assert!(run.err.contains("error[MESH0219]"), "{}", run.err);
    folder.write("mesh.toml", "[lints]\nMESH0219 = \"allow\"\n");
    folder.run_to(0, &["check", "--deny", "warnings"]);
    folder.write("mesh.toml", "edition = \"2027\"\n");
    let run = folder.run_to(2, &["check"]);
    assert!(run.err.contains("mesh.toml:1:11: unknown edition `2027`"), "{}", run.err);
}

#[test]
fn colour_is_for_terminals_unless_it_is_asked_for() {
    let folder = Folder::new(&[("a.mesh", ERROR)]);
    assert!(!folder.run(&["check"]).err.contains('\u{1b}'));
    assert!(folder.run(&["check", "--color", "always"]).err.contains('\u{1b}'));
    assert!(!folder.run(&["--color", "never", "check"]).err.contains('\u{1b}'));
    let page = folder.run_to(0, &["explain", "MESH0201"]);
    assert!(!page.out.contains('\u{1b}'), "{}", page.out);
}

#[test]
fn only_what_can_be_written_today_is_offered() {
    let folder = Folder::new(&[("a.mesh", "shop x\n"), ("b.mesh", "guard x\n")]);
    let run = folder.run_to(1, &["check", "a.mesh"]);
    let offered = run.err.lines().find(|line| line.contains("an item is one of")).unwrap();
    assert!(offered.contains("`gateway`") && offered.ends_with("`for`"), "{offered}");
    assert!(!["extend", "guard", "allow", "test"].iter().any(|word| offered.contains(word)), "{offered}");
    assert!(folder.run_to(1, &["check", "b.mesh"]).err.contains("error[MESH0115]"));
}

/// A parameter, with one that another module has too.
fn with_parameters() -> Folder {
    let shop = "pub param $canary: percent\nparam $limit: duration = 5s\nconst $fixed = 2s\n\
                env prod { $canary = 5% }\nenv test { $canary = 50% }\n\
                service web {\n  port http 80\n  subset a { labels v=a }\n  subset b { labels v=b }\n}\n\
                host web { route all -> $canary web@a, rest web@b { timeout $limit; fault delay $fixed for 5% } }\n";
    let other = "param $limit: duration = 1s\nservice other { port http 80 }\n\
                 host other { route all -> other { timeout $limit } }\n";
    Folder::new(&[("mesh.toml", ""), ("shop.mesh", shop), ("team/other.mesh", other)])
}

#[test]
fn the_command_line_gives_values_to_parameters() {
    let folder = with_parameters();
    let printed = |set: &[&str]| {
        let arguments = ["build", "--out", "-", "--env", "prod"];
        folder.run_to(0, &[&arguments[..], set].concat()).out
    };
    assert!(printed(&[]).contains("weight: 5\n"));
    let set = printed(&["--set", "$canary=20%", "--set", "shop.$limit=7s"]);
    assert!(
        set.contains("weight: 20\n") && set.contains("weight: 80\n") && set.contains("timeout: 7s"),
        "{set}"
    );
    assert!(set.contains("timeout: 1s") && !set.contains("timeout: 5s"), "{set}");
    // The shell would take `$canary` for its own.
    assert!(printed(&["--set", "canary = 20%"]).contains("weight: 20\n"));
    // A value needs no environment.
    folder.write("shop.mesh", folder.read("shop.mesh").replace("{ $canary = 50% }", "{}"));
    assert!(folder.run_to(1, &["check"]).err.contains("MESH0212"));
    folder.run_to(0, &["check", "--set", "$canary=20%"]);
    folder.run_to(0, &["build", "--set", "$canary=20%"]);
    folder.run_to(0, &["build", "--locked", "--set", "$canary=20%"]);
    folder.run_to(1, &["build", "--locked", "--set", "$canary=30%"]);
}

#[test]
fn a_value_of_the_command_line_is_checked_as_any_other() {
    let folder = with_parameters();
    for (set, place, said) in [
        ("$canary=20", "<command line>:1:11", "did you mean `20%`?"),
        ("$canary=120%", "<command line>:1:11", "MESH0301"),
        ("$canary=[5%]", "<command line>:1:11", "this is a list, not a percent"),
        ("$canary=$fast", "<command line>:1:11", "there is no constant or parameter `$fast`"),
        ("$canry=20%", "<command line>:1:1", "did you mean `$canary`?"),
        ("$fixed=3s", "<command line>:1:1", "a constant is the same in every run"),
        ("$limit=3s", "<command line>:1:1", "write `shop.$limit` or `team.other.$limit`"),
        ("nowhere.$limit=3s", "<command line>:1:1", "there is no parameter"),
        ("$canary=20% 30%", "<command line>:1:15", "MESH0107"),
        ("$canary=20% # more", "<command line>:1:1", "takes one value"),
        ("$canary=20%; $limit = 3s", "<command line>:1:1", "takes one value"),
        ("$canary=20% { a }", "<command line>:1:1", "takes one value"),
    ] {
        let run = folder.run_to(1, &["check", "--set", set]);
        assert!(run.err.contains(place) && run.err.contains(said), "{set}: {}", run.err);
    }
    let run = folder.run_to(1, &["check", "--set", "$canary=20%", "--set", "$canary=30%"]);
    assert!(run.err.contains("<command line>:2:1") && run.err.contains("set twice"), "{}", run.err);
    for (set, said) in [
        ("=20%", "single quotes"),
        ("$canary", "has no `=`"),
        ("$canary=", "has no value"),
        ("$canary=1%\nservice x { port http 1 }", "control character"),
    ] {
        let run = folder.run_to(2, &["check", "--set", set]);
        assert!(run.err.contains(said), "{set}: {}", run.err);
    }
}
