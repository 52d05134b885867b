// The Kubernetes resource provider as a plugin binary.
//
// Upstream's own main needs files that its release build generates; the provider package does not.
package main

import "github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"

// version is what the engine is told. The build sets it to the version of the Python SDK that is installed,
// for the two are released together.
var version = "0.0.0-unset"

func main() {
	provider.Serve("kubernetes", version, []byte(`{"name":"kubernetes"}`), []byte("{}"))
}
