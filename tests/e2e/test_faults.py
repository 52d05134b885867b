"""What goes wrong in the middle: engine killed, API server gone; and what is left when all is down."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import psutil
import pytest
from real_shell import HALFMETAL, REPO, Sandbox, wait_for

pytestmark = pytest.mark.e2e


@pytest.fixture
def fresh(tmp_path: Path):
    """A sandbox of this test alone, gone afterwards whatever happened in it."""
    made = Sandbox(tmp_path / "state")
    yield made
    made.outside.ok(HALFMETAL, "down")


@pytest.mark.parametrize("created", [3, 12, 25], ids=lambda count: f"after {count} resources")
def test_up_killed_in_the_middle_completes_when_run_again(fresh: Sandbox, created: int):
    fresh.outside.ok(HALFMETAL, "sandbox", "up", "--topology", "pure")
    process = fresh.outside.start(HALFMETAL, "up", "pure")
    wait_for(lambda: _resources(fresh) >= created, f"{created} resources in the state", 240)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    report = fresh.outside.json(HALFMETAL, "up", "pure", "--json")
    assert all(answer["status"] == 200 for answer in report["requests"])
    assert _twice_or_orphaned(fresh) == []


def test_api_server_killed_during_an_update(fresh: Sandbox):
    fresh.outside.ok(HALFMETAL, "sandbox", "up")
    process = fresh.outside.start(HALFMETAL, "up", "hybrid")
    wait_for(lambda: _resources(fresh) >= 30, "30 resources in the state", 240)
    services = {
        service["name"]: service
        for service in fresh.outside.json(HALFMETAL, "sandbox", "status", "--json")["services"]
    }
    os.kill(services["kube-apiserver"]["pid"], signal.SIGKILL)
    output, _ = process.communicate(timeout=600)
    assert process.returncode == 1
    assert "Traceback" not in output
    assert "kube-apiserver" in output
    report = fresh.outside.json(HALFMETAL, "up", "hybrid", "--json")
    assert report["outputs"]["models"]


def test_down_leaves_nothing(tmp_path: Path):
    sandbox = Sandbox(tmp_path / "state")
    sandbox.outside.ok(HALFMETAL, "up", "pure")
    instance = json.loads((sandbox.state / "instance.json").read_text())
    sandbox.outside.ok(HALFMETAL, "down")
    assert not sandbox.state.exists()
    assert _processes_of(sandbox) == []
    listening = {c.laddr.port for c in psutil.net_connections("inet") if c.status == psutil.CONN_LISTEN}
    assert listening.isdisjoint(instance["ports"].values())
    sandbox.outside.ok(HALFMETAL, "down")


def test_preview_refuses_the_misplaced_stack(sandbox: Sandbox):
    """With the config-time check on; the check switched off is the policy pack's own test."""
    file = REPO / "examples" / "misplaced" / "Pulumi.misplaced.yaml"
    done = sandbox.outside.run(HALFMETAL, "validate", str(file))
    assert done.returncode == 1


def _resources(sandbox: Sandbox) -> int:
    """Resources in the state that the engine has written so far; none before its first checkpoint."""
    found = list((sandbox.state / "backend").glob(".pulumi/stacks/**/*.json"))
    try:
        return len(json.loads(found[0].read_text())["checkpoint"]["latest"]["resources"]) if found else 0
    except (ValueError, KeyError, TypeError):  # being written, or still empty
        return 0


def _processes_of(sandbox: Sandbox) -> list[str]:
    """Processes that name this sandbox's state in their command line or environment."""
    needle = str(sandbox.state)
    found = []
    for process in psutil.process_iter():
        try:
            if any(needle in part for part in process.cmdline()) or needle in str(process.environ()):
                found.append(" ".join(process.cmdline()))
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def _twice_or_orphaned(sandbox: Sandbox) -> list[str]:
    """What the emulator holds and the state does not, by kind; made twice shows as one of the two."""
    shell = sandbox.shell
    state = json.loads(shell.ok("pulumi", "stack", "export", "-s", "pure"))
    known = {str(resource.get("id")) for resource in state["deployment"]["resources"]}
    assert not state["deployment"].get("pending_operations")
    inventory = {
        "function": ("aws", "lambda", "list-functions", "--query", "Functions[].FunctionName"),
        "role": ("aws", "iam", "list-roles", "--query", "Roles[].RoleName"),
        "log group": ("aws", "logs", "describe-log-groups", "--query", "logGroups[].logGroupName"),
        "api": ("aws", "apigatewayv2", "get-apis", "--query", "Items[].ApiId"),
        "table": ("aws", "dynamodb", "list-tables", "--query", "TableNames"),
        "bucket": ("aws", "s3api", "list-buckets", "--query", "Buckets[].Name"),
        "alarm": ("aws", "cloudwatch", "describe-alarms", "--query", "MetricAlarms[].AlarmName"),
        "topic": ("aws", "sns", "list-topics", "--query", "Topics[].TopicArn"),
    }
    return [
        f"{kind} {name}"
        for kind, command in inventory.items()
        for name in shell.json(*command) or []
        if name not in known
    ]
