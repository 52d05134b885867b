"""Property bags of every type that is read, with unknowns, secrets and wrong values in random places.

Whatever they hold, nothing fails, and no secret is in what the pack says. The names that bags are made of are
those that the readers themselves mention, so that they find something to read.
"""

import ast
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st
from pulumi_policy import (
    PolicyResource,
    PolicyResourceOptions,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.deserialize import SPECIAL_ASSET_SIG, SPECIAL_SIG_KEY, deserialize_properties
from pulumi_policy.policy import PolicyCustomTimeouts
from pulumi_policy.proxy import unknown_checking_proxy

import policies.reading
from components.placement import ANNOTATION_PREFIX, RULES, TAG_PREFIX, Facts, Waivers
from components.spec import Waiver
from policies.judging import RELATIONS
from policies.pack import Said
from policies.pack.remediation import REMEDIABLE
from policies.pack.wire import UNKNOWNS
from policies.reading.subjects import READERS
from tests.facts_of_all_kinds import any_facts, sensible_facts
from tests.pack_in_process import PackInProcess, Sent, pack_of, secret, struct

SECRET = "hunter2"
SECRET_NUMBER = 86_753
"""Of MiB, seconds or copies: a number that nothing else comes to."""
NO_OPTIONS = PolicyResourceOptions(
    protect=False,
    ignore_changes=[],
    delete_before_replace=None,
    aliases=[],
    custom_timeouts=PolicyCustomTimeouts(0, 0, 0),
    additional_secret_outputs=[],
)
WAIVERS = Waivers(
    tuple(
        Waiver(rule=rule, subject="em*", reason="it must", owner="ml@example.com", expires=date(2027, 1, 31))
        for rule in RULES
    ),
    date(2026, 11, 25),
)


def _mentioned() -> Iterator[str]:
    """Names of properties that the readers mention."""
    for path in Path(policies.reading.__path__[0]).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " not in node.value:
                yield node.value


def _types() -> Iterator[str]:
    yield from READERS
    for relations in RELATIONS.values():
        for relation in relations:
            yield from (*relation.types, *relation.told_of)


NAMES = sorted({name for name in _mentioned() if name and ":" not in name})
TYPES = sorted({*_types(), *(name for name in _mentioned() if name.count(":") == 2)})
CARRIED = [
    prefix + field.name.replace("_", "-")
    for prefix in (TAG_PREFIX, ANNOTATION_PREFIX)
    for field in fields(Facts)
]

wild = (
    st.none()
    | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(-(10**19), 10**19).map(float)
    | st.text(max_size=4)
    | st.sampled_from([*NAMES, "1e999999999", "100m", "1Gi", "-1", "", "\x00", "\ud7ff"])
    | st.sampled_from(sorted(UNKNOWNS))
    | st.just({SPECIAL_SIG_KEY: SPECIAL_ASSET_SIG, "path": "./dist"})
)
hidden = st.sampled_from([secret(SECRET), secret(SECRET_NUMBER), secret([SECRET]), secret({"k": SECRET})])
carried = (any_facts | sensible_facts).map(
    lambda made: {**made.to_tags(), **made.to_annotations()}
) | st.dictionaries(
    st.sampled_from(CARRIED), st.text(max_size=6) | hidden | st.sampled_from(sorted(UNKNOWNS)), max_size=4
)
values = st.recursive(
    wild | hidden | carried,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=20,
)
bags = st.dictionaries(st.sampled_from(NAMES), values, max_size=8)


@st.composite
def shaped(draw: st.DrawFn) -> dict[str, Any]:
    """A bag that is like a real one where a random value is not."""
    spec = draw(st.dictionaries(st.sampled_from(NAMES), values, max_size=3)) | {
        "containers": draw(st.lists(st.fixed_dictionaries({"resources": values | st.just({})}), max_size=2)),
        "nodeSelector": draw(values),
    }
    props = draw(bags) | {
        "tags": draw(carried | values),
        "metadata": {"name": draw(values), "annotations": draw(carried | values)},
        "spec": {**spec, "replicas": draw(values), "template": {"spec": spec}},
    }
    return {name: value for name, value in props.items() if draw(st.integers(0, 9)) or value is None}


sent = st.builds(Sent, st.sampled_from(TYPES), st.sampled_from(["embed", "chat", "rank"]), bags | shaped())


@given(st.lists(sent, min_size=1, max_size=4))
def test_nothing_fails_and_no_secret_is_told(drawn: list[Sent]):
    resources = [replace(each, name=f"{each.name}-{index}") for index, each in enumerate(drawn)]
    pack = PackInProcess(Said(remediate=REMEDIABLE, waivers=WAIVERS))
    said: list[str] = []
    for each in resources:
        pack.remediate(each)
        for messages in pack.analyze(each).values():
            said += messages
    related = [replace(each, made_from=dict.fromkeys(each.props, resources)) for each in resources]
    for messages in pack.analyze_stack(related).values():
        said += messages
    for message in (*said, *pack.lines):
        assert "a fault of halfmetal's own" not in message
        assert SECRET not in message
        assert str(SECRET_NUMBER) not in message.replace(",", "")


@given(sent)
def test_the_sdks_own_bags_make_nothing_fail(one: Sent):
    props = _by_sdk(one)
    reports: list[str] = []

    def report(message: str, _: str | None = None) -> None:
        reports.append(message)

    resource = PolicyResource(one.resource_type, props, one.urn, one.name, NO_OPTIONS, None, None, [], {})
    resource.property_dependencies = {name: [resource] for name in one.props}
    for policy in pack_of({}).policies:
        if isinstance(policy, ResourceValidationPolicy):
            policy.validate(
                ResourceValidationArgs(one.resource_type, props, one.urn, one.name, NO_OPTIONS, None, None),
                report,
            )
        elif isinstance(policy, StackValidationPolicy):
            policy.validate(StackValidationArgs([resource], None), report)
    assert not any("a fault of halfmetal's own" in message for message in reports)


def _by_sdk(one: Sent) -> Any:
    return unknown_checking_proxy(deserialize_properties(json_format.MessageToDict(struct(one.props))))


@pytest.mark.parametrize("resource_type", sorted(READERS))
def test_a_resource_that_is_secret_in_every_part_tells_none_of_it(resource_type: str):
    names = ("tags", "metadata", "spec", "memorySize", "timeout", "placement", "nodeSelector")
    whole = Sent(resource_type, "embed", {name: secret({"k": SECRET}) for name in names})
    said = PackInProcess().analyze(whole)
    assert set(said) <= {"undecided", *RULES}
    assert SECRET not in repr(said)
