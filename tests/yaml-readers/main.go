// Do the YAML readers that Kubernetes tools use read the texts of a YAML file as the JSON file beside it says?
//
// usage: go run . FILE.yaml FILE.json
//
// The YAML file has `values`, a list of texts, and `keys`, a mapping from text to a number. The JSON file has both as lists, the
// keys in the order of their numbers.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	yaml2 "gopkg.in/yaml.v2"
	yaml3 "gopkg.in/yaml.v3"
	sigs "sigs.k8s.io/yaml"
)

const shown = 20

type expectation struct {
	Values []string `json:"values"`
	Keys   []string `json:"keys"`
}

// document is what a reader makes of the YAML file without being told any type.
type document struct {
	values []any
	keys   map[any]any
}

func main() {
	if len(os.Args) != 3 {
		fail("usage: yaml-readers FILE.yaml FILE.json")
	}
	text, expected := read(os.Args[1]), expectation{}
	if err := json.Unmarshal(read(os.Args[2]), &expected); err != nil {
		fail("%s: %v", os.Args[2], err)
	}
	readers := []struct {
		name string
		read func([]byte) (document, error)
	}{
		{"gopkg.in/yaml.v2", readYAML2},
		{"gopkg.in/yaml.v3", readYAML3},
		{"sigs.k8s.io/yaml", readSigs},
	}
	failed := false
	for _, reader := range readers {
		found, err := reader.read(text)
		if err != nil {
			fail("%s: %v", reader.name, err)
		}
		differences := compare(found, expected)
		failed = failed || len(differences) > 0
		fmt.Printf("%s: %d differences\n", reader.name, len(differences))
		for _, difference := range differences[:min(shown, len(differences))] {
			fmt.Println("  " + difference)
		}
	}
	if failed {
		os.Exit(1)
	}
}

func readYAML2(text []byte) (document, error) {
	var top map[string]any
	err := yaml2.Unmarshal(text, &top)
	return toDocument(top), err
}

func readYAML3(text []byte) (document, error) {
	// Without a type, yaml.v3 makes a map[string]any of a mapping and fails if a key is no text.
	var top struct {
		Values []any       `yaml:"values"`
		Keys   map[any]any `yaml:"keys"`
	}
	err := yaml3.Unmarshal(text, &top)
	return document{top.Values, top.Keys}, err
}

func readSigs(text []byte) (document, error) {
	var top map[string]any
	err := sigs.Unmarshal(text, &top)
	return toDocument(top), err
}

func toDocument(top map[string]any) document {
	values, _ := top["values"].([]any)
	keys, _ := top["keys"].(map[any]any)
	if texts, ok := top["keys"].(map[string]any); ok {
		keys = map[any]any{}
		for key, number := range texts {
			keys[key] = number
		}
	}
	return document{values, keys}
}

func compare(found document, expected expectation) (differences []string) {
	differ := func(what string, wanted, got any) {
		differences = append(differences, fmt.Sprintf("%s %#v is read as %#v", what, wanted, got))
	}
	if len(found.values) != len(expected.Values) {
		differ("number of values", len(expected.Values), len(found.values))
		return differences
	}
	for number, text := range expected.Values {
		if found.values[number] != any(text) {
			differ("value", text, found.values[number])
		}
	}
	if len(found.keys) != len(expected.Keys) {
		differ("number of keys", len(expected.Keys), len(found.keys))
	}
	for number, text := range expected.Keys {
		if got, there := found.keys[text]; !there || fmt.Sprint(got) != fmt.Sprint(number) {
			differ("key", text, got)
		}
	}
	return differences
}

func read(path string) []byte {
	text, err := os.ReadFile(path)
	if err != nil {
		fail("%v", err)
	}
	return text
}

func fail(format string, arguments ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", arguments...)
	os.Exit(1)
}
