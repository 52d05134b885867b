"""Devices that pods claim from a driver (DRA), and which of them are accelerators.

A pod names a claim, or a template that one is made of for it. The claim says how many devices of which
class, and the class, by its name or by its selectors, of which driver.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from policies.reading.bags import ABSENT, UNKNOWN, fetch, items, whole
from policies.reading.declared import Properties
from policies.reading.index import Index, Kind, in_cluster, in_namespace, namespace_of
from policies.reading.pods import Template, accelerators_asked, claims_of
from policies.resources import Resource


def _dra(kind: str) -> tuple[str, ...]:
    versions = ("v1", "v1beta1", "v1beta2", "v1alpha3")
    return tuple(f"kubernetes:resource.k8s.io/{version}:{kind}" for version in versions)


CLAIMS: Final = Kind(_dra("ResourceClaim"), in_namespace)
CLAIM_TEMPLATES: Final = Kind(_dra("ResourceClaimTemplate"), in_namespace)
CLASSES: Final = Kind(_dra("DeviceClass"), in_cluster)

_MOST_REQUESTS: Final = 32
"""Of one claim, as its API allows."""

_CLAIMED: Final = ("accelerator_count",)
_NAMED: Final[Properties] = {"metadata.name": _CLAIMED, "metadata.namespace": _CLAIMED}
_OF_CLAIM: Final[Properties] = {**_NAMED, "spec.devices.requests": _CLAIMED}
_OF_TEMPLATE: Final[Properties] = {**_NAMED, "spec.spec.devices.requests": _CLAIMED}
_OF_CLASS: Final[Properties] = {"metadata.name": _CLAIMED, "spec.selectors[].cel.expression": _CLAIMED}
READS: Final[Mapping[str, Properties]] = {
    **dict.fromkeys(CLAIMS.types, _OF_CLAIM),
    **dict.fromkeys(CLAIM_TEMPLATES.types, _OF_TEMPLATE),
    **dict.fromkeys(CLASSES.types, _OF_CLASS),
}

_DRIVERS: Final = ("gpu.nvidia.com", "mig.nvidia.com", "gpu.amd.com", "gpu.intel.com", "gaudi.intel.com")
"""Drivers whose devices are accelerators; each brings a class of its own name."""


def accelerators_claimed(resource: Resource, templates: Iterable[Template], index: Index) -> int | None:
    """The accelerators of one replica, counted and claimed; None where one of its claims is not known."""
    known = list(templates)
    total = accelerators_asked(known)
    if total is UNKNOWN:
        return None
    for template in known:
        for claim in claims_of(template.spec):
            devices = _devices(claim, resource, index)
            if devices is None:
                return None
            total += devices * template.copies
    return int(total)


def _devices(claim: object, resource: Resource, index: Index) -> int | None:
    """The accelerators of a claim that a pod names, or has made of a template."""
    namespace = namespace_of(resource)
    for key, kind, path in (
        ("resourceClaimName", CLAIMS, ("spec",)),
        ("resourceClaimTemplateName", CLAIM_TEMPLATES, ("spec", "spec")),
    ):
        name = fetch(claim, key)
        if isinstance(name, str) and isinstance(namespace, str):
            found = index.named(kind, f"{namespace}/{name}", resource)
            if not isinstance(found, Resource):
                return None
            return _requested(fetch(found.props, *path, "devices", "requests"), found, index)
    return None


def _requested(requests: object, claim: Resource, index: Index) -> int | None:
    if not isinstance(requests, list | tuple) or len(requests) > _MOST_REQUESTS:
        return None
    total = 0
    for request in requests:
        exactly = fetch(request, "exactly")
        each = _requested_once(request if exactly is ABSENT else exactly, claim, index)
        if each is None:
            return None
        total += each
    return total


def _requested_once(request: object, claim: Resource, index: Index) -> int | None:
    """How many accelerators one request is for; None for all that there are, or where it is not known."""
    mode, count = fetch(request, "allocationMode"), fetch(request, "count")
    number = 1 if count is ABSENT else whole(count)
    if mode not in (ABSENT, "ExactCount") or number is None:
        return None
    return number if _is_accelerator_class(fetch(request, "deviceClassName"), claim, index) else None


def _is_accelerator_class(name: object, claim: Resource, index: Index) -> bool:
    """Whether the devices of a class are known to be accelerators."""
    if name in _DRIVERS:
        return True
    known = index.named(CLASSES, name, claim)
    selectors = fetch(known.props, "spec", "selectors") if isinstance(known, Resource) else ABSENT
    texts = [fetch(selector, "cel", "expression") for selector in items(selectors)]
    return any(
        isinstance(text, str) and f'"{driver}"' in text.replace("'", '"')
        for text in texts
        for driver in _DRIVERS
    )
