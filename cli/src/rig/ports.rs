//! Free ports of the loopback.

use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::ops::RangeInclusive;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Below the ports that systems give to outgoing connections: what is free now is not taken by one of those a moment later.
const RANGE: RangeInclusive<u16> = 20_000..=31_999;
const SIZE: u16 = *RANGE.end() - *RANGE.start() + 1;

/// How far this process has come; 0 before its first port.
static NEXT: AtomicU16 = AtomicU16::new(0);

/// How many ports stay claimed after they were given out: more than a proxy needs until it listens, far fewer than files may be open.
const CLAIMED: usize = 128;

/// The claims on the ports that were given out last. Who claims a port of TCP is bound to the same port of UDP, so that another process
/// sees it before the proxy listens: two Envoys would share a port without a word, and each serve half of the requests.
static CLAIMS: Mutex<VecDeque<UdpSocket>> = Mutex::new(VecDeque::new());

/// A port of 127.0.0.1 that nobody listens on. No port is given twice to one process until all others were, nor to another
/// one that asks here; any other program may still take it, so that who uses it must be ready to ask again.
pub fn free() -> io::Result<u16> {
    _ = NEXT.compare_exchange(0, start(), Ordering::Relaxed, Ordering::Relaxed);
    for _ in 0..SIZE {
        let port = RANGE.start() + NEXT.fetch_add(1, Ordering::Relaxed) % SIZE;
        let Ok(claim) = UdpSocket::bind((Ipv4Addr::LOCALHOST, port)) else { continue };
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            keep(claim);
            return Ok(port);
        }
    }
    Err(io::Error::new(io::ErrorKind::AddrInUse, "no free port on 127.0.0.1"))
}

fn keep(claim: UdpSocket) {
    // A thread that panicked while it held the claims has left them whole.
    let mut claims = CLAIMS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if claims.len() == CLAIMED {
        claims.pop_front();
    }
    claims.push_back(claim);
}

/// Processes that run at the same time start at different places.
fn start() -> u16 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.subsec_nanos());
    let mixed = now.wrapping_add(std::process::id().wrapping_mul(2_654_435_761));
    u16::try_from(mixed % u32::from(SIZE)).unwrap_or_default().max(1)
}
