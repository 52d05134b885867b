"""What a stack says of the rules, as the pack learns it.

The engine tells the pack the stack's own configuration, the same that the program reads. So the pack takes
`policies`, `catalog` and the guardrails straight from the stack file: there is no second place to write them,
and nothing to keep in step. A stack file that is malformed is the program's to complain about; the pack then
runs the rules as they are.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from components.catalog import Catalog, overridden
from components.catalog import load as load_catalog
from components.placement import Override, Waivers, overrides_of, settle
from components.spec import FigureOverride, Guardrails, PolicyOverrides, StackError
from components.spec.catalog import FigurePath

_KEY: Final = "halfmetal:stack"
_FIGURES: Final = TypeAdapter(dict[FigurePath, FigureOverride])


@dataclass(frozen=True, slots=True)
class Said:
    """What a stack says of the rules, by default nothing."""

    overrides: Mapping[str, Override] = field(default_factory=dict)
    catalog: Catalog = field(default_factory=load_catalog)
    waivers: Waivers = field(default_factory=lambda: Waivers((), date.min))
    remediate: frozenset[str] = frozenset()
    """Rules whose breaches are cleared before they are judged, where that is safe."""
    guardrails: Guardrails = field(default_factory=Guardrails)


def stack_of(config: Mapping[str, str]) -> object:
    """The stack file of a stack's configuration; None where it is not halfmetal's."""
    try:
        return json.loads(config[_KEY])
    except (KeyError, ValueError, RecursionError):
        return None


def read(stack: object, today: date) -> Said:
    """What a stack file's mapping says, each part of it as a whole or, where it is malformed, not at all."""
    policies = _policies(stack)
    return Said(
        overrides=overrides_of(policies),
        catalog=_catalog(stack),
        waivers=Waivers(policies.waivers, today),
        remediate=frozenset(policies.remediated),
        guardrails=_guardrails(stack),
    )


def _policies(stack: object) -> PolicyOverrides:
    try:
        policies = PolicyOverrides.model_validate(_part(stack, "policies"))
        settle(load_catalog(), overrides_of(policies))
    except (ValidationError, StackError):
        return PolicyOverrides()
    return policies


def _catalog(stack: object) -> Catalog:
    region = stack.get("region") if isinstance(stack, Mapping) else None
    if not isinstance(region, str):
        return load_catalog()
    try:
        return overridden(load_catalog(), _FIGURES.validate_python(_part(stack, "catalog")), region)
    except (ValidationError, StackError):
        return load_catalog()


def _guardrails(stack: object) -> Guardrails:
    try:
        return Guardrails.model_validate(_part(_part(stack, "control_plane"), "guardrails"))
    except ValidationError:
        return Guardrails()


def _part(stack: object, name: str) -> Any:
    found = stack.get(name) if isinstance(stack, Mapping) else None
    return {} if found is None else found
