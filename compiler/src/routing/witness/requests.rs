//! Requests for the rules of a server for HTTP.

use super::draft::{Choices, Draft, Evasion, authorities, evading, name_of};
use super::{Gap, Shows, Way, Witness, Witnesses, confusable, misses};
use crate::model::Match;
use crate::routing::matcher::{Outcome, Request, Source};
use crate::routing::{HttpServer, Rule, VirtualHost};

/// How many drafts are tried for one alternative.
const TRIES: usize = 800;

/// A host that no virtual host has, unless one has all.
const NOBODY: &str = "nobody.witness.invalid";

/// A rule in its place.
pub(super) struct Site<'t, 'p> {
    pub(super) way: &'t Way<'t, 'p>,
    pub(super) host: &'p VirtualHost,
    pub(super) rule: &'p Rule,
    earlier: &'p [Rule],
}

/// What shows the virtual hosts of a server.
pub(super) fn of_server<'p>(way: &Way<'_, 'p>, server: &'p HttpServer, found: &mut Witnesses<'p>) {
    for host in &server.virtual_hosts {
        if host.https_only && way.server.is_none() {
            let is_it = |outcome: &Outcome<'p>| matches!(outcome, Outcome::WantsTls { host: other, .. } if std::ptr::eq(*other, host));
            let request = plain(way, &authorities(host), is_it);
            found.requests.extend(request.map(|request| Witness { request, shows: Shows::WantsTls(host) }));
            continue;
        }
        for (at, rule) in host.rules.iter().enumerate() {
            let earlier = host.rules.get(..at).unwrap_or_default();
            of_rule(&Site { way, host, rule, earlier }, found);
        }
    }
    let nobody = |outcome: &Outcome<'_>| matches!(outcome, Outcome::NoHost);
    let request = plain(way, &[NOBODY.to_owned()], nobody);
    found.requests.extend(request.map(|request| Witness { request, shows: Shows::NoHost }));
}

/// The first request for one of these hosts, and nothing else, that comes to this.
fn plain<'p>(
    way: &Way<'_, 'p>,
    authorities: &[String],
    comes_to: impl Fn(&Outcome<'p>) -> bool,
) -> Option<Request> {
    let requests = authorities.iter().filter_map(|authority| {
        Some(Request {
            entrance: way.entrance(name_of(authority))?,
            method: "GET".to_owned(),
            authority: authority.clone(),
            target: "/witness".to_owned(),
            headers: Vec::new(),
            source: Source::default(),
        })
    });
    requests.into_iter().find(|request| comes_to(&way.matcher.answer(request)))
}

fn of_rule<'p>(site: &Site<'_, 'p>, found: &mut Witnesses<'p>) {
    const EVERYTHING: &Match = &Match {
        path: None,
        scheme: None,
        methods: Vec::new(),
        authority: None,
        headers: Vec::new(),
        without: Vec::new(),
        query: Vec::new(),
        ports: Vec::new(),
        source_namespace: None,
        source_labels: Vec::new(),
        bindings: Vec::new(),
        sni: Vec::new(),
        destinations: Vec::new(),
    };
    let Site { host, rule, .. } = *site;
    if rule.matches.is_empty() {
        match site.hit(EVERYTHING, None) {
            Ok(draft) => {
                found.requests.push(site.taken(&draft, None));
                found.requests.extend(site.confusable(EVERYTHING, &draft));
            }
            Err(reason) => found.gaps.push(site.gap("taken", reason)),
        }
        return;
    }
    for (at, one) in rule.matches.iter().enumerate() {
        let draft = match site.hit(one, Some(at)) {
            Ok(draft) => draft,
            Err(reason) => {
                found.gaps.push(site.gap("taken", reason));
                continue;
            }
        };
        let first = found.requests.len();
        found.requests.push(site.taken(&draft, Some(at)));
        for miss in misses::of(site, one, &draft) {
            match miss.request {
                Ok(request) => {
                    let shows = Shows::Miss { host, rule, alternative: at, because: miss.because };
                    found.requests.push(Witness { request, shows });
                }
                Err(reason) => found.gaps.push(site.gap(&miss.because, reason)),
            }
        }
        let known = found.requests.get(first..).unwrap_or_default();
        let is_new = |one: &Witness<'_>| known.iter().all(|other| other.request != one.request);
        let new: Vec<Witness<'p>> = site.confusable(one, &draft).filter(is_new).collect();
        found.requests.extend(new);
    }
}

impl<'p> Site<'_, 'p> {
    /// A request that the rule takes by this alternative.
    fn hit(&self, one: &'p Match, alternative: Option<usize>) -> Result<Draft, &'static str> {
        let choices = Choices::of(self.way, self.host, one, self.evading(one))?;
        let mut reason = "every request tried matches an earlier rule";
        for draft in choices.drafts(TRIES) {
            let outcome = self.way.matcher.answer(&draft.request());
            if let Outcome::Undecided(..) = outcome {
                reason = "engines read a regular expression differently";
            }
            let taken = outcome.taken().filter(|taken| std::ptr::eq(taken.rule, self.rule));
            match taken {
                Some(taken) if taken.alternative == alternative => return Ok(draft),
                Some(_) => reason = "every request tried matches another alternative",
                None => {}
            }
        }
        Err(reason)
    }

    /// Headers that keep a request from earlier rules and from the other alternatives of the rule.
    pub(super) fn evading(&self, one: &'p Match) -> Vec<Evasion> {
        let others = self.rule.matches.iter().filter(|other| !std::ptr::eq(*other, one));
        evading(self.way, one, self.earlier.iter().flat_map(|rule| &rule.matches).chain(others))
    }

    fn taken(&self, draft: &Draft, alternative: Option<usize>) -> Witness<'p> {
        let shows = Shows::Hit { host: self.host, rule: self.rule, alternative };
        Witness { request: draft.request(), shows }
    }

    fn confusable(&self, one: &'p Match, hit: &Draft) -> impl Iterator<Item = Witness<'p>> {
        let (host, rule) = (self.host, self.rule);
        let all = confusable::of(self, one, hit).into_iter();
        all.map(move |(by, request)| Witness { request, shows: Shows::Confusable { host, rule, by } })
    }

    /// Whether the rule takes a request.
    pub(super) fn is_taken(&self, request: &Request) -> bool {
        let outcome = self.way.matcher.answer(request);
        outcome.taken().is_some_and(|taken| std::ptr::eq(taken.rule, self.rule))
    }

    fn gap(&self, wanted: &str, reason: &'static str) -> Gap {
        Gap { span: self.rule.span, rule: self.rule.name.clone(), wanted: wanted.to_owned(), reason }
    }

    /// Whether a request comes to the virtual host and the rule does not take it.
    pub(super) fn is_missed(&self, request: &Request) -> bool {
        match self.way.matcher.answer(request) {
            Outcome::NoRule(host) => std::ptr::eq(host, self.host),
            Outcome::Taken(taken) => {
                std::ptr::eq(taken.host, self.host) && !std::ptr::eq(taken.rule, self.rule)
            }
            Outcome::Refused(_)
            | Outcome::NotHttp
            | Outcome::Rejected(_)
            | Outcome::NoHost
            | Outcome::WantsTls { .. }
            | Outcome::Undecided(..) => false,
        }
    }
}
