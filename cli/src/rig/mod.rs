//! A rig to try proxies out on one machine: upstreams that say what they were sent, a client that sends what it is told,
//! certificates, and programs that are started, waited for and ended.
//!
//! ```text
//! Authority -> Identity         certificates and keys, in files and in memory
//! Echoes -> Echo                upstreams on free ports of 127.0.0.1
//! Launch -> Process             the program under test
//! Connection, Request           what is sent through it
//! ```
//!
//! Nothing listens or connects beyond 127.0.0.1, everything is bounded in time, and what is dropped is gone: processes are
//! ended by their id, upstreams close, a folder is removed by whoever made it.

pub mod certificates;
pub mod client;
pub mod echo;
pub mod http2;
mod mesh_tls;
pub mod ports;
pub mod process;
pub mod rigged;
pub mod server;
pub mod trial;
pub mod wire;

#[cfg(test)]
mod tests;

pub use certificates::{Authority, Identity};
pub use client::{Connection, Request, Response, Tls};
pub use echo::{Behaviour, Echo, EchoOptions, Echoes, Security, Seen, Speaks};
pub use process::{Launch, NotReady, Process};
pub use rigged::{Rigged, World};
pub use server::{Kind, NotServing, Server};
