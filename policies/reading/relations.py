"""What a function is with the rest of its stack: its log group, its alarm, the stack's budget.

They are resources of their own, and none of them is a property of the function. Names are known at preview
only sometimes, so a relation is also read off the graph: what a property was computed from.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from components.spec import Duration
from policies.reading.bags import ABSENT, UNKNOWN, entries, fetch, items, whole
from policies.reading.declared import IS_THERE, Properties
from policies.reading.draft import Subject
from policies.reading.functions import FUNCTION
from policies.reading.index import Index, Kind, by, scopes_of, sources
from policies.resources import Resource

LOG_GROUP: Final = "aws:cloudwatch/logGroup:LogGroup"
ALARM: Final = "aws:cloudwatch/metricAlarm:MetricAlarm"
BUDGET: Final = "aws:budgets/budget:Budget"

FUNCTIONS: Final = Kind((FUNCTION,), by("name", "arn"))
LOG_GROUPS: Final = Kind((LOG_GROUP,), by("name"))

READS: Final[Mapping[str, Properties]] = {
    FUNCTION: {
        "name": ("log_retention_days", "alarm"),
        "loggingConfig.logGroup": ("log_retention_days",),
    },
    LOG_GROUP: {"name": ("log_retention_days",), "retentionInDays": ("log_retention_days",)},
    ALARM: {"namespace": ("alarm",), "dimensions": ("alarm",), "metricQueries[].metric": ("alarm",)},
    BUDGET: {IS_THERE: ("budget",)},
}
SHOWN: Final = frozenset({"log_retention_days", "alarm", "budget"})

_FUNCTION_METRICS: Final = "AWS/Lambda"
_JUDGED_ALONE: Final[dict[str, Any]] = {"reserved_concurrency": 0, "timeout": Duration.of(1, "s")}
"""Bounds that a function states itself. Its own policy judges them; here they are taken to hold."""
_HELD: Final[dict[str, Any]] = {"log_retention_days": 1, "alarm": True, "budget": True}


@dataclass(frozen=True, slots=True)
class Related:
    """A resource, what it shows itself, and what it is seen to be with the rest of the stack."""

    resource: Resource
    own: Subject
    subject: Subject


def functions(resources: Iterable[Resource]) -> Iterator[Related]:
    """Every function with its log retention, its alarm and the stack's budget.

    A bound that its own tags say is missing is missing, whatever is beside it.
    """
    index = Index.of(resources)
    for function in index.of_types(FUNCTIONS.types):
        own = index.subject(function)
        if own is None:
            continue
        shown: dict[str, Any] = {
            "log_retention_days": _log_retention(function, index),
            "alarm": index.once(_Alarms).watch(function),
            "budget": scopes_of(function)[0] in index.once(_budgeted),
        }
        found = {name: value for name, value in shown.items() if not _is_broken(getattr(own.facts, name))}
        unknown = {name for name, value in found.items() if value is None}
        facts = replace(own.facts, **found)
        yield Related(function, own, Subject(facts, own.unread - found.keys() | unknown, own.placed))


def beside_own(related: Related) -> Subject:
    """A function by what only its stack shows: what it shows itself was refused already, before creation."""
    own, subject = related.own.facts, related.subject
    broken: dict[str, Any] = {name: value for name, value in _HELD.items() if _is_broken(getattr(own, name))}
    facts = replace(subject.facts, **_JUDGED_ALONE, **broken)
    return Subject(facts, subject.unread - _JUDGED_ALONE.keys(), subject.placed)


def _is_broken(bound: object) -> bool:
    return bound is not None and not bound


def _budgeted(index: Index) -> frozenset[str]:
    """The stacks that have a budget."""
    return frozenset(scopes_of(budget)[0] for budget in index.of_types((BUDGET,)))


# -- log groups


def _log_retention(function: Resource, index: Index) -> int | None:
    """Days that a function's logs are kept: 0 for ever, None when it cannot be told yet."""
    group = log_group(function, index)
    if isinstance(group, Resource):
        days = fetch(group.props, "retentionInDays")
        return 0 if days is ABSENT else whole(days)
    # Lambda makes the group that nobody made, and keeps it for ever.
    return None if group is UNKNOWN else 0


def log_group(function: Resource, among: Iterable[Resource]) -> Any:
    """The log group a function writes to, ABSENT if the stack has none, UNKNOWN if that cannot be told."""
    index = Index.of(among)
    linked = sources(function, "loggingConfig", LOG_GROUPS)
    if linked:
        return linked[0]
    name = _log_group_name(function)
    found = index.named(LOG_GROUPS, name, function)
    if isinstance(found, Resource):
        return found
    for group in _beside(function, index):
        # Made before the function, or named after it: its own while one of the two names is not known.
        if not (isinstance(name, str) and isinstance(fetch(group.props, "name"), str)):
            return group
    none_there = next(index.of_types(LOG_GROUPS.types), None) is None
    return UNKNOWN if name is UNKNOWN or (found is UNKNOWN and not none_there) else ABSENT


def _beside(function: Resource, index: Index) -> Iterator[Resource]:
    yield from (each for each in function.dependencies if each.resource_type == LOG_GROUP)
    yield from index.once(_groups_after).get(id(function), ())


def _groups_after(index: Index) -> dict[int, list[Resource]]:
    """The log groups that were made after a function, by the function."""
    found: dict[int, list[Resource]] = {}
    for group in index.of_types(LOG_GROUPS.types):
        for each in group.dependencies:
            if each.resource_type == FUNCTION:
                found.setdefault(id(each), []).append(group)
    return found


def _log_group_name(function: Resource) -> Any:
    named = fetch(function.props, "loggingConfig", "logGroup")
    if named is not ABSENT:
        return named
    name = fetch(function.props, "name")
    return f"/aws/lambda/{name}" if isinstance(name, str) else UNKNOWN


# -- alarms


@dataclass(slots=True)
class _Watched:
    """What the alarms of one stack watch, beside functions that they name."""

    everything: bool = False
    """One watches all functions together."""
    something: bool = False
    """One watches nobody knows what yet."""
    a_name: bool = False
    """One watches a function by a name."""


@dataclass(slots=True)
class _Alarms:
    """Which functions are watched by some alarm."""

    index: Index
    functions: set[int] = field(default_factory=set)
    stacks: dict[str, _Watched] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for alarm in self.index.of_types((ALARM,)):
            self._add(alarm)

    def watch(self, function: Resource) -> bool | None:
        """Whether an alarm watches a function; None when it cannot be told yet."""
        stack = self.stacks.get(scopes_of(function)[0], _Watched())
        if id(function) in self.functions or stack.everything:
            return True
        nameless = not isinstance(fetch(function.props, "name"), str)
        return None if stack.something or (nameless and stack.a_name) else False

    def _add(self, alarm: Resource) -> None:
        stack = self.stacks.setdefault(scopes_of(alarm)[0], _Watched())
        for where in ("dimensions", "metricQueries"):
            self.functions.update(map(id, sources(alarm, where, FUNCTIONS)))
        for metric, dimensions in _metrics(alarm):
            named = [value for key, value in entries(dimensions) if key == "FunctionName"]
            stack.something = stack.something or UNKNOWN in (metric, dimensions, *named)
            over_all = dimensions is ABSENT or (isinstance(dimensions, dict) and not dimensions)
            stack.everything = stack.everything or (over_all and metric == _FUNCTION_METRICS)
            for name in named:
                stack.a_name = stack.a_name or isinstance(name, str)
                function = self.index.named(FUNCTIONS, name, alarm)
                if isinstance(function, Resource):
                    self.functions.add(id(function))


def _metrics(alarm: Resource) -> Iterator[tuple[Any, Any]]:
    """The namespace and the dimensions of every metric that an alarm is on."""
    queries = fetch(alarm.props, "metricQueries")
    yield fetch(alarm.props, "namespace"), fetch(alarm.props, "dimensions")
    if queries is UNKNOWN:
        yield UNKNOWN, UNKNOWN
    for query in items(queries):
        metric = fetch(query, "metric")
        if metric is not ABSENT:  # else it is an expression over the others
            yield fetch(metric, "namespace"), fetch(metric, "dimensions")
