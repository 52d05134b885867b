"""What a month may cost, and who hears of it before it does."""

from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi_aws import budgets

from components.base import Component
from components.spec import Money

# (percent of the limit, spent or foreseen): early enough to act on, late enough to be read.
_NOTICES: Final = ((80, "ACTUAL"), (100, "FORECASTED"), (100, "ACTUAL"))


@dataclass(frozen=True)
class BudgetArgs:
    """The limit, and who is told."""

    limit: Money
    """By the month, in dollars."""
    emails: tuple[str, ...]


class Budget(Component):
    """A monthly cost budget.

    Creates: the budget, with notices at 80 % spent, 100 % foreseen and 100 % spent. It counts the whole
    account: one filtered by the stack's tag would stay at zero, silently, in an account in which nobody has
    activated that tag for billing.
    """

    def __init__(self, name: str, args: BudgetArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._budget = budgets.Budget(
            self.child("monthly"),
            budget_type="COST",
            limit_amount=_plain(args.limit),
            limit_unit="USD",
            time_unit="MONTHLY",
            notifications=[_notice(percent, kind, args.emails) for percent, kind in _NOTICES],
            opts=self.options(),
        )
        self.register_outputs({"budget_name": self.budget_name})

    @property
    def budget_name(self) -> pulumi.Output[str]:
        return self._budget.name


def _plain(limit: Money) -> str:
    digits = f"{limit.amount:f}"
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def _notice(percent: int, kind: str, emails: tuple[str, ...]) -> Any:
    return budgets.BudgetNotificationArgs(
        comparison_operator="GREATER_THAN",
        notification_type=kind,
        threshold=percent,
        threshold_type="PERCENTAGE",
        subscriber_email_addresses=list(emails),
    )
