"""The sandbox's Kubernetes cluster: keys, access, fleets and what stands in for kubelets."""
