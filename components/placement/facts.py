"""What a rule may know about one subject, and how a resource carries it.

A workload is judged at config time, where the whole stack file is at hand, and again by policies and audits
that see nothing but one resource. For both to be the same judgement, the resource carries the facts that it
was placed by: as `halfmetal:*` tags on AWS, as `halfmetal.dev/*` annotations in Kubernetes. Encoding and
decoding are exact inverses within what AWS allows in a tag: 256 characters of letters, digits and `_.:/=+-@`.

A fact that is not known is None, and a rule that needs it answers "undecided". What is known to be absent
has a value of its own: an accelerator count of 0, a reserved concurrency of -1, a placement group of `none`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from components.placement.homes import Home
from components.spec.units import Duration, Memory

NONE: Final = "none"
"""Known to be absent: no placement group, no capacity block."""

UNRESERVED: Final = -1
"""Known to have no reserved concurrency. It is the figure AWS uses."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Facts about one workload, function or pool of nodes. None is "not known"."""

    workload: str | None = None
    pool: str | None = None
    """The pool that the subject is, or runs on."""
    home: Home | None = None
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

    latency_p99: Duration | None = None
    service_time: Duration | None = None
    """Computing one request, reads of state aside."""
    state: tuple[StateRead, ...] | None = None
    """The stores read on the request path."""
    state_bytes: Memory | None = None
    """Read from them for one request, all together."""

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
        texts = _gathered(carried)
        found = {
            field.name: _decoded(field.name, texts[field.name])
            for field in fields(cls)
            if field.name in texts
        }
        return cls(**found)

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


_TEXT: Final = _Codec(_escape, _unescape)
_TEXT_OR_NONE: Final = _Codec(_encode_absent, _decode_absent)
_NAMES: Final = _Codec(_encode_names, _decode_names)
_COUNT: Final = _Codec(str, int)
_FLAG: Final = _Codec(lambda value: str(value).lower(), _decode_bool)
_MEMORY: Final = _Codec(str, Memory.parse)
_DURATION: Final = _Codec(str, Duration.parse)

_CODECS: Final[Mapping[str, _Codec]] = {
    "workload": _TEXT,
    "pool": _TEXT,
    "home": _Codec(str, Home),
    "zones": _NAMES,
    "memory": _MEMORY,
    "function_memory": _MEMORY,
    "managed_instances": _FLAG,
    "accelerator_type": _TEXT,
    "accelerator_count": _COUNT,
    "accelerator_memory": _MEMORY,
    "latency_p99": _DURATION,
    "service_time": _DURATION,
    "state": _Codec(_encode_reads, _decode_reads),
    "state_bytes": _MEMORY,
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
