"""Shared state that workloads read: where it sits decides where they may sit."""

from typing import Literal

from pydantic import Field

from components.spec.fields import Model, Name, Zones


class StateStore(Model):
    """A cache, a database or a store of model weights."""

    name: Name = Field(
        description="Name that workloads read it by. Unique among the stores.", examples=["features"]
    )
    kind: Literal["cache", "database", "weights-store"] = Field(
        description="`cache` (in memory, sits in its zones), `database` (durable, sits in its zones) or "
        "`weights-store` (objects, regional).",
        examples=["cache"],
    )
    zones: Zones = Field(
        default=(),
        description=(
            "Availability zones that it answers from, each one of the stack's. A cache or database has at "
            "least one; a weights store without any is regional. Default none."
        ),
        examples=[["us-east-1a"]],
    )
