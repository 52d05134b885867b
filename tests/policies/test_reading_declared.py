"""What is declared to be read is what is read: no property more, and none less."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import pytest
import related_examples
from reading_examples import BESIDE, EXAMPLES, GONE, OTHERS, changed

from components.placement import Facts
from policies.judging import RELATIONS
from policies.reading import callers, node_relations, pod_relations, task_relations
from policies.reading import relations as function_relations
from policies.reading.bags import UNKNOWN
from policies.reading.declared import CARRIED
from policies.reading.index import Index
from policies.reading.pods import WORKLOADS
from policies.reading.subjects import READERS, READS, read
from policies.resources import Resource

ALL_READS = [
    module.READS for module in (function_relations, callers, node_relations, pod_relations, task_relations)
]
ONE_OF_EACH = {id(reads): kind for kind, reads in READS.items()}
"""A type for everything that is read alike: versions of an API are."""
NAMES = [field.name for field in fields(Facts)]


def _read(resource_type: str, bag: Any) -> dict[str, Any]:
    subject = read(resource_type, bag)
    assert subject is not None
    return {name: UNKNOWN if name in subject.unread else getattr(subject.facts, name) for name in NAMES}


def _others(path: str) -> list[Any]:
    known = next((values for end, values in OTHERS.items() if path == end or path.endswith(f".{end}")), [])
    return [GONE, UNKNOWN, *known]


def test_every_type_that_is_read_says_what_is_read_of_it():
    assert READS.keys() == READERS.keys() == EXAMPLES.keys()


@pytest.mark.parametrize(
    ("resource_type", "path"),
    [(kind, path) for kind in ONE_OF_EACH.values() for path in READS[kind]],
)
def test_a_property_changes_the_facts_that_it_is_said_to(resource_type: str, path: str):
    example = EXAMPLES[resource_type]
    for beside, value in BESIDE.get((resource_type, path), {}).items():
        example = changed(example, beside, value)
    seen = [_read(resource_type, changed(example, path, value)) for value in _others(path)]
    found = {name for name in NAMES for each in seen if each[name] != seen[0][name]}
    found |= {name for name in NAMES for each in seen if each[name] != _read(resource_type, example)[name]}
    declared = set(READS[resource_type][path])
    if declared == set(CARRIED):
        assert found
    else:
        assert found == declared


class _Watched:
    """Part of a bag that notes which properties are looked at."""

    def __init__(self, value: Any, path: str, seen: set[str]) -> None:
        self.value = value
        self.path = path
        self.seen = seen

    def _at(self, key: Any) -> Any:
        path = f"{self.path}[]" if isinstance(key, int) else f"{self.path}.{key}".removeprefix(".")
        self.seen.add(path)
        value = self.value[key]
        kind = {dict: _Mapping, list: _List}.get(type(value))
        return value if kind is None else kind(value, path, self.seen)

    def __len__(self) -> int:
        return len(self.value)


class _Mapping(_Watched, Mapping[str, Any]):
    def __getitem__(self, key: str) -> Any:
        return self._at(key)

    def __iter__(self) -> Iterator[str]:
        return iter(self.value)


class _List(_Watched, Sequence[Any]):
    def __getitem__(self, index: Any) -> Any:
        return self._at(index)


@pytest.mark.parametrize("resource_type", ONE_OF_EACH.values())
def test_nothing_else_is_read(resource_type: str):
    seen: set[str] = set()
    read(resource_type, _Mapping(EXAMPLES[resource_type], "", seen))
    declared = READS[resource_type].keys()
    assert seen
    undeclared = {
        path
        for path in seen
        if not any(path.startswith(known) or known.startswith(path) for known in declared)
    }
    assert undeclared == set()


# -- what several resources show together

RELATED = {
    kind: {
        path: tuple({fact for reads in ALL_READS for fact in reads.get(kind, {}).get(path, ())})
        for reads in ALL_READS
        for path in reads.get(kind, {})
    }
    for kind in {kind for reads in ALL_READS for kind in reads}
}


def _together(resources: list[Resource]) -> dict[tuple[str, str], Any]:
    index = Index(resources)
    found: dict[tuple[str, str], Any] = {}
    for relations in RELATIONS.values():
        for relation in relations:
            for related in relation.relate(index):
                for name in relation.shows:
                    found[related.resource.urn, name] = getattr(related.subject.facts, name)
    return found


def _changes(resources: list[Resource], place: int, path: str) -> set[str]:
    before = _together(resources)
    seen: set[str] = set()
    one = resources[place]
    values = [GONE, UNKNOWN, *related_examples.OTHERS.get(path, [])]
    others = [
        [
            *resources[:place],
            replace(one, props=changed(one.props, path, value)),
            *resources[place + 1 :],
        ]
        for value in values
    ]
    for each in others:
        after = _together(each)
        seen |= {name for (urn, name), value in before.items() if after.get((urn, name), value) != value}
    return seen


SHOWN_IN_SETS = sorted(
    {
        (one.resource_type, path)
        for resources in related_examples.SETS.values()
        for one in resources
        for path in RELATED.get(one.resource_type, {})
    }
)


def test_everything_that_relates_is_in_a_set():
    """Versions of an API, and what makes pods alike, are read alike: one of them will do."""
    shown = {kind for kind, _ in SHOWN_IN_SETS}
    alike = {id(reads[kind]) for reads in ALL_READS for kind in shown & reads.keys()}
    left = {kind for reads in ALL_READS for kind in reads if id(reads[kind]) not in alike}
    assert left <= set(WORKLOADS)


@pytest.mark.slow
@pytest.mark.parametrize(("resource_type", "path"), SHOWN_IN_SETS)
def test_a_property_changes_what_is_shown_together(resource_type: str, path: str):
    found: set[str] = set()
    for resources in related_examples.SETS.values():
        for place, one in enumerate(resources):
            if one.resource_type == resource_type:
                found |= _changes(resources, place, path)
    # Pods that are held to nodes have what those have.
    own = {*READS.get(resource_type, {}).get(path, ()), *node_relations.FOR_PODS}
    assert set(RELATED[resource_type][path]) <= found <= set(RELATED[resource_type][path]) | own


def test_nothing_else_is_looked_at_together():
    seen: dict[str, set[str]] = {}
    for resources in related_examples.SETS.values():
        watched = [
            replace(one, props=_Mapping(one.props, "", seen.setdefault(one.resource_type, set())))
            for one in resources
        ]
        _together(watched)
    for resource_type, paths in seen.items():
        declared = {*RELATED.get(resource_type, {}), *READS.get(resource_type, {})}
        undeclared = {
            path
            for path in paths
            if not any(path.startswith(known) or known.startswith(path) for known in declared if known)
        }
        assert undeclared == set(), resource_type
