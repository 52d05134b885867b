"""The pack under the real engine, over a program that knows nothing of halfmetal and over halfmetal's own.

Only the engine can show these: that what a remediation sets is planned with everything beside it as it was,
that no secret leaves the pack, that the stack's configuration reaches it, that a wrong one ends a preview
before it begins, and that nothing is said of the example stacks.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox.engine import POLICY_PACK, Engine
from sandbox.paths import REPO
from sandbox.progress import Progress

pytestmark = pytest.mark.engine

SECRET_KEY = "hunter2-of-the-environment"
SECRET_TIMEOUT = 4_321
PROJECT = """\
name: foreign
runtime:
  name: python
  options: {{toolchain: pip, virtualenv: {virtualenv}}}
"""
PROGRAM = f"""\
import pulumi
import pulumi_aws as aws

role = aws.iam.Role("role", assume_role_policy="{{}}")


def function(name, **args):
    aws.lambda_.Function(
        name,
        name=name,
        role=role.arn,
        runtime="python3.12",
        handler="app.handle",
        code=pulumi.AssetArchive({{"app.py": pulumi.StringAsset("def handle(event, context): ...")}}),
        environment={{"variables": {{"KEY": pulumi.Output.secret("{SECRET_KEY}")}}}},
        **args,
    )


function("embed", timeout=30)
function("rank", timeout=pulumi.Output.secret({SECRET_TIMEOUT}), reserved_concurrent_executions=3)
aws.cloudwatch.LogGroup("logs", name="logs")
"""


@dataclass(frozen=True)
class Previewed:
    """How a preview ended, and all that it said."""

    ok: bool
    text: str

    def inputs(self, name: str) -> dict[str, Any]:
        """What is planned for a resource."""
        steps = json.loads(self.text[self.text.index("{") :])["steps"]
        (found,) = (step["newState"]["inputs"] for step in steps if step["urn"].endswith(f"::{name}"))
        return dict(found)


@pytest.fixture
def preview_of_foreign(engine_env: dict[str, str], tmp_path: Path) -> Callable[..., Previewed]:
    """Previews the program with the pack, in a project of its own."""

    def pulumi(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["pulumi", *arguments, "--non-interactive", "--stack", "prod"],
            cwd=tmp_path,
            env=engine_env,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def preview(stack: dict[str, Any], config: dict[str, Any] | None = None) -> Previewed:
        (tmp_path / "Pulumi.yaml").write_text(PROJECT.format(virtualenv=sys.prefix), encoding="utf-8")
        (tmp_path / "__main__.py").write_text(PROGRAM, encoding="utf-8")
        assert pulumi("stack", "init").returncode == 0
        configured = {"aws:region": "us-east-1", "halfmetal:stack": stack}
        (tmp_path / "Pulumi.prod.yaml").write_text(json.dumps({"config": configured}), encoding="utf-8")
        arguments = ["preview", "--json", "--policy-pack", str(POLICY_PACK)]
        if config is not None:
            (tmp_path / "rules.json").write_text(json.dumps(config), encoding="utf-8")
            arguments += ["--policy-pack-config", str(tmp_path / "rules.json")]
        done = pulumi(*arguments)
        assert pulumi("stack", "rm", "--yes").returncode == 0
        return Previewed(done.returncode == 0, done.stdout + done.stderr)

    return preview


def test_what_is_absent_is_planned_and_everything_else_is_as_it_was(
    preview_of_foreign: Callable[..., Previewed],
):
    without = preview_of_foreign({})
    remediated = preview_of_foreign({"policies": {"remediate": True}})
    made = {"embed": {"reservedConcurrentExecutions": 20}, "logs": {"retentionInDays": 14}, "rank": {}}
    for name, values in made.items():
        before, after = without.inputs(name), remediated.inputs(name)
        by_default = set(before.pop("__defaults", ())) - values.keys()
        assert set(after.pop("__defaults", ())) == by_default
        assert after == before | values
        assert values.items() <= after.items()
        assert not values.items() & before.items()
    for previewed in (without, remediated):
        assert SECRET_KEY not in previewed.text
        assert str(SECRET_TIMEOUT) not in previewed.text.replace(",", "")


def test_the_stacks_own_configuration_reaches_the_pack(preview_of_foreign: Callable[..., Previewed]):
    waiver = {
        "rule": "runaway-function",
        "subject": "*",
        "reason": "the account has a quota",
        "owner": "ml@example.com",
        "expires": "2999-12-31",
    }
    waived = [{**waiver, "subject": "embed"}, {**waiver, "subject": "rank"}]
    assert not preview_of_foreign({}).ok
    previewed = preview_of_foreign({"policies": {"waivers": waived}})
    assert previewed.ok
    for name in ("embed", "rank"):
        said = f"waiver of runaway-function for {name} by ml@example.com until 2999-12-31: used"
        assert said in previewed.text


@pytest.mark.parametrize(
    ("config", "said"),
    [
        pytest.param({"memory-limit": "advisory"}, "memory-limit: is no policy of this pack", id="no rule"),
        pytest.param(
            {"memory-over-function-limit": {"on_demnad": "8GiB"}},
            "its thresholds: on_demand",
            id="no threshold",
        ),
        pytest.param(
            {"memory-over-function-limit": {"on_demand": "lots"}}, "Does not match pattern", id="no size"
        ),
    ],
)
def test_a_wrong_configuration_ends_a_preview_before_it_begins(
    preview_of_foreign: Callable[..., Previewed], config: dict[str, Any], said: str
):
    previewed = preview_of_foreign({}, config)
    assert not previewed.ok
    assert said in previewed.text
    assert "Traceback" not in previewed.text
    assert "aws:lambda" not in previewed.text


def test_a_state_is_analyzed_without_its_program_or_its_cloud(engine_env: dict[str, str], tmp_path: Path):
    urn = "urn:pulumi:prod::foreign::"
    function = {
        "urn": f"{urn}aws:lambda/function:Function::embed",
        "type": "aws:lambda/function:Function",
        "custom": True,
        "id": "embed",
        "inputs": {"name": "embed", "timeout": 30},
        "outputs": {"name": "embed", "timeout": 30},
    }
    stack = {"urn": f"{urn}pulumi:pulumi:Stack::foreign-prod", "type": "pulumi:pulumi:Stack"}
    manifest = {"time": "2026-11-25T00:00:00Z", "magic": "", "version": "v3.274.1"}
    deployment = {"manifest": manifest, "resources": [stack, function]}
    state = tmp_path / "state.json"
    state.write_text(json.dumps({"version": 3, "deployment": deployment}), encoding="utf-8")
    done = subprocess.run(
        ["pulumi", "policy", "analyze", "--file", str(state), "--policy-pack", str(POLICY_PACK), "--json"],
        cwd=tmp_path,
        env=engine_env,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode != 0
    assert "embed: it has no reserved concurrency" in done.stdout
    assert "embed: it has logs kept for ever, no alarm, no budget for the stack" in done.stdout


@pytest.mark.parametrize("topology", ["pure", "hybrid", "dedicated"])
def test_nothing_is_said_of_an_example_but_that_all_is_kept(
    engine_env: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, topology: str
):
    monkeypatch.setenv("HALFMETAL_STATE_DIR", str(tmp_path / "state"))
    project = PROJECT.format(virtualenv=sys.prefix) + f"main: {REPO}\n"
    (tmp_path / "Pulumi.yaml").write_text(project.replace("foreign", "halfmetal"), encoding="utf-8")
    example = (REPO / "stacks" / f"Pulumi.{topology}.yaml").read_text(encoding="utf-8")
    (tmp_path / f"Pulumi.{topology}.yaml").write_text(example, encoding="utf-8")
    engine = Engine(engine_env, tmp_path)
    engine.ensure_stack(topology)
    with Progress().step("preview") as step:
        outcome = engine.preview(topology, step)
    assert outcome.ok, outcome.events.errors
    assert outcome.events.findings == []
    (line,) = (note for note in outcome.events.notes if note.startswith("halfmetal: "))
    assert line.startswith("halfmetal: 14 placement rules on ")
    assert line.endswith(": all kept")
