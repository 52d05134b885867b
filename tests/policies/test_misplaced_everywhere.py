"""The wrong stack where nobody judged it before: its state is audited, and its pods meet the API server.

What the program and the policy pack say of it is in `test_misplaced`. Here the same rules are broken again
by what a preview without them would create.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

import pytest
from api_server import ApiServer, Manifest, until
from misplaced_example import BROKEN

from components.catalog import load as load_catalog
from components.placement import RULES, Enforcement, Waivers, settle
from policies.audit.findings import Status, audit
from policies.audit.sources import gather
from sandbox.engine import Engine

pytestmark = pytest.mark.engine

TODAY: Final = date(2026, 11, 25)
GOVERNING: Final = (
    "Namespace",
    "ConfigMap",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
)
"""What keeps a namespace to the rules, in the order in which each rests on what is before."""

NOT_KNOWN_YET: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""What the engine has for a text that creating something will tell."""


@pytest.fixture
def created(misplaced: Callable[..., Engine]) -> list[Mapping[str, Any]]:
    """What the engine would create, by a preview that nobody judges."""
    engine = misplaced(config_time=False)
    told = json.loads(engine.output(["preview", "--json", "--stack", "misplaced"]))
    return [step["newState"] for step in told["steps"]]


def test_everywhere(created: list[Mapping[str, Any]], tmp_path: Path, api: ApiServer):
    assert broken_in_state(created, tmp_path / "state.json") == set(BROKEN)
    assert refused_in_cluster(created, api) == {"rank": {"state-locality"}}


def broken_in_state(created: list[Mapping[str, Any]], file: Path) -> set[str]:
    """The rules that an audit of the state refuses something by."""
    states = [{**state, "outputs": state["inputs"]} for state in created if state.get("inputs")]
    file.write_text(json.dumps({"version": 3, "deployment": {"resources": states}}), encoding="utf-8")
    gathered = gather([str(file)])
    assert not gathered.unread
    found = audit(gathered, settle(load_catalog(), {}), Waivers((), TODAY))
    return {
        finding.rule.id
        for finding in found.findings
        if finding.status is Status.REFUSED and finding.enforcement is Enforcement.MANDATORY
    }


def of_kind(kind: str, objects: list[Manifest]) -> list[Manifest]:
    return [each for each in objects if each["kind"] == kind]


def refused_in_cluster(created: list[Mapping[str, Any]], api: ApiServer) -> dict[str, set[str]]:
    """The rules that each Deployment is refused by, once what governs its namespace is there."""
    objects = [state["inputs"] for state in created if state["type"].startswith("kubernetes:")]
    namespaces = of_kind("Namespace", objects)
    (own,) = [each["metadata"]["name"] for each in namespaces if "-admission" not in each["metadata"]["name"]]
    # What a preview does not know of these is where they are.
    objects = json.loads(json.dumps(objects).replace(NOT_KNOWN_YET, own))
    for kind in GOVERNING:
        api.keep(*of_kind(kind, objects))
    deployments = of_kind("Deployment", objects)
    refused: dict[str, set[str]] = {}
    until(lambda: any(not api.apply(each).admitted for each in deployments), "the policies are in effect")
    for each in deployments:
        answer = api.apply(each)
        if not answer.admitted:
            named = re.findall(rf"({'|'.join(RULES)}): ", answer.message)
            refused[each["metadata"]["name"]] = set(named)
    return refused
