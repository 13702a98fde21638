//! The examples of the project, for `meshc init --from-example`.

/// A file of an example: its path and its text.
pub(crate) type File = (&'static str, &'static str);

/// The files of the example in this folder of `examples`.
macro_rules! example {
    ($name:literal: $($file:literal)+) => {
        ($name, &[$(($file, include_str!(concat!("../../examples/", $name, "/", $file)))),+])
    };
}

/// Name and files of each; a test holds the list to the folder.
pub(crate) const EXAMPLES: &[(&str, &[File])] = &[
    example!("bookinfo": "bindings.mesh" "bookinfo.mesh" "mesh.toml"),
    example!("canary": "bindings.mesh" "mesh.toml" "recommendations.mesh"),
    example!("egress": "bindings.mesh" "externals.mesh" "gateway.mesh" "mesh.toml"),
    example!("environments": "bindings.mesh" "environments.mesh" "mesh.toml" "shop.mesh"),
    example!("multi-namespace": "edge/bindings.mesh" "edge/gateway.mesh" "mesh.toml" "payments/payments.mesh" "shop/shop.mesh"),
    example!("tcp": "bindings.mesh" "databases.mesh" "mesh.toml"),
    example!("templates": "bindings.mesh" "mesh.toml" "platform/defaults.mesh" "shop.mesh"),
    example!("tls-passthrough": "bindings.mesh" "mesh.toml" "vault.mesh"),
];
