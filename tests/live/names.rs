//! Names that DNS answers for: what becomes of requests when it does not.

use super::stage::{Plane, on};
use meshc_cli::rig::Request;
use meshc_compiler::values::{Duration as Limit, Literal};
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

/// What the server of names does with a question.
const ANSWERS: u8 = 0;
const FAILS: u8 = 1;
const IS_SILENT: u8 = 2;

#[test]
fn nginx_answers_502_where_names_are_not_found_and_waits_no_longer_than_is_said() {
    on(Plane::Nginx, |stage| {
        let a = stage.echo("a");
        let mode = Arc::new(AtomicU8::new(ANSWERS));
        stage.nginx.resolver = Some(vec![format!("127.0.0.1:{}", serve_names(Arc::clone(&mode)))]);
        stage.nginx.resolver_timeout = Some(Limit::parse("1s").unwrap());
        let source = "gateway edge { workload any; listen http <port> { hosts * } }
        host * via edge { route all -> far }
        external far { hosts far.example; port http PORT; resolve dns }";
        let running = stage.start(&source.replace("PORT", &a.port().to_string()));
        let ask = || {
            let begun = Instant::now();
            (running.ask(&Request::get("a.com", "/")).status, begun.elapsed())
        };
        assert_eq!(ask().0, 200);
        // What is known holds for a second.
        mode.store(FAILS, Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(2500));
        let (status, took) = ask();
        assert_eq!(status, 502);
        assert!(took < Duration::from_millis(900), "{took:?}");
        mode.store(IS_SILENT, Ordering::Relaxed);
        let (status, took) = ask();
        assert_eq!(status, 502);
        assert!(took > Duration::from_millis(800) && took < Duration::from_secs(4), "{took:?}");
        // It asks again.
        mode.store(ANSWERS, Ordering::Relaxed);
        assert_eq!(ask().0, 200);
    });
}

/// Starts a server of names: 127.0.0.1 for all of them, for a second (RFC 1035); its port.
fn serve_names(mode: Arc<AtomicU8>) -> u16 {
    let socket = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
    let port = socket.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let mut question = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut question) {
            let question = &question[..length];
            let answer = match mode.load(Ordering::Relaxed) {
                ANSWERS => {
                    // A name as in the question; type A, class IN, one second, four bytes.
                    let record = [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 127, 0, 0, 1];
                    [&question[..2], &[0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0], &question[12..], &record].concat()
                }
                FAILS => [&question[..2], &[0x81, 0x82, 0, 1, 0, 0, 0, 0, 0, 0], &question[12..]].concat(),
                _ => continue,
            };
            socket.send_to(&answer, from).unwrap();
        }
    });
    port
}
