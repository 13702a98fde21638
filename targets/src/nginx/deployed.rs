//! nginx in a cluster.

use crate::artifact::Artifact;
use crate::kubernetes::{self, Workload};
use meshc_compiler::Model;
use meshc_compiler::model::{Deploy, RawProxy};
use meshc_compiler::routing::Proxy;

/// The image that a proxy runs in, unless `bindings` name another. It has the stream module built in.
const IMAGE: &str = "nginx:1.22.1";
/// The user `nginx` of the image.
const USER: u32 = 101;
/// The folder that holds the files.
const ROOT: &str = "/etc/nginx/mesh";
/// The folder that nginx writes to.
const PREFIX: &str = "/run/nginx";
/// The file that says who is asked for names. It is made when the pod starts, because nginx does not read `/etc/resolv.conf`.
pub(super) const RESOLVER_CONF: &str = "/run/nginx/resolver.conf";

/// Writes [`RESOLVER_CONF`] and becomes nginx, whose configuration is the first argument.
const START: &str = r#"servers=
while read -r key value rest; do
  case "$key $value" in
    "nameserver "*:*) servers="$servers [$value]" ;;
    "nameserver "*) servers="$servers $value" ;;
  esac
done < /etc/resolv.conf
echo "resolver$servers ipv6=off;" > /run/nginx/resolver.conf
exec nginx -c "$0" -p /run/nginx -e stderr -g "daemon off;"
"#;

/// The manifests that run a proxy in a cluster.
pub(super) fn manifests(model: &Model, deploy: &Deploy, proxy: &Proxy, files: &[Artifact]) -> Artifact {
    let main = files.first().map_or_else(String::new, |file| format!("{ROOT}/{}", file.path));
    let workload = Workload {
        program: RawProxy::Nginx,
        image: IMAGE,
        command: vec!["sh".to_owned(), "-c".to_owned(), START.to_owned(), main],
        user: USER,
        mount: ROOT,
        files,
        // nginx reads nothing again before it is told to, so a change of anything starts new pods.
        read_once: files.len(),
        writes: &[PREFIX],
    };
    kubernetes::workload(model, deploy, proxy, &workload)
}
