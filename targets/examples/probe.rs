use meshc_compiler::*;
use meshc_language::SourceFile;
use std::time::Instant;
fn main() {
    let t = Instant::now();
    let path = std::env::args().nth(1).unwrap();
    let env = std::env::args().nth(2);
    let text = std::fs::read_to_string(&path).unwrap();
    let project = Project::read(vec![Input { module: "main".into(), file: SourceFile { name: path, text } }]);
    let t1 = t.elapsed();
    let c = check(&project, env.as_deref(), &Options::default());
    let t2 = t.elapsed();
    for r in c.reports.iter().take(20) { println!("{} {:?} {} | {:?} | {:?}", r.code, r.span, r.message, project.files[r.span.file.0 as usize].slice(r.span), r.help); }
    if let Some((_, Some(checked))) = c.environments.first() {
        let o = meshc_targets::Options { files: &project.files, ..meshc_targets::Options::default() };
        let (fitted, reports) = meshc_targets::fit(meshc_targets::target("istio").unwrap(), checked, &o);
        println!("{reports:?}");
        let mut n = 0;
        for a in fitted.unwrap().emit(&o) { n += a.text.len(); if a.text.len() < 20000 { println!("== {}\n{}", a.path, a.text) } }
        println!("{n} bytes");
    }
    println!("parse {t1:?} check {:?} emit {:?}", t2 - t1, t.elapsed() - t2);
}
