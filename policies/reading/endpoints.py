"""Endpoints of Amazon SageMaker: functions where they are serverless, else instances kept for them."""

from collections.abc import Mapping
from typing import Any, Final

from components.catalog import load as load_catalog
from components.placement import NONE, FrontDoor, Home, Platform
from components.spec import Memory
from policies.reading.bags import ABSENT, UNKNOWN, fetch, listed
from policies.reading.declared import TAGS, Properties
from policies.reading.draft import Draft, Subject, tagged
from policies.reading.machines import OF_TYPE, read_machines
from policies.reading.quantities import counted, megabytes

ENDPOINT: Final = "aws:sagemaker/endpointConfiguration:EndpointConfiguration"
_OF_INSTANCES: Final = (
    *OF_TYPE,
    "managed_cluster",
    "warm_replicas",
    "own_keys",
    "efa",
    "placement_group",
    "capacity_block_zone",
)
READS: Final[Properties] = {
    **TAGS,
    "asyncInferenceConfig": ("front_door",),
    "kmsKeyArn": ("own_keys",),
    "productionVariants[].serverlessConfig": ("platform", "function_memory", "timeout", *_OF_INSTANCES),
    "productionVariants[].serverlessConfig.memorySizeInMb": ("function_memory",),
    "productionVariants[].serverlessConfig.provisionedConcurrency": ("home",),
    "productionVariants[].instanceType": OF_TYPE,
    "productionVariants[].initialInstanceCount": ("warm_replicas",),
    "productionVariants[].managedInstanceScaling.minInstanceCount": ("warm_replicas",),
}
_PREFIX: Final = "ml."


def endpoint(props: Mapping[str, Any]) -> Subject:
    draft = tagged(props)
    variants = listed(props, "productionVariants")
    waits = fetch(props, "asyncInferenceConfig")
    if waits is not ABSENT:
        draft.set("front_door", UNKNOWN if waits is UNKNOWN else FrontDoor.ASYNCHRONOUS)
    serverless = [fetch(variant, "serverlessConfig") for variant in variants]
    if UNKNOWN in serverless:
        draft.set("home", UNKNOWN)
    elif serverless and ABSENT not in serverless:
        _read_serverless(draft, serverless)
    elif serverless and all(each is ABSENT for each in serverless):
        _read_instances(draft, props, variants)
    else:
        draft.set("home", None)  # some of it is the one, some the other
    return draft.done()


def _read_serverless(draft: Draft, variants: list[Any]) -> None:
    draft.set("platform", Platform.SAGEMAKER_SERVERLESS)
    kept = [fetch(variant, "provisionedConcurrency") for variant in variants]
    warm = UNKNOWN if UNKNOWN in kept else ABSENT not in kept
    homes = {True: Home.RESERVED_FUNCTION, False: Home.FUNCTION, UNKNOWN: UNKNOWN}
    draft.set("home", homes[warm])
    sizes = [megabytes(fetch(variant, "memorySizeInMb"), Memory(0)) for variant in variants]
    known = [size for size in sizes if isinstance(size, Memory)]
    draft.set("function_memory", max(known) if len(known) == len(sizes) else UNKNOWN)
    draft.set("timeout", load_catalog().limits.sagemaker_serverless.timeout.value)


def _read_instances(draft: Draft, props: Mapping[str, Any], variants: list[Any]) -> None:
    types = [fetch(variant, "instanceType") for variant in variants]
    read_machines(draft, [each.removeprefix(_PREFIX) if isinstance(each, str) else each for each in types])
    draft.put_on_nodes()
    draft.set("managed_cluster", value=True)
    draft.set("efa", value=False)
    draft.set("placement_group", NONE)
    draft.set("capacity_block_zone", NONE)
    counts = [counted(_least(variant), None) for variant in variants]
    if ABSENT not in counts and None not in counts:
        known = [each for each in counts if isinstance(each, int)]
        draft.set("warm_replicas", sum(known) if len(known) == len(counts) else UNKNOWN)
    key = fetch(props, "kmsKeyArn")
    if key is not ABSENT:  # a machine with disks of its own takes none, and encrypts them itself
        draft.set("own_keys", UNKNOWN if key is UNKNOWN else True)


def _least(variant: object) -> Any:
    """Instances that are kept: those that it scales down to, else those that it starts with."""
    least = fetch(variant, "managedInstanceScaling", "minInstanceCount")
    return fetch(variant, "initialInstanceCount") if least is ABSENT else least
