"""Functions that programs call: who and where one is, which zones there are, and IAM policy documents.

The last is pure: it builds the JSON that its arguments describe, and touches no service.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sandbox.aws.provider.errors import Failure, ProviderError
from sandbox.aws.provider.services import Services
from sandbox.aws.provider.values import Bag

Invoke = Callable[[Bag, Services], Bag]


def invoke(token: str, arguments: Bag, access: Services) -> tuple[Bag, list[Failure]]:
    """Call a function by its token; failures name the argument that is wrong."""
    if token not in _INVOKES:
        known = ", ".join(name.rpartition(":")[2] for name in sorted(_INVOKES))
        raise ProviderError(
            f"the sandbox's AWS stand-in does not know the function {token}; it knows {known}. "
            "Add it in sandbox/aws/provider/invokes.py"
        )
    run, allowed = _INVOKES[token]
    failures = [Failure(name, "is not an argument of it") for name in arguments if name not in allowed]
    return ({}, failures) if failures else (run(arguments, access), [])


def _region_of(arguments: Bag, access: Services) -> str:
    return str(arguments.get("region") or access.config.region)


def _caller_identity(_: Bag, access: Services) -> Bag:
    found = access.call("sts", access.config.region, "GetCallerIdentity", {})
    return {
        "id": found["Account"],
        "accountId": found["Account"],
        "arn": found["Arn"],
        "userId": found["UserId"],
    }


def _region(arguments: Bag, access: Services) -> Bag:
    region = str(arguments.get("name") or arguments.get("id") or _region_of(arguments, access))
    return {
        "id": region,
        "name": region,
        "region": region,
        "endpoint": f"ec2.{region}.amazonaws.com",
        "description": region,
    }


def _partition(_: Bag, __: Services) -> Bag:
    return {
        "id": "aws",
        "partition": "aws",
        "dnsSuffix": "amazonaws.com",
        "reverseDnsPrefix": "com.amazonaws",
    }


def _availability_zones(arguments: Bag, access: Services) -> Bag:
    region = _region_of(arguments, access)
    filters = [{"Name": item["name"], "Values": item["values"]} for item in arguments.get("filters") or ()]
    if arguments.get("state"):
        filters.append({"Name": "state", "Values": [arguments["state"]]})
    answer = access.call("ec2", region, "DescribeAvailabilityZones", {"Filters": filters} if filters else {})
    zones = [zone for zone in answer["AvailabilityZones"] if _wanted(zone, arguments)]
    zones.sort(key=lambda zone: zone["ZoneName"])
    return {
        "id": region,
        "region": region,
        "names": [zone["ZoneName"] for zone in zones],
        "zoneIds": [zone["ZoneId"] for zone in zones],
        "groupNames": sorted({str(zone.get("GroupName", region)) for zone in zones}),
        **{name: arguments.get(name) for name in ("state", "filters", "excludeNames", "excludeZoneIds")},
    }


def _wanted(zone: Mapping[str, Any], arguments: Bag) -> bool:
    return zone["ZoneName"] not in (arguments.get("excludeNames") or ()) and zone["ZoneId"] not in (
        arguments.get("excludeZoneIds") or ()
    )


# -- policy documents --------------------------------------------------------------------------------

_NAMES = {
    "actions": "Action",
    "notActions": "NotAction",
    "resources": "Resource",
    "notResources": "NotResource",
}


def _policy_document(arguments: Bag, _: Services) -> Bag:
    statements: list[Bag] = []
    for source in arguments.get("sourcePolicyDocuments") or ():
        _merge(statements, _statements_of(source))
    _merge(statements, [_statement(item) for item in arguments.get("statements") or ()])
    for override in arguments.get("overridePolicyDocuments") or ():
        _merge(statements, _statements_of(override), override=True)
    document = {
        "Version": arguments.get("version") or "2012-10-17",
        "Id": arguments.get("policyId"),
        "Statement": statements,
    }
    kept = {name: value for name, value in document.items() if value}
    text = json.dumps(kept, indent=2)
    return {
        **arguments,
        "id": str(zlib.crc32(text.encode())),
        "json": text,
        "minifiedJson": json.dumps(kept, separators=(",", ":")),
    }


def _statements_of(document: str) -> list[Bag]:
    try:
        found = json.loads(document)["Statement"]
    except (ValueError, KeyError, TypeError) as error:
        raise ProviderError(f"a source policy document is not a policy: {error}") from error
    return found if isinstance(found, list) else [found]


def _merge(into: list[Bag], more: Iterable[Bag], *, override: bool = False) -> None:
    """Statements with the same id replace each other where that is asked for."""
    for statement in more:
        sid = statement.get("Sid")
        place = next((i for i, known in enumerate(into) if sid and known.get("Sid") == sid), None)
        if place is None:
            into.append(statement)
        elif override:
            into[place] = statement
        else:
            raise ProviderError(f"two statements of the policy document have the id {sid}")


def _statement(item: Bag) -> Bag:
    result: Bag = {"Sid": item.get("sid"), "Effect": item.get("effect") or "Allow"}
    for name, member in _NAMES.items():
        if item.get(name):
            result[member] = _one_or_sorted(item[name])
    for name, member in (("principals", "Principal"), ("notPrincipals", "NotPrincipal")):
        if item.get(name):
            result[member] = _principals(item[name])
    if item.get("conditions"):
        result["Condition"] = _conditions(item["conditions"])
    return {name: value for name, value in result.items() if value}


def _one_or_sorted(values: Iterable[str]) -> str | list[str]:
    listed = sorted(values, reverse=True)
    return listed[0] if len(listed) == 1 else listed


def _principals(blocks: Iterable[Bag]) -> Any:
    found: dict[str, list[str]] = {}
    for block in blocks:
        if block["type"] == "*" and list(block["identifiers"]) == ["*"]:
            return "*"
        found.setdefault(block["type"], []).extend(block["identifiers"])
    return {kind: _one_or_sorted(names) for kind, names in found.items()}


def _conditions(blocks: Iterable[Bag]) -> Bag:
    found: dict[str, dict[str, Any]] = {}
    for block in blocks:
        values = list(block["values"])
        found.setdefault(block["test"], {})[block["variable"]] = values[0] if len(values) == 1 else values
    return found


_INVOKES: dict[str, tuple[Invoke, frozenset[str]]] = {
    "aws:index/getCallerIdentity:getCallerIdentity": (_caller_identity, frozenset({"id"})),
    "aws:index/getRegion:getRegion": (_region, frozenset({"endpoint", "id", "name", "region"})),
    "aws:index/getPartition:getPartition": (_partition, frozenset({"id"})),
    "aws:index/getAvailabilityZones:getAvailabilityZones": (
        _availability_zones,
        frozenset(
            {"allAvailabilityZones", "excludeNames", "excludeZoneIds", "filters", "id", "region", "state"}
        ),
    ),
    "aws:iam/getPolicyDocument:getPolicyDocument": (
        _policy_document,
        frozenset({"overridePolicyDocuments", "policyId", "sourcePolicyDocuments", "statements", "version"}),
    ),
}
