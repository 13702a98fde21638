package main

import (
	"slices"
	"testing"
	"time"

	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	listener "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"

	"istio.io/istio/pilot/pkg/model"
	"istio.io/istio/pilot/pkg/simulation"
	"istio.io/istio/pilot/test/xds"
	"istio.io/istio/pkg/kube/krt"
	"istio.io/istio/pkg/test"
)

// rootNamespace is where istiod runs.
const rootNamespace = "istio-system"

// age is that of every resource.
var age = time.Unix(1_750_000_000, 0)

// workload is a proxy that istiod configures.
type workload struct {
	// Said again in the answer.
	Name string `json:"name"`
	// Whether it is a gateway; else it is the sidecar of a workload.
	Gateway   bool              `json:"gateway"`
	Namespace string            `json:"namespace"`
	Labels    map[string]string `json:"labels"`
	// What is tried at it.
	Connections []connection `json:"connections"`
	// Clusters that are shown as istiod makes them.
	Clusters []string `json:"clusters"`
	// How its configuration is put on the loopback; left out, it is not.
	Stage *stage `json:"stage"`
}

// configured is a proxy with its configuration.
type configured struct {
	Name string `json:"name"`
	// Clusters that some rule leads to and that istiod does not make: 503 in production.
	Dangling []string `json:"dangling"`
	// What became of the connections, in their order.
	Connections []passage `json:"connections"`
	// The clusters that were asked for, by name; one that istiod does not make is absent.
	Clusters map[string]object `json:"clusters"`
	// The configuration on the loopback.
	Staged *staged `json:"staged"`
}

// proxy is what istiod sends to one.
type proxy struct {
	listeners []*listener.Listener
	routes    []*route.RouteConfiguration
	clusters  []*cluster.Cluster
}

// configure starts istiod's discovery in memory, over a cluster of its own, and asks it for each proxy.
func configure(asked *job) ([]configured, error) {
	configs, err := istioConfigs(asked.Resources)
	if err != nil {
		return nil, err
	}
	var all []configured
	var inner error
	err = test.Wrap(func(t test.Failer) {
		server := xds.NewFakeDiscoveryServer(t, xds.FakeOptions{Configs: configs, KubernetesObjectString: asked.Cluster})
		for _, one := range asked.Workloads {
			var made configured
			if made, inner = configureOne(server, one); inner != nil {
				return
			}
			all = append(all, made)
		}
	})
	// It remembers the collections of every server, for as long as the program runs.
	krt.GlobalDebugHandler = new(krt.DebugHandler)
	if inner != nil {
		return nil, inner
	}
	return all, err
}

func configureOne(server *xds.FakeDiscoveryServer, one workload) (configured, error) {
	kind := model.SidecarProxy
	if one.Gateway {
		kind = model.Router
	}
	node := server.SetupProxy(&model.Proxy{
		ID:              one.Name + "." + one.Namespace,
		Type:            kind,
		ConfigNamespace: one.Namespace,
		IPAddresses:     []string{"10.200.0.1"},
		Labels:          one.Labels,
		// Fields that depend on the release are written as for the newest.
		Metadata: &model.NodeMetadata{Namespace: one.Namespace, Labels: one.Labels, IstioVersion: "1.99.0"},
	})
	sent := simulation.NewSimulation(new(testing.T), server, node)
	told(sent.Listeners)
	made := configured{
		Name:     one.Name,
		Dangling: dangling(proxy{sent.Listeners, sent.Routes, sent.Clusters}),
	}
	for _, tried := range one.Connections {
		made.Connections = append(made.Connections, try(sent, one.Gateway, tried))
	}
	made.Clusters = map[string]object{}
	for _, cluster := range sent.Clusters {
		if !slices.Contains(one.Clusters, cluster.GetName()) {
			continue
		}
		content, err := tree(cluster)
		if err != nil {
			return made, err
		}
		made.Clusters[cluster.GetName()] = content
	}
	if one.Stage == nil {
		return made, nil
	}
	var err error
	made.Staged, err = one.Stage.put(proxy{sent.Listeners, sent.Routes, sent.Clusters})
	return made, err
}
