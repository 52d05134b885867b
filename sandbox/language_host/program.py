"""Runs a program: its type checker where it asks for one, then the program, each as a child process."""

import json
import os
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pulumi.runtime.proto import language_pb2

from sandbox.language_host.children import Children
from sandbox.language_host.environment import Environment, Program, resolve
from sandbox.language_host.errors import HostError
from sandbox.language_host.options import Typechecker

EXECUTOR = Path(__file__).with_name("executor.py")
REPORTED = 32
"""The executor's status for: it failed, and the user has been told why."""

OnCancel = Callable[[Callable[[], None]], bool]
"""Registers what to do when the engine gives up on a call; false when it already has."""


def run(
    request: language_pb2.RunRequest,
    program: Program,
    *,
    engine: str,
    children: Children,
    on_cancel: OnCancel,
) -> language_pb2.RunResponse:
    """Runs a program to its end and says how it ended.

    Raises:
        HostError: it cannot be run as it is set up.
    """
    if request.attach_debugger:
        raise HostError("--attach-debugger is not supported by this language host")
    environment = resolve(program)
    if checker := program.options.typechecker:
        _check_types(checker, program, environment, children)
    child = children.start(
        [environment.python, "-u", EXECUTOR],
        cwd=Path(request.pwd),
        env=environment.variables(os.environ),
        stdin=subprocess.PIPE,
    )
    if not on_cancel(lambda: children.stop(child)):
        children.stop(child)
    assert child.stdin is not None
    with suppress(BrokenPipeError), child.stdin as stdin:  # it may die before it reads; its status tells
        stdin.write(_instructions(request, engine))
    return _response(child.wait())


def _instructions(request: language_pb2.RunRequest, engine: str) -> bytes:
    return json.dumps(
        {
            "program": request.info.entry_point or ".",
            "args": list(request.args),
            "parallel": request.parallel,
            "config": dict(request.config),
            "secret_keys": list(request.configSecretKeys),
            "settings": {
                "project": request.project,
                "stack": request.stack,
                "monitor": request.monitor_address,
                "engine": engine,
                "parallel": request.parallel,
                "dry_run": request.dryRun,
                "organization": request.organization or "organization",
                "root_directory": request.info.root_directory,
            },
        }
    ).encode()


def _response(status: int) -> language_pb2.RunResponse:
    if status == 0:
        return language_pb2.RunResponse()
    if status == REPORTED:
        return language_pb2.RunResponse(bail=True)
    if status < 0:
        return language_pb2.RunResponse(error=f"Program was ended by signal {-status}")
    return language_pb2.RunResponse(error=f"Program exited with non-zero exit code: {status}")


def _check_types(
    checker: Typechecker, program: Program, environment: Environment, children: Children
) -> None:
    argv: list[str | Path] = [environment.python, "-m", checker]
    if checker is Typechecker.MYPY and environment.virtualenv is not None:
        argv += ["--exclude", os.path.relpath(environment.virtualenv, program.directory)]
    env = environment.variables(os.environ)
    probe: list[str | Path] = [environment.python, "-c", f"import {checker}"]
    if children.start(probe, cwd=program.directory, env=env, stderr=subprocess.DEVNULL).wait():
        raise HostError(
            f"runtime.options.typechecker is {checker}, which is not installed in the program's Python "
            f"environment ({environment.python}); add it to the requirements and run `pulumi install`"
        )
    if children.start([*argv, program.directory], cwd=program.directory, env=env).wait():
        raise HostError(f"{checker} refused the program (runtime.options.typechecker); see above")
