//! `mistakes/`: single mistakes that people make, each caught. What nothing catches yet says so in its name.

use super::{all, run};

const FEWEST: usize = 110;
const CAUGHT: usize = 100;

#[test]
fn single_mistakes_are_caught_by_few_reports() {
    let cases: Vec<_> = all().into_iter().filter(|case| case.file.starts_with("mistakes")).collect();
    let mut caught = 0;
    let mut faults = Vec::new();
    for case in &cases {
        let reports = run(case).reports.len();
        caught += usize::from(reports > 0);
        if (reports == 0) != case.name.ends_with("(not caught)") || reports > 3 {
            faults.push(format!("{}: {reports} reports", case.title()));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(cases.len() >= FEWEST && caught >= CAUGHT, "{caught} of {} mistakes are caught", cases.len());
}
