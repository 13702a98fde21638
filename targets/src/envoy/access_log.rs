//! The access log: a line for each request and connection, on standard output.

use super::api::{DataSource, Extension, StdoutAccessLog, SubstitutionFormatString};
use smol_str::SmolStr;

/// What was asked, what was answered and why, which route and cluster it took, who called whom.
const FORMAT: &str = "[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" %RESPONSE_CODE% \
     %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% \"%REQ(:AUTHORITY)%\" \
     %REQUESTED_SERVER_NAME% %ROUTE_NAME% %UPSTREAM_CLUSTER% %UPSTREAM_HOST% %DOWNSTREAM_REMOTE_ADDRESS% \
     %DOWNSTREAM_LOCAL_ADDRESS% \"%REQ(X-REQUEST-ID)%\"\n";

/// The log on standard output.
pub(super) fn standard_output() -> Extension {
    let source = DataSource { filename: None, inline_string: Some(SmolStr::new_static(FORMAT)) };
    let log =
        StdoutAccessLog { log_format: Some(SubstitutionFormatString { text_format_source: Some(source) }) };
    Extension { name: "envoy.access_loggers.stdout", typed_config: log.into() }
}
