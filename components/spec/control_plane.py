"""The serverless side: front door, control functions, and what keeps functions from running away."""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from components.spec.fields import Count, Distinct, Flag, Matching, Model, at_least, at_most, mistake, whole
from components.spec.units import Duration, Memory, Money, Period

_RETENTION_DAYS: Final = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)


def _kept_by_cloudwatch(retention: Duration) -> Duration:
    if retention.days not in _RETENTION_DAYS:
        longer = min(
            (days for days in _RETENTION_DAYS if days >= retention.days), default=_RETENTION_DAYS[-1]
        )
        raise mistake("is not a retention that CloudWatch Logs offers", f"write {longer}d")
    return retention


def by_the_month(limit: Money) -> Money:
    """Refuses a limit that is of another period, or nothing."""
    if limit.period is not Period.MONTH:
        raise mistake("is not by the month, as budgets are", f"write '{limit.to(Period.MONTH)}'")
    if not limit:
        raise mistake("is zero", "write what a month may cost, like $500/month")
    return limit


FunctionMemory = Annotated[Memory, at_least(Memory.parse("128MiB")), whole(Memory.parse("1MiB"))]
FunctionTimeout = Annotated[
    Duration, at_least(Duration.parse("1s")), at_most(Duration.parse("90m")), whole(Duration.parse("1s"))
]
ReservedConcurrency = Annotated[Count, Field(ge=1, le=100_000)]
LogRetention = Annotated[Duration, AfterValidator(_kept_by_cloudwatch)]
Email = Annotated[
    str, Matching(r"[^@\s]+@[^@\s]+\.[^@\s]+", "an e-mail address", "write it like ops@example.com")
]


class Guardrails(Model):
    """Limits that every function gets unless it names its own."""

    reserved_concurrency: ReservedConcurrency | None = Field(
        default=20,
        description="How many copies of one function may run at once; the rest is throttled. 1 or more; null "
        "takes the limit off, which the rule runaway-function refuses. Default 20.",
        examples=[20],
    )
    log_retention: LogRetention | None = Field(
        default=Duration.parse("14d"),
        description=(
            "How long CloudWatch keeps a function's log: 1d, 3d, 5d, 7d, 14d, 30d, 60d, 90d … 3653d; null "
            "keeps it for ever, which the rule runaway-function refuses. Default 14d."
        ),
        examples=["14d"],
    )
    alarm: Flag = Field(
        default=True,
        description="Whether each function gets an alarm on its errors and throttles. Default true.",
        examples=[True],
    )


class Budget(Model):
    """What the account that the stack is in may cost, and who hears of it."""

    limit: Annotated[Money, AfterValidator(by_the_month)] = Field(
        description="Spending a month that raises the alarm. By the month, above zero.",
        examples=["$500/month"],
    )
    notify: Annotated[tuple[Email, ...], Distinct] = Field(
        min_length=1,
        max_length=10,
        description="E-mail addresses that are told: one to ten.",
        examples=[["ops@example.com"]],
    )


class ControlPlane(Model):
    """The serverless side."""

    front_door: Literal["http-api"] = Field(
        default="http-api",
        description=(
            "Kind of API Gateway in front: `http-api` (a request may take 30 s at most). Default http-api."
        ),
        examples=["http-api"],
    )
    memory: FunctionMemory = Field(
        default=Memory.parse("256MiB"),
        description="Memory of each control function, in whole MiB, 128MiB or more. Default 256MiB.",
        examples=["256MiB"],
    )
    timeout: FunctionTimeout = Field(
        default=Duration.parse("10s"),
        description="How long a control function may run: whole seconds, 1s or more. Default 10s.",
        examples=["10s"],
    )
    guardrails: Guardrails = Field(
        default=Guardrails(),
        description=(
            "Limits that every function of the stack gets unless it names its own. Default: each key's own."
        ),
        examples=[{"reserved_concurrency": 20, "log_retention": "14d", "alarm": True}],
    )
    budget: Budget | None = Field(
        default=None,
        description=(
            "What the account that the stack is in may cost a month. Without one the rule runaway-function"
            " refuses every function. Default none."
        ),
        examples=[{"limit": "$500/month", "notify": ["ops@example.com"]}],
    )
