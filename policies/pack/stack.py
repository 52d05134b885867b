"""What a stack changes about the rules and their figures, as the pack learns it.

The engine starts the pack with the stack's own configuration, the same that the program reads. So the pack
takes `policies.rules` and `catalog` straight from the stack file: there is no second place to write them, and
nothing to keep in step. A stack file that is malformed is the program's to complain about; the pack then runs
the rules as they are.
"""

from collections.abc import Mapping
from typing import Final

import pulumi
from pydantic import TypeAdapter, ValidationError

from components.catalog import Catalog, overridden
from components.catalog import load as load_catalog
from components.placement import Override, Settings, overrides_of, settle
from components.spec import FigureOverride, PolicyOverrides, StackError
from components.spec.catalog import FigurePath

_FIGURES: Final = TypeAdapter(dict[FigurePath, FigureOverride])


def this_stack() -> object:
    """What the stack that the pack was started for says; None where it is not halfmetal's."""
    try:
        return pulumi.Config("halfmetal").get_object("stack")
    except (pulumi.ConfigTypeError, ValueError):
        return None


def catalog_of(stack: object) -> Catalog:
    """The catalog with the figures of a stack file's mapping, all or, where they are malformed, none."""
    figures = stack.get("catalog") if isinstance(stack, Mapping) else None
    region = stack.get("region") if isinstance(stack, Mapping) else None
    if not isinstance(figures, Mapping) or not isinstance(region, str):
        return load_catalog()
    try:
        return overridden(load_catalog(), _FIGURES.validate_python(figures), region)
    except (ValidationError, StackError):
        return load_catalog()


def read(stack: object) -> dict[str, Override]:
    """The changes to rules in a stack file's mapping, all or, where they are malformed, none."""
    policies = stack.get("policies") if isinstance(stack, Mapping) else None
    if not isinstance(policies, Mapping):
        return {}
    try:
        overrides = overrides_of(PolicyOverrides.model_validate(policies))
        settle(load_catalog(), overrides)
    except (ValidationError, StackError):
        return {}
    return overrides


class StackRules:
    """The rules as one stack has them. Figures are settled once, not for every resource."""

    def __init__(self, overrides: Mapping[str, Override], catalog: Catalog) -> None:
        self._overrides = overrides
        self._catalog = catalog
        self._settled = settle(catalog, overrides)
        self._configured: dict[tuple[str, str], Settings] = {}

    def settings(self, rule: str = "", config: Mapping[str, object] | None = None) -> Settings:
        """Every rule, the thresholds of one changed by the pack's own configuration.

        Raises StackError for a threshold that makes no sense.
        """
        if not config:
            return self._settled
        key = (rule, repr(sorted(config.items())))
        if key not in self._configured:
            self._configured[key] = settle(self._catalog, self._with(rule, config), path="pack configuration")
        return self._configured[key]

    def _with(self, rule: str, config: Mapping[str, object]) -> dict[str, Override]:
        stacks = self._overrides.get(rule, Override())
        return {**self._overrides, rule: Override(stacks.enforcement, {**stacks.thresholds, **config})}
