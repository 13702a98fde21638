// Goreader prints how Go's YAML readers understand a batch of texts: the one kubectl, istioctl and Argo CD sit on
// (sigs.k8s.io/yaml, documents split as Kubernetes does) and the YAML 1.1 one below many operators (yaml.v2).
//
// Standard input: a JSON array of YAML texts. Standard output: a JSON array with, per text, one list of documents or
// one error per reader.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	yamlv2 "gopkg.in/yaml.v2"
	"sigs.k8s.io/yaml"
)

type reading struct {
	Reader    string            `json:"reader"`
	Documents []json.RawMessage `json:"documents"`
	Error     string            `json:"error,omitempty"`
}

func main() {
	var texts []string
	if err := json.NewDecoder(os.Stdin).Decode(&texts); err != nil {
		fmt.Fprintln(os.Stderr, "standard input is not a JSON array of texts:", err)
		os.Exit(2)
	}
	readings := make([][]reading, 0, len(texts))
	for _, text := range texts {
		readings = append(readings, []reading{
			read("sigs.k8s.io/yaml", text, likeKubernetes),
			read("yaml.v2", text, likeYAMLv2),
		})
	}
	if err := json.NewEncoder(os.Stdout).Encode(readings); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}

func read(reader, text string, documents func(string) ([]json.RawMessage, error)) reading {
	found, err := documents(text)
	if err != nil {
		return reading{Reader: reader, Documents: []json.RawMessage{}, Error: err.Error()}
	}
	return reading{Reader: reader, Documents: found}
}

func likeKubernetes(text string) ([]json.RawMessage, error) {
	documents := []json.RawMessage{}
	for _, part := range splitAtMarkers(text) {
		found, err := yaml.YAMLToJSONStrict([]byte(part))
		if err != nil {
			return nil, err
		}
		if !bytes.Equal(bytes.TrimSpace(found), []byte("null")) {
			documents = append(documents, found)
		}
	}
	return documents, nil
}

// A document ends wherever a line starts with `---`, even inside a block string: that is what Kubernetes' splitter
// does, so a writer has to avoid it.
func splitAtMarkers(text string) []string {
	parts := []string{}
	part := strings.Builder{}
	for _, line := range strings.SplitAfter(text, "\n") {
		if strings.HasPrefix(line, "---") {
			parts = append(parts, part.String())
			part.Reset()
			continue
		}
		part.WriteString(line)
	}
	return append(parts, part.String())
}

func likeYAMLv2(text string) ([]json.RawMessage, error) {
	documents := []json.RawMessage{}
	decoder := yamlv2.NewDecoder(strings.NewReader(text))
	decoder.SetStrict(true)
	for {
		var value any
		err := decoder.Decode(&value)
		if errors.Is(err, io.EOF) {
			return documents, nil
		}
		if err != nil {
			return nil, err
		}
		if value == nil {
			continue
		}
		found, err := json.Marshal(withStringKeys(value))
		if err != nil {
			return nil, err
		}
		documents = append(documents, found)
	}
}

// JSON has string keys only; a key that yaml.v2 took for a number, a boolean or a time shows its Go type, so that it
// can never equal the string that was meant.
func withStringKeys(value any) any {
	switch value := value.(type) {
	case map[any]any:
		object := make(map[string]any, len(value))
		for key, item := range value {
			name, ok := key.(string)
			if !ok {
				name = fmt.Sprintf("!%T %v", key, key)
			}
			object[name] = withStringKeys(item)
		}
		return object
	case []any:
		list := make([]any, 0, len(value))
		for _, item := range value {
			list = append(list, withStringKeys(item))
		}
		return list
	default:
		return value
	}
}
