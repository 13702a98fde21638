//! The Deployment of a proxy: as few rights as it can run with.

use super::api::{
    Capabilities, Container, ContainerPort, DeploymentSpec, EmptyDir, ExecAction, LabelSelector, Lifecycle,
    LifecycleHandler, Map, Metadata, PodSecurityContext, PodSpec, PodTemplate, Probe, Projected, Projection,
    SeccompProfile, SecurityContext, ServicePort, Source, Sysctl, TcpSocket, Volume, VolumeMount,
};
use super::files::ConfigMap;
use super::workload::{Named, Workload, ports};
use crate::fingerprint::fingerprint;
use crate::raw_proxy::{mounted_folder, secrets};
use meshc_compiler::Model;
use meshc_compiler::model::{BoundSecret, Deploy, DeployBody, Image, RawProxy};
use meshc_compiler::routing::Proxy;
use meshc_compiler::values::SecretSource;
use meshc_language::Spanned;
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// Ports below this one are kept for those who have a right to them.
const FIRST_FREE_PORT: u16 = 1024;

/// Most characters of a label in the sense of DNS.
const LONGEST_LABEL: usize = 63;

/// The annotation that changes with what is read only at the start.
const REVISION: &str = "meshc/configuration";

/// The specification of a proxy's Deployment.
pub(super) fn deployment(
    model: &Model,
    deploy: &Deploy,
    proxy: &Proxy,
    workload: &Workload<'_>,
    named: &Named,
    maps: &[ConfigMap],
) -> DeploymentSpec {
    let Deploy { platform: _, body: DeployBody { images, replicas }, span: _, attributes: _ } = deploy;
    let ports = ports(proxy);
    let lowest = ports.iter().map(|port| port.port).min().unwrap_or(FIRST_FREE_PORT);
    let image = images
        .iter()
        .find(|Image { target, image: _, span: _, attributes: _ }| target.value == workload.program);
    let image = image.map_or(workload.image, |image| image.image.value.as_str());
    let mut spec = PodSpec {
        automount_service_account_token: Some(false),
        termination_grace_period_seconds: Some(workload.grace),
        security_context: pod_security(workload.user, lowest < FIRST_FREE_PORT),
        containers: vec![container(workload, image, &ports)],
        volumes: Vec::new(),
    };
    let configuration = Volume {
        name: SmolStr::new_static("configuration"),
        projected: Some(Projected { sources: maps.iter().map(ConfigMap::projection).collect() }),
        empty_dir: None,
    };
    mount(&mut spec, configuration, workload.mount, true);
    for (folder, (name, source)) in mounted_secrets(model, proxy) {
        let volume = Volume { name, projected: Some(Projected { sources: vec![source] }), empty_dir: None };
        mount(&mut spec, volume, &folder, true);
    }
    for folder in workload.writes {
        let name = volume_name("writes", &folder.trim_matches('/').replace('/', "-"));
        let volume = Volume { name, projected: None, empty_dir: Some(EmptyDir {}) };
        mount(&mut spec, volume, folder, false);
    }
    let read_once = workload.files.iter().take(workload.read_once);
    let revision = fingerprint(read_once.flat_map(|file| read_lines(&file.text)));
    DeploymentSpec {
        replicas: replicas.map_or(1, |replicas| replicas.value.get()),
        selector: LabelSelector { match_labels: named.selector() },
        template: PodTemplate {
            metadata: Metadata {
                labels: named.pod_labels(),
                annotations: Map::from([(SmolStr::new_static(REVISION), format!("{revision:016x}"))]),
                ..Metadata::default()
            },
            spec,
        },
    }
}

/// The lines of a file that its program reads: a comment is no reason to start anew.
fn read_lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim_start().starts_with('#')).flat_map(|line| [line, "\n"])
}

/// The name of a volume, which is at most 63 lower-case letters, digits and dashes.
fn volume_name(kind: &str, what: &str) -> SmolStr {
    let plain = |char: char| if char.is_ascii_alphanumeric() { char.to_ascii_lowercase() } else { '-' };
    let readable: String = what.chars().map(plain).collect();
    let name = format!("{kind}-{}", readable.trim_matches('-'));
    if readable == what && name.len() <= LONGEST_LABEL {
        return SmolStr::new(name);
    }
    let short: String = name.chars().take(LONGEST_LABEL - 9).collect();
    SmolStr::new(format!("{short}-{:08x}", fingerprint([what]) >> 32))
}

fn mount(spec: &mut PodSpec, volume: Volume, path: &str, read_only: bool) {
    for container in &mut spec.containers {
        let mount = VolumeMount { name: volume.name.clone(), mount_path: path.to_owned(), read_only };
        container.volume_mounts.push(mount);
    }
    spec.volumes.push(volume);
}

fn pod_security(user: u32, low_ports: bool) -> PodSecurityContext {
    // A user without rights may listen on any port of its own pod.
    let low = Sysctl { name: "net.ipv4.ip_unprivileged_port_start", value: "0" };
    PodSecurityContext {
        run_as_non_root: Some(true),
        run_as_user: Some(user),
        run_as_group: Some(user),
        // So that it can read secrets and write where it has to.
        fs_group: Some(user),
        seccomp_profile: Some(SeccompProfile { r#type: "RuntimeDefault" }),
        sysctls: if low_ports { vec![low] } else { Vec::new() },
    }
}

fn container(workload: &Workload<'_>, image: &str, ports: &[ServicePort]) -> Container {
    let mut command = workload.command.iter().cloned();
    let low = ports.iter().any(|port| port.port < FIRST_FREE_PORT);
    let probe = |failure_threshold| {
        let port = ports.first()?.port;
        Some(Probe { tcp_socket: Some(TcpSocket { port }), period_seconds: 5, failure_threshold })
    };
    Container {
        name: match workload.program {
            RawProxy::Envoy => "envoy",
            RawProxy::Nginx => "nginx",
        },
        image: image.to_owned(),
        command: command.next().into_iter().collect(),
        args: command.collect(),
        ports: ports
            .iter()
            .map(|port| ContainerPort { name: port.name.clone(), container_port: port.target_port })
            .collect(),
        readiness_probe: probe(2),
        liveness_probe: probe(6),
        lifecycle: Some(Lifecycle {
            pre_stop: Some(LifecycleHandler {
                exec: Some(ExecAction { command: workload.before_the_end.clone() }),
            }),
        }),
        security_context: Some(SecurityContext {
            allow_privilege_escalation: Some(false),
            read_only_root_filesystem: Some(true),
            capabilities: Some(Capabilities {
                drop: vec!["ALL"],
                add: if low { vec!["NET_BIND_SERVICE"] } else { Vec::new() },
            }),
        }),
        volume_mounts: Vec::new(),
    }
}

/// The Secrets and ConfigMaps that a proxy names and Kubernetes mounts, by their folders: the name of the volume, and what is in it.
fn mounted_secrets(model: &Model, proxy: &Proxy) -> BTreeMap<String, (SmolStr, Projection)> {
    let mut mounted = BTreeMap::new();
    for (Spanned { value: name, span: _ }, seeker) in secrets(model, proxy) {
        match model.bound_secret(name, seeker) {
            Some(BoundSecret::Mounted) => {}
            Some(BoundSecret::Files(_)) | None => continue,
        }
        let source = Some(Source { name: SmolStr::new(name.name()), items: Vec::new() });
        let (kind, projection) = match name.source() {
            SecretSource::Secret | SecretSource::Kubernetes | SecretSource::Gateway => {
                ("secret", Projection { config_map: None, secret: source })
            }
            SecretSource::ConfigMap => ("configmap", Projection { config_map: source, secret: None }),
            // These are no resources of a cluster.
            SecretSource::Sds | SecretSource::Builtin => continue,
        };
        let volume = || (volume_name(kind, name.name()), projection);
        mounted.entry(mounted_folder(name)).or_insert_with(volume);
    }
    mounted
}
