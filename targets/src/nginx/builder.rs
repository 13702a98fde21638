//! What is gathered while the configuration of one proxy is built.

use super::directive::Directive;
use super::stream;
use super::upstream_blocks::{ProxyPass, UpstreamBlocks};
use super::upstream_tls::UpstreamTls;
use super::variables::{Subsystem, Variables};
use crate::provenance::Provenance;
use crate::raw_proxy::Rig;
use crate::target::Options;
use meshc_compiler::Model;
use meshc_compiler::model::Id;
use meshc_compiler::routing::{Proxy, Upstream};
use meshc_language::{Code, Diagnostic, Span};

/// The first port of connections that nginx makes to itself.
const FIRST_HOP: u16 = 19_000;

/// The proxy and what its servers share.
pub(super) struct Builder<'a, 'm> {
    pub(super) model: &'a Model,
    pub(super) proxy: &'a Proxy<'m>,
    pub(super) rig: Option<&'a Rig>,
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
    /// Where things come from, for comments.
    pub(super) provenance: Provenance<'a>,
    hops: u16,
}

/// A server that begins TLS for connections.
struct Originating {
    /// What is behind it: the destination and the identity of TLS.
    behind: String,
    /// Where it is heard.
    hop: String,
    server: Directive,
}

impl<'a, 'm> Builder<'a, 'm> {
    pub(super) fn new(model: &'a Model, proxy: &'a Proxy<'m>, options: &'a Options<'_>) -> Self {
        Self {
            model,
            proxy,
            rig: options.rig.as_ref(),
            http: Variables::new(Subsystem::Http),
            stream: Variables::new(Subsystem::Stream),
            blocks: UpstreamBlocks::new(proxy),
            resolves: false,
            reports: Vec::new(),
            originating: Vec::new(),
            provenance: Provenance::new(options.files),
            hops: 0,
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
    pub(super) fn upstream(&self, id: Id<Upstream<'m>>) -> Option<&'a Upstream<'m>> {
        self.proxy.upstreams.get(id)
    }

    /// An address on which nothing but nginx itself is heard. It is made from the port that it stands behind, so that proxies
    /// that share a machine do not meet.
    ///
    /// A Unix socket would take no port, but nginx looks for it in the folder that it is started in, and does not start where one
    /// is left over from a run that was killed.
    pub(super) fn hop(&mut self, behind: u16) -> String {
        let [high, low] = behind.to_be_bytes();
        loop {
            let port = FIRST_HOP + self.hops;
            self.hops += 1;
            if self.proxy.listeners.iter().all(|listener| listener.port != port) {
                return format!("127.77.{high}.{low}:{port}");
            }
        }
    }

    /// Where a connection goes for which TLS begins here, on its way to a destination.
    pub(super) fn originated(&mut self, identity: &str, pass: &ProxyPass, tls: &UpstreamTls) -> String {
        let behind = format!("{} {identity}", pass.as_str());
        if let Some(known) = self.originating.iter().find(|known| known.behind == behind) {
            return known.hop.clone();
        }
        let port = self.proxy.listeners.first().map_or(0, |listener| listener.port);
        let hop = self.hop(port);
        let server = stream::originating(&hop, pass, tls);
        self.originating.push(Originating { behind, hop: hop.clone(), server });
        hop
    }

    /// The servers that begin TLS for connections.
    pub(super) fn originating(&self) -> Vec<Directive> {
        self.originating.iter().map(|one| one.server.clone()).collect()
    }

    /// Reports what nginx cannot carry.
    pub(super) fn refuse(&mut self, span: Span, what: &str, why: &str, help: &str) {
        self.reports.push(
            Diagnostic::new(Code::UNSUPPORTED, span, format!("nginx cannot carry {what}"))
                .label(why)
                .consequence("traffic would go elsewhere or be treated otherwise than this says")
                .help(help),
        );
    }
}
