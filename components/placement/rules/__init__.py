"""All placement rules, by id. Each is a module of its own; nothing here knows where a rule is enforced."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from components.placement.judging import Rule
from components.placement.rules import (
    accelerator_needs_metal,
    cold_start_budget,
    compliance_isolation,
    jitter_budget,
    local_state,
    long_execution,
    memory_over_function_limit,
    runaway_function,
    state_locality,
    sustained_utilization,
    unattended_cluster,
    vendor_lock_in,
    warm_before_tail,
    zone_capacity,
)

RULES: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        module.RULE.id: module.RULE
        for module in (
            accelerator_needs_metal,
            memory_over_function_limit,
            sustained_utilization,
            long_execution,
            cold_start_budget,
            jitter_budget,
            state_locality,
            local_state,
            compliance_isolation,
            unattended_cluster,
            runaway_function,
            vendor_lock_in,
            warm_before_tail,
            zone_capacity,
        )
    }
)
