"""Runs a policy pack or a component provider written in Python and relays what it writes."""

import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

from pulumi.runtime.proto import language_pb2

from sandbox.language_host.children import Children
from sandbox.language_host.environment import Program, resolve_plugin
from sandbox.language_host.errors import HostError
from sandbox.language_host.program import OnCancel
from sandbox.language_host.streams import Source, read


def run(
    request: language_pb2.RunPluginRequest, program: Program, *, children: Children, on_cancel: OnCancel
) -> Iterator[language_pb2.RunPluginResponse]:
    """Yields the plugin's output as it comes and, once it has ended, its exit status.

    Raises:
        HostError: it cannot be run as it is set up.
    """
    if request.attach_debugger:
        raise HostError("--attach-debugger is not supported by this language host")
    environment = resolve_plugin(program)
    given = dict(entry.partition("=")[::2] for entry in request.env)
    child = children.start(
        [environment.python, "-u", *_arguments(request, program)],
        cwd=Path(request.pwd),
        env=environment.variables(given),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    if not on_cancel(lambda: children.stop(child)):
        children.stop(child)
    for source, piece in read(child):
        if source is Source.STDOUT:
            yield language_pb2.RunPluginResponse(stdout=piece)
        else:
            yield language_pb2.RunPluginResponse(stderr=piece)
    yield language_pb2.RunPluginResponse(exitcode=child.wait())


def _arguments(request: language_pb2.RunPluginRequest, program: Program) -> list[str]:
    if request.kind == "analyzer":
        return ["-m", "pulumi.policy", *request.args, str(program.directory)]
    if (program.root / "__main__.py").is_file():
        return [str(program.directory), *request.args]
    return ["-m", "pulumi.run.plugin", _package(program.root), *request.args]


def _package(root: Path) -> str:
    """The name of the package that a plugin without a `__main__.py` is.

    Raises:
        HostError: it is none either.
    """
    project = root / "pyproject.toml"
    try:
        content = tomllib.loads(project.read_text(encoding="utf-8")) if project.is_file() else {}
    except tomllib.TOMLDecodeError as error:
        raise HostError(f"{project}: {error}") from error
    name = content.get("project", {}).get("name")
    if not isinstance(name, str) or "build-system" not in content:
        raise HostError(
            f"the plugin in {root} cannot be run: it has neither a __main__.py nor a pyproject.toml with a "
            "[project] name and a [build-system]"
        )
    return name
