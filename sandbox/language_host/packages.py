"""What is installed in a program's Python environment, read from its files rather than by running it."""

import base64
import json
import re
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

from sandbox.language_host.environment import Environment
from sandbox.language_host.errors import HostError

_WITHOUT_PLUGIN = {"pulumi-policy"}
_PRE_RELEASE = {"a": "-alpha.", "b": "-beta.", "rc": "-rc."}
_VERSION = re.compile(
    r"^(?P<release>\d+(?:\.\d+)*)(?:(?P<stage>a|b|rc)(?P<stage_number>\d+))?(?:\.post(?P<post>\d+))?(?:\.dev(?P<dev>\d+))?$"
)


@dataclass(frozen=True, order=True)
class Package:
    """An installed Python package."""

    name: str
    version: str


@dataclass(frozen=True)
class Plugin:
    """A provider plugin that an installed Python package needs."""

    name: str
    version: str
    server: str
    parameterization: "Parameterization | None" = None
    extension: "Parameterization | None" = None


@dataclass(frozen=True)
class Parameterization:
    """What turns a general plugin into the one a package was made for."""

    name: str
    version: str
    value: bytes


def installed(environment: Environment, *, transitive: bool) -> list[Package]:
    """The packages of an environment; without `transitive`, those that no other of them requires."""
    found = {_normal(d.name): d for d in _distributions(environment)}
    required = set() if transitive else set(_required(found.values()))
    return sorted(Package(name, found[name].version) for name in found.keys() - required)


def plugins(environment: Environment) -> list[Plugin]:
    """The provider plugins that the packages of an environment need.

    Raises:
        HostError: a package's pulumi-plugin.json cannot be read.
    """
    found = {_normal(d.name): d for d in _distributions(environment)}
    named = (_plugin(name, found[name]) for name in sorted(found))
    return [plugin for plugin in named if plugin is not None]


def _plugin(name: str, distribution: Distribution) -> Plugin | None:
    described = _plugin_file(name, distribution)
    if name in _WITHOUT_PLUGIN or (described is None and not name.startswith("pulumi-")):
        return None
    description: dict[str, Any] = {"resource": True} if described is None else _load(described)
    version = description.get("version") or plugin_version(distribution.version)
    if not description.get("resource") or version is None:
        return None
    return Plugin(
        name=description.get("name") or name.removeprefix("pulumi-"),
        version="v" + str(version).removeprefix("v"),
        server=description.get("server") or "",
        parameterization=_parameterization(description.get("parameterization")),
        extension=_parameterization(description.get("extensionParameterization")),
    )


def plugin_version(version: str) -> str | None:
    """A Python package's version as the semantic version its plugin has. None where it cannot be known.

    The plugin of a pre-release has a build hash in its version that the package does not tell.
    """
    parts = _VERSION.match(version)
    if parts is None:
        return None
    release = [*parts["release"].split("."), "0", "0"][:3]
    stage = f"{_PRE_RELEASE[parts['stage']]}{parts['stage_number']}" if parts["stage"] else ""
    build = [f"{label}{parts[label]}" for label in ("post", "dev") if parts[label]]
    return ".".join(release) + stage + ("+" + ".".join(build) if build else "")


def _plugin_file(name: str, distribution: Distribution) -> Path | None:
    # The official host relies on the same convention: the module is named as the package.
    module = Path(str(distribution.locate_file(name.replace("-", "_")))) / "pulumi-plugin.json"
    return module if module.is_file() else None


def _load(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except ValueError as error:
        raise HostError(f"{path}: {error}") from error
    if not isinstance(content, dict):
        raise HostError(f"{path}: not a JSON object")
    return content


def _parameterization(described: Any) -> Parameterization | None:
    if not described:
        return None
    return Parameterization(described["name"], described["version"], base64.b64decode(described["value"]))


def _required(found: Iterable[Distribution]) -> Iterator[str]:
    for distribution in found:
        for requirement in distribution.requires or ():
            if "extra ==" not in requirement:
                yield _normal(re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0])


def _distributions(environment: Environment) -> Iterator[Distribution]:
    yield from distributions(path=_search_path(environment))


def _search_path(environment: Environment) -> list[str]:
    """Where an environment's packages are. A virtual environment shows it; the machine's Python is asked."""
    if environment.virtualenv is not None and not _sees_system_packages(environment.virtualenv):
        return [str(path) for path in sorted(environment.virtualenv.glob("lib/python3*/site-packages"))]
    asked = subprocess.run(
        [environment.python, "-I", "-c", "import json, sys; print(json.dumps(sys.path))"],
        capture_output=True,
        text=True,
        check=False,
    )
    if asked.returncode:
        raise HostError(f"{environment.python} cannot be run: {asked.stderr.strip()}")
    return [path for path in json.loads(asked.stdout) if path]


def _sees_system_packages(virtualenv: Path) -> bool:
    settings = virtualenv / "pyvenv.cfg"
    return settings.is_file() and bool(
        re.search(r"(?im)^include-system-site-packages\s*=\s*true", settings.read_text(encoding="utf-8"))
    )


def _normal(name: str) -> str:
    """A package name as the index compares them (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()
