"""Two fake services in place of the sandbox's table.

The first is ready once the file `release` exists beside the state directory, so that a test can act in the
middle of an `up`.
"""

import sys
from pathlib import Path

from sandbox.instance import Instance
from sandbox.services import EMULATOR_PROGRAMS, Programs
from sandbox.supervisor import Service

SLEEP = [sys.executable, "-I", "-S", "-c", "import time; time.sleep(600)"]


def services(instance: Instance, _: Programs) -> list[Service]:
    """Instead of `sandbox.services.services`."""
    release = Path(instance.state.parent / "release")
    emulator = (instance.ports["emulator"],)
    return [
        Service("emulator", lambda: SLEEP, release.exists, needs=(EMULATOR_PROGRAMS,), ports=emulator),
        Service("etcd", lambda: SLEEP, lambda: True, ports=(instance.ports["etcd_client"],)),
    ]
