"""Real programs, the real engine, an emulator: previews, drift, replacement, secrets, kills, cancellation."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest
from emulator_trap import Request, Trap
from provider_driver import REGION

from sandbox.plugins import install_plugins
from sandbox.progress import Progress
from sandbox.toolchain import ensure

pytestmark = pytest.mark.engine

STACK = "dev"
DEADLINE_S = 90.0


@dataclass(frozen=True)
class Finished:
    status: int
    output: str


@dataclass
class Stack:
    """A project, its stack, and the environment that its updates run in."""

    pulumi: str
    directory: Path
    backend: Path
    env: dict[str, str]

    def program(self, text: str) -> None:
        body = "import json\nimport pulumi\nimport pulumi_aws as aws\n" + textwrap.dedent(text)
        (self.directory / "__main__.py").write_text(body)

    def command(self, *arguments: str) -> list[str]:
        return [self.pulumi, *arguments, "--non-interactive", "--color", "never", "--stack", STACK]

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.directory,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, fails: bool = False) -> str:
        process = self.start(*arguments)
        output, _ = process.communicate(timeout=DEADLINE_S)
        assert bool(process.returncode) is fails, output
        assert "Traceback" not in output, output
        return output

    def up(self, *, fails: bool = False) -> str:
        return self.run("up", "--yes", "--skip-preview", fails=fails)

    def preview(self, *, fails: bool = False) -> str:
        return self.run("preview", "--diff", fails=fails)

    def assert_settled(self) -> None:
        """Neither a preview nor a refresh finds anything."""
        self.run("preview", "--expect-no-changes")
        self.run("refresh", "--yes", "--skip-preview", "--expect-no-changes")

    def resources(self) -> dict[str, dict[str, Any]]:
        """By type and name."""
        state = json.loads(self.run("stack", "export"))
        return {
            "::".join(item["urn"].split("::")[2:]): item for item in state["deployment"].get("resources", ())
        }

    def resource(self, name: str) -> dict[str, Any]:
        return next(item for key, item in self.resources().items() if key.endswith(f"::{name}"))


@pytest.fixture(scope="session")
def pulumi() -> str:
    # The variable is for trying another engine than the toolchain's.
    return os.environ.get("HALFMETAL_PULUMI") or str(ensure(["engine"], Progress()).path("pulumi"))


@pytest.fixture(scope="session")
def pulumi_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("pulumi-home")
    install_plugins(home, {})
    return home


@pytest.fixture
def stack(pulumi: str, pulumi_home: Path, emulator: str, tmp_path: Path) -> Iterator[Stack]:
    directory = (tmp_path / "project").resolve()
    for folder in (directory, tmp_path / "backend"):
        folder.mkdir()
    options = json.dumps({"name": "python", "options": {"virtualenv": sys.prefix}})
    name = f"p{abs(hash(str(tmp_path))) % 10**8}"
    (directory / "Pulumi.yaml").write_text(f"name: {name}\nruntime: {options}\n")
    env = {variable: value for variable, value in os.environ.items() if not variable.startswith("PULUMI_")}
    env |= {
        "PATH": "/usr/bin:/bin",
        "PULUMI_BACKEND_URL": f"file://{tmp_path / 'backend'}?metadata=skip",  # as in the sandbox's shell
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PULUMI_HOME": str(pulumi_home),
        "PULUMI_SKIP_UPDATE_CHECK": "1",
        "HALFMETAL_AWS_LEDGER": str(tmp_path / "ledger"),
        "AWS_ENDPOINT_URL": emulator,
        "AWS_REGION": REGION,
    }
    made = Stack(pulumi, directory, tmp_path / "backend", env)
    subprocess.run([pulumi, "stack", "init", STACK], cwd=directory, env=env, check=True, capture_output=True)
    yield made
    if made.env["AWS_ENDPOINT_URL"] != emulator:
        made.env["AWS_ENDPOINT_URL"] = emulator
    made.run("cancel", "--yes")
    made.run("destroy", "--yes", "--skip-preview")


@pytest.fixture
def client(emulator: str) -> Callable[[str], Any]:
    session = boto3.Session("test", "test", region_name=REGION)
    return lambda service: session.client(service, endpoint_url=emulator)


@pytest.fixture
def trap(emulator: str) -> Iterator[Callable[..., Trap]]:
    made: list[Trap] = []

    def make(**more: Any) -> Trap:
        made.append(Trap(emulator, **more))
        return made[-1]

    yield make
    for each in made:
        each.close()


# -- life of a stack -----------------------------------------------------------------------------------

WEB = """
    config = pulumi.Config()
    trust = json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]})
    vpc = aws.ec2.Vpc("vpc", cidr_block="10.77.0.0/16", tags={"made-by": "trap"})
    subnet = aws.ec2.Subnet("subnet", vpc_id=vpc.id, cidr_block="10.77.1.0/24")
    table = aws.ec2.RouteTable("table", vpc_id=vpc.id)
    gateway = aws.ec2.InternetGateway("gateway", vpc_id=vpc.id)
    aws.ec2.Route("route", route_table_id=table.id, destination_cidr_block="0.0.0.0/0", gateway_id=gateway.id)
    aws.ec2.RouteTableAssociation("association", route_table_id=table.id, subnet_id=subnet.id)
    group = aws.ec2.SecurityGroup("group", vpc_id=vpc.id, egress=[
        {"protocol": "-1", "from_port": 0, "to_port": 0, "cidr_blocks": ["0.0.0.0/0"]}])
    role = aws.iam.Role("role", assume_role_policy=trust)
    aws.iam.RolePolicy("policy", role=role.id, policy=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": "*"}]}))
    logs = aws.cloudwatch.LogGroup("logs", retention_in_days=14)
    function = aws.lambda_.Function("function", role=role.arn, runtime="python3.11", handler="app.handler",
        publish=True, reserved_concurrent_executions=2, timeout=config.get_int("timeout") or 5,
        code=pulumi.AssetArchive({"app.py": pulumi.StringAsset("def handler(e, c): return {}")}),
        environment={"variables": {"TOKEN": config.get_secret("token") or "none"}})
    alias = aws.lambda_.Alias("alias", function_name=function.name, function_version=function.version)
    api = aws.apigatewayv2.Api("api", protocol_type="HTTP")
    integration = aws.apigatewayv2.Integration("integration", api_id=api.id, integration_type="AWS_PROXY",
        integration_uri=alias.arn, payload_format_version="2.0")
    aws.apigatewayv2.Route("route", api_id=api.id, route_key="GET /x",
        target=pulumi.Output.concat("integrations/", integration.id))
    aws.apigatewayv2.Stage("stage", api_id=api.id, name="$default", auto_deploy=True)
    aws.lambda_.Permission("permission", action="lambda:InvokeFunction", function=function.name,
        qualifier=alias.name, principal="apigateway.amazonaws.com",
        source_arn=pulumi.Output.concat(api.execution_arn, "/*"))
    registry = aws.dynamodb.Table("registry", attributes=[{"name": "pk", "type": "S"}], hash_key="pk",
        billing_mode="PAY_PER_REQUEST")
    aws.dynamodb.TableItem("item", table_name=registry.name, hash_key="pk",
        item=json.dumps({"pk": {"S": "embed"}}))
    bucket = aws.s3.Bucket("bucket", force_destroy=True)
    aws.s3.BucketObjectv2("object", bucket=bucket.bucket, key="a.txt", content="hello")
    aws.cloudwatch.MetricAlarm("alarm", comparison_operator="GreaterThanThreshold", evaluation_periods=1,
        metric_name="Errors", namespace="AWS/Lambda", period=60, statistic="Sum", threshold=1,
        dimensions={"FunctionName": function.name})
    aws.sns.Topic("topic")
    pulumi.export("url", api.api_endpoint)
"""


def inventory(client: Callable[[str], Any]) -> dict[str, int]:
    """How many of each there are in the emulator."""
    ec2, functions, apis = client("ec2"), client("lambda"), client("apigatewayv2")
    api_ids = [item["ApiId"] for item in apis.get_apis()["Items"]]
    return {
        "vpcs": len(ec2.describe_vpcs()["Vpcs"]),
        "subnets": len(ec2.describe_subnets()["Subnets"]),
        "route tables": len(ec2.describe_route_tables()["RouteTables"]),
        "gateways": len(ec2.describe_internet_gateways()["InternetGateways"]),
        "groups": len(ec2.describe_security_groups()["SecurityGroups"]),
        "roles": len(client("iam").list_roles()["Roles"]),
        "log groups": len(client("logs").describe_log_groups()["logGroups"]),
        "functions": len(functions.list_functions()["Functions"]),
        "apis": len(api_ids),
        "integrations": sum(len(apis.get_integrations(ApiId=api)["Items"]) for api in api_ids),
        "routes": sum(len(apis.get_routes(ApiId=api)["Items"]) for api in api_ids),
        "tables": len(client("dynamodb").list_tables()["TableNames"]),
        "buckets": len(client("s3").list_buckets()["Buckets"]),
        "alarms": len(client("cloudwatch").describe_alarms()["MetricAlarms"]),
        "topics": len(client("sns").list_topics()["Topics"]),
    }


def test_a_stack_comes_settles_changes_and_goes(stack: Stack, client: Callable[[str], Any]) -> None:
    before = inventory(client)
    stack.program(WEB)
    stack.run("config", "set", "--secret", "token", "swordfish")
    planned = stack.preview()
    assert "swordfish" not in planned
    assert "[unknown]" in planned
    stack.up()
    stack.assert_settled()
    assert "swordfish" not in stack.run("stack", "export")
    stack.run("config", "set", "timeout", "9")
    changed = stack.preview()
    assert "~ timeout: 5 => 9" in changed
    assert "replace" not in changed
    assert 'functionVersion: "1" => [unknown]' in changed
    stack.up()
    assert stack.resource("alias")["outputs"]["functionVersion"] == "2"
    stack.assert_settled()
    stack.run("destroy", "--yes", "--skip-preview")
    assert inventory(client) == before


# -- killed in the middle ------------------------------------------------------------------------------


def kill_session(process: subprocess.Popen[str]) -> None:
    """The engine and everything that it started, at once and without warning."""
    for each in psutil.process_iter():
        try:
            if os.getsid(each.pid) == process.pid:
                each.kill()
        except (ProcessLookupError, psutil.NoSuchProcess):
            continue


# Each once, in whatever order they come; between the service's deed and its answer is where it hurts.
KILLED_AT = (
    "CreateVpc",
    "CreateRole",
    "CreateLogGroup",
    "PutRetentionPolicy",
    "CreateTable",
    "POST /v2/apis",
    "CreateInternetGateway",
    "AttachInternetGateway",
    "CreateSubnet",
    "CreateRoute",
    "POST /2015-03-31/functions",
    "AssociateRouteTable",
    "PutItem",
    "PutMetricAlarm",
)


def test_killed_again_and_again_when_the_service_has_done_it_and_nobody_has_heard(
    stack: Stack, trap: Callable[..., Trap], client: Callable[[str], Any]
) -> None:
    """In the end an update completes; nothing is made twice and nothing is left behind."""
    before = inventory(client)
    stack.program(WEB)
    # One trap for all: the ledger knows an emulator by its address.
    set_trap = trap()
    stack.env["AWS_ENDPOINT_URL"] = set_trap.url
    left = set(KILLED_AT)
    while left and (caught := killed_at(stack, set_trap, left, "up")):
        left.remove(caught)
    # Some were done beside the one that was caught, and taken over without being asked for again.
    assert len(left) <= len(KILLED_AT) // 2, left
    stack.up()
    assert inventory(client) == {name: count + 1 for name, count in before.items()} | {
        "groups": before["groups"] + 2,  # a VPC comes with one of its own
        "route tables": before["route tables"] + 2,
    }
    stack.assert_settled()
    assert killed_at(stack, set_trap, ["DeleteTable"], "destroy")
    stack.run("destroy", "--yes", "--skip-preview")
    assert inventory(client) == before


BEGUN = """
    trust = json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]})
    vpc = aws.ec2.Vpc("vpc", cidr_block="10.76.0.0/16")
    role = aws.iam.Role("role", assume_role_policy=trust)
    aws.lambda_.Function("function", role=role.arn, runtime="python3.11", handler="app.handler", timeout=5,
        code=pulumi.AssetArchive({"app.py": pulumi.StringAsset("def handler(e, c): return {}")}))
"""


@pytest.mark.parametrize(
    ("operation", "change"),
    [
        pytest.param("POST /2015-03-31/functions", ("=5", "=9"), id="what can be changed"),
        pytest.param("DescribeVpcAttribute", ("6.0.0/16", "6.0.0/20"), id="what only another can be"),
    ],
)
def test_killed_and_the_program_changed_since(
    operation: str,
    change: tuple[str, str],
    stack: Stack,
    trap: Callable[..., Trap],
    client: Callable[[str], Any],
) -> None:
    """What was begun becomes what is asked for now, or makes room for it."""
    before = inventory(client)
    stack.program(BEGUN)
    set_trap = trap()
    stack.env["AWS_ENDPOINT_URL"] = set_trap.url
    assert killed_at(stack, set_trap, [operation], "up")
    stack.program(BEGUN.replace(*change))
    stack.up()
    stack.assert_settled()
    made = inventory(client)
    assert (made["functions"], made["vpcs"]) == (before["functions"] + 1, before["vpcs"] + 1)


def killed_at(stack: Stack, set_trap: Trap, operations: Collection[str], verb: str) -> str:
    """Run a command and kill it at the first of some operations; which it was, if it came to any."""
    set_trap.arm(operations, lambda: kill_session(process))
    process = stack.start(verb, "--yes", "--skip-preview")
    process.communicate(timeout=DEADLINE_S)
    if set_trap.sprung.is_set():
        assert process.returncode == -signal.SIGKILL
        # What it had asked for beside what was caught is done as well, and does not meet the next one's trap.
        set_trap.settle(DEADLINE_S)
        restore_state(stack)
        stack.run("cancel", "--yes")
    return set_trap.caught


def restore_state(stack: Stack) -> None:
    """A kill while the engine writes its state leaves an empty file; it keeps the one before."""
    for backup in stack.backend.glob(f".pulumi/stacks/*/{STACK}.json.bak"):
        state = backup.with_suffix("")
        if not state.read_bytes():
            state.write_bytes(backup.read_bytes())


# -- stopped by the user -------------------------------------------------------------------------------

CLUSTER = """
    trust = json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "eks.amazonaws.com"}, "Action": "sts:AssumeRole"}]})
    role = aws.iam.Role("role", assume_role_policy=trust)
    vpc = aws.ec2.Vpc("vpc", cidr_block="10.78.0.0/16")
    subnets = [aws.ec2.Subnet(f"subnet-{zone}", vpc_id=vpc.id, cidr_block=f"10.78.{n}.0/24",
        availability_zone=f"us-east-1{zone}") for n, zone in enumerate("ab")]
    aws.eks.Cluster("cluster", role_arn=role.arn, vpc_config={"subnet_ids": [s.id for s in subnets]})
"""


def never_ready(request: Request, answer: bytes) -> bytes:
    if request.method == "GET" and request.path.startswith("/clusters/"):
        return answer.replace(b'"ACTIVE"', b'"CREATING"')
    return answer


def test_an_interrupt_ends_the_waiting_and_forgets_nothing(stack: Stack, trap: Callable[..., Trap]) -> None:
    stack.program(CLUSTER)
    emulator = stack.env["AWS_ENDPOINT_URL"]
    set_trap = trap(rewrite=never_ready, operations=["POST /clusters"])
    stack.env["AWS_ENDPOINT_URL"] = set_trap.url
    process = stack.start("up", "--yes", "--skip-preview")
    assert set_trap.sprung.wait(DEADLINE_S)
    process.send_signal(signal.SIGINT)
    # The cluster may take far longer than this to become ready, and never does.
    output, _ = process.communicate(timeout=DEADLINE_S)
    assert process.returncode != 0
    assert "Traceback" not in output
    kept = stack.resource("cluster")
    assert kept["id"]
    stack.env["AWS_ENDPOINT_URL"] = emulator
    stack.up()
    assert stack.resource("cluster")["id"] == kept["id"]
    stack.assert_settled()


# -- drift, replacement, import ------------------------------------------------------------------------


def test_what_others_change_is_found_and_put_right(stack: Stack, client: Callable[[str], Any]) -> None:
    stack.program(
        """
        aws.cloudwatch.LogGroup("logs", name="drifting", retention_in_days=14, tags={"team": "a"})
        aws.sns.Topic("topic")
        """
    )
    stack.up()
    client("logs").put_retention_policy(logGroupName="drifting", retentionInDays=3)
    client("sns").delete_topic(TopicArn=stack.resource("topic")["id"])
    found = stack.run("refresh", "--yes", "--skip-preview", "--diff")
    assert "~ retentionInDays: 14 => 3" in found
    assert "1 deleted" in found
    planned = stack.preview()
    assert "~ retentionInDays: 3 => 14" in planned
    assert "+ aws:sns/topic:Topic: (create)" in planned
    stack.up()
    stack.assert_settled()


def test_a_replacement_has_a_new_name_unless_the_name_is_fixed(stack: Stack) -> None:
    program = """
        trust = json.dumps({{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow",
            "Principal": {{"Service": "ec2.amazonaws.com"}}, "Action": "sts:AssumeRole"}}]}})
        aws.iam.Role("made-up", assume_role_policy=trust, path="{path}")
        aws.iam.Role("fixed", name="fixed-role", assume_role_policy=trust, path="{path}")
        """
    stack.program(program.format(path="/a/"))
    stack.up()
    old = stack.resource("made-up")["id"]
    stack.program(program.format(path="/b/"))
    # A second role of the fixed name would be refused, so the first has to go before.
    stack.up()
    assert stack.resource("made-up")["id"] != old
    assert stack.resource("fixed")["id"] == "fixed-role"
    assert stack.resource("fixed")["outputs"]["path"] == "/b/"
    stack.assert_settled()


def test_what_is_there_already_is_taken_in(stack: Stack, client: Callable[[str], Any]) -> None:
    api = client("apigatewayv2").create_api(Name="there", ProtocolType="HTTP")["ApiId"]
    route = client("apigatewayv2").create_route(ApiId=api, RouteKey="GET /old")["RouteId"]
    stack.program(
        f"""
        there = pulumi.ResourceOptions
        api = aws.apigatewayv2.Api("api", name="there", protocol_type="HTTP", opts=there(import_="{api}"))
        aws.apigatewayv2.Route("route", api_id="{api}", route_key="GET /old",
            opts=there(import_="{api}/{route}"))
        """
    )
    stack.up()
    assert (stack.resource("api")["id"], stack.resource("route")["id"]) == (api, route)
    stack.assert_settled()


def test_default_tags_reach_every_resource_and_change_in_place(stack: Stack) -> None:
    program = """
        provider = aws.Provider("aws", default_tags={{"tags": {{"stage": "{stage}"}}}})
        topic = aws.sns.Topic("topic", tags={{"own": "yes"}}, opts=pulumi.ResourceOptions(provider=provider))
        pulumi.export("all", topic.tags_all)
        """
    stack.program(program.format(stage="dev"))
    stack.up()
    assert json.loads(stack.run("stack", "output", "--json"))["all"] == {"own": "yes", "stage": "dev"}
    stack.program(program.format(stage="prod"))
    planned = stack.preview()
    assert '~ stage: "dev" => "prod"' in planned
    assert "replace" not in planned
    stack.up()
    stack.assert_settled()


# -- mistakes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("program", "says"),
    [
        pytest.param(
            """
            aws.lambda_.Function("function", role="arn:aws:iam::000000000000:role/r", memory_size=64)
            """,
            ["memorySize must be at least 128, is 64", "code is not set: a function needs its code"],
            id="two at once",
        ),
        pytest.param(
            """
            aws.ec2.Instance("instance", ami="ami-1", instance_type="m7g.large")
            """,
            [
                "does not know the resource type aws:ec2/instance:Instance",
                "sandbox/aws/provider/table/ec2.py",
            ],
            id="a type that is not supported",
        ),
        pytest.param(
            """
            aws.ec2.get_ami(owners=["self"])
            """,
            ["does not know the function aws:ec2/getAmi:getAmi"],
            id="a function that is not supported",
        ),
    ],
)
def test_mistakes_are_found_in_preview(stack: Stack, program: str, says: list[str]) -> None:
    stack.program(textwrap.dedent(program))
    process = stack.start("preview")
    output, _ = process.communicate(timeout=DEADLINE_S)
    assert process.returncode != 0
    for part in says:
        assert part in output


def test_nothing_goes_to_the_real_aws(stack: Stack) -> None:
    stack.program('aws.sns.Topic("topic")')
    del stack.env["AWS_ENDPOINT_URL"]
    assert "never talks to the real AWS" in stack.preview(fails=True)
    stack.env["AWS_ENDPOINT_URL"] = "https://sns.us-east-1.amazonaws.com"
    assert "is not a loopback address" in stack.preview(fails=True)


def test_an_emulator_that_is_down_is_one_line(stack: Stack, emulator: str) -> None:
    stack.program('aws.sns.Topic("topic")')
    stack.env["AWS_ENDPOINT_URL"] = "http://127.0.0.1:9"
    output = stack.up(fails=True)
    assert "creating aws:sns/topic:Topic: sns:CreateTopic: the AWS emulator at http://127.0.0.1:9" in output
    stack.env["AWS_ENDPOINT_URL"] = emulator
    stack.up()
