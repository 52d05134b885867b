"""Which official programs are taken: tables of machines that have some, none, or the wrong ones."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import pytest

from sandbox.progress import Progress
from sandbox.toolchain import ToolchainError
from sandbox.toolchain.children import Children
from sandbox.toolchain.official import choice, find, install_plugins

KUBERNETES, AWS = version("pulumi-kubernetes"), version("pulumi-aws")


@dataclass(frozen=True)
class Machine:
    """A machine with nothing on it but what a case puts there."""

    root: Path

    @property
    def bin(self) -> Path:
        """The one directory on PATH."""
        return self.root / "bin"

    @property
    def ours(self) -> tuple[Path, ...]:
        """Where our own programs lie."""
        return (self.root / "cache", self.root / "clone" / ".sandbox")

    def script(self, path: Path, text: str) -> Path:
        """An executable script."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return path

    def engine(self, answer: str = "v3.280.0", directory: Path | None = None) -> Path:
        """A `pulumi` that tells its version."""
        return self.script((directory or self.bin) / "pulumi", f'[ "$1" = version ] && echo "{answer}"')

    def host(self, directory: Path | None = None) -> Path:
        """A language host."""
        return self.script((directory or self.bin) / "pulumi-language-python", "")

    def plugin(self, name: str, its_version: str, home: str = ".pulumi") -> Path:
        """An installed resource plugin."""
        directory = self.root / home / "plugins" / f"resource-{name}-v{its_version}"
        return self.script(directory / f"pulumi-resource-{name}", "")

    def found(self) -> dict[str, Path]:
        """What is taken."""
        return find(ours=self.ours).programs


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """The machine of a case, seen through the environment."""
    machine = Machine(tmp_path)
    machine.bin.mkdir()
    monkeypatch.setenv("PATH", f"{machine.bin}:/usr/bin:/bin")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("PULUMI_HOME", raising=False)
    return machine


def test_a_machine_with_nothing(machine: Machine):
    official = find(ours=machine.ours)
    assert official.programs == {}
    assert official.notes == ()


def test_a_whole_release(machine: Machine):
    expected = {
        "pulumi": machine.engine(),
        "pulumi-language-python": machine.host(),
        "pulumi-resource-kubernetes": machine.plugin("kubernetes", KUBERNETES),
        "pulumi-resource-aws": machine.plugin("aws", AWS),
    }
    assert machine.found() == expected


def test_the_language_host_may_lie_beside_what_a_link_leads_to(machine: Machine):
    release = machine.root / "opt" / "pulumi"
    machine.bin.joinpath("pulumi").symlink_to(machine.engine(directory=release))
    host = machine.host(release)
    assert machine.found()["pulumi-language-python"] == host


@pytest.mark.parametrize(
    ("answer", "taken"),
    [
        pytest.param("v3.272.0", True, id="the oldest that serves"),
        pytest.param("v3.271.9", False, id="too old"),
        pytest.param("v4.0.0", False, id="a major version that nobody tried"),
        pytest.param("v3.300.0-dev.0", True, id="a development build"),
        pytest.param("", False, id="it says nothing"),
    ],
)
def test_the_engine_s_version_decides(machine: Machine, answer: str, *, taken: bool):
    machine.engine(answer)
    machine.host()
    official = find(ours=machine.ours)
    assert ("pulumi" in official.programs) is taken
    assert bool(official.notes) is not taken


def test_an_engine_without_its_language_host_is_not_taken_and_that_is_said(machine: Machine):
    machine.engine()
    official = find(ours=machine.ours)
    assert official.programs == {}
    assert "has no pulumi-language-python" in official.notes[0]


def _in_this_clone(machine: Machine) -> None:
    directory = machine.root / "clone" / ".sandbox" / "bin"
    machine.engine(directory=directory)
    machine.host(directory)
    machine.bin.rmdir()
    machine.bin.symlink_to(directory)


def _in_another_clone(machine: Machine) -> None:
    machine.bin.joinpath("pulumi").symlink_to(
        machine.engine(directory=machine.root / "cache" / "engine-1" / "bin")
    )
    machine.host()


@pytest.mark.parametrize(
    "place",
    [pytest.param(_in_this_clone, id="this clone's"), pytest.param(_in_another_clone, id="another clone's")],
)
def test_a_sandbox_s_own_programs_are_not_official(machine: Machine, place: Callable[[Machine], None]):
    place(machine)
    assert find(ours=machine.ours).programs == {}


def _other_version(machine: Machine) -> None:
    machine.plugin("kubernetes", "4.0.0")


def _being_installed(machine: Machine) -> None:
    directory = machine.plugin("kubernetes", KUBERNETES).parent
    directory.with_name(f"{directory.name}.partial").touch()


def _not_executable(machine: Machine) -> None:
    machine.plugin("kubernetes", KUBERNETES).chmod(0o644)


@pytest.mark.parametrize(
    "place",
    [
        pytest.param(_other_version, id="of another version"),
        pytest.param(_being_installed, id="being installed"),
        pytest.param(_not_executable, id="not executable"),
    ],
)
def test_a_plugin_that_does_not_fit_is_not_taken(machine: Machine, place: Callable[[Machine], None]):
    place(machine)
    assert find(ours=machine.ours).programs == {}


def test_plugins_are_looked_for_in_the_user_s_home_and_in_pulumi_s(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PULUMI_HOME", str(machine.root / "elsewhere"))
    aws = machine.plugin("aws", AWS, home="elsewhere")
    kubernetes = machine.plugin("kubernetes", KUBERNETES)
    assert machine.found() == {"pulumi-resource-aws": aws, "pulumi-resource-kubernetes": kubernetes}


@pytest.mark.parametrize(
    "state", [pytest.param("clone/.sandbox", id="this clone's"), pytest.param("other/state", id="another's")]
)
def test_in_a_shell_of_a_sandbox_its_plugins_are_not_official(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, state: str
):
    (machine.root / state).mkdir(parents=True)
    (machine.root / state / "instance.json").touch()
    monkeypatch.setenv("PULUMI_HOME", str(machine.root / state / "pulumi"))
    machine.plugin("aws", AWS, home=f"{state}/pulumi")
    kubernetes = machine.plugin("kubernetes", KUBERNETES)
    assert machine.found() == {"pulumi-resource-kubernetes": kubernetes}


def test_missing_plugins_are_installed_on_request_and_what_cannot_be_had_is_said(machine: Machine):
    plugins = machine.root / ".pulumi" / "plugins"
    machine.script(
        machine.bin / "pulumi",
        f"""[ "$1" = version ] && echo v3.280.0 && exit
[ "$4" = kubernetes ] || {{ echo no such host; exit 1; }}
mkdir -p {plugins}/resource-$4-v$5
cp "$0" {plugins}/resource-$4-v$5/pulumi-resource-$4""",
    )
    machine.host()
    official = install_plugins(find(ours=machine.ours), Children(), Progress.silent(), ours=machine.ours)
    assert set(official.programs) == {"pulumi", "pulumi-language-python", "pulumi-resource-kubernetes"}
    assert official.notes == (
        "the official aws plugin cannot be installed (pulumi failed with exit code 1): using our own",
    )


@pytest.mark.parametrize(
    ("value", "chosen"), [("", "auto"), ("auto", "auto"), ("official", "official"), ("built", "built")]
)
def test_the_user_chooses(monkeypatch: pytest.MonkeyPatch, value: str, chosen: str):
    monkeypatch.setenv("HALFMETAL_TOOLCHAIN", value)
    assert choice() == chosen


def test_a_choice_that_means_nothing(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HALFMETAL_TOOLCHAIN", "offical")
    with pytest.raises(ToolchainError, match="offical is not a choice") as raised:
        choice()
    assert "auto, official, built" in raised.value.remedy
