"""The change to a stack file that puts workloads where they belong, and what was measured beside them.

The file is edited in its text, read back and decided again. Where it then could not be deployed, workloads
are changed one by one, and the one that stands against it is left as it is and named.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from components.catalog import Catalog
from components.observed.judging import Judged, Judgement, Standing
from components.placement import decide
from components.placement.homes import Home
from components.spec import Stack, StackError, load
from components.spec.editing import NotEditableError, edited
from components.spec.source import PROJECT
from components.spec.workload import REPLICAS
from components.spec.yaml_source import read as read_yaml
from components.traffic.findings import Finding

Changes: TypeAlias = dict[str, object | None]
"""What is to be written under a key; None is a key to remove."""

_ROOT: Final = ("config", f"{PROJECT}:stack")
_OF_PODS: Final = ("pool", "replicas", "max_concurrency", "twin")


@dataclass(frozen=True, slots=True)
class Edited:
    """A stack file's text with the change, the stack that it then is, and what could not be changed."""

    text: str
    stack: Stack
    findings: tuple[Finding, ...] = ()


def edit(text: str, judgement: Judgement, catalog: Catalog | None = None) -> Edited:
    """The stack file's text with everything that was found. A second time it changes nothing."""
    writer = _Writer(text, judgement, catalog)
    measured = [judged for judged in judgement.judged if not judged.measured.is_empty]
    try:
        return writer.with_all(measured)
    except (NotEditableError, StackError):
        return writer.one_by_one(measured)


@dataclass
class _Writer:
    text: str
    judgement: Judgement
    catalog: Catalog | None

    def with_all(self, judged: Iterable[Judged]) -> Edited:
        """All changes at once; raises NotEditableError or StackError."""
        changes = {each.name: (each.figures, dict(_placement(each))) for each in judged}
        text = self._applied(
            self.text, {name: {"traffic": traffic} for name, (traffic, _) in changes.items()}
        )
        moved = {name: placement for name, (_, placement) in changes.items() if placement}
        if any(self._is_open(name) for name in moved):
            homes = self._homes(text)
            moved = {
                name: placement
                for name, placement in moved.items()
                if not self._is_open(name) or homes.get(name) != placement["home"]
            }
        text = self._applied(text, {name: {"placement": placement} for name, placement in moved.items()})
        stack = _stack(text)
        decide(stack, self.catalog)
        return Edited(text, stack)

    def one_by_one(self, judged: Iterable[Judged]) -> Edited:
        """The changes that can be made, and why the others cannot."""
        made, findings = Edited(self.text, self.judgement.stack), []
        for each in judged:
            try:
                made = self.with_all([each])
                self.text = made.text
            except (NotEditableError, StackError) as error:
                findings.append(self._not_made(each, error))
        return Edited(made.text, made.stack, tuple(findings))

    def _applied(self, text: str, blocks: Mapping[str, Mapping[str, Changes]]) -> str:
        for index, workload in enumerate(self.judgement.stack.workloads):
            for key, changes in blocks.get(workload.name, {}).items():
                if changes:
                    text = edited(text, (*_ROOT, "workloads", index, key), changes)
        return text

    def _is_open(self, name: str) -> bool:
        """Whether the stack file leaves the home to be decided."""
        return next(
            workload.placement.home is None
            for workload in self.judgement.stack.workloads
            if workload.name == name
        )

    def _homes(self, text: str) -> Mapping[str, Home]:
        """Where workloads go with the measured traffic alone, as far as that can be decided."""
        try:
            placements = decide(_stack(text), self.catalog)
        except StackError:
            return {}
        return {name: placement.home for name, placement in placements.by_name.items()}

    def _not_made(self, judged: Judged, error: NotEditableError | StackError) -> Finding:
        traffic, placement = judged.figures, dict(_placement(judged))
        wanted = "; ".join(
            f"{key}:"
            f" {{{', '.join(f'{name}: {value}' for name, value in changes.items() if value is not None)}}}"
            for key, changes in (("traffic", traffic), ("placement", placement))
            if changes
        )
        if isinstance(error, NotEditableError):
            return Finding(f"{judged.name} cannot be edited in place: {error}", f"write it by hand: {wanted}")
        problem = error.problems[0]
        return Finding(
            f"{judged.name} is left as it is, as with {wanted} the stack could not be deployed:"
            f" {problem.path} {problem.message}",
            problem.remedy,
        )


def _braces(changes: Changes) -> str:
    return f"{{{', '.join(f'{key}: {value}' for key, value in changes.items() if value is not None)}}}"


def _placement(judged: Judged) -> Iterator[tuple[str, object | None]]:
    """What is to be written under `placement`."""
    replicas = judged.presumed.replicas
    if judged.standing is not Standing.MOVES or judged.lacks or judged.better is None:
        if judged.presumed.overloaded and replicas is not None:
            yield "replicas", replicas
        return
    yield "home", judged.better.home.value
    if judged.better_pool is None:
        yield from ((key, None) for key in _OF_PODS)
        return
    yield "pool", judged.better_pool
    if replicas is not None and replicas > (judged.workload.placement.replicas or REPLICAS):
        yield "replicas", replicas


def _stack(text: str) -> Stack:
    return load(read_yaml(text).value[_ROOT[0]][_ROOT[1]])
