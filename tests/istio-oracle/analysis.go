package main

import (
	"fmt"
	"strings"

	"istio.io/istio/pkg/config/analysis/analyzers"
	"istio.io/istio/pkg/config/analysis/local"
	"istio.io/istio/pkg/config/resource"
)

// analysis is what all of Istio's analyzers say of the resources in this cluster, and the names of those that did not run for
// want of something that they look at.
func analysis(resources, cluster string) ([]finding, []string, error) {
	analyzer := local.NewIstiodAnalyzer(analyzers.AllCombined(), "", resource.Namespace(rootNamespace), nil)
	// The reader for tests also takes what only a cluster has, such as pods. What `istioctl` adds by itself is left out: it has a
	// gateway of its own.
	err := analyzer.AddTestReaderKubeSource([]local.ReaderSource{
		{Name: "resources", Reader: strings.NewReader(resources)},
		{Name: "cluster", Reader: strings.NewReader(cluster)},
	})
	if err != nil {
		return nil, nil, err
	}
	stop := make(chan struct{})
	defer close(stop)
	result, err := analyzer.Analyze(stop)
	if err != nil {
		return nil, nil, err
	}
	findings := []finding{}
	for _, message := range result.Messages {
		about := "-"
		if message.Resource != nil {
			about = message.Resource.Origin.FriendlyName()
		}
		findings = append(findings, finding{
			Judge:    message.Type.Code(),
			Level:    message.Type.Level().String(),
			Resource: about,
			Message:  fmt.Sprintf(message.Type.Template(), message.Parameters...),
		})
	}
	return findings, append([]string{}, result.SkippedAnalyzers...), nil
}
