package main

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	listener "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"istio.io/api/label"
	"istio.io/istio/pilot/pkg/features"
	"istio.io/istio/pilot/pkg/model"
	"istio.io/istio/pilot/pkg/simulation"
	"istio.io/istio/pilot/test/xds"
	"istio.io/istio/pilot/test/xdstest"
	"istio.io/istio/pkg/config/constants"
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
	// Whether it is a gateway; else it is the sidecar of a workload, or a waypoint.
	Gateway bool `json:"gateway"`
	// Whether it is the pod of the waypoint `waypoint` of its namespace.
	Waypoint  bool              `json:"waypoint"`
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
	// The clusters that were asked for, by name, each with the addresses that istiod knows as `endpoints`; one that istiod does not
	// make is absent.
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
	cluster := asked.Cluster
	if slices.ContainsFunc(asked.Workloads, func(one workload) bool { return one.Waypoint }) {
		defer ambient()()
		// What waypoints serve is read from the cluster, resources of Istio included.
		cluster += "\n---\n" + asked.Resources
	}
	err = test.Wrap(func(t test.Failer) {
		server := xds.NewFakeDiscoveryServer(t, xds.FakeOptions{Configs: configs, KubernetesObjectString: cluster})
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

// ambient lets istiod have waypoints until what it returns is called. It costs every job time, so only those that ask have it.
func ambient() func() {
	flags := []*bool{&features.EnableAmbient, &features.EnableAmbientWaypoints, &features.EnableHBONESend, &features.EnableSidecarHBONEListening}
	was := make([]bool, len(flags))
	for at, flag := range flags {
		was[at], *flag = *flag, true
	}
	return func() {
		for at, flag := range flags {
			*flag = was[at]
		}
	}
}

// ofWaypoint are the address and the labels of the pod that the waypoint of a namespace has.
func ofWaypoint(server *xds.FakeDiscoveryServer, namespace string) (string, map[string]string, error) {
	labels := map[string]string{label.IoK8sNetworkingGatewayGatewayName.Name: "waypoint"}
	pods, err := server.KubeClient().Kube().CoreV1().Pods(namespace).List(context.Background(), meta.ListOptions{
		LabelSelector: label.IoK8sNetworkingGatewayGatewayName.Name + "=waypoint",
	})
	if err != nil || len(pods.Items) == 0 {
		return "", nil, fmt.Errorf("the waypoint of %s has no pod: %v", namespace, err)
	}
	labels[label.GatewayManaged.Name] = constants.ManagedGatewayMeshControllerLabel
	return pods.Items[0].Status.PodIP, labels, nil
}

func configureOne(server *xds.FakeDiscoveryServer, one workload) (configured, error) {
	kind, address, labels := model.SidecarProxy, "10.200.0.1", one.Labels
	if one.Gateway {
		kind = model.Router
	}
	if one.Waypoint {
		kind = model.Waypoint
		var err error
		if address, labels, err = ofWaypoint(server, one.Namespace); err != nil {
			return configured{}, err
		}
	}
	node := server.SetupProxy(&model.Proxy{
		ID:              one.Name + "." + one.Namespace,
		Type:            kind,
		ConfigNamespace: one.Namespace,
		IPAddresses:     []string{address},
		Labels:          labels,
		// Fields that depend on the release are written as for the newest.
		Metadata: &model.NodeMetadata{Namespace: one.Namespace, Labels: labels, IstioVersion: "1.99.0"},
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
	assigned := map[string][]string{}
	if len(one.Clusters) > 0 {
		assigned = xdstest.ExtractLoadAssignments(server.Endpoints(node))
	}
	for _, cluster := range sent.Clusters {
		if !slices.Contains(one.Clusters, cluster.GetName()) {
			continue
		}
		content, err := tree(cluster)
		if err != nil {
			return made, err
		}
		content["endpoints"] = append([]string{}, assigned[cluster.GetName()]...)
		made.Clusters[cluster.GetName()] = content
	}
	if one.Stage == nil {
		return made, nil
	}
	var err error
	made.Staged, err = one.Stage.put(proxy{sent.Listeners, sent.Routes, sent.Clusters})
	return made, err
}
