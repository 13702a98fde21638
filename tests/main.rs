//! All tests of the whole program, in one binary: one link, one run.

mod capabilities;
mod cases;
mod claims;
mod cli;
mod conformance;
mod deployments;
mod envoy;
mod explain;
mod faults;
mod generated;
mod golden;
mod istio;
mod live;
mod nginx;
mod oracle;
mod policies;
mod pre_commit;
mod readme;
mod ship;
mod tidy;
mod verify;
