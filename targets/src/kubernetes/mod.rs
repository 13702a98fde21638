//! Kubernetes around raw proxies.
