"""Cases that no resource of a kind can be an example of, by name, and how many there are that some can."""

from collections.abc import Mapping
from typing import Final

from carriers import CALLED, FUNCTIONS, MANIFESTS, NODES, ON_CLOUD_RUN, ON_SAGEMAKER, PODS

NO_HOME: Final = (
    "accelerator-needs-metal: no home known",
    "memory-over-function-limit: no home known",
    "runaway-function: no home known",
    "cold-start-budget: no home known",
    "jitter-budget: 20 us somewhere",
    "local-state: a cache somewhere",
    "compliance-isolation: no home known",
)
"""Whatever runs is somewhere, and so has a home that can be told."""

NO_BUDGET: Final = (
    "runaway-function: one bound missing refuses though another is not known",
    "runaway-function: bounds nobody knows",
)
"""Whether a stack has a budget is there to be seen."""

NOT_CARRIED: Final[Mapping[str, frozenset[str]]] = {
    FUNCTIONS.id: frozenset(NO_BUDGET),
    CALLED.id: frozenset(),
    ON_CLOUD_RUN.id: frozenset(),
    ON_SAGEMAKER.id: frozenset(),
    PODS.id: frozenset(NO_HOME),
    MANIFESTS.id: frozenset(
        {
            *NO_HOME,
            # What a manifest does not ask for, its pods do not get.
            "accelerator-needs-metal: a pod of which nobody knows whether it needs a GPU",
            "cold-start-budget: pods of which nobody knows how many are warm",
            "zone-capacity: two zones, placement group not known",
            "zone-capacity: one zone is right for EFA and for a placement group, known or not",
        }
    ),
    NODES.id: frozenset({"compliance-isolation: no home known"}),
}
CARRIED_AT_LEAST: Final = {
    FUNCTIONS.id: 93,
    CALLED.id: 19,
    ON_CLOUD_RUN.id: 11,
    ON_SAGEMAKER.id: 3,
    PODS.id: 79,
    MANIFESTS.id: 76,
    NODES.id: 19,
}
