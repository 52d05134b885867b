"""The node agent: what makes some of the sandbox's cluster real.

The control plane is Kubernetes' own and KWOK plays the kubelets. For the pods whose image can be run on
this machine the agent is the kubelet instead: it starts their containers as processes on loopback, probes
them, and reports what it finds. It also plays what surrounds kubelets: the nodes of EKS node groups, the
cluster's DNS, kube-proxy, and the cloud's load balancers. One asyncio process, one identity of its own;
nothing it starts outlives it.

| module | plays |
|---|---|
| `pods`, `worker`, `runtime`, `probes`, `volumes`, `podspec`, `podstatus`, `images`, `children` | kubelet |
| `nodegroups` | EC2 instances that join the cluster |
| `services`, `proxy`, `endpoints` | kube-proxy and load balancers |
| `dns` | CoreDNS |
| `api`, `cache` | the client of the API server that they share |
"""
