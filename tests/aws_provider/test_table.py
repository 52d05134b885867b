"""The table says only what the SDK and the services' models know, and says it about every property."""

import importlib
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from resource_cases import CASES

from sandbox.aws.provider import sdk, services
from sandbox.aws.provider.diff import diff
from sandbox.aws.provider.errors import ProviderError
from sandbox.aws.provider.plan import Plan, references
from sandbox.aws.provider.provider import plan_of
from sandbox.aws.provider.sdk import ANY, PropType
from sandbox.aws.provider.table import all_entries, find
from sandbox.aws.provider.table.model import Call, Each, Entry, Read, Step

ENTRIES = [pytest.param(entry, id=entry.token) for entry in all_entries()]
each_entry = pytest.mark.parametrize("entry", ENTRIES)


def property_at(signature: Mapping[str, PropType], path: str) -> PropType | None:
    """The type at a path of the table, lists entered."""
    head, _, rest = path.partition(".")
    kind = signature.get(head)
    while kind is not None and kind.kind in ("list", "map"):
        kind = kind.item
    return kind if not rest or kind is None or kind.kind == "any" else property_at(kind.fields, rest)


@each_entry
def test_paths_are_properties_of_the_sdk(entry: Entry) -> None:
    signature = sdk.signature(entry.token)
    both = {**signature.outputs, **signature.inputs}
    paths = {
        *entry.replace,
        *entry.identity,
        *entry.defaults,
        *entry.computed,
        *entry.local,
        *entry.refused,
        *entry.write_only,
        *entry.unordered,
        *entry.json,
        *entry.policies,
        *entry.secret,
        *entry.empty,
        *entry.volatile,
        *(name for names in entry.volatile.values() for name in names),
        *entry.derive,
        *entry.names,
        *entry.normalise,
        *(set(entry.emulator_gaps) - {"*"}),
    }
    assert {path for path in paths if property_at(both, path) is None} == set()


def steps(entry: Entry) -> Iterator[Step]:
    yield entry.create
    yield from entry.then
    yield from entry.delete


def calls(entry: Entry) -> Iterator[Call]:
    for step in steps(entry):
        if isinstance(step, Call):
            yield step
            if step.unset:
                yield step.unset
        elif isinstance(step, Each):
            yield from (step.add, step.remove)
    if entry.tags:
        yield from (entry.tags.change, entry.tags.remove)


def reads(entry: Entry) -> Iterator[Read]:
    yield from entry.read
    if entry.tags and entry.tags.read_call:
        yield entry.tags.read_call


@each_entry
def test_calls_and_their_members_exist(entry: Entry) -> None:
    plan = Plan(entry)
    for call in calls(entry):
        shape = plan.shape(call)
        assert set(call.args) <= set(shape.members), call.op
        assert plan.sent(call) or call.args or entry.create is call, f"{call.op} carries nothing"
    waits = [entry.ready, *(call.wait for call in calls(entry))]
    asked = [*reads(entry), *(wait for wait in waits if wait), *([entry.find] if entry.find else [])]
    for question in asked:
        service = getattr(question, "service", "") or entry.service
        assert set(question.args) <= set(services.input_shape(service, question.op).members), question.op


@each_entry
def test_templates_name_properties(entry: Entry) -> None:
    signature = sdk.signature(entry.token)
    kept = {name for call in calls(entry) for name in call.keep}
    known = {*signature.inputs, *signature.outputs, *kept}
    known |= {"id", "account", "region", "partition", "tags", "keys", "item"}
    used = {name for call in calls(entry) for name in references(call.args)}
    used |= {name for question in reads(entry) for name in references(question.args)}
    used |= set(references(entry.id)) | set(references(dict(entry.derive)))
    assert used <= known


@each_entry
def test_whatever_can_be_set_can_be_changed(entry: Entry) -> None:
    """A property that an update passes over would differ for ever."""
    plan = Plan(entry)
    forcing = {path.split(".")[0] for path in entry.replace}
    assert plan.handled - plan.changeable - forcing - {"region"} == set()


@each_entry
def test_lost_creates_can_be_found(entry: Entry) -> None:
    """By listing, by an id worked out from the inputs, or because the id is the inputs."""
    needs_answer = set(references(entry.id)) & {"id", *entry.create.keep}
    assert entry.find or entry.recover_id is not None or not needs_answer


@each_entry
def test_outputs_are_what_reading_covers(entry: Entry) -> None:
    outputs = sdk.signature(entry.token).outputs
    for question in entry.read:
        assert set(question.only or ()) <= set(outputs), question.op
        assert set(question.into) <= set(outputs), question.op


@each_entry
def test_every_property_is_in_a_case(entry: Entry) -> None:
    """Or says why it is not."""
    if "*" in entry.emulator_gaps:
        pytest.skip(entry.emulator_gaps["*"])
    plan = Plan(entry)
    tried = {"region", "tags"} if entry.tags else {"region"}
    tried |= set(entry.emulator_gaps) | {path.split(".")[0] for path in entry.replace}
    for case in CASES:
        if case.token == entry.token:
            tried |= set(case.untried) | set(_named(case.inputs)) | set(_named(case.updates))
    assert plan.handled - tried == set()


class _AnyWorld:
    """Stands for the world where only the names of properties matter."""

    def __getattr__(self, _: str) -> Any:
        return self

    def __call__(self, *_: Any, **__: Any) -> Any:
        return self

    def __getitem__(self, _: Any) -> Any:
        return self

    def __str__(self) -> str:
        return "thing"

    def __reduce__(self) -> Any:
        return (str, ("thing",))


def _named(build: Any) -> Iterator[str]:
    import json  # noqa: PLC0415

    original = json.dumps
    try:
        json.dumps = lambda *_, **__: "{}"  # type: ignore[assignment]  # cases write documents of the world
        given = build(_AnyWorld())
    finally:
        json.dumps = original
    for bag in given if isinstance(given, tuple) else (given,):
        yield from bag


# -- replacement -------------------------------------------------------------------------------------


def other(value: Any, kind: PropType) -> Any:
    """A value of the type that is not the one given."""
    if kind.kind == "object":
        return {name: other((value or {}).get(name), inner) for name, inner in kind.fields.items()}
    changes = {
        "int": lambda: (value or 0) + 1,
        "float": lambda: (value or 0) + 1,
        "bool": lambda: not value,
        "list": lambda: [*(value or []), other(None, kind.item or ANY)],
        "map": lambda: {"key": f"{(value or {}).get('key', '')}-other"},
    }
    return changes.get(kind.kind, lambda: f"{value or ''}-other")()


def put(bag: dict[str, Any], path: str, kind: PropType) -> dict[str, Any]:
    head, _, rest = path.partition(".")
    inner = bag.get(head)
    return {**bag, head: put(dict(inner or {}), rest, kind) if rest else other(inner, kind)}


@each_entry
def test_what_forces_a_replacement_says_so(entry: Entry) -> None:
    signature = sdk.signature(entry.token)
    for path in entry.replace:
        kind = property_at(signature.inputs, path)
        assert kind is not None
        whole = signature.inputs[path] if "." not in path else kind
        before = put({}, path, whole)
        after = put(before, path, whole)
        found = diff(entry, before, before, after)
        assert found.replacing, f"{path}: {before} to {after}"
        if path in entry.normalise:
            continue
        unknown = diff(entry, {}, {}, put({}, path, whole))
        assert unknown.replacing, f"{path} set for the first time"


# -- the SDK's source is read as the SDK means it ------------------------------------------------------


@pytest.mark.engine  # no engine in it, but the import of all those modules takes seconds
@each_entry
def test_signature_is_what_pulumi_itself_finds(entry: Entry) -> None:
    types = importlib.import_module("pulumi._types")
    folder, _, stem = entry.token.split(":")[1].partition("/")
    module = importlib.import_module(f"pulumi_aws.{'lambda_' if folder == 'lambda' else folder}")
    name = entry.token.rpartition(":")[2]
    arguments = getattr(module, f"{name}InitArgs", None) or getattr(module, f"{name}Args")
    signature = sdk.signature(entry.token)
    assert set(signature.inputs) == set(types.input_type_types(arguments))
    assert set(signature.outputs) == set(types.resource_types(getattr(module, name)))
    for wire, python_type in types.input_type_types(arguments).items():
        assert_same(signature.inputs[wire], python_type, types, stem)


def assert_same(kind: PropType, python_type: Any, types: Any, where: str) -> None:
    expected = {str: "str", int: "int", float: "float", bool: "bool"}.get(python_type)
    if expected:
        assert kind.kind == expected, where
    elif types.is_input_type(python_type):
        assert kind.kind == "object", where
        fields = types.input_type_types(python_type)
        assert set(kind.fields) == set(fields), where
        for name, inner in fields.items():
            assert_same(kind.fields[name], inner, types, f"{where}.{name}")


# -- what is not in it -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("token", "says"),
    [
        pytest.param("aws:ec2/instance:Instance", "of ec2 it knows", id="another type of a known service"),
        pytest.param("aws:rds/cluster:Cluster", "it knows apigatewayv2", id="an unknown service"),
        pytest.param("nonsense", "SERVICE.py", id="no token at all"),
    ],
)
def test_an_unknown_type_says_what_is_known(token: str, says: str) -> None:
    with pytest.raises(ProviderError, match=f"does not know the resource type {token}") as caught:
        find(token)
    assert says in str(caught.value)
    assert "Add an entry in sandbox/aws/provider/table/" in str(caught.value)


def test_plans_are_made_once() -> None:
    assert plan_of("aws:ec2/vpc:Vpc") is plan_of("aws:ec2/vpc:Vpc")
