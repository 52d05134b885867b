"""Holds inputs to what is known of their type, in preview, before anything is created.

First the SDK's signature: names, required properties, types, nested ones too. Then defaults, a name if none
was given, the provider's default tags. Then the shapes of the calls that the properties will travel in,
and what the entry itself demands. Values that are not known yet are passed over: the update checks again.
"""

from __future__ import annotations

import json
from typing import Any

from sandbox.aws.provider.config import Config
from sandbox.aws.provider.diff import DEFAULTS
from sandbox.aws.provider.errors import Failure
from sandbox.aws.provider.naming import Naming, choose
from sandbox.aws.provider.operation import Operation
from sandbox.aws.provider.plan import Plan
from sandbox.aws.provider.services import Services
from sandbox.aws.provider.shapes import Outbound, type_failures, unknown_names
from sandbox.aws.provider.table.model import Autoname, Call, Entry
from sandbox.aws.provider.values import UNKNOWN, Bag, has_unknown


def check(plan: Plan, config: Config, naming: Naming, news: Bag, olds: Bag) -> tuple[Bag, list[Failure]]:
    """The inputs with everything filled in that can be, and what is wrong with them."""
    given = {key: value for key, value in news.items() if value is not None and key != DEFAULTS}
    failures = _signature_failures(plan, given)
    if failures:
        return given, failures
    inputs, filled = _with_defaults(plan.entry, given)
    _write_documents(plan.entry, inputs)
    if plan.entry.autoname:
        failures = _name(plan.entry.autoname, naming, inputs, filled, olds)
    _merge_tags(plan.entry, config, inputs)
    failures += shape_failures(plan, inputs)
    failures += _document_failures(plan.entry, inputs)
    if plan.entry.rules:
        failures += plan.entry.rules(inputs)
    if not failures and not has_unknown(inputs):
        failures += _create_failures(plan, config, inputs)
    return {**inputs, DEFAULTS: sorted(filled)}, list(dict.fromkeys(failures))


def _signature_failures(plan: Plan, given: Bag) -> list[Failure]:
    signature = plan.signature
    failures = unknown_names(given, signature.inputs)
    failures += [
        Failure(name, "is required but missing")
        for name in sorted(signature.required)
        if given.get(name) is None
    ]
    for name, value in given.items():
        if name in signature.inputs:
            failures += type_failures(value, signature.inputs[name], name)
    failures += [
        Failure(
            name,
            f"is a property of {plan.entry.token} that the sandbox's AWS stand-in does not handle: "
            f"leave it out, or add it to the type's entry in sandbox/aws/provider/table",
        )
        for name, value in given.items()
        if name in signature.inputs and name not in plan.handled and value not in ("", [], {}, False)
    ]
    return failures


def _with_defaults(entry: Entry, given: Bag) -> tuple[Bag, list[str]]:
    filled = [name for name in entry.defaults if name not in given]
    return {**given, **{name: entry.defaults[name] for name in filled}}, filled


def _write_documents(entry: Entry, inputs: Bag) -> None:
    """A policy that the program wrote as an object is JSON from here on."""
    for name in (*entry.json, *entry.policies):
        if isinstance(inputs.get(name), dict) and not has_unknown(inputs[name]):
            inputs[name] = json.dumps(inputs[name])


def _name(rule: Autoname, naming: Naming, inputs: Bag, filled: list[str], olds: Bag) -> list[Failure]:
    """Fill in a name where none was given: the one it has, if that was made up too, or a new one."""
    if rule.prop in inputs:
        return []
    chosen = olds[rule.prop] if _keeps_name(rule, inputs, olds) else choose(rule, naming, inputs)
    if chosen is None and naming.proposal.disabled:
        return [Failure(rule.prop, "is required: automatic names are switched off (pulumi:autonaming)")]
    inputs[rule.prop] = UNKNOWN if chosen is None else chosen
    filled.append(rule.prop)
    return []


def _keeps_name(rule: Autoname, inputs: Bag, olds: Bag) -> bool:
    if rule.prop not in olds or rule.prop not in olds.get(DEFAULTS, ()):
        return False
    return not rule.prefix_prop or inputs.get(rule.prefix_prop) == olds.get(rule.prefix_prop)


def _merge_tags(entry: Entry, config: Config, inputs: Bag) -> None:
    if entry.tags is None or inputs.get("tags") is UNKNOWN:
        return
    merged = {**config.default_tags, **(inputs.get("tags") or {})}
    if merged:
        inputs["tags"] = merged


def shape_failures(plan: Plan, inputs: Bag) -> list[Failure]:
    """What the calls that will carry the inputs would not take."""
    failures: list[Failure] = []
    seen: set[str] = set()
    for call in _calls(plan.entry):
        shape = plan.shape(call)
        outbound = Outbound({**plan.entry.names, **call.names}, failures)
        for name, place in _placed(plan, call):
            value = inputs.get(name)
            # A default may be the table's word for "not set" (-1), which no call ever carries.
            if value is None or value is UNKNOWN or name in seen or value == plan.entry.defaults.get(name):
                continue
            target: Any = shape
            for part in place.split("."):
                target = target.members[part]
            outbound.convert(value, target, plan.kind(name), name, name)
            seen.add(name)
    return failures


def _create_failures(plan: Plan, config: Config, inputs: Bag) -> list[Failure]:
    """What the service's model has against the create call as a whole, once all of it is known."""
    from botocore.validate import ParamValidator  # noqa: PLC0415  # see services

    call = plan.entry.create
    try:
        members = Operation(plan, _NoServices(config), config.region, inputs).members(call, early=True)
    except _NeedsService:
        return []
    report = ParamValidator().validate(members, plan.shape(call))
    late = [f'Missing required parameter in input: "{member}"' for member in call.late]
    return [
        Failure("", f"cannot be created like this: {line}")
        for line in report.generate_report().splitlines()
        if line not in late
    ]


class _NeedsService(Exception):  # noqa: N818  # a signal between two functions, never an error of anybody's
    """A member of the call depends on what only the service knows."""


class _NoServices(Services):
    """Check asks no service: it runs in preview, for resources that may not exist."""

    def call(self, *_: Any) -> dict[str, Any]:
        raise _NeedsService

    def pages(self, *_: Any) -> list[dict[str, Any]]:
        raise _NeedsService


def _calls(entry: Entry) -> list[Call]:
    return [entry.create, *(step for step in entry.then if isinstance(step, Call))]


def _placed(plan: Plan, call: Call) -> list[tuple[str, str]]:
    """Properties of a call and their member: by name, or named whole by a template."""
    by_template = [
        (template[1:-1], member)
        for member, template in call.args.items()
        if isinstance(template, str) and template[1:-1] in plan.signature.inputs
    ]
    return [*plan.sent(call), *by_template]


def _document_failures(entry: Entry, inputs: Bag) -> list[Failure]:
    return [
        Failure(name, f"must be JSON: {problem}")
        for name in (*entry.json, *entry.policies)
        if isinstance(inputs.get(name), str) and (problem := _json_problem(inputs[name]))
    ]


def _json_problem(text: str) -> str:
    try:
        json.loads(text)
    except ValueError as error:
        return str(error)
    return ""
