"""What the rules say of resources: of each by what it shows itself, and of some by what all show together."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from components.placement import Answer, Enforcement, Rule, Setting, Settings, Verdict
from policies.reading import callers, node_relations, pod_relations, pods, relations, task_relations
from policies.reading.bags import fetch
from policies.reading.draft import Subject
from policies.reading.index import Index
from policies.reading.subjects import read
from policies.resources import Resource


@dataclass(frozen=True, slots=True)
class Relation:
    """What several resources show together of those of some types."""

    types: frozenset[str]
    relate: Callable[[Iterable[Resource]], Iterator[relations.Related]]
    shows: frozenset[str]
    """Facts that it may add to what a resource shows alone."""
    told_of: frozenset[str] = frozenset()
    """Other types of which it tells what they lack, through those that it relates them to."""
    beside: Callable[[relations.Related], Subject] = lambda related: related.subject
    """The same where what a resource shows alone was judged before: what it broke then is not said twice."""

    def among(self, index: Index) -> tuple[relations.Related, ...]:
        """Those of an index, related once for all rules that ask."""
        return index.once(self._all)

    def _all(self, index: Index) -> tuple[relations.Related, ...]:
        return tuple(self.relate(index))

    def may_settle(self, resource_type: str, verdict: Verdict) -> bool:
        """Whether an undecided verdict on a resource of a type lacks what this may show."""
        return resource_type in self.types | self.told_of and not self.shows.isdisjoint(verdict.missing)


_FUNCTIONS: Final = frozenset(relations.FUNCTIONS.types)
_CALLED: Final = Relation(_FUNCTIONS, callers.functions_called, callers.SHOWN)
_TIED: Final = Relation(_FUNCTIONS, callers.functions_tied, frozenset({"ties"}))
_BOUNDED: Final = Relation(_FUNCTIONS, relations.functions, relations.SHOWN, beside=relations.beside_own)
_NODES: Final = Relation(
    node_relations.TYPES, node_relations.nodes, node_relations.SHOWN, told_of=node_relations.PARTS
)

_PODS: Final = Relation(pod_relations.TYPES, pod_relations.pods, pod_relations.SHOWN)
_TASKS: Final = Relation(task_relations.TYPES, task_relations.services, task_relations.SHOWN)

RELATIONS: Final[Mapping[str, tuple[Relation, ...]]] = {
    "accelerator-needs-metal": (_PODS, _TASKS),
    "long-execution": (_CALLED,),
    "cold-start-budget": (_CALLED, _PODS),
    "state-locality": (_PODS, _TASKS),
    "compliance-isolation": (_NODES, _PODS),
    "unattended-cluster": (_PODS,),
    "runaway-function": (_BOUNDED,),
    "vendor-lock-in": (_TIED,),
    "warm-before-tail": (_PODS,),
    "zone-capacity": (_NODES, _PODS),
}
"""Rules whose facts lie in several resources, and what relates them."""

_CALLED_IN_THE_CLOUD: Final = (
    ("name",),
    ("nodeGroupName",),
    ("metadata", "name"),
    ("metadata", "labels", "app.kubernetes.io/name"),
)


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
        settled = any(
            relation.may_settle(self.resource.resource_type, self.verdict)
            for relation in RELATIONS.get(self.rule.id, ())
        )
        return settled and set(self.verdict.missing).isdisjoint(self.subject.unread)

    @property
    def remedy(self) -> str:
        """What to do about it, in the words of whoever made the resource."""
        return self.rule.remedy_of(placed=self.subject.placed)

    @property
    def named(self) -> str:
        """What the verdict is about, by the name that its facts have for it, else the resource's own."""
        return self.subject.facts.subject or self.resource.name

    @property
    def names(self) -> tuple[str, ...]:
        """All that a waiver may know it by: what it serves, the pool that it is or is on, and its own names.

        A source has a name of its own for what it describes. The cloud's name is the same in all of them.
        """
        facts, props = self.subject.facts, self.resource.props
        names = (
            self.named,
            facts.workload,
            facts.pool,
            self.resource.name,
            *(fetch(props, *path) for path in _CALLED_IN_THE_CLOUD),
            *pods.pools_of(self.resource.resource_type, props),
        )
        return tuple(dict.fromkeys(name for name in names if isinstance(name, str) and name))

    def __str__(self) -> str:
        return f"{self.named}: {self.verdict.reason}."


def alone(settings: Iterable[Setting], resource: Resource) -> Iterator[Judged]:
    """What these rules say of a resource by what it shows itself; nothing of a type that no rule reads."""
    subject = read(resource.resource_type, resource.props)
    if subject is not None:
        for setting in settings:
            verdict = _by_itself(setting, resource.resource_type, subject)
            yield Judged(setting.rule, resource, subject, verdict)


def _by_itself(setting: Setting, resource_type: str, subject: Subject) -> Verdict:
    """A verdict on what is shown alone, which refuses nothing for what others may show to be otherwise."""
    verdict = setting.judge(subject.facts)
    if verdict.answer is not Answer.REFUSED or not subject.assumed:
        return verdict
    relations_of_it = (each for each in RELATIONS.get(setting.rule.id, ()) if resource_type in each.types)
    unsure = [name for relation in relations_of_it for name in subject.assumed & relation.shows]
    return setting.judge(replace(subject.facts, **dict.fromkeys(unsure))) if unsure else verdict


def together(setting: Setting, resources: Iterable[Resource]) -> Iterator[Judged]:
    """What a rule of RELATIONS says of each resource by what all show, where it is more than of it alone."""
    if setting.enforcement is Enforcement.DISABLED:
        return
    index = Index.of(resources)
    for relation in RELATIONS[setting.rule.id]:
        for related in relation.among(index):
            subject = relation.beside(related)
            verdict = setting.judge(subject.facts)
            if not _is_repeated(setting, relation, related, verdict):
                yield Judged(setting.rule, related.resource, subject, verdict)


def everything(settings: Settings, resources: Iterable[Resource]) -> Iterator[Judged]:
    """Every verdict on resources that are all there is: what one does not show, the others were asked for."""
    index = Index.of(resources)
    enforced = settings.enforced
    by_type: dict[str, tuple[Setting, ...]] = {}
    for resource in index:
        subject = index.subject(resource)
        if subject is None:
            continue
        kind = resource.resource_type
        if kind not in by_type:
            by_type[kind] = tuple(setting for setting in enforced if not _needs_others(setting.rule, kind))
        for setting in by_type[kind]:
            judged = Judged(setting.rule, resource, subject, setting.judge(subject.facts))
            if not (judged.open and judged.waits_for_stack):
                yield judged
    for setting in enforced:
        for relation in RELATIONS.get(setting.rule.id, ()):
            for related in relation.among(index):
                verdict = setting.judge(related.subject.facts)
                yield Judged(setting.rule, related.resource, related.subject, verdict)


def _needs_others(rule: Rule, resource_type: str) -> bool:
    """Whether a rule judges resources of a type by what all show, and not by what each shows alone."""
    return any(resource_type in relation.types for relation in RELATIONS.get(rule.id, ()))


def _is_repeated(setting: Setting, relation: Relation, related: relations.Related, verdict: Verdict) -> bool:
    """Whether it was said of the resource alone."""
    own = _by_itself(setting, related.resource.resource_type, related.own)
    if own.answer is Answer.UNDECIDED and relation.may_settle(related.resource.resource_type, own):
        return False
    return own.answer is not Answer.FITS and own.reason == verdict.reason
