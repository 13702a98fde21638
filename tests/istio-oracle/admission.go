package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync"

	"github.com/hashicorp/go-multierror"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kubeyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"istio.io/istio/manifests"
	"istio.io/istio/pilot/pkg/config/kube/crd"
	"istio.io/istio/pkg/config"
	definitions "istio.io/istio/pkg/config/crd"
	"istio.io/istio/pkg/config/schema/collections"
	"istio.io/istio/pkg/config/schema/resource"
)

// Where the chart has the custom resource definitions, and how the documents of the networking API are known among them.
const (
	definitionsFile = "charts/base/files/crd-all.gen.yaml"
	networkingGroup = "group: networking.istio.io"
)

// domain is the cluster's, as Istio has it if nobody says otherwise.
const domain = "cluster.local"

// admission is what a cluster would refuse: the API server by the rules of the definition (schema and CEL), istiod's webhook by
// its own. Warnings of the webhook come through, and are not among them.
func admission(resources string) ([]finding, error) {
	rules, err := networkingRules()
	if err != nil {
		return nil, err
	}
	refusals := []finding{}
	err = eachDocument(resources, func(document *unstructured.Unstructured) error {
		refuse := func(judge string, err error) {
			for _, one := range each(err) {
				refusals = append(refusals, finding{judge, "error", nameOf(document), one.Error()})
			}
		}
		refuse("CRD", rules.ValidateCustomResource(document.DeepCopy()))
		read, err := istioConfig(document)
		if err != nil {
			refuse("webhook", err)
			return nil
		}
		schema, _ := collections.PilotGatewayAPI().FindByGroupVersionKind(read.GroupVersionKind)
		_, err = schema.ValidateConfig(*read)
		refuse("webhook", err)
		return nil
	})
	return refusals, err
}

// networkingRules reads the definitions once; what the expressions in them cost to compile is paid by the first job.
var networkingRules = sync.OnceValues(func() (*definitions.Validator, error) {
	all, err := fs.ReadFile(manifests.FS, definitionsFile)
	if err != nil {
		return nil, err
	}
	var wanted []string
	for _, document := range strings.Split(string(all), "\n---\n") {
		if strings.Contains(document, networkingGroup) {
			wanted = append(wanted, document)
		}
	}
	file, err := os.CreateTemp("", "definitions-*.yaml")
	if err != nil {
		return nil, err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	if _, err := file.WriteString(strings.Join(wanted, "\n---\n")); err != nil {
		return nil, err
	}
	return definitions.NewValidatorFromFilesWithOptions([]string{file.Name()}, definitions.WithoutCRDValidation())
})

// istioConfigs reads resources as istiod stores them. Those that do not say when they were created are of one age: then
// istiod goes by name.
func istioConfigs(resources string) ([]config.Config, error) {
	var all []config.Config
	err := eachDocument(resources, func(document *unstructured.Unstructured) error {
		one, err := istioConfig(document)
		if err != nil {
			return fmt.Errorf("%s: %w", nameOf(document), err)
		}
		if one.CreationTimestamp.IsZero() {
			one.CreationTimestamp = age
		}
		all = append(all, *one)
		return nil
	})
	return all, err
}

func istioConfig(document *unstructured.Unstructured) (*config.Config, error) {
	text, err := document.MarshalJSON()
	if err != nil {
		return nil, err
	}
	object := crd.IstioKind{}
	if err := kubeyaml.Unmarshal(text, &object); err != nil {
		return nil, err
	}
	kind := object.GroupVersionKind()
	schema, known := collections.PilotGatewayAPI().FindByGroupVersionAliasesKind(resource.FromKubernetesGVK(&kind))
	if !known {
		return nil, fmt.Errorf("no such kind: %s", kind)
	}
	return crd.ConvertObject(schema, &object, domain)
}

// eachDocument reads a stream of YAML; documents that hold nothing are passed over.
func eachDocument(stream string, use func(*unstructured.Unstructured) error) error {
	documents := kubeyaml.NewYAMLReader(bufio.NewReader(strings.NewReader(stream)))
	for {
		text, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		content, err := yaml.YAMLToJSONStrict(text)
		if err != nil {
			return err
		}
		if string(content) == "null" {
			continue
		}
		// Unlike the decoder of Go it tells whole numbers from others, as the expressions in a definition do.
		document := &unstructured.Unstructured{}
		if err := document.UnmarshalJSON(content); err != nil {
			return err
		}
		if err := use(document); err != nil {
			return err
		}
	}
}

func nameOf(document *unstructured.Unstructured) string {
	return fmt.Sprintf("%s %s/%s", document.GetKind(), document.GetNamespace(), document.GetName())
}

// each takes apart what Istio puts together.
func each(err error) []error {
	var several *multierror.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &several):
		return several.Errors
	default:
		return []error{err}
	}
}
