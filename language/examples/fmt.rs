fn main() {
    let path = std::env::args().nth(1).unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    let f = meshc_language::format(meshc_language::FileId(0), &text);
    for d in &f.diagnostics {
        eprintln!("{:?} {} {:?}", d.code, d.message, d.span);
    }
    print!("{}", f.text);
}
