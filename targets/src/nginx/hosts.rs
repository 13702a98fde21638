//! Host patterns as nginx takes them: an exact name before every wildcard, a longer wildcard before a shorter one.

use super::directive::line;
use super::variables::Variables;
use meshc_compiler::values::{HostMap, HostPattern, escape_literal};

/// Words that stand for something else in a `map`.
const WORDS: [&str; 4] = ["default", "hostnames", "include", "volatile"];

/// The patterns beside which one is written.
#[derive(Debug, Default)]
pub(super) struct Among {
    wildcards: HostMap<()>,
    /// Whether one of them stands for a part of a label.
    has_partial: bool,
    /// Whether one of them takes every host.
    pub(super) has_any: bool,
}

impl<'h> FromIterator<&'h HostPattern> for Among {
    fn from_iter<I: IntoIterator<Item = &'h HostPattern>>(hosts: I) -> Self {
        let mut among = Self::default();
        for host in hosts.into_iter().filter(|host| host.is_wildcard()) {
            among.has_partial |= host.is_partial_wildcard();
            among.has_any |= host.is_any();
            among.wildcards.add(host.clone(), ());
        }
        among
    }
}

/// A variable with the value of the most specific pattern that takes `source`.
pub(super) fn map(
    source: &str,
    hosts: &[(HostPattern, String)],
    default: &str,
    variables: &mut Variables,
) -> String {
    let all: Among = hosts.iter().map(|(host, _)| host).collect();
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
pub(super) fn name(host: &HostPattern, among: &Among) -> String {
    match host.ip() {
        Some(ip) if ip.is_ipv6() => return format!("[{ip}]"),
        _ => {}
    }
    if !host.is_wildcard() || !among.has_partial {
        return host.as_str().to_owned();
    }
    let suffix = |host: &HostPattern| escape_literal(host.as_str().trim_start_matches('*'));
    let covered = among.wildcards.covered_by(host).map(|(other, ())| other);
    let narrower = covered.filter(|other| *other != host);
    let except: String = narrower.map(|other| format!("(?!.+{}\\z)", suffix(other))).collect();
    format!("~^{except}.+{}\\z", suffix(host))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::{Among, name};
    use meshc_compiler::values::{HostPattern, Literal};

    #[test]
    fn partial_wildcards_are_expressions() {
        let hosts = ["a.com", "*.a.com", "*-x.a.com", "::1"].map(|text| HostPattern::parse(text).unwrap());
        let all: Among = hosts.iter().collect();
        let names: Vec<String> = hosts.iter().map(|host| name(host, &all)).collect();
        assert_eq!(names, ["a.com", r"~^(?!.+-x\.a\.com\z).+\.a\.com\z", r"~^.+-x\.a\.com\z", "[::1]"]);
        let plain: Among = hosts.iter().filter(|host| !host.is_partial_wildcard()).collect();
        assert_eq!(hosts.get(1).map(|host| name(host, &plain)).as_deref(), Some("*.a.com"));
    }
}
