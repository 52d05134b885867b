"""A live stack, told by the real engine from a backend of the test's own."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from policies.audit.sources import Kind, SourceError, gather
from policies.reading.bags import UNKNOWN
from sandbox.progress import Progress
from sandbox.toolchain import ensure

pytestmark = pytest.mark.engine

_URN = "urn:pulumi:prod::inference"
_ROOT = f"{_URN}::pulumi:pulumi:Stack::inference-prod"
_SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "plaintext": '"hidden"'}


def _state(empty: dict[str, Any]) -> str:
    """The state of an empty stack with one function in it, whose description is a secret."""
    function = {
        "urn": f"{_URN}::aws:lambda/function:Function::embed",
        "type": "aws:lambda/function:Function",
        "custom": True,
        "id": "embed",
        "external": True,
        "inputs": {"name": "embed", "description": _SECRET},
        "outputs": {"name": "embed", "description": _SECRET, "memorySize": 512},
        "parent": _ROOT,
    }
    root = {"urn": _ROOT, "type": "pulumi:pulumi:Stack", "custom": False}
    empty["deployment"]["resources"] = [root, function]
    return json.dumps(empty)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one stack, which is the current folder, and nothing of the user's."""
    (tmp_path / "backend").mkdir()
    for name in [name for name in os.environ if name.startswith("PULUMI_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PULUMI_BACKEND_URL", (tmp_path / "backend").as_uri())
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "")
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PULUMI_SKIP_UPDATE_CHECK", "1")
    engine = ensure(["engine"], Progress()).path("pulumi")
    monkeypatch.setenv("PATH", str(engine.parent), prepend=os.pathsep)
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text("name: inference\nruntime: python\n", encoding="utf-8")
    monkeypatch.chdir(folder)

    def stack(*words: str) -> bytes:
        command = [engine, "stack", *words, "--non-interactive"]
        return subprocess.run(command, check=True, capture_output=True, timeout=120).stdout

    stack("init", "prod")
    file = tmp_path / "state.json"
    # The engine encrypts what is secret by the provider that the stack has.
    file.write_text(_state(json.loads(stack("export", "--stack", "prod"))), encoding="utf-8")
    stack("import", "--stack", "prod", "--file", str(file))
    return folder


def test_a_live_stack(project: Path) -> None:
    found = gather(["stack:prod"])
    (resource,) = found.resources
    assert (resource.name, resource.props["memorySize"], resource.props["description"]) == (
        "embed",
        512,
        UNKNOWN,
    )
    assert found.kinds == {Kind.PULUMI: 1}
    assert [each.name for each in project.iterdir() if "state" in each.name] == []


def test_a_stack_that_is_not_there(project: Path) -> None:
    del project
    with pytest.raises(SourceError, match="staging") as caught:
        gather(["stack:staging"])
    assert "pulumi stack ls" in caught.value.remedy
