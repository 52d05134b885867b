"""What KWOK pretends: the stages that nodes and pods go through.

KWOK plays every node of the cluster, and every pod but those that the node agent runs for real. Which ones
those are is decided by image, in the node agent's own table, and enforced here: each pod stage gets the
condition that none of the pod's containers has such an image.
"""

from pathlib import Path
from typing import Any

import yaml

from sandbox.files import write_atomically
from sandbox.node.images import IMAGES

# The images that the node agent has a program for, without tag, digest or the default registry.
RUN_FOR_REAL = tuple(IMAGES)

_STAGES = Path(__file__).parent / "stages"
# The tag or the digest is what follows the last ":" or "@" after the last "/"; docker.io is the default.
_IMAGE = (
    r'.spec.containers.[].image | sub("[:@][^/]*$"; "") | sub("^docker[.]io/"; "") | sub("^library/"; "")'
)


def write_stages(path: Path) -> None:
    """Write the stages that KWOK is started with, as one file."""
    stages = [
        stage for file in sorted(_STAGES.glob("*.yaml")) for stage in yaml.safe_load_all(file.read_text())
    ]
    text = yaml.safe_dump_all([_spare_real_pods(stage) for stage in stages], sort_keys=False)
    write_atomically(path, text)


def _spare_real_pods(stage: dict[str, Any]) -> dict[str, Any]:
    if stage["spec"]["resourceRef"]["kind"] == "Pod":
        stage["spec"]["selector"]["matchExpressions"].append(
            {"key": _IMAGE, "operator": "NotIn", "values": list(RUN_FOR_REAL)}
        )
    return stage
