//! Requests and connections that show what a plan says: for each alternative of each rule one that it takes, for each comparison
//! one that just misses it, and those with a path that a proxy may confuse with the rule's.
//!
//! ```text
//! alternative -values that fit-> drafts -matcher: taken by this very rule?-> Witness | Gap with the reason
//! ```
//!
//! Every witness was confirmed by the [matcher](super::matcher). Where the first draft goes to an earlier rule, others are tried,
//! up to a bound; what is not found is said. All of them are valid on the wire: origin form, legal names and values, no header
//! that says how a message ends.

mod candidates;
mod confusable;
mod connections;
mod draft;
mod members;
mod misses;
mod requests;

use super::matcher::{Connection, Entrance, Matcher, Request, Security, Source};
use super::{ConnectionRule, Listener, Plain, Proxy, Rule, TlsKind, TlsServer, VirtualHost};
use meshc_language::Span;
use smol_str::SmolStr;

/// A request, and what it shows.
#[derive(Clone, Debug)]
pub struct Witness<'p> {
    /// The request.
    pub request: Request,
    /// What it shows.
    pub shows: Shows<'p>,
}

/// What a request shows.
#[derive(Clone, Debug)]
pub enum Shows<'p> {
    /// A rule takes it.
    Hit {
        /// The virtual host.
        host: &'p VirtualHost,
        /// The rule.
        rule: &'p Rule,
        /// The alternative that holds; `None` for a rule without any.
        alternative: Option<usize>,
    },
    /// A rule does not take it, because of one comparison.
    Miss {
        /// The virtual host.
        host: &'p VirtualHost,
        /// The rule.
        rule: &'p Rule,
        /// The alternative that all but holds.
        alternative: usize,
        /// The comparison, such as ``header `x-user` ``.
        because: String,
    },
    /// Where a path leads that is close to the rule's, whichever rule takes it.
    Confusable {
        /// The virtual host.
        host: &'p VirtualHost,
        /// The rule.
        rule: &'p Rule,
        /// In what the path differs from the rule's.
        by: Confusion,
    },
    /// The virtual host wants TLS.
    WantsTls(&'p VirtualHost),
    /// No virtual host has its name.
    NoHost,
}

/// In what two paths differ that a proxy may confuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confusion {
    /// One ends with a slash.
    FinalSlash,
    /// They are the same path, written otherwise.
    Spelling,
}

/// A connection, and the rule that takes it or just does not.
#[derive(Clone, Debug)]
pub struct ConnectionWitness<'p> {
    /// The connection.
    pub connection: Connection,
    /// The rule.
    pub rule: &'p ConnectionRule,
    /// Whether the rule takes it.
    pub hit: bool,
}

/// What no request or connection was found for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The rule.
    pub span: Span,
    /// Its name.
    pub rule: SmolStr,
    /// What would have been shown: `taken`, or the comparison that would have failed.
    pub wanted: String,
    /// Why there is none.
    pub reason: &'static str,
}

/// What shows the plan of a proxy, in its order.
#[derive(Clone, Debug, Default)]
pub struct Witnesses<'p> {
    /// Requests.
    pub requests: Vec<Witness<'p>>,
    /// Connections.
    pub connections: Vec<ConnectionWitness<'p>>,
    /// What is not shown.
    pub gaps: Vec<Gap>,
}

/// What shows the plan of a proxy.
#[must_use]
pub fn witnesses(proxy: &Proxy) -> Witnesses<'_> {
    let matcher = Matcher::new(proxy);
    let mut found = Witnesses::default();
    for listener in &proxy.listeners {
        let way = |server| Way { matcher: &matcher, listener, server };
        match &listener.plain {
            Some(Plain::Http(server)) => requests::of_server(&way(None), server, &mut found),
            Some(Plain::Tcp(rules)) => connections::of_rules(&way(None), rules, &mut found),
            None => {}
        }
        for tls in &listener.tls {
            match &tls.kind {
                TlsKind::Http(_, server) => requests::of_server(&way(Some(tls)), server, &mut found),
                TlsKind::Tcp(_, rules) | TlsKind::Passthrough(rules) => {
                    connections::of_rules(&way(Some(tls)), rules, &mut found);
                }
            }
        }
    }
    found
}

/// The way in to a server.
struct Way<'t, 'p> {
    matcher: &'t Matcher<'p>,
    listener: &'p Listener,
    /// The server of TLS; none for what is not TLS.
    server: Option<&'p TlsServer>,
}

impl<'p> Way<'_, 'p> {
    fn scheme(&self) -> &'static str {
        if self.server.is_some() { "https" } else { "http" }
    }

    /// Where requests for a host come in; `None` if no name leads to the server.
    fn entrance(&self, host: &str) -> Option<Entrance> {
        let security = match self.server {
            None => Security::Plain,
            Some(_) => Security::Tls { server_name: self.server_name(host)? },
        };
        Some(Entrance { port: self.listener.port, address: self.listener.bind, security })
    }

    /// What TLS asks for: the host itself where that leads to the server, as callers do.
    fn server_name(&self, host: &str) -> Option<Option<String>> {
        let server = self.server?;
        let leads_here = |name: Option<&str>| {
            let found = super::matcher::server(self.listener, name);
            found.is_some_and(|found| std::ptr::eq(found, server))
        };
        let is_name = |name: &str| name.bytes().any(|byte| byte.is_ascii_alphabetic()) && !name.contains(':');
        let own = server.names.iter().flat_map(candidates::hosts);
        let mut names = std::iter::once(host.to_owned()).chain(own).filter(|name| is_name(name));
        match names.find(|name| leads_here(Some(name))) {
            Some(name) => Some(Some(name)),
            None => leads_here(None).then_some(None),
        }
    }
}

/// The caller that conditions ask for.
fn caller(one: &crate::model::Match) -> Source {
    Source {
        namespace: one.source_namespace.as_ref().map(|namespace| namespace.as_str().to_owned()),
        labels: one
            .source_labels
            .iter()
            .map(|label| (label.key().as_str().to_owned(), label.value().as_str().to_owned()))
            .collect(),
    }
}
