//! A gateway's limits, in the words of Envoy's guide for edges.

use super::EnvoyOptions;
use super::api::{self, Extension};
use crate::raw_proxy::EdgeOptions;
use meshc_compiler::values::Duration;
use smol_str::SmolStr;

/// Bytes that are on their way in one stream, and on one connection, of HTTP/2 before the sender waits.
const STREAM_WINDOW: u32 = 64 * 1024;
/// See [`STREAM_WINDOW`].
const CONNECTION_WINDOW: u32 = 1024 * 1024;
/// How often resources are looked at.
const REFRESH: SmolStr = SmolStr::new_static("0.25s");
/// The share of the heap from which on memory is given back.
const SHRINKS_AT: f64 = 0.95;
/// The share of the heap from which on requests are answered with 503.
const REFUSES_AT: f64 = 0.98;
/// The monitor of the heap.
const HEAP: &str = "envoy.resource_monitors.fixed_heap";

/// What protects the process (`Bootstrap.overload_manager`).
pub(super) fn overload_manager(options: &EnvoyOptions) -> api::OverloadManager {
    let EnvoyOptions {
        format: _,
        layout: _,
        admin: _,
        root: _,
        connections,
        buffer: _,
        retry_buffer: _,
        heap,
    } = options;
    let connections = api::DownstreamConnections { max_active_downstream_connections: *connections };
    let mut manager = api::OverloadManager {
        refresh_interval: Some(REFRESH),
        resource_monitors: vec![Extension {
            name: "envoy.resource_monitors.global_downstream_max_connections",
            typed_config: connections.into(),
        }],
        actions: Vec::new(),
    };
    if let Some(bytes) = heap {
        let typed_config = api::FixedHeap { max_heap_size_bytes: *bytes }.into();
        manager.resource_monitors.push(Extension { name: HEAP, typed_config });
        let action = |name, value| api::OverloadAction {
            name,
            triggers: vec![api::OverloadTrigger { name: HEAP, threshold: api::OverloadThreshold { value } }],
        };
        manager.actions = vec![
            action("envoy.overload_actions.shrink_heap", SHRINKS_AT),
            action("envoy.overload_actions.stop_accepting_requests", REFUSES_AT),
        ];
    }
    manager
}

/// The HTTP/2 of callers.
pub(super) fn http2_of_callers(edge: &EdgeOptions) -> api::Http2Options {
    http2(Some(edge.streams))
}

/// HTTP/2 with windows of the guide, and with this limit of streams.
pub(super) fn http2(streams: Option<u32>) -> api::Http2Options {
    api::Http2Options {
        max_concurrent_streams: streams,
        initial_stream_window_size: Some(STREAM_WINDOW),
        initial_connection_window_size: Some(CONNECTION_WINDOW),
    }
}

/// A limit of time; `0s` is none.
pub(super) fn time(limit: Option<Duration>) -> api::Duration {
    limit.map_or(SmolStr::new_static("0s"), |limit| SmolStr::new(limit.to_proto()))
}
