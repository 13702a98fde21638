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

/// Writes [`RESOLVER_CONF`] and becomes nginx, whose configuration is the first argument. nginx reads certificates when it loads its
/// configuration, and not again: beside it, a loop looks at the secrets that are mounted, and has nginx load anew when one of them
/// has changed. All of a secret's files change at once.
const START: &str = r#"servers=
while read -r key value rest; do
  case "$key $value" in
    "nameserver "*:*) servers="$servers [$value]" ;;
    "nameserver "*) servers="$servers $value" ;;
  esac
done < /etc/resolv.conf
echo "resolver$servers ipv6=off;" > /run/nginx/resolver.conf
shown() { cat /etc/mesh/secrets/*/* 2>/dev/null | cksum; }
known=$(shown)
while sleep 10 && kill -0 $$ 2>/dev/null; do
  now=$(shown)
  if [ "$now" != "$known" ]; then
    known=$now
    kill -HUP $$
  fi
done &
exec nginx -c "$0" -p /run/nginx -e stderr -g "daemon off;"
"#;

/// What is done before nginx is told to end: for a while it serves those who still have the address of the pod, then it ends what is
/// under way and takes nothing new. It would hang up if it were told to end as Kubernetes tells it (SIGTERM).
const BEFORE_THE_END: [&str; 3] = ["sh", "-c", "sleep 5; kill -QUIT 1; sleep 20"];

/// Seconds until a proxy that was told to end is killed.
const GRACE: u32 = 40;

/// The manifests that run a proxy in a cluster.
pub(super) fn manifests(model: &Model, deploy: &Deploy, proxy: &Proxy, files: &[Artifact]) -> Artifact {
    let main = files.first().map_or_else(String::new, |file| format!("{ROOT}/{}", file.path));
    let workload = Workload {
        program: RawProxy::Nginx,
        image: IMAGE,
        command: vec!["sh".to_owned(), "-c".to_owned(), START.to_owned(), main],
        before_the_end: BEFORE_THE_END.map(str::to_owned).to_vec(),
        grace: GRACE,
        user: USER,
        mount: ROOT,
        files,
        // nginx reads nothing again before it is told to, so a change of anything starts new pods.
        read_once: files.len(),
        writes: &[PREFIX],
    };
    kubernetes::workload(model, deploy, proxy, &workload)
}
