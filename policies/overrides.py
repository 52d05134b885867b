"""What a stack changes about the rules, as the pack learns it.

The engine starts the pack with the stack's own configuration, the same that the program reads. So the pack
takes `policies.rules` straight from the stack file: there is no second place to write it, and nothing to keep
in step. A stack file that is malformed is the program's to complain about; the pack then runs the rules as
they are.
"""

from collections.abc import Mapping

import pulumi
from pydantic import ValidationError

from components.catalog import load as load_catalog
from components.placement import Override, Settings, overrides_of, settle
from components.spec import PolicyOverrides, StackError


def of_this_stack() -> dict[str, Override]:
    """The changes that the stack the pack was started for makes; none where it is not halfmetal's."""
    try:
        stack = pulumi.Config("halfmetal").get_object("stack")
    except (pulumi.ConfigTypeError, ValueError):
        return {}
    return read(stack)


def read(stack: object) -> dict[str, Override]:
    """The changes in a stack file's mapping, all or, where they are malformed, none."""
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

    def __init__(self, overrides: Mapping[str, Override]) -> None:
        self._overrides = overrides
        self._settled = settle(load_catalog(), overrides)
        self._configured: dict[tuple[str, str], Settings] = {}

    def settings(self, rule: str = "", config: Mapping[str, object] | None = None) -> Settings:
        """Every rule, the thresholds of one changed by the pack's own configuration.

        Raises StackError for a threshold that makes no sense.
        """
        if not config:
            return self._settled
        key = (rule, repr(sorted(config.items())))
        if key not in self._configured:
            self._configured[key] = settle(
                load_catalog(), self._with(rule, config), path="pack configuration"
            )
        return self._configured[key]

    def _with(self, rule: str, config: Mapping[str, object]) -> dict[str, Override]:
        stacks = self._overrides.get(rule, Override())
        return {**self._overrides, rule: Override(stacks.enforcement, {**stacks.thresholds, **config})}
