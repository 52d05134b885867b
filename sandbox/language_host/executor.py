"""Runs one Pulumi program. The only part of the host that runs under the program's own interpreter.

It is started by path, so it may import nothing of this repository: only the standard library and whatever
Pulumi SDK the program's environment has. What to run comes as JSON on standard input (see `program.py`).

Exit statuses: 0 the program succeeded; 32 it failed and the user has been told why; any other is the
program's own.
"""

import asyncio
import gc
import inspect
import json
import logging
import runpy
import sys
import sysconfig
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

REPORTED = 32
"""The user has already been told what went wrong: the number the official host uses too."""

_ALLOCATIONS_BETWEEN_COLLECTIONS = 100_000
"""A program is mostly the SDKs it imports, hundreds of thousands of objects that stay. At Python's own 700 it
spends a third of its time finding that out, over and over."""

_SDK_MISSING = """\
The Pulumi SDK is not installed in the program's Python environment ({python}).
Run `pulumi install` in the project's directory; `pulumi` must be among its requirements.
"""

gc.set_threshold(_ALLOCATIONS_BETWEEN_COLLECTIONS)
try:
    import grpc
    import pulumi
    import pulumi.runtime
except ImportError:
    traceback.print_exc()
    sys.stderr.write("\n" + _SDK_MISSING.format(python=sys.executable))
    sys.exit(1)


def main() -> int:
    request = json.load(sys.stdin)
    _configure(request)
    program = Path(request["program"]).resolve()
    directory = program if program.is_dir() else program.parent
    sys.argv = [request["program"], *request["args"]]
    # Python put this file's directory first; a program must find its own modules there, not the host's.
    sys.path[0] = str(directory)
    # A failed update leaves tasks and futures unobserved by design; asyncio would report every one.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    reported = _watch_reported_errors()
    try:
        _run(program, request["parallel"])
    except pulumi.RunError as error:
        pulumi.log.error(str(error))
        return REPORTED
    except SystemExit as stop:
        if stop.code not in (None, 0) and reported:
            return REPORTED
        raise
    except Exception as error:  # noqa: BLE001 - whatever a program raises is reported as its failure
        if not _engine_is_gone(error):
            pulumi.log.error(_describe(error, directory))
        return REPORTED
    return 0


def _configure(request: dict[str, Any]) -> None:
    # Threads that a program starts see only the context variable's default, which `set_config` fills.
    for key, value in request["config"].items():
        pulumi.runtime.set_config(key, value)
    pulumi.runtime.set_all_config(request["config"], request["secret_keys"])
    # An older SDK does not know every setting.
    known = inspect.signature(pulumi.runtime.Settings).parameters
    settings = {name: value for name, value in request["settings"].items() if name in known}
    pulumi.runtime.configure(pulumi.runtime.Settings(**settings))


def _run(program: Path, parallel: int) -> None:
    if program.is_dir() and not (program / "__main__.py").is_file():
        raise pulumi.RunError(f"no Pulumi program in {program}: there is no __main__.py")
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    # Every outstanding resource call holds a thread while the engine works on it.
    executor = ThreadPoolExecutor(max_workers=4 * max(parallel, 1))
    loop.set_default_executor(executor)
    try:
        loop.run_until_complete(pulumi.runtime.run_in_stack(lambda: _run_as_main(program)))
    finally:
        executor.shutdown(wait=True)
        loop.close()
        # On its way out the interpreter goes through all that is left, several times over.
        gc.freeze()


def _run_as_main(program: Path) -> None:
    runpy.run_path(str(program), run_name="__main__")


def _watch_reported_errors() -> list[str]:
    """The list that fills with what the program reports through `pulumi.log.error`."""
    reported: list[str] = []
    log_error = pulumi.log.error

    def error(msg: str, *args: Any, **kwargs: Any) -> None:
        reported.append(msg)
        log_error(msg, *args, **kwargs)

    pulumi.log.error = error
    return reported


def _engine_is_gone(error: BaseException) -> bool:
    """Whether the program failed because the engine stopped listening: it was cancelled, or died."""
    code = getattr(error, "code", None)
    return isinstance(error, grpc.RpcError) and callable(code) and code() is grpc.StatusCode.UNAVAILABLE


def _describe(error: BaseException, directory: Path) -> str:
    description = traceback.TracebackException.from_exception(error)
    _keep_own_frames(description, directory, set())
    text = "Program failed with an unhandled exception:\n" + "".join(description.format())
    return text + _hint(error, directory)


def _keep_own_frames(description: traceback.TracebackException, directory: Path, seen: set[int]) -> None:
    """Drops, from an exception and those that led to it, the frames above the program's first."""
    if id(description) in seen:
        return
    seen.add(id(description))
    frames = list(description.stack)
    first = next((i for i, frame in enumerate(frames) if _is_own(frame.filename, directory)), 0)
    if isinstance(description.exc_type, type) and issubclass(description.exc_type, SyntaxError):
        first = first or len(frames)  # it names its own file and line
    description.stack = traceback.StackSummary.from_list(frames[first:])
    members = getattr(description, "exceptions", None) or ()  # of an exception group
    for other in (description.__cause__, description.__context__, *members):
        if other is not None:
            _keep_own_frames(other, directory, seen)


def _is_own(filename: str, directory: Path) -> bool:
    """Whether a file is the program's: below its directory, and not of a virtual environment kept there."""
    path = Path(filename)
    installed = [Path(sysconfig.get_path(name)) for name in ("purelib", "platlib", "stdlib")]
    return path.is_relative_to(directory) and not any(path.is_relative_to(place) for place in installed)


def _hint(error: BaseException, directory: Path) -> str:
    if not isinstance(error, ModuleNotFoundError) or not error.name:
        return ""
    module = error.name.partition(".")[0]
    if (directory / module).exists() or (directory / f"{module}.py").exists():
        return ""
    return (
        f"\nThe module {module} is not installed in the program's Python environment ({sys.executable}). "
        "Add its package to the program's requirements and run `pulumi install`.\n"
    )


if __name__ == "__main__":
    sys.exit(main())
