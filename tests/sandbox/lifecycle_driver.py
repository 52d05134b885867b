"""A `halfmetal sandbox up` or `down` in a process of its own, with one fake service in place of the table.

The service is ready once the file `release` exists beside the state directory, so that a test can act in the
middle of an `up`.
"""

import sys
from pathlib import Path

from sandbox import lifecycle
from sandbox.instance import Instance
from sandbox.progress import Progress
from sandbox.services import EMULATOR_PROGRAMS, Programs
from sandbox.supervisor import Service
from sandbox.toolchain import Toolchain

SLEEP = [sys.executable, "-I", "-S", "-c", "import time; time.sleep(600)"]


def services(instance: Instance, _: Programs) -> list[Service]:
    """Instead of `sandbox.services.services`."""
    release = Path(instance.state.parent / "release")
    emulator = (instance.ports["emulator"],)
    return [
        Service("emulator", lambda: SLEEP, release.exists, needs=(EMULATOR_PROGRAMS,), ports=emulator),
        Service("etcd", lambda: SLEEP, lambda: True, ports=(instance.ports["etcd_client"],)),
    ]


def main() -> None:
    """Run the command named by the first argument."""
    lifecycle.services = services
    lifecycle.ensure = lambda *_: Toolchain({})
    if sys.argv[1] == "up":
        lifecycle.up("pure", Progress())
    else:
        lifecycle.down(Progress())


if __name__ == "__main__":
    main()
