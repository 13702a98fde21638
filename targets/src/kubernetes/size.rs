//! What Kubernetes does not keep.

use super::files::{MOST, is_large, size};
use crate::artifact::Artifact;
use meshc_compiler::model::Deploy;
use meshc_language::{Code, Diagnostic};

/// Reports the files of a proxy that no ConfigMap holds, and those that only a server can apply.
pub(crate) fn beyond(deploy: &Deploy, proxy: &str, files: &[Artifact]) -> Vec<Diagnostic> {
    let report = |file: &Artifact| {
        let kib = size(file).div_ceil(1024);
        let path = &file.path;
        if size(file) > MOST {
            let message = format!("the configuration of `{proxy}` is too large for Kubernetes");
            return Some(
                Diagnostic::new(Code::CONFIGURATION_TOO_LARGE, deploy.span, message)
                    .label(format!("`{path}` has {kib} KiB"))
                    .consequence("the API server refuses a ConfigMap with more than 1024 KiB")
                    .help("spread the hosts over several gateways, or deliver the files by another way, such as an image"),
            );
        }
        is_large(file).then(|| {
            let message = format!("the configuration of `{proxy}` is too large for `kubectl apply`");
            Diagnostic::new(Code::CONFIGURATION_LARGE, deploy.span, message)
                .label(format!("`{path}` has {kib} KiB"))
                .consequence(
                    "`kubectl apply` refuses a ConfigMap of more than 256 KiB, unless the server applies it",
                )
                .help("apply it with `kubectl apply --server-side`")
        })
    };
    files.iter().filter_map(report).collect()
}
