//! An upstream that sends its answers piece by piece.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Duration;

/// How many bytes of body it sends, one at a time.
pub(super) const LENGTH: usize = 12;

/// Starts one that waits this long before each byte of the body; its port. It is gone when the test process is.
pub(super) fn start(gap: Duration) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(move || serve(stream.unwrap(), gap));
        }
    });
    port
}

/// Serves one request; how the caller takes it is the caller's business.
fn serve(mut stream: TcpStream, gap: Duration) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        (stream.read(&mut byte).ok()? == 1).then(|| head.extend(byte))?;
    }
    stream.set_nodelay(true).ok()?;
    stream.write_all(format!("HTTP/1.1 200 OK\r\nContent-Length: {LENGTH}\r\n\r\n").as_bytes()).ok()?;
    for _ in 0..LENGTH {
        std::thread::sleep(gap);
        stream.write_all(b"x").ok()?;
    }
    Some(())
}
