"""The node agent in a running sandbox: real pods, real nodes of node groups, real faults."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import httpx
import psutil
import pytest
import yaml
from dnslib import DNSRecord

from sandbox.environment import CREDENTIALS, REGION
from sandbox.instance import Instance
from sandbox.paths import STATE_VARIABLE

pytestmark = pytest.mark.e2e

HALFMETAL = str(Path(sys.executable).with_name("halfmetal"))
DEADLINE_S = 60.0
NODE_PORT = 30555
MANIFESTS = """
apiVersion: v1
kind: ConfigMap
metadata: {name: gateway}
data:
  haproxy.cfg: |
    defaults
      mode http
      timeout connect 2s
      timeout client 30s
      timeout server 30s
    resolvers cluster
      nameserver pod "${NAMESERVER}"
      hold valid 1s
    frontend in
      bind "${POD_IP}:8080"
      http-request return status 200 content-type text/plain string ok if { path /healthz }
      default_backend embed
    backend embed
      option httpchk GET /v2/health/ready
      default-server resolvers cluster check inter 200ms init-addr none
      server-template embed 2 embed.NAMESPACE.svc.cluster.local:8000
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: gateway}
spec:
  selector: {matchLabels: {app: gateway}}
  template:
    metadata: {labels: {app: gateway}}
    spec:
      volumes: [{name: config, configMap: {name: gateway}}]
      containers:
      - name: haproxy
        image: haproxy:2.6
        ports: [{name: http, containerPort: 8080}]
        env: [{name: POD_IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}]
        volumeMounts: [{name: config, mountPath: /usr/local/etc/haproxy}]
        readinessProbe: {httpGet: {path: /healthz, port: http}, periodSeconds: 1}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: embed}
spec:
  selector: {matchLabels: {app: embed}}
  template:
    metadata: {labels: {app: embed}}
    spec:
      terminationGracePeriodSeconds: 5
      containers:
      - name: embed
        image: halfmetal/embedder:0.1.0
        ports: [{name: http, containerPort: 8000}]
        env: [{name: MODEL_NAME, value: embed}]
        readinessProbe: {httpGet: {path: /v2/health/ready, port: http}, periodSeconds: 1, timeoutSeconds: 5}
---
apiVersion: v1
kind: Service
metadata: {name: embed}
spec: {clusterIP: None, selector: {app: embed}, ports: [{name: http, port: 8000}]}
---
apiVersion: v1
kind: Service
metadata: {name: gateway}
spec:
  type: LoadBalancer
  selector: {app: gateway}
  ports: [{name: http, port: 8080, targetPort: http, nodePort: NODE_PORT}]
"""


@dataclass(frozen=True)
class Sandbox:
    """A sandbox of the tests' own, as its administrator sees it."""

    state: Path

    @property
    def instance(self) -> Instance:
        return Instance.load(self.state)

    def halfmetal(self, *arguments: str) -> None:
        env = {**os.environ, STATE_VARIABLE: str(self.state)}
        subprocess.run([HALFMETAL, "sandbox", *arguments], env=env, check=True, capture_output=True)

    def kubectl(self, *arguments: str, text: str = "") -> str:
        paths = self.instance.paths
        command = [str(paths.bin / "kubectl"), f"--kubeconfig={paths.kubeconfig}", *arguments]
        return subprocess.run(command, input=text, check=True, capture_output=True, text=True).stdout

    def get(self, *arguments: str) -> Any:
        return json.loads(self.kubectl("get", *arguments, "-o", "json"))

    def agent(self) -> psutil.Process:
        record = json.loads((self.instance.paths.run / "node-agent.json").read_text())
        return psutil.Process(record["pid"])

    def aws(self, service: str) -> Any:
        session = boto3.Session(*CREDENTIALS.values(), region_name=REGION)
        return session.client(service, endpoint_url=self.instance.emulator_url)


def until(condition: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + DEADLINE_S
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {DEADLINE_S:g} s: {what}"
        time.sleep(0.1)
    return found


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    made = Sandbox(tmp_path_factory.mktemp("node") / "state")
    made.halfmetal("up", "--topology", "dedicated")
    yield made
    made.halfmetal("down")


@dataclass(frozen=True)
class Deployed:
    """A gateway and a model behind it, in a namespace of their own."""

    sandbox: Sandbox
    namespace: str

    def pods(self, app: str) -> list[dict[str, Any]]:
        items = self.sandbox.get("pods", "-n", self.namespace, "-l", f"app={app}")["items"]
        return [pod for pod in items if "deletionTimestamp" not in pod["metadata"]]

    def ready(self, app: str) -> list[dict[str, Any]]:
        return [pod for pod in self.pods(app) if condition(pod, "Ready") == "True"]

    def status(self, url: str) -> int:
        try:
            return httpx.get(url, timeout=10).status_code
        except httpx.HTTPError:
            return 0

    @property
    def url(self) -> str:
        return f"http://{self.sandbox.instance.loopback(0, 1)}:{NODE_PORT}/v2/models/embed"


def condition(item: dict[str, Any], kind: str) -> str:
    found = (each["status"] for each in item["status"].get("conditions", []) if each["type"] == kind)
    return next(found, "")


@pytest.fixture(scope="module")
def deployed(sandbox: Sandbox) -> Deployed:
    namespace = "served"
    text = MANIFESTS.replace("NAMESPACE.svc", f"{namespace}.svc").replace("NODE_PORT", str(NODE_PORT))
    sandbox.kubectl("create", "namespace", namespace)
    sandbox.kubectl("apply", "-n", namespace, "-f", "-", text=text)
    made = Deployed(sandbox, namespace)
    until(lambda: made.status(made.url) == 200, "the model answers through the gateway")
    return made


def test_a_pod_is_a_process_at_its_own_address(deployed: Deployed):
    (pod,) = deployed.ready("embed")
    address = pod["status"]["podIP"]
    assert address.startswith(f"10.{deployed.sandbox.instance.loopback_octet}.")
    assert deployed.status(f"http://127.{address.removeprefix('10.')}:8000/v2/health/ready") == 200
    node = deployed.sandbox.get("node", pod["spec"]["nodeName"])
    assert pod["status"]["hostIP"] == node["status"]["addresses"][0]["address"]


def test_the_load_balancers_address_is_in_its_status(deployed: Deployed):
    service = deployed.sandbox.get("service", "gateway", "-n", deployed.namespace)
    (ingress,) = service["status"]["loadBalancer"]["ingress"]
    assert ingress["ip"] == deployed.sandbox.instance.loopback(1, 1)
    assert deployed.status(f"http://{ingress['ip']}:8080/v2/models/embed") == 200


def test_the_clusters_dns_knows_ready_pods(deployed: Deployed):
    (pod,) = deployed.ready("embed")
    question = DNSRecord.question(f"embed.{deployed.namespace}.svc.cluster.local")
    answer = question.send("127.0.0.1", deployed.sandbox.instance.ports["dns"])
    addresses = [str(record.rdata) for record in DNSRecord.parse(answer).rr]
    assert addresses == [f"127.{pod['status']['podIP'].removeprefix('10.')}"]


def test_a_pod_that_is_deleted_takes_its_process_with_it(deployed: Deployed):
    (pod,) = deployed.ready("embed")
    before = {child.pid for child in deployed.sandbox.agent().children()}
    deployed.sandbox.kubectl("delete", "pod", "-n", deployed.namespace, pod["metadata"]["name"], "--wait")
    until(lambda: deployed.status(deployed.url) == 200 and deployed.ready("embed"), "another takes its place")
    after = {child.pid for child in deployed.sandbox.agent().children()}
    assert len(after) == len(before)
    assert after != before


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "stopped"])
def test_another_agent_takes_up_the_pods(deployed: Deployed, number: signal.Signals):
    agent = deployed.sandbox.agent()
    processes = agent.children()
    restarts = total_restarts(deployed)
    assert len(processes) == 2
    agent.send_signal(number)
    until(lambda: all(ended(each) for each in (agent, *processes)), "everything it started ends with it")

    deployed.sandbox.halfmetal("up", "--topology", "dedicated")
    until(lambda: deployed.status(deployed.url) == 200, "the model answers again")
    assert len(deployed.sandbox.agent().children()) == 2
    until(lambda: total_restarts(deployed) == restarts + 2, "each container counts one restart more")


def total_restarts(deployed: Deployed) -> int:
    pods = [*deployed.pods("embed"), *deployed.pods("gateway")]
    return sum(each["restartCount"] for pod in pods for each in pod["status"]["containerStatuses"])


def ended(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "one"},
    "spec": {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 1,
        "containers": [{"name": "c", "image": "halfmetal/embedder:0.1.0"}],
    },
}


def pod(name: str, code: str, **spec: Any) -> str:
    container = {**POD["spec"]["containers"][0], "command": ["python", "-c", code]}
    text: str = yaml.safe_dump(
        {**POD, "metadata": {"name": name}, "spec": {**POD["spec"], "containers": [container], **spec}}
    )
    return text


@pytest.mark.parametrize(
    ("name", "code", "spec", "shown"),
    [
        pytest.param("done", "pass", {}, ("Succeeded", None), id="done"),
        pytest.param("failed", "raise SystemExit(3)", {}, ("Failed", None), id="failed"),
        pytest.param(
            "loops",
            "raise SystemExit(3)",
            {"restartPolicy": "Always"},
            ("Running", "CrashLoopBackOff"),
            id="loops",
        ),
        pytest.param(
            "waits",
            "pass",
            {"volumes": [{"name": "v", "configMap": {"name": "gone"}}]},
            ("Pending", "CreateContainerConfigError"),
            id="without its ConfigMap",
        ),
    ],
)
def test_what_a_pod_says_of_itself(
    deployed: Deployed, name: str, code: str, spec: dict[str, Any], shown: tuple[str, str | None]
):
    sandbox, namespace = deployed.sandbox, deployed.namespace
    sandbox.kubectl("apply", "-n", namespace, "-f", "-", text=pod(name, code, **spec))

    def seen() -> bool:
        status = sandbox.get("pod", name, "-n", namespace)["status"]
        states = [each["state"] for each in status.get("containerStatuses", [])]
        reasons = [state.get("waiting", {}).get("reason") for state in states]
        return (status["phase"], *reasons) == shown

    until(seen, f"{name} is {shown}")
    sandbox.kubectl("delete", "pod", "-n", namespace, name, "--wait")


@pytest.fixture(scope="module")
def cluster(sandbox: Sandbox) -> Iterator[tuple[str, list[str]]]:
    ec2, eks = sandbox.aws("ec2"), sandbox.aws("eks")
    vpc = ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.20.{number}.0/24", AvailabilityZone=zone)["Subnet"][
            "SubnetId"
        ]
        for number, zone in enumerate(("us-east-1a", "us-east-1b"))
    ]
    eks.create_cluster(
        name="hm", roleArn="arn:aws:iam::000000000000:role/eks", resourcesVpcConfig={"subnetIds": subnets}
    )
    yield "hm", subnets
    eks.delete_cluster(name="hm")


def nodes(sandbox: Sandbox) -> dict[str, dict[str, Any]]:
    items = sandbox.get("nodes", "-l", "eks.amazonaws.com/nodegroup")["items"]
    return {node["metadata"]["name"]: node for node in items if condition(node, "Ready") == "True"}


def test_node_groups_are_nodes(sandbox: Sandbox, cluster: tuple[str, list[str]]):
    name, subnets = cluster
    eks = sandbox.aws("eks")
    eks.create_nodegroup(
        clusterName=name,
        nodegroupName="gpu-a",
        subnets=subnets,
        nodeRole="arn:aws:iam::000000000000:role/node",
        scalingConfig={"minSize": 0, "desiredSize": 3, "maxSize": 3},
        instanceTypes=["g6.xlarge"],
        labels={"halfmetal.dev/pool": "gpu-a"},
        taints=[{"key": "nvidia.com/gpu", "value": "present", "effect": "NO_SCHEDULE"}],
    )
    joined = until(lambda: len(found := nodes(sandbox)) == 3 and found, "three nodes join")
    assert [node["metadata"]["labels"]["topology.kubernetes.io/zone"] for node in joined.values()] == [
        "us-east-1a",
        "us-east-1b",
        "us-east-1a",
    ]
    assert joined["hm-gpu-a-0"]["status"]["allocatable"]["nvidia.com/gpu"] == "1"

    eks.update_nodegroup_config(
        clusterName=name,
        nodegroupName="gpu-a",
        scalingConfig={"desiredSize": 1},
        labels={"addOrUpdateLabels": {"team": "ml"}, "removeLabels": ["halfmetal.dev/pool"]},
    )
    until(lambda: list(nodes(sandbox)) == ["hm-gpu-a-0"], "two leave")

    def labels() -> dict[str, str]:
        found: dict[str, str] = nodes(sandbox)["hm-gpu-a-0"]["metadata"]["labels"]
        return found

    until(lambda: labels().get("team") == "ml", "the one that stays has the new label")
    assert "halfmetal.dev/pool" not in labels()

    eks.delete_nodegroup(clusterName=name, nodegroupName="gpu-a")
    until(
        lambda: not sandbox.get("nodes", "-l", "eks.amazonaws.com/nodegroup")["items"], "the last one leaves"
    )


def test_pods_move_off_a_node_that_leaves(
    sandbox: Sandbox, cluster: tuple[str, list[str]], deployed: Deployed
):
    name, subnets = cluster
    eks = sandbox.aws("eks")
    eks.create_nodegroup(
        clusterName=name,
        nodegroupName="cpu-a",
        subnets=subnets,
        nodeRole="arn:aws:iam::000000000000:role/node",
        scalingConfig={"minSize": 0, "desiredSize": 1, "maxSize": 1},
        instanceTypes=["m7g.large"],
    )
    until(lambda: nodes(sandbox), "the node joins")
    text = pod("guest", "import time; time.sleep(600)", nodeSelector={"eks.amazonaws.com/nodegroup": "cpu-a"})
    sandbox.kubectl("apply", "-n", deployed.namespace, "-f", "-", text=text)
    sandbox.kubectl("wait", "-n", deployed.namespace, "pod/guest", "--for=condition=Ready", "--timeout=60s")
    eks.delete_nodegroup(clusterName=name, nodegroupName="cpu-a")
    until(lambda: not nodes(sandbox), "the node leaves")
    found = sandbox.kubectl(
        "get", "pod", "-n", deployed.namespace, "guest", "--ignore-not-found", "-o", "name"
    )
    assert found == ""
