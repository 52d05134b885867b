"""Whatever the rules read of a type, every source gives under the name that they read it by."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from policies.audit.sources import gather
from policies.audit.sources.live_cluster import read_kinds
from policies.audit.sources.types import BY_PULUMI, KEPT, TYPES, Type
from policies.reading import callers, node_relations, pod_relations, relations, task_relations
from policies.reading.bags import ABSENT, fetch
from policies.reading.subjects import READS

ALL = (READS, *(each.READS for each in (callers, node_relations, pod_relations, relations, task_relations)))
OF_CLOUDS = sorted({name for reads in ALL for name in reads if not name.startswith("kubernetes:")})
PATHS = sorted(
    (name, path) for name in OF_CLOUDS for path in {path for reads in ALL for path in reads.get(name, ())}
)
NOT_OF_CLOUDFORMATION = {
    "aws:ec2/capacityBlockReservation:CapacityBlockReservation",  # it has no such type
    "gcp:cloudrunv2/service:Service",
}


@pytest.mark.parametrize("name", OF_CLOUDS)
def test_every_type_that_is_read_stands_in_the_table(name: str) -> None:
    assert BY_PULUMI[name].terraform
    parts = {part.pulumi for each in TYPES for part in each.parts}
    assert BY_PULUMI[name].cloudformation or name in parts | NOT_OF_CLOUDFORMATION


def _snake(name: str, of: Type, *, first: bool) -> str:
    """Terraform's name for a property."""
    own = {theirs: ours for ours, theirs in of.lists.items()}
    if first:
        own |= {theirs: ours for ours, theirs in of.terraform_names.items()}
    return own.get(name) or re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _attributes(of: Type, steps: list[str], *, first: bool = True) -> dict[str, Any]:
    """Terraform's values that hold something at a path."""
    step, *rest = steps
    name = step.removesuffix("[]")
    inner: Any = "x"
    if rest:
        inner = [_attributes(of, rest, first=False)]
    elif name in of.lists.values():
        inner = [{"key": "x"}]
    elif name in KEPT:
        inner = {"key_of_its_own": "x"}
    return {_snake(name, of, first=first): inner}


@pytest.mark.parametrize(("name", "path"), PATHS)
def test_a_property_that_is_read_is_found_in_a_terraform_state(name: str, path: str, tmp_path: Path) -> None:
    of = BY_PULUMI[name]
    attributes = _attributes(of, path.split("."))
    instance = {"attributes": attributes}
    resource = {"mode": "managed", "type": of.terraform, "name": "x", "instances": [instance]}
    file = tmp_path / "terraform.tfstate"
    file.write_text(json.dumps({"version": 4, "lineage": "x", "resources": [resource]}), encoding="utf-8")
    (found,) = gather([str(file)]).resources
    assert found.resource_type == name
    steps: list[str | int] = []
    for step in path.split("."):
        steps += [step.removesuffix("[]"), *([0] if step.endswith("[]") else [])]
    assert fetch(found.props, *steps) is not ABSENT


def test_every_kind_that_is_read_is_listed_in_a_cluster() -> None:
    asked = {
        f"kubernetes:{f'{group}/{version}' if group else f'core/{version}'}:{kind}"
        for kind, versions in read_kinds().items()
        for group, version in versions
    }
    assert asked == {name for reads in ALL for name in reads if name.startswith("kubernetes:")}
    assert read_kinds()["Deployment"][0] == ("apps", "v1")
