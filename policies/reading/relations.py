"""What a function is with the rest of its stack: its log group, its alarm, the stack's budget.

They are resources of their own, and none of them is a property of the function. Names are known at preview
only sometimes, so a relation is also read off the graph: what a property was computed from.

An alarm or a budget that tells nobody bounds nothing, and is as if it were not there. A template or the state
of Terraform is often a part of what is deployed, and a budget usually stands in one that is the account's: so
where none is among all that was read, nobody can tell whether there is one.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from components.spec import Duration
from policies.reading.bags import ABSENT, UNKNOWN, entries, fetch, items, whole
from policies.reading.declared import Properties
from policies.reading.draft import Subject
from policies.reading.functions import FUNCTION
from policies.reading.index import Index, Kind, by, is_of_whole_stack, sources, stack_of
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
    ALARM: {
        "namespace": ("alarm",),
        "dimensions": ("alarm",),
        "metricQueries[].metric": ("alarm",),
        "actionsEnabled": ("alarm",),
        "alarmActions": ("alarm",),
    },
    BUDGET: {
        "limitAmount": ("budget",),
        "plannedLimits": ("budget",),
        "autoAdjustData": ("budget",),
        "notifications": ("budget",),
    },
}
SHOWN: Final = frozenset({"log_retention_days", "alarm", "budget"})

_LIMITS: Final = ("limitAmount", "plannedLimits", "autoAdjustData")
_TOLD: Final = ("subscriberEmailAddresses", "subscriberSnsTopicArns", "subscribers")
"""Lists of who is told; the last has all kinds, and is CloudFormation's alone."""
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
            "budget": _budget(function, index),
        }
        found = {name: value for name, value in shown.items() if not _is_broken(getattr(own.facts, name))}
        unknown = {name for name, value in found.items() if value is None}
        if stack_of(function) not in index.once(_budgeted):
            unknown.discard("budget")  # nothing states it, so that it is no news
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


# -- budgets


def _budget(function: Resource, index: Index) -> bool | None:
    """Whether there is a budget for a function's stack; None when it cannot be told."""
    nobody_knows = None if not is_of_whole_stack(function) else False
    return index.once(_budgeted).get(stack_of(function), nobody_knows)


def _budgeted(index: Index) -> dict[str, bool | None]:
    """Whether the budgets of a stack that has some hold, each stack by its best."""
    found: dict[str, bool | None] = {}
    for budget in index.of_types((BUDGET,)):
        stack = stack_of(budget)
        found[stack] = _any((found.get(stack, False), _is_heard_of(budget)))
    return found


def _is_heard_of(budget: Resource) -> bool | None:
    """Whether a budget has a limit, and tells somebody; None when it cannot be told yet."""
    limit = _any(_is_stated(fetch(budget.props, name)) for name in _LIMITS)
    notifications = fetch(budget.props, "notifications")
    told = _any(
        _is_stated(fetch(notification, name)) for notification in items(notifications) for name in _TOLD
    )
    told = None if notifications is UNKNOWN else told
    return _all((limit, told))


def _is_stated(value: Any) -> bool | None:
    """Whether there is something; None when it cannot be told yet."""
    return None if value is UNKNOWN else value is not ABSENT and value not in (None, "", [], {})


def _all(answers: Iterable[bool | None]) -> bool | None:
    """Whether all are so; None when it cannot be told yet."""
    given = set(answers)
    return False if False in given else None if None in given else True


def _any(answers: Iterable[bool | None]) -> bool | None:
    """Whether one is so; None when it cannot be told yet."""
    given = set(answers)
    return True if True in given else None if None in given else False


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
    if next(index.of_types(LOG_GROUPS.types), None) is None:
        # None can be its own, whatever it is called: unless it names one, which may be made elsewhere.
        return UNKNOWN if name is UNKNOWN and _names_a_group(function) else ABSENT
    return UNKNOWN if name is UNKNOWN or found is UNKNOWN else ABSENT


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


def _names_a_group(function: Resource) -> bool:
    return fetch(function.props, "loggingConfig", "logGroup") is not ABSENT


def _log_group_name(function: Resource) -> Any:
    if _names_a_group(function):
        return fetch(function.props, "loggingConfig", "logGroup")
    name = fetch(function.props, "name")
    return f"/aws/lambda/{name}" if isinstance(name, str) else UNKNOWN


# -- alarms


@dataclass(slots=True)
class _Watched:
    """What the alarms of one stack watch, beside functions that they name."""

    everything: bool | None = False
    """One watches all functions together; None when it cannot be told whether it does."""
    something: bool = False
    """One watches nobody knows what yet."""
    a_name: bool = False
    """One watches a function by a name."""


@dataclass(slots=True)
class _Alarms:
    """Which functions are watched by some alarm that tells somebody."""

    index: Index
    functions: dict[int, bool | None] = field(default_factory=dict)
    """Functions that some alarm names; None where nobody can tell what it is on, or whom it tells."""
    stacks: dict[str, _Watched] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for alarm in self.index.of_types((ALARM,)):
            self._add(alarm)

    def watch(self, function: Resource) -> bool | None:
        """Whether an alarm watches a function; None when it cannot be told yet."""
        stack = self.stacks.get(stack_of(function), _Watched())
        watched = _any((self.functions.get(id(function), False), stack.everything))
        nameless = not isinstance(fetch(function.props, "name"), str)
        return None if not watched and (stack.something or (nameless and stack.a_name)) else watched

    def _add(self, alarm: Resource) -> None:
        told = _is_told(alarm)
        stack = self.stacks.setdefault(stack_of(alarm), _Watched())
        for where, namespace, dimensions in _metrics(alarm):
            holds = _all((told, None if namespace is UNKNOWN else namespace == _FUNCTION_METRICS))
            if holds is False:
                continue
            named = [value for key, value in entries(dimensions) if key == "FunctionName"]
            stack.something = stack.something or UNKNOWN in (dimensions, *named)
            if dimensions is ABSENT or (isinstance(dimensions, dict) and not dimensions):
                stack.everything = _any((stack.everything, holds))
            for name in named:
                stack.a_name = stack.a_name or isinstance(name, str)
            called = [self.index.named(FUNCTIONS, name, alarm) for name in named]
            for function in (*called, *sources(alarm, where, FUNCTIONS)):
                if isinstance(function, Resource):
                    key = id(function)
                    self.functions[key] = _any((self.functions.get(key, False), holds))


def _is_told(alarm: Resource) -> bool | None:
    """Whether somebody hears of an alarm; None when it cannot be told yet."""
    enabled = fetch(alarm.props, "actionsEnabled")
    on = None if enabled is UNKNOWN else enabled not in (False, "false")
    return _all((on, _is_stated(fetch(alarm.props, "alarmActions"))))


def _metrics(alarm: Resource) -> Iterator[tuple[str, Any, Any]]:
    """Of every metric that an alarm is on, the property it is in, its namespace and its dimensions."""
    queries = fetch(alarm.props, "metricQueries")
    yield "dimensions", fetch(alarm.props, "namespace"), fetch(alarm.props, "dimensions")
    if queries is UNKNOWN:
        yield "metricQueries", UNKNOWN, UNKNOWN
    for query in items(queries):
        metric = fetch(query, "metric")
        if metric is not ABSENT:  # else it is an expression over the others
            yield "metricQueries", fetch(metric, "namespace"), fetch(metric, "dimensions")
