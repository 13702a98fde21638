//! The bootstrap (`envoy.config.bootstrap.v3`), and files of resources (`envoy.service.discovery.v3`).

use super::{Address, Cluster, ConfigSource, Duration, Extension, Listener, TypedConfig, messages};
use crate::yaml::Sourced;
use serde::Serialize;
use smol_str::SmolStr;

messages! {
    /// `Bootstrap`.
    struct Bootstrap {
        node: Option<Node>,
        admin: Option<Admin>,
        layered_runtime: Option<LayeredRuntime>,
        overload_manager: Option<OverloadManager>,
        dynamic_resources: Option<DynamicResources>,
        static_resources: Option<StaticResources>,
    }

    /// `envoy.config.core.v3.Node`.
    struct Node {
        id: SmolStr,
        cluster: SmolStr,
    }

    /// `Admin`.
    struct Admin {
        address: Option<Address>,
    }

    /// `LayeredRuntime`.
    struct LayeredRuntime {
        layers: Vec<RuntimeLayer>,
    }

    /// `RuntimeLayer` with settings that stand in it.
    struct RuntimeLayer {
        name: &'static str,
        static_layer: RuntimeSettings,
    }

    /// What the runtime is told.
    struct RuntimeSettings {
        /// How large a compiled regular expression may be.
        #[serde(rename = "re2.max_program_size.error_level")]
        regex_size: u32,
    }

    /// `envoy.config.overload.v3.OverloadManager`.
    struct OverloadManager {
        refresh_interval: Option<Duration>,
        resource_monitors: Vec<Extension>,
        actions: Vec<OverloadAction>,
    }

    /// `OverloadAction`.
    struct OverloadAction {
        name: &'static str,
        triggers: Vec<OverloadTrigger>,
    }

    /// `Trigger`.
    struct OverloadTrigger {
        name: &'static str,
        threshold: OverloadThreshold,
    }

    /// `ThresholdTrigger`.
    struct OverloadThreshold {
        value: f64,
    }

    /// `envoy.extensions.resource_monitors.fixed_heap.v3.FixedHeapConfig`.
    struct FixedHeap {
        max_heap_size_bytes: u64,
    }

    /// `envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig`.
    struct DownstreamConnections {
        max_active_downstream_connections: u32,
    }

    /// `Bootstrap.DynamicResources`.
    struct DynamicResources {
        lds_config: Option<ConfigSource>,
        cds_config: Option<ConfigSource>,
    }

    /// `Bootstrap.StaticResources`.
    struct StaticResources {
        listeners: Vec<Sourced<Listener>>,
        clusters: Vec<Sourced<Cluster>>,
    }
}

/// `DiscoveryResponse`, as it stands in a file that Envoy watches.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Resources {
    /// The resources.
    pub(crate) resources: Vec<Sourced<TypedConfig>>,
}
