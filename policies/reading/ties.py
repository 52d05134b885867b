"""Event buses and workflow engines that a function is tied to, as the stack's resources show it.

A function says nothing of who calls it: the rule, the subscription, the mapping or the state machine that
does names the function. So a tie is read off the graph, from what names a function or its alias, and by the
function's name where that is known.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from policies.reading.bags import fetch
from policies.reading.draft import Subject
from policies.reading.functions import FUNCTION
from policies.reading.relations import Related
from policies.reading.subjects import read
from policies.resources import Resource

_ALIAS: Final = "aws:lambda/alias:Alias"
_MAPPING: Final = "aws:lambda/eventSourceMapping:EventSourceMapping"


@dataclass(frozen=True, slots=True)
class _Caller:
    """Where a type of resource names the function that it calls, and what the function is then tied to."""

    property: str
    tie: str


_CALLERS: Final[Mapping[str, _Caller]] = MappingProxyType(
    {
        "aws:cloudwatch/eventTarget:EventTarget": _Caller("arn", "eventbridge"),
        "aws:pipes/pipe:Pipe": _Caller("target", "eventbridge"),
        "aws:scheduler/schedule:Schedule": _Caller("target", "eventbridge"),
        "aws:sfn/stateMachine:StateMachine": _Caller("definition", "step-functions"),
        "aws:sns/topicSubscription:TopicSubscription": _Caller("endpoint", "sns"),
    }
)
_SOURCES: Final[Mapping[str, str]] = MappingProxyType(
    {"aws:kinesis/stream:Stream": "kinesis", "aws:sqs/queue:Queue": "sqs"}
)
"""What a mapping may take events from, by type of resource."""


def functions(resources: Iterable[Resource]) -> Iterator[Related]:
    """Every function with the ties that it states and those that the stack shows."""
    known = list(resources)
    for function in known:
        own = read(FUNCTION, function.props) if function.resource_type == FUNCTION else None
        if own is None:
            continue
        shown = {tie for tie, caller, names in _calls(known) if _is_named(function, caller, names)}
        stated = own.facts.ties
        ties = stated if not shown else tuple(sorted(shown.union(stated or ())))
        yield Related(function, own, Subject(replace(own.facts, ties=ties), own.unread, own.placed))


def _calls(resources: Iterable[Resource]) -> Iterator[tuple[str, Resource, str]]:
    """Each resource that calls a function: the tie it makes, and the property that names the function."""
    for resource in resources:
        caller = _CALLERS.get(resource.resource_type)
        if caller is not None:
            yield caller.tie, resource, caller.property
        elif resource.resource_type == _MAPPING:
            for tie in _taken_from(resource):
                yield tie, resource, "functionName"


def _taken_from(mapping: Resource) -> Iterator[str]:
    """What a mapping takes events from: by the resource it names, or by the ARN where that is known."""
    arn = fetch(mapping.props, "eventSourceArn")
    sources = {source.resource_type for source in mapping.property_dependencies.get("eventSourceArn", ())}
    for resource_type, tie in _SOURCES.items():
        if resource_type in sources or (isinstance(arn, str) and f":{tie}:" in arn):
            yield tie


def _is_named(function: Resource, caller: Resource, names: str) -> bool:
    """Whether a property names the function, or an alias of it."""
    for source in caller.property_dependencies.get(names, ()):
        behind = source.property_dependencies.get("functionName", ())
        if source is function or (source.resource_type == _ALIAS and function in behind):
            return True
    name, text = fetch(function.props, "name"), fetch(caller.props, names)
    if not isinstance(name, str) or not isinstance(text, str):
        return False
    return text == name or f":function:{name}:" in f"{text}:" or f':function:{name}"' in text
