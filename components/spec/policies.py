"""What a stack changes about the rules: where they run, how hard they are, and their thresholds."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, TypeAlias, get_args

from pydantic import AfterValidator, ConfigDict, Field, PlainValidator, WithJsonSchema

from components.spec.fields import Day, Flag, Matching, Model, Sentence, mistake

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

Remediable: TypeAlias = Literal["accelerator-needs-metal", "runaway-function", "state-locality"]
"""Rules of which some breach is cleared by a value that costs nothing and stops nothing."""


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


def _remediated(value: object) -> object:
    names = get_args(Remediable)
    remedy = f"write true, false, or a list of {', '.join(names)}"
    if isinstance(value, bool):
        return value
    if not isinstance(value, list | tuple):
        raise mistake("neither says yes or no nor names rules", remedy)
    if strange := [name for name in value if name not in names]:
        raise mistake(f"names {strange[0]!r}, of which nothing can be set safely", remedy)
    return tuple(value)


Remediate = Annotated[
    bool | tuple[Remediable, ...],
    PlainValidator(_remediated),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "boolean"},
                {"type": "array", "items": {"enum": [*get_args(Remediable)]}, "uniqueItems": True},
            ]
        }
    ),
]

_ANYTHING: Final = re.compile(r"[*.:/_-]*")


def _scoped(subject: str) -> str:
    if _ANYTHING.fullmatch(subject):
        raise mistake(
            "names everything",
            "name what is waived, or make the rule advisory (`policies.rules`) if nothing must keep it",
        )
    return subject


Subject = Annotated[
    str,
    Matching(
        r"[A-Za-z0-9_.:/@*-]+",
        "the name of a subject",
        "name a workload, a pool or a resource as the finding does; * stands for any characters",
    ),
    AfterValidator(_scoped),
]


class Waiver(Model):
    """One breach that somebody answers for, until a day."""

    rule: RuleId = Field(description="The rule that may be broken.", examples=["state-locality"])
    subject: Subject = Field(
        description=(
            "What may break it: the name of a workload, of a pool with all that runs on it, or of a resource,"
            " as the finding or the cloud has it. `*` stands for any characters."
        ),
        examples=["chat"],
    )
    reason: Sentence = Field(
        description="Why it may.", examples=["the cache moves to the zone with the next release"]
    )
    owner: Sentence = Field(
        description="Who answers for it: a person or a team.", examples=["ml-platform@example.com"]
    )
    expires: Day = Field(
        description="The last day that it counts, in UTC. From the next on the rule is enforced again.",
        examples=["2027-01-31"],
    )


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
    waivers: tuple[Waiver, ...] = Field(
        default=(),
        description="Breaches that somebody answers for, until a day. Every report lists them. Default none.",
        examples=[
            [
                {
                    "rule": "state-locality",
                    "subject": "chat",
                    "reason": "the cache moves to the zone with the next release",
                    "owner": "ml-platform@example.com",
                    "expires": "2027-01-31",
                }
            ]
        ],
    )
    remediate: Remediate = Field(
        default=False,
        description=(
            "Whether the policy pack sets what would clear a breach, where that costs nothing and the "
            "property is absent: reserved concurrency and log retention of functions, the toleration of GPU "
            "nodes, the zone of the state. Or the rules, all of them mandatory, that it does so for. Default "
            "false."
        ),
        examples=[["runaway-function"]],
    )

    @property
    def remediated(self) -> tuple[Remediable, ...]:
        """The rules whose breaches are cleared where that is safe, of those that are mandatory here."""
        if self.remediate is False:
            return ()
        named = get_args(Remediable) if self.remediate is True else self.remediate
        weak = {name for name, rule in self.rules.items() if rule.enforcement in ("advisory", "disabled")}
        return tuple(name for name in named if name not in weak)
