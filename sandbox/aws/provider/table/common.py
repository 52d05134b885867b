"""What entries of several services share: how services tag, arguments that recur."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.aws.provider.errors import Failure
from sandbox.aws.provider.table.model import Call, Read, Tags
from sandbox.aws.provider.values import Bag


def pairs(tags: Mapping[str, str], key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    """Tags as a list of pairs."""
    return [{key: name, value: text} for name, text in tags.items()]


def ec2_tags(kind: str, owner: str = "{id}") -> Tags:
    """EC2 takes tags with every create, and changes them for any kind of resource with the same two calls."""
    return Tags(
        create=lambda tags: {"TagSpecifications": [{"ResourceType": kind, "Tags": pairs(tags)}]},
        read="Tags",
        change=Call(op="CreateTags", args={"Resources": [owner], "Tags": "{tags}"}, send=()),
        remove=Call(op="DeleteTags", args={"Resources": [owner], "Tags": "{keys}"}, send=()),
        style="Key",
        remove_pairs=True,
    )


def map_tags(create: str, read: str | None, arn: str, tag: str, untag: str, **more: Any) -> Tags:
    """Services whose tags are a plain mapping: `tag` and `untag` are operations on an ARN."""
    resource = more.get("resource", "ResourceArn")
    read_call = more.get("read_call")
    return Tags(
        create=lambda tags: {create: dict(tags)},
        read=read,
        read_call=read_call,
        change=Call(op=tag, args={resource: arn, more.get("tags", "Tags"): "{tags}"}, send=()),
        remove=Call(op=untag, args={resource: arn, more.get("keys", "TagKeys"): "{keys}"}, send=()),
        remove_singly=more.get("remove_singly", False),
    )


def pair_tags(create: str | None, read_call: Read, tag: Call, untag: Call) -> Tags:
    """Services whose tags are a list of `Key`/`Value` pairs, read by a call of their own."""
    members: Callable[[Mapping[str, str]], Mapping[str, Any]] | None = None
    if create:

        def members(tags: Mapping[str, str]) -> Mapping[str, Any]:
            return {create: pairs(tags)}

    return Tags(create=members, read=None, read_call=read_call, change=tag, remove=untag, style="Key")


def exactly_one(*names: str) -> Callable[[Bag], list[Failure]]:
    """A rule: one of these properties must be set, and only one."""

    def rule(inputs: Bag) -> list[Failure]:
        present = [name for name in names if inputs.get(name) not in (None, "", [])]
        if len(present) == 1:
            return []
        listed = ", ".join(names)
        if present:
            return [Failure(present[1], f"cannot be set together with {present[0]}: set one of {listed}")]
        return [Failure(names[0], f"is not set, and neither is any other of {listed}: set one of them")]

    return rule


def at_most_one(*names: str) -> Callable[[Bag], list[Failure]]:
    """A rule: no two of these properties may be set."""
    rule = exactly_one(*names)

    def relaxed(inputs: Bag) -> list[Failure]:
        return rule(inputs) if any(inputs.get(name) not in (None, "", []) for name in names) else []

    return relaxed


def every(*rules: Callable[[Bag], list[Failure]]) -> Callable[[Bag], list[Failure]]:
    """All failures of several rules."""
    return lambda inputs: [failure for rule in rules for failure in rule(inputs)]


def one_of(name: str, allowed: tuple[Any, ...]) -> Callable[[Bag], list[Failure]]:
    """A rule for values that the service's model leaves open but the service does not."""

    def rule(inputs: Bag) -> list[Failure]:
        value = inputs.get(name)
        if value in (None, *allowed) or not isinstance(value, (str, int)):
            return []
        return [Failure(name, f"must be one of {', '.join(map(str, allowed))}; is {value!r}")]

    return rule
