"""From files to series: which system each answer is of, and every document in it.

A file may hold several answers one behind the other, as a loop over functions that appends leaves them.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from components.observed import cloudwatch, prometheus
from components.observed.quantities import DECLARED, Quantity
from components.observed.series import Series
from components.traffic.findings import Finding, TraceError
from components.traffic.source import OnProgress, Wanted, opened

WANTED: Final = Wanted(
    what="a file of measurements",
    command="halfmetal plan --observed -",
    smaller="ask for fewer series, a shorter time or a larger step; or put the parts into files of their own",
)
_BLANK: Final = re.compile(r"\s*")
_HOW: Final = (
    "name the output of `aws cloudwatch get-metric-data` or `get-metric-statistics`, or the answer of"
    " Prometheus's /api/v1/query or /api/v1/query_range"
)


@dataclass(frozen=True, slots=True)
class Named:
    """A file of measurements, and what the user says that it holds."""

    path: str
    declared: Quantity | None = None

    @classmethod
    def parse(cls, text: str) -> "Named":
        """`FILE`, or `percent=FILE` for a file whose metrics do not tell their unit."""
        kind, equals, path = text.partition("=")
        return cls(path, Quantity(kind)) if equals and kind in DECLARED else cls(text)


@dataclass(frozen=True, slots=True)
class Measurements:
    """All that was read."""

    series: tuple[Series, ...]
    findings: tuple[Finding, ...]


def read(files: Sequence[Named], *, on_progress: OnProgress | None = None) -> Measurements:
    """The series of all files; raises TraceError for one that holds none."""
    series: list[Series] = []
    findings: list[Finding] = []
    for named in files:
        with opened(named.path, on_progress, WANTED) as source:
            text = source.whole()
            if not text:
                raise TraceError(f"{source.name}: is empty", _HOW)
            if source.damage:
                raise TraceError(f"{source.name}: the compressed file {source.damage}", "fetch it again")
            for document in _documents(source.name, text):
                more, found = _series_of(source.name, document, named.declared)
                series += more
                findings += found
    return Measurements(tuple(series), tuple(findings))


def _documents(name: str, text: str) -> Iterator[Any]:
    decoder = json.JSONDecoder(object_hook=_compacted)
    at = 0
    while at < len(text):
        try:
            document, at = decoder.raw_decode(text, at)
        except json.JSONDecodeError as error:
            raise TraceError(
                f"{name}: is no JSON, or is cut off, at line {error.lineno}: {error.msg}", _HOW
            ) from None
        except (ValueError, RecursionError):
            raise TraceError(
                f"{name}: holds what no answer does (nested too deeply, or a number without end)", _HOW
            ) from None
        yield document
        blank = _BLANK.match(text, at)
        at = blank.end() if blank else len(text)


def _compacted(mapping: dict[str, Any]) -> dict[str, Any]:
    return cloudwatch.compacted(prometheus.compacted(mapping))


def _series_of(
    name: str, document: Any, declared: Quantity | None
) -> tuple[Sequence[Series], Sequence[Finding]]:
    if cloudwatch.is_one(document):
        answer = cloudwatch.series_of(name, document, declared)
        return answer.series, answer.findings
    if prometheus.is_one(document):
        return prometheus.series_of(name, document, declared)
    raise TraceError(f"{name}: is no answer of CloudWatch or Prometheus", _HOW)
