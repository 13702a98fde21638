package main

import (
	"errors"
	"fmt"
	"net/http"
	"testing"

	listener "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"

	"istio.io/istio/pilot/pkg/simulation"
	"istio.io/istio/pilot/test/xdstest"
)

// connection is one that somebody makes, to a gateway or through a sidecar.
type connection struct {
	// The address that is called; any of the proxy's own if empty.
	Address string `json:"address"`
	Port    int    `json:"port"`
	// The name that TLS asks for; without TLS if it is left out.
	ServerName *string `json:"server_name"`
	// The host that is asked for in HTTP; left out for anything else.
	Host *string `json:"host"`
}

// passage is what becomes of a connection, by Istio's simulation of Envoy.
type passage struct {
	// Why it comes to nothing; empty if it does not.
	Refused string `json:"refused"`
	// Which virtual host answers it, if it is read as HTTP. What happens in there is for Envoy to say.
	VirtualHost string `json:"virtual_host"`
	// Where it is passed on, if it is not read.
	Clusters []share `json:"clusters"`
}

// share is a cluster and its weight; one that is alone has weight 1.
type share struct {
	Cluster string `json:"cluster"`
	Weight  uint32 `json:"weight"`
}

func try(sent *simulation.Simulation, gateway bool, one connection) passage {
	call := simulation.Call{
		Address:  one.Address,
		Port:     one.Port,
		Protocol: simulation.TCP,
		TLS:      simulation.Plaintext,
		CallMode: simulation.CallModeOutbound,
		Headers:  http.Header{},
	}
	if gateway {
		call.CallMode = simulation.CallModeGateway
	}
	if one.Host != nil {
		call.Protocol, call.HostHeader = simulation.HTTP, *one.Host
	}
	if one.ServerName != nil {
		call.TLS, call.Sni = simulation.TLS, *one.ServerName
	}
	var seen passage
	if err := contained(func() (err error) { seen, err = passed(sent, call); return err }); err != nil {
		seen = passage{Refused: err.Error()}
	}
	return seen
}

func passed(sent *simulation.Simulation, call simulation.Call) (passage, error) {
	result := sent.Run(call)
	// Its comparison of routes looks at nothing but the path, and is not used.
	if result.VirtualHostMatched != "" && (result.Error == nil || errors.Is(result.Error, simulation.ErrNoRoute)) {
		return passage{VirtualHost: result.VirtualHostMatched}, nil
	}
	if result.Error != nil {
		return passage{}, result.Error
	}
	within := xdstest.ExtractListener(result.ListenerMatched, sent.Listeners)
	chain := xdstest.ExtractFilterChain(result.FilterChainMatched, within)
	if chain == nil {
		chain = within.GetDefaultFilterChain()
	}
	filter := xdstest.ExtractTCPProxy(new(testing.T), chain)
	if filter == nil {
		return passage{}, fmt.Errorf("filter chain %q reads neither HTTP nor TCP", result.FilterChainMatched)
	}
	if filter.GetWeightedClusters() == nil {
		return passage{Clusters: []share{{filter.GetCluster(), 1}}}, nil
	}
	var clusters []share
	for _, one := range filter.GetWeightedClusters().GetClusters() {
		clusters = append(clusters, share{one.GetName(), one.GetWeight()})
	}
	return passage{Clusters: clusters}, nil
}

// told gives every filter chain a name of its own in its listener: the simulation answers with names.
func told(listeners []*listener.Listener) {
	for _, one := range listeners {
		seen := map[string]bool{"": true}
		chains := one.GetFilterChains()
		if last := one.GetDefaultFilterChain(); last != nil {
			chains = append(chains[:len(chains):len(chains)], last)
		}
		for number, chain := range chains {
			if seen[chain.GetName()] {
				chain.Name = fmt.Sprintf("%s (%d)", chain.GetName(), number)
			}
			seen[chain.GetName()] = true
		}
	}
}
