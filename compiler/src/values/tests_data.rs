//! The literals against Istio's own test tables, where those are present (`../shared/data` beside the
//! workspace).

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
#![expect(clippy::print_stderr, reason = "a skipped test says why")]

use std::path::PathBuf;

use serde_json::Value;

use super::*;

/// The fields of the rows of one of Istio's tests; none (and a word why) where the data is absent.
fn rows(file: &str, test: &str) -> Option<Vec<Value>> {
    let rows = json(&format!("tables/{file}"))?.as_array().unwrap().clone();
    let rows: Vec<Value> =
        rows.into_iter().filter(|row| row["func"] == test).map(|row| row["fields"].clone()).collect();
    assert!(!rows.is_empty(), "{file} has no rows of {test}");
    Some(rows)
}

fn json(file: &str) -> Option<Value> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/istio").join(file);
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("skipped: {} is absent", path.display());
        return None;
    };
    Some(serde_json::from_str(&text).unwrap())
}

fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field].as_str().unwrap_or_default()
}

/// Both hosts of a row; none if one is empty, which is no host here, or differs from the other only in letter
/// case, which Istio compares and we do not.
fn hosts(row: &Value) -> Option<(HostPattern, HostPattern)> {
    let (a, b) = (text(row, "a"), text(row, "b"));
    if a.to_lowercase() != a || b.to_lowercase() != b {
        return None;
    }
    Some((HostPattern::parse(a).ok()?, HostPattern::parse(b).ok()?))
}

#[test]
fn hosts_overlap_as_in_istio() {
    let Some(rows) = rows("host.json", "TestNameMatches") else { return };
    let mut seen = 0;
    for row in &rows {
        let Some((a, b)) = hosts(row) else { continue };
        assert_eq!(a.overlaps(&b), row["out"] == true, "{row}");
        seen += 1;
    }
    assert!(seen >= 15, "only {seen} rows are usable");
}

#[test]
fn hosts_cover_as_in_istio() {
    let Some(rows) = rows("host.json", "TestNameSubsetOf") else { return };
    let mut seen = 0;
    for row in &rows {
        let Some((a, b)) = hosts(row) else { continue };
        assert_eq!(b.covers(&a), row["out"] == true, "{row}");
        seen += 1;
    }
    assert!(seen >= 12, "only {seen} rows are usable");
}

#[test]
fn protocols_as_in_istio() {
    let Some(rows) = rows("protocol_security_labels.json", "TestParse") else { return };
    for row in &rows {
        let expected = row["out"]["$const"].as_str().unwrap().trim_start_matches("protocol.");
        // Istio's constants have no hyphen.
        let found = Protocol::from_istio(text(row, "name")).map(|protocol| protocol.istio().replace('-', ""));
        let expected = (expected != "Unsupported").then_some(expected);
        assert_eq!(found.map(|name| name.to_lowercase()), expected.map(str::to_lowercase), "{row}");
    }
}

#[test]
fn labels_as_in_istio() {
    let Some(rows) = rows("protocol_security_labels.json", "TestInstanceValidate") else { return };
    for row in &rows {
        let Some(tags) = row["tags"].as_object() else { continue };
        let pairs = tags.iter().filter(|(key, _)| *key != "$type");
        let valid = pairs.into_iter().all(|(key, value)| {
            let key = key.trim_matches('"');
            LabelKey::parse(key).is_ok() && LabelValue::parse(value.as_str().unwrap()).is_ok()
        });
        assert_eq!(valid, row["valid"] == true, "{row}");
    }
}

#[test]
fn claims_as_in_istio() {
    let Some(rows) = rows("protocol_security_labels.json", "TestToRoutingClaim") else { return };
    for row in &rows {
        let found = MatchHeaderName::parse(text(row, "name"))
            .ok()
            .and_then(|name| Some(name.claims()?.into_iter().map(str::to_owned).collect::<Vec<_>>()));
        let expected = row["want"]["Claims"]
            .as_array()
            .map(|claims| claims.iter().map(|claim| claim.as_str().unwrap().to_owned()).collect::<Vec<_>>());
        assert_eq!(found, expected, "{row}");
    }
}

#[test]
fn ranges_as_in_istio() {
    let Some(rows) = rows("networking_util.json", "TestConvertAddressToCidr") else { return };
    for row in &rows {
        let address = text(row, "addr");
        let found = IpOrCidr::parse(address);
        // Istio ignores bits after the prefix; here they are refused with the network as replacement.
        let valid =
            found.is_ok() || found.is_err_and(|error| error.message.contains("bits after its prefix"));
        assert_eq!(valid, !row["want"].is_null(), "{row}");
    }
}

#[test]
fn wildcard_domains_as_in_istio() {
    let Some(cases) = json("validation-cases.json") else { return };
    let cases = cases.as_array().unwrap();
    let of = |name: &str| cases.iter().filter(|case| text(case, "id").starts_with(name)).collect::<Vec<_>>();
    let domains = of("ValidateWildcardDomain");
    assert!(!domains.is_empty());
    for case in domains {
        let host = text(&case["doc"]["spec"], "host");
        let valid = HostPattern::parse(host).is_ok_and(|host| !host.is_ip());
        assert_eq!(valid, case["expect"]["valid"] == true, "{case}");
    }
}

/// Whatever Istio accepts must be readable here too, or be one of the narrowings that this language makes on
/// purpose.
#[test]
fn values_of_accepted_resources_are_read() {
    let Some(cases) = json("validation-cases.json") else { return };
    let mut seen = 0;
    for case in cases.as_array().unwrap() {
        if case["expect"]["valid"] == true {
            read_values(&case["doc"]["spec"], "", &mut seen);
        }
    }
    assert!(seen > 300, "only {seen} values were found");
}

/// Reads each value whose field names its type.
fn read_values(value: &Value, field: &str, seen: &mut usize) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(field, value)| read_values(value, field, seen)),
        Value::Array(items) => items.iter().for_each(|value| read_values(value, field, seen)),
        Value::String(text) => {
            let Some(outcome) = read(field, text) else { return };
            *seen += 1;
            assert!(outcome.is_ok() || is_narrowing(text), "{field}: `{text}`: {outcome:?}");
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn read(field: &str, text: &str) -> Option<Result<(), ValueError>> {
    let host = text.split_once('/').map_or(text, |(_, host)| host);
    Some(match field {
        "host" | "hosts" => HostPattern::parse(host).map(drop),
        "sniHosts" => SniHost::parse(text).map(drop),
        "timeout" | "perTryTimeout" | "fixedDelay" | "interval" | "baseEjectionTime" => {
            Duration::parse(text).map(drop)
        }
        "idleTimeout" => DurationOrZero::parse(text).map(drop),
        "maxAge" => WholeSeconds::parse(text).map(drop),
        "protocol" => match Protocol::from_istio(text) {
            Some(_) => Ok(()),
            None => Err(ValueError::new(format!("unknown protocol `{text}`"))),
        },
        "address" => EndpointAddress::parse(text).map(drop),
        "addresses" | "destinationSubnets" => IpOrCidr::parse(text).map(drop),
        "credentialName" | "credentialNames" => SecretName::parse(text).map(drop),
        "regex" => Pattern::parse(text).map(drop),
        "retryOn" => text.split(',').try_for_each(|item| RetryCondition::parse(item).map(drop)),
        "allowMethods" => CorsMethod::parse(text).map(drop),
        "grpcStatus" => GrpcStatus::parse(text).map(drop),
        "subset" => DnsLabel::parse(text).map(drop),
        _ => return None,
    })
}

/// What Istio accepts and this language refuses on purpose: address bits after a prefix, an address as SNI, a
/// credential that no Secret can be called.
fn is_narrowing(text: &str) -> bool {
    matches!(text, "172.1.2.16/16" | "1.1.1.1" | "some credential")
}
