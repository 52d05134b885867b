"""A live Pulumi stack, as `pulumi stack export` tells it.

The engine reads the stack's state from its backend; the program is not run, and secrets stay encrypted.
"""

import subprocess
import tempfile
from pathlib import Path
from shutil import which
from typing import Final

from policies.audit.sources.files import UnreadableError, read_file
from policies.audit.sources.model import STACK, Limits, SourceError

_ECHO: Final = "error: "


def export(source: str, limits: Limits) -> str:
    """The state of a stack, as JSON. Raises SourceError if it cannot be had."""
    name = source.removeprefix(STACK)
    if not name or name.startswith("-"):
        raise SourceError(source, "names no stack", "write stack:NAME; pulumi stack ls lists those there are")
    engine = which("pulumi")
    if engine is None:
        raise SourceError(
            source, "there is no pulumi on the PATH", "install it, or audit the file of pulumi stack export"
        )
    with tempfile.TemporaryDirectory(prefix="halfmetal-audit-") as folder:
        file = Path(folder, "state.json")
        _run(
            [engine, "stack", "export", "--non-interactive", "--stack", name, "--file", str(file)],
            source,
            limits,
        )
        try:
            return read_file(file, limits)
        except UnreadableError as error:
            raise SourceError(source, error.why, error.remedy) from error


def _run(command: list[str], source: str, limits: Limits) -> None:
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=limits.seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise SourceError(
            source, f"pulumi did not answer in {limits.seconds} s", "see whether pulumi stack export does"
        ) from error
    except (OSError, ValueError) as error:
        raise SourceError(
            source, f"pulumi does not start: {error}", "see whether pulumi version does"
        ) from error
    if done.returncode != 0:
        raise SourceError(
            source,
            f"pulumi does not export it: {_reason(done.stderr)}",
            "run it in the folder of the stack's project, logged in to its backend, as pulumi stack ls shows",
        )


def _reason(said: bytes) -> str:
    """The error among what a command said, in one line."""
    lines = [line.strip() for line in said.decode("utf-8", "replace").splitlines() if line.strip()]
    errors = [line.removeprefix(_ECHO) for line in lines if line.startswith(_ECHO)]
    return (errors or lines[-1:] or ["it does not say why"])[0][:500]
