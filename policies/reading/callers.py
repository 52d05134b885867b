"""What calls a function: the route, the rule, the subscription, the mapping, the state machine that names it.

A function says nothing of who calls it, but what calls it names the function or an alias of it: in the graph,
or by name or ARN. So what it is tied to, and whether anybody waits for its answer, is read off its callers.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from types import MappingProxyType
from typing import Any, Final

from components.placement import FrontDoor, Home
from policies.reading.bags import ABSENT, fetch, items
from policies.reading.declared import Properties
from policies.reading.draft import Subject
from policies.reading.functions import FUNCTION
from policies.reading.index import Index, Kind, by, scopes_of, sources
from policies.reading.relations import FUNCTIONS, Related
from policies.resources import Resource

PROVISIONED: Final = "aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig"
SHOWN: Final = frozenset({"front_door", "home"})
_MAPPING: Final = "aws:lambda/eventSourceMapping:EventSourceMapping"
_ALIASES: Final = Kind(("aws:lambda/alias:Alias",), by("arn"))
_APIS: Final = Kind(("aws:apigatewayv2/api:Api",), by("id"))

_ARN: Final = re.compile(r"arn:[\w-]+:lambda:[\w-]*:\d*:function:[\w-]+")
_PART_OF_ARN: Final = re.compile(r"(?:\d+:)?(?:function:)?([\w-]+)(?::[\w$-]+)?")
_STEP: Final = re.compile(r'"FunctionName"\s*:\s*"([\w-]+)(?::[\w$-]+)?"')
"""The function of a step that calls `arn:aws:states:::lambda:invoke`, where it is named alone."""


@dataclass(frozen=True, slots=True)
class _Caller:
    """Where a type of resource names the functions it calls, and what that makes of them."""

    property: str
    texts: Callable[[Resource], Iterator[Any]]
    ties: Callable[[Resource], Iterable[str]] = lambda _: ()
    door: Callable[[Resource, Index], FrontDoor | None] = lambda *_: FrontDoor.ASYNCHRONOUS


def _at(*path: str) -> Callable[[Resource], Iterator[Any]]:
    def texts(resource: Resource) -> Iterator[Any]:
        yield fetch(resource.props, *path)

    return texts


def _of_each(listed: str, name: str) -> Callable[[Resource], Iterator[Any]]:
    def texts(resource: Resource) -> Iterator[Any]:
        return (fetch(item, name) for item in items(resource.props, listed))

    return texts


def _tied(tie: str) -> Callable[[Resource], Iterable[str]]:
    return lambda _: (tie,)


def _taken_from(mapping: Resource) -> Iterator[str]:
    """What a mapping takes events from: by the resource it names, or by the ARN where that is known."""
    arn = fetch(mapping.props, "eventSourceArn")
    types = {source.resource_type for source in mapping.property_dependencies.get("eventSourceArn", ())}
    for resource_type, tie in _SOURCES.items():
        if resource_type in types or (isinstance(arn, str) and f":{tie}:" in arn):
            yield tie


def _http_api(integration: Resource, index: Index) -> FrontDoor | None:
    """The HTTP API of an integration; None where it may as well be a WebSocket API."""
    api = index.related(integration, "apiId", _APIS)
    protocol = fetch(api.props, "protocolType") if isinstance(api, Resource) else ABSENT
    # Of the two only an HTTP API knows the second format.
    second_format = fetch(integration.props, "payloadFormatVersion") == "2.0"
    return FrontDoor.HTTP_API if protocol == "HTTP" or second_format else None


def _rest_api(integration: Resource, _: Index) -> FrontDoor | None:
    mode = fetch(integration.props, "responseTransferMode")
    if mode is ABSENT or mode == "BUFFERED":
        return FrontDoor.REST_API
    return FrontDoor.REST_API_STREAMED if mode == "STREAM" else None


def _waits(_: Resource, __: Index) -> None:
    """A workflow waits for a step, and a pipe for what enriches: no API that the rules know cuts it off."""


_SOURCES: Final[Mapping[str, str]] = MappingProxyType(
    {"aws:kinesis/stream:Stream": "kinesis", "aws:sqs/queue:Queue": "sqs"}
)
"""What a mapping may take events from, by type of resource."""

_PIPE: Final = "aws:pipes/pipe:Pipe"
_CALLERS: Final[Mapping[str, tuple[_Caller, ...]]] = MappingProxyType(
    {
        "aws:apigateway/integration:Integration": (_Caller("uri", _at("uri"), door=_rest_api),),
        "aws:apigatewayv2/integration:Integration": (
            _Caller("integrationUri", _at("integrationUri"), door=_http_api),
        ),
        "aws:cloudwatch/eventTarget:EventTarget": (_Caller("arn", _at("arn"), _tied("eventbridge")),),
        _MAPPING: (_Caller("functionName", _at("functionName"), _taken_from),),
        _PIPE: (
            _Caller("target", _at("target"), _tied("eventbridge")),
            _Caller("enrichment", _at("enrichment"), _tied("eventbridge"), _waits),
        ),
        "aws:s3/bucketNotification:BucketNotification": (
            _Caller("lambdaFunctions", _of_each("lambdaFunctions", "lambdaFunctionArn")),
        ),
        "aws:scheduler/schedule:Schedule": (_Caller("target", _at("target", "arn"), _tied("eventbridge")),),
        "aws:sfn/stateMachine:StateMachine": (
            _Caller("definition", _at("definition"), _tied("step-functions"), _waits),
        ),
        "aws:sns/topicSubscription:TopicSubscription": (_Caller("endpoint", _at("endpoint"), _tied("sns")),),
    }
)
_CALLED: Final = ("ties", "front_door")
_WARMTH: Final = ("home",)
READS: Final[Mapping[str, Properties]] = {
    FUNCTION: {"name": (*_CALLED, *_WARMTH), "arn": (*_CALLED, *_WARMTH)},
    "aws:apigateway/integration:Integration": {
        "uri": ("front_door",),
        "responseTransferMode": ("front_door",),
    },
    "aws:apigatewayv2/integration:Integration": {
        "integrationUri": ("front_door",),
        "apiId": ("front_door",),
        "payloadFormatVersion": ("front_door",),
    },
    "aws:apigatewayv2/api:Api": {"id": ("front_door",), "protocolType": ("front_door",)},
    "aws:cloudwatch/eventTarget:EventTarget": {"arn": _CALLED},
    _MAPPING: {"functionName": _CALLED, "eventSourceArn": ("ties",)},
    _PIPE: {"target": _CALLED, "enrichment": _CALLED},
    "aws:s3/bucketNotification:BucketNotification": {"lambdaFunctions[].lambdaFunctionArn": ("front_door",)},
    "aws:scheduler/schedule:Schedule": {"target.arn": _CALLED},
    "aws:sfn/stateMachine:StateMachine": {"definition": ("ties",)},
    "aws:sns/topicSubscription:TopicSubscription": {"endpoint": _CALLED},
    PROVISIONED: {"functionName": _WARMTH},
}
_STRICTEST: Final = (
    FrontDoor.REST_API,
    FrontDoor.HTTP_API,
    FrontDoor.REST_API_STREAMED,
    FrontDoor.ASYNCHRONOUS,
)
"""Of several ways in, the one that cuts off first."""


@dataclass(frozen=True, slots=True)
class Calls:
    """What calls one function, as far as the set shows."""

    ties: frozenset[str] = frozenset()
    doors: frozenset[FrontDoor | None] = frozenset()
    """None among them is a way in that nobody can name."""
    kept_warm: bool = False
    """Whether copies of it are provisioned."""

    @property
    def front_door(self) -> FrontDoor | None:
        """The way in that cuts off first; None if it is not known to be one of those that the rules know."""
        named = next((door for door in _STRICTEST if door in self.doors), None)
        return None if named is FrontDoor.ASYNCHRONOUS and None in self.doors else named


_NOBODY: Final = Calls()


def functions_tied(resources: Iterable[Resource]) -> Iterator[Related]:
    """Every function with the ties that it states and those that the set shows."""
    index = Index.of(resources)
    for function, own, calls in _called(index):
        shown = calls.ties
        ties = tuple(sorted(shown.union(own.facts.ties or ()))) if shown else own.facts.ties
        yield Related(function, own, Subject(replace(own.facts, ties=ties), own.unread, own.placed))


def functions_called(resources: Iterable[Resource]) -> Iterator[Related]:
    """Every function with its front door and its warmth, where it does not state them itself."""
    index = Index.of(resources)
    for function, own, calls in _called(index):
        found: dict[str, Any] = {}
        if own.facts.front_door is None and "front_door" not in own.unread and calls.front_door is not None:
            found["front_door"] = calls.front_door
        unread = own.unread
        if own.facts.home is Home.FUNCTION and calls.kept_warm:
            found["home"] = Home.RESERVED_FUNCTION
        elif own.facts.home is Home.FUNCTION and index.once(_Unplaced).may_be_of(function):
            found["home"] = None
            unread |= {"home"}
        facts = replace(own.facts, **found) if found else own.facts
        yield Related(function, own, Subject(facts, unread, own.placed))


def _called(index: Index) -> Iterator[tuple[Resource, Subject, Calls]]:
    calls = index.once(_calls)
    for function in index.of_types(FUNCTIONS.types):
        own = index.subject(function)
        if own is not None:
            yield function, own, calls.get(id(function), _NOBODY)


def _calls(index: Index) -> dict[int, Calls]:
    """What calls each function, by its identity; none for one that nothing calls."""
    found: dict[int, Calls] = {}
    for resource_type, callers in _CALLERS.items():
        for resource, caller in product(index.of_types((resource_type,)), callers):
            ties, door = frozenset(caller.ties(resource)), caller.door(resource, index)
            for function in _named(resource, caller.property, caller.texts(resource), index):
                known = found.get(id(function), _NOBODY)
                found[id(function)] = replace(known, ties=known.ties | ties, doors=known.doors | {door})
    for provisioned in index.of_types((PROVISIONED,)):
        for function in _provisioned(provisioned, index):
            found[id(function)] = replace(found.get(id(function), _NOBODY), kept_warm=True)
    return found


def _provisioned(provisioned: Resource, index: Index) -> list[Resource]:
    return _named(provisioned, "functionName", _at("functionName")(provisioned), index)


@dataclass(slots=True)
class _Unplaced:
    """The stacks in which copies are provisioned of nobody can tell which function."""

    index: Index
    of_any: set[str] = field(default_factory=set)
    of_nameless: set[str] = field(default_factory=set)
    """Where they are of a name that no function is known to have."""

    def __post_init__(self) -> None:
        for provisioned in self.index.of_types((PROVISIONED,)):
            if not _provisioned(provisioned, self.index):
                is_named = isinstance(fetch(provisioned.props, "functionName"), str)
                (self.of_nameless if is_named else self.of_any).add(scopes_of(provisioned)[0])

    def may_be_of(self, function: Resource) -> bool:
        """Whether they may be of this one."""
        stack = scopes_of(function)[0]
        is_nameless = not isinstance(fetch(function.props, "name"), str)
        return stack in self.of_any or (is_nameless and stack in self.of_nameless)


def _named(caller: Resource, name: str, texts: Iterable[Any], index: Index) -> list[Resource]:
    """The functions that a property names, itself or by an alias, in the graph or in its text."""
    found = {id(each): each for each in sources(caller, name, FUNCTIONS)}
    for alias in sources(caller, name, _ALIASES):
        behind = sources(alias, "functionName", FUNCTIONS) or _in_text(
            fetch(alias.props, "functionName"), alias, index
        )
        found.update((id(each), each) for each in behind)
    for text in texts:
        found.update((id(each), each) for each in _in_text(text, caller, index))
    return list(found.values())


def _in_text(text: object, caller: Resource, index: Index) -> Iterator[Resource]:
    """The functions that a text names: by their ARNs in it, or by a name that is all of it."""
    if not isinstance(text, str):
        return
    arns = set(_ARN.findall(text))
    for arn in arns:
        yield from _by_arn(arn, caller, index)
    alone = _PART_OF_ARN.fullmatch(text) if not arns else None
    for name in {*_STEP.findall(text), *([alone[1]] if alone else [])}:
        function = index.named(FUNCTIONS, name, caller)
        if isinstance(function, Resource):
            yield function


def _by_arn(arn: str, caller: Resource, index: Index) -> Iterator[Resource]:
    """The function of an ARN: the one that has it, else one of its name whose own ARN is not known."""
    function = index.named(FUNCTIONS, arn, caller)
    if not isinstance(function, Resource):
        function = index.named(FUNCTIONS, arn.rpartition(":")[2], caller)
        if isinstance(function, Resource) and isinstance(fetch(function.props, "arn"), str):
            return  # one of another account or region
    if isinstance(function, Resource):
        yield function
