"""A set of resources, found by type and by name, so that relating them takes no longer than reading them.

What relates two resources is the graph, where there is one: what a property was computed from. Else it is a
name, an id or an ARN. A name means something only where it stands: two stacks may each have a function
`embed`, two clusters a queue `gpu`. So it is looked for from where it was written outwards: in the stack, or
in the file, in its folder and in the folders around it, and at last everywhere. The first of these that has
such a name decides: if it has one resource of the name it is that one, and if it has several nobody can tell.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, TypeVar

from policies.reading.bags import ABSENT, UNKNOWN, Lack, fetch
from policies.reading.draft import Subject
from policies.reading.subjects import read
from policies.resources import Resource

T = TypeVar("T")

_EVERYWHERE: Final = ""
_PULUMI: Final = "urn:pulumi:"


def by(*properties: str) -> Callable[[Resource], tuple[Any, ...]]:
    """Names a resource goes by, each in a property of its own."""

    def identifiers(resource: Resource) -> tuple[Any, ...]:
        return tuple(fetch(resource.props, name) for name in properties)

    return identifiers


def in_namespace(resource: Resource) -> tuple[Any, ...]:
    """The name of a Kubernetes object, which means it in its namespace."""
    namespace, name = namespace_of(resource), fetch(resource.props, "metadata", "name")
    known = isinstance(namespace, str) and isinstance(name, str)
    return (f"{namespace}/{name}" if known else UNKNOWN if UNKNOWN in (namespace, name) else ABSENT,)


def in_cluster(resource: Resource) -> tuple[Any, ...]:
    """The name of a Kubernetes object that is in no namespace."""
    return (fetch(resource.props, "metadata", "name"),)


def namespace_of(resource: Resource) -> Any:
    """The namespace of a Kubernetes object, `default` where it states none."""
    namespace = fetch(resource.props, "metadata", "namespace")
    return "default" if namespace is ABSENT else namespace


@dataclass(frozen=True, slots=True)
class Kind:
    """Resources that a name may mean: of which types, and what they go by (the first is their own name)."""

    types: tuple[str, ...]
    identifiers: Callable[[Resource], tuple[Any, ...]]


@dataclass(slots=True)
class _Names:
    """Resources of one kind by scope and name."""

    found: dict[tuple[str, str], list[Resource]] = field(default_factory=dict)
    nameless: set[str] = field(default_factory=set)
    """Scopes with a resource whose name is not known: a name that is not found there may be its."""

    def add(self, resource: Resource, identifiers: Iterable[Any]) -> None:
        scopes = scopes_of(resource)
        own, *others = identifiers
        if not isinstance(own, str):
            self.nameless.update(scopes[:-1] or scopes)
        for text in {each for each in (own, *others) if isinstance(each, str)}:
            for scope in scopes:
                self.found.setdefault((scope, text), []).append(resource)

    def nearest(self, text: str, asker: Resource) -> Any:
        """The resources of a name in the nearest scope that has any; UNKNOWN where that cannot be told."""
        for scope in scopes_of(asker):
            found = self.found.get((scope, text))
            if found is not None:
                return found
            if scope in self.nameless:
                return UNKNOWN
        return ABSENT


class Index:
    """A set of resources. What is asked of it is worked out once."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self.resources: Final = tuple(resources)
        self._by_type: dict[str, list[Resource]] = {}
        for resource in self.resources:
            self._by_type.setdefault(resource.resource_type, []).append(resource)
        self._subjects: dict[int, Subject | None] = {}
        self._names: dict[Kind, _Names] = {}
        self._made: dict[Callable[[Index], Any], Any] = {}

    @classmethod
    def of(cls, resources: Iterable[Resource]) -> "Index":
        """An index of these; themselves if they are one."""
        return resources if isinstance(resources, Index) else cls(resources)

    def __iter__(self) -> Iterator[Resource]:
        return iter(self.resources)

    def of_types(self, types: Iterable[str]) -> Iterator[Resource]:
        """Every resource of these types."""
        for each in types:
            yield from self._by_type.get(each, ())

    def subject(self, resource: Resource) -> Subject | None:
        """What a resource shows itself; None if no rule reads resources of its type."""
        key = id(resource)
        if key not in self._subjects:
            self._subjects[key] = read(resource.resource_type, resource.props)
        return self._subjects[key]

    def once(self, make: "Callable[[Index], T]") -> T:
        """What a function makes of the whole set, made the first time it is asked for."""
        if make not in self._made:
            self._made[make] = make(self)
        made: T = self._made[make]
        return made

    def named(self, kind: Kind, text: object, asker: Resource) -> Any:
        """The resource that `asker` means by a name; ABSENT if there is none, UNKNOWN if nobody can tell."""
        found = self.all_named(kind, text, asker)
        return found if isinstance(found, Lack) else found[0] if len(found) == 1 else UNKNOWN

    def all_named(self, kind: Kind, text: object, asker: Resource) -> Any:
        """All resources of a name where it is nearest; ABSENT or UNKNOWN as for one."""
        if not isinstance(text, str):
            return text if isinstance(text, Lack) else ABSENT
        return self._named(kind).nearest(text, asker)

    def related(self, resource: Resource, name: str, kind: Kind, *path: str | int) -> Any:
        """The resource that a property was computed from, else the one whose name is at the path in it."""
        linked = sources(resource, name, kind)
        return linked[0] if linked else self.named(kind, fetch(resource.props, name, *path), resource)

    def _named(self, kind: Kind) -> _Names:
        names = self._names.get(kind)
        if names is None:
            names = self._names[kind] = _Names()
            for resource in self.of_types(kind.types):
                names.add(resource, kind.identifiers(resource))
        return names


def sources(resource: Resource, name: str, kind: Kind) -> list[Resource]:
    """The resources of a kind that a property was computed from."""
    return [
        source
        for source in resource.property_dependencies.get(name, ())
        if source.resource_type in kind.types
    ]


def scopes_of(resource: Resource) -> tuple[str, ...]:
    """Where a name that it writes is looked for, the nearest first."""
    if resource.urn.startswith(_PULUMI):
        stack, project, *_ = (*resource.urn.split("::", 2), "")
        return (f"{stack}::{project}", _EVERYWHERE)
    return _around(resource.location.file if resource.location is not None else _EVERYWHERE)


def is_of_whole_stack(resource: Resource) -> bool:
    """Whether all that is deployed with it was read as well: what was read off a file may be a part."""
    return resource.urn.startswith(_PULUMI) or resource.location is None


def stack_of(resource: Resource) -> str:
    """The stack that it is of. What is of none is seen together with all that is of none."""
    return scopes_of(resource)[0] if is_of_whole_stack(resource) else _EVERYWHERE


@lru_cache(maxsize=4096)
def _around(file: str) -> tuple[str, ...]:
    """A file, the folders that it is in, and everywhere."""
    found = [file] if file else []
    while "/" in file:
        file = file.rpartition("/")[0]
        if file:
            found.append(file + "/")
    return (*found, _EVERYWHERE)
