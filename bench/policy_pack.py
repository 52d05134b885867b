"""The policy pack, against a pack of as many policies that do nothing: what each takes of a preview.

Both are asked over gRPC what the engine asks: of every resource first whether it is to be changed, then what
is wrong with it, and at the end what is wrong with all together. The baseline is what the policy SDK takes
for that many policies; a pack of one is what it takes at least. A pack is started once and asked in every
round; the CPU seconds are those of its process alone.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import psutil
from google.protobuf import struct_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc
from pulumi_policy import ResourceValidationPolicy

from bench.measure import (
    COLUMNS,
    BenchError,
    Cost,
    as_rows,
    machine,
    print_json,
    report,
    told,
    turn_about,
)
from components import clock
from components.placement import Facts, Home
from policies.pack import Pack
from sandbox.engine import POLICY_PACK
from sandbox.paths import REPO

if TYPE_CHECKING:
    from collections.abc import Iterator

_SIZE = 2_000
_ANY_SIZE = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
_STARTED_S = 30.0
_MANIFEST = "description: does nothing\nversion: 0.1.0\nruntime: python\n"
_NOTHING = """\
from pulumi_policy import EnforcementLevel, PolicyPack, ResourceValidationPolicy, StackValidationPolicy


def nothing(args, report):
    pass


KINDS = {{ResourceValidationPolicy: {resource_policies}, StackValidationPolicy: {stack_policies}}}
PolicyPack(
    name="nothing",
    enforcement_level=EnforcementLevel.MANDATORY,
    policies=[
        kind(name=f"{{kind.__name__}}-{{number}}", description="nothing", validate=nothing)
        for kind, count in KINDS.items()
        for number in range(count)
    ],
)
"""


@dataclass(frozen=True)
class _Asked:
    """A pack that runs, and how to ask it."""

    stub: analyzer_pb2_grpc.AnalyzerStub
    process: psutil.Process

    def whole_stack(self, resources: list[dict[str, Any]]) -> Cost:
        """Ask as a preview does; what that took of the clock, and of the CPU in the pack."""
        before, started = self._cpu(), time.perf_counter()
        for each in resources:
            self.stub.Remediate(analyzer_pb2.AnalyzeRequest(**each))
            self.stub.Analyze(analyzer_pb2.AnalyzeRequest(**each))
        every = [analyzer_pb2.AnalyzerResource(**each) for each in resources]
        self.stub.AnalyzeStack(analyzer_pb2.AnalyzeStackRequest(resources=every))
        return Cost(time.perf_counter() - started, self._cpu() - before)

    def _cpu(self) -> float:
        used = self.process.cpu_times()
        return float(used.user + used.system)


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    resources = made_up(arguments.size)
    with tempfile.TemporaryDirectory(prefix="halfmetal-bench-") as folder, ExitStack() as packs:
        ours = Pack(clock.today()).policies
        of_resources = sum(isinstance(policy, ResourceValidationPolicy) for policy in ours)
        as_many, one = Path(folder) / "as-many", Path(folder) / "one"
        _write_nothing(as_many, of_resources, len(ours) - of_resources)
        _write_nothing(one, 1, 0)
        started = {
            f"{len(ours)} policies that do nothing": packs.enter_context(_running(as_many)),
            "1 policy that does nothing": packs.enter_context(_running(one)),
            f"halfmetal's {len(ours)} policies": packs.enter_context(_running(POLICY_PACK)),
        }
        found = turn_about(
            {name: partial(pack.whole_stack, resources) for name, pack in started.items()}, arguments.rounds
        )
    if arguments.json:
        print_json({"resources": arguments.size, "packs": [one.as_json() for one in found]})
        return
    where = machine()
    report(
        f"{arguments.size:,} resources: median of {arguments.rounds} rounds, "
        f"{where['cores']} cores, load {where['load_average']}",
        (*COLUMNS, "wall each", "CPU each"),
        [
            (*row, *(f"{took / arguments.size * 1_000:.2f} ms" for took in (one.wall, one.cpu)))
            for row, one in zip(as_rows(found), found, strict=True)
        ],
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--size", type=int, default=_SIZE, help=f"resources (default {_SIZE})")
    parser.add_argument("--rounds", type=int, default=5, help="how often each pack is asked (default 5)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    return parser.parse_args()


# -- the packs


def _write_nothing(folder: Path, of_resources: int, of_stacks: int) -> None:
    """A pack of so many policies of each kind, none of which does anything."""
    folder.mkdir()
    program = _NOTHING.format(resource_policies=of_resources, stack_policies=of_stacks)
    (folder / "PulumiPolicy.yaml").write_text(_MANIFEST, encoding="utf-8")
    (folder / "__main__.py").write_text(program, encoding="utf-8")


@contextmanager
def _running(pack: Path) -> Iterator[_Asked]:
    command = [sys.executable, "-u", "-m", "pulumi.policy", "127.0.0.1:1", str(pack)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=REPO)
    try:
        port = process.stdout.readline().strip() if process.stdout is not None else ""
        if not port.isdigit():
            raise BenchError(f"the policy pack in {pack} did not start; start it by itself to see why")
        with grpc.insecure_channel(f"127.0.0.1:{port}", options=_ANY_SIZE) as channel:
            grpc.channel_ready_future(channel).result(timeout=_STARTED_S)
            yield _Asked(analyzer_pb2_grpc.AnalyzerStub(channel), psutil.Process(process.pid))
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate()


# -- what they are asked about


def made_up(size: int) -> list[dict[str, Any]]:
    """Resources of a stack: a quarter functions, a quarter Deployments, and half that no rule reads."""
    makers = (_function, _role, _deployment, _bucket)
    return [_sent(*makers[number % len(makers)](f"r{number:05}")) for number in range(size)]


def _sent(kind: str, name: str, props: dict[str, Any]) -> dict[str, Any]:
    bag = struct_pb2.Struct()
    bag.update(props)
    return {"type": kind, "name": name, "urn": f"urn:pulumi:bench::bench::{kind}::{name}", "properties": bag}


def _function(name: str) -> tuple[str, str, dict[str, Any]]:
    facts = Facts(workload=name, home=Home.FUNCTION, accelerator_count=0, twin=False, compliance=())
    return (
        "aws:lambda/function:Function",
        name,
        {
            "name": name,
            "role": f"arn:aws:iam::000000000000:role/{name}",
            "runtime": "python3.12",
            "handler": "app.handle",
            "memorySize": 2048,
            "timeout": 30,
            "reservedConcurrentExecutions": 20,
            "environment": {"variables": {f"VARIABLE_{number}": "value" for number in range(8)}},
            "tags": facts.to_tags(),
            "loggingConfig": {"logFormat": "JSON", "logGroup": f"/aws/lambda/{name}"},
            "vpcConfig": {"subnetIds": ["subnet-a", "subnet-b"], "securityGroupIds": ["sg-a"]},
        },
    )


def _deployment(name: str) -> tuple[str, str, dict[str, Any]]:
    amounts = {"cpu": "2", "memory": "8Gi", "nvidia.com/gpu": "1"}
    container = {
        "name": "model",
        "image": "registry.example.com/model:1",
        "env": [{"name": f"VARIABLE_{number}", "value": "value"} for number in range(8)],
        "ports": [{"containerPort": 8080}],
        "resources": {"limits": amounts, "requests": amounts},
        "livenessProbe": {"httpGet": {"path": "/healthz", "port": 8080}},
    }
    pod = {"nodeSelector": {"halfmetal.dev/pool": "gpu"}, "containers": [container]}
    facts = Facts(workload=name, home=Home.POOL, accelerator_count=1, accelerator_type="L4")
    return (
        "kubernetes:apps/v1:Deployment",
        name,
        {
            "metadata": {"name": name, "labels": {"app": name}, "annotations": facts.to_annotations()},
            "spec": {
                "replicas": 2,
                "selector": {"matchLabels": {"app": name}},
                "template": {"metadata": {"labels": {"app": name}}, "spec": pod},
            },
        },
    )


def _role(name: str) -> tuple[str, str, dict[str, Any]]:
    props = {"name": name, "assumeRolePolicy": '{"Version": "2012-10-17", "Statement": []}', "path": "/"}
    return "aws:iam/role:Role", name, props


def _bucket(name: str) -> tuple[str, str, dict[str, Any]]:
    return "aws:s3/bucket:Bucket", name, {"bucket": name, "forceDestroy": False, "tags": {"a": "b"}}


if __name__ == "__main__":
    told(main)
