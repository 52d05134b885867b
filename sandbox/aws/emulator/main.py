"""Start the emulator: environment, repairs, then serve until SIGTERM.

Run by the emulator's own Python as `python sandbox/aws/emulator/main.py` with the variables of `settings`.
"""

import asyncio
import importlib
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parents[3]
_KEEP_ALIVE_S = 75
_GRACE_S = 3


def main() -> None:
    """Serve in the foreground."""
    # A script's own directory comes first on the path: put the clone there instead, for absolute imports.
    sys.path[0] = str(REPO)
    settings = importlib.import_module("sandbox.aws.emulator.settings")
    prepare(settings.SETTINGS)
    # Only now: ministack reads its configuration while it is imported.
    repairs = importlib.import_module("sandbox.aws.emulator.repairs")
    asyncio.run(_serve(repairs.application(), f"{settings.LOOPBACK}:{settings.SETTINGS.port}"))


def prepare(settings: Any) -> None:
    """Empty the scratch directory of what a crash left behind, and set ministack's environment."""
    shutil.rmtree(settings.scratch, ignore_errors=True)
    settings.scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
    settings.apply_to(os.environ)
    tempfile.tempdir = str(settings.scratch)


async def _serve(application: Any, bind: str) -> None:
    config = importlib.import_module("hypercorn.config").Config()
    config.bind = [bind]
    config.keep_alive_timeout = _KEEP_ALIVE_S
    config.graceful_timeout = _GRACE_S
    config.loglevel = "WARNING"
    await importlib.import_module("hypercorn.asyncio").serve(application, config)


if __name__ == "__main__":
    main()
