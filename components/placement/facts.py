"""What a rule may know about one subject, and how a resource carries it.

A workload is judged at config time, where the whole stack file is at hand, and again by policies and audits
that see nothing but one resource. For both to be the same judgement, the resource carries the facts that it
was placed by: as `halfmetal:*` tags on AWS, as `halfmetal.dev/*` annotations in Kubernetes. Encoding and
decoding are exact inverses within what AWS allows in a tag: 256 characters of letters, digits and `_.:/=+-@`.

A fact that is not known is None, and a rule that needs it answers "undecided". What is known to be absent
has a value of its own: an accelerator count of 0, a reserved concurrency of -1, a placement group of `none`,
a jitter of `UNBOUNDED` where any will do.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Final

from components.placement.homes import Home
from components.spec.units import Duration, Memory, Share

NONE: Final = "none"
"""Known to be absent: no placement group, no capacity block."""

UNRESERVED: Final = -1
"""Known to have no reserved concurrency. It is the figure AWS uses."""

UNBOUNDED: Final = Duration(Duration.maximum)
"""Known to bear any: the longest time there is, so that it compares as what it means."""

TAG_PREFIX: Final = "halfmetal:"
ANNOTATION_PREFIX: Final = "halfmetal.dev/"

_MOST_CHARACTERS: Final = 256
_PLAIN: Final = re.compile(r"[A-Za-z0-9._:-]")
_ESCAPED: Final = re.compile(r"=([0-9A-F]{2})")
_KEY: Final = re.compile(r"(?P<name>[a-z0-9-]+)(?:\.(?P<piece>[0-9]{1,3}))?")


@dataclass(frozen=True, slots=True, order=True)
class StateRead:
    """A store that is read while a request waits, and the zones it has a copy in."""

    store: str
    zones: tuple[str, ...]


class Role(StrEnum):
    """What a subject is there for."""

    WORKLOAD = "workload"
    CONTROL = "control"
    """A control function, which serves no workload."""

    NODES = "nodes"
    """A pool, which serves what runs on it."""


class Platform(StrEnum):
    """What runs functions that are not of AWS Lambda, which the homes of functions are named for."""

    CLOUD_RUN = "cloud-run"
    """Google Cloud Run services."""

    SAGEMAKER_SERVERLESS = "sagemaker-serverless"
    """Amazon SageMaker Serverless Inference."""

    @property
    def described(self) -> str:
        """Its name in a sentence."""
        return _PLATFORMS[self]


_PLATFORMS: Final = {
    Platform.CLOUD_RUN: "Cloud Run",
    Platform.SAGEMAKER_SERVERLESS: "SageMaker Serverless Inference",
}


class FrontDoor(StrEnum):
    """What a caller's request comes through, and so what cuts it off."""

    HTTP_API = "http-api"
    REST_API = "rest-api"
    REST_API_STREAMED = "rest-api-streamed"
    """A REST API that passes the answer on while it is being made."""

    ASYNCHRONOUS = "asynchronous"
    """Nobody waits: an event, or a job from a queue."""

    GATEWAY = "gateway"
    """The in-cluster gateway at an address of its own: no API Gateway before it."""


class Tenancy(StrEnum):
    """Whom a machine is shared with."""

    SHARED = "shared"
    DEDICATED = "dedicated"
    """Hardware that no other account's instances run on."""

    BARE_METAL = "bare-metal"
    """The whole machine, with no hypervisor between."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Facts about one workload, function or pool of nodes. None is "not known"."""

    workload: str | None = None
    role: Role | None = None
    pool: str | None = None
    """The pool that the subject is, or runs on."""
    home: Home | None = None
    platform: Platform | None = None
    """What runs a function where that is not AWS Lambda. None: Lambda, or nodes, as the home says."""
    zones: tuple[str, ...] | None = None
    """The availability zones the subject may run in."""

    memory: Memory | None = None
    """What the workload needs to work in."""
    function_memory: Memory | None = None
    """What the function is configured with."""
    managed_instances: bool | None = None
    """Whether a function runs on Lambda Managed Instances."""

    accelerator_type: str | None = None
    accelerator_count: int | None = None
    accelerator_memory: Memory | None = None
    """Of each accelerator."""
    has_accelerators: bool | None = None
    """Whether the nodes that its pods are held to have accelerators; False where they are held to none."""
    tolerates: bool | None = None
    """Whether its pods tolerate what is kept off those nodes."""

    utilization: Share | None = None
    """Of the day, how much one replica is busy."""
    break_even: Share | None = None
    """Utilization from which nodes cost less than functions for this workload, where it was computed."""

    latency_p99: Duration | None = None
    service_time: Duration | None = None
    """Computing one request, reads of state aside."""
    front_door: FrontDoor | None = None
    cold_start_tolerance: Duration | None = None
    """The extra wait a request may meet when nothing is warm; `UNBOUNDED` when any will do."""
    package: Memory | None = None
    """The function's code, dependencies and weights, unpacked."""
    jitter: Duration | None = None
    """The most that answer times may vary; `UNBOUNDED` when they may vary at will."""
    pinned: bool | None = None
    """Whether its pods have whole cores to themselves, within one NUMA node."""
    twin: bool | None = None
    """Whether a function takes what its warm replicas cannot."""
    warm_replicas: int | None = None
    """Pods that run however little is asked of them."""
    state: tuple[StateRead, ...] | None = None
    """The stores read on the request path."""
    state_bytes: Memory | None = None
    """Read from them for one request, all together."""
    local_cache: bool | None = None
    """Whether it keeps a cache of its own that must outlive a request."""

    compliance: tuple[str, ...] | None = None
    """The regimes it falls under, as the stack file names them."""
    tenancy: Tenancy | None = None
    audit_logs: bool | None = None
    """Whether the cluster keeps an audit log of its API."""
    own_keys: bool | None = None
    """Whether its disks are encrypted with a key of the owner's own."""
    isolated_namespace: bool | None = None
    """Whether its namespace enforces a Pod Security level, so that no pod there gets at its node."""

    managed_cluster: bool | None = None
    """Whether a provider runs the cluster."""
    operations_team: bool | None = None
    """Whether somebody is there to run one."""
    ties: tuple[str, ...] | None = None
    """Event buses and workflow engines that it works with."""

    reserved_concurrency: int | None = None
    """`UNRESERVED` (-1) when there is none."""
    timeout: Duration | None = None
    log_retention_days: int | None = None
    """0 when logs are kept for ever."""
    alarm: bool | None = None
    budget: bool | None = None
    """Whether the stack has one."""

    efa: bool | None = None
    placement_group: str | None = None
    """Its strategy (`cluster`, `partition`, `spread`), or `none`."""
    capacity_block_zone: str | None = None
    """The zone of the capacity block that the nodes come from, or `none`."""

    @property
    def subject(self) -> str:
        """What the facts are about, by name; empty when nothing names it."""
        return self.workload or self.pool or ""

    @property
    def reads_elsewhere(self) -> tuple[StateRead, ...]:
        """The stores read on the request path that lack a copy in some zone the subject may run in."""
        here = set(self.zones or ())
        return tuple(read for read in self.state or () if not here <= set(read.zones))

    @property
    def where(self) -> str:
        """Its home, or the platform that is its home, as a phrase for a sentence."""
        if self.platform is not None:
            return self.platform.described
        return self.home.described if self.home is not None else "an unknown home"

    def to_tags(self) -> dict[str, str]:
        """The known facts as AWS tags."""
        return self._encoded(TAG_PREFIX)

    def to_annotations(self) -> dict[str, str]:
        """The known facts as Kubernetes annotations."""
        return self._encoded(ANNOTATION_PREFIX)

    @classmethod
    def from_tags(cls, carried: Mapping[str, str]) -> "Facts":
        """The facts that tags or annotations carry. Other keys are ignored.

        A value that cannot be read (someone edited it) counts as not known; nothing is raised.
        """
        return cls(**cls.decoded(carried))

    @classmethod
    def decoded(cls, carried: Mapping[str, str]) -> dict[str, Any]:
        """The facts that tags or annotations carry, by name; none that cannot be read."""
        found = ((name, _decoded(name, text)) for name, text in _gathered(carried).items() if name in _CODECS)
        return {name: value for name, value in found if value is not None}

    def _encoded(self, prefix: str) -> dict[str, str]:
        carried: dict[str, str] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if value is None:
                continue
            text = _CODECS[field.name].encode(value)
            key = prefix + field.name.replace("_", "-")
            for number, start in enumerate(range(0, len(text), _MOST_CHARACTERS), start=1):
                carried[key if number == 1 else f"{key}.{number}"] = text[start : start + _MOST_CHARACTERS]
        return carried


@dataclass(frozen=True, slots=True)
class _Codec:
    encode: Callable[[Any], str]
    decode: Callable[[str], Any]


def _escape(text: str) -> str:
    if text == NONE:  # alone it would read as "there is none"
        return "=6Eone"
    if not text:  # AWS drops empty values in some consoles, and an empty part would vanish in a list
        return "="
    return "".join(
        character
        if _PLAIN.fullmatch(character)
        else "".join(f"={byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))
        for character in text
    )


def _unescape(text: str) -> str:
    if text == "=":
        return ""
    raw = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    return raw.encode("latin-1").decode("utf-8", "surrogatepass")


def _encode_names(names: tuple[str, ...]) -> str:
    return "+".join(map(_escape, names)) or NONE


def _decode_names(text: str) -> tuple[str, ...]:
    return () if text == NONE else tuple(map(_unescape, text.split("+")))


def _encode_reads(reads: tuple[StateRead, ...]) -> str:
    return "/".join(f"{_escape(read.store)}@{_encode_names(read.zones)}" for read in reads) or NONE


def _decode_reads(text: str) -> tuple[StateRead, ...]:
    if text == NONE:
        return ()
    split = (part.split("@") for part in text.split("/"))
    return tuple(StateRead(_unescape(store), _decode_names(zones)) for store, zones in split)


def _encode_absent(text: str) -> str:
    return text if text == NONE else _escape(text)


def _decode_absent(text: str) -> str:
    return text if text == NONE else _unescape(text)


def _decode_bool(text: str) -> bool:
    return {"true": True, "false": False}[text]


def _encode_share(share: Share) -> str:
    return str(share).removesuffix("%")  # AWS allows no percent sign in a tag


def _decode_share(text: str) -> Share:
    return Share.parse(f"{text}%")


_TEXT: Final = _Codec(_escape, _unescape)
_TEXT_OR_NONE: Final = _Codec(_encode_absent, _decode_absent)
_NAMES: Final = _Codec(_encode_names, _decode_names)
_COUNT: Final = _Codec(str, int)
_FLAG: Final = _Codec(lambda value: str(value).lower(), _decode_bool)
_MEMORY: Final = _Codec(str, Memory.parse)
_DURATION: Final = _Codec(str, Duration.parse)
_SHARE: Final = _Codec(_encode_share, _decode_share)

_CODECS: Final[Mapping[str, _Codec]] = {
    "workload": _TEXT,
    "role": _Codec(str, Role),
    "pool": _TEXT,
    "home": _Codec(str, Home),
    "platform": _Codec(str, Platform),
    "zones": _NAMES,
    "memory": _MEMORY,
    "function_memory": _MEMORY,
    "managed_instances": _FLAG,
    "accelerator_type": _TEXT,
    "accelerator_count": _COUNT,
    "accelerator_memory": _MEMORY,
    "has_accelerators": _FLAG,
    "tolerates": _FLAG,
    "utilization": _SHARE,
    "break_even": _SHARE,
    "latency_p99": _DURATION,
    "service_time": _DURATION,
    "front_door": _Codec(str, FrontDoor),
    "cold_start_tolerance": _DURATION,
    "package": _MEMORY,
    "jitter": _DURATION,
    "pinned": _FLAG,
    "twin": _FLAG,
    "warm_replicas": _COUNT,
    "state": _Codec(_encode_reads, _decode_reads),
    "state_bytes": _MEMORY,
    "local_cache": _FLAG,
    "compliance": _NAMES,
    "tenancy": _Codec(str, Tenancy),
    "audit_logs": _FLAG,
    "own_keys": _FLAG,
    "isolated_namespace": _FLAG,
    "managed_cluster": _FLAG,
    "operations_team": _FLAG,
    "ties": _NAMES,
    "reserved_concurrency": _COUNT,
    "timeout": _DURATION,
    "log_retention_days": _COUNT,
    "alarm": _FLAG,
    "budget": _FLAG,
    "efa": _FLAG,
    "placement_group": _TEXT_OR_NONE,
    "capacity_block_zone": _TEXT_OR_NONE,
}


def _gathered(carried: Mapping[str, str]) -> dict[str, str]:
    """Field name → whole text, long values put together again from their numbered pieces."""
    pieces: dict[str, dict[int, str]] = {}
    for key, text in carried.items():
        prefix = next((prefix for prefix in (TAG_PREFIX, ANNOTATION_PREFIX) if key.startswith(prefix)), None)
        if prefix is None or not isinstance(text, str):
            continue
        key_parts = _KEY.fullmatch(key.removeprefix(prefix))
        if key_parts is not None:
            pieces.setdefault(key_parts["name"].replace("-", "_"), {})[int(key_parts["piece"] or "1")] = text
    return {name: "".join(text for _, text in sorted(parts.items())) for name, parts in pieces.items()}


def _decoded(name: str, text: str) -> Any:
    try:
        return _CODECS[name].decode(text)
    except (ValueError, KeyError):  # unit errors and wrong encodings are ValueErrors
        return None
