//! The mesh as a graph: who sends traffic to whom.
//!
//! ```text
//! gateway -> host -> service or external, or a subset of one
//!            host -> host                    delegation
//!        external -> gateway                 egress
//! ```

use crate::model::{
    Action, BindingKind, Destination, DestinationId, External, Gateway, Host, HostNameKind, Id, Model,
    Resource, Route,
};
use petgraph::Direction;
use petgraph::graph::{DiGraph, NodeIndex};
use rustc_hash::FxHashMap;
use smol_str::SmolStr;

/// A place that traffic passes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Node {
    /// A gateway.
    Gateway(Id<Resource<Gateway>>),
    /// A host block.
    Host(Id<Resource<Host>>),
    /// A service or an external as a whole.
    Destination(DestinationId),
    /// A subset of one.
    Subset(DestinationId, SmolStr),
}

/// Why traffic goes from one place to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// A host is bound to a gateway.
    Binding,
    /// A route sends requests here; its position in its host.
    Route(usize),
    /// A route sends copies here; its position in its host.
    Mirror(usize),
    /// A route is left to another host block; its position in its host.
    Delegation(usize),
    /// Traffic to an external leaves through a gateway.
    Egress,
}

/// Who sends traffic to whom.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    graph: DiGraph<Node, Edge>,
    places: FxHashMap<Node, NodeIndex>,
}

impl Graph {
    /// The graph of a model.
    #[must_use]
    pub fn of(model: &Model) -> Self {
        let mut graph = Self::default();
        for (id, _) in model.mesh.gateways.iter() {
            graph.place(Node::Gateway(id));
        }
        for (id, external) in model.mesh.externals.iter() {
            graph.add_egress(id, external);
        }
        let delegates = delegates(model);
        for (id, host) in model.hosts.iter() {
            graph.add_host(id, host, &delegates);
        }
        graph
    }

    fn place(&mut self, node: Node) -> NodeIndex {
        if let Some(index) = self.places.get(&node) {
            return *index;
        }
        let index = self.graph.add_node(node.clone());
        self.places.insert(node, index);
        index
    }

    fn add(&mut self, from: Node, to: Node, edge: Edge) {
        let (from, to) = (self.place(from), self.place(to));
        self.graph.add_edge(from, to, edge);
    }

    fn add_egress(&mut self, id: Id<Resource<External>>, external: &External) {
        if let Some(gateway) = external.egress {
            self.add(Node::Destination(DestinationId::External(id)), Node::Gateway(gateway), Edge::Egress);
        }
    }

    fn add_host(&mut self, id: Id<Resource<Host>>, host: &Resource<Host>, delegates: &Delegates) {
        for binding in &host.via {
            if let BindingKind::Gateway(gateway) = binding.kind {
                self.add(Node::Gateway(gateway), Node::Host(id), Edge::Binding);
            }
        }
        for (at, route) in host.routes.iter().enumerate() {
            self.add_route(id, host, at, route, delegates);
        }
    }

    fn add_route(
        &mut self,
        id: Id<Resource<Host>>,
        host: &Resource<Host>,
        at: usize,
        route: &Route,
        delegates: &Delegates,
    ) {
        match &route.action {
            Action::Forward(destinations) => {
                for one in destinations {
                    self.add(Node::Host(id), node(&one.destination), Edge::Route(at));
                }
            }
            Action::Delegate(delegate) => {
                let namespace = delegate
                    .namespace
                    .as_ref()
                    .map_or(host.namespace_name(), |namespace| Some(namespace.as_str()));
                let key = (namespace.map(SmolStr::new), SmolStr::new(delegate.name.as_str()));
                if let Some(child) = delegates.get(&key) {
                    self.add(Node::Host(id), Node::Host(*child), Edge::Delegation(at));
                }
            }
            Action::Redirect(_) | Action::Respond(_) => {}
        }
        for mirror in &route.options.mirrors {
            self.add(Node::Host(id), node(&mirror.destination), Edge::Mirror(at));
        }
    }

    /// The host block that a route of another one is left to.
    #[must_use]
    pub fn delegate(&self, host: Id<Resource<Host>>, route: usize) -> Option<Id<Resource<Host>>> {
        let from = self.places.get(&Node::Host(host))?;
        let mut edges = self.graph.edges(*from);
        edges.find(|edge| *edge.weight() == Edge::Delegation(route)).and_then(|edge| {
            match self.graph.node_weight(petgraph::visit::EdgeRef::target(&edge)) {
                Some(Node::Host(id)) => Some(*id),
                _ => None,
            }
        })
    }

    /// The host blocks with a route that is left to this place.
    pub fn delegators(&self, node: &Node) -> impl Iterator<Item = Id<Resource<Host>>> + '_ {
        let edges = self.places.get(node).map(|at| self.graph.edges_directed(*at, Direction::Incoming));
        edges.into_iter().flatten().filter(|edge| matches!(edge.weight(), Edge::Delegation(_))).filter_map(
            |edge| match self.graph.node_weight(petgraph::visit::EdgeRef::source(&edge)) {
                Some(Node::Host(id)) => Some(*id),
                _ => None,
            },
        )
    }

    /// Whether anything sends traffic to a place.
    #[must_use]
    pub fn is_reached(&self, node: &Node) -> bool {
        self.places
            .get(node)
            .is_some_and(|at| self.graph.edges_directed(*at, Direction::Incoming).next().is_some())
    }

    /// How many places and ways there are.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        (self.graph.node_count(), self.graph.edge_count())
    }
}

fn node(destination: &Destination) -> Node {
    match &destination.subset {
        Some(subset) => Node::Subset(destination.target, subset.value.clone()),
        None => Node::Destination(destination.target),
    }
}

type Delegates = FxHashMap<(Option<SmolStr>, SmolStr), Id<Resource<Host>>>;

/// The host blocks that are reached by delegation, by namespace and name.
fn delegates(model: &Model) -> Delegates {
    let names = model.hosts.iter().flat_map(|(id, host)| {
        let namespace = host.namespace_name().map(SmolStr::new);
        host.names.iter().filter_map(move |name| match &name.kind {
            HostNameKind::Delegate(name) => Some(((namespace.clone(), name.clone()), id)),
            HostNameKind::Destination(_) | HostNameKind::Pattern(_) => None,
        })
    });
    names.collect()
}
