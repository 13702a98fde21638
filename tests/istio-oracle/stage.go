package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	listener "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
)

// stage is the loopback on which Envoy, as its project releases it, runs a configuration that istiod made for a mesh. What a
// request or a connection is compared by stays as it is; what surrounds the proxy is replaced.
type stage struct {
	// Stands before the names of clusters, so that one Envoy can carry several proxies.
	Prefix string `json:"prefix"`
	// The listeners that are put there, as `address:port` or by the name of a filter chain, and the port of each on 127.0.0.1.
	Listeners map[string]uint32 `json:"listeners"`
	// Where clusters have their one endpoint on 127.0.0.1; a cluster that is not here has none.
	Endpoints map[string]uint32 `json:"endpoints"`
	// What the proxy shows to callers, and to destinations.
	Server keyPair `json:"server"`
	Client keyPair `json:"client"`
	// Who signs everybody's certificates, a file.
	Authority string `json:"authority"`
}

// keyPair is a certificate and its key, in files.
type keyPair struct {
	Certificate string `json:"certificate"`
	Key         string `json:"key"`
}

// staged are parts of a bootstrap.
type staged struct {
	Listeners []any `json:"listeners"`
	Clusters  []any `json:"clusters"`
}

type object = map[string]any

func (s *stage) put(sent proxy) (*staged, error) {
	tables := map[string]any{}
	for _, table := range sent.routes {
		content, err := tree(table)
		if err != nil {
			return nil, err
		}
		tables[table.GetName()] = content
	}
	out := &staged{Listeners: []any{}, Clusters: []any{}}
	for _, one := range sent.listeners {
		if err := s.chains(one, tables, out); err != nil {
			return nil, err
		}
		place, wanted := s.Listeners[placeOf(one)]
		if !wanted {
			continue
		}
		content, err := tree(one)
		if err != nil {
			return nil, err
		}
		content["name"] = s.Prefix + one.GetName()
		content["address"] = loopback(place)
		for _, left := range []string{"bindToPort", "useOriginalDst", "additionalAddresses", "accessLog", "connectionBalanceConfig"} {
			delete(content, left)
		}
		s.walk(content, tables, "")
		out.Listeners = append(out.Listeners, content)
	}
	for _, one := range sent.clusters {
		content, err := tree(one)
		if err != nil {
			return nil, err
		}
		s.walk(content, nil, "")
		s.place(content, one.GetName())
		out.Clusters = append(out.Clusters, content)
	}
	return out, nil
}

// chains puts parts of a listener apart that are asked for by the name of their filter chain: a waypoint hears everything inside of
// tunnels, and has a chain for each port of each service.
func (s *stage) chains(one *listener.Listener, tables map[string]any, out *staged) error {
	for _, chain := range one.GetFilterChains() {
		place, wanted := s.Listeners[chain.GetName()]
		if !wanted {
			continue
		}
		content, err := tree(chain)
		if err != nil {
			return err
		}
		delete(content, "filterChainMatch")
		s.walk(content, tables, "")
		out.Listeners = append(out.Listeners, object{
			"name": s.Prefix + chain.GetName(), "address": loopback(place), "filterChains": []any{content},
		})
	}
	return nil
}

func placeOf(one *listener.Listener) string {
	socket := one.GetAddress().GetSocketAddress()
	return fmt.Sprintf("%s:%d", socket.GetAddress(), socket.GetPortValue())
}

func loopback(port uint32) object {
	return object{"socketAddress": object{"address": "127.0.0.1", "portValue": port}}
}

// place puts the endpoints of a cluster on the loopback, in whatever way they would be found otherwise.
func (s *stage) place(content object, name string) {
	content["name"] = s.Prefix + name
	content["type"] = "STATIC"
	if content["lbPolicy"] == "CLUSTER_PROVIDED" {
		delete(content, "lbPolicy")
	}
	for _, left := range []string{
		"edsClusterConfig", "clusterType", "originalDstLbConfig", "outlierDetection", "healthChecks", "filters", "metadata",
		"dnsLookupFamily", "dnsRefreshRate", "respectDnsTtl", "dnsJitter", "dnsFailureRefreshRate", "upstreamBindConfig", "cleanupInterval",
	} {
		delete(content, left)
	}
	endpoints := []any{}
	if port, known := s.Endpoints[name]; known {
		endpoint := object{"endpoint": object{"address": loopback(port)}}
		endpoints = append(endpoints, object{"lbEndpoints": []any{endpoint}})
	}
	content["loadAssignment"] = object{"clusterName": s.Prefix + name, "endpoints": endpoints}
}

// walk replaces, wherever they stand: tables of routes that would be sent apart, certificates that would be sent apart, names of
// clusters; and leaves out what only Istio's build of Envoy has, and what reports. `side` is the type of the TLS context around.
func (s *stage) walk(content object, tables map[string]any, side string) {
	if kind, typed := content["@type"].(string); typed && strings.HasSuffix(kind, "TlsContext") {
		side = kind
	}
	for _, left := range []string{"accessLog", "tracing", "crl"} {
		delete(content, left)
	}
	if rds, apart := content["rds"].(object); apart && tables != nil {
		name, _ := rds["routeConfigName"].(string)
		delete(content, "rds")
		content["routeConfig"] = copied(tables[name])
	}
	for _, filters := range []string{"filters", "httpFilters", "listenerFilters"} {
		if list, are := content[filters].([]any); are {
			content[filters] = ofEnvoy(list)
		}
	}
	if own, are := content["typedPerFilterConfig"].(object); are {
		for name := range own {
			if strings.HasPrefix(name, "istio.") {
				delete(own, name)
			}
		}
	}
	unveil(content)
	s.secrets(content, side)
	if name, leads := content["cluster"].(string); leads {
		content["cluster"] = s.Prefix + name
	}
	if weighted, are := content["weightedClusters"].(object); are {
		clusters, _ := weighted["clusters"].([]any)
		for _, one := range clusters {
			if share, is := one.(object); is {
				share["name"] = fmt.Sprint(s.Prefix, share["name"])
			}
		}
	}
	for _, key := range sorted(content) {
		s.within(content[key], tables, side)
	}
}

func (s *stage) within(value any, tables map[string]any, side string) {
	switch value := value.(type) {
	case object:
		s.walk(value, tables, side)
	case []any:
		for _, one := range value {
			s.within(one, tables, side)
		}
	}
}

// unveil takes away the mutual TLS of the mesh, whose certificates nobody has here: connections between its proxies are taken as
// plain, at both ends.
func unveil(content object) {
	if _, alternative := content["match"]; alternative {
		// One of several sockets of a cluster; it is for endpoints that say so, and those on the loopback do not.
		return
	}
	socket, _ := content["transportSocket"].(object)
	config, _ := socket["typedConfig"].(object)
	context, _ := config["commonTlsContext"].(object)
	certificates, _ := context["tlsCertificateSdsSecretConfigs"].([]any)
	if len(certificates) == 0 {
		return
	}
	if first, _ := certificates[0].(object); first["name"] != "default" {
		return
	}
	delete(content, "transportSocket")
	if match, is := content["filterChainMatch"].(object); is {
		for _, left := range []string{"serverNames", "transportProtocol", "applicationProtocols"} {
			delete(match, left)
		}
	}
}

// secrets puts files in place of what a proxy would ask istiod or its agent for.
func (s *stage) secrets(content object, side string) {
	if _, are := content["tlsCertificateSdsSecretConfigs"]; are {
		pair := s.Client
		if strings.HasSuffix(side, "DownstreamTlsContext") {
			pair = s.Server
		}
		delete(content, "tlsCertificateSdsSecretConfigs")
		content["tlsCertificates"] = []any{object{
			"certificateChain": object{"filename": pair.Certificate},
			"privateKey":       object{"filename": pair.Key},
		}}
	}
	authority := object{"filename": s.Authority}
	if combined, is := content["combinedValidationContext"].(object); is {
		context, known := combined["defaultValidationContext"].(object)
		if !known {
			context = object{}
		}
		context["trustedCa"] = authority
		delete(content, "combinedValidationContext")
		content["validationContext"] = context
	}
	if _, is := content["validationContextSdsSecretConfig"]; is {
		delete(content, "validationContextSdsSecretConfig")
		content["validationContext"] = object{"trustedCa": authority}
	}
}

// ofEnvoy leaves out filters that only Istio's build of Envoy has.
func ofEnvoy(filters []any) []any {
	kept := []any{}
	for _, one := range filters {
		filter, _ := one.(object)
		name, _ := filter["name"].(string)
		config, _ := filter["typedConfig"].(object)
		kind, _ := config["@type"].(string)
		if untyped, is := config["typeUrl"].(string); is {
			kind = untyped
		}
		if !strings.HasPrefix(name, "istio") && !strings.Contains(kind, "istio") && !strings.HasSuffix(kind, "stats.PluginConfig") {
			kept = append(kept, one)
		}
	}
	return kept
}

// dangling are the clusters that listeners and routes name and that are not there. What istiod says of a service on port 80 that
// has no port 80 is passed over: it makes such a virtual host for every host of a VirtualService, and who calls it there reaches
// nothing in any case.
func dangling(sent proxy) []string {
	made, services := map[string]bool{}, map[string]bool{}
	for _, one := range sent.clusters {
		made[one.GetName()] = true
		services[hostOf(one.GetName())] = true
	}
	named := map[string]bool{}
	for _, one := range sent.listeners {
		if content, err := tree(one); err == nil {
			collectClusters(content, named)
		}
	}
	for _, table := range sent.routes {
		for _, host := range table.GetVirtualHosts() {
			lacks := func(domain string) bool {
				return services[domain] && !made["outbound|"+table.GetName()+"||"+domain]
			}
			if slices.ContainsFunc(host.GetDomains(), lacks) && port.MatchString(table.GetName()) {
				continue
			}
			if content, err := tree(host); err == nil {
				collectClusters(content, named)
			}
		}
	}
	for name := range made {
		delete(named, name)
	}
	return append([]string{}, sorted(named)...)
}

// port is the name of a table of routes in a sidecar.
var port = regexp.MustCompile(`^[0-9]+$`)

// hostOf is the last part of the name of a cluster.
func hostOf(cluster string) string {
	return cluster[strings.LastIndex(cluster, "|")+1:]
}

func collectClusters(value any, named map[string]bool) {
	switch value := value.(type) {
	case object:
		if name, leads := value["cluster"].(string); leads {
			named[name] = true
		}
		if weighted, are := value["weightedClusters"].(object); are {
			clusters, _ := weighted["clusters"].([]any)
			for _, one := range clusters {
				if share, is := one.(object); is {
					named[fmt.Sprint(share["name"])] = true
				}
			}
		}
		for _, inner := range value {
			collectClusters(inner, named)
		}
	case []any:
		for _, inner := range value {
			collectClusters(inner, named)
		}
	}
}

// tree is a message as a tree of JSON.
func tree(message proto.Message) (object, error) {
	text, err := protojson.Marshal(message)
	if err != nil {
		return nil, err
	}
	content := object{}
	return content, json.Unmarshal(text, &content)
}

// copied is a table of routes that several filter chains share, for one of them.
func copied(table any) any {
	text, err := json.Marshal(table)
	if err != nil {
		return nil
	}
	var content any
	if json.Unmarshal(text, &content) != nil {
		return nil
	}
	return content
}

func sorted[V any](content map[string]V) []string {
	keys := make([]string, 0, len(content))
	for key := range content {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}
