"""`halfmetal up` and `down`: what is done in which order, what is said, and how it ends."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

import cli.deploy
from cli.routes import Answer, Route
from sandbox.engine import Events, Outcome, PolicyFinding
from sandbox.errors import SandboxError
from sandbox.instance import PORT_NAMES, Instance, Topology
from sandbox.lifecycle import Health
from sandbox.recovery import Recovery
from sandbox.supervisor import Outcome as Started
from sandbox.supervisor import State, Status

MODELS = [
    {
        "name": "embed",
        "home": "pool",
        "pool": "cpu-a",
        "zone": "us-east-1a",
        "replicas": 2,
        "reasons": ["asked [x]"],
    },
    {"name": "rank", "home": "pool", "pool": "gpu-a", "replicas": 1, "reasons": ["has a GPU"]},
    {"name": "spiky", "home": "function", "reasons": ["spiky"]},
]
OUTPUTS: dict[str, Any] = {"url": "http://api", "models": MODELS, "kubeconfig_context": "halfmetal"}
HEALTH = Route("GET /health", "GET", "http://api/health", "API Gateway")
RANK = Route(
    "POST /v2/models/rank/infer",
    "POST",
    "http://api/v2/models/rank/infer",
    "gateway, pod",
    {},
    pretended=True,
)
REFUSAL = PolicyFinding("runaway-function", "mandatory", "urn:x", "no alarm\n  remedy: add one")
ADVICE = PolicyFinding("state-locality", "advisory", "urn:x", "in another zone")
EMULATOR, DEAD = Status("emulator", State.READY, pid=1), Status("kwok", State.DEAD)


@dataclass
class World:
    """Everything below the commands, and what they asked of it."""

    state: Path
    health: tuple[Status, ...] = (EMULATOR,)
    stacks: tuple[str, ...] = ("hybrid",)
    exit_codes: Mapping[str, int] = field(default_factory=dict)
    events: Events = field(default_factory=Events)
    answered: tuple[Answer, ...] = (Answer(HEALTH, 200, 9.0, 4.0, "ok"), Answer(RANK, 503, 9.0, 4.0, ""))
    listing: SandboxError | None = None
    died: tuple[str, ...] = ()
    asked: list[str] = field(default_factory=list)

    # As `sandbox.engine.Engine`.

    def preview(self, stack: str, *_: Any) -> Outcome:
        return self._operation("preview", stack)

    def up(self, stack: str, *_: Any) -> Outcome:
        return self._operation("up", stack)

    def destroy(self, stack: str, *_: Any) -> Outcome:
        return self._operation("destroy", stack)

    def refresh(self, stack: str, *_: Any) -> Outcome:
        return self._operation("refresh", stack)

    def ensure_stack(self, stack: str) -> None:
        self.asked.append(f"ensure {stack}")

    def remove_stack(self, stack: str) -> None:
        self.asked.append(f"remove {stack}")

    def list_stacks(self) -> list[str]:
        if self.listing:
            raise self.listing
        return list(self.stacks)

    def _operation(self, name: str, stack: str) -> Outcome:
        self.asked.append(f"{name} {stack}")
        log = self.state / f"{name}.log"
        log.write_text("line one\nthe engine's last words\n")
        code = self.exit_codes.get(name, self.exit_codes.get(f"{name} {stack}", 0))
        return Outcome(f"pulumi {name} -s {stack}", code, self.events, log)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("HALFMETAL_STATE_DIR", str(tmp_path))
    ports = {name: 20000 + number for number, name in enumerate(PORT_NAMES)}
    instance = Instance(state=tmp_path, ports=ports, loopback_octet=77, topology=Topology.PURE)
    instance.save()
    made = World(tmp_path)

    class Engine:
        def __init__(self, env: Mapping[str, str]) -> None:
            assert env["PULUMI_HOME"] == str(instance.paths.pulumi_home)

        preview, up, refresh, destroy = made.preview, made.up, made.refresh, made.destroy
        ensure_stack, remove_stack, stacks = made.ensure_stack, made.remove_stack, made.list_stacks

        def outputs(self, _: str) -> dict[str, Any]:
            return OUTPUTS

    lifecycle, asked = cli.deploy.lifecycle, made.asked
    monkeypatch.setattr(cli.deploy, "Engine", Engine)
    monkeypatch.setattr(
        cli.deploy, "recover", lambda stack, _: (asked.append(f"recover {stack}"), Recovery())[1]
    )
    monkeypatch.setattr(cli.deploy, "answers", lambda *_: list(made.answered))

    def start(topology: str, _: object) -> Started:
        asked.append(f"start {topology}")
        return Started(repaired=list(made.died))

    monkeypatch.setattr(lifecycle, "up", start)
    monkeypatch.setattr(lifecycle, "down", lambda _: (asked.append("stop"), ["emulator"])[1])
    monkeypatch.setattr(lifecycle, "status", lambda: Health(instance if made.health else None, made.health))
    return made


def run(*arguments: str) -> tuple[int, str]:
    app = typer.Typer()
    app.command()(cli.deploy.up)
    app.command()(cli.deploy.down)
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    return result.exit_code, result.stdout


class TestUp:
    """A stack from its file to the answers of its routes."""

    def test_the_order_of_things(self, world: World):
        code, _ = run("up", "pure")

        assert code == 0
        assert world.asked == ["start pure", "ensure pure", "recover pure", "preview pure", "up pure"]

    @pytest.mark.parametrize(
        ("died", "refreshed"),
        [(("emulator",), ["refresh pure"]), (("kwok",), [])],
        ids=["emulator", "another"],
    )
    def test_what_an_emulator_that_died_may_have_lost_is_looked_at(
        self, died: tuple[str, ...], refreshed: list[str], world: World
    ):
        world.died = died
        run("up", "pure")

        assert world.asked == [
            "start pure",
            "ensure pure",
            "recover pure",
            *refreshed,
            "preview pure",
            "up pure",
        ]

    def test_a_stack_without_a_file_is_answered_with_those_that_have_one(self, world: World):
        with pytest.raises(SandboxError, match="no stack 'metal'") as caught:
            run("up", "metal")

        assert "dedicated, hybrid, pure" in caught.value.remedy
        assert world.asked == []

    @pytest.mark.usefixtures("world")
    def test_what_stands_where(self):
        rows = [line.split() for line in run("up", "hybrid")[1].splitlines()]

        assert ["embed", "pool", "cpu-a", "us-east-1a", "2", "asked", "[x]"] in rows
        assert ["rank", "pool", "gpu-a", "1,", "pretended", "has", "a", "GPU"] in rows
        assert ["spiky", "function", "-", "-", "spiky"] in rows

    @pytest.mark.usefixtures("world")
    def test_three_commands_to_try_next(self):
        output = run("up", "hybrid")[1]

        assert 'eval "$(.venv/bin/halfmetal sandbox env)"' in output
        assert "pulumi preview -s hybrid" in output
        assert "kubectl get pods" in output

    def test_what_the_policy_pack_said(self, world: World):
        world.events.notes += ["halfmetal: 5 rules, 9 resources: all fit", "something else"]
        world.events.findings.append(ADVICE)
        output = run("up", "hybrid")[1]

        assert "policies  5 rules, 9 resources: all fit" in output
        assert "state-locality: in another zone" in output
        assert "something else" not in output

    def test_a_route_that_does_not_answer_is_a_failure(self, world: World):
        world.answered = (Answer(HEALTH, None, 9.0, 4.0, "ConnectError: refused"),)

        assert run("up", "hybrid")[0] == 1

    def test_for_programs(self, world: World):
        world.events.changes = {"create": 3}
        world.events.findings.append(ADVICE)
        told = json.loads(run("up", "hybrid", "--json")[1])

        assert told["stack"] == "hybrid"
        assert told["changes"] == {"create": 3}
        assert told["policy_findings"][0]["policy"] == "state-locality"
        assert told["outputs"] == OUTPUTS
        assert [entry["ok"] for entry in told["requests"]] == [True, True]

    def test_a_refused_preview_names_each_finding_and_updates_nothing(self, world: World):
        world.exit_codes = {"preview": 1}
        world.events.findings += [REFUSAL, ADVICE]
        world.events.errors.append("preview failed")
        with pytest.raises(SandboxError) as caught:
            run("up", "hybrid")

        assert "refused by 1 finding of the policy pack" in caught.value.what
        assert "runaway-function: no alarm" in caught.value.detail
        assert "state-locality" not in caught.value.detail
        assert world.asked[-1] == "preview hybrid"

    @pytest.mark.parametrize(
        ("errors", "detail"),
        [
            pytest.param(["update failed", "no room"], "no room", id="the error that was told"),
            pytest.param([], "line one\nthe engine's last words", id="or the end of its log"),
        ],
    )
    def test_a_failed_update_says_why(self, errors: list[str], detail: str, world: World):
        world.exit_codes = {"up": 1}
        world.events.errors += errors
        with pytest.raises(SandboxError, match="pulumi up -s hybrid failed") as caught:
            run("up", "hybrid")

        assert caught.value.detail == detail
        assert str(world.state / "up.log") in caught.value.remedy

    def test_an_update_that_lost_a_service_names_it_in_one_line(self, world: World):
        world.exit_codes, world.health = {"up": 1}, (EMULATOR, DEAD)
        world.events.errors += [f"{name}: connection refused" for name in ("a", "b", "c")]
        with pytest.raises(SandboxError) as caught:
            run("up", "hybrid")

        assert caught.value.what == "pulumi up -s hybrid failed: kwok is dead"
        assert "halfmetal sandbox logs kwok" in caught.value.remedy
        assert "halfmetal up hybrid" in caught.value.remedy
        assert caught.value.detail == ""


class TestDown:
    """Stacks first, then the sandbox; and the sandbox in any case."""

    def test_the_order_of_things(self, world: World):
        assert run("down")[0] == 0
        assert world.asked == ["recover hybrid", "destroy hybrid", "remove hybrid", "stop"]

    def test_for_programs(self, world: World):
        world.stacks = ("hybrid", "pure")

        assert json.loads(run("down", "--json")[1]) == {
            "destroyed": ["hybrid", "pure"],
            "held": [],
            "stopped": ["emulator"],
        }

    def test_a_stack_that_cannot_be_destroyed_holds_up_neither_the_others_nor_the_sandbox(self, world: World):
        world.stacks, world.exit_codes = ("hybrid", "pure"), {"destroy hybrid": 1}
        with pytest.raises(SandboxError, match="destroy did not complete for: hybrid"):
            run("down")

        assert world.asked[-3:] == ["destroy pure", "remove pure", "stop"]

    @pytest.mark.parametrize(
        "health",
        [
            pytest.param((), id="nothing is up"),
            pytest.param((EMULATOR, DEAD), id="a service died: a destroy could only fail"),
        ],
    )
    def test_without_a_working_sandbox_nothing_is_destroyed(self, health: tuple[Status, ...], world: World):
        world.health = health

        assert run("down")[0] == 0
        assert world.asked == ["stop"]

    def test_an_engine_that_was_never_built_keeps_nothing_up(self, world: World):
        world.listing = SandboxError("no `pulumi` in the sandbox", "start it: halfmetal sandbox up")

        assert run("down")[0] == 0
        assert world.asked == ["stop"]
