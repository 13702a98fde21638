//! What is gathered while the configuration of one proxy is built.

use super::directive::{Directive, line, print};
use super::stream;
use super::upstream_blocks::{ProxyPass, UpstreamBlocks};
use super::upstream_tls::UpstreamTls;
use super::variables::{Subsystem, Variables};
use crate::fingerprint::fingerprint;
use crate::provenance::Provenance;
use crate::raw_proxy::{EdgeOptions, Rig};
use crate::target::Options;
use indexmap::IndexMap;
use meshc_compiler::Model;
use meshc_compiler::model::Id;
use meshc_compiler::routing::{Proxy, Upstream};
use meshc_language::{Code, Diagnostic, Span};
use rustc_hash::FxHashSet;

/// The first of the ports of connections that nginx makes to itself, and how many there are.
const FIRST_HOP: u16 = 19_000;
const HOPS: u64 = 1_000;

/// The proxy and what its servers share.
pub(super) struct Builder<'a> {
    pub(super) model: &'a Model,
    pub(super) proxy: &'a Proxy,
    pub(super) rig: Option<&'a Rig>,
    /// The limits of gateways, whatever this proxy is.
    pub(super) limits: &'a EdgeOptions,
    /// The limits of a gateway; other proxies have none.
    pub(super) edge: Option<&'a EdgeOptions>,
    /// Variables of `http`.
    pub(super) http: Variables,
    /// Variables of `stream`.
    pub(super) stream: Variables,
    pub(super) blocks: UpstreamBlocks,
    /// Whether names are looked up while it runs.
    pub(super) resolves: bool,
    /// What cannot be carried.
    pub(super) reports: Vec<Diagnostic>,
    originating: Vec<Originating>,
    /// Where the listener whose servers are made is heard.
    pub(super) heard: String,
    /// Where things come from, for comments.
    pub(super) provenance: Provenance<'a>,
    hops: FxHashSet<String>,
    /// Bodies of named locations that several rules of a server may share, by the names of these.
    shared: IndexMap<String, Vec<Directive>>,
}

/// A server that begins TLS for connections.
struct Originating {
    /// What it is: the listener that it is behind, the destination and the identity of TLS.
    behind: String,
    /// Where it is heard.
    hop: String,
    server: Directive,
}

impl<'a> Builder<'a> {
    pub(super) fn new(model: &'a Model, proxy: &'a Proxy, options: &'a Options<'_>) -> Self {
        Self {
            model,
            proxy,
            rig: options.rig.as_ref(),
            limits: &options.edge,
            edge: proxy.is_gateway().then_some(&options.edge),
            http: Variables::new(Subsystem::Http),
            stream: Variables::new(Subsystem::Stream),
            blocks: UpstreamBlocks::new(proxy),
            resolves: false,
            reports: Vec::new(),
            originating: Vec::new(),
            provenance: Provenance::new(options.files),
            heard: String::new(),
            hops: FxHashSet::default(),
            shared: IndexMap::new(),
        }
    }

    /// The variables of one subsystem.
    pub(super) fn variables(&mut self, subsystem: Subsystem) -> &mut Variables {
        match subsystem {
            Subsystem::Http => &mut self.http,
            Subsystem::Stream => &mut self.stream,
        }
    }

    /// An upstream of the proxy.
    pub(super) fn upstream(&self, id: Id<Upstream>) -> Option<&'a Upstream> {
        self.proxy.upstreams.get(id)
    }

    /// An address of the loopback on which nothing but nginx itself is heard, behind the listener whose servers are made.
    ///
    /// When nginx loads its configuration anew, connections that the old one has taken still go to addresses that it was told, and
    /// the new one answers there. So an address is made of what is behind it (`identity`), and stands for nothing else in any
    /// later configuration: at worst, nobody answers. The proxy and its listener are part of it, so that proxies that share a
    /// machine do not meet.
    ///
    /// Sockets by name would do as well, but a run that was killed leaves them behind, and nginx does not start where one is.
    pub(super) fn hop(&mut self, identity: &str) -> String {
        let namespace = self.proxy.namespace.as_deref().unwrap_or_default();
        let mut hash = fingerprint([namespace, "/", &self.proxy.name, " ", &self.heard, " ", identity]);
        loop {
            let [.., a, b, c] = hash.to_be_bytes();
            let port = FIRST_HOP + u16::try_from((hash >> 32) % HOPS).unwrap_or(0);
            // 127.0.0.x to 127.63.x.x are what others use.
            let address = format!("127.{}.{b}.{c}:{port}", 64 | (a >> 2));
            let is_free = self.proxy.listeners.iter().all(|listener| listener.port != port);
            if is_free && self.hops.insert(address.clone()) {
                return address;
            }
            hash = hash.wrapping_add(1);
        }
    }

    /// Where a connection goes for which TLS begins here, on its way to a destination. Each destination has such a server of its
    /// own: two of them may be at one address and have other time limits.
    pub(super) fn originated(
        &mut self,
        upstream: &Upstream,
        identity: &str,
        pass: &ProxyPass,
        tls: &UpstreamTls,
    ) -> String {
        let reached = match pass {
            // The block has the name of the destination and of how it is called.
            ProxyPass::Block(name) => name.clone(),
            ProxyPass::LookedUp(place) => format!("{place} {}", upstream.name),
        };
        let behind = format!("{} {reached} {identity}", self.heard);
        if let Some(known) = self.originating.iter().find(|known| known.behind == behind) {
            return known.hop.clone();
        }
        let hop = self.hop(&format!("originates {reached} {identity}"));
        let server = stream::originating(&hop, pass, tls, upstream);
        self.originating.push(Originating { behind, hop: hop.clone(), server });
        hop
    }

    /// The name of a location of the server that is made, which does this, with `what` in it. Rules that do the same share it.
    pub(super) fn shared_location(&mut self, what: &str, mut body: Vec<Directive>) -> String {
        body.insert(0, line!["internal"]);
        let text = print(&body, 0);
        let mut name = format!("@mesh-{what}-{:08x}", fingerprint([text.as_str()]) >> 32);
        while self.shared.get(&name).is_some_and(|known| print(known, 0) != text) {
            name = format!("@mesh-{what}-{:08x}", fingerprint([name.as_str(), &text]) >> 32);
        }
        self.shared.entry(name.clone()).or_insert(body);
        name
    }

    /// These locations, for the server that they were made for.
    pub(super) fn take_shared_locations(&mut self) -> Vec<Directive> {
        let shared = std::mem::take(&mut self.shared);
        shared.into_iter().map(|(name, body)| line!["location", name].block(body)).collect()
    }

    /// The servers that begin TLS for connections.
    pub(super) fn originating(&self) -> Vec<Directive> {
        self.originating.iter().map(|one| one.server.clone()).collect()
    }

    /// Reports what nginx cannot carry.
    pub(super) fn refuse(&mut self, span: Span, what: &str, why: &str, help: &str) {
        self.reports.push(
            Diagnostic::new(Code::UNSUPPORTED, span, format!("nginx does not support {what}"))
                .label(why)
                .consequence("traffic would go elsewhere or be treated differently")
                .help(help),
        );
    }
}
