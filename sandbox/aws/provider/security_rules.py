"""Security group rules in their three spellings.

A program writes blocks (protocol, ports and several sources at once), EC2 takes and shows permissions (the
same, grouped its own way), and what counts is the set of single rules: one protocol, one range of ports,
one source. So blocks and permissions are compared as what they mean, not as they are grouped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sandbox.aws.provider.table.model import Scope
from sandbox.aws.provider.values import Bag

# Block property, permission member, the member of its elements that holds the source.
_SOURCES = (
    ("cidrBlocks", "IpRanges", "CidrIp"),
    ("ipv6CidrBlocks", "Ipv6Ranges", "CidrIpv6"),
    ("prefixListIds", "PrefixListIds", "PrefixListId"),
    ("securityGroups", "UserIdGroupPairs", "GroupId"),
)
_ANY_PROTOCOL = "-1"


def permissions(block: Mapping[str, Any], scope: Scope) -> list[Bag]:
    """A block of a group as permissions of one source each: EC2 keeps them apart, and takes any away."""
    whole = _permission(block, scope.resource_id)
    shared = {name: value for name, value in whole.items() if not isinstance(value, list)}
    return [{**shared, member: [source]} for _, member, _ in _SOURCES for source in whole.get(member, ())]


def _permission(block: Mapping[str, Any], own_group: str) -> Bag:
    described = {"Description": block["description"]} if block.get("description") else {}
    groups = [*(block.get("securityGroups") or ()), *([own_group] if block.get("self") else ())]
    sources = {**block, "securityGroups": groups}
    result: Bag = {"IpProtocol": protocol(block.get("protocol"))}
    if result["IpProtocol"] != _ANY_PROTOCOL:
        result |= {"FromPort": int(block.get("fromPort") or 0), "ToPort": int(block.get("toPort") or 0)}
    for prop, member, key in _SOURCES:
        if sources.get(prop):
            result[member] = [{key: source, **described} for source in sources[prop]]
    return result


def protocol(name: Any) -> str:
    """Protocols go by name or number; `all` is the number that EC2 knows."""
    text = str(name).lower()
    return {"all": _ANY_PROTOCOL, "6": "tcp", "17": "udp", "1": "icmp"}.get(text, text)


def permission_of_rule(scope: Scope) -> Bag:
    """The permission of an `aws:ec2/securityGroupRule:SecurityGroupRule`."""
    names = ("protocol", "fromPort", "toPort", "cidrBlocks", "ipv6CidrBlocks", "prefixListIds", "self")
    block = {name: scope.get(name) for name in names}
    source = scope.get("sourceSecurityGroupId")
    return _permission(
        {
            **block,
            "description": scope.get("description"),
            "securityGroups": [source] if source else [],
        },
        str(scope.get("securityGroupId")),
    )


def blocks_of(permissions: Iterable[Mapping[str, Any]], own_group: str) -> list[Bag]:
    """Permissions as blocks: one per protocol, ports and description."""
    blocks: dict[tuple[Any, ...], Bag] = {}
    for item in permissions:
        for prop, member, key in _SOURCES:
            for source in item.get(member, ()):
                block = _block_for(blocks, item, source.get("Description", ""))
                _add_source(block, prop, str(source[key]), own_group)
    return list(blocks.values())


def _block_for(blocks: dict[tuple[Any, ...], Bag], item: Mapping[str, Any], description: str) -> Bag:
    ports = (item.get("FromPort") or 0, item.get("ToPort") or 0)
    if item["IpProtocol"] == _ANY_PROTOCOL:
        ports = (0, 0)
    block: Bag = {"protocol": item["IpProtocol"], "fromPort": ports[0], "toPort": ports[1]}
    if description:
        block["description"] = description
    return blocks.setdefault((item["IpProtocol"], *ports, description), block)


def _add_source(block: Bag, prop: str, source: str, own_group: str) -> None:
    if prop == "securityGroups" and source == own_group:
        block["self"] = True
    else:
        block.setdefault(prop, []).append(source)


def atoms(blocks: Any) -> Any:
    """The single rules that blocks stand for, in an order of their own."""
    if isinstance(blocks, Mapping):
        blocks = [blocks]
    if not isinstance(blocks, list):
        return blocks
    return sorted(rule for block in blocks for rule in _single_rules(block))


def _single_rules(block: Mapping[str, Any]) -> Iterator[str]:
    proto = protocol(block.get("protocol"))
    ports = "all" if proto == _ANY_PROTOCOL else f"{block.get('fromPort') or 0}-{block.get('toPort') or 0}"
    sources = [str(source) for prop, _, _ in _SOURCES for source in block.get(prop) or ()]
    sources += ["self"] if block.get("self") else []
    for source in sources:
        yield f"{proto} {ports} {source} {block.get('description') or ''}".strip()


def holds(permissions: Iterable[Mapping[str, Any]], wanted: Bag) -> bool:
    """Whether EC2's permissions contain a rule (its description aside)."""
    group = ""
    there = {_bare(rule) for rule in atoms(blocks_of(permissions, group))}
    return {_bare(rule) for rule in atoms(blocks_of([wanted], group))} <= there


def _bare(rule: str) -> tuple[str, ...]:
    return tuple(rule.split(" ", 3)[:3])
