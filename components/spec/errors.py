"""What is wrong with a stack file, as data: every problem with its place, its value and its remedy."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

_SHOWN_AT_MOST = 60


@dataclass(frozen=True)
class Problem:
    """One mistake in a stack file."""

    path: str
    """Where, as one would write it in code: `workloads[2].needs.memory`; empty for the stack as a whole."""
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
        named = f" ({self.subject})" if self.subject else ""
        place = f"{self.path or 'the stack'}{named}"
        shown = "" if self.value is None else f" {shown_value(self.value)}"
        located = f"{self.location}: " if self.location else ""
        return f"{located}{place}:{shown} {self.message}\n    remedy: {self.remedy}"


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
        return json.dumps({"problems": [asdict(problem) for problem in self.problems]}, default=str, indent=2)


def shown_value(value: object) -> str:
    """A value short enough for one line of an error."""
    try:
        text = repr(value) if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    except (ValueError, RecursionError):
        text = f"a {type(value).__name__}"
    return text if len(text) <= _SHOWN_AT_MOST else f"{text[: _SHOWN_AT_MOST - 1]}…"
