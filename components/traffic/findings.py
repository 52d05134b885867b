"""What is wrong with a trace, in words with a remedy: so wrong that nothing can be measured, or only told."""

from dataclasses import dataclass
from enum import StrEnum

_SHOWN_AT_MOST = 60


class Weight(StrEnum):
    """How much a finding matters for what was measured."""

    NOTE = "note"
    """Good to know; the numbers hold."""
    WARNING = "warning"
    """A number is missing or less sure because of it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know about a trace."""

    message: str
    remedy: str
    line: int = 0
    """Line of the trace, counted from 1; 0 where it is of the whole."""
    weight: Weight = Weight.WARNING

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line else ""
        return f"{where}{self.message}\n    remedy: {self.remedy}"

    def as_json(self) -> dict[str, object]:
        """The finding as plain JSON values."""
        return {
            "weight": str(self.weight),
            "line": self.line or None,
            "message": self.message,
            "remedy": self.remedy,
        }


class TraceError(Exception):
    """A trace that nothing can be measured from: what is wrong, where, and what to do."""

    def __init__(self, what: str, remedy: str, *, detail: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy
        self.detail = detail

    def __str__(self) -> str:
        lines = [self.what, self.detail, f"  remedy: {self.remedy}"]
        return "\n".join(line for line in lines if line)


class BadLineError(Exception):
    """One line that cannot be read, while its neighbours may be."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


def shown(text: str) -> str:
    """A piece of the trace, short enough for one line of a message and free of control characters."""
    cut = text if len(text) <= _SHOWN_AT_MOST else f"{text[:_SHOWN_AT_MOST]}…"
    return repr(cut)
