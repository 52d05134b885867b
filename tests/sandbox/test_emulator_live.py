"""The emulator itself, started as the sandbox starts it: every repair shown by what it is for."""

import base64
import io
import json
import os
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import botocore.exceptions
import httpx
import psutil
import pytest

from sandbox import ports
from sandbox.paths import REPO
from sandbox.progress import Progress
from sandbox.toolchain import ensure

pytestmark = pytest.mark.e2e

DEADLINE_S = 60.0
REGION = "us-east-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
ADMIN_POLICY = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
ROOT = "arn:aws:iam::000000000000:root"


@dataclass
class Emulator:
    """An emulator of the tests' own, which can be killed and started again."""

    python: Path
    state: Path
    node_address: str
    port: int = field(init=False)

    def __post_init__(self) -> None:
        # Outside the range of outgoing connections, so that nobody has it while the emulator is down.
        self.port = ports.choose(["emulator"], seed=str(self.state))["emulator"]
        self.authority = self.state / "ca.crt"
        self.authority.write_text("-----BEGIN CERTIFICATE-----\n")
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [self.python, REPO / "sandbox" / "aws" / "emulator" / "main.py"],
            env={
                "PATH": os.environ["PATH"],
                "GATEWAY_PORT": str(self.port),
                "STATE_DIR": str(self.state / "data"),
                "EKS_BASE_PORT": "26443",
                "HALFMETAL_EKS_CA_FILE": str(self.authority),
                "HALFMETAL_NODE_ADDRESS": self.node_address,
                **CREDENTIALS,
            },
            stdout=(self.state / "log").open("ab"),
            stderr=subprocess.STDOUT,
        )
        until(self.answers, "the emulator answers")

    def answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/_ministack/health").is_success
        except httpx.HTTPError:
            return False

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(DEADLINE_S)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, service: str) -> Any:
        session = boto3.Session("test", "test", region_name=REGION)
        return session.client(service, endpoint_url=self.url)

    def api(self, api_id: str, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"Host": f"{api_id}.execute-api.localhost:{self.port}", **more.pop("headers", {})}
        return httpx.request(method, self.url + path, headers=headers, timeout=DEADLINE_S, **more)

    def token(self, cluster: str, secret: str = "test") -> str:
        env = {
            **os.environ,
            **CREDENTIALS,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_DEFAULT_REGION": REGION,
        }
        aws = str(Path(sys.executable).with_name("aws"))
        command = [aws, "eks", "get-token", "--cluster-name", cluster]
        done = subprocess.run(command, env=env, capture_output=True, check=True)
        bearer: str = json.loads(done.stdout)["status"]["token"]
        return bearer

    def review(self, token: str) -> dict[str, Any]:
        asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token}}
        answer = httpx.post(f"{self.url}/_halfmetal/token-review", json=asked, timeout=DEADLINE_S).json()
        status: dict[str, Any] = answer["status"]
        return status

    def node_groups(self, version: str = "") -> dict[str, Any]:
        answer = httpx.get(
            f"{self.url}/_halfmetal/node-groups", params={"version": version}, timeout=DEADLINE_S
        )
        feed: dict[str, Any] = answer.json()
        return feed


def until(condition: Any, what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"not within {DEADLINE_S:g} s: {what}"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    python = ensure(["emulator"], Progress()).path("emulator-python")
    made = Emulator(python, tmp_path_factory.mktemp("emulator"), f"127.{os.getpid() % 200 + 20}.0.1")
    yield made
    made.stop()


@pytest.fixture(scope="module")
def subnets(emulator: Emulator) -> list[str]:
    ec2 = emulator.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
    return [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.20.{number}.0/24", AvailabilityZone=zone)["Subnet"][
            "SubnetId"
        ]
        for number, zone in enumerate(("us-east-1a", "us-east-1b"))
    ]


@pytest.fixture(scope="module")
def cluster(emulator: Emulator, subnets: list[str]) -> str:
    emulator.client("eks").create_cluster(
        name="hm", roleArn="arn:aws:iam::000000000000:role/eks", resourcesVpcConfig={"subnetIds": subnets}
    )
    return "hm"


class Backend(BaseHTTPRequestHandler):
    """Says what it received."""

    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        received = {
            "method": self.command,
            "path": self.path,
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "body": body.hex(),
        }
        content = json.dumps(received).encode()
        self.send_response(207)
        self.send_header("X-Backend", "yes")
        self.send_header("Set-Cookie", "a=1")
        self.send_header("Set-Cookie", "b=2")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    # Named by the standard library after the methods that they serve.
    do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Says nothing more."""


@pytest.fixture(scope="module")
def node_port(emulator: Emulator) -> Iterator[int]:
    server = ThreadingHTTPServer((emulator.node_address, 0), Backend)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@dataclass(frozen=True)
class Gateway:
    """An API with a route through a VPC link, and what is behind it."""

    api: str
    target_group: str
    scaling_group: str


@pytest.fixture(scope="module")
def gateway(emulator: Emulator, subnets: list[str], cluster: str, node_port: int) -> Gateway:
    group = emulator.client("eks").create_nodegroup(
        clusterName=cluster,
        nodegroupName="gateway",
        subnets=subnets,
        nodeRole="arn:aws:iam::000000000000:role/node",
        scalingConfig={"minSize": 1, "desiredSize": 2, "maxSize": 4},
        instanceTypes=["m7g.large"],
    )["nodegroup"]
    scaling_group = group["resources"]["autoScalingGroups"][0]["name"]
    elb, apis = emulator.client("elbv2"), emulator.client("apigatewayv2")
    balancer = elb.create_load_balancer(Name="gw", Type="network", Subnets=subnets)["LoadBalancers"][0]
    target_group = elb.create_target_group(Name="gw", Protocol="TCP", Port=node_port, TargetType="instance")
    target = target_group["TargetGroups"][0]["TargetGroupArn"]
    listener = elb.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="TCP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": target}],
    )["Listeners"][0]["ListenerArn"]
    emulator.client("autoscaling").attach_load_balancer_target_groups(
        AutoScalingGroupName=scaling_group, TargetGroupARNs=[target]
    )
    link = apis.create_vpc_link(Name="gw", SubnetIds=subnets, Tags={"a": "1"})["VpcLinkId"]
    api = apis.create_api(Name="gw", ProtocolType="HTTP")["ApiId"]
    common = {
        "ApiId": api,
        "IntegrationType": "HTTP_PROXY",
        "IntegrationMethod": "ANY",
        "PayloadFormatVersion": "1.0",
    }
    private = apis.create_integration(
        ConnectionType="VPC_LINK", ConnectionId=link, IntegrationUri=listener, **common
    )
    public = apis.create_integration(
        IntegrationUri=f"http://{emulator.node_address}:{node_port}/base/{{proxy}}", **common
    )
    for route, integration in (
        ("ANY /v2/models/{model}/{proxy+}", private),
        ("GET /health", private),
        ("ANY /public/{proxy+}", public),
    ):
        apis.create_route(ApiId=api, RouteKey=route, Target=f"integrations/{integration['IntegrationId']}")
    apis.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
    return Gateway(api, target, scaling_group)


@pytest.mark.parametrize(
    ("method", "path", "arrives_as"),
    [
        pytest.param("POST", "/v2/models/e/infer?a=1&b=%20x", "/v2/models/e/infer?a=1&b=%20x", id="VPC link"),
        pytest.param("GET", "/v2/models/e/tags/list", "/v2/models/e/tags/list", id="not a registry's path"),
        pytest.param("GET", "/health", "/health", id="not the emulator's own health"),
        pytest.param("PUT", "/public/a%20b/c?q=1", "/base/a%20b/c?q=1", id="{proxy} in the URI"),
    ],
)
def test_a_request_arrives_as_it_was_sent(
    emulator: Emulator, gateway: Gateway, method: str, path: str, arrives_as: str
):
    sent = b"" if method == "GET" else bytes(range(256))
    answer = emulator.api(gateway.api, method, path, content=sent, headers={"X-Mine": "1"})
    received = answer.json()
    assert (received["method"], received["path"]) == (method, arrives_as)
    assert bytes.fromhex(received["body"]) == sent
    assert received["headers"]["x-mine"] == "1"
    assert "forwarded" in received["headers"]
    assert answer.status_code == 207
    assert answer.headers["x-backend"] == "yes"
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]


def test_targets_follow_the_node_group(emulator: Emulator, gateway: Gateway, cluster: str):
    eks, elb = emulator.client("eks"), emulator.client("elbv2")

    def targets() -> int:
        return len(
            elb.describe_target_health(TargetGroupArn=gateway.target_group)["TargetHealthDescriptions"]
        )

    assert targets() == 2
    update = eks.update_nodegroup_config(
        clusterName=cluster, nodegroupName="gateway", scalingConfig={"desiredSize": 3}
    )["update"]
    described = eks.describe_update(name=cluster, nodegroupName="gateway", updateId=update["id"])["update"]
    assert described["status"] == "Successful"
    assert targets() == 3
    groups = emulator.client("autoscaling").describe_auto_scaling_groups(
        AutoScalingGroupNames=[gateway.scaling_group]
    )["AutoScalingGroups"]
    assert groups[0]["TargetGroupARNs"] == [gateway.target_group]
    assert groups[0]["DesiredCapacity"] == 3


def test_a_link_without_targets_is_unavailable(emulator: Emulator, gateway: Gateway):
    attachment = {
        "AutoScalingGroupName": gateway.scaling_group,
        "TargetGroupARNs": [gateway.target_group],
    }
    scaling = emulator.client("autoscaling")
    scaling.detach_load_balancer_target_groups(**attachment)
    answer = emulator.api(gateway.api, "GET", "/health")
    assert (answer.status_code, answer.json()) == (503, {"message": "Service Unavailable"})
    scaling.attach_load_balancer_target_groups(**attachment)
    assert emulator.api(gateway.api, "GET", "/health").status_code == 207


def test_an_integration_needs_a_link_that_exists(emulator: Emulator, gateway: Gateway):
    with pytest.raises(botocore.exceptions.ClientError, match="Invalid VPC link"):
        emulator.client("apigatewayv2").create_integration(
            ApiId=gateway.api,
            IntegrationType="HTTP_PROXY",
            ConnectionType="VPC_LINK",
            ConnectionId="nope",
            IntegrationUri="arn:aws:elasticloadbalancing:us-east-1:000000000000:listener/net/x/1/2",
        )


def test_a_cluster_is_the_sandboxs_api_server(emulator: Emulator, cluster: str):
    described = emulator.client("eks").describe_cluster(name=cluster)["cluster"]
    assert described["endpoint"] == "https://127.0.0.1:26443"
    assert described["certificateAuthority"]["data"] == "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg=="


@pytest.mark.parametrize(
    ("given", "found"),
    [
        pytest.param({}, {"upgradePolicy": {"supportType": "EXTENDED"}}, id="what AWS takes for itself"),
        pytest.param({"upgradePolicy": {"supportType": "STANDARD"}}, {}, id="when support ends"),
        pytest.param({"zonalShiftConfig": {"enabled": True}}, {}, id="whether traffic leaves a bad zone"),
    ],
)
def test_a_cluster_keeps_the_settings_that_it_was_made_with(
    emulator: Emulator, subnets: list[str], given: dict[str, Any], found: dict[str, Any]
):
    eks, role = emulator.client("eks"), "arn:aws:iam::000000000000:role/eks"
    made = eks.create_cluster(
        name="settled", roleArn=role, resourcesVpcConfig={"subnetIds": subnets}, **given
    )["cluster"]
    described = eks.describe_cluster(name="settled")["cluster"]
    eks.delete_cluster(name="settled")
    expected = given | found
    for answer in (made, described):
        assert {name: answer[name] for name in expected} == expected


def test_a_cluster_with_node_groups_is_not_deleted(emulator: Emulator, gateway: Gateway, cluster: str):
    assert gateway.api
    with pytest.raises(botocore.exceptions.ClientError, match="nodegroups attached"):
        emulator.client("eks").delete_cluster(name=cluster)


def test_the_creator_of_a_cluster_is_its_administrator_until_that_is_taken_away(
    emulator: Emulator, cluster: str
):
    token = emulator.token(cluster)
    user = emulator.review(token)["user"]
    assert user["username"] == ROOT
    assert "eks-access-policy:AmazonEKSClusterAdminPolicy" in user["groups"]
    eks = emulator.client("eks")
    eks.disassociate_access_policy(clusterName=cluster, principalArn=ROOT, policyArn=ADMIN_POLICY)
    assert emulator.review(token)["user"]["groups"] == ["system:authenticated"]
    eks.delete_access_entry(clusterName=cluster, principalArn=ROOT)
    assert emulator.review(token)["authenticated"] is False
    eks.create_access_entry(clusterName=cluster, principalArn=ROOT, kubernetesGroups=["team"])
    eks.associate_access_policy(
        clusterName=cluster, principalArn=ROOT, policyArn=ADMIN_POLICY, accessScope={"type": "cluster"}
    )
    assert {"team", "eks-access-policy:AmazonEKSClusterAdminPolicy"} <= {
        *emulator.review(token)["user"]["groups"]
    }


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda emulator: emulator.token("another"), id="signed for another cluster"),
        pytest.param(lambda emulator: emulator.token("hm", secret="wrong"), id="signed with another key"),
        pytest.param(lambda _: "k8s-aws-v1.bm9uZQ", id="no request in it"),
        pytest.param(lambda _: "", id="empty"),
    ],
)
def test_other_tokens_are_nobody(emulator: Emulator, cluster: str, make: Any):
    assert cluster
    assert emulator.review(make(emulator))["authenticated"] is False


def test_node_groups_are_told_as_soon_as_they_change(emulator: Emulator, subnets: list[str], cluster: str):
    ec2, eks = emulator.client("ec2"), emulator.client("eks")
    template = ec2.create_launch_template(
        LaunchTemplateName="gpu", LaunchTemplateData={"InstanceType": "g6.xlarge"}
    )["LaunchTemplate"]["LaunchTemplateId"]
    before = emulator.node_groups()
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(emulator.node_groups, before["version"])
        eks.create_nodegroup(
            clusterName=cluster,
            nodegroupName="gpu",
            subnets=subnets[1:],
            nodeRole="arn:aws:iam::000000000000:role/node",
            scalingConfig={"minSize": 0, "desiredSize": 1, "maxSize": 1},
            launchTemplate={"id": template, "version": "1"},
            taints=[{"key": "nvidia.com/gpu", "value": "present", "effect": "NO_SCHEDULE"}],
        )
        feed = waiting.result(DEADLINE_S)
    (group,) = [each for each in feed["nodeGroups"] if each["name"] == "gpu"]
    assert (group["instanceType"], group["zones"], group["desired"]) == ("g6.xlarge", ["us-east-1b"], 1)
    assert group["taints"][0]["effect"] == "NO_SCHEDULE"
    eks.delete_nodegroup(clusterName=cluster, nodegroupName="gpu")
    assert "gpu" not in {each["name"] for each in emulator.node_groups()["nodeGroups"]}


def test_a_crash_forgets_nothing_and_leaves_no_worker(emulator: Emulator, gateway: Gateway, cluster: str):
    functions = emulator.client("lambda")
    functions.create_function(
        FunctionName="whoami",
        Runtime="python3.11",
        Role="arn:aws:iam::000000000000:role/f",
        Handler="m.handler",
        Code={"ZipFile": zipped("import os\ndef handler(event, context):\n    return os.getpid()\n")},
    )
    worker = psutil.Process(json.load(functions.invoke(FunctionName="whoami")["Payload"]))
    saved = emulator.state / "data" / "lambda.json"
    until(lambda: saved.exists() and b"whoami" in saved.read_bytes(), "the function is on disk")
    # Services are written one after another: once this one's turn has come again, all have had theirs.
    before = saved.stat().st_mtime_ns
    functions.invoke(FunctionName="whoami")
    until(lambda: saved.stat().st_mtime_ns != before, "everything is on disk")

    emulator.kill()
    until(lambda: ended(worker), "the worker ends with the emulator")
    emulator.start()

    assert functions.get_function(FunctionName="whoami")["Configuration"]["Handler"] == "m.handler"
    assert emulator.api(gateway.api, "GET", "/health").status_code == 207
    assert emulator.client("eks").describe_cluster(name=cluster)["cluster"]["status"] == "ACTIVE"


def test_an_answer_comes_with_the_log_of_its_request(emulator: Emulator):
    functions = emulator.client("lambda")
    functions.create_function(
        FunctionName="talks",
        Runtime="python3.11",
        Role="arn:aws:iam::000000000000:role/f",
        Handler="m.handler",
        Code={
            "ZipFile": zipped("import sys\ndef handler(event, context):\n    print(event, file=sys.stderr)\n")
        },
    )
    for said in ("first", "second"):
        answer = functions.invoke(FunctionName="talks", Payload=json.dumps(said), LogType="Tail")
        assert said in base64.b64decode(answer["LogResult"]).decode()


def ended(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def zipped(source: str) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("m.py", source)
    return archive.getvalue()
