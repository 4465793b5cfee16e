// Pulumi's Kubernetes provider: the module's own server with the module's own schema. Its own main package wants files
// that are generated at release, so it does not build from the module.
package main

import (
	"encoding/json"
	"os"

	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
)

// What the Python SDK asks for; set by the linker.
var version string

func main() {
	executable, err := os.Executable()
	if err != nil {
		panic(err)
	}
	text, err := os.ReadFile(executable + ".schema.json")
	if err != nil {
		panic(err)
	}
	var schema map[string]any
	if err := json.Unmarshal(text, &schema); err != nil {
		panic(err)
	}
	schema["version"] = version
	if text, err = json.Marshal(schema); err != nil {
		panic(err)
	}
	provider.Serve("kubernetes", version, text, []byte("{}"))
}
