//! Variables in header values: what the language takes, Envoy takes; what it refuses, Envoy refuses.

use super::program::Envoy;
use crate::capabilities::built;

/// Values, each a form of its own.
const TAKEN: &[&str] = &[
    "%REQ(x-a)%",
    "%REQ(x-a?:authority):3%",
    "%REQ(?x)%",
    "%RESP(x)%%TRAILER(y):1%",
    "%REQUEST_HEADER(x)% %RESPONSE_HEADER(x)% %RESPONSE_TRAILER(x)%",
    "%HOSTNAME%",
    "%PROTOCOL()%",
    "%START_TIME%",
    "%START_TIME(%Y-%m-%dT%H:%M:%S.%3f)%",
    "%START_TIME(a)b)%",
    "%EMIT_TIME(%s)%",
    "%DOWNSTREAM_PEER_CERT_V_START(%b %d)%",
    "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
    "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(16)%",
    "%RESPONSE_CODE_DETAILS(ALLOW_WHITESPACES)%",
    "%UPSTREAM_METADATA(a:b)%",
    "%DYNAMIC_METADATA(a:b):9%",
    "%CLUSTER_METADATA(a)%",
    "%ENVIRONMENT(HOME):3%",
    "%QUERY_PARAM(a):3%",
    "%QUERY_PARAMS(DECODED):3%",
    "%FILTER_STATE(a)%",
    "%FILTER_STATE(a:PLAIN):3%",
    "%UPSTREAM_FILTER_STATE(a:FIELD:b)%",
    "%METADATA(ROUTE:a:b):3%",
    "%COMMON_DURATION(DS_RX_BEG:US_RX_END:ms)%",
    "%COMMON_DURATION(DS_RX_BEG:US_RX_END)%",
    "%GRPC_STATUS(NUMBER)%",
    "%GRPC_STATUS%%GRPC_STATUS_NUMBER%",
    "%PATH(NQ:ORIG_OR_PATH):3%",
    "%PATH%",
    "%REQUESTED_SERVER_NAME(SNI_FIRST:HOST)%",
    "%STREAM_INFO_REQ(x)%",
    "100%%",
    "%%%%REQ",
    "a%REQ(x)%b",
];

/// Values that are near to others which mean something.
const REFUSED: &[&str] = &[
    "%NOPE%",
    "%req(x)%",
    "%Req(x)%",
    "%REQ%",
    "%REQ()%",
    "%REQ(x) %",
    "%REQ( x)%",
    "%REQ(x?y?z)%",
    "%REQ(x,y)%",
    "%REQ(::x)%",
    "%REQ(x):%",
    "%REQ(x):a%",
    "%REQ(x):99999999999999999999%",
    "%REQ(x)",
    "%REQ(x)%%",
    "%HOSTNAME(x)%",
    "%HOSTNAME:3%",
    "%START_TIME(%n)%",
    "%START_TIME(%%n)%",
    "%START_TIME:3%",
    "%COMMON_DURATION(x)%",
    "%COMMON_DURATION(a:b:h)%",
    "%GRPC_STATUS(x)%",
    "%PATH(x)%",
    "%QUERY_PARAMS(x)%",
    "%REQUESTED_SERVER_NAME(x)%",
    "%METADATA(x:y)%",
    "%FILTER_STATE(a:b)%",
    "%FILTER_STATE(:a)%",
    "%UPSTREAM_METADATA%",
    "%PER_REQUEST_STATE(a:PLAIN)%",
    "%2F%",
    "50% off",
    "%",
    "%%%",
];

/// Every name that Envoy's documentation or its program has, in the plain form; those that need arguments are in [`TAKEN`].
fn plain_names() -> impl Iterator<Item = String> {
    let source = include_str!("../../compiler/src/values/variable.rs");
    let list = source.split("const PLAIN: &str = \"").nth(1).unwrap();
    let list = list.split("\";").next().unwrap();
    list.split(|char: char| char.is_whitespace() || char == '\\')
        .filter(|name| !name.is_empty())
        .map(|name| format!("%{name}%"))
}

fn mesh(values: &[String]) -> String {
    let routes: Vec<String> = values
        .iter()
        .enumerate()
        .map(|(at, value)| {
            let value = value.replace('\\', "\\\\").replace('"', "\\\"");
            format!("  route r{at} when path is \"/{at}\" -> web {{ request-headers {{ set x \"{value}\" }}; response-headers {{ add y \"{value}\" }} }}\n")
        })
        .collect();
    format!(
        "gateway edge {{ workload any; listen http 80 {{ hosts a.com }} }}\nhost a.com via edge {{\n{}  route rest -> web\n}}\n\
         service web {{ port http 8080 }}\nbindings {{ address web endpoints [10.0.0.1:8080] }}\n",
        routes.concat()
    )
}

#[test]
fn envoy_takes_every_variable_that_the_language_takes() {
    let values: Vec<String> = TAKEN.iter().map(|value| (*value).to_owned()).chain(plain_names()).collect();
    assert!(values.len() > 150, "{}", values.len());
    let (reports, artifacts) = built(&mesh(&values), "envoy").expect("the language takes them");
    let artifacts = artifacts.unwrap_or_else(|| panic!("{reports:?}"));
    let Some(envoy) = Envoy::find() else { return };
    let folder = tempfile::tempdir().unwrap();
    let faults = envoy.faults(folder.path(), &artifacts);
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn what_the_language_refuses_envoy_refuses() {
    let envoy = Envoy::find();
    // A value that is right, in whose place each of the others is put.
    const RIGHT: &str = "%REQ(x-right)%";
    let (_, artifacts) = built(&mesh(&[RIGHT.to_owned()]), "envoy").unwrap();
    let artifacts = artifacts.unwrap();
    for value in REFUSED {
        assert!(built(&mesh(&[(*value).to_owned()]), "envoy").is_none(), "{value} is taken");
        let Some(envoy) = &envoy else { continue };
        let mut wrong = artifacts.clone();
        for file in &mut wrong {
            file.text = file.text.replace(RIGHT, value);
        }
        let folder = tempfile::tempdir().unwrap();
        assert!(!envoy.faults(folder.path(), &wrong).is_empty(), "Envoy takes {value}");
    }
}
