//! How nginx is configured.

/// How nginx is configured.
#[derive(Clone, Debug)]
pub struct NginxOptions {
    /// Who is asked for the addresses of names, as `resolver` takes it: addresses, each with a port or without.
    pub resolver: Vec<String>,
    /// Where requests are logged: an absolute path, or `off`.
    pub access_log: String,
    /// The file of nginx's stream module; empty where nginx has it built in.
    pub stream_module: String,
}

impl Default for NginxOptions {
    fn default() -> Self {
        Self {
            // The resolver of systemd.
            resolver: vec!["127.0.0.53".to_owned()],
            access_log: "/dev/stdout".to_owned(),
            stream_module: "/usr/lib/nginx/modules/ngx_stream_module.so".to_owned(),
        }
    }
}
