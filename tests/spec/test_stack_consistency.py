"""Parts of a stack that do not fit each other, and that one mistake neither hides nor causes another."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from stack_examples import ABSENT, DEDICATED, HYBRID, PURE, Raw, changed

from components.spec import StackError, load

EMBED, CAPTION, SPIKY = "workloads[0]", "workloads[1]", "workloads[2]"
ECR = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
LONG_KEY = f"example.com/{'a' * 52}"
CPU, GPU = "data_plane.pools[0]", "data_plane.pools[1]"


def found_in(raw: Raw) -> list[tuple[str, str]]:
    try:
        load(raw)
    except StackError as error:
        assert all(problem.remedy for problem in error.problems)
        return [(problem.path, problem.message) for problem in error.problems]
    return []


@dataclass(frozen=True)
class Case:
    """A change that makes one part of a stack not fit another."""

    name: str
    path: str
    message: str
    changes: Mapping[str, object]
    stack: Raw = field(default_factory=lambda: HYBRID)


CASES = [
    # The whole
    Case("zone of another region", "zones[1]", "not a zone of us-east-1", {"zones[1]": "us-west-2b"}),
    Case(
        "region of none of the zones",
        "region",
        "not the region",
        {"region": "us-west-2", f"{GPU}.capacity_block": ABSENT, f"{GPU}.capacity": "spot"},
    ),
    Case(
        "policies that Kubernetes does not have yet",
        "data_plane.admission.rules",
        "takes Kubernetes 1.30",
        {"data_plane.cluster.version": "1.29"},
    ),
    Case(
        "defaults that Kubernetes does not have yet",
        "data_plane.admission.defaults",
        "takes Kubernetes 1.36",
        {"data_plane.admission": {"defaults": True}},
    ),
    Case("EKS in one zone", "zones", "EKS puts", {"zones": ["us-east-1a"]}),
    Case(
        "nodes that reach no image",
        "network.nat",
        "fetching haproxy:2.8, halfmetal/embedder:0.1.0",
        {"network.nat": "none"},
    ),
    Case(
        "nodes that reach no device plugin",
        "network.nat",
        "fetching NVIDIA's device plugin",
        {
            "network.nat": "none",
            "data_plane.gateway.image": f"{ECR}/haproxy:2.8",
            f"{EMBED}.serve.container.image": f"{ECR}/embedder:0.1.0",
            f"{CAPTION}.serve.container.image": f"{ECR}/caption:1",
        },
    ),
    Case(
        "nodes that reach the registry of their own region only",
        "network.nat",
        "fetching 123456789012.dkr.ecr.eu-west-1.amazonaws.com/embedder:0.1.0, NVIDIA",
        {
            "network.nat": "none",
            "data_plane.gateway.image": f"{ECR}/haproxy:2.8",
            f"{EMBED}.serve.container.image": f"{ECR.replace('us-east-1', 'eu-west-1')}/embedder:0.1.0",
            f"{CAPTION}.serve.container.image": f"{ECR}/caption:1",
        },
    ),
    Case(
        "more requests at once than the gateway holds",
        f"{EMBED}.placement.max_concurrency",
        "makes 24,008 requests at once behind the gateway, which holds 24,000",
        {f"{EMBED}.placement.max_concurrency": 11_996, f"{CAPTION}.placement.replicas": 2},
    ),
    Case(
        "more pods than the gateway holds requests for",
        f"{CAPTION}.placement.replicas",
        "which holds 24,000",
        {f"{CAPTION}.placement.replicas": 3_000},
    ),
    Case("EKS in a local zone", "zones[2]", "local zone", {"zones[2]": "us-east-1-bos-1a"}),
    Case(
        "EKS with every node tainted",
        "data_plane.pools",
        "all tainted",
        {f"{CPU}.taints": [{"key": "example.com/team", "value": "research"}]},
    ),
    Case(
        "network too small for its zones", "network.cidr", "too small for 4", {"network.cidr": "10.20.0.0/27"}
    ),
    Case("hybrid without data plane", "data_plane", "missing in a hybrid", {"data_plane": ABSENT}),
    Case(
        "dedicated without data plane",
        "data_plane",
        "missing in a dedicated",
        {"data_plane": ABSENT},
        DEDICATED,
    ),
    Case(
        "pure with data plane",
        "data_plane",
        "no cluster exists",
        {"data_plane": DEDICATED["data_plane"]},
        PURE,
    ),
    Case(
        "VPC link to an existing cluster",
        "data_plane.gateway.exposure",
        "existing cluster",
        {"topology": "hybrid", "data_plane.gateway.exposure": "vpc-link"},
        DEDICATED,
    ),
    Case(
        "VPC link in a dedicated stack",
        "data_plane.gateway.exposure",
        "API Gateway on the data",
        {"data_plane.gateway.exposure": "vpc-link"},
        DEDICATED,
    ),
    Case(
        "two workloads of one name", f"{CAPTION}.name", "name of workloads[0]", {f"{CAPTION}.name": "embed"}
    ),
    Case(
        "two pools of one name",
        f"{GPU}.name",
        "name of data_plane.pools[0]",
        {f"{GPU}.name": "cpu-a", f"{CAPTION}.placement.pool": ABSENT},
    ),
    Case(
        "two stores of one name",
        "state[1].name",
        "name of state[0]",
        {"state[1].name": "weights", f"{EMBED}.state.reads": ["weights"]},
    ),
    # Stores
    Case(
        "store outside the stack's zones",
        "state[1].zones[0]",
        "not one of the stack's zones",
        {"state[1].zones": ["us-east-1c"]},
    ),
    Case("cache in no zone", "state[1].zones", "is missing: a cache", {"state[1].zones": ABSENT}),
    # Pools
    Case(
        "pool outside the stack's zones",
        f"{CPU}.zones[0]",
        "not one of the stack's zones",
        {f"{CPU}.zones": ["us-east-1c"]},
    ),
    Case(
        "pool outside the region",
        f"{CPU}.zones[0]",
        "not one of the stack's zones",
        {f"{CPU}.zones": ["eu-west-1a"]},
    ),
    Case("EKS pool of no instance type", f"{CPU}.instance", "is missing: EKS", {f"{CPU}.instance": ABSENT}),
    Case(
        "metal on EKS of no instance type",
        f"{CPU}.instance",
        "is missing: EKS",
        {
            f"{CPU}.kind": "metal",
            f"{CPU}.instance": ABSENT,
            f"{CPU}.capacity": "on-demand",
            f"{EMBED}.placement.home": "metal",
        },
    ),
    Case(
        "managed pool on an existing cluster",
        f"{CPU}.kind",
        "makes no node",
        {f"{CPU}.kind": "managed", "workloads[0].placement": {}},
        DEDICATED,
    ),
    Case("existing nodes on EKS", f"{CPU}.capacity", "has no nodes on EKS", {f"{CPU}.capacity": "existing"}),
    Case(
        "spot nodes on an existing cluster",
        f"{CPU}.capacity",
        "cannot be had",
        {f"{CPU}.capacity": "spot"},
        DEDICATED,
    ),
    Case(
        "capacity block that is not named",
        f"{GPU}.capacity_block",
        "is missing",
        {f"{GPU}.capacity_block": ABSENT},
    ),
    Case("capacity block that is not used", f"{GPU}.capacity", "unused", {f"{GPU}.capacity": "on-demand"}),
    Case(
        "capacity block of another region",
        f"{GPU}.capacity_block.zone",
        "not a zone of us-east-1",
        {f"{GPU}.capacity_block.zone": "us-west-2a"},
    ),
    Case(
        "EFA over two zones", f"{GPU}.efa", "exactly one zone", {f"{GPU}.zones": ["us-east-1a", "us-east-1b"]}
    ),
    Case(
        "more nodes wanted than allowed",
        f"{CPU}.nodes",
        "not in order",
        {f"{CPU}.nodes": {"min": 1, "desired": 5, "max": 4}},
    ),
    Case(
        "more nodes needed than wanted",
        f"{CPU}.nodes",
        "not in order",
        {f"{CPU}.nodes": {"min": 3, "desired": 2, "max": 4}},
    ),
    Case(
        "nodes in the reverse order",
        f"{CPU}.nodes",
        "not in order",
        {f"{CPU}.nodes": {"min": 3, "desired": 2, "max": 1}},
    ),
    Case(
        "pool that can have no node", f"{CPU}.nodes.max", "no node at all", {f"{CPU}.nodes": {"desired": 0}}
    ),
    Case("pinned cores in a shared pool", f"{CPU}.pinned", "is for metal", {f"{CPU}.pinned": True}),
    Case(
        "key of another region",
        f"{CPU}.encryption_key",
        "not a key of us-east-1",
        {f"{CPU}.encryption_key": "arn:aws:kms:eu-west-1:111122223333:key/1234abcd"},
    ),
    Case(
        "key for disks of others",
        f"{CPU}.encryption_key",
        "makes no node of an existing cluster",
        {f"{CPU}.encryption_key": "arn:aws:kms:us-east-1:111122223333:key/1234abcd"},
        DEDICATED,
    ),
    Case(
        "two taints that differ in value alone",
        f"{GPU}.taints[1]",
        "one that taints[0] is",
        {f"{GPU}.taints[1]": {"key": "example.com/team", "value": "sales"}},
    ),
    Case(
        "taint that GPU nodes have",
        f"{GPU}.taints[0]",
        "GPU nodes have",
        {f"{GPU}.taints": [{"key": "nvidia.com/gpu", "value": "true"}]},
    ),
    Case(
        "two effects of one taint's key",
        f"{GPU}.taints[1]",
        "second effect of a key, beside NoSchedule",
        {f"{GPU}.taints[1]": {"key": "example.com/team", "value": "research", "effect": "NoExecute"}},
    ),
    Case(
        "another effect of the taint that GPU nodes have",
        f"{GPU}.taints[0]",
        "an autoscaler hears of one only",
        {f"{GPU}.taints": [{"key": "nvidia.com/gpu", "value": "true", "effect": "NoExecute"}]},
    ),
    Case(
        "label's key that EKS does not take",
        f'{CPU}.labels["{LONG_KEY}"]',
        "has 64 characters",
        {f"{CPU}.labels": {LONG_KEY: "x"}},
    ),
    Case(
        "label without value on EKS",
        f'{CPU}.labels["example.com/team"]',
        "no value",
        {f"{CPU}.labels": {"example.com/team": ""}},
    ),
    Case(
        "taint's key that EKS does not take",
        f"{GPU}.taints[0].key",
        "EKS takes 63",
        {f"{GPU}.taints[0].key": LONG_KEY},
    ),
    Case(
        "label that halfmetal sets",
        f'{CPU}.labels["halfmetal.dev/pool"]',
        "sets itself",
        {f"{CPU}.labels": {"halfmetal.dev/pool": "x"}},
    ),
    Case(
        "label that Kubernetes sets",
        f'{CPU}.labels["topology.kubernetes.io/zone"]',
        "sets itself",
        {f"{CPU}.labels": {"topology.kubernetes.io/zone": "x"}},
    ),
    # Homes
    Case(
        "workload of the gateway's name",
        f"{EMBED}.name",
        "the gateway is called",
        {f"{EMBED}.name": "gateway"},
    ),
    Case(
        "workload that the gateway's Service would send to",
        f"{EMBED}.name",
        "the gateway is called",
        {f"{EMBED}.name": "halfmetal-gateway"},
    ),
    *(
        Case(
            f"function that sets {name}",
            f"{SPIKY}.serve.function.env.{name}",
            "set by Lambda itself",
            {f"{SPIKY}.serve.function.env": {"LOG_LEVEL": "info", name: "x"}},
        )
        for name in ("AWS_REGION", "AWS_SESSION_TOKEN", "_HANDLER", "LAMBDA_TASK_ROOT")
    ),
    Case("workload of no form", f"{SPIKY}.serve", "run nowhere", {f"{SPIKY}.serve": {}}),
    Case(
        "function home without a function",
        f"{EMBED}.placement.home",
        "needs serve.function",
        {f"{EMBED}.serve.function": ABSENT, f"{EMBED}.placement": {"home": "reserved-function"}},
    ),
    Case(
        "pool home without a container",
        f"{EMBED}.placement.home",
        "needs serve.container",
        {f"{EMBED}.serve.container": ABSENT},
    ),
    Case(
        "pool home in a pure stack",
        f"{EMBED}.placement.home",
        "pure stack",
        {
            f"{EMBED}.serve": HYBRID["workloads"][0]["serve"],
            f"{EMBED}.placement": {"home": "pool", "pool": "cpu-a"},
        },
        PURE,
    ),
    Case(
        "pool named in a pure stack",
        f"{EMBED}.placement.pool",
        "no pool of this stack",
        {f"{EMBED}.placement": {"pool": "cpu-a"}},
        PURE,
    ),
    Case(
        "container alone in a pure stack",
        f"{EMBED}.serve.function",
        "pure stack",
        {f"{EMBED}.serve": {"container": {"image": "a/b:1"}}},
        PURE,
    ),
    Case(
        "function home in a dedicated stack",
        f"{EMBED}.placement.home",
        "never touches",
        {f"{EMBED}.serve": HYBRID["workloads"][0]["serve"], f"{EMBED}.placement": {"home": "function"}},
        DEDICATED,
    ),
    Case(
        "function alone in a dedicated stack",
        f"{EMBED}.serve.container",
        "nodes only",
        {f"{EMBED}.serve": HYBRID["workloads"][2]["serve"], f"{EMBED}.placement": ABSENT},
        DEDICATED,
    ),
    Case(
        "metal home on a managed pool",
        f"{EMBED}.placement.pool",
        "kind managed",
        {f"{EMBED}.placement.home": "metal"},
    ),
    Case(
        "pool home on a metal pool",
        f"{EMBED}.placement.pool",
        "kind metal",
        {f"{EMBED}.placement.home": "pool"},
        DEDICATED,
    ),
    Case(
        "metal home in a stack of managed pools",
        f"{EMBED}.placement.home",
        "kind metal, and the stack has none",
        {f"{EMBED}.placement": {"home": "metal"}},
    ),
    Case(
        "pool that does not exist",
        f"{EMBED}.placement.pool",
        "no pool of this stack",
        {f"{EMBED}.placement.pool": "cpu-b"},
    ),
    Case(
        "function in a pool",
        f"{SPIKY}.placement.pool",
        "runs in no pool",
        {f"{SPIKY}.placement.pool": "cpu-a"},
    ),
    Case(
        "function with replicas",
        f"{SPIKY}.placement.replicas",
        "is for pods",
        {f"{SPIKY}.placement.replicas": 2},
    ),
    Case(
        "function with pod concurrency",
        f"{SPIKY}.placement.max_concurrency",
        "one request at a time",
        {f"{SPIKY}.placement.max_concurrency": 8},
    ),
    # Twins
    Case(
        "twin of a function",
        f"{SPIKY}.placement.twin",
        "takes what pods cannot, and a function has none",
        {f"{SPIKY}.placement.twin": {}},
    ),
    Case(
        "twin without a function",
        f"{EMBED}.placement.twin",
        "needs serve.function",
        {f"{EMBED}.serve.function": ABSENT, f"{EMBED}.placement.twin": {}},
    ),
    Case(
        "twin without a container before it",
        f"{SPIKY}.placement.twin",
        "needs serve.container",
        {f"{SPIKY}.placement": {"twin": {"queue": 2}}},
    ),
    Case(
        "twin in a pure stack",
        f"{EMBED}.placement.twin",
        "a pure stack has none",
        {f"{EMBED}.serve": HYBRID["workloads"][0]["serve"], f"{EMBED}.placement": {"twin": {}}},
        PURE,
    ),
    Case(
        "twin in a dedicated stack",
        f"{EMBED}.placement.twin",
        "never touches",
        {
            f"{EMBED}.serve.function": HYBRID["workloads"][0]["serve"]["function"],
            f"{EMBED}.placement.twin": {},
        },
        DEDICATED,
    ),
    Case(
        "twin beyond a network that nothing leaves",
        f"{EMBED}.placement.twin",
        "called over the internet",
        {
            "network.nat": "none",
            "data_plane.gateway.image": f"{ECR}/haproxy:2.8",
            f"{EMBED}.serve.container.image": f"{ECR}/embedder:0.1.0",
            f"{EMBED}.placement.twin": {},
            f"{CAPTION}": HYBRID["workloads"][2] | {"name": "other"},
            f"{GPU}": HYBRID["data_plane"]["pools"][0] | {"name": "cpu-b"},
        },
    ),
    Case(
        "twin behind more than may wait",
        f"{EMBED}.placement.twin.queue",
        "the gateway lets 64 requests wait",
        {f"{EMBED}.placement.twin": {"queue": 64}},
    ),
    Case(
        "twin behind more than may wait for the replicas of the default",
        f"{EMBED}.placement.twin.queue",
        "the gateway lets 64 requests wait",
        {f"{EMBED}.placement": {"home": "pool", "twin": {"queue": 100}}},
    ),
    Case(
        "more requests at pods and twins than the gateway holds",
        f"{EMBED}.placement.max_concurrency",
        "makes 24,020 requests at once behind the gateway",
        {
            f"{EMBED}.placement.max_concurrency": 11_992,
            f"{EMBED}.placement.twin": {},
        },
    ),
    # Accelerators
    Case(
        "GPU on a pool without",
        f"{CAPTION}.needs.accelerator",
        "which has none",
        {f"{CAPTION}.placement.pool": "cpu-a"},
    ),
    Case(
        "GPU of another type",
        f"{CAPTION}.needs.accelerator.type",
        "which has L4",
        {f"{CAPTION}.needs.accelerator.type": "H100"},
    ),
    Case(
        "more GPUs than a node has",
        f"{CAPTION}.needs.accelerator.count",
        "more than a node",
        {f"{CAPTION}.needs.accelerator.count": 2},
    ),
    Case(
        "more memory than the GPU has",
        f"{CAPTION}.needs.accelerator.memory",
        "more than one L4",
        {f"{CAPTION}.needs.accelerator.memory": "40GiB"},
    ),
    Case(
        "GPU on no pool at all",
        f"{CAPTION}.needs.accelerator",
        "no managed pool",
        {f"{CAPTION}.needs.accelerator.type": "H100", f"{CAPTION}.placement": {"home": "pool"}},
    ),
    # State and numbers
    Case(
        "store that does not exist",
        f"{EMBED}.state.reads[0]",
        "no store of this stack",
        {f"{EMBED}.state.reads": ["feature"]},
    ),
    Case(
        "bytes read from nowhere", f"{EMBED}.state.bytes", "read from nowhere", {f"{EMBED}.state.reads": []}
    ),
    Case(
        "peak below the average",
        f"{EMBED}.traffic.peak",
        "below the average",
        {f"{EMBED}.traffic.peak": "10/s"},
    ),
    Case(
        "peak below the busiest hour",
        f"{EMBED}.traffic.peak",
        "below the rate of the busiest hour, 4 times",
        {f"{EMBED}.traffic.hourly": [0] * 18 + [1] * 6},
    ),
    Case(
        "budget below the work itself",
        f"{EMBED}.latency.p99",
        "leaves nothing",
        {f"{EMBED}.latency.p99": "20ms"},
    ),
    Case(
        "jitter above the whole answer",
        f"{EMBED}.latency.jitter",
        "more than the whole",
        {f"{EMBED}.latency.jitter": "1s"},
    ),
    Case(
        "timeout below the work itself",
        f"{EMBED}.serve.function.timeout",
        "ends every request",
        {f"{EMBED}.traffic.service_time": "45s", f"{EMBED}.latency.p99": ABSENT},
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_one_inconsistency(case: Case) -> None:
    [(path, message)] = found_in(changed(case.stack, case.changes))
    assert path == case.path
    assert case.message in message


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({f"{CPU}.instance": "m7g"}, id="pool with a wrong instance is still a pool"),
        pytest.param({f"{CPU}.name": "CPU"}, id="pool with a wrong name may be the one that is meant"),
        pytest.param({f"{GPU}.accelerator": "L4"}, id="pool with wrong accelerators may have the right ones"),
        pytest.param({"data_plane.pools[2]": 7}, id="pool that is none may be the one that is meant"),
        pytest.param({"data_plane.pools": "cpu-a"}, id="pools that are no list"),
        pytest.param({"data_plane": []}, id="data plane that is none is still there"),
        pytest.param({"zones": "us-east-1a"}, id="zones that are no list"),
        pytest.param({"topology": "hybird"}, id="topology that is none"),
        pytest.param({"data_plane.cluster.provider": "gke"}, id="provider that is none"),
        pytest.param({"data_plane.cluster": ABSENT}, id="no cluster"),
        pytest.param({"state[1].name": 7}, id="store with a wrong name may be the one that is read"),
        pytest.param({f"{GPU}.nodes.desired": "2"}, id="nodes that are no number"),
        pytest.param({f"{GPU}.capacity": "block"}, id="capacity that is none"),
        pytest.param({f"{GPU}.zones": "us-east-1a"}, id="pool zones that are no list"),
        pytest.param({f"{EMBED}.serve": 7}, id="serve that is none"),
        pytest.param({f"{EMBED}.placement.home": "pod"}, id="home that is none"),
        pytest.param({f"{EMBED}.name": ABSENT}, id="workload without a name"),
        pytest.param({f"{EMBED}.traffic.rate": 20}, id="rate without a unit"),
        pytest.param({f"{SPIKY}.serve.function.timeout": "soon"}, id="timeout that is none"),
        pytest.param({"network.cidr": "10.20.0.0"}, id="network without size"),
    ],
)
def test_one_mistake_causes_no_other(changes: Mapping[str, object]) -> None:
    assert len(found_in(changed(HYBRID, changes))) == 1


def test_nodes_need_no_way_out_to_images_of_their_own_registry() -> None:
    pools = [HYBRID["data_plane"]["pools"][0]]
    within = {
        "network.nat": "none",
        "data_plane.pools": pools,
        "data_plane.gateway.image": f"{ECR}/haproxy:2.8",
        f"{EMBED}.serve.container.image": f"{ECR}/embedder:0.1.0",
        # On a function, whatever other form it has.
        f"{SPIKY}.serve.container": {"image": "halfmetal/embedder:0.1.0"},
        CAPTION: HYBRID["workloads"][2] | {"name": "second"},
    }
    assert found_in(changed(HYBRID, within)) == []


@pytest.mark.parametrize(
    "mistake",
    [
        pytest.param({f"{EMBED}.needs.memory": 1}, id="in the same workload"),
        pytest.param({f"{CAPTION}.needs": 1}, id="in another workload"),
        pytest.param({f"{GPU}.name": "GPU"}, id="in a pool"),
        pytest.param({"control_plane.memory": 256}, id="in the control plane"),
        pytest.param({"topology": "hybird"}, id="in the topology"),
        pytest.param({"unknown": 1}, id="in an unknown key"),
    ],
)
def test_one_mistake_hides_no_other(mistake: Mapping[str, object]) -> None:
    apart = {
        f"{EMBED}.state.reads": ["feature"],
        f"{EMBED}.traffic.peak": "10/s",
        f"{CPU}.zones": ["us-east-1c"],
        "state[1].zones": ["us-east-1d"],
    }
    paths = {path for path, _ in found_in(changed(HYBRID, {**apart, **mistake}))}
    assert len(paths) == len(apart) + 1
    assert {
        f"{EMBED}.state.reads[0]",
        f"{EMBED}.traffic.peak",
        f"{CPU}.zones[0]",
        "state[1].zones[0]",
    } < paths
