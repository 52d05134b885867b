"""Reads a resource: asks the service and turns the answers into the outputs that the SDK declares.

What an answer has no member for keeps its last known value; what it has a member for but nothing in it is
gone. Tags come back as one set, without those that AWS itself puts on and those that the provider is told
to ignore.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.aws.provider import services
from sandbox.aws.provider.compare import Rules, blank
from sandbox.aws.provider.config import Config
from sandbox.aws.provider.diff import DEFAULTS
from sandbox.aws.provider.errors import MissingError, RefusedError
from sandbox.aws.provider.operation import Operation, search
from sandbox.aws.provider.plan import REFERENCE, Plan
from sandbox.aws.provider.sdk import ANY, PropType
from sandbox.aws.provider.services import unless_missing
from sandbox.aws.provider.shapes import Inbound, pairs_to_map, shape_at
from sandbox.aws.provider.table.model import UNSAID, Read, Tags
from sandbox.aws.provider.values import Bag


def read(operation: Operation) -> Bag:
    """The state as the service tells it; `MissingError` where the resource is not there."""
    entry = operation.plan.entry
    found = _ask(operation, entry.read[0], first=True)
    operation.facts["found"] = found
    for question in entry.read[1:]:
        if _wanted(operation, question):
            found |= _ask(operation, question, first=False)
    if entry.tags:
        found |= _tags(operation, entry.tags)
    return _merged(operation, found)


def _merged(operation: Operation, found: Bag) -> Bag:
    entry = operation.plan.entry
    state = {k: v for k, v in {**operation.inputs, **operation.state}.items() if k != DEFAULTS}
    for name, value in found.items():
        if name in entry.emulator_gaps and not operation.importing:
            continue  # the emulator does not keep it: what was asked for stands
        if value is None:
            state.pop(name, None)
        else:
            state[name] = value
    outputs = operation.plan.signature.outputs
    if "region" in outputs:
        state["region"] = operation.region
    operation.facts["read"] = state
    operation.state = state
    for name, template in entry.derive.items():
        state[name] = operation.fill(template)
    return {name: value for name, value in state.items() if value is not None}


def _wanted(operation: Operation, question: Read) -> bool:
    if operation.importing or not question.when:
        return True
    return any(not blank(operation.get(name)) for name in question.when)


def _ask(operation: Operation, question: Read, *, first: bool) -> Bag:
    entry = operation.plan.entry
    service = question.service or entry.service
    shape = services.input_shape(service, question.op)
    members = {
        name: value
        for name, template in question.args.items()
        if (value := operation.fill(template, shape.members.get(name))) is not None
    }
    try:
        answer = operation.call(question.op, service, **members)
    except RefusedError as error:
        if error.code in question.absent:
            return dict.fromkeys(_covered(question))
        raise (unless_missing(error, entry.missing) if first else error) from error
    return _outputs(operation, question, answer, first=first)


def _outputs(operation: Operation, question: Read, answer: Any, *, first: bool) -> Bag:
    plan = operation.plan
    there = _located(operation, question, answer)
    if there is None or there == []:
        if first:
            raise MissingError(f"{question.op} found nothing")
        return dict.fromkeys(_covered(question))
    if first:
        operation.facts["answer"], operation.facts["whole"] = there, answer
    inbound = Inbound(plan.entry.names)
    found = _found_by_name(plan, question, there, inbound)
    for name, source in question.into.items():
        value = source(there) if callable(source) else _at(source, there, answer)
        if value is not UNSAID:
            found[name] = inbound.convert(value, plan.signature.outputs.get(name, ANY), name)
    return found


def _located(operation: Operation, question: Read, answer: Any) -> Any:
    if not isinstance(question.at, str):
        return question.at(answer, operation)
    path: str = REFERENCE.sub(lambda match: str(operation.lookup(match[1]) or ""), question.at)
    return search(path, answer)


def _at(path: str, there: Any, answer: Any) -> Any:
    return search(path[2:], answer) if path.startswith("$.") else search(path, there)


def _found_by_name(plan: Plan, question: Read, there: Any, inbound: Inbound) -> Bag:
    if not isinstance(there, Mapping):
        return {}
    kinds = {name: plan.signature.outputs[name] for name in _by_name(plan, question)}
    shape = services.output_shape(question.service or plan.entry.service, question.op)
    place = shape_at(shape, question.at) if isinstance(question.at, str) else None
    return inbound.outputs(there, place, kinds)


def _by_name(plan: Plan, question: Read) -> list[str]:
    offered = plan.signature.outputs if question.only is None else question.only
    apart = {"tags", "tagsAll", "region", *plan.entry.write_only, *plan.entry.local, *question.into}
    return [name for name in offered if name not in apart]


def _covered(question: Read) -> list[str]:
    """What a question answers even when there is nothing to answer."""
    return [*(question.only or ()), *question.into]


def _tags(operation: Operation, tags: Tags) -> Bag:
    if tags.read_call:
        found = _raw_tags(operation, tags.read_call)
    else:
        found = _at(tags.read or "", operation.facts["answer"], operation.facts["whole"])
    plain = found if isinstance(found, dict) else pairs_to_map(found or [])
    kept = visible(plain, operation.access.config)
    return {"tags": kept or None, "tagsAll": kept}


def _raw_tags(operation: Operation, question: Read) -> Any:
    members = {name: operation.fill(template) for name, template in question.args.items()}
    try:
        answer = operation.call(question.op, question.service, **members)
    except RefusedError as error:
        if error.code in question.absent:
            return {}
        raise
    return _located(operation, question, answer)


def visible(tags: Mapping[str, Any], config: Config) -> dict[str, str]:
    """The tags that are the program's business."""
    return {
        key: str(value)
        for key, value in tags.items()
        if not key.startswith("aws:")
        and key not in config.ignored_tags
        and not key.startswith(config.ignored_tag_prefixes or ("\0",))
    }


def inputs_after_refresh(plan: Plan, said: Bag, state: Bag) -> Bag:
    """The old inputs with what has drifted: as they were written where they still hold.

    A property that the program never set shows up here once someone has set it elsewhere.
    """
    rules = Rules.of(plan.entry)
    result: Bag = {}
    for name, value in said.items():
        there = state.get(name, value if name in unreadable(plan) else None)
        if name == DEFAULTS or rules.same(value, there, name):
            result[name] = value
        elif there is not None:
            result[name] = _projected(value, there, plan.kind(name))
    return result | _set_elsewhere(plan, said, state)


def unreadable(plan: Plan) -> frozenset[str]:
    """Inputs whose present value no service tells."""
    entry = plan.entry
    return frozenset((*entry.write_only, *entry.local, *entry.emulator_gaps))


def _set_elsewhere(plan: Plan, said: Bag, state: Bag) -> Bag:
    entry = plan.entry
    apart = {*unreadable(plan), *entry.computed, *entry.refused, "region", *said}
    return {
        name: state[name]
        for name in plan.signature.inputs
        if name not in apart and not blank(state.get(name)) and state[name] != entry.defaults.get(name)
    }


def _projected(said: Any, there: Any, kind: PropType) -> Any:
    """What is there, in the outline of what was said: members that were never mentioned stay out."""
    if kind.kind == "object" and isinstance(said, dict) and isinstance(there, dict):
        return {
            name: _projected(said[name], there[name], kind.fields.get(name, ANY))
            for name in sorted(said.keys() & there.keys())
        }
    if kind.kind == "list" and isinstance(said, list) and isinstance(there, list):
        item = kind.item or ANY
        return [_projected(said[i] if i < len(said) else None, new, item) for i, new in enumerate(there)]
    return there


def found_id(operation: Operation) -> str:
    """The id of a resource that was found by what a person wrote."""
    entry = operation.plan.entry
    if entry.found_id:
        return str(search(entry.found_id, operation.facts["answer"]))
    return str(operation.fill(entry.id) or operation.resource_id)


def inputs_of_import(plan: Plan, state: Bag) -> Bag:
    """Inputs that would make a resource like the one that was found."""
    apart = {*plan.entry.local, *plan.entry.refused, "region"}
    return {
        name: state[name]
        for name in plan.signature.inputs
        if name not in apart and name in state and not blank(state[name])
    }
