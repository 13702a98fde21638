//! Losses that are accepted where a template is applied: what is lost stands in the template, and those who apply it decide.

use crate::capabilities::built;
use meshc_language::{Code, Diagnostic, Severity};

const LOSS: &str = "@degrade(nginx, drop, because: \"no retries of gRPC\")\n        ";

/// A canary of a service for gRPC by the library, with what is in front of it, and what stands after it.
fn canary(before: &str, after: &str) -> String {
    format!(
        "use std.rollout (canary, split)
        gateway edge {{ workload any; listen grpc 80 {{ hosts a.com }} }}
        host a.com via edge {{ route all -> cart@stable }}
        {before}apply canary(cart, stable, canary, 5%, 2s)
        service cart {{ port grpc 80; subset stable {{ labels v=1 }}; subset canary {{ labels v=2 }}; pool {{ connect-timeout 500ms }} }}
        bindings {{
          address cart endpoints [10.0.0.1:80]; address cart@stable endpoints [10.0.0.1:80]; address cart@canary endpoints [10.0.0.2:80]
        }}
        {after}"
    )
}

fn of(code: Code, reports: &[Diagnostic]) -> Vec<&Diagnostic> {
    reports.iter().filter(|report| report.code == code).collect()
}

#[test]
fn what_a_template_of_the_library_loses_is_accepted_where_it_is_applied() {
    let text = canary("", "");
    let (reports, files) = built(&text, "nginx").unwrap();
    let refused = of(Code::UNSUPPORTED, &reports);
    assert!(files.is_none() && !refused.is_empty(), "{reports:?}");
    for report in refused {
        let shown = report.related.iter().find(|one| one.text == "applied here").unwrap();
        let there = text.get(shown.span.start as usize..).unwrap();
        assert!(there.starts_with("apply canary(cart"), "{report:?}");
    }
    let (reports, files) = built(&canary(LOSS, ""), "nginx").unwrap();
    assert!(reports.iter().all(|report| report.severity != Severity::Error), "{reports:?}");
    assert!(of(Code::UNUSED_DEGRADE, &reports).is_empty(), "{reports:?}");
    let files = files.unwrap();
    let routes = files.iter().find(|file| file.path.ends_with("outbound/http.conf")).unwrap();
    assert!(routes.text.contains("rollout-new") && !routes.text.contains("next_upstream"), "{}", routes.text);
}

#[test]
fn a_loss_is_accepted_around_the_place_where_a_template_is_applied() {
    let host = |before: &str| {
        canary(LOSS, &format!("{before}host b.com {{ apply split(cart, stable, canary, 5%, 2s) }}"))
    };
    let (reports, files) = built(&host(LOSS), "nginx").unwrap();
    assert!(files.is_some(), "{reports:?}");
    // The same statement is carried, or is not: who has not accepted its loss would lose it too.
    let (reports, files) = built(&host(""), "nginx").unwrap();
    assert!(files.is_none() && !of(Code::UNSUPPORTED, &reports).is_empty(), "{reports:?}");
}
