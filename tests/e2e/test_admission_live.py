"""A deployed stack's namespace is kept to the rules, by policies that the deployment made."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from real_shell import Deployed, Sandbox, wait_for

pytestmark = pytest.mark.e2e

NAMESPACE = "halfmetal-hybrid"
TAINT = {"key": "nvidia.com/gpu", "operator": "Exists"}


@pytest.fixture(scope="module")
def hybrid(sandbox: Sandbox) -> Deployed:
    return sandbox.deploy("hybrid")


@dataclass(frozen=True)
class Applied:
    """What somebody applies beside the stack's own, and what the API server says."""

    says: str
    spec: dict[str, Any]
    annotations: dict[str, str]
    words: tuple[str, ...]
    admitted: bool = False


def _pods(pool: str, gpus: int = 0, *tolerations: dict[str, str]) -> dict[str, Any]:
    limits = {"nvidia.com/gpu": gpus} if gpus else {}
    return {
        "nodeSelector": {"halfmetal.dev/pool": pool},
        "tolerations": list(tolerations),
        "containers": [{"name": "c", "image": "example/model:1", "resources": {"limits": limits}}],
    }


CASES = [
    Applied(
        "a GPU pod without its toleration",
        _pods("gpu-a", 1),
        {},
        ("accelerator-needs-metal: beside", "do not tolerate", "To do: place it on nodes"),
    ),
    Applied("a GPU pod with it", _pods("gpu-a", 1, TAINT), {}, ("created",), admitted=True),
    Applied(
        "a workload for metal alone on a shared pool",
        _pods("cpu-a"),
        {"halfmetal.dev/home": "metal", "halfmetal.dev/jitter": "20us"},
        ("jitter-budget: beside", "which a shared pool cannot hold", "To do: place it on metal"),
    ),
    Applied(
        "a reader in another zone than its state",
        _pods("cpu-a"),
        {"halfmetal.dev/state": "sessions@us-east-1b", "halfmetal.dev/latency-p99": "1ms"},
        ("state-locality: beside", "sessions is in us-east-1b", "To do: place it on a pool"),
    ),
]


@pytest.mark.parametrize("case", [pytest.param(case, id=case.says) for case in CASES])
def test_what_is_applied_beside_a_stack_keeps_its_rules(case: Applied, hybrid: Deployed, tmp_path: Path):
    labels = {"app": "beside"}
    manifest = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "beside", "namespace": NAMESPACE, "annotations": case.annotations},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": case.spec},
        },
    }
    file = tmp_path / "beside.json"
    file.write_text(json.dumps(manifest))
    done = hybrid.sandbox.shell.run("kubectl", "apply", "--dry-run=server", "-f", str(file))
    assert (done.returncode == 0) == case.admitted, done.stderr
    for words in case.words:
        assert words in done.stdout + done.stderr


def test_the_api_server_finds_no_fault_with_the_types_of_a_policy(hybrid: Deployed):
    def policies() -> list[dict[str, Any]]:
        found = hybrid.sandbox.shell.json("kubectl", "get", "validatingadmissionpolicies", "-o", "json")[
            "items"
        ]
        return [each for each in found if each["metadata"]["name"].startswith(f"{NAMESPACE}.")]

    def checked() -> bool:
        return all("typeChecking" in each.get("status", {}) for each in policies())

    wait_for(checked, "types are checked")
    assert policies()
    assert all(not each["status"]["typeChecking"] for each in policies())
