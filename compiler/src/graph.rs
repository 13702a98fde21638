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

/// Which host block a route is left to, by the host block and the position of the route in it.
pub type Delegations = FxHashMap<(Id<Resource<Host>>, usize), Id<Resource<Host>>>;

/// Who sends traffic to whom.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    graph: DiGraph<Node, Edge>,
    places: FxHashMap<Node, NodeIndex>,
    delegations: Delegations,
}

impl Graph {
    /// The graph of a model.
    #[must_use]
    pub fn of(model: &Model) -> Self {
        let mut graph = Self { delegations: delegations(model), ..Self::default() };
        for (id, _) in model.mesh.gateways.iter() {
            graph.place(Node::Gateway(id));
        }
        for (id, external) in model.mesh.externals.iter() {
            graph.add_egress(id, external);
        }
        for (id, host) in model.hosts.iter() {
            graph.add_host(id, host);
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
        if let Some(gateway) = external.egress() {
            self.add(Node::Destination(DestinationId::External(id)), Node::Gateway(gateway), Edge::Egress);
        }
    }

    fn add_host(&mut self, id: Id<Resource<Host>>, host: &Resource<Host>) {
        for binding in &host.via {
            if let BindingKind::Gateway(gateway) = binding.kind {
                self.add(Node::Gateway(gateway), Node::Host(id), Edge::Binding);
            }
        }
        for (at, route) in host.routes.iter().enumerate() {
            self.add_route(id, at, route);
        }
    }

    fn add_route(&mut self, id: Id<Resource<Host>>, at: usize, route: &Route) {
        match &route.action {
            Action::Forward(destinations) => {
                for one in destinations {
                    self.add(Node::Host(id), node(&one.destination), Edge::Route(at));
                }
            }
            Action::Delegate(_) => {
                if let Some(child) = self.delegate(id, at) {
                    self.add(Node::Host(id), Node::Host(child), Edge::Delegation(at));
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
        self.delegations.get(&(host, route)).copied()
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

/// Which host block each route that delegates is left to.
pub(crate) fn delegations(model: &Model) -> Delegations {
    let delegates = delegates(model);
    let mut delegations = Delegations::default();
    for (id, host) in model.hosts.iter() {
        for (at, route) in host.routes.iter().enumerate() {
            let Action::Delegate(delegate) = &route.action else { continue };
            let named = delegate.namespace.as_ref().map(|namespace| namespace.as_str());
            let key =
                (named.or(host.namespace_name()).map(SmolStr::new), SmolStr::new(delegate.name.as_str()));
            if let Some(child) = delegates.get(&key) {
                delegations.insert((id, at), *child);
            }
        }
    }
    delegations
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
