//! What only real programs can show: TLS, and what depends on time. Sources of a few lines are built, the program is started with
//! what comes out, and requests are sent through it to upstreams that say what they were sent.
//!
//! Every test runs on every data plane. What one cannot carry is asserted to be refused at its line; what it carries with a
//! caveat is asserted with the caveat.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

mod neighbours;
mod project;
mod silent;
mod stage;
mod trickle;

/// Tests of a module, for each data plane.
macro_rules! on_every_plane {
    ($($test:ident)*) => {
        mod envoy {
            $(#[test] fn $test() { crate::live::stage::on(crate::live::stage::Plane::Envoy, super::$test); })*
        }
        mod nginx {
            $(#[test] fn $test() { crate::live::stage::on(crate::live::stage::Plane::Nginx, super::$test); })*
        }
    };
}

mod balancing;
mod browsers;
mod caller_headers;
mod deployed;
mod faults;
mod files;
mod grpc;
mod library;
mod library_routes;
mod limits;
mod matching;
mod names;
mod origination;
mod passthrough;
mod paths;
mod protocols;
mod retries;
mod server_tls;
mod timeouts;
mod trailers;
