"""Judges what the engine asks about, once for all policies, and keeps account of it.

A policy only picks what is its to report. A waiver takes a breach from the policy of its rule and gives it to
the one that lists what is waived. And where judging itself fails, which is a fault of ours, that one resource
is undecided for that rule: nothing that judges the others may stop for it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from pulumi_policy import ResourceValidationArgs, StackValidationArgs

from components.placement import RULES, Setting, Settings, Waived
from policies.judging import RELATIONS, Judged, alone, together
from policies.pack.bags import after_creation, before_creation
from policies.pack.configured import Rules
from policies.pack.wire import asked
from policies.reading.index import Index
from policies.resources import Resource

_MANY: Final = 20
"""Faults of one rule."""


@dataclass(frozen=True, slots=True)
class Found:
    """A verdict, and the waiver of it if there is one."""

    judged: Judged
    waived: Waived | None = None

    @property
    def is_let_be(self) -> bool:
        """Whether a waiver takes its force."""
        return self.waived is not None and not self.waived.expired

    def __str__(self) -> str:
        note = f" ({self.waived})" if self.waived is not None else ""
        return f"{self.judged.named}: {self.judged.verdict.reason}{note}."


@dataclass(frozen=True, slots=True)
class Fault:
    """A resource that could not be judged because judging failed."""

    rules: tuple[str, ...]
    resource: Resource
    error: str
    """The type of it alone: what else it says may hold a value of the resource."""

    def __str__(self) -> str:
        return (
            f"{self.resource.name}: cannot be decided, for judging it failed with {self.error}, which is a"
            " fault of halfmetal's own; please report it."
        )


@dataclass(frozen=True, slots=True)
class Findings:
    """What one request comes to."""

    by_rule: Mapping[str, Sequence[Found]]
    faults: Sequence[Fault] = ()

    def __iter__(self) -> Iterator[Found]:
        for found in self.by_rule.values():
            yield from found

    def of(self, rule: str) -> Iterable[Found]:
        """What one rule says."""
        return self.by_rule.get(rule, ())


class Judge:
    """Judges resources by the rules as they are run, and sums up what it found."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._account = _Account()

    def begin(self) -> None:
        """Keep account of another run."""
        self._account = _Account()

    def alone(self, args: ResourceValidationArgs, settings: Settings) -> Findings:
        """What every rule says of a resource by what it shows itself."""
        request = asked()
        if request is None:
            return self._alone(settings, before_creation(args))
        return request.once(id(settings), lambda: self._alone(settings, request.resources[0]))

    def together(self, args: StackValidationArgs) -> Findings:
        """What the rules of relations say of a stack."""
        request, settings = asked(), self._rules.settings()
        if request is None:
            return self._together(settings, after_creation(args.resources))
        return request.once(id(settings), lambda: self._together(settings, request.resources))

    def summed_up(self, args: StackValidationArgs) -> Iterator[str]:
        """One line on the rules, and one on each waiver."""
        request = asked()
        count = len(request.resources if request is not None else args.resources)
        yield self._account.line(len(self._rules.settings().enforced), count)
        for waiver, use in self._rules.said.waivers.uses(self._account.waived):
            yield (
                f"halfmetal: waiver of {waiver.rule} for {waiver.subject} by {waiver.owner} until"
                f" {waiver.expires}: {use}"
            )

    def is_let_be(self, judged: Judged) -> bool:
        """Whether a breach of the rule by this resource is waived, or would be."""
        return Found(judged, self._rules.said.waivers.of(judged.rule.id, *judged.names)).is_let_be

    def _waiver(self, judged: Judged) -> Waived | None:
        """The waiver of a verdict, if there is one."""
        waivers = self._rules.said.waivers
        if not waivers.waivers or not (judged.refused or judged.advised_against):
            return None
        return waivers.of(judged.rule.id, *judged.names)

    def _alone(self, settings: Settings, resource: Resource) -> Findings:
        try:
            return self._noted(list(alone(settings.enforced, resource)))
        except Exception:  # noqa: BLE001 - whatever it is: which rule it is of is found out there
            return self._noted(*_each_by_itself(settings.enforced, resource))

    def _together(self, settings: Settings, resources: Sequence[Resource]) -> Findings:
        index = Index(resources)
        every: list[Judged] = []
        faults: list[Fault] = []
        for rule in RELATIONS:
            try:
                every += together(settings.by_id[rule], index)
            except Exception:  # noqa: BLE001 - whatever it is: which resource it is of is found out there
                judged, failed = _in_parts(settings.by_id[rule], resources)
                every += judged
                faults += failed
        return self._noted(every, faults)

    def _noted(self, judged: Iterable[Judged], faults: Sequence[Fault] = ()) -> Findings:
        by_rule: dict[str, list[Found]] = {}
        for each in judged:
            found = Found(each, self._waiver(each))
            by_rule.setdefault(each.rule.id, []).append(found)
            self._account.add(found)
        return Findings(by_rule, faults)


@dataclass(slots=True)
class _Account:
    """What was found in one preview or update.

    The engine judges every resource before the stack, in one process. Judging all of them again at the end
    would see less: of a resource in a cluster that does not exist yet, a preview has inputs but no outputs.
    """

    judged: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)
    let_be: set[str] = field(default_factory=set)
    waived: list[Waived] = field(default_factory=list)

    def add(self, found: Found) -> None:
        self.judged.add(found.judged.resource.urn)
        if found.waived is not None:
            self.waived.append(found.waived)
        if found.judged.refused:
            (self.let_be if found.is_let_be else self.broken).add(found.judged.rule.id)

    def line(self, running: int, resources: int) -> str:
        """How many rules judged how many resources, and which of them were broken."""
        kinds = (("broken", self.broken), ("waived", self.let_be))
        named = [(kind, [rule for rule in RULES if rule in rules]) for kind, rules in kinds]
        said = "; ".join(f"{kind}: {', '.join(rules)}" for kind, rules in named if rules) or "all kept"
        return f"halfmetal: {running} placement rules on {len(self.judged)} of {resources} resources: {said}"


# -- where judging fails


def _each_by_itself(settings: Iterable[Setting], resource: Resource) -> tuple[list[Judged], list[Fault]]:
    """The verdicts that there are, and the rules that there are none of, by what kept them."""
    judged: list[Judged] = []
    failed: dict[str, list[str]] = {}
    for setting in settings:
        try:
            judged += alone([setting], resource)
        except Exception as error:  # noqa: BLE001 - it is reported for what it is: a fault of ours
            failed.setdefault(type(error).__name__, []).append(setting.rule.id)
    return judged, [Fault(tuple(rules), resource, error) for error, rules in failed.items()]


def _in_parts(setting: Setting, resources: Sequence[Resource]) -> tuple[list[Judged], list[Fault]]:
    """The verdicts of a rule of relations on all but those that cannot be judged, which halving finds.

    Where there are many, what keeps them is common to all, and the rest is not tried one by one.
    """
    types = {kind for relation in RELATIONS[setting.rule.id] for kind in relation.types}
    others = [resource for resource in resources if resource.resource_type not in types]
    judged: list[Judged] = []
    faults: list[Fault] = []
    waiting = [[resource for resource in resources if resource.resource_type in types]]
    while waiting:
        part = waiting.pop()
        try:
            judged += together(setting, Index([*others, *part]))
        except Exception as error:  # noqa: BLE001 - it is reported for what it is: a fault of ours
            if len(part) == 1 or len(faults) >= _MANY:
                faults += (Fault((setting.rule.id,), each, type(error).__name__) for each in part)
            else:
                middle = len(part) // 2
                waiting += [part[middle:], part[:middle]]
    return judged, faults
