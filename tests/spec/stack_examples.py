"""Stacks for the tests: a valid one of each topology, and a way to change one thing in it."""

import copy
import re
from collections.abc import Mapping
from typing import Any

import yaml

Raw = dict[str, Any]

ABSENT = object()
"""Removes a key."""

HYBRID: Raw = yaml.safe_load(
    """
topology: hybrid
region: us-east-1
zones: [us-east-1a, us-east-1b]
network: {cidr: 10.20.0.0/16, nat: single}
control_plane:
  front_door: http-api
  memory: 256MiB
  timeout: 10s
  guardrails: {reserved_concurrency: 20, log_retention: 14d, alarm: true}
  budget: {limit: $500/month, notify: [ops@example.com]}
data_plane:
  cluster: {provider: eks, version: "1.34"}
  gateway: {port: 8080, replicas: 2, node_port: 30080, exposure: vpc-link}
  pools:
    - name: cpu-a
      kind: managed
      instance: m7g.large
      zones: [us-east-1a]
      nodes: {min: 1, desired: 2, max: 4}
    - name: gpu-a
      kind: managed
      instance: g6.xlarge
      zones: [us-east-1a]
      nodes: {min: 1, desired: 1, max: 4}
      accelerator: {type: L4, count: 1, memory: 24GiB}
      capacity: capacity-block
      capacity_block: {id: cr-0123456789abcdef0, zone: us-east-1a}
      placement_group: cluster
      efa: true
      labels: {example.com/team: research}
      taints: [{key: example.com/team, value: research}]
state:
  - {name: weights, kind: weights-store}
  - {name: features, kind: cache, zones: [us-east-1a]}
workloads:
  - name: embed
    serve:
      container: {image: "halfmetal/embedder:0.1.0", port: 8000, env: {LOG_LEVEL: info}}
      function: {bundle: examples/embedder, handler: embedder.function.handler, memory: 2048MiB, timeout: 30s}
    needs: {cpu: 1, memory: 1GiB}
    traffic: {rate: 20/s, peak: 60/s, utilization: 35%, service_time: 25ms}
    latency: {p99: 300ms, cold_start_tolerance: 2s, jitter: 50us}
    state: {reads: [features], bytes: 64KiB, local_cache: false}
    compliance: [pci-dss, soc2-type-2]
    placement: {home: pool, pool: cpu-a, replicas: 2, max_concurrency: 8}
  - name: caption
    serve:
      container:
        image: "example.com:5000/a@sha256:0000000000000000000000000000000000000000000000000000000000000000"
    needs: {cpu: 500m, memory: 12GiB, accelerator: {type: L4, memory: 20GiB}}
    placement: {home: pool, pool: gpu-a}
  - name: spiky
    serve: {function: {bundle: examples/embedder, handler: embedder.function.handler, memory: 1GiB}}
    needs: {cpu: 0.5, memory: 512MiB}
    placement: {home: function}
policies:
  config_time: true
  rules: {state-locality: {enforcement: advisory}}
"""
)

PURE: Raw = yaml.safe_load(
    """
topology: pure
region: us-east-1
zones: [us-east-1a]
workloads:
  - name: embed
    serve: {function: {bundle: examples/embedder, handler: embedder.function.handler, memory: 2GiB}}
    needs: {cpu: 1, memory: 1GiB}
"""
)

DEDICATED: Raw = yaml.safe_load(
    """
topology: dedicated
region: us-east-1
zones: [us-east-1a, us-east-1b]
data_plane:
  cluster: {provider: existing, context: halfmetal}
  gateway: {exposure: load-balancer}
  pools:
    - name: metal-a
      kind: metal
      zones: [us-east-1a]
      nodes: {desired: 3}
      accelerator: {type: H100, count: 8, memory: 80GiB}
workloads:
  - name: embed
    serve: {container: {image: "halfmetal/embedder:0.1.0"}}
    needs: {cpu: 1, memory: 1GiB, accelerator: {type: H100, count: 8}}
    placement: {home: metal, pool: metal-a}
"""
)


def changed(stack: Raw, changes: Mapping[str, object]) -> Raw:
    """A copy of `stack` with other values at some paths; `ABSENT` removes, a new index or key adds."""
    whole = copy.deepcopy(stack)
    for path, value in changes.items():
        *outer, last = [
            int(index) if index else key for index, key in re.findall(r"\[(\d+)\]|([\w-]+)", path)
        ]
        inner: Any = whole
        for part in outer:
            inner = inner.setdefault(part, {}) if isinstance(inner, dict) else inner[part]
        if value is ABSENT:
            del inner[last]
        elif isinstance(inner, list) and last == len(inner):
            inner.append(copy.deepcopy(value))
        else:
            inner[last] = copy.deepcopy(value)
    return whole
