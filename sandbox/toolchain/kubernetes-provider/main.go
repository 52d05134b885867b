// The Kubernetes resource provider as a plugin binary.
//
// Upstream's own main needs files that its release build generates; the provider package does not.
package main

import "github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"

// version is set by the build to the module version this file is linked with.
var version = "4.34.2"

func main() {
	provider.Serve("kubernetes", version, []byte(`{"name":"kubernetes"}`), []byte("{}"))
}
