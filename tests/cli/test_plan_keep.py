"""`halfmetal plan --keep`: what was decided is written as what runs today, and nothing else."""

from pathlib import Path

import pytest
import typer
import yaml
from typer.testing import CliRunner

import cli.plan
from sandbox.errors import SandboxError

STACK = """\
config:
  halfmetal:stack:
    topology: TOPOLOGY
    region: us-east-1
    zones: [us-east-1a, us-east-1b]
    network: {nat: single}
    control_plane:
      budget: {limit: $500/month, notify: [ops@example.com]}
    data_plane:
      cluster: {provider: eks, version: "1.35"}
      gateway: {}
      pools:
        - {name: cpu-a, kind: managed, instance: m7g.large, zones: [us-east-1a], nodes: {max: 4}}
    workloads:
      - name: embed  # the first
        serve: {container: {image: "halfmetal/embedder:0.1.0"}}
        needs: {cpu: 0.5, memory: 1GiB}
        traffic: {rate: 20/s, service_time: 25ms}
      - name: other
        serve: {container: {image: "halfmetal/embedder:0.1.0"}}
        needs: {cpu: 0.5, memory: 1GiB}
        placement: {home: pool, pool: cpu-a, current: function}
"""


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    file = tmp_path / "Pulumi.mine.yaml"
    file.write_text(STACK.replace("TOPOLOGY", "auto"))
    return file


def run(*arguments: str) -> str:
    app = typer.Typer()
    app.command()(cli.plan.plan)
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def test_what_was_decided_is_written(stack: Path):
    assert f"wrote {stack}" in run(str(stack), "--keep")
    said = yaml.safe_load(stack.read_text())["config"]["halfmetal:stack"]
    assert said["decision"] == {"current": "dedicated"}
    embed, other = said["workloads"]
    assert embed["placement"] == {"current": "pool/cpu-a"}
    assert other["placement"] == {"home": "pool", "pool": "cpu-a"}
    assert "# the first" in stack.read_text()


def test_a_second_run_writes_nothing(stack: Path):
    run(str(stack), "--keep")
    once = stack.read_bytes()
    assert f"{stack} says so already" in run(str(stack), "--keep")
    assert stack.read_bytes() == once


def test_a_topology_that_is_named_is_not_kept_as_well(stack: Path):
    stack.write_text(
        STACK.replace("TOPOLOGY", "hybrid") + "    decision: {current: dedicated, headroom: 30%}\n"
    )
    run(str(stack), "--keep")
    assert yaml.safe_load(stack.read_text())["config"]["halfmetal:stack"]["decision"] == {"headroom": "30%"}


@pytest.mark.parametrize("other", ["--explain", "--diff", "--html"])
def test_it_goes_with_no_other_form(stack: Path, other: str):
    with pytest.raises(SandboxError, match=f"--keep and {other} cannot go together"):
        run(str(stack), "--keep", other, "x")
