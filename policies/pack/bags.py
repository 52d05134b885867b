"""The policy SDK's property bags as plain ones, where nothing stands before the SDK (see `wire`).

The SDK raises as soon as a value is touched that is not known before creation, which ends the whole policy.
Its bags are Mappings and Sequences but neither dict nor list, and their `.get` and `.items` raise too.
What is secret it hands to a policy as any other value: nothing here can tell.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

import pulumi
from pulumi_policy import PolicyResource, ResourceValidationArgs
from pulumi_policy.proxy import UnknownValueError

from policies.reading.bags import UNKNOWN
from policies.resources import Resource


def plain(bag: object) -> Any:
    """The same values in dicts and lists, UNKNOWN for each that is not known yet, or is a file."""
    if isinstance(bag, Mapping):
        return {str(key): _value(bag, key) for key in bag}
    if isinstance(bag, Sequence) and not isinstance(bag, str | bytes):
        return [_value(bag, index) for index in range(len(bag))]
    return UNKNOWN if isinstance(bag, pulumi.Asset | pulumi.Archive) else bag


def _value(bag: Any, key: Any) -> Any:
    try:
        value = bag[key]
    except UnknownValueError:
        return UNKNOWN
    return plain(value)


def before_creation(args: ResourceValidationArgs) -> Resource:
    """A resource as its inputs have it."""
    return Resource(args.resource_type, args.name, args.urn, plain(args.props))


def after_creation(resources: Iterable[PolicyResource]) -> list[Resource]:
    """The resources of a stack as their outputs have them, related as they were computed from each other."""
    given = list(resources)
    known: dict[int, PolicyResource] = {}
    waiting = list(given)
    while waiting:  # not by recursion: what depends on what may be a chain of thousands
        each = waiting.pop()
        if id(each) not in known:
            known[id(each)] = each
            waiting += [*each.dependencies, *chain.from_iterable(each.property_dependencies.values())]
    made = {
        key: Resource(each.resource_type, each.name, each.urn, plain(each.props))
        for key, each in known.items()
    }
    for key, each in known.items():
        made[key].dependencies = [made[id(source)] for source in each.dependencies]
        made[key].property_dependencies = {
            name: [made[id(source)] for source in sources]
            for name, sources in each.property_dependencies.items()
        }
    return [made[id(each)] for each in given]
