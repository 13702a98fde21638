//! Free ports of the loopback.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Below the ports that systems give to outgoing connections: what is free now is not taken by one of those a moment later.
const RANGE: RangeInclusive<u16> = 20_000..=31_999;
const SIZE: u16 = *RANGE.end() - *RANGE.start() + 1;

/// How far this process has come; 0 before its first port.
static NEXT: AtomicU16 = AtomicU16::new(0);

/// A port of 127.0.0.1 that nobody listens on. No port is given twice to one process until all others were; another process
/// may still take it, so that who uses it must be ready to ask again.
pub fn free() -> io::Result<u16> {
    _ = NEXT.compare_exchange(0, start(), Ordering::Relaxed, Ordering::Relaxed);
    for _ in 0..SIZE {
        let port = RANGE.start() + NEXT.fetch_add(1, Ordering::Relaxed) % SIZE;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    Err(io::Error::new(io::ErrorKind::AddrInUse, "no port of the loopback is free"))
}

/// Processes that run at the same time start at different places.
fn start() -> u16 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.subsec_nanos());
    let mixed = now.wrapping_add(std::process::id().wrapping_mul(2_654_435_761));
    u16::try_from(mixed % u32::from(SIZE)).unwrap_or_default().max(1)
}
