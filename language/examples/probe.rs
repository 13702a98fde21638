use std::time::Instant;
fn main() {
    let path = std::env::args().nth(1).unwrap();
    let times: usize = std::env::args().nth(2).map_or(1, |n| n.parse().unwrap());
    let text = std::fs::read_to_string(path).unwrap().repeat(times);
    for _ in 0..3 {
        let t = Instant::now();
        let p = meshc_language::parse(meshc_language::FileId(0), &text);
        let n: usize = p.tree.chunks.iter().map(|c| c.len()).sum();
        println!("{} bytes {} chunks {} nodes {} reports {:?}", text.len(), p.tree.chunks.len(), n, p.diagnostics.len(), t.elapsed());
        for d in p.diagnostics.iter().take(3) { println!("{d:?}"); }
    }
    if times == 1 { for s in meshc_language::parse(meshc_language::FileId(0), &text).tree.statements(&text) {
        println!("{:?} args {:?} block {:?}", s.keyword().map(|k| k.written().to_owned()), s.arguments().map(|a| a.written()).collect::<Vec<_>>(), s.block().map(|b| b.statements().count()));
    }}
}
