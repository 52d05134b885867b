"""All placement rules, by id. Each is a module of its own; nothing here knows where a rule is enforced."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from components.placement.judging import Rule
from components.placement.rules import (
    accelerator_needs_metal,
    memory_over_function_limit,
    runaway_function,
    state_locality,
    zone_capacity,
)

RULES: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        module.RULE.id: module.RULE
        for module in (
            accelerator_needs_metal,
            memory_over_function_limit,
            state_locality,
            runaway_function,
            zone_capacity,
        )
    }
)
