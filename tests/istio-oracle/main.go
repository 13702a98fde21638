// Command istio-oracle says what Istio's own code makes of resources: one job per line on standard input, in JSON, and one
// answer per line on standard output, in the same order. It ends with its input.
//
//	resources -admission--> refusals        what the API server and istiod's webhook would not take
//	          -analysis---> findings        what `istioctl analyze` would say
//	          -istiod-----> workloads       the configuration of each proxy: what becomes of connections there, and the same
//	                                        configuration on the loopback, for an Envoy that runs
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"

	"istio.io/istio/pkg/log"
)

// job is one question. Parts that are empty are not asked.
type job struct {
	// Said again in the answer.
	Name string `json:"name"`
	// Resources of Istio, a stream of YAML documents.
	Resources string `json:"resources"`
	// What else is in the cluster (services, pods, endpoints, namespaces, secrets), a stream of YAML documents.
	Cluster string `json:"cluster"`
	// Whether the resources are judged: admission and analysis.
	Judge bool `json:"judge"`
	// The proxies that are configured.
	Workloads []workload `json:"workloads"`
}

// answer is what there is to say. A failure is one of the program or of the job, not of the resources.
type answer struct {
	Name      string       `json:"name"`
	Failure   string       `json:"failure"`
	Refusals  []finding    `json:"refusals"`
	Findings  []finding    `json:"findings"`
	Skipped   []string     `json:"skipped"`
	Workloads []configured `json:"workloads"`
}

// finding is one remark about one resource.
type finding struct {
	// Who says so: `CRD`, `webhook`, or the code of an analyzer's message.
	Judge string `json:"judge"`
	// How bad it is, in the judge's words.
	Level    string `json:"level"`
	Resource string `json:"resource"`
	Message  string `json:"message"`
}

func main() {
	for _, scope := range log.Scopes() {
		scope.SetOutputLevel(log.NoneLevel)
	}
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	for {
		line, end := in.ReadBytes('\n')
		if len(line) > 1 {
			if err := out.Encode(answered(line)); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
		}
		if end != nil {
			return
		}
	}
}

func answered(line []byte) answer {
	var asked job
	if err := json.Unmarshal(line, &asked); err != nil {
		return answer{Failure: "the job cannot be read: " + err.Error()}
	}
	said := answer{Name: asked.Name}
	parts := []func() error{}
	if asked.Judge {
		parts = append(parts,
			func() (err error) { said.Refusals, err = admission(asked.Resources); return err },
			func() (err error) {
				said.Findings, said.Skipped, err = analysis(asked.Resources, asked.Cluster)
				return err
			})
	}
	if len(asked.Workloads) > 0 {
		parts = append(parts, func() (err error) { said.Workloads, err = configure(&asked); return err })
	}
	for _, part := range parts {
		if err := contained(part); err != nil {
			said.Failure = err.Error()
			break
		}
	}
	return said
}

// contained turns a panic, and the end of a goroutine by which Istio's helpers for tests give up, into an error.
func contained(part func() error) error {
	result := make(chan error, 1)
	go func() {
		err := fmt.Errorf("gave up without a word")
		defer func() {
			if panicked := recover(); panicked != nil {
				err = fmt.Errorf("panic: %v\n%s", panicked, debug.Stack())
			}
			result <- err
		}()
		err = part()
	}()
	return <-result
}
