"""`python -m sandbox.toolchain [GROUP…]`: make groups ready (by default all) and say where they are."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from types import FrameType
from typing import cast

from sandbox.progress import Progress, size
from sandbox.toolchain.errors import ToolchainError
from sandbox.toolchain.programs import Toolchain
from sandbox.toolchain.provision import ensure, prune
from sandbox.toolchain.recipes import GROUPS, Group

_INTERRUPTED = 130


def main(arguments: list[str] | None = None) -> int:
    """Run the command; its exit code."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupt)  # ended politely, the compilers end as well
    try:
        if options.prune:
            sys.stdout.writelines(f"removed {name}\n" for name in prune())
            return 0
        groups = cast("list[Group]", options.groups) or list(GROUPS)
        toolchain = ensure(groups, Progress())
    except ToolchainError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("interrupted: what is finished is kept, run the same command to go on\n")
        return _INTERRUPTED
    sys.stdout.write(json.dumps(toolchain.as_dict(), indent=2) + "\n" if options.json else _table(toolchain))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox.toolchain", description=__doc__)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"one or more of: {', '.join(GROUPS)}")
    parser.add_argument(
        "--json", action="store_true", help="print each program's path, source and size as JSON"
    )
    parser.add_argument("--prune", action="store_true", help="only remove what nobody used for 30 days")
    return parser


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _table(toolchain: Toolchain) -> str:
    lines = [f"{name:<28}{located.source:<10}{located.path}" for name, located in toolchain.programs.items()]
    sizes = ", ".join(f"{group} {size(count)}" for group, count in toolchain.sizes.items())
    total = size(sum(toolchain.sizes.values()))
    return "\n".join([*lines, f"{total} in the cache: {sizes}" if sizes else ""]).strip() + "\n"


if __name__ == "__main__":
    sys.exit(main())
