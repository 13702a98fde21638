//! `controller`: who implements a gateway, which is also what a project builds for.

use super::words;

words! {
    /// Who implements a gateway.
    pub enum Controller: "controller" {
        Istio = "istio" "Istio configures the workload",
        Envoy = "envoy" "one Envoy, by a bootstrap of its own",
        Nginx = "nginx" "one nginx, by a configuration of its own",
    }
}
