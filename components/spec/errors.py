"""What is wrong with a stack file, as data: every problem with its place, its value and its remedy."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from itertools import islice
from typing import Final

_SHOWN_AT_MOST: Final = 60
_ITEMS_SHOWN: Final = 4
_TEXT_AT_MOST: Final = 500
_NUMBER_AT_MOST: Final = 10**18
_LEVELS_SHOWN: Final = 2


@dataclass(frozen=True)
class Problem:
    """One mistake in a stack file."""

    path: str
    """Where, as one would write it in code: `workloads[2].needs.memory`; empty for the file as a whole."""
    value: object
    """What stands there; `None` where something is missing."""
    message: str
    """What is wrong with it."""
    remedy: str
    """What to write instead."""
    subject: str = ""
    """Name of the workload, pool or store that it belongs to, where it has one."""
    location: str = ""
    """File and line, `stacks/Pulumi.hybrid.yaml:41`, where known."""

    def __str__(self) -> str:
        located = f"{self.location}: " if self.location else ""
        named = f" ({self.subject})" if self.subject else ""
        shown = "" if self.value is None else f" {shown_value(self.value)}"
        where = f"{located}{self.path or 'the stack file'}{named}"
        return f"{where}:{shown} {self.message}\n    remedy: {self.remedy}"

    def as_json(self) -> dict[str, object]:
        """The problem as plain JSON values; a collection, or what is very large, is sketched as text."""
        plain = {field.name: getattr(self, field.name) for field in fields(self)}
        if not _is_small_scalar(self.value):
            plain["value"] = shown_value(self.value)
        return plain


class StackError(Exception):
    """A stack file that cannot be used, with every problem found in it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        count = len(self.problems)
        title = "1 problem" if count == 1 else f"{count} problems"
        return "\n".join([f"{title} in the stack file", *(f"  {problem}" for problem in self.problems)])

    def to_json(self) -> str:
        """The problems as a JSON document: `{"problems": [{"path": …, "value": …, …}]}`."""
        return json.dumps({"problems": [problem.as_json() for problem in self.problems]}, indent=2)


def _is_small_scalar(value: object) -> bool:
    """Whether JSON can say it, and in short."""
    if isinstance(value, str):
        return len(value) <= _TEXT_AT_MOST
    if isinstance(value, int | float):
        return -_NUMBER_AT_MOST <= value <= _NUMBER_AT_MOST
    return value is None


def shown_value(value: object) -> str:
    """A value short enough for one line of an error, however large or deep it is."""
    text = _sketch(value, _LEVELS_SHOWN)
    return text if len(text) <= _SHOWN_AT_MOST else f"{text[: _SHOWN_AT_MOST - 1]}…"


def _sketch(value: object, levels: int) -> str:
    if isinstance(value, Mapping):
        return (
            "{"
            + _sketched((f"{key}: {_sketch(value[key], levels - 1)}" for key in value), len(value), levels)
            + "}"
        )
    if isinstance(value, list | tuple):
        return "[" + _sketched((_sketch(each, levels - 1) for each in value), len(value), levels) + "]"
    if isinstance(value, str):
        return repr(value[:_SHOWN_AT_MOST])
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, int) and value.bit_length() > _SHOWN_AT_MOST * 4:
        return f"a number of {value.bit_length()} bits"
    return str(value)


def _sketched(parts: Iterator[str], count: int, levels: int) -> str:
    if levels == 0:
        return "…" if count else ""
    return ", ".join([*islice(parts, _ITEMS_SHOWN), *(["…"] if count > _ITEMS_SHOWN else [])])
