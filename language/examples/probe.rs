#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a probe")]
use std::time::Instant;
fn main() {
    let path = std::env::args().nth(1).unwrap();
    let times: usize = std::env::args().nth(2).map_or(1, |n| n.parse().unwrap());
    let rounds: usize = std::env::args().nth(3).map_or(3, |n| n.parse().unwrap());
    let text = std::fs::read_to_string(path).unwrap().repeat(times);
    let mut best = f64::MAX;
    let (mut chunks, mut nodes, mut reports) = (0, 0, 0);
    for _ in 0..rounds {
        let t = Instant::now();
        let p = meshc_language::parse(meshc_language::FileId(0), &text);
        best = best.min(t.elapsed().as_secs_f64());
        chunks = p.tree.chunks.len();
        nodes = p.tree.chunks.iter().map(|c| c.len()).sum::<usize>();
        reports = p.diagnostics.len();
    }
    println!("{} bytes {chunks} chunks {nodes} nodes {reports} reports best {:.1} ms = {:.1} MB/s", text.len(), best * 1e3, text.len() as f64 / best / 1e6);
}
