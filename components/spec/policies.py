"""What a stack changes about the rules: where they run, how hard they are, and their thresholds."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import ConfigDict, Field, PlainValidator, WithJsonSchema

from components.spec.fields import Flag, Model, mistake

RuleId: TypeAlias = Literal[
    "accelerator-needs-metal",
    "memory-over-function-limit",
    "sustained-utilization",
    "long-execution",
    "cold-start-budget",
    "jitter-budget",
    "state-locality",
    "local-state",
    "compliance-isolation",
    "unattended-cluster",
    "runaway-function",
    "vendor-lock-in",
    "warm-before-tail",
    "zone-capacity",
]


def _scalar(value: object) -> object:
    if isinstance(value, str | int | float):
        return value
    raise mistake("is not a threshold", "write a number, a text with a unit, or true or false")


Threshold = Annotated[Any, PlainValidator(_scalar), WithJsonSchema({"type": ["string", "number", "boolean"]})]


class RuleOverride(Model):
    """How one rule differs in this stack: `enforcement`, and any threshold of the rule by its name."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Threshold]

    enforcement: Literal["mandatory", "advisory", "disabled"] | None = Field(
        default=None,
        description="`mandatory` (refuses), `advisory` (warns) or `disabled`. Default: the rule's own.",
        examples=["advisory"],
    )

    @property
    def thresholds(self) -> Mapping[str, Any]:
        """The rule's thresholds that this stack sets."""
        return dict(self.__pydantic_extra__)


class PolicyOverrides(Model):
    """What this stack changes about the rules."""

    config_time: Flag = Field(
        default=True,
        description=(
            "Whether the rules run before anything is composed. False leaves them to the policy pack at "
            "preview. Default true."
        ),
        examples=[True],
    )
    rules: dict[RuleId, RuleOverride] = Field(
        default={},
        description="Changes by rule id. Default none.",
        examples=[{"state-locality": {"enforcement": "advisory"}}],
    )
