"""Which properties each call of an entry carries: worked out from names, once per type.

Check uses it to find properties that nothing carries and to hold values to the shapes they will be sent as,
an operation uses it to fill in a call, an update to pick the calls that a change needs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sandbox.aws.provider import sdk, services
from sandbox.aws.provider.sdk import ANY, PropType
from sandbox.aws.provider.shapes import member_of
from sandbox.aws.provider.table.model import Call, Do, Each, Entry, Step

if TYPE_CHECKING:
    from botocore.model import StructureShape

REFERENCE = re.compile(r"\{([\w.]+)\}")


def references(template: Any) -> Iterator[str]:
    """The properties that a template names."""
    if isinstance(template, str):
        for name in REFERENCE.findall(template):
            yield name.split(".")[0]
    elif isinstance(template, Mapping):
        for inner in template.values():
            yield from references(inner)
    elif isinstance(template, list):
        for inner in template:
            yield from references(inner)


@dataclass(frozen=True)
class Plan:
    """An entry together with what the SDK and the service's model say of it."""

    entry: Entry

    @cached_property
    def signature(self) -> sdk.Signature:
        return sdk.signature(self.entry.token)

    def service_of(self, call: Call) -> str:
        return call.service or self.entry.service

    def shape(self, call: Call) -> StructureShape:
        return services.input_shape(self.service_of(call), call.op)

    def kind(self, name: str) -> PropType:
        return self.signature.inputs.get(name, ANY)

    @cached_property
    def _sent(self) -> dict[int, tuple[tuple[str, str], ...]]:
        return {}

    def sent(self, call: Call) -> tuple[tuple[str, str], ...]:
        """The properties that go by their own name, with the member each goes to."""
        key = id(call)
        if key not in self._sent:
            self._sent[key] = tuple(self._by_name(call))
        return self._sent[key]

    def _by_name(self, call: Call) -> Iterator[tuple[str, str]]:
        offered = self.signature.inputs if call.send is None else call.send
        if not offered:
            return
        shape = self.shape(call)
        names = {**self.entry.names, **call.names}
        for name in offered:
            if name in ("tags", "region", *call.skip, *self.entry.local, *self.entry.refused):
                continue
            member = member_of(name, shape, name, names)
            if member is not None and member not in call.args and member.split(".")[0] in shape.members:
                yield name, member
            elif call.send is not None:
                raise ValueError(f"{self.entry.token}: {call.op} has no member for {name}")

    def carried(self, step: Step) -> frozenset[str]:
        """Every property that a step has to do with."""
        if isinstance(step, Do):
            return frozenset(step.uses)
        if isinstance(step, Each):
            return frozenset({step.prop})
        named = {name for name in references(step.args) if name in self.signature.inputs}
        own = {name for name, _ in self.sent(step)} | named | set(step.uses) | set(step.when)
        return frozenset(own | (self.carried(step.unset) if step.unset else set()))

    def triggers(self, step: Step) -> frozenset[str]:
        """The properties whose being set, or changed, calls for the step."""
        if isinstance(step, Call) and step.when:
            return frozenset(step.when)
        return self.carried(step) - frozenset(self.entry.replace)

    @cached_property
    def handled(self) -> frozenset[str]:
        """Every input that the entry does something with."""
        entry = self.entry
        own = {"region", *entry.local, *entry.write_only, *entry.replace}
        own |= {name for name, member in entry.names.items() if member is None and "." not in name}
        if entry.tags:
            own.add("tags")
        if entry.autoname and entry.autoname.prefix_prop:
            own.add(entry.autoname.prefix_prop)
        for step in (entry.create, *entry.then, *entry.delete):
            own |= self.carried(step)
        return frozenset(own) & self.signature.inputs.keys()

    @cached_property
    def changeable(self) -> frozenset[str]:
        """Every input that some step of an update looks after."""
        entry = self.entry
        steps = [step for step in entry.then if step.on != "create"]
        own = set(entry.local) | ({"tags"} if entry.tags else set())
        for step in steps:
            own |= self.triggers(step) if isinstance(step, Call) and step.when else self.carried(step)
        return frozenset(own)
