"""Pulumi states: which resources are taken, with which values, and how they relate."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from policies.audit.sources import Gathered, Kind, SourceError, gather
from policies.reading.bags import UNKNOWN

SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = {SIGNATURE: "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:hidden"}
FILE = {SIGNATURE: "c44067f5952c0a294b673a41bacd8c17", "text": "hidden"}
OUTPUT = {SIGNATURE: "d0e6a833031e9bbcd3f4e8bde6ca49a4", "value": 512}
SECRET_OUTPUT = {**OUTPUT, "value": "hidden", "secret": True}
NOT_YET = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
FUNCTION = "aws:lambda/function:Function"


def urn(resource_type: str, name: str) -> str:
    return f"urn:pulumi:prod::inference::{resource_type}::{name}"


def state(resource_type: str, name: str, /, **rest: Any) -> dict[str, Any]:
    return {"urn": urn(resource_type, name), "type": resource_type, "custom": True, **rest}


def exported(*resources: Any, version: Any = 3) -> str:
    return json.dumps({"version": version, "deployment": {"resources": resources}}, indent=4)


def read(folder: Path, text: str) -> Gathered:
    (folder / "state.json").write_text(text, encoding="utf-8")
    return gather([str(folder / "state.json")])


@dataclass(frozen=True)
class Values:
    says: str
    state: dict[str, Any]
    props: dict[str, Any]


VALUES = [
    Values(
        "what the provider says wins", {"inputs": {"a": 1, "b": 2}, "outputs": {"a": 3}}, {"a": 3, "b": 2}
    ),
    Values("inputs where it says nothing", {"inputs": {"a": 1}}, {"a": 1}),
    Values("its identity", {"id": "x-1", "outputs": {}}, {"id": "x-1"}),
    Values("a secret", {"outputs": {"a": SECRET, "b": [1, SECRET]}}, {"a": UNKNOWN, "b": [1, UNKNOWN]}),
    Values("a secret as all of it", {"inputs": SECRET, "outputs": {"a": 1}}, {}),
    Values(
        "a secret that the provider tells",
        {"inputs": {"a": SECRET}, "outputs": {"a": "hidden"}},
        {"a": UNKNOWN},
    ),
    Values(
        "a secret in a list that the provider tells",
        {"inputs": {"a": [{"b": SECRET}]}, "outputs": {"a": [{"b": "hidden", "c": 1}, 2]}},
        {"a": [{"b": UNKNOWN, "c": 1}, 2]},
    ),
    Values(
        "an output declared secret",
        {"outputs": {"a": "hidden", "b": 1}, "additionalSecretOutputs": ["a", "z"]},
        {"a": UNKNOWN, "b": 1},
    ),
    Values("a file", {"inputs": {"code": FILE}}, {"code": UNKNOWN}),
    Values("an output", {"inputs": {"a": OUTPUT, "b": SECRET_OUTPUT}}, {"a": 512, "b": UNKNOWN}),
    Values("not known yet", {"inputs": {"a": NOT_YET}}, {"a": UNKNOWN}),
    Values(
        "what nobody set",
        {"outputs": {"kmsKeyArn": "", "vpcConfig": [{"vpcId": "", "x": [""]}], "tags": {"a": ""}}},
        {"vpcConfig": [{"x": [""]}], "tags": {"a": ""}},
    ),
    Values("no bags", {"inputs": None, "outputs": 3}, {}),
]


@pytest.mark.parametrize("case", VALUES, ids=lambda case: case.says)
def test_values(case: Values, tmp_path: Path) -> None:
    found = read(tmp_path, exported(state(FUNCTION, "embed", **case.state)))
    (resource,) = found.resources
    assert dict(resource.props) == case.props
    assert "hidden" not in repr(resource.props)


def test_a_secret_whose_mark_is_written_with_escapes_stays_one(tmp_path: Path) -> None:
    text = exported(state(FUNCTION, "embed", outputs={"a": SECRET}))
    (resource,) = read(tmp_path, text.replace("4dabf", r"\u0034dab\u0066")).resources
    assert resource.props == {"a": UNKNOWN}


@dataclass(frozen=True)
class Taken:
    says: str
    state: Any
    taken: bool = False
    unread: bool = False


TAKEN = [
    Taken("a resource", state(FUNCTION, "x"), taken=True),
    Taken("one that is only read", state(FUNCTION, "x", external=True), taken=True),
    Taken("a component", state("halfmetal:data_plane:Pool", "x", custom=False)),
    Taken("a provider", state("pulumi:providers:aws", "x", inputs={"secretKey": "hidden"})),
    Taken("another stack", state("pulumi:pulumi:StackReference", "x", outputs={"outputs": "hidden"})),
    Taken("one to be deleted", state(FUNCTION, "x", delete=True)),
    Taken("one deleted to be replaced", state(FUNCTION, "x", pendingReplacement=True)),
    Taken("no resource", 3, unread=True),
    Taken("without a type", {"urn": "urn", "custom": True}, unread=True),
    Taken("without an address", {"urn": None, "type": FUNCTION}, unread=True),
]


@pytest.mark.parametrize("case", TAKEN, ids=lambda case: case.says)
def test_what_is_taken(case: Taken, tmp_path: Path) -> None:
    found = read(tmp_path, exported(case.state, state(FUNCTION, "beside")))
    assert [each.name for each in found.resources] == (["x"] if case.taken else []) + ["beside"]
    assert len(found.unread) == case.unread
    assert "hidden" not in repr([each.props for each in found.resources])


def test_relations(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        exported(
            state("aws:ec2/subnet:Subnet", "a"),
            state(
                "aws:eks/nodeGroup:NodeGroup",
                "gpu",
                dependencies=[
                    urn("aws:ec2/subnet:Subnet", "a"),
                    urn("aws:ec2/subnet:Subnet", "of another stack"),
                ],
                propertyDependencies={
                    "subnetIds": [urn("aws:ec2/subnet:Subnet", "a")],
                    "tags": [],
                    "x": None,
                },
            ),
        ),
    )
    subnet, group = found.resources
    assert group.dependencies == [subnet]
    assert group.property_dependencies == {"subnetIds": [subnet]}


def test_resources_that_depend_on_each_other(tmp_path: Path) -> None:
    a, b = urn(FUNCTION, "a"), urn(FUNCTION, "b")
    found = read(
        tmp_path, exported(state(FUNCTION, "a", dependencies=[b]), state(FUNCTION, "b", dependencies=[a, b]))
    )
    first, second = found.resources
    assert (first.dependencies, second.dependencies) == ([second], [first, second])


@dataclass(frozen=True)
class Form:
    says: str
    text: str
    line: int


FORMS = [
    Form("as exported", exported(state(FUNCTION, "embed")), 5),
    Form("as exported since 2025", exported(state(FUNCTION, "embed"), version=4), 5),
    Form(
        "as a backend keeps it",
        json.dumps({"version": 3, "checkpoint": {"latest": {"resources": [state(FUNCTION, "embed")]}}}),
        1,
    ),
    Form("with a byte order mark", "\ufeff" + exported(state(FUNCTION, "embed")), 5),
]


@pytest.mark.parametrize("case", FORMS, ids=lambda case: case.says)
def test_forms(case: Form, tmp_path: Path) -> None:
    found = read(tmp_path, case.text)
    (resource,) = found.resources
    assert (resource.name, resource.urn, resource.resource_type) == (
        "embed",
        urn(FUNCTION, "embed"),
        FUNCTION,
    )
    assert resource.location is not None
    assert (resource.location.file, resource.location.line) == (str(tmp_path / "state.json"), case.line)
    assert (found.kinds, found.unread) == ({Kind.PULUMI: 1}, ())


@pytest.mark.parametrize("resources", [None, [], "none", {}], ids=repr)
def test_a_stack_without_resources(resources: Any, tmp_path: Path) -> None:
    found = read(tmp_path, json.dumps({"version": 3, "deployment": {"resources": resources}}))
    assert (found.resources, found.unread) == ((), ())


@pytest.mark.parametrize("version", [1, 2, 5, None, "x" * 1000, [[3]]], ids=lambda each: repr(each)[:9])
def test_a_version_that_is_not_read(version: Any, tmp_path: Path) -> None:
    (unread,) = read(tmp_path, exported(state(FUNCTION, "embed"), version=version)).unread
    assert "pulumi stack export" in unread.remedy
    assert len(unread.why) < 100


def test_one_stack_exported_twice_has_addresses_of_its_own(tmp_path: Path) -> None:
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_text(exported(state(FUNCTION, "embed")), encoding="utf-8")
    found = gather([str(tmp_path)])
    assert [each.urn for each in found.resources] == [urn(FUNCTION, "embed"), f"{urn(FUNCTION, 'embed')}#2"]


def test_a_file_named_twice_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(exported(state(FUNCTION, "embed")), encoding="utf-8")
    (tmp_path / "link.json").symlink_to(tmp_path / "a.json")
    found = gather([str(tmp_path / "a.json"), str(tmp_path), str(tmp_path / "link.json")])
    assert len(found.resources) == 1


def test_a_state_that_is_cut_short_is_an_error_that_says_where(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"not JSON.* \(line \d+\)"):
        read(tmp_path, exported(state(FUNCTION, "embed"))[:-20])
