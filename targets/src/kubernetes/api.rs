//! Kubernetes' API, as far as it is written here.

use serde::Serialize;
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// Labels, annotations, selectors, the data of a ConfigMap: sorted, so that output is the same each time.
pub(super) type Map = BTreeMap<SmolStr, String>;

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A resource with its kind.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Resource<S> {
    pub(super) api_version: &'static str,
    pub(super) kind: &'static str,
    pub(super) metadata: Metadata,
    #[serde(flatten)]
    pub(super) content: S,
}

/// What stands under `spec`.
#[derive(Serialize)]
pub(super) struct Spec<S> {
    pub(super) spec: S,
}

/// Nothing beside the metadata.
#[derive(Serialize)]
pub(super) struct Nothing {}

macro_rules! messages {
    ($($(#[$meta:meta])* struct $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* })*) => {
        $(
            $(#[$meta])*
            #[derive(Clone, Debug, Default, PartialEq, Serialize)]
            #[serde(rename_all = "camelCase")]
            pub(super) struct $name {
                $(
                    $(#[$field_meta])*
                    #[serde(skip_serializing_if = "is_default")]
                    pub(super) $field: $type,
                )*
            }
        )*
    };
}

messages! {
    /// `ObjectMeta`.
    struct Metadata {
        name: SmolStr,
        namespace: Option<SmolStr>,
        labels: Map,
        annotations: Map,
    }

    /// `ServiceSpec`.
    struct ServiceSpec {
        #[serde(rename = "clusterIP")]
        cluster_ip: Option<&'static str>,
        selector: Map,
        ports: Vec<ServicePort>,
    }

    /// `ServicePort`.
    struct ServicePort {
        name: SmolStr,
        port: u16,
        target_port: u16,
    }

    /// `DeploymentSpec`.
    struct DeploymentSpec {
        replicas: u32,
        selector: LabelSelector,
        template: PodTemplate,
    }

    /// `LabelSelector`.
    struct LabelSelector {
        match_labels: Map,
    }

    /// `PodTemplateSpec`.
    struct PodTemplate {
        metadata: Metadata,
        spec: PodSpec,
    }

    /// `PodSpec`.
    struct PodSpec {
        automount_service_account_token: Option<bool>,
        termination_grace_period_seconds: Option<u32>,
        security_context: PodSecurityContext,
        containers: Vec<Container>,
        volumes: Vec<Volume>,
    }

    /// `PodSecurityContext`.
    struct PodSecurityContext {
        run_as_non_root: Option<bool>,
        run_as_user: Option<u32>,
        run_as_group: Option<u32>,
        fs_group: Option<u32>,
        seccomp_profile: Option<SeccompProfile>,
        sysctls: Vec<Sysctl>,
    }

    /// `SeccompProfile`.
    struct SeccompProfile {
        r#type: &'static str,
    }

    /// `Sysctl`.
    struct Sysctl {
        name: &'static str,
        value: &'static str,
    }

    /// `Container`.
    struct Container {
        name: &'static str,
        image: String,
        command: Vec<String>,
        args: Vec<String>,
        ports: Vec<ContainerPort>,
        readiness_probe: Option<Probe>,
        liveness_probe: Option<Probe>,
        lifecycle: Option<Lifecycle>,
        security_context: Option<SecurityContext>,
        volume_mounts: Vec<VolumeMount>,
    }

    /// `Lifecycle`.
    struct Lifecycle {
        pre_stop: Option<LifecycleHandler>,
    }

    /// `LifecycleHandler`.
    struct LifecycleHandler {
        exec: Option<ExecAction>,
    }

    /// `ExecAction`.
    struct ExecAction {
        command: Vec<String>,
    }

    /// `ContainerPort`.
    struct ContainerPort {
        name: SmolStr,
        container_port: u16,
    }

    /// `Probe`: whether a connection is taken.
    struct Probe {
        tcp_socket: Option<TcpSocket>,
        period_seconds: u32,
        failure_threshold: u32,
    }

    /// `TCPSocketAction`.
    struct TcpSocket {
        port: u16,
    }

    /// `SecurityContext`.
    struct SecurityContext {
        allow_privilege_escalation: Option<bool>,
        read_only_root_filesystem: Option<bool>,
        capabilities: Option<Capabilities>,
    }

    /// `Capabilities`.
    struct Capabilities {
        drop: Vec<&'static str>,
        add: Vec<&'static str>,
    }

    /// `VolumeMount`.
    struct VolumeMount {
        name: SmolStr,
        mount_path: String,
        read_only: bool,
    }

    /// `Volume`; one of the sources.
    struct Volume {
        name: SmolStr,
        projected: Option<Projected>,
        empty_dir: Option<EmptyDir>,
    }

    /// `EmptyDirVolumeSource`.
    struct EmptyDir {}

    /// `ProjectedVolumeSource`.
    struct Projected {
        sources: Vec<Projection>,
    }

    /// `VolumeProjection`; one of the fields.
    struct Projection {
        config_map: Option<Source>,
        secret: Option<Source>,
    }

    /// `ConfigMapProjection` and `SecretProjection`.
    struct Source {
        name: SmolStr,
        items: Vec<Item>,
    }

    /// `KeyToPath`.
    struct Item {
        key: SmolStr,
        path: String,
    }
}
