"""The Kubernetes side: network, cluster, pools of nodes, gateway and model services."""
