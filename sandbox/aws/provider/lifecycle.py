"""Creates, updates and deletes one resource as its entry says."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from sandbox.aws.provider.compare import Rules, blank
from sandbox.aws.provider.diff import DEFAULTS, diff
from sandbox.aws.provider.errors import (
    HalfDoneError,
    MissingError,
    ProviderError,
    RefusedError,
)
from sandbox.aws.provider.ledger import Ledger, Record, digest
from sandbox.aws.provider.operation import Operation, search
from sandbox.aws.provider.reading import inputs_of_import, read
from sandbox.aws.provider.table.model import Call, Do, Each, Find, Step, Tags
from sandbox.aws.provider.values import Bag

_NOT_THERE = ("ResourceNotFoundException", "NotFoundException", "NoSuchEntity", "ResourceNotFound")
# One create at a time may look for a lost resource, so that two that are alike do not find the same one.
_finding = threading.Lock()


def create(operation: Operation, ledger: Ledger, urn: str) -> Bag:
    """Make the resource, or adopt the one that an interrupted create of it left behind."""
    asked = digest(operation.inputs)
    made_up = str(operation.facts.get("made up", ""))
    before = ledger.get(urn)
    if before and not before.known and _adopt(operation, ledger, before):
        # The program may have been changed since.
        if before.digest == asked or _can_become_this(operation):
            return _finish_adopted(operation, same=before.digest == asked)
        _remove(operation)
    record = ledger.begin(urn, operation.plan.entry.token, asked, _ids_before(operation), name=made_up)
    try:
        _make(operation)
    except RefusedError as error:
        if not error.retried:
            ledger.forget(urn, "")  # nothing was made: what has its name now is somebody else's
        raise
    ledger.answered(record, operation.resource_id)
    return _or_half_done(operation, lambda: _complete(operation))


def _make(operation: Operation) -> None:
    entry = operation.plan.entry
    tags = operation.inputs.get("tags")
    extra = entry.tags.create(tags) if entry.tags and entry.tags.create and tags else {}
    try:
        answer = operation.make(entry.create, extra)
    except RefusedError as error:
        if error.code in entry.exists:
            raise error.explained(
                "Something of this name is there already: choose another name, delete it, "
                "or bring it under this stack with `pulumi import`"
            ) from error
        raise
    operation.facts["created"] = answer
    operation.resource_id = str(operation.fill(entry.id))


def _complete(operation: Operation) -> Bag:
    entry = operation.plan.entry
    given = _given(operation)
    if entry.tags and not entry.tags.create and operation.inputs.get("tags"):
        _put_tags(operation, entry.tags, operation.inputs["tags"])
    _settle_before_steps(operation)
    for step in entry.then:
        if step.on != "update" and _applies(operation, step, given):
            _take(operation, step, {})
    if entry.ready:
        operation.wait(entry.ready)
    return read(operation)


def _settle_before_steps(operation: Operation) -> None:
    """Most services refuse further changes to what is still being made."""
    entry = operation.plan.entry
    if entry.ready and any(step.on != "update" for step in entry.then):
        operation.wait(entry.ready)


def _given(operation: Operation) -> frozenset[str]:
    """What is set to something else than what the service would take anyway."""
    defaults = operation.plan.entry.defaults
    return frozenset(
        name
        for name, value in operation.inputs.items()
        if value is not None and not (name in defaults and value == defaults[name])
    )


def _or_half_done(operation: Operation, work: Any) -> Bag:
    """Run what follows the create; the id must reach the engine whatever happens."""
    try:
        state: Bag = work()
        return state
    except (ProviderError, MissingError) as error:
        state = {**operation.inputs, **operation.state}
        state.pop(DEFAULTS, None)
        raise HalfDoneError(operation.resource_id, state, operation.inputs, str(error)) from error


# -- adoption ----------------------------------------------------------------------------------------


def _adopt(operation: Operation, ledger: Ledger, record: Record) -> bool:
    if record.resource_id:
        operation.resource_id = record.resource_id
        return _exists(operation)
    with _finding:
        found = _find(operation, ledger.taken(record.token, record.urn) | set(record.before))
        if found:
            operation.resource_id = found
            ledger.answered(record, found)
    return bool(found)


def _find(operation: Operation, taken: frozenset[str]) -> str:
    find = operation.plan.entry.find
    if find is None:
        return _find_by_name(operation)
    wanted = {path: operation.fill(template) for path, template in find.match.items()}
    for item in _listed(operation, find):
        found = str(search(find.resource_id, item))
        if found not in taken and _alike(operation, item, wanted):
            operation.resource_id = found
            if _exists(operation) and _as_asked(operation):
                return found
    operation.resource_id = ""
    return ""


def _listed(operation: Operation, find: Find) -> list[Any]:
    return operation.pages(find.op, find.items, **(operation.fill(dict(find.args)) or {}))


def _ids_before(operation: Operation) -> list[str]:
    """What is there before the create, of the types whose ids only the service knows."""
    find = operation.plan.entry.find
    if find is None:
        return []
    return [str(search(find.resource_id, item)) for item in _listed(operation, find)]


def _alike(operation: Operation, item: Any, wanted: Mapping[str, Any]) -> bool:
    rules = Rules.of(operation.plan.entry)
    return all(rules.same(value, search(path, item), path) for path, value in wanted.items())


def _as_asked(operation: Operation) -> bool:
    """Whether what cannot be changed afterwards is as this create wants it, tags included."""
    entry = operation.plan.entry
    wanted = {k: v for k, v in operation.inputs.items() if k in (*entry.replace, "tags")}
    found = {k: v for k, v in operation.facts["read"].items() if k in (*entry.replace, "tags")}
    return not diff(entry, wanted, found, wanted).changes and blank(wanted.get("tags")) == blank(
        found.get("tags")
    )


def _find_by_name(operation: Operation) -> str:
    """A resource that is named by its properties has an id before it is made."""
    entry = operation.plan.entry
    candidate = operation.fill(entry.id if entry.recover_id is None else entry.recover_id)
    if candidate is None:
        return ""
    operation.resource_id = str(candidate)
    return operation.resource_id if _exists(operation) else ""


def _can_become_this(operation: Operation) -> bool:
    """Whether an update makes what was found into what is asked for."""
    return not diff(operation.plan.entry, {}, operation.facts["read"], operation.inputs).replacing


def _remove(operation: Operation) -> None:
    """Delete what was found, and start as if it had never been."""
    delete(replace(operation, state=dict(operation.facts["read"]), facts={}))
    operation.resource_id, operation.state, operation.facts = "", {}, {}


def _exists(operation: Operation) -> bool:
    asked = dict(operation.inputs)
    try:
        operation.state = {}
        read(operation)
    except MissingError:
        operation.state = {}
        return False
    operation.inputs = asked
    return True


def _finish_adopted(operation: Operation, *, same: bool) -> Bag:
    """The interrupted create may have got no further than its first call: bring up what is missing.

    If the program has changed since, all that is there is what it asked for then, and may be dropped by now.
    """
    state = operation.facts["read"]
    operation.state = dict(state)
    said = operation.inputs if same else inputs_of_import(operation.plan, state)
    return _or_half_done(operation, lambda: update(operation, said, state))


# -- update ------------------------------------------------------------------------------------------


def update(operation: Operation, old_inputs: Bag, old_state: Bag) -> Bag:
    """Make the calls that the changed properties need."""
    entry = operation.plan.entry
    changed = diff(entry, old_inputs, old_state, operation.inputs).properties
    operation.facts["changed"] = changed
    operation.facts["dropped"] = [name for name in changed if operation.inputs.get(name) is None]
    for step in entry.then:
        if step.on != "create" and _applies(operation, step, frozenset(changed)):
            _take(operation, step, old_state)
    if entry.tags and "tags" in changed:
        _change_tags(operation, entry.tags, old_state.get("tags") or {})
    # The properties that were dropped must not linger in the state that the reading starts from.
    operation.state = {k: v for k, v in operation.state.items() if k not in operation.facts["dropped"]}
    operation.state |= {k: v for k, v in operation.inputs.items() if k in changed and v is not None}
    if entry.ready:
        operation.wait(entry.ready)
    return read(operation)


def _applies(operation: Operation, step: Step, names: frozenset[str]) -> bool:
    if isinstance(step, Do) and step.always:
        return True
    return bool(operation.plan.triggers(step) & names)


def _take(operation: Operation, step: Step, old_state: Bag) -> None:
    if isinstance(step, Do):
        step.run(operation)
    elif isinstance(step, Each):
        _each(operation, step, old_state.get(step.prop))
    elif step.unset and _is_unset(operation, step):
        operation.make(step.unset)
    elif step.only_changed:
        _one_by_one(operation, step)
    else:
        operation.make(step)


def _is_unset(operation: Operation, call: Call) -> bool:
    defaults = operation.plan.entry.defaults
    return all(
        operation.inputs.get(name) is None or (name in defaults and operation.inputs[name] == defaults[name])
        for name in operation.plan.triggers(call)
    )


def _one_by_one(operation: Operation, call: Call) -> None:
    changed = operation.facts.get("changed") or _given(operation)
    for name, _ in operation.plan.sent(call):
        if name in changed:
            operation.make(call, only=name)


def _each(operation: Operation, step: Each, old: Any) -> None:
    before, after = _elements(old), _elements(operation.inputs.get(step.prop))
    rules = Rules.of(operation.plan.entry)
    for item in before:
        if not any(rules.same(other, item, step.prop) for other in after):
            _with_item(operation, step.remove, item)
    for item in after:
        if not any(rules.same(item, other, step.prop) for other in before):
            _with_item(operation, step.add, item)


def _elements(value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        return [{"key": key, "value": item} for key, item in value.items()]
    return list(value or [])


def _with_item(operation: Operation, call: Call, item: Any) -> None:
    operation.facts["item"] = item
    try:
        operation.make(call)
    finally:
        del operation.facts["item"]


# -- tags --------------------------------------------------------------------------------------------


def _change_tags(operation: Operation, tags: Tags, old: Mapping[str, str]) -> None:
    new = operation.inputs.get("tags") or {}
    gone = [key for key in old if key not in new]
    if gone and not (tags.whole and new):
        for keys in [[key] for key in gone] if tags.remove_singly else [gone]:
            operation.facts["keys"] = [{"Key": key} for key in keys] if tags.remove_pairs else keys
            operation.make(tags.remove)
    changed = {key: value for key, value in new.items() if tags.whole or old.get(key) != value}
    if changed:
        _put_tags(operation, tags, changed)


def _put_tags(operation: Operation, tags: Tags, values: Mapping[str, str]) -> None:
    operation.facts["tags"] = written(tags, values)
    operation.make(tags.change)


def written(tags: Tags, values: Mapping[str, str]) -> Any:
    """Tags as the service writes them."""
    if tags.style == "map":
        return dict(values)
    value = {"Key": "Value", "key": "value", "TagKey": "TagValue"}[tags.style]
    return [{tags.style: key, value: text} for key, text in values.items()]


# -- delete ------------------------------------------------------------------------------------------


def delete(operation: Operation) -> None:
    """Delete it and wait until it is gone; one that is gone already is deleted enough."""
    entry = operation.plan.entry
    if operation.get("skipDestroy"):
        return
    try:
        for step in entry.delete:
            if not isinstance(step, (Call, Do)) or _wanted_on_delete(operation, step):
                _take(operation, step, operation.state)
    except MissingError:
        return
    except RefusedError as error:
        if error.code not in (*entry.missing, *_NOT_THERE):
            raise
        return
    if entry.gone:
        operation.wait_gone(lambda: read(operation), entry.gone)


def _wanted_on_delete(operation: Operation, step: Call | Do) -> bool:
    return not isinstance(step, Call) or _any_set(operation, step.when)


def _any_set(operation: Operation, names: Iterable[str]) -> bool:
    names = tuple(names)
    return not names or any(not blank(operation.get(name)) for name in names)
