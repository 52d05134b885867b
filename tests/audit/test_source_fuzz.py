"""Any bytes, and any change to a good file: an audit never falls over, and never takes a secret."""

import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from components.catalog import load
from components.placement import settle
from policies.audit.sources import Gathered, Limits, SourceError, gather
from policies.audit.sources.yaml_text import Parsed, loads
from policies.judging import everything
from policies.resources import Resource

HIDDEN = "hunter2"
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "plaintext": HIDDEN}

GOOD: dict[str, Any] = {
    "pulumi.json": {
        "version": 3,
        "deployment": {
            "manifest": {},
            "resources": [
                {
                    "urn": "urn:pulumi:a::b::aws:lambda/function:Function::c",
                    "type": "aws:lambda/function:Function",
                    "custom": True,
                    "inputs": {"environment": {"variables": {"A": SECRET}}, "role": SECRET},
                    "outputs": {"environment": {"variables": {"A": HIDDEN}}, "role": HIDDEN, "timeout": 3},
                    "dependencies": ["urn:pulumi:a::b::c"],
                    "propertyDependencies": {"role": ["urn:pulumi:a::b::aws:lambda/function:Function::c"]},
                }
            ],
        },
    },
    "terraform.tfstate": {
        "version": 4,
        "lineage": "x",
        "resources": [
            {
                "mode": "managed",
                "type": "aws_lambda_function",
                "name": "f",
                "instances": [
                    {
                        "index_key": "k",
                        "attributes": {"function_name": "f", "environment": [{"variables": {"A": HIDDEN}}]},
                        "sensitive_attributes": [[{"type": "get_attr", "value": "environment"}]],
                        "dependencies": ["aws_iam_role.r"],
                    }
                ],
            }
        ],
    },
    "plan.json": {
        "format_version": "1.2",
        "planned_values": {
            "root_module": {
                "resources": [
                    {
                        "address": "aws_lambda_function.f",
                        "mode": "managed",
                        "type": "aws_lambda_function",
                        "values": {"timeout": 3, "environment": [{"variables": {"A": HIDDEN}}]},
                        "sensitive_values": {"environment": [{"variables": True}]},
                    }
                ],
                "child_modules": [{"address": "module.m", "resources": []}],
            }
        },
        "resource_changes": [
            {"address": "aws_lambda_function.f", "change": {"after_unknown": {"arn": True}}}
        ],
        "configuration": {
            "root_module": {
                "resources": [
                    {
                        "address": "aws_lambda_function.f",
                        "type": "aws_lambda_function",
                        "expressions": {"role": {"references": ["module.m.role", "var.x"]}},
                    }
                ],
                "module_calls": {
                    "m": {"expressions": {}, "module": {"outputs": {"role": {"expression": {}}}}}
                },
            }
        },
    },
    "template.json": {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Parameters": {"P": {"Type": "String", "NoEcho": True, "Default": HIDDEN}},
        "Mappings": {"M": {"a": {"b": 1}}},
        "Conditions": {"C": {"Fn::Equals": [{"Ref": "P"}, "x"]}},
        "Resources": {
            "F": {
                "Type": "AWS::Lambda::Function",
                "Condition": "C",
                "DependsOn": ["G"],
                "Properties": {
                    "FunctionName": {"Fn::Sub": "${P}-x"},
                    "Role": {"Fn::If": ["C", {"Ref": "P"}, {"Fn::FindInMap": ["M", "a", "b"]}]},
                    "Tags": [{"Key": "a", "Value": {"Fn::Join": ["-", ["a", {"Ref": "P"}]]}}],
                },
            },
            "G": {
                "Type": "AWS::Events::Rule",
                "Properties": {"Targets": [{"Arn": {"Fn::GetAtt": ["F", "Arn"]}}]},
            },
        },
    },
    "sam.json": {
        "Transform": "AWS::Serverless-2016-10-31",
        "Globals": {"Function": {"Timeout": 3, "Tags": {"a": "b"}}},
        "Parameters": {"P": {"Type": "String", "NoEcho": "true", "Default": HIDDEN}},
        "Resources": {
            "F": {
                "Type": "AWS::Serverless::Function",
                "Properties": {
                    "Environment": {"Variables": {"A": {"Ref": "P"}}},
                    "AutoPublishAlias": "live",
                    "Events": {"E": {"Type": "SQS", "Properties": {"Queue": {"Ref": "P"}}}},
                },
            }
        },
    },
    "serverless.json": {
        "service": "s",
        "provider": {"name": "aws", "tags": {"a": "${env:SECRET}"}},
        "functions": {"f": {"events": [{"sqs": {"arn": "x"}}, "httpApi"], "memorySize": 512}},
        "resources": {"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}},
    },
    "list.json": {
        "apiVersion": "v1",
        "kind": "List",
        "items": [
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": "s", "annotations": {"last-applied-configuration": HIDDEN}},
                "data": {"a": HIDDEN},
                "stringData": {"a": HIDDEN},
            },
            {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": "a"}]}},
        ],
    },
}
SETTINGS = settle(load(), {})
LIMITS = Limits(file_bytes=10_000, depth=30, aliased_values=1000)

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["Ref", "Fn::If", "Fn::Sub", "Resources", "Type", "apiVersion", "kind", "items", "a"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


def _read(name: str, content: bytes) -> Gathered | None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(content)
        found = gather([folder], LIMITS)
        try:
            gather([str(path)], LIMITS)
        except SourceError as error:
            assert error.remedy
            str(error).encode()
    for each in found.unread:
        str(each).encode()
    for each in found.resources:
        f"{each.name} {each.urn} {each.resource_type} {each.location}".encode()
    assert len({each.urn for each in found.resources}) == len(found.resources)
    return found


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _texts(key)
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
    else:
        yield str(value)


def _holds_the_secret(resource: Resource) -> bool:
    said = [resource.name, resource.urn, resource.resource_type, *_texts(dict(resource.props))]
    return any(HIDDEN in text for text in said)


@pytest.mark.parametrize("name", GOOD)
def test_good_files_are_good_and_hide_their_secrets(name: str) -> None:
    for content in (json.dumps(GOOD[name], indent=1), json.dumps(GOOD[name])):
        found = _read(name, content.encode())
        assert found is not None
        assert (found.unread, found.passed_over) == ((), 0)
        assert found.resources
        assert not any(_holds_the_secret(each) for each in found.resources)


@pytest.mark.parametrize("name", ["list.json", "template.json", "sam.json", "serverless.json"])
def test_a_good_file_is_the_same_as_yaml(name: str) -> None:
    as_json, as_yaml = (
        _read(f"a.{suffix}", content.encode())
        for suffix, content in (
            ("json", json.dumps(GOOD[name])),
            ("yaml", yaml.safe_dump(GOOD[name], sort_keys=False)),
        )
    )
    assert as_json is not None
    assert as_yaml is not None
    bags = [
        [(each.resource_type, each.name, dict(each.props)) for each in found.resources]
        for found in (as_json, as_yaml)
    ]
    assert sorted(map(repr, bags[0])) == sorted(map(repr, bags[1]))


@given(st.binary(max_size=200), st.sampled_from(["a.json", "a.yaml", "a.tfstate", "a.template"]))
def test_any_bytes(content: bytes, name: str) -> None:
    _read(name, content)


@given(values, st.sampled_from(["json", "yaml"]))
def test_any_values(value: Any, suffix: str) -> None:
    text = json.dumps(value) if suffix == "json" else yaml.safe_dump(value, allow_unicode=True)
    _read(f"a.{suffix}", text.encode("utf-8", "surrogatepass"))


PIECES = [
    *"ab:-[]{}&*!|>'\"#%@`,?\n \t01.~<",
    "\n- ",
    ": ",
    "\n---\n",
    "\n...\n",
    "*a",
    "&a ",
    "!Ref ",
    "<<: ",
]


@given(st.lists(st.sampled_from(PIECES), max_size=40))
def test_any_yaml(pieces: list[str]) -> None:
    _read("a.yaml", f"apiVersion: v1\nkind: Pod\na: {''.join(pieces)}".encode())


@given(st.data(), st.sampled_from(sorted(GOOD)))
def test_a_good_file_with_a_byte_changed(data: st.DataObject, name: str) -> None:
    content = bytearray(json.dumps(GOOD[name]).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    _read(name, bytes(content[: data.draw(st.integers(len(content) // 2, len(content)))]))


@given(st.data(), st.sampled_from(sorted(GOOD)), values)
def test_a_good_file_with_a_value_changed(data: st.DataObject, name: str, value: Any) -> None:
    changed = json.loads(json.dumps(GOOD[name]))
    place: Any = changed
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(place[key], dict | list) or not place[key] or data.draw(st.integers(0, 5)) == 0:
            break
        place = place[key]
    place[key] = value
    found = _read(name, json.dumps(changed).encode())
    assert found is not None
    list(everything(SETTINGS, found.resources))


@given(
    st.sampled_from(sorted(GOOD)), st.lists(st.sampled_from(["a", "b", "items", "x\n", "\u2028"]), max_size=4)
)
def test_a_secret_stays_one_wherever_it_is(name: str, path: list[str]) -> None:
    """A Pulumi secret at any depth of any property of any resource."""
    bag: Any = SECRET
    for key in path:
        bag = {key: [bag]}
    changed = json.loads(json.dumps(GOOD["pulumi.json"]))
    changed["deployment"]["resources"][0]["outputs"] = {"x": bag, name: bag}
    changed["deployment"]["resources"][0]["inputs"] = bag if path else {}
    found = _read("a.json", json.dumps(changed).encode())
    assert found is not None
    assert len(found.resources) == 1
    assert not _holds_the_secret(found.resources[0])


KUBERNETES_NUMBER = re.compile(r"[-+]?[0-9._]+(?:[eE][-+]?[0-9]+)?")
"""Kubernetes takes `1e3` and `08` for numbers, and so do we; the library takes some of these for text."""

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**18), 10**18)
    | st.floats(-1e15, 1e15)
    | st.text(max_size=12).filter(lambda text: not KUBERNETES_NUMBER.fullmatch(text)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=15,
)


@given(plain, st.sampled_from(["blocks", "flow", "mixed"]))
def test_yaml_means_what_it_means_to_its_library(value: Any, style: str) -> None:
    flow = {"blocks": False, "flow": True}.get(style)
    text = yaml.safe_dump({"it": value}, default_flow_style=flow, allow_unicode=True)
    (parsed,) = loads(text, Limits())
    assert isinstance(parsed, Parsed)
    assert parsed.value == yaml.safe_load(text)
