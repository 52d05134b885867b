"""A Terraform plan as `terraform show -json` prints it: what will be there, and from what it is computed.

Planned values leave out what applying will tell; the changes say which these are. The configuration says
what each property refers to, through the variables and outputs of modules. A local value says nothing there
of what it is made of, so a relation through one is not seen.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import islice
from re import compile as pattern
from typing import Any, Final

from policies.audit.sources.documents import Document, Found
from policies.audit.sources.model import Unread
from policies.audit.sources.terraform_state import described, of_description
from policies.audit.sources.terraform_values import MOST_RELATED, key_of, without_keys
from policies.audit.sources.types import BY_TERRAFORM, camel
from policies.reading.bags import fetch
from policies.resources import Resource

_MODULE: Final = pattern(r'module\.([^.\[]+)(\[(?:\d+|"(?:[^"\\]|\\.)*")\])?\.')
_RESOURCE: Final = pattern(r"(?:data\.)?[\w-]+\.[\w-]+")
_OUTPUT: Final = pattern(r"module\.([\w-]+)(?:\[[^\]]*\])?\.([\w-]+)")
_VARIABLE: Final = pattern(r"var\.([\w-]+)")
_MOST_FOLLOWED: Final = 1000
"""References that are followed from one property."""
_SAME_KEY: Final = frozenset({"count.index", "each.key", "each.value"})
_NO_RESOURCE: Final = frozenset({"count", "each", "local", "module", "path", "self", "terraform", "var"})


def is_one(value: Any) -> bool:
    """Whether a document is a Terraform plan."""
    return isinstance(value, Mapping) and isinstance(fetch(value, "planned_values", "root_module"), Mapping)


def read(document: Document) -> Found:
    """Every resource that will be there, and what was looked up for them."""
    changes = dict(_changes(document.value))
    made: dict[str, Resource] = {}
    looked_up = [
        each
        for each in described(document, ("prior_state", "values", "root_module"))
        if isinstance(each, tuple) and each[1].get("mode") == "data"
    ]
    for each in [*described(document, ("planned_values", "root_module")), *looked_up]:
        if isinstance(each, Unread):
            yield each
            continue
        address, _, path = each
        flags = changes.get(address, ())
        found = document.tried(path, partial(of_description, document, each, *flags))
        if isinstance(found, Unread):
            yield found
        else:
            made.setdefault(address, found)
    _relate(document.value.get("configuration"), made)
    yield from made.values()


def _changes(plan: Mapping[str, Any]) -> Iterator[tuple[str, tuple[Any, Any]]]:
    """By address, flags of what applying will tell and of what is sensitive."""
    changes = plan.get("resource_changes")
    for each in changes if isinstance(changes, list) else ():
        address, change = fetch(each, "address"), fetch(each, "change")
        if isinstance(address, str) and isinstance(change, Mapping):
            yield address, (change.get("after_unknown"), change.get("after_sensitive"))


# -- relations


@dataclass(frozen=True, slots=True)
class _Module:
    """A module of the configuration, as one place calls it."""

    path: tuple[str, ...]
    config: Mapping[str, Any]
    above: "_Module | None" = None

    @property
    def prefix(self) -> str:
        """What the addresses of its resources begin with."""
        return "".join(f"module.{name}." for name in self.path)

    def inner(self, name: str) -> "_Module | None":
        """The module that it calls by this name."""
        config = fetch(self.config, "module_calls", name, "module")
        return _Module((*self.path, name), config, self) if isinstance(config, Mapping) else None

    def all(self) -> Iterator["_Module"]:
        """This module and those within it."""
        waiting = [self]
        while waiting:
            module = waiting.pop()
            yield module
            calls = module.config.get("module_calls")
            for name in calls if isinstance(calls, Mapping) else ():
                inner = module.inner(name)
                if inner is not None:
                    waiting.append(inner)


@dataclass(slots=True)
class _Instances:
    """Resources by address without keys, and by this and their own key."""

    all: dict[str, list[Resource]] = field(default_factory=dict)
    by_key: dict[tuple[str, str | None], list[Resource]] = field(default_factory=dict)


def _relate(configuration: Any, made: Mapping[str, Resource]) -> None:
    """Relate resources by what the configuration computes their properties from."""
    root = fetch(configuration, "root_module")
    if not isinstance(root, Mapping):
        return
    instances = _Instances()
    for address, each in made.items():
        bare = without_keys(address)
        instances.all.setdefault(bare, []).append(each)
        instances.by_key.setdefault((bare, key_of(address)), []).append(each)
    for module in _Module((), root).all():
        described = module.config.get("resources")
        for config in described if isinstance(described, list) else ():
            address = fetch(config, "address")
            if isinstance(address, str):
                for each in instances.all.get(module.prefix + address, ()):
                    _relate_one(each, module, config, instances)


def _relate_one(
    resource: Resource, module: _Module, config: Mapping[str, Any], instances: "_Instances"
) -> None:
    of = BY_TERRAFORM.get(str(config.get("type")))
    expressions = config.get("expressions")
    if of is None or not isinstance(expressions, Mapping):
        return
    before: dict[int, Resource] = {}
    for name, expression in expressions.items():
        written = list(_references(expression))
        if any(reference in _SAME_KEY for reference in written):
            written += _references(config.get("for_each_expression"))
        addresses = _resolved(written, module)
        same_key = any(reference.startswith(("count.", "each.")) for reference in written)
        found = [
            each
            for address in addresses
            for each in _instances_for(resource, instances, address, same_key=same_key)
        ]
        if found := found[:MOST_RELATED]:
            own = of.terraform_names.get(name) or of.lists.get(name) or camel(name)
            resource.property_dependencies[own] = found
            before |= {id(each): each for each in found}
    for address in _resolved(_texts(config.get("depends_on")), module):
        before |= {id(each): each for each in islice(instances.all.get(address, ()), MOST_RELATED)}
    resource.dependencies = [each for each in before.values() if each is not resource]


def _references(expression: Any) -> Iterator[str]:
    """Everything that an expression, or the expressions of a block, refer to."""
    waiting = [expression]
    while waiting:
        each = waiting.pop()
        if isinstance(each, Mapping):
            yield from _texts(each.get("references"))
            waiting += [inner for name, inner in each.items() if name != "references"]
        elif isinstance(each, list):
            waiting += each


def _texts(value: Any) -> Iterator[str]:
    for each in value if isinstance(value, list) else ():
        if isinstance(each, str):
            yield each


def _resolved(references: Iterable[str], module: _Module) -> list[str]:
    """Addresses, without keys, of the resources that references lead to, through variables and outputs."""
    found: dict[str, None] = {}
    seen: set[tuple[tuple[str, ...], str]] = set()
    waiting = [(module, reference) for reference in references]
    while waiting and len(seen) < _MOST_FOLLOWED:
        here, reference = waiting.pop()
        if (here.path, reference) in seen:
            continue
        seen.add((here.path, reference))
        output, variable = _OUTPUT.match(reference), _VARIABLE.match(reference)
        named = _RESOURCE.match(reference)
        if output:
            inner = here.inner(output[1])
            if inner is not None:
                expression = fetch(inner.config, "outputs", output[2], "expression")
                waiting += [(inner, each) for each in _references(expression)]
        elif variable and here.above is not None:
            given = fetch(here.above.config, "module_calls", here.path[-1], "expressions", variable[1])
            waiting += [(here.above, each) for each in _references(given)]
        elif named and reference.partition(".")[0] not in _NO_RESOURCE:
            found[here.prefix + named[0]] = None
    return list(found)


def _instances_for(
    asker: Resource, instances: "_Instances", address: str, *, same_key: bool
) -> list[Resource]:
    """Those instances that an instance may mean: of its own module, and of its own key if it asks by key."""
    key = key_of(asker.name)
    keyed = instances.by_key.get((address, key), ()) if same_key and key is not None else ()
    for found in (keyed, instances.all.get(address, ())):
        near = [each for each in islice(found, MOST_RELATED) if _are_near(asker.name, each.name)]
        if near:
            return near
    return []


def _are_near(one: str, other: str) -> bool:
    """Whether no module that both addresses are in is another instance of it."""
    for (name, key), (other_name, other_key) in zip(_modules(one), _modules(other), strict=False):
        if name != other_name:
            return True
        if key != other_key:
            return False
    return True


@lru_cache(maxsize=10_000)
def _modules(address: str) -> list[tuple[str, str]]:
    """The modules that an address leads through, each with its key."""
    return _MODULE.findall(address)
