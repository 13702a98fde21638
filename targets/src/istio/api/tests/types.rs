//! Presence, maps, and the size of what is built in great numbers.

use serde_json::json;

use super::super::*;
use crate::yaml::{Sourced, write_document};

fn yaml(value: &impl serde::Serialize) -> String {
    let mut out = String::new();
    write_document(&mut out, value).unwrap();
    out
}

#[test]
fn an_empty_message_is_not_an_absent_one() {
    let absent: HttpRoute = serde_json::from_value(json!({})).unwrap();
    let empty: HttpRoute = serde_json::from_value(json!({"retries": {}})).unwrap();
    assert_eq!(absent.retries, None);
    assert_eq!(empty.retries, Some(Box::default()));
    assert_eq!(yaml(&absent), "{}\n");
    assert_eq!(yaml(&empty), "retries: {}\n");
}

#[test]
fn zero_and_false_are_written_where_they_were_set() {
    let destination = HttpRouteDestination { weight: Some(0), ..HttpRouteDestination::default() };
    assert_eq!(yaml(&destination), "destination: {}\nweight: 0\n");
    let tls = ClientTlsSettings { insecure_skip_verify: Some(false), ..ClientTlsSettings::default() };
    assert_eq!(yaml(&tls), "insecureSkipVerify: false\n");
    assert_eq!(yaml(&Percent { value: 0.0 }), "value: 0\n");
}

#[test]
fn null_reads_as_absent() {
    let route: HttpRoute = serde_json::from_value(
        json!({"name": null, "match": null, "retries": null, "headers": {"request": {"set": null}}}),
    )
    .unwrap();
    let headers = Headers { request: Some(HeaderOperations::default()), response: None };
    assert_eq!(route, HttpRoute { headers: Some(Box::new(headers)), ..HttpRoute::default() });
    let request: HttpMatchRequest = serde_json::from_value(json!({"headers": {"x": null}})).unwrap();
    assert_eq!(request.headers.get("x"), Some(&StringMatch::default()));
}

#[test]
fn a_resource_looks_as_people_write_it() {
    let destination = Destination {
        host: "reviews".into(),
        subset: Some("v2".into()),
        port: Some(PortSelector { number: 9080 }),
    };
    let cookie = StringMatch { regex: Some("^(.*?;)?(user=jason)(;.*)?$".into()), ..StringMatch::default() };
    let route = HttpRoute {
        name: Some("jason".into()),
        matches: vec![HttpMatchRequest {
            headers: [("cookie", cookie)].into_iter().collect(),
            ..HttpMatchRequest::default()
        }],
        route: vec![HttpRouteDestination { destination, weight: Some(100), headers: None }],
        timeout: Some("0.5s".into()),
        ..HttpRoute::default()
    };
    let spec = VirtualService {
        hosts: vec!["*".into()],
        http: vec![Sourced::new("from reviews.mesh:12", route)],
        ..VirtualService::default()
    };
    let metadata =
        Metadata { name: "reviews".into(), namespace: Some("bookinfo".into()), ..Metadata::default() };
    let expected = r#"apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: reviews
  namespace: bookinfo
spec:
  hosts:
  - "*"
  http:
  # from reviews.mesh:12
  - name: jason
    match:
    - headers:
        cookie:
          regex: ^(.*?;)?(user=jason)(;.*)?$
    route:
    - destination:
        host: reviews
        subset: v2
        port:
          number: 9080
      weight: 100
    timeout: 0.5s
"#;
    assert_eq!(yaml(&Resource::new("networking.istio.io/v1", metadata, spec)), expected);
}

#[test]
fn maps_are_sorted_and_keys_unique() {
    let mut map: StringMap<u32> = [("b", 1), ("a", 2), ("c", 3), ("b", 4)].into_iter().collect();
    assert_eq!(map.insert("a", 5), Some(2));
    assert_eq!(map.insert("ab", 6), None);
    assert_eq!((map.get("b"), map.get("d"), map.len()), (Some(&4), None, 4));
    assert_eq!(yaml(&map), "a: 5\nab: 6\nb: 4\nc: 3\n");
    let twice = serde_json::from_str::<StringMap<u32>>(r#"{"a": 1, "a": 2}"#).unwrap_err().to_string();
    assert!(twice.starts_with("key `a` is twice in one mapping"), "{twice}");
}

/// 100,000 of each are built at a time.
#[test]
fn frequent_structs_stay_small() {
    assert!(size_of::<HttpRoute>() <= 256, "{}", size_of::<HttpRoute>());
    assert!(size_of::<HttpMatchRequest>() <= 352, "{}", size_of::<HttpMatchRequest>());
    assert!(size_of::<HttpRouteDestination>() <= 80, "{}", size_of::<HttpRouteDestination>());
    assert!(size_of::<Subset>() <= 64, "{}", size_of::<Subset>());
    assert!(size_of::<TrafficPolicy>() <= 96, "{}", size_of::<TrafficPolicy>());
}
