"""The pack as a process, spoken to as the engine does: its policies, levels and configuration."""

import ast
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import grpc
import pytest
import yaml
from google.protobuf import struct_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc

from components import catalog
from components.placement import RULES, UNBOUNDED, Facts, FrontDoor, Home, Override, Waivers
from components.spec import Duration, Memory, Share
from policies.pack import Pack
from policies.pack.configured import Rules
from policies.pack.stack import Said, read, stack_of
from policies.reading.functions import FUNCTION

ROOT = Path(__file__).parents[2]
PACK = ROOT / "policies"
TODAY = date(2026, 11, 25)
GPU_FUNCTION = {
    "memorySize": 2048,
    "timeout": 30,
    "reservedConcurrentExecutions": 10,
    "tags": Facts(
        workload="embed",
        home=Home.FUNCTION,
        memory=Memory.of(12, "GiB"),
        accelerator_type="L4",
        accelerator_count=1,
        utilization=Share.parse("3%"),
        service_time=Duration.of(40, "ms"),
        front_door=FrontDoor.HTTP_API,
        cold_start_tolerance=UNBOUNDED,
        jitter=UNBOUNDED,
        twin=False,
        state=(),
        local_cache=False,
        compliance=(),
        ties=(),
    ).to_tags(),
}
STACK = {
    "topology": "hybrid",
    "policies": {
        "rules": {
            "accelerator-needs-metal": {"enforcement": "advisory"},
            "zone-capacity": {"enforcement": "disabled"},
            "memory-over-function-limit": {"on_demand": "20GiB"},
        }
    },
}


@dataclass
class _Pack:
    analyzer: analyzer_pb2_grpc.AnalyzerStub
    process: "subprocess.Popen[str]"

    def analyze(self, resource_type: str, properties: dict[str, Any]) -> dict[str, Any]:
        """Policy → its diagnostic, for one resource."""
        bag = struct_pb2.Struct()
        bag.update(properties)
        request = analyzer_pb2.AnalyzeRequest(
            type=resource_type, properties=bag, urn="urn:thing", name="thing"
        )
        return {each.policyName: each for each in self.analyzer.Analyze(request).diagnostics}

    def configure(self, config: dict[str, analyzer_pb2.PolicyConfig]) -> None:
        """Set the pack's configuration, as `--policy-pack-config` does."""
        self.analyzer.Configure(analyzer_pb2.ConfigureAnalyzerRequest(policyConfig=config))


@contextmanager
def _started(stack: object) -> Iterator[_Pack]:
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "pulumi.policy", "127.0.0.1:1", str(PACK)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=PACK,
    )
    assert process.stdout is not None
    try:
        port = process.stdout.readline().strip()
        assert port.isdigit(), "the pack did not start"
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            analyzer = analyzer_pb2_grpc.AnalyzerStub(channel)
            config = {"halfmetal:stack": json.dumps(stack)}
            analyzer.ConfigureStack(analyzer_pb2.AnalyzerStackConfigureRequest(config=config))
            yield _Pack(analyzer, process)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


@pytest.fixture(scope="module")
def pack() -> Iterator[_Pack]:
    with _started(STACK) as started:
        yield started


def test_the_pack_names_a_policy_for_each_rule_at_the_level_the_stack_gives_it(pack: _Pack):
    info = pack.analyzer.GetAnalyzerInfo(struct_pb2.Struct())
    level = {
        policy.name: analyzer_pb2.EnforcementLevel.Name(policy.enforcementLevel) for policy in info.policies
    }
    assert info.name == "halfmetal"
    assert level == {
        "accelerator-needs-metal": "ADVISORY",
        "memory-over-function-limit": "MANDATORY",
        "sustained-utilization": "MANDATORY",
        "long-execution": "MANDATORY",
        "cold-start-budget": "MANDATORY",
        "jitter-budget": "MANDATORY",
        "state-locality": "MANDATORY",
        "local-state": "MANDATORY",
        "compliance-isolation": "MANDATORY",
        "unattended-cluster": "ADVISORY",
        "runaway-function": "MANDATORY",
        "vendor-lock-in": "ADVISORY",
        "warm-before-tail": "MANDATORY",
        "zone-capacity": "DISABLED",
        "accelerator-needs-metal-across-stack": "ADVISORY",
        "long-execution-across-stack": "MANDATORY",
        "cold-start-budget-across-stack": "MANDATORY",
        "state-locality-across-stack": "MANDATORY",
        "unattended-cluster-across-stack": "ADVISORY",
        "compliance-isolation-across-stack": "MANDATORY",
        "vendor-lock-in-across-stack": "ADVISORY",
        "runaway-function-across-stack": "MANDATORY",
        "warm-before-tail-across-stack": "MANDATORY",
        "zone-capacity-across-stack": "DISABLED",
        "advice": "ADVISORY",
        "waived": "ADVISORY",
        "undecided": "ADVISORY",
        "advice-across-stack": "ADVISORY",
        "waived-across-stack": "ADVISORY",
        "undecided-across-stack": "ADVISORY",
        "summary": "ADVISORY",
    }


def test_thresholds_can_be_set_in_the_packs_configuration_within_what_its_schema_allows(pack: _Pack):
    info = pack.analyzer.GetAnalyzerInfo(struct_pb2.Struct())
    schema = {policy.name: dict(policy.configSchema.properties) for policy in info.policies}
    for rule in RULES.values():
        assert set(schema[rule.id]) == set(rule.parameters)
    stated = schema["state-locality"]["cross_zone_round_trip"]
    assert "Default: 2ms (assumed)" in stated["description"]
    assert "default" not in stated


def test_a_resource_is_judged_with_the_stacks_levels_and_thresholds(pack: _Pack):
    said = pack.analyze(FUNCTION, GPU_FUNCTION)
    assert set(said) == {"accelerator-needs-metal"}
    assert said["accelerator-needs-metal"].enforcementLevel == analyzer_pb2.ADVISORY
    assert "To do: place it on nodes" in said["accelerator-needs-metal"].message


def test_a_whole_stack_is_summed_up_on_standard_output(pack: _Pack):
    pack.analyze(FUNCTION, GPU_FUNCTION)
    function = analyzer_pb2.AnalyzerResource(type=FUNCTION, urn="urn:thing", name="thing")
    pack.analyzer.AnalyzeStack(analyzer_pb2.AnalyzeStackRequest(resources=[function]))
    assert pack.process.stdout is not None
    line = pack.process.stdout.readline()
    assert line.startswith("halfmetal: 13 placement rules on 1 of 1 resources: broken: ")
    assert line.endswith("accelerator-needs-metal, runaway-function\n")


def test_the_packs_configuration_goes_over_the_stacks(pack: _Pack):
    properties = struct_pb2.Struct()
    properties.update({"on_demand": "8GiB"})
    chosen = analyzer_pb2.PolicyConfig(enforcementLevel=analyzer_pb2.MANDATORY, properties=properties)
    pack.configure({"memory-over-function-limit": chosen})
    said = pack.analyze(FUNCTION, GPU_FUNCTION)
    pack.configure({})
    assert "at most 8,192 MB (as configured)" in said["memory-over-function-limit"].message
    assert "memory-over-function-limit" not in pack.analyze(FUNCTION, GPU_FUNCTION)


@pytest.mark.parametrize(
    "stack",
    [
        pytest.param(None, id="no configuration"),
        pytest.param("text", id="no mapping"),
        pytest.param(
            {"policies": {"rules": {"state-locality": {"cross_zone_round_trip": "soon"}}}}, id="no time"
        ),
        pytest.param({"policies": {"rules": {"no-such-rule": {}}}}, id="no such rule"),
        pytest.param({"policies": "strict"}, id="policies that are no mapping"),
    ],
)
def test_a_stack_file_that_makes_no_sense_leaves_the_rules_as_they_are(stack: object):
    assert read(stack, TODAY).overrides == {}


@pytest.mark.parametrize(
    "config",
    [
        pytest.param({}, id="another project's"),
        pytest.param({"halfmetal:stack": "hybrid"}, id="no JSON"),
        pytest.param({"halfmetal:stack": "[" * 100_000}, id="without end"),
    ],
)
def test_a_stack_that_is_not_halfmetals_says_nothing(config: dict[str, str]):
    assert stack_of(config) is None
    assert read(None, TODAY) == Said(waivers=Waivers((), TODAY))


def test_a_stack_files_changes_are_read():
    said = read(STACK, TODAY)
    assert said.overrides["memory-over-function-limit"] == Override(thresholds={"on_demand": "20GiB"})


_ON_DEMAND = "limits.function.memory_on_demand"
_OWN = {"value": "512MiB", "source": "our own quota", "as_of": "2026-11-01"}


@pytest.mark.parametrize(
    ("stack", "memory"),
    [
        pytest.param(
            {"region": "us-east-1", "catalog": {_ON_DEMAND: _OWN}}, "512MiB", id="a limit of its own"
        ),
        pytest.param(
            {"region": "us-east-1", "catalog": {_ON_DEMAND: {"value": "1"}}}, "10GiB", id="no source"
        ),
        pytest.param({"region": "us-east-1", "catalog": {"no.where": _OWN}}, "10GiB", id="no such figure"),
        pytest.param({"catalog": {_ON_DEMAND: _OWN}}, "10GiB", id="no region"),
        pytest.param({"region": "us-east-1", "catalog": "cheap"}, "10GiB", id="a catalog that is no mapping"),
        pytest.param("text", "10GiB", id="no mapping"),
    ],
)
def test_the_pack_goes_by_the_stacks_own_figures(stack: object, memory: str):
    settings = Rules(read(stack, TODAY)).settings()
    threshold = settings.by_id["memory-over-function-limit"].thresholds.memory("on_demand")
    assert str(threshold) == memory


def test_only_the_packs_main_creates_a_pack():
    """Creating a PolicyPack starts a server that never returns: an import must not do it."""
    for path in PACK.rglob("*.py"):
        called = {
            node.func.id
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert ("PolicyPack" in called) == (path.name == "__main__.py")


def test_policy_names_are_the_rules_names():
    names = [policy.name for policy in Pack(TODAY).policies]
    assert len(names) == len(set(names))
    assert set(RULES) <= set(names)


def test_the_pack_runs_in_the_projects_environment():
    manifest = yaml.safe_load((PACK / "PulumiPolicy.yaml").read_text())
    assert manifest["runtime"] == {"name": "python", "options": {"virtualenv": "../.venv"}}


def test_the_readme_names_every_policy_threshold_and_default():
    readme = (PACK / "README.md").read_text()
    for policy in Pack(TODAY).policies:
        assert f"`{policy.name}`" in readme
    for rule in RULES.values():
        row = next((line for line in readme.splitlines() if line.startswith(f"| `{rule.id}` | `")), "")
        for name, threshold in rule.thresholds(catalog.load()).values.items():
            assert f"`{name}`" in row
            assert str(threshold) in row
