//! Host patterns as nginx takes them: an exact name before every wildcard, a longer wildcard before a shorter one.

use super::directive::line;
use super::variables::Variables;
use meshc_compiler::values::{HostPattern, escape_literal};

/// Words that stand for something else in a `map`.
const WORDS: [&str; 4] = ["default", "hostnames", "include", "volatile"];

/// A variable with the value of the most specific pattern that takes `source`.
pub(super) fn map(
    source: &str,
    hosts: &[(HostPattern, String)],
    default: &str,
    variables: &mut Variables,
) -> String {
    let all: Vec<&HostPattern> = hosts.iter().map(|(host, _)| host).collect();
    let any = hosts.iter().find(|(host, _)| host.is_any()).map_or(default, |(_, value)| value);
    let mut entries = vec![line!["hostnames"], line!["default", any]];
    for (host, value) in hosts.iter().filter(|(host, _)| !host.is_any()) {
        let name = name(host, &all);
        let key = if WORDS.contains(&name.as_str()) { format!("\\{name}") } else { name };
        entries.push(line![key, value.clone()]);
    }
    variables.map(source, entries)
}

/// A pattern among others, as `server_name` and `map` take it. nginx asks regular expressions last and in their order, so if one
/// is needed, all wildcards are expressions that leave each other out. A wildcard stands for one character or more.
pub(super) fn name(host: &HostPattern, among: &[&HostPattern]) -> String {
    match host.ip() {
        Some(ip) if ip.is_ipv6() => return format!("[{ip}]"),
        _ => {}
    }
    if !host.is_wildcard() || !among.iter().any(|other| other.is_partial_wildcard()) {
        return host.as_str().to_owned();
    }
    let suffix = |host: &HostPattern| escape_literal(host.as_str().trim_start_matches('*'));
    let narrower = among.iter().filter(|other| other.is_wildcard() && **other != host && host.covers(other));
    let except: String = narrower.map(|other| format!("(?!.+{}\\z)", suffix(other))).collect();
    format!("~^{except}.+{}\\z", suffix(host))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::name;
    use meshc_compiler::values::{HostPattern, Literal};

    #[test]
    fn partial_wildcards_are_expressions() {
        let hosts = ["a.com", "*.a.com", "*-x.a.com", "::1"].map(|text| HostPattern::parse(text).unwrap());
        let all: Vec<&HostPattern> = hosts.iter().collect();
        let names: Vec<String> = hosts.iter().map(|host| name(host, &all)).collect();
        assert_eq!(names, ["a.com", r"~^(?!.+-x\.a\.com\z).+\.a\.com\z", r"~^.+-x\.a\.com\z", "[::1]"]);
        let plain: Vec<&HostPattern> = hosts.iter().filter(|host| !host.is_partial_wildcard()).collect();
        assert_eq!(plain.get(1).map(|host| name(host, &plain)).as_deref(), Some("*.a.com"));
    }
}
