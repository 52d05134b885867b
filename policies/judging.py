"""What the rules say of resources: of each by what it shows itself, and of some by what all show together."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from components.placement import Answer, Enforcement, Rule, Setting, Settings, Verdict
from policies.reading import relations, ties
from policies.reading.draft import Subject
from policies.reading.subjects import read
from policies.resources import Resource

RELATIONS: Final[Mapping[str, Callable[[Iterable[Resource]], Iterator[relations.Related]]]] = {
    "compliance-isolation": relations.node_groups,
    "runaway-function": relations.functions,
    "vendor-lock-in": ties.functions,
    "zone-capacity": relations.node_groups,
}
"""Rules whose facts lie in several resources, and what relates them."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict on a resource."""

    rule: Rule
    resource: Resource
    subject: Subject
    verdict: Verdict

    @property
    def refused(self) -> bool:
        """Whether it breaks the rule."""
        return self.verdict.answer is Answer.REFUSED and not self.verdict.soft

    @property
    def advised_against(self) -> bool:
        """Whether it would be better off otherwise."""
        return self.verdict.answer is Answer.REFUSED and self.verdict.soft

    @property
    def open(self) -> bool:
        """Whether it is undecided and worth saying so."""
        return self.subject.concerns(self.verdict)

    @property
    def waits_for_stack(self) -> bool:
        """Whether it is open for want of facts that the stack as a whole will show."""
        return self.rule.id in RELATIONS and set(self.verdict.missing).isdisjoint(self.subject.unread)

    @property
    def named(self) -> str:
        """What the verdict is about, by the name that its facts have for it, else the resource's own."""
        return self.subject.facts.subject or self.resource.name

    def __str__(self) -> str:
        return f"{self.named}: {self.verdict.reason}."


def alone(settings: Iterable[Setting], resource: Resource) -> Iterator[Judged]:
    """What these rules say of a resource by what it shows itself; nothing of a type that no rule reads."""
    subject = read(resource.resource_type, resource.props)
    if subject is not None:
        for setting in settings:
            yield Judged(setting.rule, resource, subject, setting.judge(subject.facts))


def together(setting: Setting, resources: Iterable[Resource]) -> Iterator[Judged]:
    """What a rule of RELATIONS says of each resource by what all show, where it is more than of it alone."""
    if setting.enforcement is Enforcement.DISABLED:
        return
    for related in RELATIONS[setting.rule.id](resources):
        own = setting.judge(related.own.facts)
        verdict = setting.judge(related.subject.facts)
        if own.answer is not Answer.REFUSED or own.reason != verdict.reason:
            yield Judged(setting.rule, related.resource, related.subject, verdict)


def everything(settings: Settings, resources: Iterable[Resource]) -> Iterator[Judged]:
    """Every verdict on resources that are all there is: what one does not show, the others were asked for."""
    known = list(resources)
    for resource in known:
        for judged in alone(settings.enforced, resource):
            if not (judged.open and judged.waits_for_stack):
                yield judged
    for rule in RELATIONS:
        yield from together(settings.by_id[rule], known)
