"""What this stack knows better than the catalog: a negotiated price, a raised limit, a measured time."""

from typing import Annotated, Any, TypeAlias

from pydantic import Field, PlainValidator, WithJsonSchema

from components.spec.fields import NOTE_AT_MOST, Day, Matching, Model, Sentence, Text, mistake


def _figure(value: object) -> object:
    if isinstance(value, str | list):
        return value
    if isinstance(value, dict) and all(isinstance(each, str) for each in (*value, *value.values())):
        return value
    raise mistake(
        "is not a figure",
        "write it as the catalog does: text with a unit, a list of zones, or percentiles like"
        " {p50: 2ms, p99: 9ms}",
    )


FigureValue: TypeAlias = Annotated[
    Any,
    PlainValidator(_figure),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {"type": "array", "items": {"type": "string"}},
                {"type": "object", "additionalProperties": {"type": "string"}},
            ]
        }
    ),
]
FigurePath = Annotated[
    str,
    Matching(
        r"[a-z_]+(?:\.[A-Za-z0-9_-]+)+",
        "the path of a figure",
        "write it as `halfmetal catalog` shows it, like prices.instances.g6.xlarge.on_demand",
    ),
]


class FigureOverride(Model):
    """One figure of the catalog as it is for this stack. Wherever it is used, it is shown as configured."""

    value: FigureValue = Field(
        description="The figure, with the unit that the catalog's has.", examples=["$0.61/h"]
    )
    source: Sentence = Field(
        description="Where it comes from: the agreement, the measurement, the page.",
        examples=["private pricing agreement of 2026"],
    )
    as_of: Day = Field(description="The day that it was true.", examples=["2026-11-01"])
    region: Sentence | None = Field(
        default=None,
        description=(
            "Region that it holds for. Default: `any` if the catalog's figure is for any, else the stack's."
        ),
        examples=["us-east-1"],
    )
    note: Annotated[Text, Field(max_length=NOTE_AT_MOST)] = Field(
        default="",
        description="What else there is to know about it. Default nothing.",
        examples=["until May"],
    )
