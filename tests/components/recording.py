"""An engine that records: what a program registers, checked against the SDKs, and what depends on what.

It answers registrations as the providers would, as far as the components read the answers. A resource type
or a property that the SDK does not have is a failure, nested properties included: a dictionary is as free to
hold a misspelt key as it is easy to read.
"""

from __future__ import annotations

import importlib
import re
import typing
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pulumi
from pulumi import _types as sdk_types
from pulumi.runtime import mocks
from pulumi.runtime.rpc import deserialize_properties

from components.control_plane.bundle import Bundle
from components.placement import Placements, decide
from components.spec import Stack
from components.topology import compose

ACCOUNT = "123456789012"
DEPLOYER = f"arn:aws:iam::{ACCOUNT}:user/deployer"

_ANSWERS: dict[str, dict[str, Any]] = {
    "aws:lambda/function:Function": {"version": "7"},
    "aws:lambda/alias:Alias": {"invokeArn": "arn:aws:apigateway:invoke/NAME"},
    "aws:apigatewayv2/api:Api": {
        "apiEndpoint": "https://api.example.com",
        "executionArn": f"arn:aws:execute-api:us-east-1:{ACCOUNT}:api",
    },
    "aws:eks/cluster:Cluster": {
        "endpoint": "https://cluster.example.com",
        "certificateAuthority": {"data": "Q0E="},
        "vpcConfig": {"clusterSecurityGroupId": "sg-cluster", "subnetIds": []},
    },
    "aws:eks/nodeGroup:NodeGroup": {"resources": [{"autoscalingGroups": [{"name": "asg-NAME"}]}]},
    "aws:ec2/launchTemplate:LaunchTemplate": {"latestVersion": 3},
    "kubernetes:core/v1:Service": {"status": {"loadBalancer": {"ingress": [{"hostname": "lb.example.com"}]}}},
}


@dataclass(frozen=True)
class Resource:
    """One registration."""

    type: str
    name: str
    urn: str
    parent: str
    inputs: dict[str, Any]
    needs: frozenset[str]
    """URNs of what it depends on: named dependencies, and its provider."""
    custom: bool
    ignored: tuple[str, ...] = ()
    update_timeout: str = ""
    """How long the engine lets an update take, like `600s`; empty for the provider's own."""
    delete_timeout: str = ""
    """The same, of a deletion."""

    @property
    def is_component(self) -> bool:
        return not self.custom


@dataclass
class Recording:
    """Everything that a program registered."""

    resources: list[Resource] = field(default_factory=list)
    finished: set[str] = field(default_factory=set)
    """URNs of components that registered their outputs."""
    unknown: list[str] = field(default_factory=list)
    """Types and properties that the SDKs do not have."""
    outputs: Any = None

    def of(self, *types: str) -> list[Resource]:
        """Resources whose type token matches one of these patterns."""
        return [made for made in self.resources if any(re.fullmatch(pattern, made.type) for pattern in types)]

    def one(self, pattern: str, name: str = "") -> Resource:
        (found,) = [made for made in self.of(pattern) if made.name.endswith(name)]
        return found

    def behind(self, resource: Resource) -> set[Resource_]:
        """Everything that must exist before it does, directly or not."""
        by_urn = {made.urn: made for made in self.resources}
        seen: dict[str, Resource] = {}
        waiting = [resource.urn]
        while waiting:
            for urn in by_urn[waiting.pop()].needs:
                if urn not in seen:
                    seen[urn] = by_urn[urn]
                    waiting.append(urn)
        return {Resource_(made.type, made.name) for made in seen.values()}

    def depth(self, resource: Resource) -> int:
        by_urn = {made.urn: made for made in self.resources}
        depth, at = 0, resource
        while at.parent in by_urn:
            depth, at = depth + 1, by_urn[at.parent]
        return depth


class Resource_(typing.NamedTuple):  # noqa: N801 - the hashable shadow of a Resource, of use in sets alone
    type: str
    name: str


class _Answers(mocks.Mocks):
    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        state = {"name": f"{args.name}-0a1b2c3", "arn": f"arn:aws:made:::{args.name}", **args.inputs}
        answers = _ANSWERS.get(args.typ, {})
        return f"{args.name}-id", state | _named(answers, args.name)

    def call(self, args: mocks.MockCallArgs) -> dict[str, Any]:
        if args.token == "aws:index/getCallerIdentity:getCallerIdentity":
            return {"arn": DEPLOYER, "accountId": ACCOUNT, "userId": "deployer"}
        raise AssertionError(f"no answer to {args.token}")


class _Monitor(mocks.MockMonitor):
    def __init__(self, recording: Recording) -> None:
        super().__init__(_Answers())
        self._recording = recording

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - named by gRPC
        answer = super().RegisterResource(request)
        inputs = deserialize_properties(request.object)
        if request.custom:
            self._recording.unknown += unknown_properties(request.type, inputs)
        if request.type == "pulumi:pulumi:Stack":
            return answer
        provider = [request.provider.rpartition("::")[0]] if request.provider else []
        self._recording.resources.append(
            Resource(
                type=request.type,
                name=request.name,
                urn=answer.urn,
                parent=request.parent,
                inputs=inputs,
                needs=frozenset([*request.dependencies, *provider]),
                custom=request.custom,
                ignored=tuple(request.ignoreChanges),
                update_timeout=request.customTimeouts.update,
                delete_timeout=request.customTimeouts.delete,
            )
        )
        return answer

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 - named by gRPC
        self._recording.finished.add(request.urn)
        return super().RegisterResourceOutputs(request)


def record(program: typing.Callable[[], Any], stack: str = "test") -> Recording:
    """Run a program against the recording engine, to its end."""
    recording = Recording()
    pulumi.runtime.set_mocks(_Answers(), project="halfmetal", stack=stack, monitor=_Monitor(recording))

    @pulumi.runtime.test
    def run() -> Any:
        recording.outputs = program()

    run()
    return recording


def deploy(stack: Stack, package: typing.Callable[[str, str], Bundle], name: str = "test") -> Recording:
    """Compose a stack on the recording engine."""
    placements: Placements = decide(stack)

    def program() -> Any:
        made = compose(placements, name, package=package)
        values = {key: value for key, value in vars(made).items() if value is not None}
        return pulumi.Output.all(**values).apply(resolved.update)

    resolved: dict[str, Any] = {}
    recording = record(program, name)
    recording.outputs = resolved
    return recording


def bundle_of_likely_size(folder: str, runtime: str) -> Bundle:
    """A model's bundle goes through S3, the control function's does not."""
    del runtime
    size = 100 * 2**20 if folder.startswith("examples/") else 2**20
    return Bundle(Path(__file__), f"{len(folder):064x}", size, size)


def _named(value: Any, name: str) -> Any:
    match value:
        case str():
            return value.replace("NAME", name)
        case dict():
            return {key: _named(inner, name) for key, inner in value.items()}
        case list():
            return [_named(inner, name) for inner in value]
        case _:
            return value


def unknown_properties(token: str, inputs: dict[str, Any]) -> list[str]:
    """Properties, nested ones included, that the SDK's type does not have."""
    arguments = _arguments_of(token)
    if arguments is None:
        return [f"{token}: no such type in the SDK"]
    return [f"{token}: {path}" for path in _unknown(arguments, inputs, "")]


@cache
def _arguments_of(token: str) -> type | None:
    package, module, name = token.split(":")
    if package == "pulumi":
        folder, name = f"pulumi_{name}", "Provider"
    elif package == "kubernetes":
        folder = f"pulumi_kubernetes.{module.replace('.k8s.io', '').replace('/', '.')}"
    else:
        module = module.split("/")[0]
        folder = f"pulumi_aws.{'lambda_' if module == 'lambda' else module}"
    try:
        found = importlib.import_module(folder)
    except ModuleNotFoundError:
        return None
    return getattr(found, f"{name}InitArgs", None) or getattr(found, f"{name}Args", None)


# Kubernetes objects say these beside their properties.
_EVERYWHERE = frozenset({"apiVersion", "kind"})


def _unknown(arguments: type, value: Any, path: str) -> typing.Iterator[str]:
    if isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _unknown(arguments, inner, f"{path}[{index}]")
        return
    if not isinstance(value, dict):
        return
    types = _types_of(arguments)
    for key, inner in value.items():
        if key in _EVERYWHERE or key.startswith("__"):
            continue
        where = f"{path}.{key}".lstrip(".")
        if key not in types:
            yield where
        elif (nested := types[key]) is not None:
            yield from _unknown(nested, inner, where)


@cache
def _types_of(arguments: type) -> dict[str, type | None]:
    """Wire name → the type of what it holds, where that has properties of its own."""
    return {wire: _nested(hint) for wire, hint in sdk_types.input_type_types(arguments).items()}


def _nested(hint: Any) -> type | None:
    if isinstance(hint, type) and sdk_types.is_input_type(hint):
        return hint
    return next((found for inner in typing.get_args(hint) if (found := _nested(inner)) is not None), None)
