"""CloudWatch's answers: `aws cloudwatch get-metric-data`, and `get-metric-statistics`.

Neither says much of what it holds. The first has a label and an id for each series, chosen by whoever asked,
and neither statistic nor period. The second has the metric's name, the statistics that were asked for and a
unit, but not which function it is of. So a metric is known by its name as a word of the label, or as the
beginning of the id; what is taken on trust is told.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from components.observed.quantities import CLOUDWATCH, Meaning, Quantity, contradict, of_cloudwatch
from components.observed.series import Series
from components.traffic.findings import BadLineError, Finding, TraceError, shown
from components.traffic.samples import Samples
from components.traffic.times import TimeReader

NS_A_MS: Final = 10**6
_ROUTE: Final = re.compile(r"/v2/models/([a-z0-9-]+)")
_METRIC: Final = re.compile(r"[A-Z][A-Za-z0-9]*")
_STATISTICS: Final = ("Average", "Sum", "Maximum", "Minimum", "SampleCount")
_WORDS: Final = re.compile(r"[\s/|,;:()\[\]{}=\"']+")
_STATISTIC: Final = re.compile(
    r"(?:p|tm|tc|ts|wm)\d[\d.]*%?|avg|average|sum|min|minimum|max|maximum|samplecount", re.IGNORECASE
)
_SPELLED: Final = {"avg": "Average", "average": "Average", "sum": "Sum"}


@dataclass(frozen=True, slots=True, eq=False)
class Datapoints:
    """The points of get-metric-statistics, by statistic, and the units that they carry."""

    by_statistic: Mapping[str, Samples]
    units: frozenset[str]
    number: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What one answer holds."""

    series: list[Series] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def compacted(mapping: dict[str, Any]) -> dict[str, Any]:
    """A JSON object as it is read, with its points as arrays."""
    times, values, points = mapping.get("Timestamps"), mapping.get("Values"), mapping.get("Datapoints")
    if isinstance(times, list) and isinstance(values, list) and len(times) == len(values):
        mapping["Values"] = _samples(times, values)
        mapping["Timestamps"] = ()
    if isinstance(points, list):
        mapping["Datapoints"] = _datapoints([point for point in points if isinstance(point, Mapping)])
    return mapping


def _samples(times: Sequence[Any], values: Sequence[Any]) -> Samples:
    clock = TimeReader()
    return Samples.of(
        [_moment(clock, time) for time in times],
        [_number(value) for value in values],
        list(zip(times, values, strict=True)),
    )


def _moment(clock: TimeReader, time: Any) -> float:
    try:
        return clock.ns(str(time)) / NS_A_MS
    except (BadLineError, ValueError, RecursionError):
        return -1.0


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _datapoints(points: Sequence[Mapping[str, Any]]) -> Datapoints:
    by_statistic = {}
    for statistic in _STATISTICS:
        having = [point for point in points if statistic in point]
        if having:
            times = [point.get("Timestamp") for point in having]
            by_statistic[statistic] = _samples(times, [point[statistic] for point in having])
    units = frozenset(unit for point in points if isinstance(unit := point.get("Unit"), str))
    return Datapoints(by_statistic, units, len(points))


def is_one(document: Any) -> bool:
    """Whether a document is an answer of CloudWatch."""
    return isinstance(document, Mapping) and ("MetricDataResults" in document or "Datapoints" in document)


def series_of(file: str, document: Mapping[str, Any], declared: Quantity | None) -> Answer:
    """The series of an answer; raises TraceError where it is none after all."""
    answer = Answer()
    answer.findings.extend(_messages(file, document))
    if document.get("NextToken"):
        answer.findings.append(
            Finding(
                f"{file}: holds one page of an answer that has more",
                "ask without --no-paginate and --max-items, which put all pages into one answer",
            )
        )
    if "Datapoints" in document:
        _read_statistics(answer, file, document, declared)
        return answer
    results = document["MetricDataResults"]
    if not isinstance(results, list):
        raise TraceError(f"{file}: its MetricDataResults are no list", "fetch it again")
    if not results:
        raise TraceError(
            f"{file}: holds no series", "ask for metrics that there are, over a time that has some"
        )
    for result in results:
        if isinstance(result, Mapping):
            _read_result(answer, file, result, declared)
    return answer


def _messages(file: str, holder: Mapping[str, Any]) -> Iterator[Finding]:
    messages = holder.get("Messages")
    for message in messages if isinstance(messages, list) else ():
        said = message.get("Value") if isinstance(message, Mapping) else message
        yield Finding(f"{file}: CloudWatch says: {shown(str(said))}", "ask again, as it says")


# --- get-metric-data


def _read_result(answer: Answer, file: str, result: Mapping[str, Any], declared: Quantity | None) -> None:
    label, identifier = _text(result.get("Label")), _text(result.get("Id"))
    title = f"{file}: series {shown(label or identifier)}"
    answer.findings.extend(_messages(file, result))
    status = result.get("StatusCode", "Complete")
    samples = result.get("Values")
    if not isinstance(samples, Samples):
        answer.findings.append(
            Finding(f"{title} has not one value for each of its times: left out", "fetch it again")
        )
        return
    if status != "Complete":
        answer.findings.append(
            Finding(
                f"{title} is not complete (its status is {shown(str(status))})",
                "ask again: for what is missing, or with the right to read it",
            )
        )
    words = [word for word in _WORDS.split(label) if word]
    metric = _metric(words, identifier)
    meaning = _meaning(title, metric, "", declared)
    statistic = next((word for word in words if _STATISTIC.fullmatch(word)), "")
    if meaning is not None and not _is_the_statistic(answer, title, metric, statistic, meaning):
        return
    answer.series.append(
        Series(
            file=file,
            metric=metric,
            labels={key: value for key, value in (("Label", label), ("Id", identifier)) if value},
            samples=samples,
            quantity=meaning.quantity if meaning else None,
            aliases=(*_ROUTE.findall(label), *words, *_rest(identifier, metric)),
        )
    )


def _metric(words: Sequence[str], identifier: str) -> str:
    """The metric's name: a word of the label, or what the id begins with."""
    for word in words:
        if word in CLOUDWATCH:
            return word
    began = identifier.lower()
    known = next((name for name in CLOUDWATCH if began.startswith(name.lower())), "")
    return known or next((word for word in reversed(words) if _METRIC.fullmatch(word)), "")


def _rest(identifier: str, metric: str) -> tuple[str, ...]:
    """What an id like `invocations_embed` says beside the metric; ids may have no hyphens, names do."""
    if not metric or not identifier.lower().startswith(metric.lower()):
        return ()
    rest = identifier[len(metric) :].strip("_")
    return (rest, rest.replace("_", "-")) if rest else ()


def _is_the_statistic(answer: Answer, title: str, metric: str, word: str, meaning: Meaning) -> bool:
    """Whether a series is of the statistic that tells what its metric means, as far as its label says."""
    told = _SPELLED.get(word.lower(), word)
    if told and told != meaning.statistic:
        answer.findings.append(_wrong_statistic(title, metric, told, meaning))
        return False
    return True


def _wrong_statistic(title: str, metric: str, told: str, meaning: Meaning) -> Finding:
    return Finding(
        f"{title} is the {told} of {metric or 'its metric'}, which is not its {meaning.statistic}: left out",
        f"ask for the statistic {meaning.statistic}",
    )


# --- get-metric-statistics


def _read_statistics(
    answer: Answer, file: str, document: Mapping[str, Any], declared: Quantity | None
) -> None:
    points, metric = document["Datapoints"], _text(document.get("Label"))
    if not isinstance(points, Datapoints):
        raise TraceError(f"{file}: its Datapoints are no list", "fetch it again")
    title = f"{file}: {shown(metric)}"
    if len(points.units) > 1:
        answer.findings.append(
            Finding(
                f"{title} has points in several units ({', '.join(sorted(points.units))}): left out",
                "ask for one of them with --unit",
            )
        )
        return
    meaning = _meaning(title, metric, next(iter(points.units), ""), declared)
    statistic = meaning.statistic if meaning else next(iter(points.by_statistic), "")
    samples = points.by_statistic.get(statistic)
    if samples is None and points.number and meaning is not None:
        told = ", ".join(points.by_statistic) or "nothing"
        answer.findings.append(_wrong_statistic(title, metric, told, meaning))
        return
    answer.series.append(
        Series(
            file=file,
            metric=metric,
            labels={"Label": metric} if metric else {},
            samples=samples if samples is not None else Samples.of([], [], []),
            quantity=meaning.quantity if meaning else None,
        )
    )


def _meaning(title: str, metric: str, unit: str, declared: Quantity | None) -> Meaning | None:
    known = of_cloudwatch(metric, unit)
    if declared is None:
        return known
    if known is not None and contradict(known.quantity, declared):
        raise TraceError(
            f"{title} is {metric}, which is {known.quantity} and not {declared}",
            f"name the file without {declared}=",
        )
    return known or Meaning(declared)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
