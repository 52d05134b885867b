"""What the engine asks, read once, before the SDK takes it apart for every policy anew.

The SDK makes each policy a property bag of its own, for every resource: it takes longer than all judging. It
also bares what is secret, so that a message could tell it. So the pack stands between the engine and the SDK.
A request's resources are read once, straight from what was sent, with what is not known yet and what is
secret as UNKNOWN. While the SDK runs the policies, that is at hand (`asked`). The SDK itself is passed the
request without properties, of which there is then nothing to take apart.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any, Final, Protocol, TypeVar

import grpc
from google.protobuf import json_format, struct_pb2
from pulumi.runtime.proto import analyzer_pb2
from pulumi_policy import proxy
from pulumi_policy.deserialize import SPECIAL_SIG_KEY

from components.spec import StackError
from policies.reading.bags import UNKNOWN
from policies.resources import Resource

T = TypeVar("T")

UNKNOWNS: Final = frozenset(
    {
        proxy.UNKNOWN_BOOLEAN_VALUE,
        proxy.UNKNOWN_NUMBER_VALUE,
        proxy.UNKNOWN_STRING_VALUE,
        proxy.UNKNOWN_ARRAY_VALUE,
        proxy.UNKNOWN_ASSET_VALUE,
        proxy.UNKNOWN_ARCHIVE_VALUE,
        proxy.UNKNOWN_OBJECT_VALUE,
    }
)
"""Texts that the engine sends for values that are not known yet."""

_SERVICE: Final = "/pulumirpc.Analyzer/"


def bag(properties: struct_pb2.Struct) -> dict[str, Any]:
    """Properties as the engine sends them; UNKNOWN for what is not known yet, secret, or a file."""
    return {key: _value(value) for key, value in properties.fields.items()}


def _value(value: struct_pb2.Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        text = value.string_value
        return UNKNOWN if text in UNKNOWNS else text
    if kind == "struct_value":
        fields = value.struct_value.fields
        # A mark says that it is no mapping: a secret, an asset, an archive, an output.
        return UNKNOWN if SPECIAL_SIG_KEY in fields else {key: _value(each) for key, each in fields.items()}
    if kind == "list_value":
        return [_value(each) for each in value.list_value.values]
    return None if kind in (None, "null_value") else getattr(value, kind)


class Asked:
    """The resources that one request is about. What is made of them is made once."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self.resources: Final = tuple(resources)
        self._made: dict[Hashable, Any] = {}

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` answers, asked the first time that there is need for it."""
        if key not in self._made:
            self._made[key] = make()
        made: T = self._made[key]
        return made


class Offered:
    """A resource whose inputs may still be changed."""

    def __init__(self, request: analyzer_pb2.AnalyzeRequest) -> None:
        self._request = request
        self._properties = request.properties

    @property
    def resource(self) -> Resource:
        """The resource with the changes made so far."""
        return Resource(self._request.type, self._request.name, self._request.urn, bag(self._properties))

    def change(self, change: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
        """The inputs with a change to them; what it leaves alone is what the engine sent, marks and all."""
        changed = change(json_format.MessageToDict(self._properties))
        self._properties = struct_pb2.Struct()
        self._properties.update(changed)
        return changed


_ASKED: ContextVar[Asked | None] = ContextVar("asked", default=None)
_OFFERED: ContextVar[Offered | None] = ContextVar("offered", default=None)


def asked() -> Asked | None:
    """What the policies that run now are asked about; None if the SDK runs them with nothing before it."""
    return _ASKED.get()


def offered() -> Offered | None:
    """What the remediation that runs now may change."""
    return _OFFERED.get()


_Answer = Callable[[Any, grpc.ServicerContext], Any]


class Configured(Protocol):
    """What is told how it is to run: first by which stack, then by whoever runs it."""

    def configure_stack(self, config: Mapping[str, str]) -> None: ...

    def configure(self, request: analyzer_pb2.ConfigureAnalyzerRequest) -> None:
        """Raises StackError for a configuration that is wrong."""


class Wire(grpc.ServerInterceptor):  # type: ignore[misc]  # grpc has no types
    """Stands between the engine and the SDK."""

    def __init__(self, pack: Configured) -> None:
        self._pack = pack
        self._between: Mapping[str, Callable[[_Answer, Any, grpc.ServicerContext], Any]] = {
            f"{_SERVICE}Analyze": _analyze,
            f"{_SERVICE}AnalyzeStack": _analyze_stack,
            f"{_SERVICE}Remediate": _remediate,
            f"{_SERVICE}Configure": self._configure,
            f"{_SERVICE}ConfigureStack": self._configure_stack,
        }

    def intercept_service(self, continuation: Callable[[Any], Any], handler_call_details: Any) -> Any:
        """How a call is answered: gRPC asks for every call."""
        handler = continuation(handler_call_details)
        between = self._between.get(handler_call_details.method)
        if handler is None or between is None:
            return handler
        return grpc.unary_unary_rpc_method_handler(
            partial(between, handler.unary_unary), handler.request_deserializer, handler.response_serializer
        )

    def _configure_stack(self, answer: _Answer, request: Any, context: grpc.ServicerContext) -> Any:
        # The SDK keeps nothing of it but the stack's tags.
        self._pack.configure_stack(request.config)
        return answer(request, context)

    def _configure(self, answer: _Answer, request: Any, context: grpc.ServicerContext) -> Any:
        try:
            self._pack.configure(request)
        except StackError as error:
            problems = "\n".join(f"  {problem}" for problem in error.problems)
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"it cannot be run as configured:\n{problems}")
        return answer(request, context)


@contextmanager
def installed(wire: Wire) -> Iterator[None]:
    """What is served from within is asked through `wire`. The SDK makes its server itself, and takes none."""
    make = grpc.server
    grpc.server = partial(make, interceptors=(wire,))
    try:
        yield
    finally:
        grpc.server = make


def _analyze(answer: _Answer, request: analyzer_pb2.AnalyzeRequest, context: grpc.ServicerContext) -> Any:
    one = Resource(request.type, request.name, request.urn, bag(request.properties))
    return _while(_ASKED, Asked([one]), answer, _bare(request), context)


def _analyze_stack(
    answer: _Answer, request: analyzer_pb2.AnalyzeStackRequest, context: grpc.ServicerContext
) -> Any:
    every = Asked(_related(request.resources))
    return _while(_ASKED, every, answer, analyzer_pb2.AnalyzeStackRequest(), context)


def _remediate(answer: _Answer, request: analyzer_pb2.AnalyzeRequest, context: grpc.ServicerContext) -> Any:
    return _while(_OFFERED, Offered(request), answer, _bare(request), context)


def _while(
    now: ContextVar[Any], about: object, answer: _Answer, request: Any, context: grpc.ServicerContext
) -> Any:
    token = now.set(about)
    try:
        return answer(request, context)
    finally:
        now.reset(token)


def _bare(request: analyzer_pb2.AnalyzeRequest) -> analyzer_pb2.AnalyzeRequest:
    return analyzer_pb2.AnalyzeRequest(type=request.type, name=request.name, urn=request.urn)


def _related(sent: Iterable[analyzer_pb2.AnalyzerResource]) -> list[Resource]:
    """Resources, related as they were computed from each other."""
    told = list(sent)
    made = [Resource(each.type, each.name, each.urn, bag(each.properties)) for each in told]
    by_urn = {each.urn: each for each in made}
    for each, resource in zip(told, made, strict=True):
        resource.dependencies = [by_urn[urn] for urn in each.dependencies if urn in by_urn]
        resource.property_dependencies = {
            name: [by_urn[urn] for urn in sources.urns if urn in by_urn]
            for name, sources in each.propertyDependencies.items()
        }
    return made
