"""What a Pulumi.yaml may say of its Python runtime, and which interpreter follows from it."""

import base64
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sandbox.language_host import environment, install, packages
from sandbox.language_host.environment import Environment, Program
from sandbox.language_host.errors import HostError
from sandbox.language_host.options import Options, Toolchain, Typechecker, parse


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param({}, Options(), id="none"),
        pytest.param({"virtualenv": ".venv"}, Options(virtualenv=".venv"), id="virtualenv"),
        pytest.param({"toolchain": "uv"}, Options(toolchain=Toolchain.UV), id="uv"),
        pytest.param({"toolchain": "Pip"}, Options(toolchain=Toolchain.PIP), id="case does not matter"),
        pytest.param({"typechecker": "mypy"}, Options(typechecker=Typechecker.MYPY), id="typechecker"),
        pytest.param({"toolchain": None, "other": 1}, Options(), id="empty and unknown ones are left alone"),
    ],
)
def test_options_are_read(given: Mapping[str, object], expected: Options):
    assert parse(given) == expected


@pytest.mark.parametrize(
    ("given", "says"),
    [
        pytest.param(
            {"virtualenv": 3},
            "virtualenv: 3 is not a string; write for example `virtualenv: .venv`",
            id="type",
        ),
        pytest.param({"toolchain": "conda"}, "'conda' is not known; write one of pip, uv", id="toolchain"),
        pytest.param({"toolchain": "poetry"}, "poetry is not supported", id="poetry"),
        pytest.param({"typechecker": "pyre"}, "write one of mypy, pyright", id="typechecker"),
    ],
)
def test_options_that_are_wrong_are_refused_with_a_remedy(given: Mapping[str, object], says: str):
    with pytest.raises(HostError, match=r"runtime\.options") as refused:
        parse(given)
    assert says in str(refused.value)


@dataclass(frozen=True)
class Place:
    """A project's files and options, and where its virtual environment is then."""

    expected: str | None
    options: Options = field(default_factory=Options)
    files: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(Place(None), id="pip without the option: the machine's Python"),
        pytest.param(Place(".venv", Options(virtualenv=".venv")), id="relative to the Pulumi.yaml"),
        pytest.param(Place("/elsewhere", Options(virtualenv="/elsewhere")), id="absolute"),
        pytest.param(
            Place("src/.venv", Options(toolchain=Toolchain.UV)), id="uv without a project: beside main"
        ),
        pytest.param(
            Place(".venv", Options(toolchain=Toolchain.UV), ("pyproject.toml",)),
            id="uv: beside the project file",
        ),
        pytest.param(
            Place("src/.venv", files=("src/uv.lock", "pyproject.toml")), id="uv found by its lock file"
        ),
        pytest.param(
            Place("env", files=("uv.lock",), variables={"UV_PROJECT_ENVIRONMENT": "env"}),
            id="uv's own variable",
        ),
        pytest.param(
            Place("named", Options(virtualenv="named"), ("uv.lock",)), id="uv with the option: the option"
        ),
    ],
)
def test_the_virtual_environment_of_a_program(case: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("UV_PROJECT_ENVIRONMENT", raising=False)
    for name, value in case.variables.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "src").mkdir()
    for name in case.files:
        (tmp_path / name).touch()
    expected = None if case.expected is None else tmp_path / case.expected
    assert Program(tmp_path, tmp_path / "src", case.options).virtualenv() == expected


def test_a_poetry_lock_file_is_refused_by_name(tmp_path: Path):
    (tmp_path / "poetry.lock").touch()
    with pytest.raises(HostError, match=r"poetry.lock: poetry is not supported"):
        environment.resolve(Program(tmp_path, tmp_path, Options()))


def test_a_plugin_prefers_the_environment_beside_it(tmp_path: Path):
    plugin = Program(tmp_path, tmp_path, Options())
    assert environment.resolve_plugin(plugin).virtualenv is None
    _make_environment(tmp_path / "venv")
    assert environment.resolve_plugin(plugin).virtualenv == tmp_path / "venv"


def test_an_activated_environment_goes_first_on_the_path_and_drops_pythonhome():
    active = Environment(Path("/v/bin/python"), Path("/v")).variables(
        {"PATH": "/usr/bin", "PYTHONHOME": "/x", "A": "b"}
    )
    assert active == {"PATH": "/v/bin:/usr/bin", "VIRTUAL_ENV": "/v", "A": "b"}


@pytest.mark.parametrize(
    ("python", "plugin"),
    [
        ("7.51.1", "7.51.1"),
        ("4.0", "4.0.0"),
        ("3.31.0a1605189729", "3.31.0-alpha.1605189729"),
        ("1.2.3rc4", "1.2.3-rc.4"),
        ("1.2.3.post5", "1.2.3+post5"),
        ("1.2.3.dev6", "1.2.3+dev6"),
        ("1!2.0", None),
    ],
)
def test_the_version_of_a_packages_plugin(python: str, plugin: str | None):
    assert packages.plugin_version(python) == plugin


@dataclass(frozen=True)
class Installed:
    """An installed package and the plugin it needs."""

    name: str
    expected: packages.Plugin | None
    described: Mapping[str, object] | None = None
    version: str = "1.2.3"


VALUE = base64.b64encode(b"{}").decode()


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(Installed("requests", None), id="not Pulumi's"),
        pytest.param(Installed("pulumi-policy", None, {"resource": True}), id="known to have none"),
        pytest.param(Installed("pulumi-tls", packages.Plugin("tls", "v1.2.3", "")), id="by convention"),
        pytest.param(
            Installed(
                "pulumi_aws", packages.Plugin("aws", "v7.0.0", ""), {"resource": True, "version": "7.0.0"}
            ),
            id="as it says",
        ),
        pytest.param(
            Installed(
                "acme-cloud",
                packages.Plugin("acme", "v1.2.3", "https://example.com"),
                {"resource": True, "name": "acme", "server": "https://example.com"},
            ),
            id="another name, from another server",
        ),
        pytest.param(Installed("pulumi-lib", None, {"resource": False}), id="it says it has none"),
        pytest.param(Installed("pulumi-odd", None, version="1!2"), id="version unknowable"),
        pytest.param(
            Installed(
                "pulumi-local",
                packages.Plugin("bridge", "v0.1.0", "", packages.Parameterization("local", "1.0.0", b"{}")),
                {
                    "resource": True,
                    "name": "bridge",
                    "version": "0.1.0",
                    "parameterization": {"name": "local", "version": "1.0.0", "value": VALUE},
                },
            ),
            id="parameterized",
        ),
    ],
)
def test_the_plugin_an_installed_package_needs(case: Installed, tmp_path: Path):
    virtualenv = _make_environment(tmp_path / "venv")
    _install(virtualenv, case.name, case.version)
    if case.described is not None:
        module = _packages(virtualenv) / case.name.replace("-", "_")
        module.mkdir()
        (module / "pulumi-plugin.json").write_text(json.dumps(case.described))
    expected = [] if case.expected is None else [case.expected]
    assert packages.plugins(Environment(virtualenv / "bin" / "python", virtualenv)) == expected


def test_direct_dependencies_are_those_no_other_requires(tmp_path: Path):
    virtualenv = _make_environment(tmp_path / "venv")
    _install(virtualenv, "app", "1.0", requires=("Some_Lib>=2", 'extra-lib; extra == "x"'))
    _install(virtualenv, "some-lib", "2.1")
    _install(virtualenv, "extra-lib", "3.0")
    found = Environment(virtualenv / "bin" / "python", virtualenv)
    assert [p.name for p in packages.installed(found, transitive=False)] == ["app", "extra-lib"]
    assert [p.name for p in packages.installed(found, transitive=True)] == ["app", "extra-lib", "some-lib"]


@pytest.mark.parametrize(
    ("files", "toolchain", "command"),
    [
        pytest.param({}, Toolchain.PIP, None, id="nothing declared"),
        pytest.param(
            {"requirements.txt": ""},
            Toolchain.UV,
            ("uv", "pip", "install", "requirements.txt"),
            id="uv, requirements",
        ),
        pytest.param(
            {"pyproject.toml": "[project]\nname = 'p'"}, Toolchain.UV, ("uv", "sync"), id="uv, a project"
        ),
        pytest.param(
            {"pyproject.toml": "[tool.ruff]"}, Toolchain.UV, None, id="a project file without a project"
        ),
        pytest.param(
            {"requirements.txt": ""},
            Toolchain.PIP,
            ("install", "-r", "requirements.txt"),
            id="pip, requirements",
        ),
        pytest.param(
            {"pyproject.toml": "[project]\nname = 'p'"},
            Toolchain.PIP,
            ("install", "--editable", "."),
            id="pip, a project",
        ),
    ],
)
def test_what_installs_a_programs_dependencies(
    files: Mapping[str, str], toolchain: Toolchain, command: tuple[str, ...] | None, tmp_path: Path
):
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    program = Program(tmp_path, tmp_path, Options(toolchain=toolchain))
    chosen = install.command(program, Environment(Path(sys.executable), Path(sys.prefix)))
    if command is None:
        assert chosen is None
        return
    assert chosen is not None
    words = [Path(chosen[0]).name, *chosen[1:]]
    assert all(word in words for word in command), words


def _make_environment(directory: Path) -> Path:
    (directory / "bin").mkdir(parents=True)
    (directory / "bin" / "python").symlink_to(sys.executable)
    _packages(directory).mkdir(parents=True)
    return directory


def _packages(virtualenv: Path) -> Path:
    return virtualenv / "lib" / "python3.11" / "site-packages"


def _install(virtualenv: Path, name: str, version: str, requires: tuple[str, ...] = ()) -> None:
    described = _packages(virtualenv) / f"{name.replace('-', '_')}-{version}.dist-info"
    described.mkdir()
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    (described / "METADATA").write_text(
        "\n".join([*lines, *(f"Requires-Dist: {r}" for r in requires)]) + "\n"
    )
