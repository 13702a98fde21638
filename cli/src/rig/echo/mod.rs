//! Upstreams that say what they were sent: each answers with JSON ([`Seen`]), counts, and can be told to be slow, to fail, to
//! hang up, or to be away.

mod connection;
mod http1;
mod http2;
mod reply;

use super::certificates::{Authority, Identity};
use super::ports;
use super::wire::Headers;
use connection::Service;
use serde::{Deserialize, Serialize};
use std::io;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

/// Requests that an upstream remembers; later ones are only counted.
const REMEMBERED: usize = 100_000;

/// Where upstreams run. They are gone when it is dropped.
pub struct Echoes {
    runtime: Runtime,
}

/// What an upstream is.
pub struct EchoOptions<'a> {
    /// How it calls itself.
    pub name: String,
    /// What it speaks.
    pub speaks: Speaks,
    /// Whether it wants TLS.
    pub security: Security<'a>,
}

/// What an upstream speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaks {
    /// HTTP/1.1 (with upgrades, after which it sends back what it gets) and HTTP/2, whichever the caller starts with.
    Http,
    /// It says who it is, as one line of JSON, before it hears anything, and then sends back what it gets.
    Greeting,
}

/// Whether an upstream wants TLS.
pub enum Security<'a> {
    /// It knows none.
    Plain,
    /// It wants TLS, and shows this certificate of this authority.
    Tls(&'a Authority, &'a Identity),
    /// It takes TLS from callers that start with it, and goes without from others. One that [`Speaks::Greeting`] would wait for
    /// its caller.
    Either(&'a Authority, &'a Identity),
    /// It wants TLS in TLS: what a proxy makes of a caller's TLS when it adds its own.
    Nested(&'a Authority, &'a Identity),
}

/// How an upstream treats the requests that follow. Headers of a request go before it: `x-echo-status: 503`,
/// `x-echo-delay: 250` (milliseconds), `x-echo-reset: 1`, `x-echo-headers: a, b` (answer with these headers, each with the value
/// `from-upstream`), `x-echo-grpc-status: 14`. An answer to `HEAD` says in [`SEEN`] what others say in their body.
#[derive(Clone, Debug, Default)]
pub struct Behaviour {
    /// How long it waits before it answers.
    pub delay: Duration,
    /// The status of its answer; 200 by default.
    pub status: Option<u16>,
    /// Whether it hangs up in place of an answer.
    pub reset: bool,
    /// Headers that it adds to its answer.
    pub headers: Headers,
    /// After how many requests it behaves well again; never if absent.
    pub times: Option<u64>,
}

/// A request or a connection as an upstream saw it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Who saw it.
    pub upstream: String,
    /// Which connection of that upstream it came on, from 1.
    pub connection: u64,
    /// `HTTP/1.1`, `HTTP/1.0`, `HTTP/2`; empty of [`Speaks::Greeting`].
    pub protocol: String,
    /// The method.
    pub method: String,
    /// Path and query as they came.
    pub target: String,
    /// The header fields in order; of HTTP/2 with `host` for the authority, and in lower case.
    pub headers: Headers,
    /// The body.
    pub body: String,
    /// Whether it came by TLS.
    pub tls: bool,
    /// The server name that the caller asked for.
    pub server_name: Option<String>,
    /// The server name of the TLS in it, of [`Security::Nested`].
    pub inner_server_name: Option<String>,
    /// Whose certificate the caller showed.
    pub client: Option<String>,
}

/// The header in which the answer to `HEAD`, which has no body, says what was seen.
pub const SEEN: &str = "x-echo-seen";

impl Seen {
    /// The type of the body that tells it.
    #[must_use]
    pub fn content_type(&self) -> &'static str {
        let kind = self.header("content-type").unwrap_or_default();
        let is_grpc = self.protocol == "HTTP/2" && kind.starts_with("application/grpc");
        if is_grpc { "application/grpc" } else { "application/json" }
    }

    /// What an answer tells, in its body, or in its head if it has none.
    #[must_use]
    pub fn told(response: &super::Response) -> Option<Self> {
        if response.body.is_empty() {
            return serde_json::from_str(response.header(SEEN)?).ok();
        }
        serde_json::from_slice(&response.body).ok()
    }
    /// The first value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        super::wire::header(&self.headers, name)
    }
}

/// A running upstream on a port of the loopback. It is gone when this is dropped.
pub struct Echo {
    port: u16,
    shared: Arc<Shared>,
    service: Arc<Service>,
    runtime: Handle,
    accepting: Option<JoinHandle<()>>,
}

/// What connections of an upstream share.
struct Shared {
    name: String,
    connections: AtomicU64,
    requests: AtomicU64,
    behaviour: Mutex<Behaviour>,
    seen: Mutex<Vec<Seen>>,
}

impl Echoes {
    /// Starts the threads that upstreams run on.
    pub fn new() -> io::Result<Self> {
        let runtime =
            Builder::new_multi_thread().worker_threads(1).thread_name("echo").enable_all().build()?;
        Ok(Self { runtime })
    }

    /// Starts an upstream on a free port.
    pub fn start(&self, options: EchoOptions<'_>) -> io::Result<Echo> {
        let EchoOptions { name, speaks, security } = options;
        let tls = match &security {
            Security::Plain => None,
            Security::Tls(authority, identity)
            | Security::Either(authority, identity)
            | Security::Nested(authority, identity) => {
                let acceptor = TlsAcceptor::from(Arc::new(authority.server(identity)?));
                Some((acceptor, authority.names()))
            }
        };
        let shared = Arc::new(Shared {
            name,
            connections: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            behaviour: Mutex::default(),
            seen: Mutex::default(),
        });
        let service = Arc::new(Service {
            shared: Arc::clone(&shared),
            speaks,
            takes_plain: matches!(security, Security::Plain | Security::Either(..)),
            nested: matches!(security, Security::Nested(..)),
            tls,
        });
        let mut echo =
            Echo { port: 0, shared, service, runtime: self.runtime.handle().clone(), accepting: None };
        echo.port = ports::free()?;
        echo.listen()?;
        Ok(echo)
    }
}

impl Echo {
    /// How it calls itself.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What it speaks.
    #[must_use]
    pub fn speaks(&self) -> Speaks {
        self.service.speaks
    }

    /// How many connections were made to it.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// How many requests it was sent; of [`Speaks::Greeting`], connections.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.shared.requests.load(Ordering::Relaxed)
    }

    /// Takes out what it has seen since the last time.
    #[must_use]
    pub fn take_seen(&self) -> Vec<Seen> {
        std::mem::take(&mut *locked(&self.shared.seen))
    }

    /// Treats the requests that follow like this.
    pub fn behave(&self, behaviour: Behaviour) {
        *locked(&self.shared.behaviour) = behaviour;
    }

    /// Goes away: connections are dropped, new ones refused.
    pub fn leave(&mut self) {
        if let Some(accepting) = self.accepting.take() {
            accepting.abort();
            // The port is closed when the task is gone.
            _ = self.runtime.block_on(accepting);
        }
    }

    /// Comes back on the same port.
    pub fn listen(&mut self) -> io::Result<()> {
        if self.accepting.is_some() {
            return Ok(());
        }
        let listener = self.runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, self.port)))?;
        let service = Arc::clone(&self.service);
        self.accepting = Some(self.runtime.spawn(accept(listener, service)));
        Ok(())
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        if let Some(accepting) = self.accepting.take() {
            accepting.abort();
        }
    }
}

async fn accept(listener: TcpListener, service: Arc<Service>) {
    // Connections end with the task that holds them.
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                connections.spawn(connection::serve(stream, Arc::clone(&service)));
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
        while connections.try_join_next().is_some() {}
    }
}

impl Shared {
    fn new_connection(&self) -> u64 {
        self.connections.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Counts and remembers; says how it is to be treated.
    fn note(&self, seen: &Seen) -> Behaviour {
        self.requests.fetch_add(1, Ordering::Relaxed);
        {
            let mut all = locked(&self.seen);
            if all.len() < REMEMBERED {
                all.push(seen.clone());
            }
        }
        let mut behaviour = locked(&self.behaviour);
        match &mut behaviour.times {
            None => behaviour.clone(),
            Some(0) => Behaviour::default(),
            Some(left) => {
                *left -= 1;
                behaviour.clone()
            }
        }
    }
}

/// What a lock guards stays whole even if a thread fell over while it held it.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
