"""The pack as the engine speaks to it, without a process or a socket: through what stands before the SDK, and
the SDK's own servicer behind it.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from types import SimpleNamespace
from typing import Any

import grpc
from google.protobuf import json_format, struct_pb2
from pulumi.runtime.proto import analyzer_pb2
from pulumi_policy import EnforcementLevel
from pulumi_policy.deserialize import SPECIAL_SECRET_SIG, SPECIAL_SIG_KEY
from pulumi_policy.policy import _PolicyAnalyzerServicer

from components.placement import Override
from policies.pack import NAME, Pack, Said
from policies.pack.wire import Wire


class AbortedError(Exception):
    """The pack ended a call with an error."""


class _Context:
    def abort(self, _code: grpc.StatusCode, details: str) -> None:
        raise AbortedError(details)


@dataclass(frozen=True)
class Sent:
    """A resource as the engine sends it."""

    resource_type: str
    name: str
    props: Mapping[str, Any]
    made_from: Mapping[str, "list[Sent]"] = field(default_factory=dict)

    @property
    def urn(self) -> str:
        return f"urn:pulumi:prod::shop::{self.resource_type}::{self.name}"


class PackInProcess:
    """One start of the pack, for one preview."""

    def __init__(self, said: Said | None = None) -> None:
        self.lines: list[str] = []
        self._pack = Pack(date(2026, 11, 25), say=self.lines.append)
        self._pack.take(said or Said())
        self._wire = Wire(self._pack)
        self._sdk = _PolicyAnalyzerServicer(NAME, "0.1.0", self._pack.policies, EnforcementLevel.ADVISORY)

    def analyze(self, sent: Sent) -> dict[str, list[str]]:
        """What each resource policy says of a resource, by its name."""
        return _said(self.diagnostics(sent))

    def diagnostics(self, sent: Sent) -> Sequence[analyzer_pb2.AnalyzeDiagnostic]:
        """All that is said of a resource alone, as the engine gets it."""
        answer: analyzer_pb2.AnalyzeResponse = self.call("Analyze", _request(sent))
        return answer.diagnostics

    def analyze_stack(self, resources: Iterable[Sent]) -> dict[str, list[str]]:
        """What each stack policy says, by its name."""
        return _said(self.stack_diagnostics(resources))

    def stack_levels(self, resources: Iterable[Sent]) -> dict[str, str]:
        """The level of what each stack policy says."""
        return _levels(self.stack_diagnostics(resources))

    def stack_diagnostics(self, resources: Iterable[Sent]) -> Sequence[analyzer_pb2.AnalyzeDiagnostic]:
        """All that is said of a stack, as the engine gets it."""
        every = [
            analyzer_pb2.AnalyzerResource(
                type=each.resource_type,
                name=each.name,
                urn=each.urn,
                properties=struct(each.props),
                dependencies=[source.urn for sources in each.made_from.values() for source in sources],
                propertyDependencies={
                    name: analyzer_pb2.AnalyzerPropertyDependencies(urns=[source.urn for source in sources])
                    for name, sources in each.made_from.items()
                },
            )
            for each in resources
        ]
        answer: analyzer_pb2.AnalyzeResponse = self.call(
            "AnalyzeStack", analyzer_pb2.AnalyzeStackRequest(resources=every)
        )
        return answer.diagnostics

    def remediate(self, sent: Sent) -> dict[str, Any] | None:
        """A resource's properties after remediation; None where nothing was changed."""
        changes = self.call("Remediate", _request(sent)).remediations
        return json_format.MessageToDict(changes[-1].properties) if changes else None

    def configure_stack(self, stack: object) -> None:
        """Begin a run for a stack with this file."""
        config = {"halfmetal:stack": json.dumps(stack)}
        self.call("ConfigureStack", analyzer_pb2.AnalyzerStackConfigureRequest(config=config))

    def configure(self, config: Mapping[str, Mapping[str, Any]]) -> None:
        """Configure policies as the engine does: those not named get the level that they came with."""
        own = {policy.name: policy.enforcement_level for policy in self._pack.policies}
        all_get = config.get("all", {}).get("enforcementLevel")
        chosen = {}
        for name in {**own, **config}:
            stated = dict(config.get(name, {}))
            default = own.get(name) or EnforcementLevel.ADVISORY
            level = stated.pop("enforcementLevel", all_get or default.value)
            chosen[name] = analyzer_pb2.PolicyConfig(
                enforcementLevel=analyzer_pb2.EnforcementLevel.Value(level.upper()), properties=struct(stated)
            )
        self.call("Configure", analyzer_pb2.ConfigureAnalyzerRequest(policyConfig=chosen))

    def levels(self, sent: Sent) -> dict[str, str]:
        """The level of what each policy says of a resource."""
        return _levels(self.diagnostics(sent))

    def call(self, method: str, request: Any) -> Any:
        """The answer to one call."""
        handler = self._wire.intercept_service(
            lambda _: grpc.unary_unary_rpc_method_handler(getattr(self._sdk, method)),
            SimpleNamespace(method=f"/pulumirpc.Analyzer/{method}"),
        )
        return handler.unary_unary(request, _Context())


def pack_of(overrides: Mapping[str, Override], say: Callable[[str], None] | None = None) -> Pack:
    """The pack as the SDK alone runs it, with nothing before it."""
    made = Pack(date(2026, 11, 25), say or (lambda _: None))
    made.take(Said(overrides))
    return made


def secret(value: object) -> dict[str, object]:
    """A value as the engine sends it when it is secret."""
    return {SPECIAL_SIG_KEY: SPECIAL_SECRET_SIG, "value": value}


def struct(props: Mapping[str, Any]) -> struct_pb2.Struct:
    made = struct_pb2.Struct()
    made.update(props)
    return made


def _request(sent: Sent) -> analyzer_pb2.AnalyzeRequest:
    return analyzer_pb2.AnalyzeRequest(
        type=sent.resource_type, name=sent.name, urn=sent.urn, properties=struct(sent.props)
    )


def _levels(said: Iterable[analyzer_pb2.AnalyzeDiagnostic]) -> dict[str, str]:
    return {each.policyName: analyzer_pb2.EnforcementLevel.Name(each.enforcementLevel) for each in said}


def _said(diagnostics: Iterable[analyzer_pb2.AnalyzeDiagnostic]) -> dict[str, list[str]]:
    said: dict[str, list[str]] = defaultdict(list)
    for each in diagnostics:
        said[each.policyName].append(each.message)
    return dict(said)
